"""What agreed outages and exclusions have in common: how they are given, told, and withdrawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, TypeVar

from core.audit import record
from core.database import Connection
from core.errors import NotFound, PermanentError
from core.sql import load
from core.window import Window
from kpi.records.refusal import Refused
from telemetry import horizon

_SQL = load("kpi.records", "records.sql")


class _Recorded(Protocol):
    """A record of people that can be withdrawn once."""

    @property
    def pilot(self) -> str: ...
    @property
    def superseded_at(self) -> datetime | None: ...
    @property
    def superseded_by(self) -> str | None: ...
    @property
    def superseded_why(self) -> str | None: ...


_Kind = TypeVar("_Kind", bound=_Recorded)


def span(start: datetime, end: datetime) -> Window:
    """A window that a person gave.

    :raises PermanentError: an end has no zone, or there is nothing between them.
    """
    for one in (start, end):
        if one.tzinfo is None:
            raise PermanentError(f"{one.isoformat()} has no zone: write it as {one.isoformat()}+09:00.")
    if end <= start:
        raise Refused(
            f"It ends at {end.isoformat()}, not after its start at {start.isoformat()}: turn them round.",
            "끝나는 때가 시작보다 뒤여야 합니다.",
        )
    return Window(start=start.astimezone(UTC), end=end.astimezone(UTC))


def told(window: Window) -> str:
    """A window for messages, in UTC."""
    return f"{window.start:%Y-%m-%dT%H:%M:%SZ} to {window.end:%Y-%m-%dT%H:%M:%SZ}"


def require_text(what: str, text: str) -> None:
    """Refuse what says nothing.

    :raises PermanentError: it does.
    """
    if not text.strip():
        raise Refused(
            f"The {what} is empty: say who or why, it stands in the record for good.",
            "비워 둔 칸이 있습니다: 누가 또는 왜인지 적어 주십시오. 기록에 그대로 남습니다.",
        )


def slot_ids(connection: Connection, pilot: str, slots: Sequence[str]) -> dict[str, int]:
    """The numbers of a pilot's slots.

    :raises NotFound: one of ``slots`` is none.
    """
    there = {row["name"]: int(row["slot_id"]) for row in connection.execute(_SQL["slots"], {"pilot": pilot})}
    for name in slots:
        if name not in there:
            raise NotFound(f"Pilot {pilot} has no slot {name!r}; it has: {', '.join(there)}.")
    return there


def listed(pilot: str, window: Window | None, as_of: datetime | None, *, withdrawn_too: bool) -> dict[str, Any]:
    """What a list of records asks for.

    :param window: only those that touch it.
    :param as_of: as they were known then; now if None.
    """
    return {
        "pilot": pilot, "start": None if window is None else window.start, "end": None if window is None else window.end,
        "as_of": as_of, "withdrawn_too": withdrawn_too,
    }  # fmt: skip


def withdraw(
    connection: Connection,
    what: Literal["outage", "exclusion"],
    number: int,
    read: Callable[[Mapping[str, Any]], _Kind],
    *,
    why: str,
    who: str,
) -> _Kind:
    """Let a record count no more from now on. What was judged by it stays as it was.

    :param read: from its row.
    :returns: the record as it was.
    :raises NotFound: there is none of that number.
    :raises PermanentError: it was withdrawn before.
    """
    require_text("why", why)
    with connection.transaction():
        row = connection.execute(_SQL[what], {"id": number}).fetchone()
        if row is None:
            raise NotFound(f"There is no {what} {number}: `pilotbed {what} list PILOT` shows them.")
        before = read(row)
        if before.superseded_at is not None:
            raise PermanentError(
                f"{what.capitalize()} {number} was withdrawn at {before.superseded_at.isoformat()} by"
                f" {before.superseded_by}: {before.superseded_why}"
            )
        at = horizon.receive(connection)
        connection.execute(_SQL[f"withdraw_{what}"], {"id": number, "at": at, "who": who, "why": why})
        record(
            connection,
            who=who,
            what=f"{what}.withdraw",
            pilot=before.pilot,
            object=f"{what} {number}",
            before=before,
            after={"superseded_at": at, "superseded_why": why},
        )
    return before

"""Findings (품질 점검 결과) of a pilot that a person may see: filtered, a page at a time, the newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, get_args

from core.database import Connection
from core.errors import PermanentError
from core.sql import load
from core.window import Window, day_window, instant, micros, midnight
from dashboards.access import VisiblePilot
from dashboards.users import Person
from telemetry.findings import Finding, Kind

_SQL = load("dashboards", "quality.sql")
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_LASTING: Final = timedelta(hours=2)
"""Hours are judged within minutes of their end: what reached into the last two hours goes on."""
_MOST_NUMBER: Final = 2**63
_NO_CURSOR: Final = "{!r} is no cursor: pass on the one that the answer before gave as next."
EVER: Final = Window(start=datetime(1970, 1, 1, tzinfo=UTC), end=datetime(9999, 1, 1, tzinfo=UTC))


class WrongCursor(PermanentError):
    """A cursor that no answer gave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which findings."""

    kinds: tuple[str, ...] = ()
    """None: all."""
    slot: str = ""
    channel: str = ""
    window: Window = EVER
    """Those that touch it."""
    superseded: bool = False
    """Also those that a later judgement has superseded."""
    after: str = ""
    """The cursor of the page before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A page of findings."""

    findings: tuple[Finding, ...]
    next: str | None
    """The cursor of the following page."""


def found_of(connection: Connection, person: Person, pilot: VisiblePilot, asked: Asked, most: int) -> Listed:
    """The newest first; of a cursor, what follows it.

    :raises WrongCursor: the cursor is none.
    """
    at, number = _cursor(asked.after)
    rows = connection.execute(
        _SQL["findings"],
        {
            "person": person.person_id, "pilot": pilot.name, "start": asked.window.start, "end": asked.window.end,
            "kinds": list(asked.kinds) or None, "slot": asked.slot or None, "channel": asked.channel or None,
            "superseded": asked.superseded, "after_at": at, "after_id": number, "most": most + 1,
        },
    ).fetchall()  # fmt: skip
    found = tuple(_finding(row) for row in rows[:most])
    more = len(rows) > most
    return Listed(
        findings=found,
        next=f"{micros(found[-1].window.start)}.{found[-1].finding_id}" if more else None,
    )


def counts_of(
    connection: Connection, person: Person, pilot: VisiblePilot, window: Window = EVER, slot: str = ""
) -> dict[str, int]:
    """How many stand of each kind."""
    rows = connection.execute(
        _SQL["counts"],
        {
            "person": person.person_id,
            "pilot": pilot.name,
            "start": window.start,
            "end": window.end,
            "slot": slot or None,
        },
    )
    return {row["kind"]: row["n"] for row in rows}


def lasting_of(
    connection: Connection, person: Person, pilot: str | None = None, now: datetime | None = None
) -> dict[int, dict[str, int]]:
    """By pilot and kind, at how many channels (or slots) something that was found still lasts."""
    now = now or datetime.now(UTC)
    found: dict[int, dict[str, int]] = {}
    rows = connection.execute(
        _SQL["lasting"], {"person": person.person_id, "pilot": pilot, "since": now - _LASTING, "now": now}
    )
    for row in rows:
        found.setdefault(row["pilot_id"], {})[row["kind"]] = row["n"]
    return found


def checked_until(connection: Connection, person: Person, pilot: VisiblePilot) -> datetime | None:
    """Until when the readings were judged; None: none was yet."""
    row = connection.execute(_SQL["checked"], {"person": person.person_id, "pilot": pilot.name}).fetchone()
    until: datetime | None = None if row is None else row["until"]
    return until


def window_of(pilot: VisiblePilot, first: date | None, last: date | None) -> Window:
    """From the start of one day to the end of another, in the pilot's zone; open where none is given.

    Days of another century, and days in the wrong order, are as if none were given.
    """
    low = EVER.start if first is None or not 1990 <= first.year <= 2190 else midnight(first, pilot.zone_info)
    high = EVER.end if last is None or not 1990 <= last.year <= 2190 else day_window(last, pilot.zone_info).end
    return Window(start=low, end=high) if low < high else EVER


def _cursor(after: str) -> tuple[datetime | None, int | None]:
    if not after:
        return None, None
    at, _, number = after.partition(".")
    try:
        found = instant(int(at)), int(number)
    except (ValueError, OverflowError) as error:
        raise WrongCursor(_NO_CURSOR.format(after)) from error
    if not 0 < found[1] < _MOST_NUMBER:
        raise WrongCursor(_NO_CURSOR.format(after))
    return found


def _finding(row: Mapping[str, Any]) -> Finding:
    window = Window(start=row["start_at"], end=row["end_at"])
    rest: dict[str, Any] = {key: value for key, value in row.items() if key not in ("start_at", "end_at")}
    return Finding(window=window, **rest)


def kinds_of(wished: Sequence[str]) -> tuple[str, ...]:
    """Those of the kinds asked for that there are, each once."""
    return tuple(kind for kind in KINDS if kind in wished)

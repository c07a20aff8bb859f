"""Agreed outages: times in which the site's network or power, or the platform beyond its own record, was down.

They are left out of the required time, as the outages in the platform's own record are. Nothing is deleted: a withdrawal is
recorded beside what it withdraws, so that an evaluation as of an instant goes by what was agreed then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal

from core.audit import record
from core.database import Connection
from core.errors import PermanentError
from core.sql import load
from core.window import Window
from devices.registry.queries import pilot as registered
from kpi.records.shared import listed, require_text, slot_ids, span, told, withdraw
from kpi.stretches import NOTHING, Stretches, difference, intersection, of_windows, total_us
from telemetry import horizon
from telemetry.platform_record import platform_alive, platform_known

_SQL = load("kpi.records", "records.sql")

ChargedTo = Literal["site", "platform"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why there was an outage, and whose it is."""

    charged_to: ChargedTo
    ko: str
    en: str


CAUSES: Mapping[str, Cause] = MappingProxyType({
    "site": Cause(charged_to="site", ko="수요처 사정", en="the site"),
    "site-network": Cause(charged_to="site", ko="수요처 통신망 장애", en="the site's network"),
    "site-power": Cause(charged_to="site", ko="수요처 정전", en="the site's power"),
    "platform": Cause(charged_to="platform", ko="플랫폼 장애", en="the platform"),
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """One agreed outage, with who recorded it when."""

    outage_id: int
    pilot: str
    slots: tuple[str, ...] | None
    """None: all slots of the pilot."""
    window: Window
    cause: str
    charged_to: ChargedTo
    agreed_by: str
    note: str
    recorded_at: datetime
    recorded_by: str
    superseded_at: datetime | None = None
    superseded_by: str | None = None
    superseded_why: str | None = None

    def of(self, slot: str) -> bool:
        return self.slots is None or slot in self.slots


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A new outage, and what else is known of the same time."""

    outage: Outage
    overlapping: tuple[Outage, ...]
    """Agreed before, for a slot of its own. What they share is left out once."""
    platform_s: float
    """So much of it the platform was down by its own record: that stays the platform's."""


def add_outage(
    connection: Connection,
    pilot: str,
    *,
    start: datetime,
    end: datetime,
    cause: str,
    agreed_by: str,
    note: str,
    slots: Sequence[str] = (),
    who: str,
) -> Added:
    """Record an outage that was agreed.

    :param slots: where; all slots of the pilot if left out.
    :raises NotFound: no such pilot or slot.
    :raises PermanentError: it is not one that can be agreed; the message says why.
    """
    if cause not in CAUSES:
        raise PermanentError(f"There is no cause {cause!r} of an outage; there are: {', '.join(CAUSES)}.")
    window = span(start, end)
    require_text("agreed_by", agreed_by)
    require_text("note", note)
    known = registered(connection, pilot)
    if not window.intersection(known.window).seconds:
        raise PermanentError(
            f"The outage {told(window)} lies outside of pilot {pilot}, which runs {told(known.window)}: give a time within."
        )
    if window.end > datetime.now(UTC):
        raise PermanentError(f"The outage {told(window)} is not over yet: an outage is agreed on when it is over.")
    with connection.transaction():
        row = connection.execute(_SQL["pilot"], {"pilot": pilot}).fetchone()
        assert row is not None
        ids = slot_ids(connection, pilot, slots)
        at = horizon.receive(connection)
        there = outages(connection, pilot, window=window)
        places = tuple(dict.fromkeys(slots)) or None
        overlapping = tuple(one for one in there if _share_a_slot(one.slots, places))
        for one in overlapping:
            if (one.slots, one.window, one.cause) == (places, window, cause):
                raise PermanentError(f"Outage {one.outage_id} says this already: {described(one)}.")
        added = connection.execute(
            _SQL["add_outage"],
            {
                "pilot_id": row["pilot_id"],
                "slot_ids": None if places is None else [ids[name] for name in places],
                "start": window.start,
                "end": window.end,
                "cause": cause,
                "charged_to": CAUSES[cause].charged_to,
                "agreed_by": agreed_by,
                "note": note,
                "at": at,
                "who": who,
            },
        ).fetchone()
        assert added is not None
        outage = Outage(
            outage_id=added["outage_id"],
            pilot=pilot,
            slots=places,
            window=window,
            cause=cause,
            charged_to=CAUSES[cause].charged_to,
            agreed_by=agreed_by,
            note=note,
            recorded_at=at,
            recorded_by=who,
        )
        record(
            connection,
            who=who,
            what="outage.add",
            pilot=pilot,
            object=f"outage {outage.outage_id}",
            after=outage,
        )
    return Added(outage=outage, overlapping=overlapping, platform_s=_recorded_s(connection, pilot, window))


def outages(
    connection: Connection,
    pilot: str,
    *,
    window: Window | None = None,
    as_of: datetime | None = None,
    withdrawn_too: bool = False,
) -> list[Outage]:
    """The agreed outages of a pilot, in the order of time.

    :param window: only those that touch it.
    :param as_of: as they were known then; now if left out.
    """
    asked = listed(pilot, window, as_of, withdrawn_too=withdrawn_too)
    return [_outage(row) for row in connection.execute(_SQL["outages"], asked)]


def withdraw_outage(connection: Connection, outage_id: int, *, why: str, who: str) -> Outage:
    """Let an outage count no more from now on. What was judged by it stays as it was.

    :raises NotFound: there is none of that number.
    :raises PermanentError: it was withdrawn before.
    """
    return withdraw(connection, "outage", outage_id, _outage, why=why, who=who)


def agreed_for(found: Sequence[Outage], slot: str, charged_to: ChargedTo) -> Stretches:
    """When a slot was down by what was agreed."""
    return of_windows(one.window for one in found if one.charged_to == charged_to and one.of(slot))


def described(one: Outage) -> str:
    """An outage in a few words, for messages."""
    where = "all slots" if one.slots is None else ", ".join(one.slots)
    return f"{told(one.window)}, {where}, {one.cause}, agreed by {one.agreed_by}"


def _share_a_slot(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> bool:
    return one is None or other is None or bool(set(one) & set(other))


def _recorded_s(connection: Connection, pilot: str, window: Window) -> float:
    since = platform_known(connection, pilot)
    if since is None:
        return 0.0
    asked = of_windows([window])
    known = intersection(asked, of_windows([Window(start=min(since, window.end), end=window.end)]))
    alive = of_windows(platform_alive(connection, pilot, window))
    return total_us(difference(known, alive) if known else NOTHING) / 1e6


def _outage(row: Mapping[str, Any]) -> Outage:
    given = {key: row[key] for key in Outage.__dataclass_fields__ if key not in ("window", "slots")}
    return Outage(
        window=Window(start=row["start_at"], end=row["end_at"]),
        slots=None if row["slots"] is None else tuple(row["slots"]),
        **given,
    )

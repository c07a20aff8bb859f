"""Intervals left out of judgement (평가 제외 구간): for causes that nobody answers for, agreed beforehand as a closed list.

An exclusion is of a whole slot and all KPIs, asked within five working days of its cause, agreed by the site and the programme
team, and all of a slot's together are at most 2 % of the window that is judged: dropping the worst days after the fact would
lift a product exactly at its target from 7 to 48 % *met*. Both numbers are shown, and a verdict that an exclusion turns goes to
the committee.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from core.audit import record
from core.database import Connection
from core.errors import PermanentError
from core.sql import load
from core.window import Window, date_window
from devices.plan.model import Plan
from devices.registry.queries import plan_of
from kpi.records.shared import require_text, slot_ids, span, told, withdraw
from kpi.stretches import Stretches, of_windows
from telemetry import horizon

_SQL = load("kpi.records", "records.sql")

ASKED_WITHIN_DAYS: Final = 5
"""Working days from the day on which the cause began."""
MOST_SHARE: Final = 0.02
"""Of the window that is judged, for one slot."""

REASONS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "construction": ("현장 공사", "works at the place"),
    "closure": ("시설 휴관·운행 중단", "closure of the facility"),
    "no-access": ("출입 통제", "no access to the place"),
    "event": ("행사·집회", "an event or assembly at the place"),
    "disaster": ("재난·기상특보", "a disaster or severe weather"),
    "damage": ("제3자에 의한 파손·도난", "damage or theft by others"),
})  # fmt: skip
"""Code → Korean, English: the closed list in force where the plan has none of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the plan allows."""

    reasons: tuple[str, ...]
    holidays: frozenset[date]
    """Days that are no working days though they are no weekend. Empty: the plan lists none, only weekends are known."""


def rules_of(plan: Plan) -> Rules:
    """The reasons and holidays of a plan's ``exclusions:``; without it the list above, and no holidays."""
    given: Any = getattr(plan, "exclusions", None)
    if given is None:
        return Rules(reasons=tuple(REASONS), holidays=frozenset())
    return Rules(
        reasons=tuple(getattr(given, "reasons", None) or REASONS),
        holidays=frozenset(getattr(given, "holidays", None) or ()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """One agreed exclusion, with who recorded it when."""

    exclusion_id: int
    pilot: str
    slot: str
    window: Window
    reason: str
    asked_on: date
    asked_by: str
    agreed_site: str
    agreed_team: str
    note: str
    recorded_at: datetime
    recorded_by: str
    superseded_at: datetime | None = None
    superseded_by: str | None = None
    superseded_why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """An exclusion in one judgement."""

    exclusion: Exclusion
    counts: bool
    """False: with it the slot's exclusions would be more than 2 % of the window."""


def last_day_to_ask(cause: date, holidays: Collection[date] = ()) -> date:
    """The fifth working day after the day on which a cause began.

    >>> last_day_to_ask(date(2026, 5, 8)), last_day_to_ask(date(2026, 5, 8), [date(2026, 5, 13)])  # a Friday
    (datetime.date(2026, 5, 15), datetime.date(2026, 5, 18))
    """
    day, left = cause, ASKED_WITHIN_DAYS
    while left:
        day += timedelta(days=1)
        if day.weekday() < 5 and day not in holidays:
            left -= 1
    return day


def applied(found: Sequence[Exclusion], whole: Window, judged: Window) -> list[Applied]:
    """Which exclusions count, each slot's in the order in which they were recorded.

    :param whole: the window whose data are judged.
    :param judged: the window of the verdict, 2 % of which a slot's exclusions may take.
    """
    left = {one.slot: MOST_SHARE * judged.seconds for one in found}
    answers = []
    for one in sorted(found, key=lambda e: (e.recorded_at, e.exclusion_id)):
        seconds = one.window.intersection(whole).seconds
        counts = seconds <= left[one.slot]
        if counts:
            left[one.slot] -= seconds
        answers.append(Applied(exclusion=one, counts=counts))
    return answers


def excluded(found: Sequence[Applied], slot: str) -> Stretches:
    """The stretches of a slot that are left out."""
    return of_windows(one.exclusion.window for one in found if one.counts and one.exclusion.slot == slot)


def add_exclusion(
    connection: Connection,
    pilot: str,
    *,
    slot: str,
    start: datetime,
    end: datetime,
    reason: str,
    asked_on: date,
    asked_by: str,
    agreed_site: str,
    agreed_team: str,
    note: str,
    who: str,
    today: date | None = None,
) -> Exclusion:
    """Record an exclusion that was agreed.

    :param asked_on: the day on which it was asked for.
    :param today: in the pilot's zone; the clock's if left out.
    :raises NotFound: no such pilot or slot.
    :raises PermanentError: a rule does not allow it; the message says which.
    """
    plan, version, _ = plan_of(connection, pilot)
    rules = rules_of(plan)
    if reason not in rules.reasons:
        raise PermanentError(
            f"{reason!r} is no reason for an exclusion of pilot {pilot} (plan {version}); its closed list is:"
            f" {', '.join(rules.reasons)}."
        )
    window = span(start, end)
    for what, text in (
        ("asked_by", asked_by),
        ("agreed_site", agreed_site),
        ("agreed_team", agreed_team),
        ("note", note),
    ):
        require_text(what, text)
    judged = date_window(plan.period.start, plan.evaluation.data_until, plan.zone)
    if window.intersection(judged) != window:
        raise PermanentError(
            f"The exclusion {told(window)} does not lie within what is judged of pilot {pilot}: {told(judged)}."
        )
    _require_asked_in_time(plan, rules, window, asked_on, today or datetime.now(plan.zone).date())
    with connection.transaction():
        row = connection.execute(_SQL["pilot"], {"pilot": pilot}).fetchone()
        assert row is not None
        ids = slot_ids(connection, pilot, [slot])
        at = horizon.receive(connection)
        _require_room(slot, window, judged, [one for one in exclusions(connection, pilot) if one.slot == slot])
        given: dict[str, Any] = {
            "reason": reason, "asked_on": asked_on, "asked_by": asked_by, "agreed_site": agreed_site,
            "agreed_team": agreed_team, "note": note,
        }  # fmt: skip
        where = {"pilot_id": row["pilot_id"], "slot_id": ids[slot], "start": window.start, "end": window.end}
        added = connection.execute(_SQL["add_exclusion"], {**given, **where, "at": at, "who": who}).fetchone()
        assert added is not None
        exclusion = Exclusion(
            exclusion_id=added["exclusion_id"],
            pilot=pilot,
            slot=slot,
            window=window,
            recorded_at=at,
            recorded_by=who,
            **given,
        )
        record(
            connection,
            who=who,
            what="exclusion.add",
            pilot=pilot,
            object=f"exclusion {exclusion.exclusion_id}",
            after=exclusion,
        )
    return exclusion


def exclusions(
    connection: Connection,
    pilot: str,
    *,
    window: Window | None = None,
    as_of: datetime | None = None,
    withdrawn_too: bool = False,
) -> list[Exclusion]:
    """The exclusions of a pilot, in the order in which they were recorded.

    :param window: only those that touch it.
    :param as_of: as they were known then; now if left out.
    """
    asked = {
        "pilot": pilot, "start": None if window is None else window.start, "end": None if window is None else window.end,
        "as_of": as_of, "withdrawn_too": withdrawn_too,
    }  # fmt: skip
    return [_exclusion(row) for row in connection.execute(_SQL["exclusions"], asked)]


def withdraw_exclusion(connection: Connection, exclusion_id: int, *, why: str, who: str) -> Exclusion:
    """Let an exclusion count no more from now on. What was judged by it stays as it was.

    :raises NotFound: there is none of that number.
    :raises PermanentError: it was withdrawn before.
    """
    return withdraw(connection, "exclusion", exclusion_id, _exclusion, why=why, who=who)


def _require_asked_in_time(plan: Plan, rules: Rules, window: Window, asked_on: date, today: date) -> None:
    if asked_on > today:
        raise PermanentError(f"It cannot have been asked for on {asked_on}: today is {today}.")
    cause = window.start.astimezone(plan.zone).date()
    last = last_day_to_ask(cause, rules.holidays)
    if asked_on > last:
        known = (
            "the plan's holidays are left out"
            if rules.holidays
            else "weekends are left out; the plan lists no holidays, so none is"
        )
        raise PermanentError(
            f"It was asked for on {asked_on}, but an exclusion is asked for within {ASKED_WITHIN_DAYS} working days of its"
            f" cause: for one of {cause} by {last} ({known})."
        )


def _require_room(slot: str, window: Window, judged: Window, there: Sequence[Exclusion]) -> None:
    for one in there:
        if one.window.intersection(window).seconds:
            raise PermanentError(
                f"Exclusion {one.exclusion_id} of {slot} covers a part of it already ({told(one.window)}): withdraw that one,"
                " or give the rest."
            )
    used_s = sum(one.window.seconds for one in there)
    most_s = MOST_SHARE * judged.seconds
    if used_s + window.seconds > most_s:
        raise PermanentError(
            f"With it {(used_s + window.seconds) / 3600:.1f} h of {slot} would be left out, {used_s / 3600:.1f} h are already:"
            f" at most {100 * MOST_SHARE:g} % of what is judged may be, that is {most_s / 3600:.1f} h."
        )


def _exclusion(row: Mapping[str, Any]) -> Exclusion:
    given = {key: row[key] for key in Exclusion.__dataclass_fields__ if key != "window"}
    return Exclusion(window=Window(start=row["start_at"], end=row["end_at"]), **given)

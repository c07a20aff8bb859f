"""Intervals left out of judgement (평가 제외 구간): for causes that nobody answers for, agreed beforehand as a closed list.

An exclusion is of a whole slot and all KPIs, asked within five working days of its cause, agreed by the site and the programme
team, and all of a slot's together are at most 2 % of the window that is judged: dropping the worst days after the fact would
lift a product exactly at its target from 7 to 48 % *met*. The plan may say another list, deadline and share. Both numbers are
shown, and a verdict that an exclusion turns goes to the committee.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from core.audit import record
from core.database import Connection
from core.language import duration_text, window_text
from core.sql import load
from core.window import Window, date_window
from devices.plan.model import Exclusions, Plan
from devices.registry.queries import plan_of
from kpi.records.documents import Document, Paper, keep
from kpi.records.refusal import Refused
from kpi.records.shared import listed, require_text, slot_ids, span, told, withdraw
from kpi.stretches import Stretches, of_windows
from telemetry import horizon

_SQL = load("kpi.records", "records.sql")

REASONS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "construction": ("현장 공사", "works at the place"),
    "closure": ("시설 휴관·운행 중단", "closure of the facility"),
    "no-access": ("출입 통제", "no access to the place"),
    "event": ("행사·집회", "an event or assembly at the place"),
    "disaster": ("재난·기상특보", "a disaster or severe weather"),
    "damage": ("제3자에 의한 파손·도난", "damage or theft by others"),
})  # fmt: skip
"""Code → Korean, English: the closed list in force where the plan has none of its own."""
USUAL: Final = Exclusions()
"""What holds where the plan says nothing: five working days, 2 %."""

_BEYOND: Final = timedelta(days=92)
"""How far beyond the period a deadline may lie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the plan allows."""

    reasons: Mapping[str, tuple[str, str]]
    """Code → Korean, English; a plan's own list has one text for both."""
    ask_within_days: int
    """Working days after the day on which the cause began."""
    most_share: float
    """Of the window that is judged, for one slot; 0 to 1."""
    holidays: frozenset[date]
    """Days that are no working days though they are no weekend. Empty: the plan lists none, only weekends are known."""


def rules_of(plan: Plan) -> Rules:
    """The rules of a plan's ``exclusions:``; where it has no list of reasons, the one above."""
    given = plan.exclusions
    own = None if given.reasons is None else {code: (text, text) for code, text in given.reasons.items()}
    return Rules(
        reasons=own or REASONS,
        ask_within_days=given.ask_within,
        most_share=given.most / 100,
        holidays=given.holidays_between(plan.period.start, plan.period.end + _BEYOND),
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
    sha256: str | None = None
    """Of the signed paper, where it was agreed on paper and that was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """An exclusion in one judgement."""

    exclusion: Exclusion
    counts: bool
    """False: with it the slot's exclusions would be more than the plan allows of the window."""


def last_day_to_ask(cause: date, holidays: Collection[date] = (), *, within: int = USUAL.ask_within) -> date:
    """The last working day to ask for an exclusion: the fifth after the day on which its cause began.

    >>> last_day_to_ask(date(2026, 5, 8)), last_day_to_ask(date(2026, 5, 8), [date(2026, 5, 13)])  # a Friday
    (datetime.date(2026, 5, 15), datetime.date(2026, 5, 18))
    """
    day, left = cause, within
    while left:
        day += timedelta(days=1)
        if day.weekday() < 5 and day not in holidays:
            left -= 1
    return day


def applied(
    found: Sequence[Exclusion], whole: Window, judged: Window, *, most_share: float = USUAL.most / 100
) -> list[Applied]:
    """Which exclusions count, each slot's in the order in which they were recorded.

    :param whole: the window whose data are judged.
    :param judged: the window of the verdict, of which a slot's exclusions may take no more than ``most_share``.
    """
    left = {one.slot: most_share * judged.seconds for one in found}
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
    paper: Paper | None = None,
) -> Exclusion:
    """Record an exclusion that was agreed on paper. What is asked for on the pages is agreed there: :mod:`kpi.records.consent`.

    :param asked_on: the day on which it was asked for.
    :param today: in the pilot's zone; the clock's if left out.
    :param paper: what the parties signed.
    :raises NotFound: no such pilot or slot.
    :raises PermanentError: a rule does not allow it; the message says which.
    """
    plan, version, _ = plan_of(connection, pilot)
    for what, text in (("asked_by", asked_by), ("agreed_site", agreed_site), ("agreed_team", agreed_team)):
        require_text(what, text)
    asked = Asked(slot=slot, window=span(start, end), reason=reason, asked_on=asked_on, note=note)
    judged = require_allowed(plan, version, asked, today or datetime.now(plan.zone).date())
    with connection.transaction():
        row = connection.execute(_SQL["pilot"], {"pilot": pilot}).fetchone()
        assert row is not None
        ids = slot_ids(connection, pilot, [slot])
        at = horizon.receive(connection)
        kept = None if paper is None else keep(connection, pilot, row["pilot_id"], paper, at=at, who=who)
        require_room(connection, plan, asked, judged)
        return insert(
            connection, asked, pilot=pilot, pilot_id=row["pilot_id"], slot_id=ids[slot], asked_by=asked_by,
            agreed_site=agreed_site, agreed_team=agreed_team, at=at, who=who, paper=kept,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be left out, and why."""

    slot: str
    window: Window
    reason: str
    asked_on: date
    note: str


def require_allowed(plan: Plan, version: int, asked: Asked, today: date) -> Window:
    """Refuse what the plan's rules do not allow, whatever else there is.

    :param today: in the pilot's zone.
    :returns: the window that is judged.
    :raises PermanentError: the message says which rule.
    """
    rules, window = rules_of(plan), asked.window
    if asked.reason not in rules.reasons:
        raise Refused(
            f"{asked.reason!r} is no reason for an exclusion of pilot {plan.pilot} (plan {version}); its closed list is:"
            f" {', '.join(rules.reasons)}.",
            "계획에 정한 평가 제외 사유가 아닙니다: 목록에서 골라 주십시오.",
        )
    require_text("note", asked.note)
    judged = date_window(plan.period.start, plan.evaluation.data_until, plan.zone)
    if window.intersection(judged) != window:
        raise Refused(
            f"The exclusion {told(window)} does not lie within what is judged of pilot {plan.pilot}: {told(judged)}.",
            f"판정하는 기간({window_text(judged, plan.zone, 'ko')}) 안의 시간이 아닙니다.",
        )
    _require_asked_in_time(plan, rules, window, asked.asked_on, today)
    return judged


def require_room(connection: Connection, plan: Plan, asked: Asked, judged: Window) -> None:
    """Refuse what overlaps another exclusion of the slot, or would leave out more of it than the plan allows.

    :raises PermanentError: it does.
    """
    there = [one for one in exclusions(connection, plan.pilot) if one.slot == asked.slot]
    _require_room(rules_of(plan), asked.slot, asked.window, judged, there)


def insert(
    connection: Connection,
    asked: Asked,
    *,
    pilot: str,
    pilot_id: int,
    slot_id: int,
    asked_by: str,
    agreed_site: str,
    agreed_team: str,
    at: datetime,
    who: str,
    paper: Document | None = None,
) -> Exclusion:
    """Write an exclusion that everybody agreed to, in the transaction of the last consent; it counts from ``at`` on."""
    given: dict[str, Any] = {
        "reason": asked.reason, "asked_on": asked.asked_on, "asked_by": asked_by, "agreed_site": agreed_site,
        "agreed_team": agreed_team, "note": asked.note,
    }  # fmt: skip
    where = {"pilot_id": pilot_id, "slot_id": slot_id, "start": asked.window.start, "end": asked.window.end}
    kept = {"document_id": None if paper is None else paper.document_id}
    added = connection.execute(_SQL["add_exclusion"], {**given, **where, **kept, "at": at, "who": who}).fetchone()
    assert added is not None
    exclusion = Exclusion(
        exclusion_id=added["exclusion_id"],
        pilot=pilot,
        slot=asked.slot,
        window=asked.window,
        recorded_at=at,
        recorded_by=who,
        sha256=None if paper is None else paper.sha256,
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
    asked = listed(pilot, window, as_of, withdrawn_too=withdrawn_too)
    return [_exclusion(row) for row in connection.execute(_SQL["exclusions"], asked)]


def withdraw_exclusion(connection: Connection, exclusion_id: int, *, why: str, who: str) -> Exclusion:
    """Let an exclusion count no more from now on. What was judged by it stays as it was.

    :raises NotFound: there is none of that number.
    :raises PermanentError: it was withdrawn before.
    """
    return withdraw(connection, "exclusion", exclusion_id, _exclusion, why=why, who=who)


def _require_asked_in_time(plan: Plan, rules: Rules, window: Window, asked_on: date, today: date) -> None:
    if asked_on > today:
        raise Refused(
            f"It cannot have been asked for on {asked_on}: today is {today}.",
            f"요청한 날({asked_on})이 오늘({today})보다 뒤입니다.",
        )
    cause = window.start.astimezone(plan.zone).date()
    last = last_day_to_ask(cause, rules.holidays, within=rules.ask_within_days)
    if asked_on > last:
        known = (
            "the plan's holidays are left out"
            if rules.holidays
            else "weekends are left out; the plan lists no holidays, so none is"
        )
        raise Refused(
            f"It was asked for on {asked_on}, but an exclusion is asked for within {rules.ask_within_days} working days of its"
            f" cause: for one of {cause} by {last} ({known}).",
            f"요청 기한이 지났습니다: 사유가 생긴 날({cause})부터 {rules.ask_within_days}근무일 안, 곧 {last}까지 요청할 수"
            " 있습니다.",
        )


def _require_room(rules: Rules, slot: str, window: Window, judged: Window, there: Sequence[Exclusion]) -> None:
    for one in there:
        if one.window.intersection(window).seconds:
            raise Refused(
                f"Exclusion {one.exclusion_id} of {slot} covers a part of it already ({told(one.window)}): withdraw that one,"
                " or give the rest.",
                f"평가 제외 {one.exclusion_id}호와 시간이 겹칩니다: 나머지 시간만 요청해 주십시오.",
            )
    used_s = sum(one.window.seconds for one in there)
    most_s = rules.most_share * judged.seconds
    if used_s + window.seconds > most_s:
        raise Refused(
            f"With it {(used_s + window.seconds) / 3600:.1f} h of {slot} would be left out, {used_s / 3600:.1f} h are already:"
            f" at most {100 * rules.most_share:g} % of what is judged may be, that is {most_s / 3600:.1f} h.",
            f"한도를 넘습니다: 이 지점에서 이미 {duration_text(used_s, 'ko')}을 뺐고 이번은"
            f" {duration_text(window.seconds, 'ko')}인데, 판정 기간의 {100 * rules.most_share:g} %인"
            f" {duration_text(most_s, 'ko')}까지만 뺄 수 있습니다.",
        )


def _exclusion(row: Mapping[str, Any]) -> Exclusion:
    given = {key: row[key] for key in Exclusion.__dataclass_fields__ if key != "window"}
    return Exclusion(window=Window(start=row["start_at"], end=row["end_at"]), **given)

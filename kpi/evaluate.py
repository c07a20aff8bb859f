"""Evaluating a pilot: the status of a month, or the verdicts of an evaluation date, by what was received up to ``as_of``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from core.canonical import canonical_json, plain, sha256
from core.database import Connection
from core.errors import PermanentError
from core.version import VERSION
from core.window import MICROSECOND, Window, date_window, midnight, month_window, months, next_month
from devices.plan.model import Plan
from devices.plan.predicate import slots_read
from devices.registry.queries import devices, plan_of
from devices.registry.work import await_registry
from kpi.entered import entered_of
from kpi.inputs.reader import Reader
from kpi.judging import Judging
from kpi.kept import require_readings
from kpi.overall import overall_of
from kpi.records.exclusions import Applied, Exclusion, Rules, applied, exclusions, rules_of
from kpi.records.outages import Outage, outages
from kpi.referenced import referenced
from kpi.remarks import remarked
from kpi.revisions import Revisions, computed_from, revisions_of
from kpi.segments import segmented, segments_of
from kpi.spans import spans
from kpi.stretches import intersection, of_windows, total_us
from kpi.targets import targets_of
from kpi.without import figures, turned
from telemetry.horizon import close_past
from telemetry.windows import snapshot

ALPHA = 0.05
"""Error of all looks at a pilot's data together: with k evaluation dates each is made at 5 %/k."""

FINAL_FROM_DAY = 10
"""A window's result is provisional until this day of the month after it."""

Kind = Literal["month", "date", "final"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One evaluation. ``document`` is what is stored, hashed, shown and printed; its numbers are unrounded."""

    pilot: str
    kind: Kind
    label: str
    """``2026-05`` of a month, the calendar day of an evaluation."""
    plan_version: int
    as_of: datetime
    code_version: str
    document: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """Of the content: the canonical JSON without ``as_of``, so that the same result later is the same."""
        return sha256(canonical_json({key: value for key, value in self.document.items() if key != "as_of"}))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """Which window is asked about."""

    kind: Kind
    label: str
    whole: Window
    month: Window | None

    @property
    def window(self) -> Window:
        return self.whole if self.month is None else self.month


def evaluate(
    connection: Connection,
    pilot: str,
    *,
    month: str | None = None,
    at: date | None = None,
    final: bool = False,
    as_of: datetime | None = None,
) -> Result:
    """Judge a pilot against its plan.

    :param month: ``YYYY-MM``: its status, with this month's and the cumulative values. A running month is judged up to
        ``as_of``.
    :param at: an evaluation date of the plan: the verdicts on the period up to, not including, that day.
    :param final: the verdicts on all data, up to the plan's ``data_until``.
    :param as_of: what was received up to then, and by the plan in force then; now if left out. The same ``as_of`` gives the
        same bytes, whenever it is asked.
    :raises NotFound: no such pilot, or no plan of it by ``as_of``.
    :raises PermanentError: the window is not one of the plan's, or is not over.
    :raises ReadingsDeleted: retention has deleted the pilot's readings, whatever ``as_of`` is asked for.
    """
    if (month is not None) + (at is not None) + final != 1:
        raise PermanentError("An evaluation is of one month, of one evaluation date, or final: give one of the three.")
    closed = close_past(connection)
    await_registry(connection)
    require_readings(connection, pilot)
    as_of = closed if as_of is None else _past(as_of, closed)
    plan, plan_version, plan_sha256 = plan_of(connection, pilot, as_of=as_of)
    if month is not None:
        question = _month(plan, month, as_of)
    else:
        question = _date(plan, plan.evaluation.data_until if final or at is None else at, as_of)
    running = _running(plan, question)
    code_version = f"pilotbed {VERSION}"
    document: dict[str, Any] = {
        "pilot": pilot,
        "title": plan.title,
        "simulated": plan.simulated,
        "kind": question.kind,
        "label": question.label,
        "plan": {"version": plan_version, "sha256": plan_sha256},
        "code_version": code_version,
        "zone": plan.period.timezone,
        "window": {"start": question.whole.start, "end": question.whole.end},
        "month": None if question.month is None else {"start": question.month.start, "end": question.month.end},
        "as_of": as_of,
        "running": running,
        "provisional": running or as_of < _final_from(question.window, plan.zone),
        "looks": len(looks(plan)),
        "alpha": ALPHA / len(looks(plan)),
    }
    with snapshot(connection):
        agreed = _agreed(connection, plan, question, as_of)
        document |= agreed.plain()
        document["channels"] = revisions_of(connection, plan, question.whole, as_of)
        document["kpis"] = _kpis(connection, plan, question, as_of, agreed, document["channels"])
        if plan.manual:
            document["manual"] = entered_of(connection, plan, question.whole, as_of)
        if question.month is None:
            document["overall"] = overall_of(plan.overall, document["kpis"])
    require_readings(connection, pilot)  # nothing was deleted while they were read
    return Result(
        pilot=pilot,
        kind=question.kind,
        label=question.label,
        plan_version=plan_version,
        as_of=as_of,
        code_version=code_version,
        document=plain(document),
    )


def looks(plan: Plan) -> tuple[date, ...]:
    """The days at which verdicts are given: the interim dates, then the end of the data."""
    return (*plan.evaluation.interim, plan.evaluation.data_until)


def _past(as_of: datetime, closed: datetime) -> datetime:
    if as_of.tzinfo is None:
        raise PermanentError(f"as_of {as_of.isoformat()} has no zone: write one, as in 2026-05-01T09:00+09:00.")
    if as_of > closed:
        raise PermanentError(
            f"as_of {as_of.isoformat()} lies in the future: what will be received by then is not known at"
            f" {closed.isoformat()}. Give an earlier one, or none."
        )
    return as_of.astimezone(UTC)


def _month(plan: Plan, month: str, as_of: datetime) -> _Question:
    known = list(months(plan.period.start, plan.period.end))
    if month not in known:
        raise PermanentError(f"{month!r} is no month of pilot {plan.pilot}: it runs from {known[0]} to {known[-1]}.")
    window = month_window(month, plan.zone).intersection(plan.window)
    if as_of <= window.start:
        raise PermanentError(
            f"{month} of pilot {plan.pilot} had not begun at {as_of.isoformat()}: it begins at {window.start.isoformat()}."
        )
    seen = Window(start=window.start, end=min(window.end, as_of))
    return _Question(kind="month", label=month, whole=Window(start=plan.window.start, end=seen.end), month=seen)


def _date(plan: Plan, day: date, as_of: datetime) -> _Question:
    allowed = looks(plan)
    if day not in allowed:
        raise PermanentError(
            f"{day} is no evaluation date of pilot {plan.pilot}: its plan gives verdicts at"
            f" {', '.join(map(str, allowed))} only. A month is looked at with --month."
        )
    whole = date_window(plan.period.start, day, plan.zone)
    if as_of < whole.end:
        raise PermanentError(
            f"The evaluation of pilot {plan.pilot} at {day} covers the time up to {whole.end.isoformat()}, which was not over"
            f" at {as_of.isoformat()}. Until then its months show a status."
        )
    kind: Kind = "final" if day == plan.evaluation.data_until else "date"
    return _Question(kind=kind, label=day.isoformat(), whole=whole, month=None)


def _running(plan: Plan, question: _Question) -> bool:
    """Whether the month was not over yet."""
    if question.month is None:
        return False
    return question.month.end < month_window(question.label, plan.zone).intersection(plan.window).end


def _final_from(window: Window, zone: ZoneInfo) -> datetime:
    last = (window.end - MICROSECOND).astimezone(zone).date()
    return midnight(next_month(last).replace(day=FINAL_FROM_DAY), zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Agreed:
    """What people agreed about the judged window, as it was known at ``as_of``."""

    outages: tuple[Outage, ...]
    exclusions: tuple[Applied, ...]
    rules: Rules
    """Of exclusions, by the plan."""

    def plain(self) -> dict[str, Any]:
        return {
            "outages": [_without_withdrawal(one) for one in self.outages],
            "exclusions": [
                {
                    **_without_withdrawal(one.exclusion),
                    "counts": one.counts,
                    "reason_text": self._reason(one.exclusion.reason),
                }
                for one in self.exclusions
            ],
            "most_excluded": self.rules.most_share,
        }

    def _reason(self, code: str) -> dict[str, str]:
        """The text of the closed list; the code where the list has lost it by amendment."""
        return dict(zip(("ko", "en"), self.rules.reasons.get(code, (code, code)), strict=True))


def _without_withdrawal(one: Outage | Exclusion) -> dict[str, Any]:
    """A record as it counts here: that it may be withdrawn later is another result's concern."""
    found = {key: value for key, value in plain(one).items() if not key.startswith("superseded")}
    if found.get("sha256", "") is None:  # of an exclusion without a signed paper
        del found["sha256"]
    return found


def _agreed(connection: Connection, plan: Plan, question: _Question, as_of: datetime) -> _Agreed:
    rules = rules_of(plan)
    found = exclusions(connection, plan.pilot, window=question.whole, as_of=as_of)
    verdict_on = question.whole
    if question.month is not None:
        verdict_on = date_window(plan.period.start, plan.evaluation.data_until, plan.zone)
    return _Agreed(
        outages=tuple(outages(connection, plan.pilot, window=question.whole, as_of=as_of)),
        exclusions=tuple(applied(found, question.whole, verdict_on, most_share=rules.most_share)),
        rules=rules,
    )


def _kpis(
    connection: Connection,
    plan: Plan,
    question: _Question,
    as_of: datetime,
    agreed: _Agreed,
    channels: Sequence[Revisions],
) -> list[dict[str, Any]]:
    cut = spans(question.whole, question.month, plan.zone)
    reader = Reader(connection, plan.pilot, question.whole, as_of, agreed=agreed.outages, exclusions=agreed.exclusions)
    judging = Judging(reader, plan, cut, ALPHA / len(looks(plan)))
    others = {
        "outages": judging.by(reader.otherwise(agreed=())),
        "exclusions": judging.by(reader.otherwise(exclusions=())),
        "conditions": judging.by(reader.otherwise(heeds_conditions=False)),
        "findings": judging.by(reader.otherwise(heeds_findings=False)),
    }
    rows = devices(connection, plan.pilot, as_of)
    segments = {slot: segments_of(rows, slot, question.whole) for slot in plan.slots}
    targets = targets_of(connection, plan.pilot, as_of)
    entries = []
    for name, kpi in plan.kpis.items():
        slots = slots_read(plan, kpi)
        entry = judging.entry(name, kpi)
        concerned = {
            "outages": any(one.of(slot) for one in agreed.outages for slot in slots),
            "exclusions": any(one.counts and one.exclusion.slot in slots for one in agreed.exclusions),
            "conditions": entry.get("conditions_s", 0) > 0,
            "findings": entry.get("left_out", {}).get("readings", 0) > 0,
        }
        without = {what: figures(others[what].entry(name, kpi)) for what, there in concerned.items() if there}
        excluded_s = sum(total_us(intersection(reader.excluded(slot), of_windows([cut.whole]))) for slot in slots) / 1e6
        if "exclusions" in without and "verdict" in entry:
            asked = [judging.asked(name, part) for part in kpi.parts]
            entry = turned(asked, entry, without["exclusions"], excluded_s)
        entry["without"] = without
        entry["excluded_s"] = excluded_s
        entry["targets"] = targets.get(name, [])
        entry |= segmented(judging, name, kpi, segments)
        entry |= referenced(plan, kpi, segments, cut.whole)
        entries.append(remarked(entry, computed_from(plan, kpi, channels)))
    return entries

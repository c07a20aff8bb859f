"""One KPI judged: from its parts to a decision. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from devices.plan.instrument import Instrument
from devices.plan.measures import Forecast, Share
from kpi.asked import Asked
from kpi.decision import Decision, Ends, Evidence, Guard, Terms, Verdict, status, verdict, worst
from kpi.evidence import evidence_of
from kpi.gathered import Gathered
from kpi.guard import MovedLimits, guard_of
from kpi.intervals import Interval
from kpi.measurement import Measurement
from kpi.quantity import converted
from kpi.sampling import sampling_interval, share_form_interval

__all__ = ["Asked", "Case", "banded", "judged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One group of slots that is decided on its own: all together, or each for ``worst``."""

    slot: str | None
    found: Measurement
    month: Measurement | None
    quarters: tuple[float | None, ...]
    interval: Interval | None
    decision: Decision
    evidence: Evidence
    terms: Terms
    share_interval: Interval | None
    """Of a percentile's share form, 0 to 1."""
    instrument: Instrument | None
    """None where no instrument has a part in the value."""
    guard: Guard | None
    """How far it may have moved the value, in the unit of the target; None where that is not known."""


def judged(
    asked: Asked, gathered: Gathered[Any], moved: Mapping[str | None, MovedLimits[Any]] = MappingProxyType({})
) -> Case:
    """Decide about all slots together, or about the worst of them.

    :param moved: of a guarded share of time, what it is with its limits moved: of all slots under None, or of each where the
        worst decides.
    """
    names = list(dict.fromkeys(gathered.slots))
    if asked.kpi.group == "worst" and len(names) > 1:
        several = len(names) * asked.promises
        cases = []
        for name in names:
            cases.append(_case(asked, gathered.of_slot(name), moved.get(name), slot=name, several=several))
        return cases[_chosen(asked, cases)]
    return _case(asked, gathered, moved.get(None), slot=None, several=asked.promises)


def _case(
    asked: Asked, gathered: Gathered[Any], moved: MovedLimits[Any] | None, *, slot: str | None, several: int
) -> Case:
    slots = gathered.slots
    found = asked.found(slots, gathered.whole, gathered.weeks)
    quarters = tuple(asked.found(slots, parts).completeness for parts in gathered.quarters)
    month = None if gathered.month is None else asked.found(slots, gathered.month)
    instrument, guard = _guard(asked, gathered, found, moved)
    moved_share = _share_guard(asked, gathered, found, guard)
    evidence, terms = evidence_of(asked, found, quarters, several=several, guard=guard, share_guard=moved_share)
    share = None if month is None else month.completeness
    decision = verdict(evidence, terms) if month is None else status(evidence, terms, month_completeness=share)
    interval = sampling_interval(found, asked.alpha, window_s=asked.spans.whole.seconds)
    if isinstance(asked.kpi.measure.of, Forecast) and month is None:
        decision = _reported(asked, found, interval, decision)
    return Case(
        slot=slot,
        found=found,
        month=month,
        quarters=quarters,
        interval=interval,
        decision=decision,
        evidence=evidence,
        terms=terms,
        share_interval=share_form_interval(found, asked.alpha, window_s=asked.spans.whole.seconds),
        instrument=instrument,
        guard=guard,
    )


def _reported(asked: Asked, found: Measurement, interval: Interval | None, decision: Decision) -> Decision:
    """A forecast is reported and never met, nor missed: what will be has not happened."""
    if found.value is None or decision.answer is Verdict.INSUFFICIENT:
        return decision
    low, high = (found.value, found.value) if interval is None else (interval.low, interval.high)
    ends = Ends(low=asked.shown(low, found), high=asked.shown(high, found))
    return Decision(answer=Verdict.INCONCLUSIVE, reason="forecast", ends=ends)


def _guard(
    asked: Asked, gathered: Gathered[Any], found: Measurement, moved: MovedLimits[Any] | None
) -> tuple[Instrument | None, Guard | None]:
    """The instrument and its band in the unit of the target; the band is None where nothing is known of the instrument."""
    shares = None
    if moved is not None:
        closer = None if moved.closer is None else asked.found(gathered.slots, moved.closer.whole).value
        wider = asked.found(gathered.slots, moved.wider.whole).value
        shares = (closer or 0.0, 100.0 if wider is None else wider)
    return banded(asked, found, asked.instruments_of(gathered.slots), shares)


def banded(
    asked: Asked, found: Measurement, instruments: Sequence[Instrument], shares: tuple[float, float] | None
) -> tuple[Instrument | None, Guard | None]:
    """The instrument that stands for several, and its band in the unit of the target.

    :param shares: of a share of time, in %, with its limits closer together and further apart.
    :returns: the band is None where nothing is known of the instrument; there is no instrument where none has a part in it.
    """
    told = guard_of(asked.kpi, asked.instrument_unit, found, instruments, shares)
    if told is None:
        return None, Guard()
    instrument, guard = told
    if instrument.basis == "unknown" or (shares is None and isinstance(asked.kpi.measure.of, Share)):
        return instrument, None
    ends = (guard.below, guard.above, guard.below_missed, guard.above_missed)
    below, above, below_missed, above_missed = (converted(end, found.unit, asked.unit, difference=True) for end in ends)
    return instrument, Guard(below=below, above=above, below_missed=below_missed, above_missed=above_missed)


def _share_guard(asked: Asked, gathered: Gathered[Any], found: Measurement, guard: Guard | None) -> Guard | None:
    """A percentile's band in its share form: how the shares change that keep a target moved by the uncertainty."""
    if guard is None or found.as_share is None or guard == Guard() or asked.kpi.rule != "guarded":
        return guard
    share = found.as_share.share

    def kept(by: float) -> float:
        form = asked.with_target_moved(by).measured(gathered.whole).as_share
        return share if form is None else form.share

    sign = 1.0 if asked.target.one_sided == "low" else -1.0
    below = max(share - kept(sign * guard.above), 0.0)
    above = max(kept(-sign * guard.above_missed) - share, 0.0)
    return Guard(below=below, above=above, below_missed=below, above_missed=above)


def _chosen(asked: Asked, cases: list[Case]) -> int:
    """The slot that stands for all: by its decision, among equals the one furthest on the wrong side."""
    first = cases[worst([case.decision for case in cases])].decision.answer
    equal = [index for index, case in enumerate(cases) if case.decision.answer == first]
    return min(equal, key=lambda index: _margin(asked, cases[index]))


def _margin(asked: Asked, case: Case) -> float:
    if case.found.value is None:
        return -math.inf
    value = asked.shown(case.found.value, case.found)
    if math.isinf(value):
        return math.inf if value in asked.target else -math.inf
    return min(value - asked.target.low, asked.target.high - value)

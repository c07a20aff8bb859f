"""What is known of one KPI in one window, from its measurement: what a decision compares with the target."""

from __future__ import annotations

import math
from dataclasses import replace

from core.numbers import printed
from devices.plan.target import Bounds
from kpi.asked import Asked
from kpi.decision import Chance, Ends, Evidence, Guard, Terms
from kpi.intervals import Interval
from kpi.measurement import Measurement
from kpi.quantity import converted
from kpi.sampling import lacking, sampling_interval, share_form_interval


def evidence_of(
    asked: Asked,
    found: Measurement,
    quarters: tuple[float | None, ...] = (),
    *,
    several: int = 1,
    guard: Guard | None = None,
    share_guard: Guard | None = None,
) -> tuple[Evidence, Terms]:
    """What is known, in the unit of the target; for a percentile in its share form where that decides.

    :param several: of how many slots and promises it is one: *not met* is then taken at 5 %/several.
    :param guard: in the unit of the target, and ``share_guard`` in that of a percentile's share form, 0 to 1.
    """
    window_s = asked.spans.whole.seconds
    if found.value is None and found.counts is not None and found.counts.per_event:
        return _without_failures(asked, found, quarters), asked.terms
    if found.as_share is not None:
        interval = share_form_interval(found, asked.alpha, window_s=window_s)
        missed = interval
        if several > 1:
            missed = share_form_interval(found, asked.alpha / several, window_s=window_s)
        incomplete = any(one is not None and one < asked.terms.completeness for one in (found.completeness, *quarters))
        if incomplete or (interval is not None and asked.terms.scope == "capability"):
            lack = lacking(found, window_s=window_s)
            return _share_form(asked, found, quarters, interval, missed, lack, share_guard)
    known = found.value is not None and not math.isnan(found.value)
    evidence = Evidence(
        value=asked.shown(found.value, found) if known and found.value is not None else None,
        gaps=gaps_of(asked, found) if known else None,
        filled=ends_of(asked, found, found.fill_low, found.fill_high),
        # What happened has no sampling uncertainty.
        chance=_chance(asked, found, several=several) if asked.kpi.scope == "capability" else None,
        no_chance=lacking(found, window_s=window_s),
        completeness=found.completeness,
        refused=found.refused is not None,
        too_few=found.least_n is not None and found.n < found.least_n,
        quarters=quarters,
        guard=guard,
    )
    return evidence, asked.terms


def bound_without_failures(asked: Asked, found: Measurement) -> Interval | None:
    """What is known of a mean time between failures that never came: its bounds, with what may have been one counted."""
    if found.value is not None or found.counts is None or not found.counts.per_event:
        return None
    careful = replace(found, counts=replace(found.counts, count=found.counts.most))
    bound = sampling_interval(careful, asked.alpha, window_s=asked.spans.whole.seconds)
    return None if bound is None else replace(bound, high=math.inf)


def _without_failures(asked: Asked, found: Measurement, quarters: tuple[float | None, ...]) -> Evidence:
    """There is no estimate then, but the lower bound decides."""
    bound = bound_without_failures(asked, found)
    return Evidence(
        value=None if bound is None else math.inf,
        gaps=None if bound is None else Ends(low=asked.shown(bound.low, found), high=math.inf),
        filled=None,
        chance=Chance(below=0.0, above=0.0, below_missed=0.0, above_missed=0.0),
        completeness=found.completeness,
        quarters=quarters,
        guard=Guard(),
    )


def _share_form(
    asked: Asked,
    found: Measurement,
    quarters: tuple[float | None, ...],
    met: Interval | None,
    missed: Interval | None,
    lack: str,
    guard: Guard | None,
) -> tuple[Evidence, Terms]:
    form = found.as_share
    assert form is not None
    filled = None if form.fill_low is None or form.fill_high is None else Ends(low=form.fill_low, high=form.fill_high)
    chance = None
    if met is not None and missed is not None:
        chance = Chance(
            below=form.share - met.low,
            above=met.high - form.share,
            below_missed=form.share - missed.low,
            above_missed=missed.high - form.share,
        )
    target = Bounds(low=form.at_least, high=math.inf, low_closed=True, high_closed=False, unit="", text="")
    terms = Terms(target=target, scope=asked.terms.scope, rule=asked.terms.rule, completeness=asked.terms.completeness)
    evidence = Evidence(
        value=form.share,
        gaps=Ends(
            low=form.share if form.low is None else form.low, high=form.share if form.high is None else form.high
        ),
        filled=filled,
        chance=chance,
        no_chance=lack,
        completeness=found.completeness,
        quarters=quarters,
        guard=guard,
    )
    return evidence, terms


def gaps_of(asked: Asked, found: Measurement) -> Ends | None:
    """The value's ends under the gaps that are charged to nobody.

    Of a ``period``, ends that print alike are the value: nobody could tell them apart, and as what is printed stands on
    the number's own side of the target, the decision stays what it is. Chance widens the ends of a ``capability``, so
    those stay unrounded.
    """
    ends = ends_of(asked, found, found.low, found.high)
    if ends is None or found.value is None or asked.kpi.scope != "period":
        return ends
    low, high = (printed(end, asked.unit, asked.target) for end in (ends.low, ends.high))
    if low != high or math.inf in (ends.low, ends.high):
        return ends
    value = asked.shown(found.value, found)
    return Ends(low=value, high=value)


def ends_of(asked: Asked, found: Measurement, low: float | None, high: float | None) -> Ends | None:
    if low is None or high is None:
        return None
    return Ends(low=asked.shown(low, found), high=asked.shown(high, found))


def _chance(asked: Asked, found: Measurement, *, several: int) -> Chance | None:
    window_s = asked.spans.whole.seconds
    met = distances(asked, found, asked.alpha, window_s=window_s)
    missed = met if several == 1 else distances(asked, found, asked.alpha / several, window_s=window_s)
    if met is None or missed is None:
        return None
    return Chance(below=met[0], above=met[1], below_missed=missed[0], above_missed=missed[1])


def distances(asked: Asked, found: Measurement, alpha: float, *, window_s: float) -> tuple[float, float] | None:
    """How far the bounds lie from the ends of what is charged to nobody, or of what nobody knows whether it counts.

    In the unit of the target; None where there is no interval.
    """
    interval = sampling_interval(found, alpha, window_s=window_s)
    if interval is None or found.value is None or not math.isfinite(found.value):
        return None
    below, above = found.value - interval.low, interval.high - found.value
    counts = found.counts
    if counts is not None and counts.most > counts.count:
        most = sampling_interval(replace(found, counts=replace(counts, count=counts.most)), alpha, window_s=window_s)
        assert most is not None
        if counts.per_event:
            below = counts.exposure / counts.most - most.low
        else:
            above = most.high - counts.most / counts.exposure
    return (
        converted(max(below, 0.0), found.unit, asked.unit, difference=True),
        converted(max(above, 0.0), found.unit, asked.unit, difference=True),
    )

"""The entry of one KPI in a result, as plain data: what pages and documents show, and what is hashed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from devices.plan.reading_quality import quality_of
from kpi.decision import Ends
from kpi.evidence import bound_without_failures, distances, gaps_of
from kpi.gathered import Gathered
from kpi.guard import MovedLimits, described
from kpi.intervals import Interval
from kpi.judge import Asked, Case, judged
from kpi.left_out import ChannelLeft
from kpi.left_out import described as described_left_out
from kpi.measured import COUNTED, gathered_as
from kpi.measurement import Measurement
from kpi.pairs import matching_of
from kpi.quantity import converted
from kpi.sampling import sampling_interval
from kpi.sentences import NOTED, Said, why


def entry_of(
    asked: Asked,
    gathered: Gathered[Any],
    moved: Mapping[str | None, MovedLimits[Any]] = MappingProxyType({}),
    left_out: Sequence[ChannelLeft] = (),
) -> dict[str, Any]:
    """This month's and the cumulative value with the status, or the value with the verdict.

    :param moved: of a guarded share of time, what it is with its limits moved by the uncertainty, as in :func:`judged`.
    :param left_out: what findings leave out of each channel.
    """
    names = list(dict.fromkeys(gathered.slots))
    case = judged(asked, gathered, moved)
    kpi, found = asked.kpi, case.found
    cumulative = _figure(asked, found, case.interval, _gap_ends(case), window_s=asked.spans.whole.seconds)
    entry: dict[str, Any] = {
        "id": asked.id,
        "name": kpi.name,
        "measure": kpi.measure.kind,
        "target": _target(asked),
        "scope": kpi.scope,
        "decision": kpi.rule,
        "group": kpi.group,
        "required": kpi.required,
        "weight": kpi.weight,
        "minimum_completeness": kpi.completeness / 100,
        "unit": asked.unit,
        "uncertainty": None if case.instrument is None else described(case.instrument, case.guard),
        **cumulative,
        "quarters": [
            {"start": window.start, "end": window.end, "completeness": share}
            for window, share in zip(asked.spans.quarters, case.quarters, strict=True)
        ],
        "facts": dict(found.facts),
        "slots": _slots(asked, gathered, names),
        "slot": case.slot,
    }
    if found.compared:
        entry["change"] = dict(found.compared)
    if found.beside:
        entry["agreement"] = dict(found.beside)
    entry |= matching_of(gathered if case.slot is None else gathered.of_slot(case.slot))
    quality = quality_of(kpi.measure.of)
    if quality is not None:
        entry["left_out"] = described_left_out(quality, [one for one in left_out if case.slot in (None, one.slot)])
    if found.as_share is not None:
        entry["as_share"] = {
            "share": found.as_share.share,
            "at_least": found.as_share.at_least,
            "low": None if case.share_interval is None else case.share_interval.low,
            "high": None if case.share_interval is None else case.share_interval.high,
        }
    answer = "verdict"
    if case.month is not None:
        answer = "status"
        window_s = _month_s(asked)
        interval = sampling_interval(case.month, asked.alpha, window_s=window_s)
        entry["month"] = _figure(asked, case.month, interval, gaps_of(asked, case.month), window_s=window_s)
        entry["cumulative"] = cumulative
    elif case.decision.answer == "inconclusive":
        # Nobody misses a target by a forecast.
        entry["if_inconclusive"] = "committee" if case.decision.reason == "forecast" else kpi.if_inconclusive
    entry[answer] = case.decision.answer.value
    entry["reason"] = case.decision.reason
    entry["why"] = why(case.decision, _said(asked, case))
    return entry


def _month_s(asked: Asked) -> float:
    return 0.0 if asked.spans.month is None else asked.spans.month.seconds


def _gap_ends(case: Case) -> Ends | None:
    return case.evidence.gaps if case.found.as_share is None else None


def _figure(
    asked: Asked, found: Measurement, interval: Interval | None, gaps: Ends | None, *, window_s: float
) -> dict[str, Any]:
    """A value with its interval: what chance and uncharged gaps may have done (capability), the gaps alone (period)."""
    value = None if found.value is None else asked.shown(found.value, found)
    interval = bound_without_failures(asked, found) or interval
    sampled = None
    if interval is not None:
        sampled = {
            "low": asked.shown(interval.low, found),
            "high": asked.shown(interval.high, found),
            "alpha": interval.alpha,
            "method": interval.method,
            "size": interval.size,
        }
    if value is None or gaps is None:
        gaps = None if value is None else Ends(low=value, high=value)
    return {
        "value": _finite(value),
        "no_value": _no_value(found),
        "n": found.n,
        "completeness": found.completeness,
        "interval": _ended(_interval(asked, found, value, sampled, gaps, window_s)),
        "sampling": _ended(sampled),
    }


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def _ended(interval: dict[str, Any] | None) -> dict[str, Any] | None:
    """An interval as JSON has it: an end that there is not is null."""
    if interval is None:
        return None
    return {**interval, "low": _finite(interval["low"]), "high": _finite(interval["high"])}


def _no_value(found: Measurement) -> str | None:
    """Why no number is shown: there is nothing to compute it from, no failure came, or it is infinite."""
    if found.refused is not None:
        return found.refused.code
    if found.value is None or math.isnan(found.value):
        without = found.counts is not None and found.counts.per_event and found.counts.exposure > 0
        return "no_failures" if without else "no_data"
    return "infinite" if math.isinf(found.value) else None


def _interval(
    asked: Asked,
    found: Measurement,
    value: float | None,
    sampled: dict[str, Any] | None,
    gaps: Ends | None,
    window_s: float,
) -> dict[str, Any] | None:
    if asked.kpi.scope == "period":
        if value is None or gaps is None:
            return None
        method = "none" if gaps.low == gaps.high else "gaps" if found.open_by == "silence" else "unclear"
        return {"low": gaps.low, "high": gaps.high, "alpha": None, "method": method, "size": None}
    if sampled is None or value is None or gaps is None or math.isinf(value):
        return sampled
    away = distances(asked, found, asked.alpha, window_s=window_s)
    if away is None:
        return sampled
    low, high = gaps.low - away[0], gaps.high + away[1]
    if found.bounded:
        low, high = max(low, 0.0), min(high, converted(100.0, "%", asked.unit))
    return {**sampled, "low": low, "high": high}


def _target(asked: Asked) -> dict[str, Any]:
    target = asked.target
    return {
        "text": asked.kpi.target,
        "ko": target.shown("ko"),
        "en": target.shown("en"),
        "low": target.low if math.isfinite(target.low) else None,
        "high": target.high if math.isfinite(target.high) else None,
        "low_closed": target.low_closed,
        "high_closed": target.high_closed,
    }


def _slots(asked: Asked, gathered: Gathered[Any], names: list[str]) -> list[dict[str, Any]]:
    """Each slot's own value over the whole window."""
    rows = []
    for name in names:
        if not name:  # of the pilot as a whole, as what people enter may be
            continue
        found = asked.measured(gathered.of_slot(name).whole)
        value = None if found.value is None else _finite(asked.shown(found.value, found))
        rows.append({"slot": name, "value": value, "n": found.n, "completeness": found.completeness})
    return rows


def _computed_from(asked: Asked, found: Measurement) -> str:
    """What a value is computed from, or what is lacking for one: a rate needs no event, but something to count events by."""
    kind = gathered_as(asked.kpi.measure)
    if found.value is None and found.lacks:
        return found.lacks
    return "exposure" if kind == "event_rate" and found.value is None else COUNTED.get(kind, "readings")


def _month_noted(case: Case) -> tuple[tuple[str, int], ...]:
    """What the month lacks that the cumulative value has."""
    n = 0 if case.month is None else int(case.month.facts.get("manual_left_out", 0))
    return (("manual_month_left_out", n),) if n else ()


def _said(asked: Asked, case: Case) -> Said:
    found, facts = case.found, case.found.facts
    in_share = case.evidence.value is not None and case.terms.target.text == "" and found.as_share is not None
    return Said(
        value=None if found.value is None else asked.shown(found.value, found),
        unit=asked.unit,
        target=asked.target,
        n=found.n,
        what=_computed_from(asked, found),
        alpha=asked.alpha,
        limit=asked.terms.completeness,
        completeness=found.completeness,
        month_completeness=None if case.month is None else case.month.completeness,
        quarters=tuple(zip(asked.spans.quarters, case.quarters, strict=True)),
        zone=asked.zone,
        cumulative=case.month is not None,
        slot=case.slot,
        company_s=float(facts.get("company_s", 0)),
        platform_s=float(facts.get("platform_s", 0)),
        site_s=float(facts.get("site_s", 0)),
        nobody_s=float(facts.get("nobody_s", 0)),
        failures=(int(facts.get("missing_numbers", 0)), int(facts.get("never_closed", 0))),
        noted=(*((what, int(facts[what])) for what in NOTED if what in facts), *_month_noted(case)),
        open_by=found.open_by,
        least_n=found.least_n,
        refused=found.refused,
        instrument=case.instrument,
        guard=0.0 if case.guard is None else max(case.guard.below, case.guard.above),
        sampled=case.terms.scope == "capability",
        share=(found.as_share.share, found.as_share.at_least) if in_share and found.as_share is not None else None,
    )

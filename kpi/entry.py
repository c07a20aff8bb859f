"""The entry of one KPI in a result, as plain data: what pages and documents show, and what is hashed."""

from __future__ import annotations

import math
from typing import Any

from kpi.decision import Ends
from kpi.gathered import Gathered
from kpi.intervals import Interval
from kpi.judge import Asked, Case, gaps_of, judged
from kpi.measurement import Measurement
from kpi.quantity import converted
from kpi.sampling import sampling_interval
from kpi.sentences import Said, why

_WHAT = {"event_ratio": "events", "availability": "time", "share": "time"}


def entry_of(asked: Asked, gathered: Gathered[Any]) -> dict[str, Any]:
    """This month's and the cumulative value with the status, or the value with the verdict."""
    names = list(dict.fromkeys(gathered.slots))
    case = judged(asked, gathered)
    kpi, found = asked.kpi, case.found
    cumulative = _figure(asked, found, case.interval, _gap_ends(case))
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
        "uncertainty": None if asked.uncertainty is None else dict(asked.uncertainty),
        **cumulative,
        "quarters": [
            {"start": window.start, "end": window.end, "completeness": share}
            for window, share in zip(asked.spans.quarters, case.quarters, strict=True)
        ],
        "facts": dict(found.facts),
        "slots": _slots(asked, gathered, names),
        "slot": case.slot,
    }
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
        interval = sampling_interval(case.month, asked.alpha, window_s=_month_s(asked))
        entry["month"] = _figure(asked, case.month, interval, gaps_of(asked, case.month))
        entry["cumulative"] = cumulative
    elif case.decision.answer == "inconclusive":
        entry["if_inconclusive"] = kpi.if_inconclusive
    entry[answer] = case.decision.answer.value
    entry["reason"] = case.decision.reason
    entry["why"] = why(case.decision, _said(asked, case))
    return entry


def _month_s(asked: Asked) -> float:
    return 0.0 if asked.spans.month is None else asked.spans.month.seconds


def _gap_ends(case: Case) -> Ends | None:
    return case.evidence.gaps if case.found.as_share is None else None


def _figure(asked: Asked, found: Measurement, interval: Interval | None, gaps: Ends | None) -> dict[str, Any]:
    """A value with its interval: what chance and uncharged gaps may have done (capability), the gaps alone (period)."""
    value = None if found.value is None else asked.shown(found.value, found)
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
        "value": value,
        "n": found.n,
        "completeness": found.completeness,
        "interval": _interval(asked, found, value, sampled, gaps),
        "sampling": sampled,
    }


def _interval(
    asked: Asked, found: Measurement, value: float | None, sampled: dict[str, Any] | None, gaps: Ends | None
) -> dict[str, Any] | None:
    if value is None or gaps is None:
        return None
    if asked.kpi.scope == "period":
        method = "none" if gaps.low == gaps.high else "gaps"
        return {"low": gaps.low, "high": gaps.high, "alpha": None, "method": method, "size": None}
    if sampled is None:
        return None
    low, high = sampled["low"] - (value - gaps.low), sampled["high"] + (gaps.high - value)
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
        found = asked.measured(gathered.of_slot(name).whole)
        value = None if found.value is None else asked.shown(found.value, found)
        rows.append({"slot": name, "value": value, "n": found.n, "completeness": found.completeness})
    return rows


def _said(asked: Asked, case: Case) -> Said:
    found, facts = case.found, case.found.facts
    in_share = case.evidence.value is not None and case.terms.target.text == "" and found.as_share is not None
    return Said(
        value=None if found.value is None else asked.shown(found.value, found),
        unit=asked.unit,
        target=asked.target,
        n=found.n,
        what=_WHAT.get(asked.kpi.measure.kind, "readings"),
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
        nobody_s=float(facts.get("nobody_s", 0)),
        failures=(int(facts.get("missing_numbers", 0)), int(facts.get("never_closed", 0))),
        share=(found.as_share.share, found.as_share.at_least) if in_share and found.as_share is not None else None,
    )

"""Drift: how much the bias against a reference changed from the first stretch of the required time to the last one.

Relative to the reference each stretch has its own mean of it: a device that reads ten per cent too high reads so at every level,
and a dustier season is no drift.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.units import seconds
from devices.plan.agreement_measures import Agreement
from kpi.intervals import Block
from kpi.measurement import Measurement, Number
from kpi.measures.agreement_chance import OfDrift
from kpi.measures.pairs import PairPart


def drifted(
    parts: Sequence[PairPart], weeks: Sequence[tuple[float, Sequence[PairPart]]], of: Agreement, unit: str
) -> Measurement:
    """The drift over all slots together: the mean of their own, by required time.

    >>> from kpi.measures.pairs import made_part
    >>> of = Agreement.model_validate({"channel": "x", "reference": {"slot": "r", "channel": "x"}, "average": "1 h",
    ...                                "stat": "drift", "window": "2 h"})
    >>> drifted([made_part([10, 10, 10, 22, 22], [10, 10, 10, 20, 20])], (), of, "%").value       # 10 % at the end
    10.0
    """
    window_us = round(seconds(of.window) * 1e6)
    each = [(part, _ends(part, window_us)) for part in parts]
    there = [(part, *ends) for part, ends in each if ends is not None]
    if not there:
        known = any(len(part.channel) for part in parts)
        return Measurement(value=None, unit=unit, n=0, completeness=None, lacks="pairs_at_both_ends" if known else "")
    whole = math.fsum(part.required_s for part, _, _ in there)
    shares = tuple(part.required_s / whole for part, _, _ in there)
    drifts = [_bias(last, of) - _bias(first, of) for _, first, last in there]
    value = math.fsum(share * drift for share, drift in zip(shares, drifts, strict=True))
    own = OfDrift(
        weeks=tuple(_block(at_s, week, of) for at_s, week in weeks),
        ends=tuple((_weight(first), _weight(last)) for _, first, last in there),
        shares=shares,
    )
    facts: dict[str, Number] = {
        "first_pairs": sum(len(first.channel) for _, first, _ in there),
        "last_pairs": sum(len(last.channel) for _, _, last in there),
    }
    return Measurement(value=value, unit=unit, n=0, completeness=None, low=value, high=value, own=own, facts=facts)


def _ends(part: PairPart, window_us: int) -> tuple[PairPart, PairPart] | None:
    """The pairs of the first and of the last stretch; None where they touch, or one of them has none."""
    if part.end_us - part.start_us < 2 * window_us:
        return None
    first = part.within(part.start_us, part.start_us + window_us)
    last = part.within(part.end_us - window_us, part.end_us)
    return (first, last) if len(first.channel) and len(last.channel) else None


def _bias(part: PairPart, of: Agreement) -> float:
    off = math.fsum((part.channel - part.reference).tolist())
    if not of.in_percent:
        return off / len(part.channel)
    return 100 * off / math.fsum(abs(part.reference).tolist())


def _weight(part: PairPart) -> float:
    return float(len(part.channel))


def _block(at_s: float, week: Sequence[PairPart], of: Agreement) -> Block:
    """The bias of a week, all slots' pairs together."""
    there = [part for part in week if len(part.channel)]
    if not there:
        return Block(at_s=at_s, weight=0.0, value=0.0)
    n = sum(len(part.channel) for part in there)
    value = math.fsum(len(part.channel) / n * _bias(part, of) for part in there)
    return Block(at_s=at_s, weight=float(n), value=value)

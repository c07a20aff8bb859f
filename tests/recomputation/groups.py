"""The mean or the sum of slots' own values."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.recomputation import chance
from tests.recomputation.chance import Block, Bounds
from tests.recomputation.found import Found, Sampling, none


def grouped(alone: Sequence[Found], together: Found, *, mean: bool, least: float) -> Found:
    """Each slot counts as one; one that lacks data leaves the whole without a value."""
    there = [one for one in alone if one.value is not None]
    lacking = any(one.value is None and (one.completeness or 0.0) < least for one in alone)
    counts = bool(there) and not lacking
    scale = 1 / len(there) if mean and there else 1.0

    def ends(pairs: Sequence[Bounds | None]) -> Bounds | None:
        known = [pair for pair in pairs if pair is not None]
        if not counts or len(known) < len(pairs):
            return None
        divisor = len(known) if mean else 1
        return math.fsum(low for low, _ in known) / divisor, math.fsum(high for _, high in known) / divisor

    value = ends([None if one.value is None else (one.value, one.value) for one in there])
    share = together.share and mean
    blocks = [] if value is None else _weeks(there, value[0], scale, together.share, mean)
    return Found(
        value=None if value is None else value[0],
        unit=together.unit,
        n=sum(one.n for one in alone),
        completeness=together.completeness,
        ends=ends([one.ends for one in there]),
        fill=ends([one.fill for one in there]),
        sampling=none if value is None else _sampling(there, value[0], scale, blocks, share),
        share=share,
        difference=together.difference,
        members=tuple(there) if counts else (),
        scale=scale,
    )


def _sampling(there: Sequence[Found], value: float, scale: float, blocks: Sequence[Block], share: bool) -> Sampling:
    def sampling(alpha: float, window_s: float) -> Bounds | None:
        if blocks:
            if not share:
                return chance.weekly_mean(value, blocks, alpha, window_s)
            found = chance.weekly_share(value / 100, blocks, alpha, window_s)
            return None if found is None else (100 * found[0], 100 * found[1])
        bounds = [one.sampling(alpha, window_s) if one.trials or one.doubt else None for one in there]
        if any(one is None for one in bounds):
            return None
        pairs = [(one.value or 0.0, pair) for one, pair in zip(there, bounds, strict=True) if pair is not None]
        below = math.sqrt(sum((scale * (own - pair[0])) ** 2 for own, pair in pairs))
        above = math.sqrt(sum((scale * (pair[1] - own)) ** 2 for own, pair in pairs))
        low, high = value - below, value + above
        return (max(low, 0.0), min(high, 100.0)) if share else (low, high)

    return sampling


def _weeks(there: Sequence[Found], value: float, scale: float, share: bool, mean: bool) -> list[Block]:
    """How far each week of all slots lay from their own values; a slot weighs by its week's share of its fullest one."""
    if any(not one.blocks or one.value is None or math.isinf(one.value) for one in there):
        return []
    if share and not mean and len(there) > 1:
        return []
    unit = 100.0 if share else 1.0
    fullest = [max(weight for _, weight, _ in one.blocks) or 1.0 for one in there]
    found = []
    for week in zip(*(one.blocks for one in there), strict=True):
        rows = [
            (weight / most, own - (one.value or 0.0) / unit)
            for (_, weight, own), one, most in zip(week, there, fullest, strict=True)
            if weight > 0
        ]
        weight = sum(w for w, _ in rows)
        moved = sum(w * away for w, away in rows) / weight if weight else 0.0
        found.append((week[0][0], weight, value / unit + moved * scale * len(there)))
    return found

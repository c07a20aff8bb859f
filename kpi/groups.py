"""Several slots whose values are brought together by their mean or their sum (``group: mean``, ``group: sum``).

Each slot counts as one, whatever its required time. A slot that lacks the data for a value leaves the whole without one: left
out, the worst slot would flatter the mean and lower the sum. A slot at which nothing happened has no value either, and is no
part of the mean.

What chance does to the whole: means and shares by weekly blocks of the slots together, so that a bad week of all of them counts
as one; proportions and counts by their own intervals, the distances added in quadrature (MOVER).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

from kpi.intervals import Block
from kpi.measurement import Measurement, Number

Measured = Callable[[Sequence[Any], Sequence[tuple[float, Sequence[Any]]]], Measurement]
How = Literal["mean", "sum"]


def grouped(
    measured: Measured,
    slots: Sequence[str],
    parts: Sequence[Any],
    weeks: Sequence[tuple[float, Sequence[Any]]],
    *,
    how: How,
    least: float,
) -> Measurement:
    """The mean or the sum of the slots' own values.

    :param measured: the measure, over the parts of one slot.
    :param slots: the slot of each part.
    :param least: the completeness below which a slot without a value lacks data, 0 to 1.
    """
    names = list(dict.fromkeys(slots))
    members = []
    for name in names:
        index = [i for i, slot in enumerate(slots) if slot == name]
        own = [(at_s, [week[i] for i in index]) for at_s, week in weeks]
        members.append(measured([parts[i] for i in index], own))
    return _combined(members, measured(parts, ()).completeness, how=how, least=least)


def _combined(members: Sequence[Measurement], completeness: float | None, *, how: How, least: float) -> Measurement:
    there = [one for one in members if one.value is not None]
    lacking = any(one.value is None and (one.completeness is None or one.completeness < least) for one in members)
    whole = bool(there) and not lacking
    scale = 1 / len(there) if how == "mean" and there else 1.0

    def together(numbers: Sequence[float | None]) -> float | None:
        known = [number for number in numbers if number is not None]
        if not whole or len(known) < len(numbers):
            return None
        return math.fsum(known) / len(known) if how == "mean" else math.fsum(known)

    value = together([one.value for one in there])
    return Measurement(
        value=value,
        unit=members[0].unit,
        n=sum(one.n for one in members),
        completeness=completeness,
        low=together([one.low for one in there]),
        high=together([one.high for one in there]),
        fill_low=together([one.fill_low for one in there]),
        fill_high=together([one.fill_high for one in there]),
        blocks=() if value is None else _blocks(there, value, scale),
        bounded=members[0].bounded and how == "mean",
        difference=members[0].difference,
        # What one slot has too little of, another's plenty does not make up for.
        least_n=_least(members),
        members=tuple(there) if whole else (),
        scale=scale,
        open_by=members[0].open_by,
        facts=_facts(members),
    )


def _least(members: Sequence[Measurement]) -> int | None:
    """What there must be of all slots, each with enough of its own."""
    asked = [max(one.n, one.least_n) for one in members if one.least_n is not None]
    return None if len(asked) < len(members) else sum(asked)


def _blocks(members: Sequence[Measurement], value: float, scale: float) -> tuple[Block, ...]:
    """The weeks of all slots together: how far they lay from their own slots' values.

    A week in which a slot has nothing is that of the others; it weighs as much less.
    """
    if any(not one.blocks or one.value is None or math.isinf(one.value) for one in members):
        return ()
    if members[0].bounded and scale == 1.0 < len(members):
        return ()  # a sum of shares is no share
    unit = 100.0 if members[0].bounded else 1.0
    heaviest = [max(block.weight for block in one.blocks) or 1.0 for one in members]
    found = []
    for week in zip(*(one.blocks for one in members), strict=True):
        present = [
            (block.weight / most, block.value - (one.value or 0.0) / unit)
            for block, one, most in zip(week, members, heaviest, strict=True)
            if block.weight > 0
        ]
        weight = math.fsum(w for w, _ in present)
        moved = math.fsum(w * away for w, away in present) / weight if weight else 0.0
        found.append(Block(at_s=week[0].at_s, weight=weight, value=value / unit + moved * scale * len(members)))
    return tuple(found)  # fmt: skip


def _facts(members: Sequence[Measurement]) -> dict[str, Number]:
    names = dict.fromkeys(name for one in members for name in one.facts)
    return {name: sum(one.facts.get(name, 0) for one in members) for name in names}

"""Which time of a slot is no time to judge by: where a measure's ``where`` does not hold, or the operating conditions do not.

Only what is known counts: while a condition's channel is silent its time stays in, so that nobody gains by silencing it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from devices.plan.conditions import where_of
from devices.plan.measure_parts import While
from devices.plan.model import Kpi, Plan
from devices.plan.predicate import conditions_of
from kpi.inputs.reader import Reader
from kpi.stretches import NOTHING, Stretches, difference, intersection, total_us, union
from telemetry.channels import ChannelInfo
from telemetry.predicates import Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One condition over the whole window."""

    true: Stretches
    false: Stretches


def held(reader: Reader, slot: str, condition: While) -> Held:
    """While a condition held at a slot, and while it did not; a slot that has no such channel knows of neither."""
    if not reader.has(slot, condition.channel):
        return Held(true=NOTHING, false=NOTHING)
    channel = reader.channel(slot, condition.channel)
    true, false = reader.holding(channel, condition_on(channel, condition))
    return Held(true=true, false=false)


def condition_on(channel: ChannelInfo, condition: While) -> Condition:
    """A plan's condition in the words of the store."""
    bounds = condition.bounds
    if bounds is None:
        return Condition(
            codes=tuple(code for code, state in enumerate(channel.states) if state in (condition.in_ or ()))
        )
    inside = bounds.to(channel.unit)
    bounded_low, bounded_high = math.isfinite(inside.low), math.isfinite(inside.high)
    return Condition(
        low=inside.low if bounded_low else None,
        low_closed=inside.low_closed or not bounded_low,
        high=inside.high if bounded_high else None,
        high_closed=inside.high_closed or not bounded_high,
    )


def outside(reader: Reader, plan: Plan, kpi: Kpi, slot: str) -> Stretches:
    """What a slot's required time is without."""
    wheres = [held(reader, slot, one).false for one in where_of(kpi.measure.of)]
    clauses: list[Stretches] = []
    if reader.heeds_conditions:
        clauses = [held(reader, one.slot or slot, one).false for _, one in conditions_of(plan, kpi)]
    return union(*wheres, *clauses) if wheres or clauses else NOTHING


def told(reader: Reader, plan: Plan, kpi: Kpi, required: Iterable[tuple[str, Stretches]]) -> dict[str, Any]:
    """What a result says of conditions: how much time each took, and of how much nobody knows whether it held.

    :param required: each slot's required time before any condition.
    :returns: ``conditions``, a row a clause, and ``where``, where the measure has one; nothing where there are none.
    """
    slots = list(required)
    found: dict[str, Any] = {}
    rows = []
    for name, one in conditions_of(plan, kpi):
        cut = [_cut(held(reader, one.slot or slot, one), time) for slot, time in slots]
        rows.append({"id": name, "name": one.name, **_row(cut)})
    if rows:
        found["conditions"] = rows
        clauses = [
            union(*(held(reader, one.slot or slot, one).false for _, one in conditions_of(plan, kpi)))
            for slot, _ in slots
        ]
        lost = (total_us(intersection(time, one)) for (_, time), one in zip(slots, clauses, strict=True))
        found["conditions_s"] = sum(lost) / 1e6
    wheres = where_of(kpi.measure.of)
    if wheres:
        cut = []
        for slot, time in slots:
            each = [held(reader, slot, one) for one in wheres]
            cut.append(_cut(_all(each, time), time))
        found["where"] = _row(cut)
    return found


def _all(each: list[Held], time: Stretches) -> Held:
    """Several conditions of which all must hold."""
    true = time
    for one in each:
        true = intersection(true, one.true)
    return Held(true=true, false=union(*(one.false for one in each)))


def _cut(one: Held, time: Stretches) -> tuple[int, int]:
    left_out = intersection(time, one.false)
    unknown = difference(difference(time, one.true), left_out)
    return total_us(left_out), total_us(unknown)


def _row(cut: list[tuple[int, int]]) -> dict[str, float]:
    return {"left_out_s": sum(out for out, _ in cut) / 1e6, "unknown_s": sum(unknown for _, unknown in cut) / 1e6}

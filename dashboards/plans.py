"""The plan in force of a pilot, read once: names, places and targets come from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.database import Connection
from dashboards.access import VisiblePilot
from dashboards.memo import Memo
from devices import registry
from devices.plan.measures import Share, Statistic
from devices.plan.model import Kpi, Plan
from devices.plan.predicate import slots_in_effect
from devices.plan.target import Bounds

_DAY_S = 86_400.0
_plans: Memo[Plan] = Memo(span_s=_DAY_S, most=256)


def plan_of(connection: Connection, pilot: VisiblePilot) -> Plan:
    """The plan in force of a pilot that the person sees."""

    def read() -> Plan:
        plan, _, _ = registry.plan_of(connection, pilot.name, pilot.plan_version)
        return plan

    return _plans.get((pilot.name, pilot.plan_version, pilot.plan_sha256), read)


def plan_at(connection: Connection, pilot: VisiblePilot, version: int, sha256: str) -> Plan:
    """The plan version that a result was judged by."""
    return _plans.get((pilot.name, version, sha256), lambda: registry.plan_of(connection, pilot.name, version)[0])


def places_of(connection: Connection, pilot: VisiblePilot) -> dict[str, str]:
    """What people call each slot that has a place, by the slot's name."""
    return {name: slot.place for name, slot in plan_of(connection, pilot).slots.items() if slot.place}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A condition that a KPI puts on a channel's values, in the channel's unit."""

    kpi: str
    name: str
    bounds: Bounds


def limits(plan: Plan, slot: str, channel: str) -> Iterator[Limit]:
    """What the KPIs ask of one channel: to stay within a limit, or to reach a mean."""
    unit = plan.slots[slot].channels[channel].canonical_unit if slot in plan.slots else ""
    for key, kpi in plan.kpis.items():
        for part in kpi.parts:
            bounds = _bounds_on(part, channel)
            if bounds is not None and slot in slots_in_effect(plan, part):
                yield Limit(kpi=key, name=part.name, bounds=bounds.to(unit))


def former_limits(connection: Connection, pilot: VisiblePilot, slot: str, channel: str) -> Iterator[Limit]:
    """What the KPIs asked of a channel before the last amendment, where that was something else."""
    plan = plan_of(connection, pilot)
    for version in range(pilot.plan_version - 1, 0, -1):
        old, _, _ = registry.plan_of(connection, pilot.name, version)
        if old.amendment == plan.amendment or slot not in old.slots or channel not in old.slots[slot].channels:
            continue
        now = {(one.kpi, one.name): one.bounds for one in limits(plan, slot, channel)}
        for one in limits(old, slot, channel):
            if (one.kpi, one.name) in now and one.bounds != now[one.kpi, one.name]:
                yield one
        return


def _bounds_on(kpi: Kpi, channel: str) -> Bounds | None:
    match kpi.measure.of:
        case Share(while_=condition) if condition.channel == channel:
            return condition.bounds
        case Statistic(channel=named, stat=stat) if named == channel and stat not in ("std", "sum"):
            return kpi.bounds
        case _:
            return None

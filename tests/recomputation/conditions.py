"""While a condition on a channel held, and while it did not: of a measure, of the product, of what was gone meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tests.recomputation import sets, units
from tests.recomputation.sets import Set

if TYPE_CHECKING:
    from tests.recomputation.view import View

Dict = dict[str, Any]


def held(view: View, slot: str, condition: Dict) -> tuple[Set, Set]:
    """The stretches in which a reading stands that satisfies it, and those in which one stands that does not."""
    key = ("held", slot, condition["channel"], condition.get("value"), tuple(condition.get("in") or ()))
    return view.keep(key, lambda: _held(view, slot, condition))


def _held(view: View, slot: str, condition: Dict) -> tuple[Set, Set]:
    name = condition["channel"]
    if name not in (view.plan["slots"][slot].get("channels") or {}):
        return sets.EMPTY, sets.EMPTY
    readings = view.readings(slot, name)
    if "in" in condition:
        said = np.full(len(readings.at), "", dtype=object) if readings.state is None else readings.state
        good = np.isin(said.astype(str), list(condition["in"]))
    else:
        limit = units.target(condition["value"]).to(view.channel(slot, name)["unit"])
        good = np.array([limit.holds(value) for value in readings.value.tolist()], dtype=np.bool_)
    spans = np.stack([readings.at, view.stands(slot, name)], axis=1)
    whole = sets.of([view.cut.whole])
    return sets.both(sets.of(spans[good]), whole), sets.both(sets.of(spans[~good]), whole)


def outside(view: View, slot: str, of: Dict) -> Set:
    """What a measure's required time is without: conditions on it, and on the product, known not to hold."""
    found = [held(view, slot, one)[1] for one in wheres(of)]
    found += [held(view, one.get("slot", slot), one)[1] for one in of.get("conditions", ())]
    return sets.either(*found)


def wheres(of: Dict) -> list[Dict]:
    """The conditions on a measure's time. Of events ``where`` chooses by attributes."""
    found = of.get("where") or []
    if isinstance(found, list):
        return found
    return [found] if "channel" in found and ("value" in found or "in" in found) else []


def of_plan(plan: Dict, kpi: Dict) -> list[Dict]:
    """The operating conditions of a KPI."""
    every = plan.get("conditions") or {}
    return [one for name, one in every.items() if name in kpi.get("conditions", every)]

"""Conditions on the attributes of events: a value that must be equal, a comparison, or a list of either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.units import UnitError
from devices.plan.target import TargetError, parse_bounds


def holds(conditions: Mapping[str, Any], attributes: Mapping[str, Any]) -> bool | None:
    """Whether every condition holds; None where one cannot be told because the attribute is not there.

    >>> holds({"result": ["delivered", "returned"], "interventions": "== 0"}, {"result": "delivered", "interventions": 0})
    True
    >>> holds({"result": "delivered"}, {"result": "failed"}), holds({"result": "delivered"}, {})
    (False, None)
    """
    unknown = False
    for name, wanted in conditions.items():
        if name not in attributes or attributes[name] is None:
            unknown = True
        elif not _one(wanted, attributes[name]):
            return False
    return None if unknown else True


def _one(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return any(_one(item, found) for item in wanted)
    if isinstance(wanted, str) and isinstance(found, int | float) and not isinstance(found, bool):
        try:
            # The number is in the unit that the condition is written in: events carry no units.
            return found in parse_bounds(wanted)
        except (TargetError, UnitError):
            return False
    # In JSON true is not 1.
    if isinstance(wanted, bool) or isinstance(found, bool):
        return wanted is found
    return bool(wanted == found)

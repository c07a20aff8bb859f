"""What a check finds: where, and which rule does not hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from devices.plan.problem import Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A rule that does not hold at a path of the plan."""

    way: Way
    code: str
    values: Mapping[str, Any] = field(default_factory=dict)
    found: str | None = None
    """What to show as found; None: what stands at the path."""


def fault(way: Way, code: str, **values: Any) -> Fault:
    """A fault at a path."""
    return Fault(way=way, code=code, values=values)

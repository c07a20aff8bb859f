"""The gallery: for each row of the KPI catalogue what one site sent, made so that the answer is known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from devices.plan.model import Plan
from simulators.gallery import cameras, links, robots
from simulators.gallery.story import Story, Told

__all__ = ["STORIES", "Story", "Told"]

STORIES: Final[Mapping[str, Callable[[Plan], Story]]] = MappingProxyType(
    {
        "01-availability": links.availability,
        "02-data-capture": links.capture,
        "06-mtbf": links.mtbf,
        "07-mttr": links.repairs,
        "12-robot-missions": robots.missions,
        "13-lift-boarding": robots.boarding,
        "15-safety": robots.safety,
        "16-drone-flights": robots.flights,
        "20-false-alarms": cameras.false_alarms,
        "21-alert-confirmation": cameras.confirmed,
        "29-care-calls": cameras.calls,
    }
)
"""By the name of the plan file."""

"""Scenarios: what a real site would send, as pure functions of seed, plan, slot and time."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from simulators.scenario.air import AirQuality
from simulators.scenario.base import Quantity, Scenario
from simulators.scenario.drone import PatrolDrone
from simulators.scenario.outage import Outages
from simulators.scenario.park import SolarBench
from simulators.scenario.records import Event, Link, Readings
from simulators.scenario.robot import DeliveryRobot

SCENARIOS: Mapping[str, type[Scenario]] = MappingProxyType(
    {kind.name: kind for kind in (AirQuality, DeliveryRobot, SolarBench, PatrolDrone)}
)
"""By the name that ``pilotbed simulate`` takes."""

__all__ = [
    "SCENARIOS",
    "AirQuality",
    "DeliveryRobot",
    "Event",
    "Link",
    "Outages",
    "PatrolDrone",
    "Quantity",
    "Readings",
    "Scenario",
    "SolarBench",
]

"""The gallery: for each row of the KPI catalogue what one site sent, made so that the answer is known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from devices.plan.model import Plan
from simulators.gallery import cameras, changes, links, robots, sensors, truth
from simulators.gallery.story import Story, Told

__all__ = ["STORIES", "Story", "Told"]

STORIES: Final[Mapping[str, Callable[[Plan], Story]]] = MappingProxyType(
    {
        "01-availability": links.availability,
        "02-data-capture": links.capture,
        "03-delivery-latency": sensors.latency,
        "04-radio-delivery": sensors.radio,
        "05-battery-life": sensors.battery,
        "06-mtbf": links.mtbf,
        "07-mttr": links.repairs,
        "08-pm25-accuracy": sensors.accuracy,
        "09-pm25-correlation": sensors.correlation,
        "10-sensor-drift": sensors.drift,
        "11-leak-detection": truth.leaks,
        "12-robot-missions": robots.missions,
        "13-lift-boarding": robots.boarding,
        "14-unmanned-operation": robots.unmanned,
        "15-safety": robots.safety,
        "16-drone-flights": robots.flights,
        "17-crack-detection": truth.cracks,
        "18-landing-error": robots.landings,
        "19-fall-detection": truth.falls,
        "20-false-alarms": cameras.false_alarms,
        "21-alert-confirmation": cameras.confirmed,
        "22-alarm-time": truth.alarms,
        "23-energy-saving": changes.saving,
        "24-peak-reduction": changes.peak,
        "25-traffic-count": sensors.traffic,
        "26-incident-detection": truth.incidents,
        "27-parking-use": changes.parking,
        "28-travel-time": changes.travel,
        "29-care-calls": cameras.calls,
        "30-body-sensors": sensors.bodies,
        "31-missed-alarms": truth.staged_fires,
        "32-complaints": changes.people,
        "33-satisfaction": changes.people,
    }
)
"""By the name of the plan file."""

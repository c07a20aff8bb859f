"""The demo's pilots, each in the protocol of its trade: one meets its targets, one fails, one has too little data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from simulators.scenario import AirQuality, DeliveryRobot, PatrolDrone, Scenario, SolarBench

DAYS_BEHIND: Final = 90
"""So many days of the demo's pilots lie in the past."""

DEMO_SCENARIOS: Final[Mapping[str, Scenario]] = MappingProxyType(
    {
        "demo-air": AirQuality(above=0.02),
        "demo-robot": DeliveryRobot(failure=0.05, intervention=0.07, docked_outages=True, event_loss=0.0),
        "demo-drone": PatrolDrone(),
        "demo-park": SolarBench(),
    }
)
"""What each pilot's site sends."""

_DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_START = re.compile(r"^period: \{start: (\d{4}-\d\d-\d\d),", re.MULTILINE)


def demo_plans(today: date) -> dict[str, str]:
    """The demo's plan files by pilot, dated for ``today``: begun ninety days ago, evaluated in the interim yesterday.

    Each file in ``plans/`` is a plan of its own right; all its dates are moved together.
    """
    return {pilot: moved(plan_text(pilot), today - timedelta(days=DAYS_BEHIND)) for pilot in DEMO_SCENARIOS}


def plan_text(pilot: str) -> str:
    """The plan as it stands in ``plans/``."""
    return files(__package__).joinpath("plans", f"{pilot}.yaml").read_text(encoding="utf-8")


def moved(text: str, start: date) -> str:
    """The plan with its period beginning at ``start``, and every other date as many days from it as before."""
    found = _START.search(text)
    assert found is not None
    by = start - date.fromisoformat(found[1])
    return _DATE.sub(lambda match: (date.fromisoformat(match[0]) + by).isoformat(), text)

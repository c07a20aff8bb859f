"""Rows about robots and drones: missions, rides, collisions, flights."""

from __future__ import annotations

import numpy as np

from core.window import HOUR_US
from devices.plan.model import Plan
from simulators.gallery.story import (
    MINUTE_US,
    Story,
    Told,
    every,
    happening,
    in_order,
    lasting,
    online,
    spread,
)


def missions(plan: Plan) -> Story:
    """1,200 missions, every fiftieth of which needed a person."""
    events = []
    for place, at_us in enumerate(spread(plan, 1200).tolist()):
        events += lasting("mission", at_us, 12 * MINUTE_US, place + 1, interventions=1 if place % 50 == 49 else 0)
    return Story(happened={"robot-1": in_order(events)}, linked={"robot-1": online(plan)})


def boarding(plan: Plan) -> Story:
    """59 rides on the lift as they were planned, all of which succeeded."""
    events = [happening("boarding", at_us, place + 1, ok=True) for place, at_us in enumerate(spread(plan, 59).tolist())]
    return Story(happened={"robot-1": events}, linked={"robot-1": online(plan)})


def safety(plan: Plan) -> Story:
    """2,000 km, one collision without injuries, and one near miss that is no collision."""
    at_us = every(plan, HOUR_US)
    odometer = Told(at_us=at_us, value=np.linspace(0.0, 2000.0, at_us.size))
    first, second = spread(plan, 2).tolist()
    events = [
        happening("incident", first, 1, kind="collision", injured=0),
        happening("incident", second, 2, kind="near-miss", injured=0),
    ]
    return Story(
        told={("shuttle-1", "odometer"): odometer}, happened={"shuttle-1": events}, linked={"shuttle-1": online(plan)}
    )


def unmanned(plan: Plan) -> Story:
    """A kilometre an hour, 22 of which a person drove."""
    at_us = every(plan, HOUR_US)
    odometer = Told(at_us=at_us, value=np.arange(at_us.size, dtype=np.float64))
    driven = np.arange(50, 2200, 100)  # in these hours
    changes = np.sort(np.concatenate([[0], driven, driven + 1]))
    mode = Told(at_us=at_us[changes], value=np.isin(changes, driven).astype(np.float64))
    return Story(
        told={("shuttle-1", "odometer"): odometer, ("shuttle-1", "mode"): mode}, linked={"shuttle-1": online(plan)}
    )


def landings(plan: Plan) -> Story:
    """100 landings, 1, 2, … 100 cm beside the pad."""
    at_us = spread(plan, 100)
    order = 37 * np.arange(100) % 100 + 1
    told = Told(at_us=at_us, value=order / 100)
    return Story(told={("drone-1", "landing-error"): told}, linked={"drone-1": online(plan)})


def flights(plan: Plan) -> Story:
    """100 numbered flights: of the forty-second nothing was ever heard."""
    events = []
    for place, at_us in enumerate(spread(plan, 100).tolist()):
        if place + 1 != 42:
            events += lasting("flight", at_us, 20 * MINUTE_US, place + 1, result="completed")
    return Story(happened={"drone-1": in_order(events)}, linked={"drone-1": online(plan)})

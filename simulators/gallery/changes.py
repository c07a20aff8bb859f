"""Rows about what became of something since a time before: energy, peaks, parking, travel times."""

from __future__ import annotations

import math
from datetime import date

import numpy as np

from core.window import HOUR_US, micros, midnight
from devices.plan.model import Plan
from simulators.gallery.story import MINUTE_US, Story, Told, every, judged_days, online
from simulators.scenario.noise import Floats, Micros

WARMEST = date(2025, 7, 29)
HEATED_BELOW, COOLED_ABOVE = 18.0, 24.0


def outside(day: date) -> float:
    """The temperature of a day in °C, to a tenth: the same all day."""
    return round(12.5 + 14.0 * math.cos(2 * math.pi * (day - WARMEST).days / 365.25), 1)


def energy(day: date) -> float:
    """What the building took on a day before the pilot, in kWh: more by every degree of heating and cooling."""
    temperature = outside(day)
    return 100 + 5 * max(HEATED_BELOW - temperature, 0) + 3 * max(temperature - COOLED_ABOVE, 0)


def saving(plan: Plan) -> Story:
    """A quarter less than a day of that weather took before."""
    days = judged_days(plan)
    begins = np.array([micros(midnight(day, plan.zone)) for day in days], dtype=np.int64)
    watts = np.array([0.75 * energy(day) / 24 * 1000 for day in days])
    hourly = every(plan, HOUR_US)
    temperature = np.array([outside(day) for day in days])[np.searchsorted(begins, hourly, side="right") - 1]
    told = {
        ("meter-1", "power"): Told(at_us=begins, value=watts),
        ("kma-108", "temperature"): Told(at_us=hourly, value=temperature),
    }
    return Story(told=told, linked={slot: online(plan) for slot in plan.slots})


def peak(plan: Plan) -> Story:
    """Quarters of an hour between 20 and 40 kW, one of which came to 44 kW."""
    at_us = every(plan, 15 * MINUTE_US)
    place = np.arange(at_us.size)
    load: Floats = 30.0 + 10 * np.sin(2 * np.pi * place / 96)
    load[4_000] = 44.0
    return Story(told={("meter-1", "load"): Told(at_us=at_us, value=load)}, linked={"meter-1": online(plan)})


def parking(plan: Plan) -> Story:
    """Spaces that were taken half of the time in March, and three fifths from April on."""
    at_us = every(plan, HOUR_US)
    april_us = micros(midnight(date(2026, 4, 1), plan.zone))
    return Story(
        told={("lot-1", "occupancy"): Told(at_us=at_us, value=np.where(at_us < april_us, 50.0, 60.0))},
        linked={"lot-1": online(plan)},
    )


def travel(plan: Plan) -> Story:
    """484.5 s where it was 600 s; on the road that nobody touched 475 s where it was 500 s."""
    at_us = every(plan, HOUR_US)
    told = {("road-a", "probe-time"): _always(at_us, 484.5), ("road-b", "probe-time"): _always(at_us, 475.0)}
    return Story(told=told, linked={"road-a": online(plan), "road-b": online(plan)})


def people(plan: Plan) -> Story:
    """What people observe stands in the file beside the plan; the device only lives."""
    at_us = every(plan, HOUR_US)
    slot, channel = next((slot, channel) for slot in plan.slots for channel in plan.slots[slot].channels)
    return Story(told={(slot, channel): _always(at_us, 21.0)}, linked={slot: online(plan)})


def _always(at_us: Micros, value: float) -> Told:
    return Told(at_us=at_us, value=np.full(at_us.shape, value))

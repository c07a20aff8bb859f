"""Rows about sensors beside a reference, and about their messages on the way."""

from __future__ import annotations

import numpy as np

from core.window import HOUR_US
from devices.plan.model import Plan
from simulators.gallery.story import DAY_US, MINUTE_US, Story, Told, constant, end_us, every, online
from simulators.scenario.noise import Floats, Micros


def latency(plan: Plan) -> Story:
    """A reading every ten minutes: of a hundred 96 arrive after 2 s, one after 30 s, three never."""
    at_us = every(plan, 10 * MINUTE_US)
    place = np.arange(at_us.size) % 100
    heard = (place != 17) & (place != 50) & (place != 83)
    delay_us = np.where(place == 5, 30_000_000, 2_000_000)
    told = Told(at_us=at_us[heard], value=np.full(int(heard.sum()), 420.0), delay_us=delay_us[heard])
    return Story(told={("node-1", "co2"): told}, linked={"node-1": online(plan)})


def radio(plan: Plan) -> Story:
    """A frame an hour, numbered from 65,000 on and from 0 again after 65,535; every 24th is lost."""
    at_us = every(plan, HOUR_US)
    number = np.arange(at_us.size)
    heard = number % 24 != 11
    told = Told(at_us=at_us[heard], value=((65_000 + number) % 65_536).astype(np.float64)[heard])
    return Story(told={("node-1", "fcnt"): told}, linked={"node-1": online(plan)})


def battery(plan: Plan) -> Story:
    """A charge that falls by 0.2 % a day from 100 % on."""
    at_us = every(plan, HOUR_US)
    told = Told(at_us=at_us, value=100.0 - 0.2 * (at_us - at_us[0]) / DAY_US)
    return Story(told={("node-1", "charge"): told}, linked={"node-1": online(plan)})


def accuracy(plan: Plan) -> Story:
    """A sensor that says a tenth too much, beside a reference between 20 and 40 µg/m³."""
    at_us, reference = _reference(plan)
    return _beside(plan, at_us, 1.1 * reference, reference)


def correlation(plan: Plan) -> Story:
    """A sensor that is 4 µg/m³ off, above and below in turn, whatever the reference says (20 or 40)."""
    at_us, reference = _reference(plan)
    off = np.where(np.arange(at_us.size) // 2 % 2 == 0, 4.0, -4.0)
    return _beside(plan, at_us, reference + off, reference)


def drift(plan: Plan) -> Story:
    """A sensor that says 1 % too much in the first half, 4 % too much in the second."""
    at_us, reference = _reference(plan)
    middle = (int(at_us[0]) + end_us(plan)) // 2
    return _beside(plan, at_us, np.where(at_us < middle, 1.01, 1.04) * reference, reference)


def traffic(plan: Plan) -> Story:
    """Of every fifty vehicles that the reference counts in five minutes the camera counts 49."""
    at_us = every(plan, 5 * MINUTE_US)
    passed = np.arange(at_us.size, dtype=np.float64)
    told = {
        ("camera-1", "vehicles"): Told(at_us=at_us, value=49 * passed),
        ("loop-1", "vehicles"): Told(at_us=at_us, value=50 * passed),
    }
    return Story(told=told, linked={"camera-1": online(plan), "loop-1": online(plan)})


def bodies(plan: Plan) -> Story:
    """Sixty sessions beside a clinical device: 1 % off in the saturation, 3 bpm in the pulse, above and below in turn."""
    at_us = every(plan, DAY_US)[:60]
    sign = np.where(np.arange(at_us.size) % 2 == 0, 1.0, -1.0)
    told = {
        ("ring-1", "spo2"): Told(at_us=at_us, value=96.0 + sign),
        ("ring-1", "pulse"): Told(at_us=at_us, value=70.0 - 3 * sign),
        ("clinic", "spo2"): constant(at_us, 96.0),
        ("clinic", "pulse"): constant(at_us, 70.0),
    }
    return Story(told=told, linked={"ring-1": online(plan), "clinic": online(plan)})


def _reference(plan: Plan) -> tuple[Micros, Floats]:
    """Every hour, 20 and 40 in turn."""
    at_us = every(plan, HOUR_US)
    return at_us, np.where(np.arange(at_us.size) % 2 == 0, 20.0, 40.0)


def _beside(plan: Plan, at_us: Micros, value: Floats, reference: Floats) -> Story:
    told = {("node-1", "pm25"): Told(at_us=at_us, value=value), ("ref-bam", "pm25"): Told(at_us=at_us, value=reference)}
    return Story(told=told, linked={"node-1": online(plan), "ref-bam": online(plan)})

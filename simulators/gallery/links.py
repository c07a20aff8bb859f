"""Rows about the device itself: whether it is there, what arrives of it, how long it lasts."""

from __future__ import annotations

import numpy as np

from core.window import HOUR_US
from devices.plan.model import Plan
from simulators.gallery.story import (
    DAY_US,
    MINUTE_US,
    Story,
    Told,
    begin_us,
    constant,
    end_us,
    every,
    happening,
    in_order,
    lasting,
    online,
)
from simulators.scenario.records import Link


def availability(plan: Plan) -> Story:
    """92 days, of which the link was lost for 1 %: 22 h 4 min 48 s."""
    lost_us = begin_us(plan) + 10 * DAY_US + 3 * HOUR_US
    back_us = lost_us + (end_us(plan) - begin_us(plan)) // 100
    at_us = every(plan, 10 * MINUTE_US)
    heard = at_us[(at_us < lost_us) | (at_us >= back_us)]
    links = [*online(plan), Link(at_us=lost_us, state="offline"), Link(at_us=back_us, state="online")]
    return Story(told={("lamp-1", "brightness"): constant(heard, 420.0)}, linked={"lamp-1": links})


def capture(plan: Plan) -> Story:
    """One reading every twelve minutes, of which every tenth was lost."""
    at_us = every(plan, 12 * MINUTE_US)
    kept = at_us[np.arange(at_us.size) % 10 != 5]
    return Story(told={("node-1", "pm25"): constant(kept, 18.0)}, linked={"node-1": online(plan)})


def mtbf(plan: Plan) -> Story:
    """Ten devices, four failures of the listed codes, one of another."""
    told: dict[tuple[str, str], Told] = {}
    for slot in plan.slots:
        told[slot, "load"] = constant(every(plan, HOUR_US), 3.0)
    codes = {"door-1": "E1", "door-3": "E2", "door-4": "E1", "door-8": "E2", "door-9": "I7"}
    happened = {
        slot: [happening("failure", begin_us(plan) + (9 + 14 * place) * DAY_US, 1, numbered=False, code=code)]
        for place, (slot, code) in enumerate(codes.items())
    }
    return Story(told=told, happened=happened, linked={slot: online(plan) for slot in plan.slots})


def repairs(plan: Plan) -> Story:
    """Five repairs of 10, 14, 20, 26 and 30 hours."""
    events = [
        event
        for place, hours in enumerate((10, 14, 20, 26, 30))
        for event in lasting("failure", begin_us(plan) + (3 + 16 * place) * DAY_US, hours * HOUR_US, place + 1)
    ]
    return Story(happened={"lift-1": in_order(events)}, linked={"lift-1": online(plan)})

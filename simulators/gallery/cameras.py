"""Rows about cameras and calls: alarms with what became of them, and how long an answer took."""

from __future__ import annotations

from devices.plan.model import Plan
from simulators.gallery.story import Story, happening, in_order, lasting, online, spread


def false_alarms(plan: Plan) -> Story:
    """Four cameras, two false alarms a day each, and a true one."""
    happened = {}
    for slot in plan.slots:
        every_third = enumerate(spread(plan, 276).tolist())
        happened[slot] = [
            happening("alert", at_us, place + 1, disposition="true" if place % 3 == 2 else "false")
            for place, at_us in every_third
        ]
    return Story(happened=happened, linked={slot: online(plan) for slot in plan.slots})


def confirmed(plan: Plan) -> Story:
    """300 alarms, of which an operator confirmed 255."""
    events = [
        happening("alert", at_us, place + 1, confirmed=place % 20 not in (3, 9, 17))
        for place, at_us in enumerate(spread(plan, 300).tolist())
    ]
    return Story(happened={"camera-1": events}, linked={"camera-1": online(plan)})


def calls(plan: Plan) -> Story:
    """200 calls: 190 answered after 61, 62, … 250 s, ten after 400 s."""
    events = []
    for place, at_us in enumerate(spread(plan, 200).tolist()):
        # Dealt out so that the long ones do not all come at the end: 77 and 200 have no common divisor.
        order = 77 * place % 200 + 1
        answered_s = 60 + order if order <= 190 else 400
        events += lasting("call", at_us, answered_s * 1_000_000, place + 1)
    return Story(happened={"bell-1": in_order(events)}, linked={"bell-1": online(plan)})

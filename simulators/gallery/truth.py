"""Rows about detections: what the product said, and what people say happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.window import HOUR_US
from devices.plan.model import Plan
from simulators.gallery.story import Story, constant, every, happening, in_order, online, spread
from simulators.scenario.records import Event

SECOND_US = 1_000_000


def leaks(plan: Plan) -> Story:
    """80 staged leaks, 77 of which the pipe's sensor found."""
    staged = spread(plan, 80).tolist()
    alerts = [_alert("leak", at_us + 20 * SECOND_US, place) for place, at_us in enumerate(staged) if place % 27 != 13]
    return _told(
        plan, "pipe-1", alerts, [_label("leak-truth", at_us, place, "pipe-1") for place, at_us in enumerate(staged)]
    )


def cracks(plan: Plan) -> Story:
    """Of 60 cracks of 0.3 mm and more 59 were found; of 40 narrower ones, which do not count, none."""
    labels, alerts = [], []
    for place, at_us in enumerate(spread(plan, 100).tolist()):
        wide = place % 5 in (0, 1, 2)
        labels.append(_label("crack-truth", at_us, place, "drone-1", width=0.5 if wide else 0.2, joint=place))
        if wide and place != 51:
            alerts.append(_alert("crack", at_us + 2 * SECOND_US, place, joint=place))
    return _told(plan, "drone-1", alerts, labels)


def falls(plan: Plan) -> Story:
    """100 falls, of which 92 raised an alarm; and eight alarms for nothing."""
    happened = spread(plan, 108).tolist()
    labels, alerts = [], []
    for place, at_us in enumerate(happened):
        false_alarm, missed = place % 13 == 5 and place < 104, place % 13 == 9 and place < 104
        if not false_alarm:
            labels.append(_label("fall-truth", at_us, place, "camera-1"))
        if not missed:
            alerts.append(_alert("fall", at_us + 4 * SECOND_US, place))
    return _told(plan, "camera-1", alerts, labels)


def alarms(plan: Plan) -> Story:
    """100 falls: three without an alarm, the others after 0.1, 0.2, … 9.7 s."""
    labels, alerts = [], []
    for place, at_us in enumerate(spread(plan, 100).tolist()):
        labels.append(_label("fall-truth", at_us, place, "camera-1"))
        # Dealt out so that the long ones do not all come at the end: 37 and 100 have no common divisor.
        order = 37 * place % 100 + 1
        if order <= 97:
            alerts.append(_alert("fall", at_us + order * SECOND_US // 10, place))
    return _told(plan, "camera-1", alerts, labels)


def incidents(plan: Plan) -> Story:
    """200 staged incidents: 194 found; six tests without an incident, two of which raised an alarm."""
    labels, alerts = [], []
    for place, at_us in enumerate(spread(plan, 206).tolist()):
        without = place % 34 == 20
        labels.append(_label("incident-truth", at_us, place, "tunnel-1", outcome="negative" if without else "positive"))
        if place in (20, 54) if without else place % 33 != 7 or place > 180:
            alerts.append(_alert("incident", at_us + 8 * SECOND_US, place))
    return _told(plan, "tunnel-1", alerts, labels)


def staged_fires(plan: Plan) -> Story:
    """30 staged fires, all of which raised an alarm."""
    staged = spread(plan, 30).tolist()
    alerts = [_alert("fire", at_us + 25 * SECOND_US, place) for place, at_us in enumerate(staged)]
    return _told(
        plan,
        "detector-1",
        alerts,
        [_label("fire-truth", at_us, place, "detector-1") for place, at_us in enumerate(staged)],
    )


def _alert(kind: str, at_us: int, place: int, **attributes: Any) -> Event:
    return happening(kind, at_us, place + 1, numbered=False, **attributes)


def _label(kind: str, at_us: int, place: int, slot: str, outcome: str = "positive", **attributes: Any) -> Event:
    """A label from the desk of the site, made without seeing the alerts."""
    return happening(
        kind, at_us, place + 1, numbered=False, slot=slot, outcome=outcome, blind=True, labeller="kim", **attributes
    )  # fmt: skip


def _told(plan: Plan, slot: str, alerts: Sequence[Event], labels: Sequence[Event]) -> Story:
    told = {
        (slot, "temperature"): constant(every(plan, HOUR_US), 21.0),
        ("desk", "temperature"): constant(every(plan, HOUR_US), 22.0),
    }
    return Story(
        told=told,
        happened={slot: in_order(alerts), "desk": in_order(labels)},
        linked={slot: online(plan), "desk": online(plan)},
    )

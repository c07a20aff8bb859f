"""Filters of a plan that overlap what other pilots' connections publish."""

from __future__ import annotations

from collections.abc import Iterable

from devices.plan.checks.fault import Fault, fault
from devices.plan.model import Plan
from devices.plan.overlap import overlap
from devices.plan.problem import Way


def foreign_overlaps(plan: Plan, others: Iterable[tuple[str, str, str]]) -> list[Fault]:
    """Each of the plan's own filters that takes a topic of another pilot's.

    Native topics need no look: they begin with their pilot's name.

    :param others: pilot, connection and filter of the active connections of other pilots.
    """
    foreign = [item for item in others if not item[2].startswith("pilots/")]
    found = []
    for way, text in _filters(plan):
        for pilot, connection, theirs in foreign:
            if overlap(text, theirs):
                found.append(fault(way, "topic-foreign", theirs=theirs, connection=connection, pilot=pilot))
    return found


def _filters(plan: Plan) -> Iterable[tuple[Way, str]]:
    for name, connection in plan.connections.items():
        for position, text in enumerate(connection.topics):
            yield ("connections", name, "topics", position), text
    for name, slot in plan.slots.items():
        for position, text in enumerate(slot.topics):
            yield ("slots", name, "topics", position), text

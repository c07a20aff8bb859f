"""Channels of protocols that state the units of what they carry: a unit that cannot be it, or is said to be another."""

from __future__ import annotations

from collections.abc import Iterator

from core.units import UnitError, conversion
from devices.plan.checks.channels import converts
from devices.plan.checks.fault import Fault, fault
from devices.plan.draft import Draft
from devices.plan.problem import Way
from devices.plan.protocols import terms_of


def stated_units(plan: Draft) -> Iterator[Fault]:
    """What a protocol states goes before the plan, so the plan must not say otherwise."""
    for slot_name, slot in plan.slots.items():
        connection = plan.connections.get(plan.connection_of(slot_name))
        terms = None if connection is None else terms_of(connection.protocol)
        unit_of = None if terms is None else terms.stated
        if unit_of is None or connection is None:
            continue
        for name, channel in slot.channels.items():
            if channel is None:
                continue
            source, way = channel.source or name, ("slots", slot_name, "channels", name)
            try:
                stated = unit_of(source)
            except LookupError:
                yield fault((*way, "source"), "source-unknown", protocol=connection.protocol, source=source)
                continue
            if stated is None or channel.unit is None:
                continue
            said = {"protocol": connection.protocol, "source": source, "stated": stated}
            place: Way = (*way, "unit")
            if not converts(stated, channel.unit):
                yield fault(place, "stated-unit", unit=channel.unit, **said)
            elif channel.source_unit is not None and not _same(stated, channel.source_unit):
                yield fault((*way, "source_unit"), "stated-source-unit", unit=channel.source_unit, **said)


def _same(one: str, other: str) -> bool:
    try:
        found = conversion(one, other)
    except UnitError:
        return False
    return found.scale == 1 and found.offset == 0


CHECKS = (stated_units,)

"""Connections: protocols that we know, filters that are valid and nobody else's, slots that can be told apart."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from pydantic import BaseModel, ValidationError

from devices.plan.checks.fault import Fault, fault
from devices.plan.draft import Draft
from devices.plan.model import Connection
from devices.plan.overlap import fault as filter_fault
from devices.plan.overlap import overlap
from devices.plan.parts import NoOptions
from devices.plan.problem import Way, guess, known
from devices.plan.protocols import known_protocols, terms_of


def protocols(plan: Draft) -> Iterator[Fault]:
    """A connection's protocol is one of ours, and takes the options given."""
    names = known_protocols()
    for name, connection in plan.connections.items():
        if connection is None:
            continue
        way: Way = ("connections", name)
        terms = terms_of(connection.protocol)
        if terms is None:
            close = guess(connection.protocol, names)
            yield fault((*way, "protocol"), "protocol", known=known(names), guess=close)
            continue
        try:
            (terms.options or NoOptions).model_validate(connection.options)
        except ValidationError as error:
            for item in error.errors():
                where: Way = (*way, "options", *item["loc"])
                yield fault(where, "protocol-options", protocol=connection.protocol, why=item["msg"])


def selects(plan: Draft) -> Iterator[Fault]:
    """A slot selects by what its connection's protocol knows."""
    for name, slot in plan.slots.items():
        connection = plan.connections.get(plan.connection_of(name)) if slot.connection_given else Connection()
        model = None if connection is None else _select_model(connection.protocol)
        if model is None or connection is None or not slot.select:
            continue
        try:
            model.model_validate(slot.select)
        except ValidationError as error:
            for item in error.errors():
                where: Way = ("slots", name, "select", *item["loc"][:1])
                keys = list(model.model_fields)
                if item["type"] == "extra_forbidden":
                    close = guess(str(item["loc"][0]), keys)
                    yield fault(where, "select-key", protocol=connection.protocol, known=known(keys), guess=close)
                else:
                    yield fault(where, "select-value", protocol=connection.protocol, why=item["msg"])


def _select_model(protocol: str) -> type[BaseModel] | None:
    terms = terms_of(protocol)
    return None if terms is None else terms.select


def names(plan: Draft) -> Iterator[Fault]:
    """Slots name connections that exist; every connection has a slot; none is meant by accident."""
    for slot_name, slot in plan.slots.items():
        if slot.connection is not None and slot.connection not in plan.connections:
            there = list(plan.connections)
            close = guess(slot.connection, there)
            yield fault(("slots", slot_name, "connection"), "connection-unknown", known=known(there), guess=close)
        elif not slot.connection_given and slot_name in plan.connections:
            yield fault(("slots", slot_name), "connection-own", name=slot_name)
    for name in plan.connections:
        if not plan.slots_of(name):
            yield fault(("connections", name), "connection-unused")


def _written(plan: Draft) -> Iterator[tuple[str, str | None, Way, str]]:
    """Every filter in the plan: connection, slot (None: the connection's own), path, text."""
    for name, connection in plan.connections.items():
        for position, text in enumerate(() if connection is None else connection.topics):
            yield name, None, ("connections", name, "topics", position), text
    for slot_name, slot in plan.slots.items():
        for position, text in enumerate(slot.topics):
            yield plan.connection_of(slot_name), slot_name, ("slots", slot_name, "topics", position), text


def filters(plan: Draft) -> Iterator[Fault]:
    """Each filter is valid MQTT, names where it speaks, and takes nothing of another pilot's or of ours."""
    for _, _, way, text in _written(plan):
        if why := filter_fault(text):
            yield fault(way, "topic-form", why=why)
        else:
            yield from _reserved(plan, way, text)


def _reserved(plan: Draft, way: Way, text: str) -> Iterator[Fault]:
    levels = text.split("/")
    if levels[0] in ("#", "+"):
        yield fault(way, "topic-all")
    elif levels[0].startswith("$"):
        yield fault(way, "topic-system")
    elif levels[0] == "pilots" and plan.pilot is not None:
        if levels[1:2] != [plan.pilot]:
            yield fault(way, "topic-pilots", pilot=plan.pilot)
            return
        for theirs in (f"pilots/{plan.pilot}/+/receipt", f"pilots/{plan.pilot}/seal"):
            if overlap(text, theirs):
                yield fault(way, "topic-ours", theirs=theirs)


def speakers(plan: Draft) -> Iterator[Fault]:
    """A topic has one speaker: no filter overlaps another connection's, native ones included."""
    valid = [item for item in _written(plan) if filter_fault(item[3]) is None]
    for (name, _, way, text), (other, _, _, theirs) in combinations(valid, 2):
        if name != other and overlap(text, theirs):
            yield fault(way, "topic-overlap", other=other, theirs=theirs)
    everybody = {plan.connection_of(slot) for slot in plan.slots}
    for name, _, way, text in valid:
        for other in sorted(everybody - {name}):
            clash = next((theirs for theirs in plan.native(other) if overlap(text, theirs)), None)
            if clash is not None:
                yield fault(way, "topic-overlap", other=other, theirs=clash)


def selections(plan: Draft) -> Iterator[Fault]:
    """Slots that share a connection with topics of its own can be told apart."""
    for name, connection in plan.connections.items():
        slots = plan.slots_of(name)
        if connection is None or len(slots) < 2:
            continue
        chosen: dict[str, str] = {}
        for slot in slots:
            select, topics = plan.slots[slot].select, plan.slots[slot].topics
            if connection.topics and not select and not topics:
                yield fault(("slots", slot), "select-needed", connection=name, count=len(slots))
            if select and not topics:
                other = chosen.setdefault(repr(sorted(select.items(), key=str)), slot)
                if other != slot:
                    yield fault(("slots", slot, "select"), "select-twice", other=other)
        yield from _shared_filters(plan, slots)


def _shared_filters(plan: Draft, slots: tuple[str, ...]) -> Iterator[Fault]:
    for one, other in combinations(slots, 2):
        if plan.slots[one].select and plan.slots[other].select:
            continue
        for position, text in enumerate(plan.slots[other].topics):
            for theirs in plan.slots[one].topics:
                if filter_fault(text) is None and filter_fault(theirs) is None and overlap(text, theirs):
                    yield fault(("slots", other, "topics", position), "topic-slots", other=one, theirs=theirs)


CHECKS = (protocols, selects, names, filters, speakers, selections)

"""The labels of a pilot as one evaluation knows them: those that people recorded, and those that came as events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from devices.plan.model import Plan
from devices.plan.truth import Side
from devices.registry.queries import plan_of
from kpi.inputs.reader import Reader
from kpi.inputs.truth import Said, of_label
from kpi.measures.happenings import GRACE_US, Event, by_id
from kpi.records.labels import labels

SLOT = "slot"
"""The attribute by which a label that came as an event names the slot that it is about, where that is not its own."""


def said_of(reader: Reader, kind: str, slot: str) -> tuple[Said, ...]:
    """The labels of one kind about a slot, each in the order in which it was recorded or happened."""
    if kind not in reader.labelled:
        # The whole plan: labels may be delivered by another slot than those that are judged just now.
        plan, _, _ = plan_of(reader.connection, reader.pilot, as_of=reader.as_of)
        found: dict[str, list[Said]] = {}
        for about, one in (*_recorded(reader, kind), *_delivered(reader, plan, kind)):
            found.setdefault(about, []).append(one)
        reader.labelled[kind] = {about: tuple(said) for about, said in found.items()}
    return reader.labelled[kind].get(slot, ())


def _recorded(reader: Reader, kind: str) -> Iterator[tuple[str, Said]]:
    for one in labels(reader.connection, reader.pilot, kind=kind, as_of=reader.as_of):
        yield one.slot, of_label(one)


def _delivered(reader: Reader, plan: Plan, kind: str) -> Iterator[tuple[str, Said]]:
    """Whoever speaks on the connection is the labeller: what the message says of his side does not count."""
    until = min(reader.whole.end + timedelta(microseconds=GRACE_US), reader.as_of)
    for name, slot in plan.slots.items():
        if kind not in slot.events or not slot.events[kind].truth:
            continue
        side = plan.owner_of(name)
        for number, event in by_id(reader.happenings(name, kind, until)):
            about = event.attributes.get(SLOT, name)
            if isinstance(about, str):
                yield about, _of_event(f"{name}/{number}", event, side)


def _of_event(number: str, event: Event, side: Side) -> Said:
    said: Mapping[str, Any] = event.attributes
    outcome = said.get("outcome", "positive")
    return Said(
        id=number,
        start_us=event.at_us,
        end_us=max(event.at_us, event.at_us if event.end_us is None else event.end_us),
        # Of what nobody can read it is not known that nothing happened.
        outcome=outcome if outcome in ("negative", "empty") else "positive",
        side=side,
        blind=said.get("blind") is True,
        second=said.get("reader") == 2,
        attributes={name: value for name, value in said.items() if name not in (SLOT, "outcome", "blind", "reader")},
    )

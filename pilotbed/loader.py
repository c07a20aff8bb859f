"""History for simulated pilots: what a scenario would have sent, straight into the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
import numpy as np

from core.database import Connection
from core.window import MICROSECOND, Window
from devices.plan.model import Plan
from simulators.scenario.records import Event, Link, Readings
from telemetry.batch import EventRecord, LinkStateRecord
from telemetry.channels import ChannelInfo, channels
from telemetry.intake import latest_readings
from telemetry.load import load_happenings, load_readings, loaded_until, record_alive
from telemetry.rows import Columns

_STEP = timedelta(days=10)
_DELAY_US = 350_000
"""From a device's clock to the store, as a site with a good network has it."""


class History(Protocol):
    """What can be asked what a slot sent in a window: a scenario, or a story of the gallery."""

    def readings(self, plan: Plan, slot: str, start: datetime, end: datetime) -> Readings:
        """The readings in ``[start, end)``."""

    def events(self, plan: Plan, slot: str, start: datetime, end: datetime) -> Sequence[Event]:
        """The events in ``[start, end)``."""

    def links(self, plan: Plan, slot: str, start: datetime, end: datetime) -> Sequence[Link]:
        """The changes of the link in ``[start, end)``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What was written."""

    window: Window
    readings: int
    events: int


def load_history(
    connection: Connection, plan: Plan, scenario: History, until: datetime, progress: Callable[[float], None]
) -> Loaded:
    """Fill a pilot's store from where the last load ended (or its period began) up to ``until``.

    :param progress: called with the share that is done, 0 to 1.
    :raises PermanentError: the plan is not marked simulated.
    """
    window = Window(start=_begin(connection, plan, until), end=max(plan.window.start, min(until, plan.window.end)))
    by_name = {(info.slot, info.name): info for info in channels(connection, plan.pilot)}
    parts = _parts(window)
    readings = events = 0
    for done, part in enumerate(parts):
        # One transaction a part, with the word that it is there: a load that is broken off goes on from its last part.
        with connection.transaction():
            for place, slot in enumerate(plan.slots):
                progress((done + place / len(plan.slots)) / len(parts))
                found = scenario.readings(plan, slot, part.start, part.end)
                readings += _load_readings(connection, plan, found, slot, by_name)
                events += _load_happenings(connection, plan, scenario, slot, part, by_name)
            record_alive(connection, plan.pilot, part)
    progress(1.0)
    return Loaded(window=window, readings=readings, events=events)


def _begin(connection: Connection, plan: Plan, until: datetime) -> datetime:
    """Where to go on: after the last load, and after what came live since then."""
    latest = [row["observed_at"] for row in latest_readings(connection, plan.pilot)]
    reached = [plan.window.start, loaded_until(connection, plan.pilot) or plan.window.start]
    reached += [at + MICROSECOND for at in latest if at is not None]
    return min(max(reached), max(until, plan.window.start))


def _parts(window: Window) -> list[Window]:
    count = -(-(window.end - window.start) // _STEP)
    starts = [window.start + step * _STEP for step in range(count)]
    return [Window(start=start, end=min(start + _STEP, window.end)) for start in starts]


def _load_readings(
    connection: Connection, plan: Plan, found: Readings, slot: str, by_name: dict[tuple[str, str], ChannelInfo]
) -> int:
    ids = np.array([by_name[slot, name].channel_ids[-1] for name in found.channels], dtype=np.int32)
    if not len(found):
        return 0
    columns = Columns(
        channel_id=ids[found.channel],
        observed_us=found.observed_us,
        value=found.value,
        flags=np.zeros(len(found), dtype=np.int16),
    )
    delay_us = _DELAY_US if found.delay_us is None else found.delay_us
    return load_readings(connection, plan.pilot, columns, found.observed_us + delay_us)


def _load_happenings(
    connection: Connection,
    plan: Plan,
    scenario: History,
    slot: str,
    part: Window,
    by_name: dict[tuple[str, str], ChannelInfo],
) -> int:
    slot_id = next(info.slot_id for (name, _), info in by_name.items() if name == slot)
    events = [
        EventRecord(
            slot_id=slot_id,
            kind=event.kind,
            id=event.id,
            phase=event.phase,
            number=event.number,
            at_us=event.at_us,
            attributes=msgspec.json.encode(event.attributes),
        )
        for event in scenario.events(plan, slot, part.start, part.end)
    ]
    links = [
        LinkStateRecord(slot_id=slot_id, at_us=link.at_us, state=link.state, origin="status")
        for link in scenario.links(plan, slot, part.start, part.end)
    ]
    return load_happenings(connection, plan.pilot, events, links, _DELAY_US)

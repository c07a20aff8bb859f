"""What a scenario's site has to tell, slot by slot, as the plan's protocols carry it: the one source of loader and sender."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from heapq import merge
from operator import attrgetter
from typing import Final

import numpy as np

from devices.plan.model import Plan
from simulators.encoding import Utterance, reported_of
from simulators.encoding.reported import Reported
from simulators.encoding.said import Value
from simulators.scenario.base import Scenario
from simulators.scenario.records import Event, Link, Readings

_CHUNK: Final = timedelta(hours=1)


class Site:
    """A scenario at a plan's slots. What the platform has of it in the end is what :meth:`readings`, :meth:`events` and
    :meth:`links` tell, whether it is loaded or sent.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._reported: dict[type[Reported], Reported] = {}

    def readings(self, plan: Plan, slot: str, start: datetime, end: datetime) -> Readings:
        """The readings in ``[start, end)``."""
        return self._of(plan, slot).readings(plan, slot, start, end)

    def events(self, plan: Plan, slot: str, start: datetime, end: datetime) -> list[Event]:
        """The events in ``[start, end)``."""
        return self._of(plan, slot).events(plan, slot, start, end)

    def links(self, plan: Plan, slot: str, start: datetime, end: datetime) -> list[Link]:
        """The changes of the link in ``[start, end)``."""
        return self._of(plan, slot).links(plan, slot, start, end)

    def utterances(self, plan: Plan, start: datetime, end: datetime) -> Iterator[Utterance]:
        """Everything that the plan's slots have to tell in ``[start, end)``, in the order of time."""
        while start < end:
            stop = min(start + _CHUNK, end)
            yield from merge(
                *(sorted(self._uttered(plan, slot, start, stop), key=attrgetter("order")) for slot in plan.slots),
                key=attrgetter("order"),
            )
            start = stop

    def _uttered(self, plan: Plan, slot: str, start: datetime, end: datetime) -> Iterator[Utterance]:
        found = self._of(plan, slot)
        for at_us, values in _by_instant(plan, slot, found.readings(plan, slot, start, end)).items():
            yield Utterance(at_us=at_us, slot=slot, what=values)
        for event in found.happenings(plan, slot, start, end):
            yield Utterance(at_us=event.at_us, slot=slot, what=event)
        for link in self.scenario.links(plan, slot, start, end):
            yield Utterance(at_us=link.at_us, slot=slot, what=link)

    def _of(self, plan: Plan, slot: str) -> Reported:
        kind = reported_of(plan, slot)
        if kind not in self._reported:
            self._reported[kind] = kind(self.scenario)
        return self._reported[kind]


def _by_instant(plan: Plan, slot: str, readings: Readings) -> dict[int, dict[str, Value]]:
    """The values that are told together, in source units and by the names of states."""
    names = np.array(readings.channels, dtype=object)
    states = {name: channel.states for name, channel in plan.slots[slot].channels.items()}
    together: dict[int, dict[str, Value]] = {}
    for at_us, name, sent in zip(
        readings.observed_us.tolist(), names[readings.channel].tolist(), readings.sent.tolist(), strict=True
    ):
        of_channel = states[name]
        together.setdefault(at_us, {})[name] = sent if of_channel is None else of_channel[int(sent)]
    return together

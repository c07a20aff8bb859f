"""What a scenario tells, as whoever reads the protocol gets it: what the loader writes as history is this."""

from __future__ import annotations

from datetime import datetime

from devices.plan.model import Plan
from simulators.scenario.base import Scenario
from simulators.scenario.records import Event, Link, Readings


class Reported:
    """As it is: protocols that carry instants, values and events whole need no more."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario

    def readings(self, plan: Plan, slot: str, start: datetime, end: datetime) -> Readings:
        """The readings in ``[start, end)``."""
        return self.scenario.readings(plan, slot, start, end)

    def events(self, plan: Plan, slot: str, start: datetime, end: datetime) -> list[Event]:
        """The events in ``[start, end)`` that are read out of the messages."""
        return self.scenario.events(plan, slot, start, end)

    def links(self, plan: Plan, slot: str, start: datetime, end: datetime) -> list[Link]:
        """What the slot's link did in ``[start, end)``."""
        return self.scenario.links(plan, slot, start, end)

    def happenings(self, plan: Plan, slot: str, start: datetime, end: datetime) -> list[Event]:
        """What the encoder is told in ``[start, end)``: events, or what events are to be read out of."""
        return self.scenario.events(plan, slot, start, end)

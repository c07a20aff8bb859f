"""A scenario over MQTT: the same readings at the same instants, sent when they are due."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import merge
from typing import Final

import numpy as np

from core.errors import BrokerAway, PermanentError
from core.window import MICROSECOND, instant, micros
from devices.plan.model import Plan
from simulators.encoder import Encoder, Value
from simulators.login import Login
from simulators.outlet import Outlet, counts_of, opened
from simulators.publisher import Will
from simulators.receipts.sender import Counts, NotReceipted, Receipts
from simulators.scenario.base import Scenario

_CHUNK: Final = timedelta(hours=1)
_LONGEST_SLEEP_S: Final = 0.2
_FAREWELL_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Message:
    """Something to be sent when it is ``at_us`` on the device's clock."""

    at_us: int
    slot: str
    topic: str
    payload: bytes
    readings: int = 0
    retain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How the device's clock goes: ``speed`` times as fast as ours from ``start`` on, until it has caught up with ours."""

    start: datetime
    begun: datetime
    speed: float

    def due(self, at: datetime) -> datetime:
        """When our clock shows what the device's clock calls ``at``: never before ``at`` itself.

        >>> pace = Pace(start=datetime(2026, 3, 1, tzinfo=UTC), begun=datetime(2026, 3, 2, tzinfo=UTC), speed=60.0)
        >>> pace.due(datetime(2026, 3, 1, 1, tzinfo=UTC)) - pace.begun
        datetime.timedelta(seconds=60)
        >>> pace.due(datetime(2026, 3, 3, tzinfo=UTC))
        datetime.datetime(2026, 3, 3, 0, 0, tzinfo=datetime.timezone.utc)
        """
        return max(at, self.begun + (at - self.start) / self.speed)

    def device_time(self, now: datetime) -> datetime:
        """What the device's clock shows."""
        return min(now, self.start + (now - self.begun) * self.speed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a run came to."""

    readings: int
    events: int
    messages: int
    acknowledged: int
    unheard: int
    receipts: Counts | None
    """None: sent without."""
    start: datetime
    until: datetime
    seconds: float


def messages(scenario: Scenario, plan: Plan, start: datetime, end: datetime) -> Iterator[Message]:
    """Everything that the plan's slots say in ``[start, end)``, in the order of time."""
    encoders = {slot: Encoder(plan, slot) for slot in plan.slots}
    while start < end:
        stop = min(start + _CHUNK, end)
        yield from merge(*(sorted(_of_slot(scenario, plan, slot, encoders[slot], start, stop)) for slot in plan.slots))
        start = stop


def _of_slot(
    scenario: Scenario, plan: Plan, slot: str, encoder: Encoder, start: datetime, end: datetime
) -> Iterator[Message]:
    readings = scenario.readings(plan, slot, start, end)
    names = np.array(readings.channels, dtype=object)
    states = {name: channel.states for name, channel in plan.slots[slot].channels.items()}
    together: dict[int, dict[str, Value]] = {}
    for at_us, name, sent in zip(
        readings.observed_us.tolist(), names[readings.channel].tolist(), readings.sent.tolist(), strict=True
    ):
        of_channel = states[name]
        together.setdefault(at_us, {})[name] = sent if of_channel is None else of_channel[int(sent)]
    for at_us, values in together.items():
        payload = encoder.reading(at_us, values)
        yield Message(at_us=at_us, slot=slot, topic=encoder.readings_topic, payload=payload, readings=len(values))
    for event in scenario.events(plan, slot, start, end):
        yield Message(at_us=event.at_us, slot=slot, topic=encoder.events_topic, payload=encoder.event(event))
    for link in scenario.links(plan, slot, start, end):
        payload = encoder.status(link.state, link.at_us)
        yield Message(at_us=link.at_us, slot=slot, topic=encoder.status_topic, payload=payload, retain=True)


class Run:
    """A scenario being sent: one publisher a connection, each with a last will and ``online`` at every connect.

    :param logins: by connection name of the plan.
    :param start: where the device's clock begins; not before the pilot's period.
    :param lasts: how long to run by our clock; None: until it is stopped, or the pilot's period ends.
    :param receipts: number each message and keep it until its receipt; None: the broker's word is enough.
    """

    def __init__(
        self,
        scenario: Scenario,
        plan: Plan,
        logins: Mapping[str, Login],
        *,
        start: datetime | None = None,
        speed: float = 1.0,
        lasts: timedelta | None = None,
        receipts: Receipts | None = None,
    ) -> None:
        begun = datetime.now(UTC)
        if begun >= plan.window.end:
            raise PermanentError(
                f"Pilot {plan.pilot!r} ended on {plan.period.end}: a live device has nothing to say any more."
            )
        start = max(begun if start is None else start, plan.window.start)
        if start > begun:
            raise PermanentError(
                f"Pilot {plan.pilot!r} would begin at {start.isoformat()}: readings of the future are never sent. Choose an"
                " earlier start, or wait."
            )
        lacking = {plan.connection_of(slot)[0] for slot in plan.slots} - set(logins)
        if lacking:
            raise PermanentError(
                f"No credential for connection {', '.join(sorted(lacking))} of pilot {plan.pilot!r}: the credential file has"
                f" {', '.join(sorted(logins)) or 'none'}. Write one: pilotbed plan apply PLAN --credentials FILE."
            )
        scenario.check(plan)
        self._scenario = scenario
        self._plan = plan
        self._lasts = lasts
        self._receipts = receipts
        self._pace = Pace(start=start, begun=begun, speed=speed)
        self._encoders = {slot: Encoder(plan, slot) for slot in plan.slots}
        self._publishers = {name: self._publisher(name, login) for name, login in logins.items() if plan.slots_of(name)}

    def __call__(
        self, stop: threading.Event, *, progress: Callable[[int, datetime], None] = lambda _n, _at: None
    ) -> Sent:
        """Send until ``stop`` is set, the time is up, or the pilot ends; then say offline and take leave.

        :param progress: is told the readings sent so far and the device's time, after each message.
        """
        begun_s = time.monotonic()
        try:
            for publisher in self._publishers.values():
                publisher.connect()
            readings, events = self._send(stop, progress)
            until = self._now()
            self._say_offline(until)
        except BaseException:
            for publisher in self._publishers.values():
                publisher.abandon()
            raise
        publishers = self._publishers.values()
        for publisher in publishers:
            publisher.close()
        return Sent(
            readings=readings,
            events=events,
            messages=sum(publisher.sent for publisher in publishers),
            acknowledged=sum(publisher.acknowledged for publisher in publishers),
            unheard=sum(publisher.unheard for publisher in publishers),
            receipts=counts_of(publishers),
            start=self._pace.start,
            until=until,
            seconds=time.monotonic() - begun_s,
        )

    def _send(self, stop: threading.Event, progress: Callable[[int, datetime], None]) -> tuple[int, int]:
        """Send what becomes due, until it ends; the number of readings and events."""
        readings = events = 0
        end = self._plan.window.end
        if self._lasts is not None:
            end = min(end, self._pace.device_time(self._pace.begun + self._lasts))
        for message in messages(self._scenario, self._plan, self._pace.start, end):
            if not self._wait_until(self._pace.due(instant(message.at_us)), stop):
                return readings, events
            publisher = self._of(message.slot)
            while publisher.full and not stop.is_set():
                publisher.wait(_LONGEST_SLEEP_S)
            if stop.is_set():
                return readings, events
            publisher.publish(message.topic, message.payload, retain=message.retain)
            readings += message.readings
            events += message.topic == self._encoders[message.slot].events_topic
            progress(readings, instant(message.at_us))
        self._wait_until(self._pace.due(end), stop)
        return readings, events

    def _now(self) -> datetime:
        """The device's time, within the pilot's period."""
        return min(self._pace.device_time(datetime.now(UTC)), self._plan.window.end - MICROSECOND)

    def _publisher(self, connection: str, login: Login) -> Outlet:
        slots = self._plan.slots_of(connection)
        first = self._encoders[slots[0]]

        def greetings() -> list[tuple[str, bytes]]:
            return [(self._encoders[slot].status_topic, self._status(slot, self._now())) for slot in slots]

        will = Will(topic=first.status_topic, payload=first.will())
        return opened(
            login, self._plan, slots[0], receipts=self._receipts, will=will, greetings=greetings, patience_s=None
        )

    def _status(self, slot: str, at: datetime) -> bytes:
        state = "online" if self._scenario.is_online(self._plan, slot, at) else "offline"
        return self._encoders[slot].status(state, micros(at))

    def _of(self, slot: str) -> Outlet:
        return self._publishers[self._plan.connection_of(slot)[0]]

    def _wait_until(self, due: datetime, stop: threading.Event) -> bool:
        """Wait for an instant by our clock; False if it is stopped first. Raises what went wrong with a connection."""
        while not stop.is_set():
            for publisher in self._publishers.values():
                publisher.wait(0)
            left_s = (due - datetime.now(UTC)).total_seconds()
            if left_s <= 0:
                return True
            stop.wait(min(left_s, _LONGEST_SLEEP_S))
        return False

    def _say_offline(self, at: datetime) -> None:
        for slot, encoder in self._encoders.items():
            if not self._of(slot).full:
                self._of(slot).publish(encoder.status_topic, encoder.status("offline", micros(at)), retain=True)
        patience_s = _FAREWELL_S if self._receipts is None else self._receipts.farewell_s
        for publisher in self._publishers.values():
            # A broker or collector that is away keeps nobody from stopping: the counts then say what is open.
            with suppress(BrokerAway, NotReceipted):
                publisher.flush(patience_s=patience_s)

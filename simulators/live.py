"""A scenario over MQTT: the same readings at the same instants, sent when they are due."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from core.errors import BrokerAway, PermanentError
from core.window import MICROSECOND, instant
from devices.plan.model import Plan
from simulators.encoding import Said, Utterance, encoder_of
from simulators.login import Login
from simulators.outlet import counts_of, unconfirmed_of
from simulators.receipts.sender import Counts, NotReceipted, Receipts
from simulators.scenario.base import Scenario
from simulators.scenario.records import Event, Link
from simulators.site import Site
from simulators.speaker import Speaker

_LONGEST_SLEEP_S: Final = 0.2
_FAREWELL_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something to be sent when it is ``at_us`` on the device's clock."""

    at_us: int
    slot: str
    said: Said
    utterance: Utterance

    @property
    def topic(self) -> str:
        return self.said.topic

    @property
    def payload(self) -> bytes:
        return self.said.payload

    @property
    def readings(self) -> int:
        """How many readings it was made of."""
        return 0 if isinstance(self.utterance.what, Event | Link) else len(self.utterance.what)


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
    unconfirmed: int
    """Of the messages, those at QoS 0: nobody says whether they arrived."""
    unheard: int
    receipts: Counts | None
    """None: sent without."""
    start: datetime
    until: datetime
    seconds: float


def messages(scenario: Scenario, plan: Plan, start: datetime, end: datetime) -> Iterator[Message]:
    """Everything that the plan's slots say in ``[start, end)``, in the order of time: without greetings, and as over one
    connection that never broke.
    """
    connections = {slot: plan.connection_of(slot)[0] for slot in plan.slots}
    encoders = {name: encoder_of(plan, name) for name in dict.fromkeys(connections.values())}
    for utterance in Site(scenario).utterances(plan, start, end):
        for said in encoders[connections[utterance.slot]].say(utterance):
            yield Message(at_us=utterance.at_us, slot=utterance.slot, said=said, utterance=utterance)


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
        self._site = Site(scenario)
        self._plan = plan
        self._lasts = lasts
        self._farewell_s = _FAREWELL_S if receipts is None else receipts.farewell_s
        self._speakers = {
            name: Speaker(
                plan,
                name,
                login,
                now=self._now,
                online=lambda slot, at: scenario.is_online(plan, slot, at),
                receipts=receipts,
            )
            for name, login in logins.items()
            if plan.slots_of(name)
        }
        for utterance in self._site.utterances(plan, scenario.quiet(plan, start), start):
            self._of(utterance.slot).recall(utterance)
        self._pace = Pace(start=start, begun=datetime.now(UTC), speed=speed)

    def __call__(
        self, stop: threading.Event, *, progress: Callable[[int, datetime], None] = lambda _n, _at: None
    ) -> Sent:
        """Send until ``stop`` is set, the time is up, or the pilot ends; then say offline and take leave.

        :param progress: is told the readings sent so far and the device's time, after each message.
        """
        begun_s = time.monotonic()
        outlets = [speaker.outlet for speaker in self._speakers.values()]
        try:
            for speaker in self._speakers.values():
                speaker.connect()
            readings, events = self._send(stop, progress)
            until = self._now()
            self._say_farewell()
        except BaseException:
            for outlet in outlets:
                outlet.abandon()
            raise
        for outlet in outlets:
            outlet.close()
        return Sent(
            readings=readings,
            events=events,
            messages=sum(outlet.sent for outlet in outlets),
            acknowledged=sum(outlet.acknowledged for outlet in outlets),
            unconfirmed=unconfirmed_of(outlets),
            unheard=sum(outlet.unheard for outlet in outlets),
            receipts=counts_of(outlets),
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
        for utterance in self._site.utterances(self._plan, self._pace.start, end):
            if not self._wait_until(self._pace.due(instant(utterance.at_us)), stop):
                return readings, events
            speaker = self._of(utterance.slot)
            while speaker.full and not stop.is_set():
                speaker.wait(_LONGEST_SLEEP_S)
            if stop.is_set():
                return readings, events
            speaker.say(utterance)
            if isinstance(utterance.what, Event):
                events += 1
            elif not isinstance(utterance.what, Link):
                readings += len(utterance.what)
            progress(readings, instant(utterance.at_us))
        self._wait_until(self._pace.due(end), stop)
        return readings, events

    def _of(self, slot: str) -> Speaker:
        return self._speakers[self._plan.connection_of(slot)[0]]

    def _now(self) -> datetime:
        """The device's time, within the pilot's period."""
        return min(self._pace.device_time(datetime.now(UTC)), self._plan.window.end - MICROSECOND)

    def _wait_until(self, due: datetime, stop: threading.Event) -> bool:
        """Wait for an instant by our clock; False if it is stopped first. Raises what went wrong with a connection."""
        while not stop.is_set():
            for speaker in self._speakers.values():
                speaker.wait(0)
            left_s = (due - datetime.now(UTC)).total_seconds()
            if left_s <= 0:
                return True
            stop.wait(min(left_s, _LONGEST_SLEEP_S))
        return False

    def _say_farewell(self) -> None:
        for speaker in self._speakers.values():
            speaker.farewell()
        for speaker in self._speakers.values():
            # A broker or collector that is away keeps nobody from stopping: the counts then say what is open.
            with suppress(BrokerAway, NotReceipted):
                speaker.outlet.flush(patience_s=self._farewell_s)

"""One connection of a simulated site: what its encoder says, over the outlet that stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from core.errors import PermanentError
from core.window import micros
from devices.plan.model import Plan
from simulators.encoding import Encoder, Said, Utterance, encoder_of
from simulators.login import Login
from simulators.outlet import Outlet
from simulators.publisher import Ear, Publisher, Will
from simulators.receipts.sender import Receipts, Sender
from simulators.scenario.records import Event


class Speaker:
    """Says in one thread what is to be said, after the greeting of each connection; answers what it is told.

    :param live: whether it stands for the devices as they are now. If not, it says nothing of their links, unless what it says
        could not be read then.
    :param receipts: number each message and keep it until its receipt; for native JSON alone.
    :param now: the device's clock.
    :param online: by slot, whether its own link is up at an instant.
    :raises PermanentError: the protocol is none that simulators speak, or has no receipts.
    """

    def __init__(
        self,
        plan: Plan,
        connection: str,
        login: Login,
        *,
        now: Callable[[], datetime],
        online: Callable[[str, datetime], bool] = lambda _slot, _at: True,
        live: bool = True,
        receipts: Receipts | None = None,
        patience_s: float | None = None,
    ) -> None:
        self._slots = plan.slots_of(connection)
        self._now, self._online = now, online
        self._encoder: Encoder = encoder_of(plan, connection)
        self._greets = live or self._encoder.means_nothing_ungreeted
        self._greeted = 0
        self._commands: list[bytes] = []
        self.outlet: Outlet = (
            Publisher(login, will=self._will if self._greets else None, patience_s=patience_s, ear=self._ear())
            if receipts is None
            else self._sender(plan, connection, login, receipts, patience_s)
        )

    @property
    def full(self) -> bool:
        """Whether what is said next would wait, or be lost."""
        away = isinstance(self.outlet, Publisher) and self._encoder.needs_connection and not self.outlet.connected
        return away or self.outlet.full

    def connect(self) -> None:
        """Log in and greet. Raises what a publisher's raises."""
        self.outlet.connect()
        self._greet()

    def say(self, utterance: Utterance) -> None:
        """Say what is to be told; waits while the window is full."""
        self._greet()
        self._publish(self._encoder.say(utterance))

    def recall(self, utterance: Utterance) -> None:
        """Know of what happened before it began to speak."""
        if isinstance(utterance.what, Event):
            self._encoder.say(utterance)

    def wait(self, seconds: float) -> None:
        """Let time pass, greet over a new connection, answer, and raise what has gone wrong meanwhile."""
        self.outlet.wait(seconds)
        self._greet()

    def farewell(self) -> None:
        """Say the last words, unless that would wait."""
        if self._greets and not self.full:
            self._publish(self._encoder.farewell(micros(self._now())))

    def __enter__(self) -> Speaker:
        self.connect()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.farewell()
        self.outlet.close()

    def _greet(self) -> None:
        # A sender with receipts greets by itself: its greetings are numbered and kept.
        if isinstance(self.outlet, Publisher) and self.outlet.connections != self._greeted:
            self._greeted = self.outlet.connections
            self._publish(self._greeting(), uncounted=True)
        while self._commands:
            answer = self._encoder.answer(self._commands.pop(0), micros(self._now()))
            self._publish(answer, uncounted=True)

    def _greeting(self) -> Sequence[Said]:
        if not self._greets:
            return []
        at = self._now()
        online: Mapping[str, bool] = {slot: self._online(slot, at) for slot in self._slots}
        return self._encoder.greeting(micros(at), online)

    def _publish(self, said: Sequence[Said], *, uncounted: bool = False) -> None:
        for one in said:
            if isinstance(self.outlet, Publisher):
                self.outlet.publish(one.topic, one.payload, qos=one.qos, retain=one.retain, again=uncounted)
            else:
                self.outlet.publish(one.topic, one.payload, retain=one.retain)

    def _ear(self) -> Ear | None:
        topic = self._encoder.hears
        # Heard while something is being published: answered after that, or the answer would come between a message's number
        # and the message.
        return None if topic is None else Ear(topic=topic, heard=self._commands.append)

    def _will(self) -> Will | None:
        said = self._encoder.will()
        return None if said is None else Will(topic=said.topic, payload=said.payload, retain=said.retain)

    def _sender(
        self, plan: Plan, connection: str, login: Login, receipts: Receipts, patience_s: float | None
    ) -> Sender:
        definition = plan.connection_of(self._slots[0])[1]
        if definition.protocol != "json":
            raise PermanentError(
                f"Connection {connection!r} of pilot {plan.pilot!r} speaks {definition.protocol!r}, whose messages carry no"
                " number of ours: receipts are for native JSON. Send without --receipts."
            )
        if not definition.clock:
            raise PermanentError(
                f"Connection {connection!r} of pilot {plan.pilot!r} is declared without a clock: what it sends again would"
                " count as news. Send without --receipts, or give the device a clock."
            )
        return Sender(
            login,
            receipts,
            name=f"{plan.pilot}/{connection}",
            slot_topic=f"pilots/{plan.pilot}/{self._slots[0]}",
            will=self._will() if self._greets else None,
            greetings=lambda: [(one.topic, one.payload) for one in self._greeting()],
            patience_s=patience_s,
        )

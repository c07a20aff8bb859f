"""Who wants what of one sender: its slots, worked out once."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.binding import ConnectionBinding
from ingest.protocols.mavlink.dialect import Kind
from ingest.protocols.mavlink.flight import EVENTS, Flights
from ingest.protocols.mavlink.link import Link
from ingest.protocols.mavlink.remembered import Sender
from ingest.protocols.mavlink.takers import Speaks, Taker
from ingest.protocols.mavlink.voice import Voice


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the plan says of a connection's streams."""

    silence_us: int
    """A heartbeat that does not come for so long is a lost link."""
    clock: bool
    """Whether the senders' own times count."""


class Heard:
    """One sender: a component of a system."""

    __slots__ = ("_made", "_thawed", "flights", "key", "label", "links", "speaks", "starts_key")

    def __init__(
        self, topic: str, system: int, component: int, speaks: list[Speaks], binding: ConnectionBinding
    ) -> None:
        """:param topic: the digest of its stream's."""
        self.key = f"sender {topic} {system}.{component}"
        self.starts_key = f"starts {topic} {system}.{component}"
        self.label = f"{topic[:8]}.{system}.{component}"
        self.speaks = [one for one in speaks if one.means(system, component)]
        self.links = [Link(binding, one.slot, chosen=one.component is not None) for one in self.speaks]
        self.flights = [Flights(binding, one.slot) for one in self.speaks if not EVENTS.isdisjoint(one.slot.events)]
        self._made: dict[int, Taker] = {}
        self._thawed: tuple[Sender, Voice] | None = None

    def thawed(self, sender: Sender) -> Voice:
        """The state that is remembered, to be changed: the one that it was frozen from, if that was the last."""
        found, self._thawed = self._thawed, None
        return found[1] if found is not None and found[0] is sender else Voice(sender)

    def frozen(self, voice: Voice) -> Sender:
        """What is to be remembered; the voice is not to be used any more."""
        made = voice.frozen()
        voice.moved, voice.since_us = False, 0
        self._thawed = made, voice
        return made

    def taker(self, of: Kind) -> Taker:
        """Who wants what of one message."""
        found = self._made.get(of.number)
        if found is None:
            found = self._made[of.number] = Taker(of, self.speaks)
        return found

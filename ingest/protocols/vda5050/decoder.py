"""The VDA 5050 protocol: the robots that the plan's slots select, on the topics that the plan names."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ingest import reasons
from ingest.binding import ConnectionBinding, SlotBinding
from ingest.message import Decoded, Decoder, Message
from ingest.protocols.json.decoder import JsonConnection
from ingest.protocols.native import native_parts
from ingest.protocols.vda5050.quick import Quick
from ingest.protocols.vda5050.robot import Robot
from ingest.protocols.vda5050.scope import Scope
from ingest.protocols.vda5050.topics import Spoken, spoken
from ingest.protocols.vda5050.turn import Turn
from ingest.topics import matches

_MOST_ROBOTS: Final = 4_000


class Vda5050Connection:
    """One connection whose robots speak VDA 5050."""

    def __init__(self, binding: ConnectionBinding) -> None:
        self.binding = binding
        self._given = sorted({*binding.topics, *(topic for slot in binding.slots for topic in slot.topics)})
        self.filters = tuple(self._given)
        options = binding.options.get("options") or {}
        self._done = str(options.get("done") or "delivered")
        # On native topics they speak JSON, which knows nothing of our options.
        others = {name: value for name, value in binding.options.items() if name != "options"}
        self._json = JsonConnection(replace(binding, options=others))
        self._scopes: dict[tuple[str, ...], Scope] = {}

    def decoder(self, topic: str) -> Decoder | None:
        """What reads the messages of a topic; None if it is not this connection's."""
        if native_parts(topic) is not None:
            return self._json.decoder(topic)
        said = spoken(topic)
        if said is None or not any(matches(one, topic) for one in self._given):
            return None
        slots = [slot for slot in self.binding.slots if _is_of(slot, said, topic)]
        if not slots:
            return _Slotless(self.binding, said)
        names = tuple(slot.name for slot in slots)
        if names not in self._scopes:
            if len(self._scopes) >= _MOST_ROBOTS:
                self._scopes.clear()
            self._scopes[names] = Scope(self.binding, slots)
        return TopicDecoder(Robot(binding=self.binding, scope=self._scopes[names], said=said, done=self._done), topic)


class TopicDecoder:
    """Reads the messages of one topic. See :class:`ingest.message.Decoder`."""

    def __init__(self, robot: Robot, topic: str) -> None:
        self._robot = robot
        self._topic = topic
        self._quick = Quick(robot) if robot.said.what in ("state", "visualization") and robot.scope.clock else None
        self._take = None if self._quick is None else self._quick.take

    def decode(self, message: Message, out: Decoded) -> None:
        """See :class:`ingest.message.Decoder`."""
        if self._take is not None and self._take(message, out):
            return
        quick = self._quick
        turn = Turn(self._robot, message, out)
        turn.take()
        if quick is not None and turn.form:
            quick.learn(message.payload, turn.document, turn.form, turn.followed)


class _Slotless:
    """A robot that no slot is bound to."""

    def __init__(self, binding: ConnectionBinding, said: Spoken) -> None:
        self._id = binding.connection_id
        self._detail = f"manufacturer={said.manufacturer} serial={said.serial}"

    def decode(self, message: Message, out: Decoded) -> None:
        """See :class:`ingest.message.Decoder`."""
        out.quarantine(message, self._id, reasons.NO_SLOT, self._detail)


def _is_of(slot: SlotBinding, said: Spoken, topic: str) -> bool:
    """Whether a slot is a robot's: by ``select: {manufacturer: M, serial: S}`` or its own topics, which may leave either open."""
    if slot.topics and not any(_of_robot(one, topic) for one in slot.topics):
        return False
    wanted = slot.select
    named = (("interface", said.interface), ("manufacturer", said.manufacturer), ("serial", said.serial))
    return all(str(wanted.get(what, name)) == name for what, name in named)


def _of_robot(one: str, topic: str) -> bool:
    """Whether a filter names the robot that a topic is about, whatever is said on it."""
    levels, parts = one.split("/"), topic.split("/")
    if levels[-1] != "#" and len(levels) == len(parts):
        levels, parts = levels[:-1], parts[:-1]
    return matches("/".join(levels), "/".join(parts))

"""A slot's link: there with a heartbeat, lost when none has come for some time."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ingest.binding import ConnectionBinding, SlotBinding
from ingest.message import Decoded
from ingest.protocols.mavlink.takers import NO_AUTOPILOT
from telemetry.batch import LinkStateRecord


class Linked(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is remembered of it."""

    heard_us: int
    online: bool


class Link:
    """The link of one slot."""

    __slots__ = ("_binding", "_chosen", "_name", "_slot")

    def __init__(self, binding: ConnectionBinding, slot: SlotBinding, *, chosen: bool) -> None:
        """:param chosen: the slot selects a component: its heartbeat counts; otherwise an autopilot's does."""
        self._binding = binding
        self._slot = slot
        self._chosen = chosen
        self._name = f"link {slot.name}"

    def heartbeat(self, values: tuple[Any, ...], received_us: int, out: Decoded) -> None:
        """It is there."""
        if values[2] == NO_AUTOPILOT and not self._chosen:
            return
        own = self._binding.connection_id
        before = out.memory.get(own, self._name, Linked)
        if before is None or not before.online:
            self._tell("online", received_us, out)
        out.memory.put(own, self._name, Linked(received_us, True))

    def wait(self, now_us: int, since_us: int, silence_us: int, out: Decoded) -> None:
        """Whether it is lost.

        :param since_us: from when on we listen without a gap: of what was said before, nothing is missing.
        """
        own = self._binding.connection_id
        before = out.memory.get(own, self._name, Linked)
        if before is None or not before.online:
            return
        silent_us = max(before.heard_us, since_us)
        if now_us - silent_us <= silence_us:
            return
        self._tell("offline", silent_us + silence_us, out)
        out.memory.put(own, self._name, Linked(before.heard_us, False))

    def _tell(self, state: Literal["online", "offline"], at_us: int, out: Decoded) -> None:
        if self._binding.start_us <= at_us < self._binding.end_us:
            out.link_states.append(
                LinkStateRecord(slot_id=self._slot.slot_id, at_us=at_us, state=state, origin="status")
            )

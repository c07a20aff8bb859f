"""What waits for a birth: asked for once the reorder time has passed, read when it comes, given up when it does not."""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace

from ingest import reasons
from ingest.message import Decoded, Message
from ingest.protocols.sparkplug import payload as payloads
from ingest.protocols.sparkplug.host import rebirth
from ingest.protocols.sparkplug.remembered import Held, Table, Waiting
from ingest.protocols.sparkplug.scope import Scope
from ingest.protocols.sparkplug.state import State

MOST_HELD: Final = 1_000
MOST_HELD_BYTES: Final = 1_048_576
PATIENCE: Final = 2
"""So many reorder times after it was asked a node may take to answer."""
FIRST_PAUSE_US: Final = 60_000_000
LONGEST_PAUSE_US: Final = 3_600_000_000


class Doubt:
    """A node of which it is in doubt what its messages mean."""

    def __init__(self, state: State, out: Decoded) -> None:
        self._state = state
        self._node = state.node
        self._out = out

    def calm(self) -> None:
        """The numbers are whole again: what was held for them is read."""
        for device in dict.fromkeys(held[1] for held in self._state.waiting.held):
            if self._state.table(device or None) is not None:
                self.release(device or None)
        if not self._state.waiting.held:
            self._state.session = replace(self._state.session, doubt_us=0)

    def pass_time(self, now_us: int) -> None:
        """Ask for births, or wait no longer, once it is time."""
        session, reorder_us = self._state.session, self._node.reorder_us
        if not session.doubt_us:
            return
        if session.asked_us < session.doubt_us and now_us >= max(session.doubt_us + reorder_us, self._may_ask_us()):
            asks = session.asks + 1 if now_us < session.asked_us + 2 * LONGEST_PAUSE_US else 1
            self._state.session = session = replace(session, asked_us=now_us, asks=asks)
            self._out.memory.command(*rebirth(self._node.group, self._node.name, now_us))
        begun_us = max(session.doubt_us + reorder_us, session.asked_us)
        if now_us >= begun_us + PATIENCE * reorder_us:
            self.resign()

    def _may_ask_us(self) -> int:
        """A node that does not answer, or answers in vain, is asked ever less often."""
        asks = self._state.session.asks
        return self._state.session.asked_us + min(FIRST_PAUSE_US << min(asks - 1, 8), LONGEST_PAUSE_US) if asks else 0

    def resign(self) -> None:
        """No birth came: what can be read by the names that we have is read."""
        if not self._state.session.doubt_us:
            return
        for device in dict.fromkeys(held[1] for held in self._state.waiting.held):
            self._adopt(device or None)
            self.release(device or None)
        self._state.session = replace(self._state.session, doubt_us=0, holes=())

    def _adopt(self, device: str | None) -> None:
        """A node that told its own birth again within one connection, and not its devices', means that they are as before."""
        table, session = self._state.remembered_table(device), self._state.session
        same = table is not None and session.bd_seq is not None and table.bd_seq == session.bd_seq
        if table is not None and session.alive and table.ordinal != session.ordinal and same:
            self._state.put_table(device, replace(table, ordinal=session.ordinal, number=1))

    def hold(self, message: Message, device: str | None, number: int) -> None:
        """Have a message wait; where too many do, it is set aside."""
        self._state.doubt(message.received_us)
        waiting, size = self._state.waiting, len(message.payload)
        if len(waiting.held) >= MOST_HELD or waiting.payload_bytes + size > MOST_HELD_BYTES:
            detail = f"node={self._node.name}: {len(waiting.held)} messages, {waiting.payload_bytes} B are held already"
            self._out.quarantine(message, self._state.connection_id, reasons.BEFORE_BIRTH, detail)
            return
        held = Held(message.topic, message.payload, message.received_us, message.flags, number)
        self._state.put_held(waiting.next, held)
        entry = (waiting.next, device or "", size)
        self._state.waiting = Waiting((*waiting.held, entry), waiting.next + 1, waiting.payload_bytes + size)

    def release(self, device: str | None) -> None:
        """Read what is held of a device, or of the node itself, in the order in which it was sent."""
        mine = [entry for entry in self._state.waiting.held if entry[1] == (device or "")]
        if not mine:
            return
        rest = tuple(entry for entry in self._state.waiting.held if entry[1] != (device or ""))
        self._state.waiting = Waiting(rest, self._state.waiting.next if rest else 0, sum(entry[2] for entry in rest))
        found: list[tuple[int, int, Held]] = []
        for place, _, _ in mine:
            held = self._state.take_held(place)
            if held is not None:
                found.append((held.number, place, held))
        table = self._state.table(device)
        scope = self._node.scope(device)
        for _, _, held in sorted(found, key=lambda one: one[:2]):
            message = Message(topic=held.topic, payload=held.payload, received_us=held.received_us, flags=held.flags)
            if scope is None:  # the plan has changed
                detail = f"node={self._node.name} device={device}"
                self._out.quarantine(message, self._state.connection_id, reasons.NO_SLOT, detail)
            else:
                self.decide(message, payloads.read(held.payload), device, scope, table)
        if not self._state.waiting.held and not self._state.session.holes:
            self._state.session = replace(self._state.session, doubt_us=0)

    def decide(self, message: Message, payload: Any, device: str | None, scope: Scope, table: Table | None) -> None:
        """Read a message of the past by a birth, unless its aliases meant something else before."""
        doubtful = table is not None and any(
            not metric.name and metric.alias in table.former for metric in payload.metrics
        )
        if doubtful or (table is None and not scope.is_certain(payload)):
            whose = self._node.name if device is None else f"{self._node.name}/{device}"
            why = "aliases have changed" if doubtful else "no birth"
            self._out.quarantine(message, self._state.connection_id, reasons.BEFORE_BIRTH, f"{whose}: {why}")
            return
        scope.take(payload, table, message, self._out)

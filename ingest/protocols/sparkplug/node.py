"""One node's turn with one message: its births and deaths, and the data between them.

A message whose names are in doubt is held: before a birth, after a gap in the numbers, with an alias that no birth gave. Once the
reorder time has passed, the node is asked, once, to tell its births again; a birth decides what is held. If none comes, what can
be read by the names that we have is read, and the rest set aside.
"""

from __future__ import annotations

import zlib
from typing import Any, Literal

from msgspec.structs import replace

from ingest import reasons
from ingest.binding import SlotBinding
from ingest.message import RETAINED, Decoded, Message
from ingest.protocols.counted import require_counted
from ingest.protocols.sparkplug import order, remembered
from ingest.protocols.sparkplug import payload as payloads
from ingest.protocols.sparkplug.doubt import Doubt
from ingest.protocols.sparkplug.schema import Payload
from ingest.protocols.sparkplug.scope import Scope
from ingest.protocols.sparkplug.state import Node, State
from ingest.reasons import Refused
from telemetry.batch import LinkStateRecord


class Turn:
    """What a node says, or that time has passed, and what becomes of it."""

    def __init__(self, node: Node, out: Decoded) -> None:
        self._node = node
        self._out = out
        self._id = node.binding.connection_id
        self._state = State(node, out)
        self._doubt = Doubt(self._state, out)

    def close(self) -> None:
        """Remember what changed."""
        self._state.close()

    def pass_time(self, now_us: int) -> None:
        """Ask for births, or wait no longer, once it is time."""
        self._doubt.pass_time(now_us)

    def heard(self, message: Message, what: str, device: str | None) -> None:
        """One message of the node."""
        try:
            payload = payloads.read(message.payload)
        except Refused as why:
            if what != "death" or device is not None or message.payload:
                self._out.quarantine(message, self._id, why.reason, why.detail)
                return
            payload = Payload()
        if self._out.memory.replaying:
            self._again(message, payload, what, device)
            return
        if not self._state.admit():
            detail = f"Sparkplug: > {remembered.MOST_NODES} nodes"
            self._out.quarantine(message, self._id, reasons.NOT_OF_PROTOCOL, detail)
            return
        self.pass_time(message.received_us)
        aside = len(self._out.quarantined)
        self._say(message, payload, what, device)
        if len(self._out.quarantined) == aside:
            order.refuse(self._state, payload, message, self._out)

    def _say(self, message: Message, payload: Any, what: str, device: str | None) -> None:
        if what == "data":
            self._data(message, payload, device, self._node.scope(device))
        elif what == "birth":
            if device is None:
                self._node_birth(message, payload)
            else:
                self._device_birth(message, payload, device)
        elif device is None:
            self._node_death(message, payload)
        else:
            self._device_death(message, payload, device)

    # Births and deaths

    def _node_birth(self, message: Message, payload: Any) -> None:
        session, ms, bd_seq = self._state.session, payload.timestamp, remembered.bd_seq_of(payload)
        kept = message.redelivered or message.flags & RETAINED
        same = bool(session.alive and ms and (ms, bd_seq) == (session.born_ms, session.bd_seq))
        if kept and (same or ms < session.born_ms):
            if same:
                self._out.numbered(self._id, session.boot, 1)
            self._values_of_birth(message, payload, None)
            return
        self._begin(message, payload, bd_seq)
        self._born(message, payload, None, number=1)
        if self._state.waiting.held:  # for births of its devices
            self._state.doubt(message.received_us)

    def _device_birth(self, message: Message, payload: Any, device: str) -> None:
        number, late = order.place(self._state, payload, message, self._out)
        table = self._state.table(device)
        if late and (not order.fills(self._state, number) or (table is not None and table.number > number)):
            self._values_of_birth(message, payload, device)
            return
        if self._state.session.alive:
            self._born(message, payload, device, number=number)
            self._fill(number)
            return
        # No birth of its node was heard: the device's own will do, and the node is asked for the others.
        self._begin(message, payload, None)
        self._born(message, payload, device, number=1)
        self._state.doubt(message.received_us)

    def _begin(self, message: Message, payload: Any, bd_seq: int | None) -> None:
        """A node tells its names anew: a numbering begins, and what was in doubt no longer is."""
        session, ms = self._state.session, payload.timestamp
        name = zlib.crc32(f"{self._node.group}/{self._node.name}".encode("utf-8", "surrogatepass"))
        boot = f"{name:08x}.{session.ordinal + 1}.{'-' if bd_seq is None else bd_seq}.{ms}"
        self._state.session = replace(
            session, ordinal=session.ordinal + 1, boot=boot, alive=True, bd_seq=bd_seq, born_ms=ms, doubt_us=0, holes=()
        )  # fmt: skip
        self._state.count = order.begin(payload, message)
        self._out.numbered(self._id, boot, 1)

    def _born(self, message: Message, payload: Any, device: str | None, *, number: int) -> None:
        scope = self._node.scope(device)
        if scope is None:
            if device is not None:
                detail = f"group={self._node.group} node={self._node.name} device={device}"
                self._out.quarantine(message, self._id, reasons.NO_SLOT, detail)
            self._doubt.release(device)
            return
        session = self._state.session
        if device is not None and device not in session.devices:
            if len(session.devices) >= remembered.MOST_DEVICES:
                detail = f"Sparkplug: > {remembered.MOST_DEVICES} devices of {self._node.name}"
                self._out.quarantine(message, self._id, reasons.NOT_OF_PROTOCOL, detail)
                return
            self._state.session = session = replace(session, devices=(*session.devices, device))
        before = self._state.remembered_table(device)
        table = remembered.table_of(
            payload,
            before,
            ordinal=session.ordinal,
            number=number,
            bd_seq=session.bd_seq,
            died_us=session.died_us,
            received_us=message.received_us,
        )
        self._state.put_table(device, table)
        if not message.flags & RETAINED:  # which says nothing of now
            self._link(scope.slots, "online", "status", message)
        scope.take(payload, table, message, self._out, birth=True)
        scope.refuse_absent(table, message, self._out)
        self._doubt.release(device)

    def _values_of_birth(self, message: Message, payload: Any, device: str | None) -> None:
        """A birth that is known, or comes from before: its values by its own names, and nothing else."""
        scope = self._node.scope(device)
        if scope is not None:
            own = remembered.table_of(payload, None, ordinal=0, number=0, bd_seq=None, died_us=0, received_us=0)
            scope.take(payload, own, message, self._out, birth=True)

    def _node_death(self, message: Message, payload: Any) -> None:
        session, ms, bd_seq = self._state.session, payload.timestamp, remembered.bd_seq_of(payload)
        death = f"{'-' if bd_seq is None else bd_seq}.{ms}"
        known = message.redelivered and session.death == death
        earlier = bd_seq is not None and session.bd_seq is not None and 0 < ((session.bd_seq - bd_seq) & 255) < 128
        if known or (session.alive and earlier and ms < session.born_ms):
            return  # the will of a connection before this one
        self._doubt.resign()
        self._state.session = replace(
            self._state.session, alive=False, death=death, died_us=max(message.received_us, 1), doubt_us=0, holes=()
        )
        slots = [slot for slot in self._node.slots if self._is_of_node(slot)]
        self._link(slots, "offline", "will", message)

    def _is_of_node(self, slot: SlotBinding) -> bool:
        """Whether a slot is surely of this node: a device may be bound by its name alone."""
        device = slot.select.get("device")
        return device is None or self._node.alone or "node" in slot.select or str(device) in self._state.session.devices

    def _device_death(self, message: Message, payload: Any, device: str) -> None:
        number, late = order.place(self._state, payload, message, self._out)
        scope, table = self._node.scope(device), self._state.table(device)
        if late and (not order.fills(self._state, number) or (table is not None and table.number > number)):
            return
        if scope is not None:
            self._doubt.release(device)
            self._state.put_table(device, None)
            self._link(scope.slots, "offline", "status", message)
        self._fill(number)

    def _link(
        self, slots: list[SlotBinding], state: Literal["online", "offline"], origin: Literal["status", "will"], message: Message
    ) -> None:  # fmt: skip
        at_us = message.received_us
        try:
            require_counted(at_us, self._node.binding, message)
        except Refused as why:
            for slot in slots:
                self._out.reject(
                    slot_id=slot.slot_id, topic=message.topic, item="status", observed="", value=state, reason=why.reason,
                    detail=why.detail,
                )  # fmt: skip
            return
        self._out.link_states += [
            LinkStateRecord(slot_id=slot.slot_id, at_us=at_us, state=state, origin=origin) for slot in slots
        ]

    # Data

    def _data(self, message: Message, payload: Any, device: str | None, scope: Scope | None) -> None:
        if not self._state.session.alive:
            self._unborn(message, payload, device, scope)
            return
        number, late = order.place(self._state, payload, message, self._out)
        filling = order.fills(self._state, number)
        if late and not filling:
            self._late(message, payload, device, scope, number)
            return
        order.fill(self._state, number)
        if scope is not None:
            table = self._state.table(device)
            blocked = bool(self._state.session.holes) and not (filling and number < self._state.session.holes[0])
            if (blocked and not scope.is_certain(payload)) or not scope.is_settled(payload, table):
                self._doubt.hold(message, device, number)
            else:
                scope.take(payload, table, message, self._out)
        if filling and not self._state.session.holes:
            self._doubt.calm()

    def _unborn(self, message: Message, payload: Any, device: str | None, scope: Scope | None) -> None:
        """Data of a node whose birth was not heard, or that died since."""
        if scope is None:
            return
        if scope.is_certain(payload):
            self._state.doubt(message.received_us)
            scope.take(payload, None, message, self._out)
        else:
            self._doubt.hold(message, device, 0)

    def _late(self, message: Message, payload: Any, device: str | None, scope: Scope | None, number: int) -> None:
        """Data that came before, or that belong to a session that is over: they change nothing."""
        if scope is None:
            return
        table, holes = self._state.table(device), self._state.session.holes
        if scope.is_certain(payload) or (number > 0 and table is not None and not (holes and number > holes[0])):
            scope.take(payload, table if number > 0 else None, message, self._out)
        elif holes and number > holes[0]:
            return  # it is held
        elif not message.redelivered:
            self._out.quarantine(
                message, self._id, reasons.BEFORE_BIRTH, f"node={self._node.name}: of an earlier birth"
            )

    def _again(self, message: Message, payload: Any, what: str, device: str | None) -> None:
        """A message of the past, out of its order: it is read by what is remembered, and changes nothing."""
        scope = self._node.scope(device)
        if what == "birth":
            if scope is None and device is not None:
                detail = f"group={self._node.group} node={self._node.name} device={device}"
                self._out.quarantine(message, self._id, reasons.NO_SLOT, detail)
            self._values_of_birth(message, payload, device)
        elif what == "data" and scope is not None:
            table = self._state.remembered_table(device)
            if table is not None and message.received_us <= table.since_us:
                table = None
            self._doubt.decide(message, payload, device, scope, table)

    def _fill(self, number: int) -> None:
        """A number that was waited for is there; if it was the last one, the order is whole."""
        if order.fill(self._state, number):
            self._doubt.calm()

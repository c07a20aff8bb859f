"""The Sparkplug protocol: births, data and deaths of the nodes and devices that the plan's slots select."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from core.units import seconds
from ingest import reasons
from ingest.binding import FUTURE_US, ConnectionBinding, SlotBinding
from ingest.message import Decoded, Decoder, Message
from ingest.protocols.json.decoder import JsonConnection
from ingest.protocols.native import native_parts
from ingest.protocols.sparkplug.host import HostState
from ingest.protocols.sparkplug.node import Turn
from ingest.protocols.sparkplug.payload import MOST_METRICS
from ingest.protocols.sparkplug.remembered import MOST_NODES, NODES, Count, Nodes, Session, Table, key
from ingest.protocols.sparkplug.schema import DecodeError, Payload
from ingest.protocols.sparkplug.scope import Scope
from ingest.protocols.sparkplug.state import Node
from ingest.protocols.sparkplug.topics import Spoken, heard, nodes_named, spoken
from ingest.topics import matches

_MOST_SCOPES: Final = 4_000


class SparkplugConnection:
    """One connection whose nodes speak Sparkplug. See :class:`ingest.protocols.Waiting` too."""

    def __init__(self, binding: ConnectionBinding) -> None:
        self.binding = binding
        self._given = sorted({*binding.topics, *(topic for slot in binding.slots for topic in slot.topics)})
        self.filters = heard(self._given)
        options = binding.options.get("options") or {}
        self._reorder_us = round(seconds(options.get("reorder") or "5 s") * 1_000_000)
        self._host: str | None = options.get("host")
        named = nodes_named(self._given)
        self._alone = named is not None and len(named) == 1
        # On native topics they speak JSON, which knows nothing of our options.
        others = {name: value for name, value in binding.options.items() if name != "options"}
        self._json = JsonConnection(replace(binding, options=others))
        self._nodes: dict[tuple[str, str], Node] = {}
        self._scopes: dict[tuple[str, str, str | None], Scope | None] = {}

    def decoder(self, topic: str) -> Decoder | None:
        """What reads the messages of a topic; None if it is not this connection's."""
        if native_parts(topic) is not None:
            return self._json.decoder(topic)
        found = spoken(topic)
        if found is None or not any(matches(one, topic) for one in self._given):
            return None
        if found.what == "cmd":
            return _Passing()
        node = self._node(found.group, found.node)
        return TopicDecoder(node, found) if node.slots else _Slotless(self.binding, found)

    def announcement(self, connected_ms: int) -> HostState | None:
        """Our state as its nodes' host application, if the plan names one."""
        return None if self._host is None else HostState(host=self._host, connected_ms=connected_ms)

    def wait(self, now_us: int, out: Decoded, *, since_us: int = 0) -> None:  # noqa: ARG002 - it does no harm to ask
        """Ask for births, or wait no longer for them, once it is time."""
        nodes = out.memory.get(self.binding.connection_id, NODES, Nodes)
        for names in () if nodes is None else nodes.names:
            turn = Turn(self._node(*names), out)
            turn.pass_time(now_us)
            turn.close()

    def _node(self, group: str, name: str) -> Node:
        found = self._nodes.get((group, name))
        if found is None:
            found = Node(
                binding=self.binding, group=group, name=name, reorder_us=self._reorder_us, alone=self._alone,
                scope=lambda device: self._scope(group, name, device),
                slots=tuple(slot for slot in self.binding.slots if _may_be_of(slot, group, name)),
            )  # fmt: skip
            if len(self._nodes) < MOST_NODES:
                self._nodes[group, name] = found
        return found

    def _scope(self, group: str, node: str, device: str | None) -> Scope | None:
        whose = (group, node, device)
        if whose not in self._scopes:
            slots = [slot for slot in self.binding.slots if _is_of(slot, *whose)]
            if len(self._scopes) >= _MOST_SCOPES:
                self._scopes.clear()
            self._scopes[whose] = Scope(self.binding, slots) if slots else None
        return self._scopes[whose]


class TopicDecoder:
    """Reads the messages of one topic. See :class:`ingest.message.Decoder`."""

    def __init__(self, node: Node, said: Spoken) -> None:
        self._node = node
        self._said = said
        self._id = node.binding.connection_id
        self._scope = node.scope(said.device) if said.what == "data" else None
        names = (said.group, said.node)
        self._session_key, self._count_key = key("session", *names), key("count", *names)
        self._table_key = key("table", *names, *(() if said.device is None else (said.device,)))

    def decode(self, message: Message, out: Decoded) -> None:
        """See :class:`ingest.message.Decoder`."""
        if self._scope is None or message.redelivered or not self._usual(message, out):
            turn = Turn(self._node, out)
            turn.heard(message, self._said.what, self._said.device)
            turn.close()

    def _usual(self, message: Message, out: Decoded) -> bool:
        """Take the next message of a node that nothing is in doubt of, if it holds plain numbers only.

        :returns: whether it was taken; if not, nothing was, and the long way comes to the same.
        """
        memory, scope, connection_id = out.memory, self._scope, self._id
        session = memory.get(connection_id, self._session_key, Session)
        if session is None or session.doubt_us or not session.alive or memory.replaying:
            return False
        count = memory.get(connection_id, self._count_key, Count)
        table = memory.get(connection_id, self._table_key, Table)
        if count is None or table is None or table.ordinal != session.ordinal or scope is None:
            return False
        seq = count.seq
        ms = scope.same(table, message, seq, out)
        if ms is None:
            ms = _taken(scope, table, message, seq, out)
            if ms is None:
                return False
        latest_ms = count.latest_ms
        if ms > latest_ms and ms * 1000 <= message.received_us + FUTURE_US:
            latest_ms = ms
        memory.put(connection_id, self._count_key, Count(count.number + 1, (seq + 1) & 255, latest_ms))
        out.sequences.append((connection_id, session.boot, count.number))
        return True


def _taken(scope: Scope, table: Table, message: Message, seq: int, out: Decoded) -> int | None:
    """Take a message that has this number and holds plain numbers only.

    :returns: its time in ms; None where it was not taken, and nothing of it was.
    """
    try:
        payload = Payload.FromString(message.payload)
    except DecodeError:
        return None
    n, ms = len(payload.metrics), int(payload.timestamp)
    if payload.seq != seq or not (seq or payload.HasField("seq")) or payload.uuid or n > MOST_METRICS:
        return None
    return ms if scope.usual(payload, len(message.payload), table, message, out) else None


class _Passing:
    """What is said to nodes, by us or by others, says nothing of them."""

    def decode(self, message: Message, out: Decoded) -> None:
        """See :class:`ingest.message.Decoder`."""


class _Slotless:
    """A node that no slot is bound to."""

    def __init__(self, binding: ConnectionBinding, said: Spoken) -> None:
        self._id = binding.connection_id
        self._detail = f"group={said.group} node={said.node}"

    def decode(self, message: Message, out: Decoded) -> None:
        """See :class:`ingest.message.Decoder`."""
        out.quarantine(message, self._id, reasons.NO_SLOT, self._detail)


def _is_of(slot: SlotBinding, group: str, node: str, device: str | None) -> bool:
    """Whether a slot is a node's own (``select: {node: N1}``), or a device's (``{device: D1}``, ``{node: N1, device: D1}``)."""
    if slot.topics:
        said = f"spBv1.0/{group}/NDATA/{node}" if device is None else f"spBv1.0/{group}/DDATA/{node}/{device}"
        if not any(matches(one, said) for one in slot.topics):
            return False
    if not slot.select:
        return True
    wanted = slot.select
    return _selects(slot, group, node) and (
        wanted.get("device") is None if device is None else str(wanted.get("device", "")) == device
    )


def _selects(slot: SlotBinding, group: str, node: str) -> bool:
    return all(str(slot.select.get(what, name)) == name for what, name in (("group", group), ("node", node)))


def _may_be_of(slot: SlotBinding, group: str, node: str) -> bool:
    """Whether a slot is the node's, or that of a device which it might have."""

    def fits(levels: list[str]) -> bool:
        for place, name in ((1, group), (3, node)):
            before = levels[: place + 1]
            if "#" not in before and (len(before) <= place or before[place] not in ("+", name)):
                return False
        return True

    return _selects(slot, group, node) and (not slot.topics or any(fits(one.split("/")) for one in slot.topics))

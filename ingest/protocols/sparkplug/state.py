"""What is remembered of one node while one message has its turn: read at its beginning, written back at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from ingest.binding import ConnectionBinding, SlotBinding
from ingest.message import Decoded
from ingest.protocols.sparkplug.remembered import MOST_NODES, NODES, Count, Held, Nodes, Session, Table, Waiting, key
from ingest.protocols.sparkplug.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What is fixed of a node, by the plan."""

    binding: ConnectionBinding
    group: str
    name: str
    reorder_us: int
    scope: Callable[[str | None], Scope | None]
    """Of a device, or of the node itself; None where no slot is bound to it."""
    slots: tuple[SlotBinding, ...]
    """All that a slot's select leaves to it, its devices' among them."""
    alone: bool
    """Whether its connection speaks for no other."""


class State:
    """A node's session, its numbering, and what waits; none of them is changed in place."""

    def __init__(self, node: Node, out: Decoded) -> None:
        self.node = node
        self.connection_id = node.binding.connection_id
        self._memory = out.memory
        self._names = (node.group, node.name)
        self._session_key, self._count_key, self._waiting_key = (
            key(what, *self._names) for what in ("session", "count", "waiting")
        )
        memory, own = out.memory, self.connection_id
        self.session = self._session = memory.get(own, self._session_key, Session) or Session()
        self.count = self._count = memory.get(own, self._count_key, Count) or Count()
        self.waiting = self._waiting = memory.get(own, self._waiting_key, Waiting) or Waiting()

    def close(self) -> None:
        """Remember what changed."""
        for name, now, before in (
            (self._session_key, self.session, self._session),
            (self._count_key, self.count, self._count),
            (self._waiting_key, self.waiting, self._waiting),
        ):
            if now is not before:
                self._memory.put(self.connection_id, name, now)

    def admit(self) -> bool:
        """Enter a node that was not heard before. :returns: False where there are too many already."""
        if self.session.ordinal or self.session.doubt_us or self.session.died_us:
            return True
        nodes = self._memory.get(self.connection_id, NODES, Nodes) or Nodes()
        if self._names in nodes.names:
            return True
        if len(nodes.names) >= MOST_NODES:
            return False
        self._memory.put(self.connection_id, NODES, Nodes((*nodes.names, self._names)))
        return True

    def remembered_table(self, device: str | None) -> Table | None:
        """The names that were told last, whenever that was."""
        return self._memory.get(self.connection_id, self._table_key(device), Table)

    def table(self, device: str | None) -> Table | None:
        """The names in force; None where they were told before the node's last birth, or never."""
        table = self.remembered_table(device)
        return table if table is not None and table.ordinal == self.session.ordinal else None

    def put_table(self, device: str | None, table: Table | None) -> None:
        """Names that are in force from now on."""
        self._memory.put(self.connection_id, self._table_key(device), table)

    def take_held(self, place: int) -> Held | None:
        """A message that was held; it is no more."""
        held = self._memory.get(self.connection_id, self._held_key(place), Held)
        self._memory.put(self.connection_id, self._held_key(place), None)
        return held

    def put_held(self, place: int, held: Held) -> None:
        """Hold a message."""
        self._memory.put(self.connection_id, self._held_key(place), held)

    def doubt(self, now_us: int) -> None:
        """Something says that we may not know the node's names."""
        if not self.session.doubt_us:
            self.session = replace(self.session, doubt_us=max(now_us, 1))

    def _table_key(self, device: str | None) -> str:
        return key("table", *self._names, *(() if device is None else (device,)))

    def _held_key(self, place: int) -> str:
        return f"{key('held', *self._names)} {place}"

"""What a protocol remembers between messages: the names behind a node's aliases, the mission that is under way, half a frame.

Messages of a batch are decoded ahead of its commit, perhaps twice, and perhaps in halves. So what they leave behind is kept
beside the batch, is committed with it in one transaction, and only then counts: after whatever was killed, the next message finds
what was remembered when the last committed one had been read. Nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

Key = tuple[int, str]
"""A connection's id, and what its protocol calls the thing."""
T = TypeVar("T", bound=msgspec.Struct)


class Memory:
    """What all connections of a collector remember, as of the last commit."""

    def __init__(self, rows: Iterable[tuple[Key, bytes]] = ()) -> None:
        """:param rows: as they are stored."""
        self._known: dict[Key, Any] = dict(rows)
        self._state = object()
        """Changes with each commit: what was decoded by another state than the present one is decoded again."""

    def load(self, rows: Iterable[tuple[Key, bytes]]) -> None:
        """Take over what is stored of connections that were not known yet."""
        self._known.update(rows)

    def batch(self, after: Recollection | None = None) -> Recollection:
        """What a batch is to be decoded with.

        :param after: the batch before it, if that is not committed yet.
        """
        return Recollection(self, self._state if after is None or after.settled else after.mark, after)

    def get(self, key: Key, kind: type[T]) -> T | None:
        """What is remembered; None where there is nothing, or nothing that this version of the code can read."""
        found = self._known.get(key)
        if type(found) is bytes:
            try:
                found = msgspec.msgpack.decode(found, type=kind)
            except msgspec.MsgspecError:
                found = None
            self._known[key] = found
        return found if isinstance(found, kind) else None

    def fits(self, recollection: Recollection) -> bool:
        """Whether a batch was decoded by what is remembered now; one that remembers nothing always was."""
        return not recollection.used or recollection.follows is self._state

    def settle(self, recollection: Recollection) -> None:
        """The batch was committed: what it remembers counts."""
        for key, value in recollection.changes.items():
            if value is None:
                self._known.pop(key, None)
            else:
                self._known[key] = value
        self._state = recollection.mark
        recollection.settled = True


class Recollection:
    """What one batch remembers, over what was remembered before it; and what it asks to be told to devices."""

    __slots__ = (
        "_before",
        "_memory",
        "changes",
        "commands",
        "discarded",
        "follows",
        "mark",
        "replaying",
        "settled",
        "used",
    )

    def __init__(self, memory: Memory, follows: object, before: Recollection | None) -> None:
        self._memory = memory
        self._before = before
        self.follows = follows
        self.mark = object()
        self.changes: dict[Key, msgspec.Struct | None] = {}
        """What is new; None: to be forgotten."""
        self.commands: list[tuple[str, bytes]] = []
        """Topics and payloads to be published once the batch is committed."""
        self.used = False
        """Whether anything was asked for or remembered: without it the order of batches does not matter."""
        self.settled = False
        self.discarded = False
        """Its batch is decoded again: what was decoded after it does not fit."""
        self.replaying: bool = before is not None and before.replaying
        """Its messages are of the past, and nothing follows on them: they are read by what is remembered, and none may wait for
        another one."""

    def __eq__(self, other: object) -> bool:
        """Whether both leave the same behind."""
        if not isinstance(other, Recollection):
            return NotImplemented
        return self.changes == other.changes and self.commands == other.commands

    def get(self, connection_id: int, name: str, kind: type[T]) -> T | None:
        """What the connection remembers under a name. Values are never changed in place: put another one."""
        self.used = True
        key = (connection_id, name)
        if key in self.changes:
            found = self.changes[key]
            return found if isinstance(found, kind) else None
        if self._before is not None and self._before.settled:
            self._before = None  # it is in the memory by now
        if self._before is not None:
            return self._before.get(connection_id, name, kind)
        return self._memory.get(key, kind)

    def put(self, connection_id: int, name: str, value: msgspec.Struct | None) -> None:
        """Remember; None: forget."""
        self.used = True
        self.changes[connection_id, name] = value

    def command(self, topic: str, payload: bytes) -> None:
        """Ask for a message to a device."""
        self.commands.append((topic, payload))

    def trial(self) -> Recollection:
        """The same for a part of the batch whose decoding may fail."""
        return Recollection(self._memory, self.follows, self)

    def keep(self, trial: Recollection) -> None:
        """Take over what a trial remembers."""
        self.changes.update(trial.changes)
        self.commands += trial.commands
        self.used = self.used or trial.used

    def stored(self) -> list[tuple[int, str, bytes | None]]:
        """What is to be written: connection, name, and the value as bytes, or None where it is to be forgotten."""
        return [
            (connection_id, name, None if value is None else msgspec.msgpack.encode(value))
            for (connection_id, name), value in self.changes.items()
        ]


def nothing() -> Recollection:
    """A memory of its own, for messages that are only looked at."""
    return Memory().batch()


def of_rows(rows: Iterable[Mapping[str, Any]]) -> list[tuple[Key, bytes]]:
    """Rows of the store as :class:`Memory` takes them."""
    return [((row["connection_id"], row["name"]), bytes(row["value"])) for row in rows]

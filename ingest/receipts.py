"""Receipts: what is committed of each sender that numbers its messages, told to it about each second.

A sender that keeps its messages until their receipt loses nothing, whatever is killed: what the broker took and lost is
missing in the receipt, and is sent again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from core.database import Connection
from ingest.binding import ConnectionBinding
from telemetry.sequence import Sender, SequenceState, states

EVERY_S: Final = 1.0
_MOST_AT_ONCE: Final = 1_000
"""Senders whose state is asked for in one query; the others come next."""


class Receipts:
    """Remembers which senders have something new committed, and tells each of them. For one thread."""

    def __init__(self, publish: Callable[[str, bytes], None]) -> None:
        """:param publish: takes a topic and a payload; what it cannot send is lost, and made good by a later receipt."""
        self._publish = publish
        self._touched: dict[Sender, None] = {}
        self._told_at = float("-inf")

    def touch(self, sequences: Iterable[tuple[int, str, int]]) -> None:
        """Numbers were committed: (connection_id, boot, seq)."""
        self._touched.update(dict.fromkeys((connection_id, boot) for connection_id, boot, _ in sequences))

    @property
    def due(self) -> bool:
        """Whether it is time to tell somebody something."""
        return bool(self._touched) and time.monotonic() - self._told_at >= EVERY_S

    def tell(self, connection: Connection, bindings: Sequence[ConnectionBinding]) -> None:
        """Publish what is committed of every sender that was touched.

        :raises psycopg.Error: the database is away; they are told once it is back.
        """
        self._told_at = time.monotonic()
        chosen = list(self._touched)[:_MOST_AT_ONCE]
        known = {binding.connection_id: binding for binding in bindings}
        for state in states(connection, chosen):
            binding = known.get(state.connection_id)
            if binding is not None:
                payload = receipt(state)
                for slot in binding.slots:
                    self._publish(f"pilots/{binding.pilot}/{slot.name}/receipt", payload)
        for sender in chosen:
            del self._touched[sender]


def receipt(state: SequenceState) -> bytes:
    """The receipt of one sender, as it is published."""
    return msgspec.json.encode(
        {
            "boot": state.boot or None,
            "first": state.first,
            "through": state.through,
            "missing": state.missing,
            "stored": state.stored,
            "at": state.at,
        }
    )

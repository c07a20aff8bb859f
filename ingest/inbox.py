"""What was delivered and is not committed yet: filled by the network thread, emptied by the writer, bounded by a mark."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from typing import Final

from ingest.client import Item
from ingest.part import Part
from ingest.turns import Turns

BATCH_BYTES: Final = 4 * 1024 * 1024
"""A batch ends with the message that passes this: some hundred thousand readings, so that memory stays small."""
HIGH_WATER_BYTES: Final = 256 * 1024 * 1024
"""Payloads in memory beyond which nothing more is read, however few messages they are."""


class Inbox:
    """Parts in the order of their arrival, and how much is held: waiting here or being committed."""

    def __init__(
        self,
        *,
        high_water_messages: int,
        high_water_bytes: int = HIGH_WATER_BYTES,
        wall_clock_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        sender: Callable[[bytes], Hashable] = bytes,
    ) -> None:
        """:param sender: topic → whose it is: while more waits than a batch takes, senders come in turn."""
        self._high_messages = high_water_messages
        self._high_bytes = high_water_bytes
        self._wall_clock_us = wall_clock_us
        self._changed = threading.Condition()
        self._parts: deque[tuple[float, Part]] = deque()
        """Each with the instant of its arrival on a clock that is never set."""
        self._turns = Turns(sender)
        """What was left over when more waited than a batch takes. Touched by the taker alone."""
        self._waiting = self._waiting_bytes = 0
        self._wanted = 1
        """So many waiting messages end the taker's wait."""
        self._messages = 0
        self._bytes = 0
        self._arrived: dict[int, int] = {}
        """Arrival → how many messages of it are held, in the order of arrivals."""
        self._closed = False
        self._latest_us = 0

    @property
    def messages(self) -> int:
        """How many messages are held."""
        return self._messages

    @property
    def oldest_us(self) -> int | None:
        """The arrival of the oldest message that is held; None if none is."""
        with self._changed:
            return next(iter(self._arrived), None)

    def full(self) -> bool:
        """Whether the mark is passed: nothing more should be read."""
        return self._messages >= self._high_messages or self._bytes >= self._high_bytes

    def has_room(self, share: float) -> bool:
        """Whether no more than this share of the mark is held."""
        return self._messages <= self._high_messages * share and self._bytes <= self._high_bytes * share

    @property
    def closed(self) -> bool:
        """Whether nothing more comes."""
        return self._closed

    def put(self, generation: int, items: list[Item]) -> None:
        """Take what was delivered. Arrivals never go back, whatever the machine's clock does."""
        with self._changed:
            self._latest_us = max(self._latest_us, self._wall_clock_us())
            part = Part(generation=generation, received_us=self._latest_us, items=items)
            size = part.size()
            self._parts.append((time.monotonic(), part))
            self._waiting += len(items)
            self._waiting_bytes += size
            self._messages += len(items)
            self._bytes += size
            self._arrived[part.received_us] = self._arrived.get(part.received_us, 0) + len(items)
            # The taker is not woken for every part: it has nothing to do with half a batch.
            if self._waiting >= self._wanted or self._waiting_bytes >= BATCH_BYTES:
                self._changed.notify()

    def take(self, *, most: int, window_s: float, timeout_s: float) -> list[Part]:
        """Wait for messages, then until a batch is whole or its first message has waited ``window_s``; take the batch.

        :param most: a batch has at most so many messages.
        :returns: nothing if none came within ``timeout_s``, or the inbox is closed and empty.
        """
        end = time.monotonic() + timeout_s
        with self._changed:
            self._wanted = 1
            while not self._waiting and not self._closed:
                left = end - time.monotonic()
                if left <= 0:
                    return []
                self._changed.wait(left)
            self._wanted = most
            # What was left over by the batch before has waited long enough.
            while self._waiting < most and self._waiting_bytes < BATCH_BYTES and not self._closed and not self._turns:
                left = self._parts[0][0] + window_s - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            arrived = [part for _, part in self._parts]
            self._parts.clear()
            fits = not self._turns and self._waiting <= most and self._waiting_bytes < BATCH_BYTES
        taken = arrived if fits else self._in_turn(arrived, most)
        messages, size = _load(taken)
        with self._changed:
            self._waiting -= messages
            self._waiting_bytes -= size
        return taken

    def _in_turn(self, arrived: list[Part], most: int) -> list[Part]:
        # Outside the lock: the network thread goes on.
        for part in arrived:
            self._turns.add(part)
        return self._turns.take(most=most, most_bytes=BATCH_BYTES)

    def done(self, parts: list[Part]) -> None:
        """These are settled: committed, or given back to the broker."""
        messages, size = _load(parts)
        with self._changed:
            self._messages -= messages
            self._bytes -= size
            for part in parts:
                left = self._arrived.get(part.received_us, 0) - len(part.items)
                if left > 0:
                    self._arrived[part.received_us] = left
                else:
                    self._arrived.pop(part.received_us, None)

    def close(self) -> None:
        """Nothing more comes: what waits is taken without delay."""
        with self._changed:
            self._closed = True
            self._changed.notify()


def _load(parts: list[Part]) -> tuple[int, int]:
    """Messages, and bytes of payload."""
    return sum([len(part.items) for part in parts]), sum([part.size() for part in parts])

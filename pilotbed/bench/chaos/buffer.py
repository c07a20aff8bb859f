"""What one sender must still answer for. Pure: no socket, and the clock is the caller's.

Messages are numbered from 1. A plain sender lets go of a message once the broker has acknowledged it; one that goes by receipts
once a receipt says that it is committed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final

AGAIN_AFTER_S: Final = 3.0
"""A message that a receipt calls missing is sent again so long after its acknowledgement: it may still be on its way."""
UNTOLD_AFTER_S: Final = 10.0
"""A message of which no receipt has said anything is sent again so long after its acknowledgement: what was lost may be the
very last one, and receipts get lost too."""
_PACKET_IDS: Final = 65_535


class Buffer:
    """The messages of one sender."""

    def __init__(self, *, receipts: bool, boot: str = "") -> None:
        """:param receipts: it keeps a message until its receipt; otherwise until the broker's acknowledgement."""
        self.receipts = receipts
        self.boot = boot
        self.published = 0
        self.transmissions = 0
        """PUBLISH packets, those of repeats included."""
        self.receipts_seen = 0
        self._acknowledged = bytearray(1)
        """By number: whether the broker has ever acknowledged it."""
        self._kept: dict[int, float] = {}
        """Number → when the broker last acknowledged it; 0 while it waits to be sent or acknowledged."""
        self._missing: set[int] = set()
        """Called so by the last receipt that spoke of them."""
        self._queue: deque[int] = deque()
        self._in_flight: dict[int, int] = {}
        """Packet id → number."""
        self._last_id = 0

    @property
    def open(self) -> int:
        """How many messages it still keeps."""
        return len(self._kept)

    @property
    def in_flight(self) -> int:
        """How many await the broker's acknowledgement."""
        return len(self._in_flight)

    def make(self, count: int) -> None:
        """So many new messages."""
        for _ in range(count):
            self.published += 1
            self._acknowledged.append(0)
            self._kept[self.published] = 0.0
            self._queue.append(self.published)

    def next(self) -> tuple[int, int] | None:
        """The packet id and number of the message to send now; None if there is none."""
        while self._queue:
            number = self._queue.popleft()
            if number in self._kept:  # a receipt may have come meanwhile
                packet_id = self._last_id = self._free_id()
                self._in_flight[packet_id] = number
                self.transmissions += 1
                return packet_id, number
        return None

    def acknowledged(self, packet_id: int, *, now: float) -> None:
        """The broker has taken it."""
        number = self._in_flight.pop(packet_id, None)
        if number is None:
            return
        self._acknowledged[number] = 1
        if not self.receipts:
            self._kept.pop(number, None)
        elif number in self._kept:
            self._kept[number] = now

    def disconnected(self) -> None:
        """What was not acknowledged is sent again, before everything else and in its order."""
        self._queue.extendleft(sorted(self._in_flight.values(), reverse=True))
        self._in_flight.clear()

    def receipt(self, said: Mapping[str, Any]) -> None:
        """A receipt: what it covers is let go of; what it misses is sent again, once it cannot be on its way any more.

        >>> sender = Buffer(receipts=True, boot="b1")
        >>> sender.make(4)
        >>> for _ in range(4):
        ...     sender.acknowledged(sender.next()[0], now=1.0)
        >>> sender.receipt({"boot": "b1", "first": 1, "through": 3, "missing": [[2, 2]]})
        >>> sender.tick(now=5.0)
        >>> sender.open, sender.next(), sender.next()
        (2, (5, 2), None)
        """
        if said.get("boot", "") != self.boot:
            return
        self.receipts_seen += 1
        first, through = int(said["first"]), int(said["through"])
        missing = set(_numbers(said["missing"]))
        for number in [number for number in self._kept if first <= number <= through]:
            if number in missing:
                self._missing.add(number)
            else:
                self._missing.discard(number)
                del self._kept[number]

    def tick(self, *, now: float) -> None:
        """To be called each second or so: what is missing, or was kept for too long without a word, is sent again."""
        if not self.receipts:
            return
        for number, at in self._kept.items():
            if at and now - at >= (AGAIN_AFTER_S if number in self._missing else UNTOLD_AFTER_S):
                self._kept[number] = 0.0
                self._missing.discard(number)
                self._queue.append(number)

    def acknowledged_ranges(self) -> list[tuple[int, int]]:
        """The numbers that the broker has acknowledged, as ranges with both ends.

        >>> sender = Buffer(receipts=False)
        >>> sender.make(3)
        >>> packets = [sender.next()[0] for _ in range(3)]
        >>> sender.acknowledged(packets[0], now=1.0); sender.acknowledged(packets[2], now=1.0)
        >>> sender.acknowledged_ranges(), sender.open
        ([(1, 1), (3, 3)], 1)
        """
        ranges = []
        start = self._acknowledged.find(1)
        while start >= 0:
            end = self._acknowledged.find(0, start)
            ranges.append((start, (len(self._acknowledged) if end < 0 else end) - 1))
            start = -1 if end < 0 else self._acknowledged.find(1, end)
        return ranges

    def _free_id(self) -> int:
        packet_id = self._last_id % _PACKET_IDS + 1
        while packet_id in self._in_flight:
            packet_id = packet_id % _PACKET_IDS + 1
        return packet_id


def _numbers(ranges: Iterable[Iterable[int]]) -> Iterable[int]:
    for start, end in ranges:
        yield from range(start, end + 1)

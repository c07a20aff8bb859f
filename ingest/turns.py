"""Whose messages come into the next batch when more wait than fit: everybody's in turn, so that a flood delays itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable

from ingest.client import Item
from ingest.part import Part


class Turns:
    """What waits, by sender; the messages of one sender keep their order. For one thread."""

    def __init__(self, sender: Callable[[bytes], Hashable]) -> None:
        """:param sender: topic → whose it is."""
        self._sender = sender
        self._waiting: dict[Hashable, deque[Part]] = {}
        self._counts: dict[Hashable, int] = {}
        self._total = 0

    def __len__(self) -> int:
        return self._total

    def add(self, part: Part) -> None:
        """Queue the messages of a part behind what their senders have waiting."""
        by_sender: dict[Hashable, list[Item]] = {}
        sender = self._sender
        for item in part.items:
            by_sender.setdefault(sender(item[0]), []).append(item)
        for key, items in by_sender.items():
            piece = Part(generation=part.generation, received_us=part.received_us, items=items)
            self._waiting.setdefault(key, deque()).append(piece)
            self._counts[key] = self._counts.get(key, 0) + len(items)
        self._total += len(part.items)

    def take(self, *, most: int, most_bytes: int) -> list[Part]:
        """The next batch: who has little waiting is taken whole, the others share what room is left in equal parts.

        :param most_bytes: each sender's share of it ends with the message that passes it, so that all come to their turn.
        """
        taken: list[Part] = []
        room, room_bytes = most, most_bytes
        senders = sorted(self._counts, key=self._counts.__getitem__)
        for place, key in enumerate(senders):
            left = len(senders) - place
            got, size = self._take_of(key, max(1, room // left), max(1, room_bytes // left), taken)
            room, room_bytes = room - got, room_bytes - size
            if room <= 0 or room_bytes <= 0:
                break
        return taken

    def _take_of(self, key: Hashable, most: int, most_bytes: int, taken: list[Part]) -> tuple[int, int]:
        queue = self._waiting[key]
        got = size = 0
        while queue and got < most and size < most_bytes:
            part = queue.popleft()
            place = _fitting(part, most - got, most_bytes - size)
            if place < len(part.items):
                part, rest = part.split(place)
                queue.appendleft(rest)
            taken.append(part)
            got += len(part.items)
            size += part.size()
        self._total -= got
        self._counts[key] -= got
        if not queue:
            del self._waiting[key], self._counts[key]
        return got, size


def _fitting(part: Part, most: int, most_bytes: int) -> int:
    """How many of a part's messages come before the bounds are reached, the one that passes them included."""
    size = 0
    for place, item in enumerate(part.items[:most]):
        size += len(item[1])
        if size >= most_bytes:
            return place + 1
    return min(most, len(part.items))

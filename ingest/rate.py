"""A limit to how many messages a sender may send: what comes beyond it is marked, and set aside when it is decoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ingest.batching import OVER_LIMIT
from ingest.part import Part

BURST_S: Final = 10.0
"""So many seconds' worth may come at once: a device that was away hands over what it kept."""


class RateLimit:
    """A bucket a connection, filled at the rate and holding a burst. Goes by arrival, so deciding twice is not needed."""

    def __init__(self, per_second: float) -> None:
        """:param per_second: messages that a connection may send for long."""
        self._per_us = per_second / 1e6
        self._most = max(1.0, per_second * BURST_S)
        self._buckets: dict[int | None, tuple[float, int]] = {}
        """Connection → messages that may still come, as of an instant in µs."""

    def marked(self, part: Part, sender: Callable[[bytes], int | None]) -> Part:
        """The part with those of its messages marked that are beyond the limit.

        :param sender: topic → connection_id; None for nobody's topics, which share one bucket.
        """
        at_us = part.received_us
        items = []
        over = False
        for item in part.items:
            key = sender(item[0])
            left, since_us = self._buckets.get(key, (self._most, at_us))
            left = min(self._most, left + (at_us - since_us) * self._per_us)
            if left >= 1.0:
                left -= 1.0
                items.append(item)
            else:
                topic, payload, mid, header = item
                items.append((topic, payload, mid, header | OVER_LIMIT))
                over = True
            self._buckets[key] = (left, at_us)
        return replace(part, items=items) if over else part

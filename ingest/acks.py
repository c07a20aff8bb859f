"""Which acknowledgements may still be sent: those of the connection that delivered the message, and of no other.

A packet id belongs to one connection. Sent on the next one, an old acknowledgement would confirm whatever the broker has
numbered so since: messages that nobody has stored.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

NOBODY = 0
"""The generation of messages that came when no connection was open: they cannot be acknowledged."""


class Acks:
    """The generation of the connection, and the lock under which it changes and acknowledgements are queued."""

    def __init__(self, queue: Callable[[list[int]], None]) -> None:
        """:param queue: hands packet ids to the client; called under the lock."""
        self._lock = threading.Lock()
        self._queue = queue
        self._last = 0
        self._current = NOBODY

    @property
    def generation(self) -> int:
        """Of the open connection, or NOBODY."""
        return self._current

    def opened(self) -> int:
        """A connection was opened. To be called before anything that it delivers is looked at."""
        with self._lock:
            self._last += 1
            self._current = self._last
            return self._current

    def closed(self) -> None:
        """The connection has gone, or is about to be replaced: nothing it delivered can be acknowledged any more."""
        with self._lock:
            self._current = NOBODY

    def send(self, generation: int, mids: list[int]) -> bool:
        """Acknowledge messages that were committed.

        :returns: False if they are of a past connection: the broker delivers them again, and the store knows them.
        """
        if not mids:
            return True
        with self._lock:
            if generation != self._current or generation == NOBODY:
                return False
            self._queue(mids)
            return True

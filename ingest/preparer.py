"""The decoding thread: makes the next batch while the writer commits the one before.

Routes may change between decoding and committing, when a plan is applied. The writer compares, and decodes again by the
routes in force; so this is only ever work done ahead of time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from ingest.batching import Arrivals, Heard, Limits, decode_guarded, waited
from ingest.inbox import Inbox
from ingest.memory import Memory, Recollection
from ingest.part import Part
from ingest.rate import RateLimit
from ingest.routing import Routes
from telemetry import rows
from telemetry.batch import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Messages, and what they say by certain routes."""

    parts: list[Part]
    routes: Routes
    batch: Batch
    memory: Recollection
    """What its messages were decoded by, and leave behind."""


class Preparer:
    """Takes from the inbox one batch ahead, never two: what is taken late is a larger batch."""

    def __init__(
        self,
        inbox: Inbox,
        *,
        routes: Callable[[], Routes],
        batch_messages: int,
        batch_seconds: float,
        limits: Limits,
        rate: RateLimit | None,
        memory: Memory,
    ) -> None:
        """
        :param rate: what comes beyond it is set aside; None: there is no limit.
        :param memory: what protocols remember as of the last commit.
        """
        self._inbox = inbox
        self._routes = routes
        self._batch_messages = batch_messages
        self._batch_seconds = batch_seconds
        self._limits = limits
        self._rate = rate
        self._arrivals = Arrivals()
        self._changed = threading.Condition()
        self._memory = memory
        self._last: Recollection | None = None
        self._asked = False
        """Whether the writer waits for the next batch: all before it are settled."""
        self._ready: Prepared | None = None
        self._ended = False
        self._thread = threading.Thread(target=self._main, name="preparer", daemon=True)
        self.failure: BaseException | None = None
        """What ended the thread, if it was not the end of the inbox."""

    def start(self) -> None:
        """Begin to take from the inbox."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it was started."""
        return self._thread.ident is not None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come: the inbox is closed and empty."""
        return self._ended and self._ready is None

    def next(self, timeout_s: float) -> Prepared | None:
        """The next batch; None if there was none in time, or there will be none. To be called once the one before is settled."""
        with self._changed:
            self._asked = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._ready is not None or self._ended, timeout_s)
            ready, self._ready = self._ready, None
            self._asked = ready is None
            if ready is not None and not self._memory.fits(ready.memory):
                ready.memory.discarded = True
            self._changed.notify_all()
        return ready

    def decoded(self, parts: list[Part], routes: Routes, memory: Recollection) -> Batch:
        """What these messages say by these routes."""
        return decode_guarded(parts, routes, self._arrivals, self._limits, memory)

    def waited(self, heard: Heard, routes: Routes, memory: Recollection) -> Batch:
        """What protocols say because time has passed."""
        return waited(routes, heard, self._arrivals, memory)

    def abandon(self) -> None:
        """End without having handed everything over: what is left stays with the broker."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _main(self) -> None:
        try:
            self._run()
        except BaseException as error:  # noqa: BLE001 - the thread's outermost loop: the process must learn of it
            self.failure = error
        finally:
            self.abandon()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ready is None or self._ended)
                if self._ended:
                    return
            parts = self._inbox.take(most=self._batch_messages, window_s=self._batch_seconds, timeout_s=1.0)
            if parts:
                routes = self._routes()
                parts = self._limited(parts, routes)
                memory = self._memory.batch(self._before())
                batch = self.decoded(parts, routes, memory)
                batch.rows = rows.ahead(rows.columns(batch.readings))
                prepared = Prepared(parts=parts, routes=routes, batch=batch, memory=memory)
                self._last = memory
                with self._changed:
                    self._ready = prepared
                    self._changed.notify_all()
            elif self._inbox.closed:
                return

    def _before(self) -> Recollection | None:
        """What the batch before leaves behind; None where that is committed, or is no more what it was."""
        last = self._last
        if last is not None and last.discarded:
            # The writer decodes it again: what that leaves behind is known once the writer asks for more.
            with self._changed:
                self._changed.wait_for(lambda: self._asked or self._ended)
            return None
        return last

    def _limited(self, parts: list[Part], routes: Routes) -> list[Part]:
        """What is beyond a sender's rate is marked here, once: decoding again must come to the same."""
        if self._rate is None:
            return parts
        return [self._rate.marked(part, lambda topic: routes.find(topic).connection_id) for part in parts]

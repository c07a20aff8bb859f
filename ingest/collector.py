"""One collector: a listener that fills the inbox, a writer that empties it, a heartbeat that says so."""

from __future__ import annotations

import logging
import threading
import time
from functools import partial
from typing import Final

from core.errors import PermanentError
from core.settings import Settings
from core.tls import client_context
from ingest.batching import Heard, Limits
from ingest.broker_url import parse_broker_url
from ingest.division import division
from ingest.inbox import Inbox
from ingest.listener import Listener
from ingest.memory import Memory
from ingest.preparer import Prepared, Preparer
from ingest.rate import RateLimit
from ingest.receipts import Receipts
from ingest.writer import GivenUp, Writer
from telemetry.aside import Quota
from telemetry.heartbeat import Heartbeat

_log = logging.getLogger(__name__)

STOP_WITHIN_S: Final = 8.0
"""How long what is held may take to be committed once we are asked to stop; the rest stays with the broker."""
_REGISTRY_EVERY_S: Final = 1.0
_TICK_EVERY_S: Final = 1.0
DRAINED_AFTER_S: Final = 3.0
"""A queue from which nothing came for so long, with everything settled, is empty."""


class Collector:
    """Run :meth:`run` in the main thread; :meth:`stop` may come from a signal handler or another thread."""

    def __init__(self, *, database_url: str, broker_url: str, settings: Settings, drain: bool = False) -> None:
        """
        :param drain: subscribe to nothing more, settle what is queued for this collector, and end its session: so a member of
            a shared group leaves without keeping its share of the messages to itself.
        """
        self._settings = settings
        self._drain = drain
        self._division = division(settings)
        self._stop = threading.Event()
        self._inbox = Inbox(high_water_messages=settings.high_water_messages, sender=self._sender)
        rate = settings.max_messages_per_second
        memory = Memory()
        self._preparer = Preparer(
            self._inbox,
            routes=lambda: self._writer.routes,
            batch_messages=settings.batch_messages,
            batch_seconds=settings.batch_seconds,
            limits=Limits(
                payload_bytes=settings.max_payload_bytes,
                topic_bytes=settings.max_topic_bytes,
                keep_messages=settings.keep_messages,
            ),
            rate=None if rate is None else RateLimit(rate),
            memory=memory,
        )
        self._writer = Writer(
            database_url,
            name=settings.collector,
            decoded=self._preparer.decoded,
            acknowledge=self._acknowledge,
            wait=self._pause,
            receipts=Receipts(lambda topic, payload: self._listener.publish(topic, payload)),
            memory=memory,
            command=lambda topic, payload: self._listener.publish(topic, payload),
            quota=Quota(messages=settings.quarantine_messages_per_day, payload_bytes=settings.quarantine_bytes_per_day),
        )
        self._routes = self._writer.routes
        url = parse_broker_url(broker_url)
        self._listener = Listener(
            url,
            name=settings.collector,
            inbox=self._inbox,
            filters=self._filters(),
            others=lambda: self._division.others(self._routes),
            draining=drain,
            tls=client_context(settings) if url.tls else None,
            announced=lambda connected_ms: self._routes.announcement(self._division.mine, connected_ms),
        )
        self._heartbeat = Heartbeat(
            database_url,
            name=settings.collector,
            hearing=lambda: self._listener.listening_since,
            note=lambda: f"held={self._inbox.messages}",
        )

    @property
    def listening(self) -> bool:
        """Whether every topic is heard at this moment."""
        return self._listener.listening_since is not None

    @property
    def held(self) -> int:
        """Messages that were taken and are not settled yet."""
        return self._inbox.messages

    @property
    def ended(self) -> bool:
        """Whether it has been asked to stop, or has drained its queue."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask to stop: what was taken is committed and acknowledged first, within a bound."""
        self._stop.set()

    def run(self) -> None:
        """Collect until asked to stop.

        :raises PermanentError: the network thread ended by itself.
        """
        try:
            # The registry first: what arrives before it is known would be nobody's.
            while not self._writer.refresh():
                if self._pause(0.5):
                    return
            self._routes = self._writer.routes
            self._listener.want(self._filters())
            self._listener.start()
            self._preparer.start()
            self._heartbeat.start()
            _log.info("collecting collector=%s", self._settings.collector)
            self._collect()
        finally:
            self._leave()

    def _collect(self) -> None:
        refreshed_at = ticked_at = time.monotonic()
        while not self._stop.is_set():
            prepared = self._preparer.next(timeout_s=0.2)
            if prepared is not None:
                self._write(prepared)
            elif time.monotonic() - refreshed_at >= _REGISTRY_EVERY_S:
                refreshed_at = time.monotonic()
                self._writer.refresh()
            if time.monotonic() - ticked_at >= _TICK_EVERY_S:
                ticked_at = time.monotonic()
                self._tick()
            if self._writer.routes is not self._routes:
                self._routes = self._writer.routes
                self._listener.want(self._filters())
            self._require_threads()
            if self._drain and self._drained():
                self._stop.set()

    def _tick(self) -> None:
        """Let protocols look whom they waited for in vain, over the time in which all was heard, as far as it is settled."""
        stretch, oldest_us = self._listener.attention.stretch, self._inbox.oldest_us
        if stretch is None:
            return  # silence says nothing while we do not listen
        until_us = int(stretch.until * 1_000_000)
        heard = Heard(
            since_us=int(stretch.since * 1_000_000),
            until_us=until_us if oldest_us is None else min(until_us, oldest_us),
            mine=self._division.mine,
        )
        self._writer.tick(partial(self._preparer.waited, heard))

    def _drained(self) -> bool:
        since = self._listener.quiet_since
        return since is not None and not self._inbox.messages and time.monotonic() - since >= DRAINED_AFTER_S

    def _filters(self) -> list[str]:
        return self._division.filters(self._routes)

    def _sender(self, topic: bytes) -> int | None:
        return self._writer.routes.find(topic).connection_id

    def _require_threads(self) -> None:
        for name, failure in (("network", self._listener.failure), ("decoding", self._preparer.failure)):
            if failure is not None:
                raise PermanentError(
                    f"The collector {self._settings.collector} lost its {name} thread to an error of ours ({failure!r}):"
                    " start it again, and report this line."
                ) from failure

    def _write(self, prepared: Prepared) -> bool:
        """:returns: whether all was settled."""
        try:
            self._writer.write(prepared)
        except GivenUp:
            _log.warning("stopping while the database is away, what is held stays with the broker")
            return False
        finally:
            self._inbox.done(prepared.parts)
            self._listener.wake()
        return True

    def _leave(self) -> None:
        """Take nothing more, settle what is held, say goodbye."""
        self._listener.stop_reading()
        self._inbox.close()
        end = time.monotonic() + STOP_WITHIN_S
        while self._preparer.running and not self._preparer.ended and time.monotonic() < end:
            prepared = self._preparer.next(timeout_s=0.2)
            if prepared is not None and not self._write(prepared):
                break
        self._preparer.abandon()
        self._writer.tell_receipts(now=True)
        self._listener.leave(within_s=4.0, forget=self._drain and self._drained())
        self._heartbeat.stop()
        self._writer.close()
        _log.info("stopped settled=%d held=%d", self._writer.messages, self._inbox.messages)

    def _pause(self, seconds: float) -> bool:
        return self._stop.wait(seconds)

    def _acknowledge(self, generation: int, mids: list[int]) -> bool:
        return self._listener.acks.send(generation, mids)

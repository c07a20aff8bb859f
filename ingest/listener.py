"""The network thread: keeps one connection to the broker, fills the inbox, writes acknowledgements, holds back when full.

It only moves packets. When the inbox passes its mark it stops reading, so that the broker holds what comes; acknowledgements
go on. If that lasts, it disconnects, its session kept, and returns once enough was committed.
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from ingest.acks import NOBODY, Acks
from ingest.announcing import Announcement
from ingest.attention import Attention
from ingest.backoff import Backoff
from ingest.broker_url import BrokerUrl
from ingest.client import CollectorClient, Item
from ingest.inbox import Inbox

_log = logging.getLogger(__name__)

HOLD_S: Final = 10.0
"""So long reading may stand still before we disconnect: well below the keep-alive, which would cut us off uncleanly."""
_READ_ON_AT: Final = 0.9
"""At this share of the mark reading goes on: standing still for one batch is short."""
_RETURN_AT: Final = 0.5
"""At this share we connect again: what was held then is delivered once more, so it should not happen often."""
_CALM_S: Final = 5.0
"""A connection that stood so long was sound: the next failure counts as the first."""
_PART_WITHIN_S: Final = 3.0
_MOST_OUTGOING: Final = 10_000
"""Receipts that wait to be published; of more the oldest go, since a later one says the same and more."""
_TICK_S: Final = 0.5


class Listener:
    """One collector's connection to the broker, in a thread of its own."""

    def __init__(
        self,
        url: BrokerUrl,
        *,
        name: str,
        inbox: Inbox,
        filters: list[str],
        others: Callable[[], list[str]] = list,
        draining: bool = False,
        tls: ssl.SSLContext | None = None,
        announced: Callable[[int], Announcement | None] = lambda _: None,
    ) -> None:
        """
        :param name: the fixed name of the collector: its client id and the key of its session.
        :param others: what the session may be subscribed to from before: given up at each connect.
        :param draining: take up the session and subscribe to nothing more: only what is queued for it still comes.
        :param tls: for a URL that asks for it.
        :param announced: what is said of a connection that begins at an instant (epoch ms). Where it is said elsewhere than
            before, the connection begins anew: its last will was given with it.
        """
        self._url = url
        self._inbox = inbox
        self._client = CollectorClient(name, self._deliver)
        self._client.username_pw_set(url.username or name, url.password)
        if tls is not None:
            self._client.tls_set_context(tls)
        self._client.prepare(url.host, url.port)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_subscribe = self._subscribed
        self._client.on_unsubscribe = self._unsubscribed
        self._client.on_socket_register_write = lambda *_: self.wake()
        self.acks = Acks(self._client.acknowledge)
        self._announced = announced
        self._announcement: Announcement | None = None
        self._outgoing: deque[tuple[str, bytes]] = deque(maxlen=_MOST_OUTGOING)
        self._wanted = frozenset(filters)
        self._listening_to: frozenset[str] = frozenset()
        self._backoff = Backoff()
        self._others = others
        self._draining = draining
        self._refusal = ""
        self._closing = threading.Event()
        self._stopped = self._forget = False
        self._parting = False
        self._connected_at: float | None = None
        self._held_since: float | None = None
        self._away = False
        self._asked_at = 0.0
        self._heard, self._bell = socket.socketpair()
        self._heard.setblocking(False)
        self._bell.setblocking(False)
        self._thread = threading.Thread(target=self._main, name="listener", daemon=True)
        self.listening_since: float | None = None
        """Wall-clock instant from which on we hear everything; None while we do not."""
        self.attention = Attention()
        """Over which time nothing escaped us."""
        self.quiet_since: float | None = None
        """When draining: the instant (monotonic) of the last delivery, once the broker adds nothing to the queue."""
        self.failure: BaseException | None = None
        """What ended the thread, if it was not us."""

    def start(self) -> None:
        """Connect, and keep connected."""
        self._thread.start()

    def want(self, filters: list[str]) -> None:
        """Listen to these from now on."""
        if frozenset(filters) != self._wanted:
            self._wanted = frozenset(filters)
            self.wake()

    def publish(self, topic: str, payload: bytes) -> None:
        """Have the thread publish this at QoS 1, if it is connected when its turn comes."""
        self._outgoing.append((topic, payload))
        self.wake()

    def wake(self) -> None:
        """Have the thread look again: there is something to write, or room to read."""
        # A full bell rings already, and one that was taken down rings for nobody.
        with contextlib.suppress(OSError):
            self._bell.send(b"\0")

    def stop_reading(self) -> None:
        """Take nothing more; acknowledgements can still be sent."""
        self._closing.set()
        self.wake()

    def leave(self, *, within_s: float, forget: bool = False) -> None:
        """Write what is still to be written, disconnect with the session kept, and end the thread.

        :param forget: the session ends.
        """
        self._forget = forget
        self._closing.set()
        self._stopped = True
        self.wake()
        if self._thread.is_alive():
            self._thread.join(within_s)
        if not self._thread.is_alive():
            self._heard.close()
            self._bell.close()

    def _main(self) -> None:
        try:
            self._run()
        except BaseException as error:  # noqa: BLE001 - the thread's outermost loop: the process must learn of it
            self.failure = error
        finally:
            self.listening_since = None
            self.acks.closed()

    def _run(self) -> None:
        misc_at = 0.0
        while not self._stopped:
            now = time.monotonic()
            self._hold(now)
            reading = self._held_since is None and not self._closing.is_set()
            self.attention.turn(time.time(), hearing=reading and self.listening_since is not None)
            if self._client.socket() is None and self._held_since is None and self._backoff.wait_s(now=now) == 0:
                self._connect(now)
            self._keep_subscribed()
            self._keep_announced(now)
            self._publish_outgoing()
            self._turn(self._patience(now))
            if now - misc_at >= _TICK_S:
                misc_at = now
                self._client.loop_misc()
        self._part()

    def _patience(self, now: float) -> float:
        if self._client.socket() is None and self._held_since is None:
            return min(_TICK_S, max(0.01, self._backoff.wait_s(now=now)))
        return _TICK_S

    def _turn(self, timeout_s: float) -> None:
        """Wait for the socket or the bell, then read and write what can be."""
        connected = self._client.socket()
        reading: list[Any] = [self._heard]
        held = self._held_since is not None or self._closing.is_set()
        if connected is not None and (self._parting or not held):
            reading.append(connected)
        writing = [connected] if connected is not None and self._client.want_write() else []
        try:
            readable, writable, _ = select.select(reading, writing, [], timeout_s)
        except (OSError, ValueError):  # the socket was closed between
            return
        if self._heard in readable:
            self._heard.recv(4096)
        if connected in readable:
            self._client.loop_read()
        if connected in writable and self._client.socket() is connected:
            self._client.loop_write()

    def _hold(self, now: float) -> None:
        """Stop reading when the inbox is full, leave if that lasts, come back when there is room."""
        if self._held_since is None:
            if self._inbox.full():
                self._held_since = now
        elif self._away:
            if self._inbox.has_room(_RETURN_AT):
                _log.info("inbox has room, connecting again held=%d", self._inbox.messages)
                self._held_since, self._away = None, False
        elif self._inbox.has_room(_READ_ON_AT):
            self._held_since = None
        elif now - self._held_since >= HOLD_S:
            self._away = True
            _log.warning("inbox is full, disconnecting until it is committed held=%d", self._inbox.messages)
            if self._client.socket() is not None:
                self._say_goodbye()
                self._client.disconnect()

    def _connect(self, now: float) -> None:
        # Before paho forgets what was queued for the connection before: no acknowledgement may slip into the next one.
        self.acks.closed()
        self._refusal = ""
        self._announcement = None if self._draining else self._announced(time.time_ns() // 1_000_000)
        if self._announcement is None:
            self._client.will_clear()
        else:
            self._client.will_set(self._announcement.topic, self._announcement.will, qos=1, retain=True)
        try:
            self._client.reconnect()
        except (OSError, ValueError) as error:
            self._failed(now, str(error))

    def _failed(self, now: float, reason: str) -> None:
        if self._backoff.failures == 0:
            _log.warning("no connection to the broker broker=%s reason=%r, trying on", self._url, reason)
        self._backoff = self._backoff.failed(now=now)

    def _connected(self, _client: Any, _data: Any, flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._refusal = f"the broker refuses us: {reason}"
            return
        generation = self.acks.opened()
        self._connected_at = time.monotonic()
        _log.info("connected broker=%s generation=%d session_present=%s", self._url, generation, flags.session_present)
        if self._draining:
            self._client.unsubscribe(sorted(self._wanted.union(self._others())))
            return
        self._listening_to = self._wanted
        if self._listening_to:
            self._client.listen(sorted(self._listening_to))
        else:
            self.listening_since = time.time()
        before = self._others() if flags.session_present else []
        if before:
            self._client.unsubscribe(before)

    def _disconnected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.acks.closed()
        self.listening_since = self.quiet_since = None
        since, self._connected_at = self._connected_at, None
        if self._stopped or self._away:
            return
        now = time.monotonic()
        # Two processes of one name throw each other out at once: that must not become a race without a pause.
        if since is not None and now - since >= _CALM_S:
            self._backoff = Backoff()
        if since is not None and self._backoff.failures:
            _log.warning("connection lost again broker=%s reason=%r after_s=%.1f", self._url, str(reason), now - since)
        self._failed(now, self._refusal or f"connection lost: {reason}")

    def _subscribed(self, _client: Any, _data: Any, _mid: Any, reasons: Any, _properties: Any) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            _log.error("the broker refuses a subscription reasons=%s, check the collector's rights", refused)
        elif self.listening_since is None:
            self.listening_since = time.time()
            if self._announcement is not None:
                self._client.publish(self._announcement.topic, self._announcement.birth, qos=1, retain=True)

    def _unsubscribed(self, _client: Any, _data: Any, _mid: Any, _reasons: Any, _properties: Any) -> None:
        if self._draining:
            self.quiet_since = time.monotonic()

    def _keep_subscribed(self) -> None:
        wanted = self._wanted
        if self._draining or wanted == self._listening_to or self.acks.generation == 0:
            return
        new, gone = sorted(wanted - self._listening_to), sorted(self._listening_to - wanted)
        self._listening_to = wanted
        if new:
            self._client.listen(new)
        if gone:
            self._client.unsubscribe(gone)
        _log.info("subscriptions changed new=%d gone=%d", len(new), len(gone))

    def _keep_announced(self, now: float) -> None:
        """Begin the connection anew if something else is to be said of it: a last will is given with CONNECT."""
        if now - self._asked_at < _TICK_S or self.listening_since is None or self._client.socket() is None:
            return
        self._asked_at = now
        said, wanted = self._announcement, self._announced(0)
        if (said and said.topic) != (wanted and wanted.topic):
            _log.info("connecting anew, with another last will topic=%s", wanted and wanted.topic)
            self._say_goodbye()
            self._client.disconnect()

    def _say_goodbye(self) -> None:
        if self._announcement is not None:
            death = self._announcement.death(time.time_ns() // 1_000_000)
            self._client.publish(self._announcement.topic, death, qos=1, retain=True)
            self._announcement = None

    def _publish_outgoing(self) -> None:
        connected = self.acks.generation != NOBODY
        while self._outgoing:
            topic, payload = self._outgoing.popleft()
            if connected:
                self._client.publish(topic, payload, qos=1)

    def _deliver(self, items: list[Item]) -> None:
        if self._parting:
            return
        self._inbox.put(self.acks.generation, items)
        if self.quiet_since is not None:
            self.quiet_since = time.monotonic()

    def _part(self) -> None:
        """Write the last acknowledgements, wait until the broker has taken them, then say goodbye.

        A socket that is closed with something unread in it takes back what was written last. So everything is read up to
        the broker's answer; what comes meanwhile is not kept, and will be delivered again.
        """
        end = time.monotonic() + _PART_WITHIN_S
        self._parting = True
        self._publish_outgoing()
        if self._client.is_connected():
            self._say_goodbye()
            self._client.ask()
        while self._client.socket() is not None and time.monotonic() < end:
            if self._client.answered and not self._client.want_write():
                break
            self._turn(0.05)
        self.acks.closed()
        if self._client.socket() is not None and self._client.is_connected():
            if self._forget:
                self._client.forget()
            else:
                self._client.disconnect()
            while self._client.socket() is not None and time.monotonic() < end:
                self._turn(0.05)

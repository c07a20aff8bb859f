"""From just before a publish until a query sees the reading, while others publish at a given rate."""

from __future__ import annotations

import random
import socket
import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np

from core.errors import TransientError
from pilotbed.bench.arena import PROBE, SLOTS, Arena, Field
from pilotbed.bench.contestants import Running, collectors, committed
from pilotbed.bench.publisher import connect_packet, publish_packet
from pilotbed.bench.publishing import begin, publishers

PROBES: Final = 300
_SPACING_S: Final = (0.02, 0.06)
_BEFORE_S: Final = 2.0
"""Load before the first probe."""
_LOOK_EVERY_S: Final = 0.004
"""Between two queries: so much at most is measured too long. Looking more often would be a load of its own."""
_LOST_AFTER_S: Final = 30.0
_SEEN: Final = (
    "SELECT value FROM reading WHERE channel_id = %(channel)s"
    " AND observed_at >= timestamptz '1970-01-01T00:00:00Z' + %(from_ms)s * interval '1 millisecond'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """What the probes met."""

    seconds: list[float]
    messages_per_s: float
    """What the others came to meanwhile, as committed."""

    def ms(self, percent: float) -> float:
        """A percentile."""
        return round(float(np.percentile(self.seconds, percent)) * 1000, 1)


def latency(arena: Arena, *, rate: float, probes: int = PROBES) -> Latency:
    """Probe one collector while the publishers send ``rate`` messages a second, one reading each."""
    load_s = _BEFORE_S + probes * sum(_SPACING_S) / 2 * 1.5 + 5
    messages = max(int(rate * load_s) // SLOTS, 1) * SLOTS
    with arena.field() as where, collectors(where) as running:
        with publishers(where, readings=1, messages=messages, rate=rate) as processes:
            begin(processes)
            time.sleep(_BEFORE_S)
            before, begun = committed(running), time.monotonic()
            seconds = _probed(where, running, probes)
            taken, took_s = committed(running) - before, time.monotonic() - begun
        return Latency(seconds=seconds, messages_per_s=(taken - probes) / took_s)


def _probed(where: Field, running: Running, probes: int) -> list[float]:
    channel, first_ms = where.channels[f"{PROBE}/c0"], int(time.time() * 1000) - 3_600_000
    sent: list[float] = []
    seen: dict[int, float] = {}
    with _connected(where) as publisher:
        next_at = time.perf_counter()
        while len(seen) < probes:
            now = time.perf_counter()
            if len(sent) < probes and now >= next_at:
                next_at = now + random.uniform(*_SPACING_S)  # noqa: S311 - no secret
                number = len(sent)
                body = b'{"ts":%d,"values":{"c0":%d}}' % (first_ms + number, number)
                packet = publish_packet(f"pilots/bench/{PROBE}/readings".encode(), number % 65_535 + 1, body)
                sent.append(time.perf_counter())
                publisher.sendall(packet)
            oldest = next((number for number in range(len(sent)) if number not in seen), len(sent))
            rows: list[dict[str, Any]] = running.connection.execute(
                _SEEN, {"channel": channel, "from_ms": first_ms + oldest}
            ).fetchall()
            now = time.perf_counter()
            for row in rows:
                seen.setdefault(int(row["value"]), now - sent[int(row["value"])])
            if oldest < len(sent) and now - sent[oldest] > _LOST_AFTER_S:
                raise TransientError(
                    f"A probe was not seen within {_LOST_AFTER_S:.0f} s: the load is too high to measure."
                )
            time.sleep(_LOOK_EVERY_S)
    return [seen[number] for number in range(probes)]


def _connected(where: Field) -> socket.socket:
    parts = urlsplit(where.broker.url)
    opened = socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 1883), timeout=20)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    opened.sendall(connect_packet(where.probe.username, where.probe.password))
    answer = opened.recv(4)
    if answer != b"\x20\x02\x00\x00":
        opened.close()
        raise ConnectionError(f"the broker refuses {where.probe.username}: {answer.hex()}")
    return opened

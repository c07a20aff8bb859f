"""Messages that arrive without a broker: decoded and committed as a collector would."""

from __future__ import annotations

from core.database import Connection
from ingest import registry
from ingest.batching import Arrivals, Limits, decode
from ingest.part import Part
from ingest.routing import Routes
from telemetry.commit import Committed, commit
from tests.collecting import now_ms

QOS_1, QOS_0, RETAINED = 0x32, 0x30, 0x33


def arrive(
    connection: Connection,
    *messages: tuple[str, bytes],
    header: int = QOS_1,
    ago_s: float = 60,
    max_payload_bytes: int = 10_000,
) -> Committed:
    """Commit messages that came together, so long ago, by the plans as they are."""
    part = Part(
        generation=1,
        received_us=now_ms(-ago_s) * 1000,
        items=[(topic.encode(), payload, mid, header) for mid, (topic, payload) in enumerate(messages, start=1)],
    )
    routes = Routes(registry.load(connection))
    return commit(connection, decode([part], routes, Arrivals(), Limits(payload_bytes=max_payload_bytes)))

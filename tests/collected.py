"""A broker with a collector's name for each test of the intake, what devices say there, and what was stored of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.database import Connection
from devices.access import BrokerUser
from devices.credentials import password_record
from pilotbed.stack.mosquitto import Mosquitto
from tests.collecting import now_ms

COLLECTORS = tuple(f"collector-{number}" for number in range(1, 30))
START_MS = now_ms(-3600)
_SECRET = "a device's secret"


@dataclass(slots=True)
class Site:
    """A broker where the user ``device`` may publish anywhere, and a collector's name that no other test has."""

    broker: Mosquitto
    collector: str

    @property
    def collector_url(self) -> str:
        return self.broker.collector_url(self.collector)

    @property
    def device_url(self) -> str:
        return self.broker.url_of("device", _SECRET)


@contextmanager
def broker_for_anything(folder: Path) -> Iterator[Mosquitto]:
    """A broker where the user ``device`` may publish anywhere, with all of :data:`COLLECTORS`."""
    server = Mosquitto(folder / "mosquitto", collectors=COLLECTORS)
    server.write_users([BrokerUser(username="device", password=password_record(_SECRET), publish=("#",), subscribe=())])
    server.start()
    try:
        yield server
    finally:
        server.stop()


def reading(number: int, **values: Any) -> dict[str, Any]:
    """A reading whose instant is told by its number: no two numbers share one."""
    return {"ts": START_MS + number, "values": values or {"pm25": number}}


def stored(connection: Connection) -> list[float]:
    return [row["value"] for row in connection.execute("SELECT value FROM reading ORDER BY observed_at, channel_id")]


def totals(connection: Connection, table: str) -> dict[str, int]:
    """The sums of a table of the accounting."""
    names = {
        "intake_connection": ("delivered", "committed", "quarantined", "payload_bytes"),
        "intake_slot": ("decoded", "stored", "duplicate", "conflict", "rejected"),
    }[table]
    columns = ", ".join(f"coalesce(sum({name}), 0)::bigint AS {name}" for name in names)
    row = connection.execute(f"SELECT {columns} FROM {table}").fetchone()  # type: ignore[arg-type]
    assert row is not None
    return dict(row)

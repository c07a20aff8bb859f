"""The newest reading of each channel, as a table shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.database import Connection
from dashboards.access import VisiblePilot
from dashboards.wording import Wording
from telemetry import intake
from telemetry.batch import Flag


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """One channel and its newest reading, if it has one."""

    slot: str
    channel: str
    title: str
    kind: str
    number: str
    """As printed; the name of a state."""
    unit: str
    observed_at: datetime | None
    received_at: datetime | None
    delay_s: float | None
    """None where the device has no clock of its own: its time is the receipt's."""


def latest_of(connection: Connection, pilot: VisiblePilot, words: Wording) -> list[Latest]:
    """Of every channel of a pilot that the person sees, in the order of registration."""
    return [_latest(row, words) for row in intake.latest_readings(connection, pilot.name)]


def _latest(row: intake.Row, words: Wording) -> Latest:
    observed, received, value = row["observed_at"], row["received_at"], row["value"]
    own_clock = observed is not None and not row["flags"] & Flag.ARRIVAL_TIME
    return Latest(
        slot=row["slot"],
        channel=row["channel"],
        title=str(row["options"].get("name") or row["channel"]),
        kind=row["kind"],
        number=_shown(row, value, words),
        unit="" if row["kind"] == "state" else words.unit(row["unit"]),
        observed_at=observed,
        received_at=received,
        delay_s=(received - observed).total_seconds() if own_clock and received is not None else None,
    )


def _shown(row: intake.Row, value: float | None, words: Wording) -> str:
    states = row["options"].get("states") or []
    if row["kind"] == "state" and value is not None and 0 <= int(value) < len(states):
        return str(states[int(value)])
    return words.number(value, row["unit"])

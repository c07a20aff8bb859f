"""The last thing of a pilot that was refused, while it is news: for whoever is connecting a device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from core.database import Connection
from dashboards.access import VisiblePilot
from dashboards.reasons import ReasonText, Why, why_of
from dashboards.wording import Wording
from telemetry import intake

_NEWS: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A message or a value that was refused, and why."""

    reference: str
    received_at: datetime
    topic: str
    why: Why


def refused_last(
    connection: Connection,
    pilot: VisiblePilot,
    reasons: Mapping[str, ReasonText],
    words: Wording,
    now: datetime | None = None,
) -> Refused | None:
    """The newest refusal of the last half hour; None if there was none."""
    found = [
        Refused(
            reference=f"{letter}-{row[key]}",
            received_at=row["received_at"],
            topic=row["topic"],
            why=why_of(row["reason"], reasons, words),
        )
        for letter, key, rows in (
            ("Q", "quarantine_id", intake.quarantined(connection, pilot.name, most=1, open_only=True)),
            ("R", "rejection_id", intake.rejected(connection, pilot.name, most=1)),
        )
        for row in rows
    ]
    since = (now or datetime.now(UTC)) - _NEWS
    return max((one for one in found if one.received_at >= since), key=lambda one: one.received_at, default=None)

"""What of a demo pilot's live part is in the store: counted, so that nothing that is lost on the way goes unseen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.database import Connection
from core.sql import load as blocks
from core.window import Window
from pilotbed.demo.pilots import DemoPilot
from telemetry.batch import Flag

_SQL = blocks("pilotbed.demo", "heard.sql")


class Expected:
    """What a pilot's site tells between the loaded history and now."""

    def __init__(self, pilot: DemoPilot) -> None:
        self.pilot = pilot.plan.pilot
        self.window = Window(start=pilot.seam, end=datetime.now(UTC))
        site, plan, bounds = pilot.site, pilot.plan, (self.window.start, self.window.end)
        self._readings = sum(len(site.readings(plan, slot, *bounds)) for slot in plan.slots)
        self._events = sum(len(site.events(plan, slot, *bounds)) for slot in plan.slots)
        self._protocols = sorted({plan.connection_of(slot)[1].protocol for slot in plan.slots})

    def has_come(self, connection: Connection) -> bool:
        """Whether all of it is in the store, and came there through the broker."""
        readings, events = self._stored(connection)
        return readings >= self._readings and events >= self._events

    def lack(self, connection: Connection) -> str:
        """What is not there."""
        readings, events = self._stored(connection)
        return (
            f"Of pilot {self.pilot!r} {readings:,} of {self._readings:,} readings and {events:,} of {self._events:,} events"
            f" came over {', '.join(self._protocols)}"
        )

    def told(self) -> str:
        """What came."""
        if not self._readings:
            return f"{self.pilot}: its link is down since {self.window.start:%H:%M} UTC, as its scenario has it."
        hours = self.window.seconds / 3600
        return (
            f"{self.pilot}: the last {hours:.1f} h came over {', '.join(self._protocols)} through the broker:"
            f" {self._readings:,} readings, {self._events:,} events"
        )

    def _stored(self, connection: Connection) -> tuple[int, int]:
        row = connection.execute(
            _SQL["came_live"],
            {
                "pilot": self.pilot,
                "start": self.window.start,
                # MAVLink's frames without a time follow those with one by microseconds.
                "end": self.window.end + timedelta(microseconds=10),
                "loaded": int(Flag.LOADED),
            },
        ).fetchone()
        assert row is not None
        return row["readings"], row["events"]

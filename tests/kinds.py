"""A site with every kind of channel and event, for tests of the measure kinds in a real database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from core.canonical import canonical_json
from core.database import Connection
from kpi.evaluate import Result
from tests.evaluated import SEOUL, Site, made_site

SLOT = """
  {name}:
    device: {{serial: "{name}-1"}}
    channels:
      power: {{unit: kW, period: 10 min, max_hold: 35 min, range: [0, 2]}}
      valve: {{unit: kW, reporting: on_change}}
      odometer: {{kind: counter, unit: km, period: 10 min, max_hold: 1 h}}
      pulses: {{kind: counter, unit: "1", period: 10 min, max_hold: 1 h}}
      mode: {{kind: state, states: [idle, auto], reporting: on_change}}
    events:
      mission: {{numbered: true, phased: true}}
      incident: {{numbered: true}}
      alarm: {{}}
      seen: {{truth: true}}
"""
ALL_UP = (datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))


def site_of(connection: Connection, kpis: str, **given: Any) -> Site:
    """The pilot ``hall`` with these KPIs, and with slots that have everything."""
    return made_site(connection, kpis, **({"slot": SLOT} | given))


def entry(result: Result, name: str) -> dict[str, Any]:
    """One KPI of a result that can be written as JSON."""
    canonical_json(result.document)  # no infinity, no NaN
    return next(kpi for kpi in result.document["kpis"] if kpi["id"] == name)


def at(day: str, clock: str = "00:00", zone: ZoneInfo = SEOUL) -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=zone)


def alarms(made: Site, slot: str, number: int, first: int = 0, **attributes: Any) -> None:
    every = timedelta(days=30) / number
    rows = [(first + i, "", at("2025-03-01", "01:00") + i * every, attributes) for i in range(number)]
    made.happened(slot, rows, kind="alarm")


def missions(made: Site, minutes: list[float | None], first: int = 1, **attributes: Any) -> None:
    """One every three hours from the 2nd of March on; None: it never ended."""
    rows: list[tuple[int, str, datetime, dict[str, Any]]] = []
    for place, lasted in enumerate(minutes):
        began = at("2025-03-02") + timedelta(hours=3 * place)
        rows.append((first + place, "start", began, {}))
        if lasted is not None:
            rows.append((first + place, "end", began + timedelta(minutes=lasted), attributes))
    made.happened("a", rows)

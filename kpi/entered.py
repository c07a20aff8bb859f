"""What people entered, as a result shows it: unaltered, with who and when, and the hash of the document that proves it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.canonical import plain
from core.database import Connection
from core.window import Window
from devices.plan.model import Plan
from kpi.records.manual import manual_entries


def entered_of(connection: Connection, plan: Plan, whole: Window, as_of: datetime) -> list[dict[str, Any]]:
    """Every entry of the plan's quantities up to the end of the judged window, those before the pilot (a baseline) too.

    :param as_of: as they were known then.
    """
    found = [
        one
        for one in manual_entries(connection, plan.pilot, as_of=as_of)
        if one.quantity in plan.manual and one.start_at < whole.end
    ]
    rows = []
    for one in found:
        row: dict[str, Any] = plain(one)
        rows.append({key: value for key, value in row.items() if key != "pilot" and not key.startswith("superseded")})
    return rows

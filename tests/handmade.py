"""Parts of measures made by hand, for tests that need no database."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from kpi.measures.counting import CountPart, Sighting

SEOUL = ZoneInfo("Asia/Seoul")
FIRST = date(2026, 1, 1)
DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000


def counted(
    certain: int, unclear: int = 0, missing: int = 0, *, days: float = 30, numbered: bool = True, **changes: Any
) -> CountPart:
    """One slot that was up for so many days, its events spread evenly."""
    kinds = [(True, True)] * certain + [(False, True)] * unclear + [(False, False)] * missing
    found = tuple(
        (FIRST + timedelta(days=int(i * days / len(kinds))), Sighting(at_us=i, certain=sure, heard=heard))
        for i, (sure, heard) in enumerate(kinds)
    )
    usual: dict[str, Any] = {
        "sightings": found, "exposure": days * DAY_US, "connected_us": 1, "required_us": 1, "numbered": numbered,
        "days": tuple((FIRST + timedelta(days=i), float(DAY_US)) for i in range(int(days))),
    }  # fmt: skip
    return CountPart(**(usual | changes))

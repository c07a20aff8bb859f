"""The monthly opinion as PDF, made on request and kept: the same result and the same words under it give the same file."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from core.canonical import canonical_json, sha256
from core.database import Connection
from core.errors import NotFound
from core.files import write_whole
from core.sql import load
from dashboards.access import VisiblePilot
from dashboards.users import Person
from kpi.reports.gather import opinion_data
from kpi.reports.opinion import opinion_pdf
from kpi.results import newest

_SQL = load("dashboards", "pilots.sql")
_MOST_KEPT: Final = 300
_making: Final = tuple(threading.Lock() for _ in range(16))


def opinion(
    connection: Connection, person: Person, pilot: VisiblePilot, month: str, *, language: str, folder: Path
) -> bytes:
    """The opinion on the newest stored result of a month.

    :raises NotFound: that month has no result yet.
    """
    result = newest(connection, pilot.name, "month", month) if "\0" not in month else None
    if result is None:
        raise NotFound(f"Pilot {pilot.name!r} has no result of {month!r} yet.")
    row = connection.execute(
        _SQL["last_opinion"], {"person": person.person_id, "pilot": pilot.pilot_id, "month": month}
    ).fetchone()
    written = None if row is None else row["opinion_id"]
    key = sha256(canonical_json([pilot.name, result.result_id, result.sha256, result.code_version, written, language]))
    path = folder / "opinions" / f"{key}.pdf"
    with _making[int(key[:4], 16) % len(_making)]:
        if not path.is_file():
            made = opinion_pdf(opinion_data(connection, result), language)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, made)
            _forget_old(path.parent)
        return path.read_bytes()


def _forget_old(folder: Path) -> None:
    """A running month has a new result every few minutes: the files made longest ago go."""
    kept = sorted(folder.glob("*.pdf"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in kept[_MOST_KEPT:]:
        path.unlink(missing_ok=True)

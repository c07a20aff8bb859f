"""The monthly opinion as PDF and as JSON, made on request and kept: one record, so that both carry the same check code.

The record is kept as its own JSON. A PDF in either language is set from it, however much later, and prints the SHA-256
of the very ``opinion`` that the JSON hands out.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from core.canonical import canonical_json, check_code, sha256
from core.database import Connection
from core.errors import NotFound
from core.files import write_whole
from core.sql import load
from dashboards.access import VisiblePilot
from dashboards.users import Person
from kpi.kept import ReadingsDeleted
from kpi.reports.gather import opinion_data
from kpi.reports.opinion import digest, opinion_json, opinion_pdf
from kpi.reports.record import OpinionData
from kpi.results import newest

_SQL = load("dashboards", "pilots.sql")
_MOST_KEPT: Final = 600
_making: Final = tuple(threading.Lock() for _ in range(16))


def opinion(
    connection: Connection, person: Person, pilot: VisiblePilot, month: str, *, language: str, folder: Path
) -> bytes:
    """The opinion on the newest stored result of a month, as PDF.

    :raises NotFound: that month has no result yet.
    """
    data = json.loads(opinion_file(connection, person, pilot, month, folder=folder))
    path = folder / "opinions" / f"{data['sha256']}.{language}.pdf"
    with _lock(data["sha256"]):
        if not path.is_file():
            write_whole(path, opinion_pdf(_records().validate_python(data["opinion"]), language))
            _forget_old(path.parent)
        return path.read_bytes()


def opinion_file(connection: Connection, person: Person, pilot: VisiblePilot, month: str, *, folder: Path) -> bytes:
    """The same opinion as JSON: the record, its SHA-256 and its check code.

    :raises NotFound: that month has no result yet.
    """
    result = newest(connection, pilot.name, "month", month) if "\0" not in month else None
    if result is None:
        raise NotFound(f"Pilot {pilot.name!r} has no result of {month!r} yet.")
    row = connection.execute(
        _SQL["last_opinion"], {"person": person.person_id, "pilot": pilot.pilot_id, "month": month}
    ).fetchone()
    written = None if row is None else row["opinion_id"]
    key = sha256(canonical_json([pilot.name, result.result_id, result.sha256, result.code_version, written]))
    path = folder / "opinions" / f"{key}.json"
    with _lock(key):
        if not path.is_file() or not _is_whole(path.read_bytes()):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, opinion_json(opinion_data(connection, result)))
            _forget_old(path.parent)
        return path.read_bytes()


def opinion_codes(
    connection: Connection,
    person: Person,
    pilot: VisiblePilot,
    months: Iterable[str],
    *,
    folder: Path,
    within_s: float = 1.5,
) -> dict[str, str]:
    """The check codes that the opinions of these months print, as many as are worked out in time; always the first."""
    until = time.monotonic() + within_s
    found: dict[str, str] = {}
    for month in months:
        try:
            made = json.loads(opinion_file(connection, person, pilot, month, folder=folder))
        except ReadingsDeleted:  # none is made any more; those that were are signed and kept elsewhere
            continue
        found[month] = check_code(made["sha256"])
        if time.monotonic() > until:
            break
    return found


def _is_whole(kept: bytes) -> bool:
    """Whether a kept record still reads as one: another version of the programs may have written it."""
    try:
        found = json.loads(kept)
        return bool(digest(_records().validate_python(found["opinion"])) == found["sha256"])
    except (ValueError, KeyError, TypeError):
        return False


@cache
def _records() -> TypeAdapter[OpinionData]:
    return TypeAdapter(OpinionData)


def _lock(key: str) -> threading.Lock:
    return _making[int(key[:4], 16) % len(_making)]


def _forget_old(folder: Path) -> None:
    """A running month has a new result every few minutes: the files made longest ago go."""
    kept = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in kept[_MOST_KEPT:]:
        path.unlink(missing_ok=True)

"""A span of time as people type it: dates and instants, those without a zone in the pilot's."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from core.errors import PermanentError
from core.window import Window


def moment(option: str, text: str, zone: ZoneInfo) -> datetime:
    """An instant; one without a zone, or a date, is meant in the pilot's.

    :raises PermanentError: it is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise PermanentError(
            f"{option} {text!r} is neither a date (2026-06-01) nor an instant (2026-06-01T09:00)."
        ) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)


def span(start: str, end: str, zone: ZoneInfo) -> Window:
    """From ``--from`` up to, not including, ``--to``.

    :raises PermanentError: one of them is no instant, or they do not follow each other.
    """
    first, last = moment("--from", start, zone), moment("--to", end, zone)
    if first >= last:
        raise PermanentError(f"--from {start} does not lie before --to {end}: choose a span of time.")
    return Window(start=first, end=last)

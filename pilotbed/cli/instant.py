"""Instants and days as people type them on a command line."""

from __future__ import annotations

from datetime import date, datetime

from core.errors import PermanentError


def instant(option: str, text: str) -> datetime:
    """An instant with its zone.

    :raises PermanentError: it is none, or names no zone.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise PermanentError(f"{option} {text!r} is no instant: write it as 2026-05-01T09:00+09:00.") from None
    if found.tzinfo is None:
        written = text if "T" in text or " " in text else f"{text}T00:00"
        raise PermanentError(f"{option} {text!r} has no zone: write it as {written}+09:00, or with a Z for UTC.")
    return found


def day(option: str, text: str) -> date:
    """A calendar day.

    :raises PermanentError: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise PermanentError(f"{option} {text!r} is no calendar day: write it as YYYY-MM-DD.") from None

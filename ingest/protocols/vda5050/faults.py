"""A robot's errors, as they come and go: events with a start and an end."""

from __future__ import annotations

from typing import Any, Final, Literal

from msgspec.structs import replace

from ingest.protocols.vda5050.missions import Happening, Moment
from ingest.protocols.vda5050.remembered import MOST_ERRORS, Error, Told
from ingest.protocols.vda5050.seen import Errors

ERROR: Final = "error"
FAULT: Final = "fault"
"""An error with which a robot cannot go on."""
_STOPPING: Final = frozenset({"FATAL", "CRITICAL"})


def go_on(told: Told, errors: Errors, serial: str, moment: Moment, happened: list[Happening]) -> tuple[Told, int]:
    """What is told from here on, and how many errors are not followed since there are too many."""
    before = {one.key: one for one in told.errors}
    if before.keys() == {key for key, _, _ in errors.found}:
        return told, 0
    now = []
    for key, kind, level in errors.found[:MOST_ERRORS]:
        error = before.pop(key, None)
        if error is None:
            identity = f"{serial}:{kind or level}:{key[:8]}:{moment.at_us // 1000}"
            error = Error(key, identity, kind, level, moment.at_us, moment.known)
            _tell(error, "start", moment, happened)
        now.append(error)
    there = {key for key, _, _ in errors.found}
    for key, error in before.items():
        if key not in there:
            _tell(error, "end", moment, happened)
    return replace(told, errors=tuple(now)), max(0, len(errors.found) - MOST_ERRORS)


def _tell(error: Error, phase: Literal["start", "end"], moment: Moment, happened: list[Happening]) -> None:
    about: dict[str, Any] = {"type": error.type, "level": error.level}
    if not error.seen:
        about["start_seen"] = False
    elif phase == "end":
        about["duration_s"] = round((moment.at_us - error.since_us) / 1_000_000, 3)
    if not moment.sure and 0 < moment.before_us < moment.at_us:
        about[f"{phase}_within_s"] = round((moment.at_us - moment.before_us) / 1_000_000, 3)
    for kind in (ERROR, FAULT) if error.level in _STOPPING else (ERROR,):
        happened.append(Happening(kind=kind, id=error.id, phase=phase, at_us=moment.at_us, attributes=about))

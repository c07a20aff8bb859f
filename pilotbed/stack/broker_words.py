"""What the lines of Mosquitto's log say, in our words. Its wording since 2.0.0; that of 2.1, which has addresses in it, too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from devices.journal import Came, Entry, Reason, Refused, Stopped, Went, Why

# The time is set by pilotbed.stack.broker_log, or by Mosquitto itself in seconds since 1970.
_LINE: Final = re.compile(r"(?:(?P<iso>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)|(?P<epoch>\d{1,11}):) (?P<said>.+)")
_REFUSED: Final = re.compile(
    r"(?P<what>Denied|Dropped too large) PUBLISH from (?P<username>.*?)"
    r" \(d\d, q\d, r\d, m\d+, '(?P<topic>.*)', \.\.\. \(\d+ bytes\)\)"
)
_CAME: Final = re.compile(r"New client connected from \S+ as (?P<username>.*) \(p\d+, c\d, k\d+(?:, u'.*')?\)\.")
_WENT: Final = re.compile(
    r"Client (?P<username>.*?)(?: \[\S*:\d+\])?"
    r"(?:(?P<tail> disconnected\.| closed its connection\.| has exceeded timeout, disconnecting\."
    r"| been disconnected by administrative action\.| already connected, closing old connection\."
    r"| disconnected, not authorised\.)"
    r"| disconnected(?: due to|:) (?P<because>.+?)\.?)"
)
_BROKEN: Final = re.compile(r"Bad socket read/write on client (?P<username>.*): .*")
_STOPPED: Final = re.compile(r"mosquitto version \S+ (?:starting|terminating)")

_REASONS: Final[dict[str, Reason]] = {"Denied": "denied", "Dropped too large": "too_large"}
_TAILS: Final[dict[str, Why | None]] = {
    " disconnected.": "left",
    " closed its connection.": "closed",
    " has exceeded timeout, disconnecting.": "timed_out",
    " been disconnected by administrative action.": "cut_off",
    " already connected, closing old connection.": "taken_over",
    " disconnected, not authorised.": None,
}
"""None: it was never let in."""
_BECAUSE: Final[dict[str, Why | None]] = {
    "oversize packet": "too_large",
    "oversize payload": "too_large",
    "malformed packet": "faulty",
    "protocol error": "faulty",
    "connection closed by client": "closed",
    "exceeded timeout": "timed_out",
    "administrative action": "cut_off",
    "session taken over": "taken_over",
    "not authorised": None,
    "bad username or password": None,
}


def entries(lines: bytes) -> Iterator[Entry]:
    """What is said of devices in whole lines of the log, in their order; the rest is left out."""
    for line in lines.decode(errors="replace").split("\n"):
        match = _LINE.fullmatch(line)
        if match is not None and (at := _at(match)) is not None:
            yield from _said(match["said"], at)


def _at(match: re.Match[str]) -> datetime | None:
    try:
        return (
            datetime.fromisoformat(match["iso"]) if match["iso"] else datetime.fromtimestamp(int(match["epoch"]), UTC)
        )
    except (ValueError, OverflowError, OSError):
        return None  # no instant, so no line of a log


def _said(said: str, at: datetime) -> Iterator[Entry]:
    # Its first word tells them apart: most lines are none of ours.
    match said[:4]:
        case "Deni" | "Drop":
            if found := _REFUSED.fullmatch(said):
                reason = _REASONS[found["what"]]
                yield Refused(at=at, username=found["username"], topic=found["topic"], reason=reason)
        case "New ":
            if found := _CAME.fullmatch(said):
                yield Came(at=at, username=found["username"])
        case "Clie":
            if found := _WENT.fullmatch(said):
                yield from _ended(found, at)
        case "Bad ":
            if found := _BROKEN.fullmatch(said):
                yield Went(at=at, username=found["username"], why="other")
        case "mosq":
            if _STOPPED.fullmatch(said):
                yield Stopped(at=at)


def _ended(found: re.Match[str], at: datetime) -> Iterator[Entry]:
    username = found["username"]
    why = _TAILS[found["tail"]] if found["tail"] else _BECAUSE.get(found["because"], "other")
    if why is None:
        yield Refused(at=at, username="" if username == "<unknown>" else username, topic="", reason="not_let_in")
        return
    if why == "too_large":
        yield Refused(at=at, username=username, topic="", reason="too_large")
    yield Went(at=at, username=username, why=why)

"""Why a result differs from the one before: everything that came, was recorded or withdrawn between the two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from core.database import Connection
from core.sql import load
from core.window import Window
from kpi.left_out import findings_changed
from kpi.stretches import difference, of_windows, total_us
from telemetry.batch import Flag
from telemetry.platform_record import platform_alive

_SQL = load("kpi", "causes.sql")
_LEAST_US = 1_000_000


class Side(Protocol):
    """A result, stored or not."""

    @property
    def plan_version(self) -> int: ...
    @property
    def code_version(self) -> str: ...
    @property
    def as_of(self) -> datetime: ...
    @property
    def document(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Two results of the same kind and label, and the window of the first."""

    before: Side
    now: Side
    window: Window

    @classmethod
    def of(cls, before: Side, now: Side) -> Sides:
        found = before.document["window"]
        window = Window(start=datetime.fromisoformat(found["start"]), end=datetime.fromisoformat(found["end"]))
        return cls(before=before, now=now, window=window)

    def asked(self, pilot_id: int) -> dict[str, Any]:
        return {
            "pilot_id": pilot_id,
            "start": self.window.start,
            "end": self.window.end,
            "after": min(self.before.as_of, self.now.as_of),
            "until": max(self.before.as_of, self.now.as_of),
            "replayed": int(Flag.REPLAYED),
            "redecoded": int(Flag.REDECODED),
        }


def causes(connection: Connection, pilot_id: int, sides: Sides) -> list[dict[str, Any]]:
    """The causes that are known, each with its numbers.

    ``amendment plan code window final late_data replayed redecoded outage_added outage_withdrawn exclusion_added
    exclusion_withdrawn manual_added manual_withdrawn label swap platform_record finding``, or ``unexplained`` where none is.
    """
    asked = sides.asked(pilot_id)
    found = [
        *_rules(connection, pilot_id, sides),
        *_received(connection, asked),
        *_agreed(connection, asked),
        *_labels(connection, asked),
        *_swaps(connection, asked),
        *_record(connection, sides),
        *_findings(connection, sides, asked),
    ]
    return found or [{"cause": "unexplained"}]


def _rules(connection: Connection, pilot_id: int, sides: Sides) -> list[dict[str, Any]]:
    """By what was judged: the plan, the code, the window."""
    before, now = sides.before, sides.now
    found: list[dict[str, Any]] = []
    if before.plan_version != now.plan_version:
        versions = sorted((before.plan_version, now.plan_version))
        asked = {"pilot_id": pilot_id, "before": versions[0], "after": versions[1]}
        rows = connection.execute(_SQL["amendments_since"], asked).fetchall()
        found += [
            {
                "cause": "amendment",
                "plan_version": row["version"],
                "date": row["amendment"]["date"],
                "reason": row["amendment"]["reason"],
            }
            for row in rows
        ]
        if not rows or len(rows) < versions[1] - versions[0]:
            found.append({"cause": "plan", "before": before.plan_version, "after": now.plan_version})
    if before.code_version != now.code_version:
        found.append({"cause": "code", "before": before.code_version, "after": now.code_version})
    if before.document["window"] != now.document["window"]:
        found.append({"cause": "window", "before": before.document["window"], "after": now.document["window"]})
    if before.document["provisional"] and not now.document["provisional"]:
        found.append({"cause": "final"})
    calendars = [_holidays(one.document) for one in (before, now)]
    if calendars[0] and calendars[1] and calendars[0] != calendars[1]:
        days = set(calendars[0].items()) ^ set(calendars[1].items())
        found.append({"cause": "holidays", "days": sorted({day for day, _ in days})})
    handed = {_baseline(one.document) for one in (before, now)}
    if len(handed) == 2:
        found.append({"cause": "baseline"})
    return found


def _holidays(document: Mapping[str, Any]) -> dict[str, str]:
    """The public holidays by which days were paired."""
    changes = [entry.get("change") or {} for entry in document["kpis"]]
    return {day: name for one in changes for day, name in one.get("holidays", {}).get("days", {}).items()}


def _baseline(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The baseline files that were there."""
    changes = [entry.get("change") or {} for entry in document["kpis"]]
    return tuple(one["baseline"]["sha256"] for one in changes if "recorded_at" in one.get("baseline", {}))


def _received(connection: Connection, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What came late, what came by the replay of messages that had been set aside, and what by decoding messages again."""
    readings = connection.execute(_SQL["received_since"], asked).fetchone()
    events = connection.execute(_SQL["events_since"], asked).fetchone()
    gone = connection.execute(_SQL["superseded_since"], asked).fetchone()
    assert readings is not None and events is not None and gone is not None
    late = {"readings": readings["live"], "events": events["live"], "link_states": events["link_states"]}
    replayed = {"readings": readings["replayed"], "events": events["replayed"]}
    # A message that says the same by a later revision brings nothing new; what it had said before stands no more all the same.
    redecoded = {"readings": readings["redecoded"], "events": events["redecoded"], "superseded": gone["n"]}
    all_three = (("late_data", late), ("replayed", replayed), ("redecoded", redecoded))
    return [{"cause": cause, **numbers} for cause, numbers in all_three if any(numbers.values())]


def _agreed(connection: Connection, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Outages, exclusions and manual entries that were added or withdrawn."""
    found: dict[str, list[int]] = {}
    for row in connection.execute(_SQL["agreed_since"], asked):
        found.setdefault(f"{row['what']}_{'added' if row['added'] else 'withdrawn'}", []).append(row["id"])
    return [{"cause": cause, "ids": ids} for cause, ids in found.items()]


def _labels(connection: Connection, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """How many truth labels were recorded and withdrawn: there may be thousands."""
    row = connection.execute(_SQL["labels_since"], asked).fetchone()
    assert row is not None
    return [{"cause": "label", **row}] if any(row.values()) else []


def _swaps(connection: Connection, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    slots = [row["slot"] for row in connection.execute(_SQL["swaps_since"], asked)]
    return [{"cause": "swap", "slots": slots}] if slots else []


def _findings(connection: Connection, sides: Sides, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Findings by which readings are left out."""
    documents = (sides.before.document, sides.now.document)
    found = findings_changed(connection, documents, sides.window, asked["after"], asked["until"])
    return [{"cause": "finding", "recorded": found.recorded, "superseded": found.superseded}] if found else []


def _record(connection: Connection, sides: Sides) -> list[dict[str, Any]]:
    """What the platform's own record said of the same time first, and afterwards."""
    pilot = sides.now.document["pilot"]
    then, later = (
        of_windows(platform_alive(connection, pilot, sides.window, side.as_of)) for side in (sides.before, sides.now)
    )
    gained, lost = total_us(difference(later, then)), total_us(difference(then, later))
    if max(gained, lost) < _LEAST_US:
        return []
    return [{"cause": "platform_record", "alive_s": gained / 1e6, "away_s": lost / 1e6}]

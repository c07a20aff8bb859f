"""What the sealed lines of a bundle say, put in order: plan, channels, devices, events, links, agreements, the record."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

from devices.plan.model import Plan
from devices.plan.reader import stored_plan
from devices.registry import profiles

FIRST: Final = datetime.min.replace(tzinfo=UTC)
_SPAN: Final = re.compile(r'\["?([^",]+)"?,"?([^",)]+)"?\)')
_INTAKE: Final = "collector"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanVersion:
    """One version of the plan."""

    version: int
    sha256: str
    source: bytes
    profiles: Mapping[str, Mapping[str, str]]
    """The device templates that were stored with it."""
    amendment: Any
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What an intake process said of some minutes."""

    process: str
    record_id: int
    until_at: datetime
    from_at: datetime
    heard: tuple[tuple[datetime, datetime], ...]
    goes_on: bool
    recorded_at: datetime


Row = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Known:
    """All of it, as rows; :meth:`take` hears line by line."""

    pilot: str
    plans: list[PlanVersion] = field(default_factory=list)
    plan_lines: list[Row] = field(default_factory=list)
    channels: list[Row] = field(default_factory=list)
    events: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    links: dict[str, list[Row]] = field(default_factory=dict)
    outages: dict[int, Row] = field(default_factory=dict)
    exclusions: dict[int, Row] = field(default_factory=dict)
    manual: dict[int, Row] = field(default_factory=dict)
    baselines: dict[int, Row] = field(default_factory=dict)
    documents: dict[str, Row] = field(default_factory=dict)
    """Name, size and type of each file, by its SHA-256."""
    labels: dict[int, Row] = field(default_factory=dict)
    installations: dict[int, Row] = field(default_factory=dict)
    findings: dict[int, Row] = field(default_factory=dict)
    words: list[Word] = field(default_factory=list)
    redecodings: list[Row] = field(default_factory=list)
    redecoded_hours: list[Row] = field(default_factory=list)
    results: dict[tuple[str, str, int], Row] = field(default_factory=dict)

    def take(self, kind: str, row: Row) -> None:
        """Hear one line. Of a kind that nothing here rests on nothing is kept."""
        heard = getattr(self, f"_{kind}", None)
        if heard is not None:
            heard(row)

    def slots(self) -> dict[str, int]:
        """The slots of all plan versions, numbered in the order in which they were registered."""
        found: dict[str, int] = {}
        for version in self.plans:
            for slot in self.plan(version).slots:
                found.setdefault(slot, len(found) + 1)
        return found

    @staticmethod
    def plan(version: PlanVersion) -> Plan:
        return stored_plan(version.source, profiles.used(version.profiles))

    def _plan_version(self, row: Row) -> None:
        self.plan_lines.append(row)

    def _channel(self, row: Row) -> None:
        options = json.loads(row["options"])
        since = FIRST if row["valid_from"] is None else instant(row["valid_from"])
        self.channels.append({**row, "options": options, "valid_from": since})

    def _event(self, row: Row) -> None:
        number = None if row["number"] is None else int(row["number"])
        found = {
            **{key: row[key] for key in ("kind", "id", "phase", "attributes")}, "number": number,
            "at": instant(row["at"]), "received_at": instant(row["received_at"]),
        }  # fmt: skip
        self.events.setdefault((row["slot"], row["kind"]), []).append(found)

    def _link_state(self, row: Row) -> None:
        found = {
            "at": instant(row["at"]), "received_at": instant(row["received_at"]), "state": row["state"],
            "origin": row["origin"],
        }  # fmt: skip
        self.links.setdefault(row["slot"], []).append(found)

    def _outage(self, row: Row) -> None:
        slots = None if row["slots"] is None else row["slots"].split(",")
        self.outages[row["outage_id"]] = {
            **row,
            **_instants(row, "start_at", "end_at", "recorded_at"),
            "slots": slots,
            **_OPEN,
        }

    def _outage_end(self, row: Row) -> None:
        self.outages[row["outage_id"]] |= {**row, **_instants(row, "superseded_at")}

    def _exclusion(self, row: Row) -> None:
        asked_on = date.fromisoformat(row["asked_on"])
        found = {**row, **_instants(row, "start_at", "end_at", "recorded_at"), "asked_on": asked_on, **_OPEN}
        self.exclusions[row["exclusion_id"]] = {**found, "sha256": None}

    def _exclusion_paper(self, row: Row) -> None:
        self.exclusions[row["exclusion_id"]] |= {"sha256": row["sha256"]}

    def _exclusion_end(self, row: Row) -> None:
        self.exclusions[row["exclusion_id"]] |= {**row, **_instants(row, "superseded_at")}

    def _baseline(self, row: Row) -> None:
        self.baselines[row["baseline_id"]] = {**row, **_instants(row, "recorded_at"), "content": b""}

    def _document(self, row: Row) -> None:
        self.documents[row["sha256"]] = {
            "document": row["name"], "bytes": row["bytes"], "media_type": row["media_type"],
        }  # fmt: skip

    def _manual(self, row: Row) -> None:
        scores = None if row["scores"] is None else [float(one) for one in row["scores"].strip("{}").split(",")]
        numbers = {name: None if row[name] is None else float(row[name]) for name in ("value", "exposure", "sd")}
        times = _instants(row, "start_at", "end_at", "recorded_at")
        self.manual[row["manual_id"]] = {**row, **times, **numbers, "scores": scores, **_OPEN}

    def _manual_end(self, row: Row) -> None:
        self.manual[row["manual_id"]] |= {**row, **_instants(row, "superseded_at")}

    def _label(self, row: Row) -> None:
        self.labels[row["label_id"]] = {
            **row,
            **_instants(row, "start_at", "end_at", "window_at", "recorded_at"),
            "attributes": json.loads(row["attributes"]),
            **_OPEN,
        }

    def _label_end(self, row: Row) -> None:
        self.labels[row["label_id"]] |= {**row, **_instants(row, "superseded_at")}

    def _installation(self, row: Row) -> None:
        found = {
            **row,
            **_instants(row, "installed_at", "recorded_at"),
            "removed_at": None,
            "removal_recorded_at": None,
        }
        self.installations[row["installation_id"]] = found

    def _installation_end(self, row: Row) -> None:
        self.installations[row["installation_id"]] |= _instants(row, "removed_at", "removal_recorded_at")

    def _finding(self, row: Row) -> None:
        found = {
            **{key: row[key] for key in ("slot", "channel", "kind")}, "flag": int(row["flag"]),
            **_instants(row, "start_at", "end_at", "recorded_at"), "superseded_at": None,
        }  # fmt: skip
        self.findings[row["finding_id"]] = found

    def _finding_end(self, row: Row) -> None:
        self.findings[row["finding_id"]] |= _instants(row, "superseded_at")

    def _platform_record(self, row: Row) -> None:
        process = row["process"]
        if not process.startswith(_INTAKE) and process != f"loader:{self.pilot}":
            return
        heard = tuple((instant(start), instant(end)) for start, end in _SPAN.findall(row["heard"]))
        if len(heard) != row["heard"].count("["):
            raise ValueError(
                f"The platform's record {row['record_id']} has times that cannot be read: {row['heard'][:80]}"
            )
        self.words.append(
            Word(
                process=process, record_id=row["record_id"], heard=heard, goes_on=row["goes_on"],
                from_at=instant(row["from_at"]), until_at=instant(row["until_at"]), recorded_at=instant(row["recorded_at"]),
            )
        )  # fmt: skip

    def _redecoding(self, row: Row) -> None:
        self.redecodings.append({**row, **_instants(row, "received_from", "received_until", "recorded_at")})

    def _redecoded_hour(self, row: Row) -> None:
        self.redecoded_hours.append({**row, **_instants(row, "hour", "recorded_at")})

    def _result(self, row: Row) -> None:
        self.results[row["kind"], row["label"], row["version"]] = {
            "sha256": row["sha256"], "document": row["document"], "as_of": instant(row["as_of"]),
        }  # fmt: skip


_OPEN: Final[Mapping[str, None]] = {"superseded_at": None, "superseded_by": None, "superseded_why": None}


def instant(text: str) -> datetime:
    """An instant of a line, or of PostgreSQL's own text."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text} has no zone")
    return found.astimezone(UTC)


def _instants(row: Row, *names: str) -> Row:
    return {name: None if row[name] is None else instant(row[name]) for name in names}

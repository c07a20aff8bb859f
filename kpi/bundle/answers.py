"""A bundle in the place of the store: it answers the same named questions, so that the same code judges by it.

Whatever reads the store for a judgement does so by a named SQL block. There is an answer here for each block that a judgement
asks, from sealed lines and Parquet, and none for any other: a block that is new, or means something else, shows in the tests that
judge pilots by both. Nothing above a block knows the difference, and the code that serves the store did not have to change.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.sql import load
from core.window import instant, micros
from devices.plan.model import Plan
from kpi.bundle.known import Known, PlanVersion
from telemetry.evidence.drawn import Key, Replaced, standing
from telemetry.evidence.series import Hourly, Keep, Series
from telemetry.predicates import Condition
from telemetry.rows import PG_EPOCH_US
from telemetry.statistics import COLUMNS, Neighbour, Rules

_HORIZON = load("telemetry", "horizon.sql")
_REGISTRY = load("devices.registry", "registry.sql")
_CHANNELS = load("telemetry", "channels.sql")
_RAW = load("telemetry", "raw.sql")
_SUMMARIES = load("telemetry", "summaries.sql")
_HAPPENINGS = load("telemetry", "happenings.sql")
_RECORD = load("telemetry", "platform_record.sql")
_INPUTS = load("kpi.inputs", "inputs.sql")
_AGREED = load("kpi.records", "records.sql")
_RETENTION = load("telemetry", "retention.sql")
_REVISIONS = load("kpi", "revisions.sql")
_EVIDENCE = load("telemetry.evidence", "evidence.sql")

_SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"

Asked = Mapping[str, Any]
Row = dict[str, Any]


class Answer(list[Row]):
    """Rows, asked for as those of a cursor are."""

    def fetchone(self) -> Row | None:
        return self[0] if self else None

    def fetchall(self) -> list[Row]:
        return self


class _Span(NamedTuple):
    lower: datetime
    upper: datetime


class _Revision(NamedTuple):
    channel_id: int
    row: Row


class Answers:
    """Answers for one result: as of its instant."""

    def __init__(self, known: Known, series: Series, as_of: datetime) -> None:
        self._known = known
        self._series = series
        self._as_of = as_of
        self._slots = known.slots()
        self._names = {number: name for name, number in self._slots.items()}
        rows = sorted(known.channels, key=lambda row: (self._slots[row["slot"]], row["channel"], row["revision"]))
        self._channels = dict(enumerate(rows, start=1))
        self._hourly: dict[tuple[str, str, datetime | None], Hourly] = {}
        self._plans: dict[int, Plan] = {}
        self._replaced: dict[Key, list[Replaced]] = replaced_of(known.redecodings)
        self._blocks: dict[str, Callable[[Asked], Sequence[Row]]] = {
            _HORIZON["advance"]: lambda _: [{"at": as_of}],
            _HORIZON["wait"]: lambda _: [],
            _REGISTRY["lock_registry"]: lambda _: [],
            _SNAPSHOT: lambda _: [],
            _REGISTRY["pilots"]: self._pilots,
            _REGISTRY["pilot_names"]: lambda _: [{"name": known.pilot}],
            _REGISTRY["plan_version"]: self._plan_version,
            _REGISTRY["plan_versions"]: self._plan_versions,
            _REGISTRY["devices_of_pilot"]: self._devices,
            _CHANNELS["channels_of_pilot"]: self._channels_of_pilot,
            _INPUTS["slots"]: lambda _: [{"name": name, "slot_id": number} for name, number in self._slots.items()],
            _AGREED["outages"]: lambda asked: self._agreed(asked, known.outages.values(), ("start_at", "outage_id")),
            _AGREED["exclusions"]: lambda asked: self._agreed(
                asked, known.exclusions.values(), ("recorded_at", "exclusion_id")
            ),
            _RECORD["alive"]: self._alive,
            _RECORD["going_on"]: self._going_on,
            _RECORD["known_since"]: self._known_since,
            _HAPPENINGS["events"]: self._events,
            _HAPPENINGS["link_states"]: self._link_states,
            _RAW["columns_of_ranges"]: self._columns,
            _RAW["reading_before"]: lambda asked: self._nearest(asked, self._series.before),
            _RAW["reading_after"]: lambda asked: self._nearest(asked, self._series.after),
            _RAW["links_lost"]: self._links_lost,
            _SUMMARIES["summaries"]: self._summaries,
            _SUMMARIES["shares"]: self._shares,
            # What was deleted after the bundle was made is in the bundle.
            _RETENTION["retired"]: lambda _: [],
            _REVISIONS["revisions"]: self._revisions,
            _EVIDENCE["replaced"]: lambda _: known.redecodings,
        }

    @property
    def connection(self) -> Connection:
        """Itself, as what judges takes it: it does no more with a connection than this can."""
        return cast(Connection, self)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A bundle does not change."""
        yield

    def execute(self, statement: str, asked: Asked | None = None, *, binary: bool = False) -> Answer:
        """Answer one block.

        :raises NotImplementedError: it is none that a judgement asks.
        """
        del binary
        block = self._blocks.get(statement)
        if block is None:
            raise NotImplementedError(f"A bundle has no answer to: {' '.join(statement.split())[:160]}")
        return Answer(block(asked or {}))

    # --- the registry

    def _pilots(self, asked: Asked) -> list[Row]:
        if asked["name"] not in (None, self._known.pilot):
            return []
        version = self._known.plans[-1]
        plan = self._plan(version)
        return [
            {
                "pilot_id": 1, "name": self._known.pilot, "title": plan.title, "kind": plan.kind, "company": plan.company.id,
                "company_name": plan.company.name, "site": plan.site.id, "site_name": plan.site.name,
                "zone": plan.period.timezone, "start_at": plan.window.start, "end_at": plan.window.end,
                "simulated": plan.simulated, "created_at": self._known.plans[0].recorded_at, "version": version.version,
                "sha256": version.sha256, "recorded_at": version.recorded_at, "recorded_by": version.recorded_by,
            }
        ]  # fmt: skip

    def _plan(self, version: PlanVersion) -> Plan:
        if version.version not in self._plans:
            self._plans[version.version] = self._known.plan(version)
        return self._plans[version.version]

    def _plan_version(self, asked: Asked) -> list[Row]:
        found = [
            one
            for one in self._known.plans
            if asked["version"] in (None, one.version) and (asked["as_of"] is None or one.recorded_at <= asked["as_of"])
        ]
        return [_version(found[-1])] if found else []

    def _plan_versions(self, asked: Asked) -> list[Row]:
        return [_version(one) for one in self._known.plans] if asked["name"] == self._known.pilot else []

    def _devices(self, asked: Asked) -> list[Row]:
        as_of = asked["as_of"]
        by_slot: dict[str, list[Row]] = {}
        for row in self._known.installations.values():
            if as_of is None or row["recorded_at"] <= as_of:
                removed = row["removal_recorded_at"] is not None and (
                    as_of is None or row["removal_recorded_at"] <= as_of
                )
                by_slot.setdefault(row["slot"], []).append(
                    {**row, "removed_at": row["removed_at"] if removed else None}
                )
        none = dict.fromkeys(("serial", "model", "firmware", "installed_at", "removed_at"))
        unsaid = {
            "place": "", "connection": "", "protocol": "", "username": "", "issued_at": None, "withdrawn_at": None,
            "slot_withdrawn_at": None,
        }  # fmt: skip
        found: list[Row] = []
        for slot in self._slots:
            rows = sorted(by_slot.get(slot, []), key=lambda row: (row["installed_at"], row["installation_id"]))
            found += [{**unsaid, **row, "slot": slot} for row in rows or [none]]
        return found

    def _channels_of_pilot(self, asked: Asked) -> list[Row]:
        as_of = asked["as_of"]
        by_name: dict[tuple[str, str], list[_Revision]] = {}
        for channel_id, row in self._channels.items():
            if as_of is None or row["valid_from"] <= as_of:
                by_name.setdefault((row["slot"], row["channel"]), []).append(_Revision(channel_id, row))
        return [self._channel(slot, name, found, as_of) for (slot, name), found in by_name.items()]

    def _channel(self, slot: str, name: str, found: list[_Revision], as_of: datetime | None) -> Row:
        newest = found[-1].row
        rules = ("kind", "reporting", "period_s", "max_hold_s")
        return {
            "pilot": self._known.pilot, "slot": slot, "slot_id": self._slots[slot], "name": name,
            **{key: newest[key] for key in ("kind", "unit", "reporting", "options")},
            "period_s": _float(newest["period_s"]), "max_hold_s": _float(newest["max_hold_s"]),
            "channel_ids": [one.channel_id for one in found], "revisions": [one.row["revision"] for one in found],
            "alike_ids": [one.channel_id for one in found if all(one.row[key] == newest[key] for key in rules)],
            "redecoded_ids": [
                one.channel_id
                for one in found
                if any(as_of is None or r.known_us <= micros(as_of) for r in self._replaced.get(_key(one.row), ()))
            ],
        }  # fmt: skip

    def _revisions(self, asked: Asked) -> list[Row]:
        start, end, as_of = asked["start"], asked["end"], asked["as_of"]
        keep = self._keep(as_of, as_of)
        gone = {
            _key(row)
            for row in self._known.redecoded_hours
            if row["recorded_at"] <= as_of and start - timedelta(hours=1) < row["hour"] < end
        }
        found = []
        for row in sorted(self._channels.values(), key=_key):
            if row["valid_from"] > as_of:
                continue
            stands = self._series.any(_key(row), micros(start), micros(end), keep)
            if stands or _key(row) in gone:
                found.append(
                    {
                        "slot": row["slot"], "channel": row["channel"], "unit": row["unit"], "revision": row["revision"],
                        "source": _said(row["options"].get("source"), row["channel"]),
                        "source_unit": _said(row["options"].get("source_unit"), row["unit"]),
                        "stands": stands, "redecoded": _key(row) in gone,
                    }
                )  # fmt: skip
        return found

    # --- what people agreed

    def _agreed(self, asked: Asked, rows: Any, order: tuple[str, str]) -> list[Row]:
        as_of, start, end = asked["as_of"], asked["start"], asked["end"]
        found = [
            {**row, "pilot": self._known.pilot, "slots": self._in_order(row.get("slots"))}
            for row in rows
            if (start is None or row["end_at"] > start)
            and (end is None or row["start_at"] < end)
            and (as_of is None or row["recorded_at"] <= as_of)
            and (
                asked["withdrawn_too"]
                or row["superseded_at"] is None
                or (as_of is not None and row["superseded_at"] > as_of)
            )
        ]
        return sorted(found, key=lambda row: tuple(row[name] for name in order))

    def _in_order(self, slots: list[str] | None) -> list[str] | None:
        return None if slots is None else sorted(slots, key=lambda slot: self._slots[slot])

    # --- the platform's record

    def _alive(self, asked: Asked) -> list[Row]:
        start, end = asked["start"], asked["end"]
        spans = [
            _Span(max(lower, start), min(upper, end))
            for word in self._known.words
            if word.from_at < end and word.until_at > start and word.recorded_at <= asked["as_of"]
            for lower, upper in word.heard
        ]
        return [{"heard": [span for span in spans if span.lower < span.upper]}]

    def _going_on(self, asked: Asked) -> list[Row]:
        as_of = asked["as_of"]
        since = as_of - timedelta(seconds=asked["within_s"])
        newest: dict[str, Any] = {}
        for word in self._known.words:
            if since < word.until_at <= as_of and word.recorded_at <= as_of:
                last = newest.get(word.process)
                if last is None or (word.until_at, word.record_id) > (last.until_at, last.record_id):
                    newest[word.process] = word
        return [{"until": max((word.until_at for word in newest.values() if word.goes_on), default=None)}]

    def _known_since(self, asked: Asked) -> list[Row]:
        as_of = asked["as_of"]
        said = [
            word.heard[0][0]
            for word in self._known.words
            if word.heard and (as_of is None or word.recorded_at <= as_of)
        ]
        return [{"since": min(said, default=None)}]

    # --- what happened

    def _events(self, asked: Asked) -> list[Row]:
        slot_id, as_of = asked["slot"], asked["as_of"]
        rows = self._known.events.get((self._names[slot_id], asked["kind"]), ())
        found = [
            row
            for row in rows
            if asked["start"] <= row["at"] < asked["end"] and (as_of is None or row["received_at"] <= as_of)
        ]
        found.sort(key=lambda row: (row["at"], row["id"], row["phase"]))
        return [{**row, "slot_id": slot_id, "attributes": json.loads(row["attributes"])} for row in found]

    def _links(self, asked: Asked) -> list[Row]:
        as_of = asked["as_of"]
        rows = self._known.links.get(self._names[asked["slot"]], ())
        return [row for row in rows if as_of is None or row["received_at"] <= as_of]

    def _link_states(self, asked: Asked) -> list[Row]:
        known = self._links(asked)
        before = [row for row in known if row["at"] < asked["start"]]
        within = [row for row in known if asked["start"] <= row["at"] < asked["end"]]
        last = max((row["at"] for row in before), default=None)
        first = sorted((row for row in before if row["at"] == last), key=lambda row: str(row["state"]))[:1]
        return first + sorted(within, key=lambda row: (row["at"], row["state"]))

    def _links_lost(self, asked: Asked) -> list[Row]:
        found = {
            row["at"]
            for row in self._links(asked)
            if row["state"] == "offline" and asked["start"] <= row["at"] < asked["end"]
        }
        return [{"at": at} for at in sorted(found)]

    # --- readings

    def _name(self, channel_ids: Sequence[int]) -> tuple[str, str]:
        row = self._channels[channel_ids[0]]
        return row["slot"], row["channel"]

    def _keep(self, as_of: datetime | None, known_at: datetime | None) -> Keep:
        as_of_us = micros(self._as_of if as_of is None else min(as_of, self._as_of))
        known_us = micros(self._as_of if known_at is None else known_at)

        def keep(key: Key, received_us: NDArray[np.int64]) -> NDArray[np.bool_]:
            return (received_us <= as_of_us) & standing(self._replaced.get(key, ()), received_us, known_us)

        return keep

    def _columns(self, asked: Asked) -> list[Row]:
        slot, channel = self._name(asked["channels"])
        keep = self._keep(asked["as_of"], asked["known_at"])
        parts = [
            self._series.columns(slot, channel, micros(start), micros(end), keep)
            for start, end in zip(asked["starts"], asked["ends"], strict=True)
        ]
        observed, value = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        if not len(observed):
            return [{"observed": None, "value": None}]
        return [{"observed": _instants(observed), "value": _floats(value)}]

    def _nearest(self, asked: Asked, near: Callable[[str, str, int, int | None, Keep], Neighbour | None]) -> list[Row]:
        slot, channel = self._name(asked["channels"])
        keep = self._keep(asked["as_of"], asked["known_at"])
        hold_us = None if asked["hold_s"] is None else round(asked["hold_s"] * 1e6)
        found = [near(slot, channel, micros(at), hold_us, keep) for at in asked["ats"]]
        return [
            {"observed_at": None if one is None else instant(one.us), "value": None if one is None else one.value}
            for one in found
        ]

    def _rules(self, slot: str, channel: str) -> Rules:
        [row] = [
            one
            for one in self._channels_of_pilot({"as_of": self._as_of})
            if (one["slot"], one["name"]) == (slot, channel)
        ]
        return Rules(
            period_s=row["period_s"] if row["reporting"] == "periodic" else None,
            hold_us=None if row["max_hold_s"] is None else round(row["max_hold_s"] * 1e6),
            steps=row["kind"] == "state",
        )

    def _summaries(self, asked: Asked) -> list[Row]:
        slot, channel = self._name(asked["channels"])
        key = slot, channel, asked["known_at"]
        if key not in self._hourly:
            keep = self._keep(None, asked["known_at"])
            self._hourly[key] = self._series.hourly(slot, channel, self._rules(slot, channel), keep)
        found = self._hourly[key]
        low, high = np.searchsorted(found.hour_us, [micros(asked["start"]), micros(asked["end"])]).tolist()
        n = high - low
        columns: Row = {}
        for name in COLUMNS:
            column = getattr(found.pieces, name)[low:high]
            kind = _PACKED.get(name, _floats)
            columns[_NAMED.get(name, name)] = kind(column)
        return [
            {
                **columns,
                "hour": _instants(found.hour_us[low:high]),
                "channel_id": _wholes(np.full(n, asked["channels"][-1])),
                "alike": b"\x01" * n,
                "falls": _wholes(found.falls[low:high]),
                # What was received later was left out.
                "last_received": _instants(np.full(n, micros(self._as_of))),
                "dirty": b"",
            }
        ]

    def _shares(self, asked: Asked) -> list[Row]:
        slot, channel = self._name(asked["channels"])
        hold_us = self._rules(slot, channel).hold_us
        if hold_us is None:
            return [{"hour": None, "channel_id": None, "true_s": None, "covered_s": None}]
        condition = Condition(
            low=asked["low"], low_closed=asked["low_closed"], high=asked["high"], high_closed=asked["high_closed"],
            codes=None if asked["codes"] is None else tuple(asked["codes"]),
        )  # fmt: skip
        found = self._series.shares(slot, channel, hold_us, condition, self._keep(None, asked["known_at"]))
        low, high = np.searchsorted(found.hour_us, [micros(asked["start"]), micros(asked["end"])]).tolist()
        return [
            {
                "hour": _instants(found.hour_us[low:high]),
                "channel_id": _wholes(np.full(high - low, asked["channels"][-1])),
                "true_s": _floats(found.true_s[low:high]),
                "covered_s": _floats(found.covered_s[low:high]),
            }
        ]


def replaced_of(rows: Sequence[Mapping[str, Any]]) -> dict[Key, list[Replaced]]:
    """Which readings do not stand any more, by revision.

    :param rows: of the block ``replaced``.
    """
    found: dict[Key, list[Replaced]] = {}
    for row in rows:
        found.setdefault(_key(row), []).append(
            Replaced(
                start_us=micros(row["received_from"]),
                end_us=micros(row["received_until"]),
                known_us=micros(row["recorded_at"]),
            )
        )
    return found


def _key(row: Mapping[str, Any]) -> Key:
    return row["slot"], row["channel"], row["revision"]


def _version(one: PlanVersion) -> Row:
    return {
        "version": one.version, "sha256": one.sha256, "source": one.source, "amendment": one.amendment,
        "recorded_at": one.recorded_at, "recorded_by": one.recorded_by,
    }  # fmt: skip


def _said(value: Any, otherwise: str) -> str:
    """A text of an option, as the database's ``->>`` has it."""
    return otherwise if value is None else value if isinstance(value, str) else json.dumps(value)


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)


# --- Columns as the database strings them together


def _instants(us: NDArray[np.int64]) -> bytes:
    return (us - PG_EPOCH_US).astype(">i8").tobytes()


def _wholes(values: NDArray[Any]) -> bytes:
    return values.astype(">i4").tobytes()


def _floats(values: NDArray[Any]) -> bytes:
    return values.astype(">f8").tobytes()


_PACKED: Final[Mapping[str, Callable[[NDArray[Any]], bytes]]] = {
    "n": _wholes, "missing": _wholes, "first_us": _instants, "last_us": _instants,
}  # fmt: skip
_NAMED: Final = {"first_us": "first_at", "last_us": "last_at"}

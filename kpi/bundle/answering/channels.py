"""Answers about channels and their revisions."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from core.sql import load
from core.window import micros
from kpi.bundle.answering.basis import Asked, Basis, Blocks, Row, key_of
from telemetry.statistics import Rules

_CHANNELS = load("telemetry", "channels.sql")
_REVISIONS = load("kpi", "revisions.sql")
_EVIDENCE = load("telemetry.evidence", "evidence.sql")


def blocks(basis: Basis) -> Blocks:
    return {
        _CHANNELS["channels_of_pilot"]: lambda asked: _channels_of_pilot(basis, asked["as_of"]),
        _REVISIONS["revisions"]: lambda asked: _revisions(basis, asked),
        _EVIDENCE["replaced"]: lambda _: basis.known.redecodings,
    }


def rules_of(basis: Basis, slot: str, channel: str) -> Rules:
    """How the hours of a channel are summed up."""
    [row] = [one for one in _channels_of_pilot(basis, basis.as_of) if (one["slot"], one["name"]) == (slot, channel)]
    return Rules(
        period_s=row["period_s"] if row["reporting"] == "periodic" else None,
        hold_us=None if row["max_hold_s"] is None else round(row["max_hold_s"] * 1e6),
        steps=row["kind"] == "state",
    )


class _Revision(NamedTuple):
    channel_id: int
    row: Row


def _channels_of_pilot(basis: Basis, as_of: datetime | None) -> list[Row]:
    by_name: dict[tuple[str, str], list[_Revision]] = {}
    for channel_id, row in basis.channels.items():
        if as_of is None or row["valid_from"] <= as_of:
            by_name.setdefault((row["slot"], row["channel"]), []).append(_Revision(channel_id, row))
    return [_channel(basis, slot, name, found, as_of) for (slot, name), found in by_name.items()]


def _channel(basis: Basis, slot: str, name: str, found: list[_Revision], as_of: datetime | None) -> Row:
    newest = found[-1].row
    rules = ("kind", "reporting", "period_s", "max_hold_s")
    return {
        "pilot": basis.known.pilot, "slot": slot, "slot_id": basis.slots[slot], "name": name,
        **{key: newest[key] for key in ("kind", "unit", "reporting", "options")},
        "period_s": _float(newest["period_s"]), "max_hold_s": _float(newest["max_hold_s"]),
        "channel_ids": [one.channel_id for one in found], "revisions": [one.row["revision"] for one in found],
        "alike_ids": [one.channel_id for one in found if all(one.row[key] == newest[key] for key in rules)],
        "redecoded_ids": [
            one.channel_id
            for one in found
            if any(as_of is None or r.known_us <= micros(as_of) for r in basis.replaced.get(key_of(one.row), ()))
        ],
    }  # fmt: skip


def _revisions(basis: Basis, asked: Asked) -> list[Row]:
    start, end, as_of = asked["start"], asked["end"], asked["as_of"]
    keep = basis.keep(as_of, as_of)
    gone = {
        key_of(row)
        for row in basis.known.redecoded_hours
        if row["recorded_at"] <= as_of and start - timedelta(hours=1) < row["hour"] < end
    }
    found = []
    for row in sorted(basis.channels.values(), key=key_of):
        if row["valid_from"] > as_of:
            continue
        stands = basis.series.any(key_of(row), micros(start), micros(end), keep)
        if stands or key_of(row) in gone:
            found.append(
                {
                    "slot": row["slot"], "channel": row["channel"], "unit": row["unit"], "revision": row["revision"],
                    "source": _said(row["options"].get("source"), row["channel"]),
                    "source_unit": _said(row["options"].get("source_unit"), row["unit"]),
                    "stands": stands, "redecoded": key_of(row) in gone,
                }
            )  # fmt: skip
    return found


def _said(value: Any, otherwise: str) -> str:
    """A text of an option, as the database's ``->>`` has it."""
    return otherwise if value is None else value if isinstance(value, str) else json.dumps(value)


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)

"""Answers about what happened: events, and the states of links."""

from __future__ import annotations

import json

from core.sql import load
from kpi.bundle.answering.basis import Asked, Basis, Blocks, Row

_HAPPENINGS = load("telemetry", "happenings.sql")
_RAW = load("telemetry", "raw.sql")


def blocks(basis: Basis) -> Blocks:
    return {
        _HAPPENINGS["events"]: lambda asked: _events(basis, asked),
        _HAPPENINGS["link_states"]: lambda asked: _link_states(basis, asked),
        _RAW["links_lost"]: lambda asked: _links_lost(basis, asked),
    }


def _events(basis: Basis, asked: Asked) -> list[Row]:
    slot_id, as_of = asked["slot"], asked["as_of"]
    rows = basis.known.events.get((basis.names[slot_id], asked["kind"]), ())
    found = [
        row
        for row in rows
        if asked["start"] <= row["at"] < asked["end"] and (as_of is None or row["received_at"] <= as_of)
    ]
    found.sort(key=lambda row: (row["at"], row["id"], row["phase"]))
    return [{**row, "slot_id": slot_id, "attributes": json.loads(row["attributes"])} for row in found]


def _links(basis: Basis, asked: Asked) -> list[Row]:
    as_of = asked["as_of"]
    rows = basis.known.links.get(basis.names[asked["slot"]], ())
    return [row for row in rows if as_of is None or row["received_at"] <= as_of]


def _link_states(basis: Basis, asked: Asked) -> list[Row]:
    known = _links(basis, asked)
    before = [row for row in known if row["at"] < asked["start"]]
    within = [row for row in known if asked["start"] <= row["at"] < asked["end"]]
    last = max((row["at"] for row in before), default=None)
    first = sorted((row for row in before if row["at"] == last), key=lambda row: str(row["state"]))[:1]
    return first + sorted(within, key=lambda row: (row["at"], row["state"]))


def _links_lost(basis: Basis, asked: Asked) -> list[Row]:
    found = {
        row["at"]
        for row in _links(basis, asked)
        if row["state"] == "offline" and asked["start"] <= row["at"] < asked["end"]
    }
    return [{"at": at} for at in sorted(found)]

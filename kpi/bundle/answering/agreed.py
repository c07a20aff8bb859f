"""Answers about what people agreed: outages and exclusions."""

from __future__ import annotations

from collections.abc import Iterable

from core.sql import load
from kpi.bundle.answering.basis import Asked, Basis, Blocks, Row

_RECORDS = load("kpi.records", "records.sql")


def blocks(basis: Basis) -> Blocks:
    known = basis.known
    return {
        _RECORDS["outages"]: lambda asked: _agreed(basis, asked, known.outages.values(), ("start_at", "outage_id")),
        _RECORDS["exclusions"]: lambda asked: _agreed(
            basis, asked, known.exclusions.values(), ("recorded_at", "exclusion_id")
        ),
    }


def _agreed(basis: Basis, asked: Asked, rows: Iterable[Row], order: tuple[str, str]) -> list[Row]:
    as_of, start, end = asked["as_of"], asked["start"], asked["end"]
    found = [
        {**row, "pilot": basis.known.pilot, "slots": _in_order(basis, row.get("slots"))}
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


def _in_order(basis: Basis, slots: list[str] | None) -> list[str] | None:
    return None if slots is None else sorted(slots, key=lambda slot: basis.slots[slot])

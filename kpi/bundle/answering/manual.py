"""Answers about what people entered."""

from __future__ import annotations

from core.sql import load
from kpi.bundle.answering.basis import Asked, Basis, Blocks, Row

_RECORDS = load("kpi.records", "manual.sql")


def blocks(basis: Basis) -> Blocks:
    return {_RECORDS["entries"]: lambda asked: _entries(basis, asked)}


def _entries(basis: Basis, asked: Asked) -> list[Row]:
    known, as_of = basis.known, asked["as_of"]
    found = [
        {**row, **known.documents[row["sha256"]], "pilot": known.pilot}
        for row in known.manual.values()
        if asked["quantity"] in (None, row["quantity"])
        and (as_of is None or row["recorded_at"] <= as_of)
        and (
            asked["withdrawn_too"]
            or row["superseded_at"] is None
            or (as_of is not None and row["superseded_at"] > as_of)
        )
    ]
    return sorted(found, key=lambda row: (row["start_at"], row["manual_id"]))

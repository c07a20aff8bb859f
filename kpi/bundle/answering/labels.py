"""Answers about the truth labels that people recorded."""

from __future__ import annotations

from core.sql import load
from kpi.bundle.answering.basis import Asked, Basis, Blocks, Row

_LABELS = load("kpi.records", "labels.sql")


def blocks(basis: Basis) -> Blocks:
    return {_LABELS["labels"]: lambda asked: _labels(basis, asked)}


def _labels(basis: Basis, asked: Asked) -> list[Row]:
    as_of, start, end = asked["as_of"], asked["start"], asked["end"]
    found = [
        {**row, "pilot": basis.known.pilot}
        for row in basis.known.labels.values()
        if asked["kind"] in (None, row["kind"])
        and (start is None or row["end_at"] >= start)
        and (end is None or row["start_at"] < end)
        and (as_of is None or row["recorded_at"] <= as_of)
        and (
            asked["withdrawn_too"]
            or row["superseded_at"] is None
            or (as_of is not None and row["superseded_at"] > as_of)
        )
    ]
    return sorted(found, key=lambda row: (row["start_at"], row["label_id"]))

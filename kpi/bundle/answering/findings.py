"""Answers about what was noticed of the data: the findings by which readings are left out."""

from __future__ import annotations

from core.sql import load
from kpi.bundle.answering.basis import Asked, Basis, Blocks, Row

_QUALITY = load("telemetry.quality", "quality.sql")


def blocks(basis: Basis) -> Blocks:
    return {_QUALITY["left_out"]: lambda asked: _left_out(basis, asked)}


def _left_out(basis: Basis, asked: Asked) -> list[Row]:
    slot, channel = basis.channel(asked["channels"])
    as_of = basis.as_of if asked["as_of"] is None else min(asked["as_of"], basis.as_of)
    found = [
        {key: row[key] for key in ("kind", "start_at", "end_at")}
        for row in basis.known.findings.values()
        if row["slot"] == slot
        and row["channel"] in (channel, None)
        and row["kind"] in asked["kinds"]
        and row["flag"] >= asked["least"]
        and row["start_at"] < asked["end"]
        and row["end_at"] > asked["start"]
        and row["recorded_at"] <= as_of
        and (row["superseded_at"] is None or row["superseded_at"] > as_of)
    ]
    return sorted(found, key=lambda row: (row["start_at"], row["end_at"], row["kind"]))

"""Answers about baselines: the files that were handed in, with the bytes that the bundle has of them."""

from __future__ import annotations

from core.sql import load
from kpi.bundle.answering.basis import Asked, Basis, Blocks, Row

_BASELINES = load("kpi.records", "baselines.sql")
_SHOWN = ("baseline_id", "kpi", "file_name", "bytes", "sha256", "recorded_at", "recorded_by")


def blocks(basis: Basis) -> Blocks:
    return {
        _BASELINES["baselines"]: lambda asked: _baselines(basis, asked),
        _BASELINES["content"]: lambda asked: [
            {"content": row["content"]} for row in _of(basis) if row["baseline_id"] == asked["baseline_id"]
        ],
    }


def _of(basis: Basis) -> list[Row]:
    return sorted(basis.known.baselines.values(), key=lambda row: int(row["baseline_id"]))


def _baselines(basis: Basis, asked: Asked) -> list[Row]:
    return [
        {"pilot": basis.known.pilot, **{key: row[key] for key in _SHOWN}}
        for row in _of(basis)
        if asked["as_of"] is None or row["recorded_at"] <= asked["as_of"]
    ]

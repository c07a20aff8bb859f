"""Answers about how long readings took from the device to their receipt."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.sql import load
from core.window import micros
from kpi.bundle.answering.basis import Asked, Basis, Blocks, Row
from telemetry.delays import LIVE, NO_CLOCK, OURS, REPLAYED, RETAINED
from telemetry.evidence.drawn import Key

_DELAYS = load("telemetry", "delays.sql")

Micros = NDArray[np.int64]


def blocks(basis: Basis) -> Blocks:
    return {_DELAYS["delay_counts"]: lambda asked: _counts(basis, asked)}


def _counts(basis: Basis, asked: Asked) -> list[Row]:
    slot, channel = basis.channel(asked["channels"])
    as_of_us = micros(basis.as_of if asked["as_of"] is None else min(asked["as_of"], basis.as_of))
    edges = np.array([micros(edge) for one in asked["outages"] for edge in (one.lower, one.upper)], dtype=np.int64)
    counted: dict[tuple[int, int, int], int] = {}

    def keep(key: Key, received_us: Micros) -> NDArray[np.bool_]:
        del key  # what was replaced counts too: by its first decoding
        return received_us <= as_of_us

    for start, end, cell in zip(asked["starts"], asked["ends"], asked["cells"], strict=True):
        for observed, received, flags in basis.series.receipts(slot, channel, micros(start), micros(end), keep):
            own = flags & asked["redecoded"] == 0
            kind = _kinds(asked, observed[own], received[own], flags[own], edges)
            # Rounded up, also below zero.
            delay_ms = -((observed[own] - received[own]) // 1000)
            rows, n = np.unique(np.stack([kind, delay_ms], axis=1), axis=0, return_counts=True)
            for (one, ms), number in zip(rows.tolist(), n.tolist(), strict=True):
                counted[cell, one, ms] = counted.get((cell, one, ms), 0) + number
    return [{"cell": cell, "kind": kind, "delay_ms": ms, "n": n} for (cell, kind, ms), n in sorted(counted.items())]


def _kinds(asked: Asked, observed: Micros, received: Micros, flags: NDArray[Any], edges: Micros) -> Micros:
    """What each reading tells of its way, as the block numbers it."""
    low, high = np.minimum(observed, received), np.maximum(observed, received)
    # Outages are apart from each other: both ends before the same edge, and no outage going on, touch none.
    before, after = np.searchsorted(edges, low, side="right"), np.searchsorted(edges, high, side="right")
    over = (before != after) | (before % 2 == 1)
    return np.select(
        [flags & asked["arrival"] != 0, flags & asked["retained"] != 0, flags & asked["replayed"] != 0, over],
        [NO_CLOCK, RETAINED, REPLAYED, OURS],
        LIVE,
    ).astype(np.int64)

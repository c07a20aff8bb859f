"""Answers about readings, and the hours they sum up to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.sql import load
from core.window import instant, micros
from kpi.bundle.answering.basis import Asked, Basis, Blocks, Row
from kpi.bundle.answering.channels import rules_of
from telemetry import binary
from telemetry.evidence.series import Hourly, Keep
from telemetry.predicates import Condition
from telemetry.statistics import COLUMNS, Neighbour

_RAW = load("telemetry", "raw.sql")
_SUMMARIES = load("telemetry", "summaries.sql")
_RETENTION = load("telemetry", "retention.sql")

_SENT: Final[Mapping[str, Callable[[NDArray[Any]], bytes]]] = {
    "n": binary.of_wholes, "missing": binary.of_wholes, "first_us": binary.of_instants, "last_us": binary.of_instants,
}  # fmt: skip
_NAMED: Final = {"first_us": "first_at", "last_us": "last_at"}


def blocks(basis: Basis) -> Blocks:
    readings = _Readings(basis)
    return {
        _RAW["columns_of_ranges"]: readings.columns,
        _RAW["reading_before"]: lambda asked: readings.nearest(asked, basis.series.before),
        _RAW["reading_after"]: lambda asked: readings.nearest(asked, basis.series.after),
        _SUMMARIES["summaries"]: readings.summaries,
        _SUMMARIES["shares"]: readings.shares,
        # What was deleted after the bundle was made is in the bundle.
        _RETENTION["retired"]: lambda _: [],
    }


class _Readings:
    def __init__(self, basis: Basis) -> None:
        self._basis = basis
        self._series = basis.series
        self._hourly: dict[tuple[str, str, datetime | None], Hourly] = {}

    def columns(self, asked: Asked) -> list[Row]:
        slot, channel = self._basis.channel(asked["channels"])
        keep = self._basis.keep(asked["as_of"], asked["known_at"])
        parts = [
            self._series.columns(slot, channel, micros(start), micros(end), keep)
            for start, end in zip(asked["starts"], asked["ends"], strict=True)
        ]
        observed, value = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        if not len(observed):
            return [{"observed": None, "value": None}]
        return [{"observed": binary.of_instants(observed), "value": binary.of_floats(value)}]

    def nearest(self, asked: Asked, near: Callable[[str, str, int, int | None, Keep], Neighbour | None]) -> list[Row]:
        slot, channel = self._basis.channel(asked["channels"])
        keep = self._basis.keep(asked["as_of"], asked["known_at"])
        hold_us = None if asked["hold_s"] is None else round(asked["hold_s"] * 1e6)
        found = [near(slot, channel, micros(at), hold_us, keep) for at in asked["ats"]]
        return [
            {"observed_at": None if one is None else instant(one.us), "value": None if one is None else one.value}
            for one in found
        ]

    def summaries(self, asked: Asked) -> list[Row]:
        slot, channel = self._basis.channel(asked["channels"])
        key = slot, channel, asked["known_at"]
        if key not in self._hourly:
            keep = self._basis.keep(None, asked["known_at"])
            self._hourly[key] = self._series.hourly(slot, channel, rules_of(self._basis, slot, channel), keep)
        found = self._hourly[key]
        low, high = np.searchsorted(found.hour_us, [micros(asked["start"]), micros(asked["end"])]).tolist()
        n = high - low
        columns: Row = {}
        for name in COLUMNS:
            column = getattr(found.pieces, name)[low:high]
            send = _SENT.get(name, binary.of_floats)
            columns[_NAMED.get(name, name)] = send(column)
        return [
            {
                **columns,
                "hour": binary.of_instants(found.hour_us[low:high]),
                "channel_id": binary.of_wholes(np.full(n, asked["channels"][-1])),
                "alike": b"\x01" * n,
                "falls": binary.of_wholes(found.falls[low:high]),
                # What was received later was left out.
                "last_received": binary.of_instants(np.full(n, micros(self._basis.as_of))),
                "dirty": b"",
            }
        ]

    def shares(self, asked: Asked) -> list[Row]:
        slot, channel = self._basis.channel(asked["channels"])
        hold_us = rules_of(self._basis, slot, channel).hold_us
        if hold_us is None:
            return [{"hour": None, "channel_id": None, "true_s": None, "covered_s": None}]
        condition = Condition(
            low=asked["low"], low_closed=asked["low_closed"], high=asked["high"], high_closed=asked["high_closed"],
            codes=None if asked["codes"] is None else tuple(asked["codes"]),
        )  # fmt: skip
        found = self._series.shares(slot, channel, hold_us, condition, self._basis.keep(None, asked["known_at"]))
        low, high = np.searchsorted(found.hour_us, [micros(asked["start"]), micros(asked["end"])]).tolist()
        return [
            {
                "hour": binary.of_instants(found.hour_us[low:high]),
                "channel_id": binary.of_wholes(np.full(high - low, asked["channels"][-1])),
                "true_s": binary.of_floats(found.true_s[low:high]),
                "covered_s": binary.of_floats(found.covered_s[low:high]),
            }
        ]

"""What lies in an exported folder, as frames: the only place that this package reads anything from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped,unused-ignore]
import pyarrow.dataset
import pyarrow.parquet
from numpy.typing import NDArray
from ruamel.yaml import YAML

from tests.recomputation.sets import Micros

Frame = Any
NEVER = 2**62


@dataclass(frozen=True, kw_only=True)
class Readings:
    """One channel's readings, in the order of time."""

    at: Micros
    received: Micros
    value: NDArray[np.float64]
    state: NDArray[np.object_] | None
    revision: NDArray[np.int64]
    flags: NDArray[np.int64]

    def where(self, kept: NDArray[np.bool_]) -> Readings:
        """Some of them."""
        state = None if self.state is None else self.state[kept]
        return Readings(
            at=self.at[kept],
            received=self.received[kept],
            value=self.value[kept],
            state=state,
            revision=self.revision[kept],
            flags=self.flags[kept],
        )


class Folder:
    """One exported pilot."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.plans = self._table("plans")
        self.events = self._table("events")
        self.links = self._table("links")
        self.platform = self._table("platform")
        self.installations = self._table("installations")
        self.outages = self._table("outages")
        self.exclusions = self._table("exclusions")
        self.labels = self._table("labels")
        self.manual = self._table("manual")
        self.findings = self._table("findings")
        self.redecodings = self._table("redecodings")
        self._readings = self._by_channel()
        self.judged: dict[tuple[str, str, int], dict[str, Any]] = {}
        """What was recomputed already."""

    def plan(self, as_of: int) -> tuple[int, dict[str, Any]]:
        """The newest plan that was recorded by an instant: its number, and what it says."""
        there = self.plans[micros(self.plans["applied_at"]) <= as_of]
        number = int(there["version"].max())
        return number, read_plan((self.path / "plan" / f"v{number}.yaml").read_bytes())

    def readings(self, slot: str, channel: str) -> Readings:
        """All readings of a channel, of whichever revision."""
        found = self._readings.get((slot, channel))
        nothing = np.empty(0, dtype=np.int64)
        return found or Readings(
            at=nothing, received=nothing, value=nothing.astype(np.float64), state=None, revision=nothing, flags=nothing
        )

    def results(self) -> dict[tuple[str, str, int], dict[str, Any]]:
        """The stored results, by kind, label and version."""
        found = {}
        for path in sorted((self.path / "results").glob("*.json")):
            kind, _, rest = path.stem.partition("-")
            label, _, version = rest.rpartition("-v")
            found[kind, label, int(version)] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def _table(self, name: str) -> Frame:
        return pyarrow.parquet.read_table(self.path / f"{name}.parquet").to_pandas()

    def _by_channel(self) -> dict[tuple[str, str], Readings]:
        files = sorted((self.path / "readings").rglob("*.parquet"))
        if not files:
            return {}
        columns = ["slot", "channel", "revision", "observed_at", "received_at", "value", "state", "flags"]
        table = pyarrow.dataset.dataset(files, format="parquet").to_table(columns=columns)
        for place in ("slot", "channel", "state"):
            index = table.schema.get_field_index(place)
            table = table.set_column(index, place, table.column(place).cast("string").dictionary_encode())
        frame = table.to_pandas()
        return {
            (str(slot), str(channel)): _sorted(part)
            for (slot, channel), part in frame.groupby(["slot", "channel"], observed=True, sort=False)
        }


def _sorted(part: Frame) -> Readings:
    at = micros(part["observed_at"])
    order = np.argsort(at, kind="stable")
    state = part["state"].to_numpy(dtype=object)[order] if part["state"].notna().any() else None
    return Readings(
        at=at[order],
        received=micros(part["received_at"])[order],
        value=part["value"].to_numpy(dtype=np.float64)[order],
        state=state,
        revision=part["revision"].to_numpy(dtype=np.int64)[order],
        flags=part["flags"].to_numpy(dtype=np.int64)[order],
    )


def micros(column: Frame) -> Micros:
    """A column of instants as microseconds since 1970; what there is not lies beyond all others."""
    stamps = pd.to_datetime(pd.Series(column), utc=True)
    found: Micros = stamps.astype("datetime64[us, UTC]").astype("int64").to_numpy(copy=True)
    found[stamps.isna().to_numpy()] = NEVER
    return found


def micros_of(instants: Any) -> Micros:
    """A list of instants in a cell."""
    return micros(pd.Series(list(instants), dtype="datetime64[us, UTC]"))


def read_plan(source: bytes) -> dict[str, Any]:
    """A plan file as plain data."""
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(source.decode("utf-8"))
    return found

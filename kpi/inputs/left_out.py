"""Which readings of a channel findings leave out, and how many: as the findings were held true at one instant."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.window import Window
from devices.plan.reading_quality import ReadingQuality
from kpi.stretches import NOTHING, Stretches, intersection, of_windows, total_us, union
from telemetry import raw
from telemetry.channels import ChannelInfo
from telemetry.findings import FAIL, SUSPECT, Kind
from telemetry.quality.intervals import left_out
from telemetry.spoilt import Spoilt

_EVER: Final = Window(start=datetime(1970, 1, 1, tzinfo=UTC), end=datetime(9999, 1, 1, tzinfo=UTC))
"""A finding beside the judged time counts too: by it a reading there does not stand in."""
_VALUE_FALSE: Final = ("stuck",)
"""Findings about a counter's value alone: it went on counting. Of the others, the step to it is false."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What findings of one kind leave out; several kinds may leave out the same reading."""

    kind: Kind
    readings: int
    us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is left out of one channel's required time."""

    readings: int
    us: int
    parts: tuple[Part, ...]


class LeftOut:
    """What findings leave out, each thing read once."""

    def __init__(self, connection: Connection, as_of: datetime) -> None:
        self._connection = connection
        self._as_of = as_of
        self._stretches: dict[Hashable, dict[Kind, Stretches]] = {}
        self._applied: dict[Hashable, ChannelInfo] = {}
        self._readings: dict[Hashable, NDArray[np.int64]] = {}

    def applied(self, channel: ChannelInfo, quality: ReadingQuality) -> ChannelInfo:
        """The channel without what is left out of it."""
        key = channel.channel_ids, quality
        if key not in self._applied:
            by_kind = self._by_kind(channel, quality)
            false = union(*(spans for kind, spans in by_kind.items() if kind not in _VALUE_FALSE))
            every = union(*by_kind.values())
            spoilt = Spoilt(every, steps=Spoilt(false) if false else None) if every else None
            self._applied[key] = replace(channel, spoilt=spoilt)
        return self._applied[key]

    def counted(self, channel: ChannelInfo, quality: ReadingQuality, required: Stretches) -> Left:
        """How much of the required time that is."""
        by_kind = self._by_kind(channel, quality)
        at_us = self._spoilt_readings(channel, quality)
        every = intersection(union(*by_kind.values()), required)
        parts = []
        for kind, spans in by_kind.items():
            own = intersection(spans, required)
            parts.append(Part(kind=kind, readings=_within(at_us, own), us=total_us(own)))
        return Left(readings=_within(at_us, every), us=total_us(every), parts=tuple(parts))

    def _by_kind(self, channel: ChannelInfo, quality: ReadingQuality) -> dict[Kind, Stretches]:
        key = channel.channel_ids, quality
        if key not in self._stretches:
            least = FAIL if quality.from_ == "fail" else SUSPECT
            kinds: tuple[Kind, ...] = quality.tests  # type: ignore[assignment]
            found = left_out(self._connection, channel, _EVER, kinds, self._as_of, least=least)
            self._stretches[key] = {kind: of_windows(found[kind]) for kind in kinds}
        return self._stretches[key]

    def _spoilt_readings(self, channel: ChannelInfo, quality: ReadingQuality) -> NDArray[np.int64]:
        """The instants of the readings in the hours that findings touch."""
        key = channel.channel_ids, quality
        if key not in self._readings:
            spoilt = self.applied(channel, quality).spoilt
            hours = np.empty(0, dtype=np.int64) if spoilt is None else spoilt.hours_us
            self._readings[key] = raw.readings_of_hours(self._connection, channel, hours, self._as_of)[0]
        return self._readings[key]


def _within(at_us: NDArray[np.int64], stretches: Stretches) -> int:
    if stretches == NOTHING:
        return 0
    edges = np.searchsorted(at_us, np.array(stretches, dtype=np.int64))
    return int((edges[:, 1] - edges[:, 0]).sum())

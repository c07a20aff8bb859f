"""The parts of a delay: how long a slot's readings took, and which never came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.window import Window
from devices.plan.measures import Delay
from devices.plan.model import Kpi
from devices.plan.predicate import slots_in_effect
from kpi.gathered import Gathered, arranged
from kpi.inputs.gather_sums import SumGatherer
from kpi.measures.delay import AHEAD_MS, DelayPart
from kpi.stretches import NOTHING, Stretches, clipped, intersection, of_windows, total_us, union, windows_of
from telemetry.channels import ChannelInfo
from telemetry.delays import LIVE, NO_CLOCK, OURS, REPLAYED, RETAINED, DelayCounts, delay_counts
from telemetry.findings import Kind
from telemetry.quality.intervals import left_out

Wholes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Missing:
    """Readings of periodic channels that never came, in one window."""

    lost: int
    doubtful: int
    obtained: float
    expected: float


class DelayGatherer(SumGatherer):
    """Gathers delays besides."""

    def delay(self, kpi: Kpi, of: Delay) -> Gathered[DelayPart]:
        slots = slots_in_effect(self.plan, kpi)
        return arranged(slots, self.spans, [self._delays(kpi, of, slot) for slot in slots])

    def _delays(self, kpi: Kpi, of: Delay, slot: str) -> list[DelayPart]:
        names = list(self.plan.slots[slot].channels) if of.channel is None else [of.channel]
        channels = [self.reader.channel(slot, name) for name in names]
        windows = self.required(kpi, slot)
        cells = _Cells([*self.spans.all])
        found = [cells.counted(self, channel, windows[0]) for channel in channels]
        missing = self._missing(channels, slot, windows)
        clock = self._clock(channels)
        parts = []
        for index, (window, lacking) in enumerate(zip(windows, missing, strict=True)):
            kinds, delays, n = cells.of_window(found, index)
            delay_ms, each = _brought_together(delays[kinds == LIVE], n[kinds == LIVE])
            ahead = delay_ms < -AHEAD_MS
            kept_ms, kept_n = _brought_together(np.maximum(delay_ms[~ahead], 0), each[~ahead])
            parts.append(
                DelayPart(
                    delay_ms=kept_ms,
                    n=kept_n,
                    lost=lacking.lost,
                    doubtful=lacking.doubtful,
                    required_s=total_us(window) / 1e6,
                    obtained=lacking.obtained,
                    expected=lacking.expected,
                    ours=int(n[kinds == OURS].sum()),
                    no_clock=int(n[kinds == NO_CLOCK].sum()),
                    retained=int(n[kinds == RETAINED].sum()),
                    replayed=int(n[kinds == REPLAYED].sum()),
                    clock_ahead=int(each[ahead].sum()),
                    clock_s=total_us(intersection(window, clock)) / 1e6,
                )
            )
        return parts

    def _missing(self, channels: Sequence[ChannelInfo], slot: str, windows: Sequence[Stretches]) -> list[_Missing]:
        """What never came in each window, over all channels that are due at a time; how complete the slot is otherwise."""
        periodic = [channel for channel in channels if channel.reporting == "periodic"]
        lost, doubtful, obtained, expected = ([0] * len(windows) for _ in range(4))
        for channel in periodic:
            due = [self.reader.due(channel, window) for window in windows]
            unknown = [intersection(one, self.reader.record(slot).unknown) for one in due]
            pairs = zip(self.reader.statistics(channel, due), self.reader.statistics(channel, unknown), strict=True)
            for place, (read, unsure) in enumerate(pairs):
                missing = sum(one.missing for one in read)
                nobodys = min(sum(one.missing for one in unsure), missing)
                lost[place] += missing - nobodys
                doubtful[place] += nobodys
                obtained[place] += sum(one.expected for one in read) - missing
                expected[place] += sum(one.expected for one in read)
        complete: list[tuple[float, float]] = list(zip(obtained, expected, strict=True))
        if not periodic:
            complete = [(up / 1e6, needed / 1e6) for up, needed in (self._connected(slot, one) for one in windows)]
        return [
            _Missing(lost=a, doubtful=b, obtained=got, expected=all_)
            for a, b, (got, all_) in zip(lost, doubtful, complete, strict=True)
        ]

    def _clock(self, channels: Sequence[ChannelInfo]) -> Stretches:
        """While a finding says that a clock was wrong."""
        reader = self.reader
        kinds: tuple[Kind, ...] = ("clock",)
        found = [left_out(reader.connection, one, reader.whole, kinds, reader.as_of)["clock"] for one in channels]
        return union(NOTHING, *(of_windows(one) for one in found))


class _Cells:
    """The windows of an evaluation cut so that each is made of whole cells: every reading is counted once."""

    def __init__(self, windows: Sequence[Window]) -> None:
        self._windows = windows
        self._edges = sorted({edge for window in windows for edge in (window.start_us, window.end_us)})

    def counted(self, gatherer: SumGatherer, channel: ChannelInfo, required: Stretches) -> DelayCounts:
        """A channel's delays in the required time of the whole window, cell by cell."""
        stretches = [
            (cell, window)
            for cell, (start, end) in enumerate(zip(self._edges, self._edges[1:], strict=False))
            for window in windows_of(clipped(required, start, end))
        ]
        reader = gatherer.reader
        outages = windows_of(reader.record(channel.slot).left_out)
        return delay_counts(reader.connection, channel, stretches, outages, reader.as_of)

    def of_window(self, found: Sequence[DelayCounts], index: int) -> tuple[Wholes, Wholes, Wholes]:
        """Kinds, delays and numbers of one window, of all channels."""
        window = self._windows[index]
        first, last = self._edges.index(window.start_us), self._edges.index(window.end_us)
        kept = [(one.cell >= first) & (one.cell < last) for one in found]
        kinds, delays, n = (
            np.concatenate([getattr(one, name)[which] for one, which in zip(found, kept, strict=True)])
            for name in ("kind", "delay_ms", "n")
        )
        return kinds, delays, n


def _brought_together(values: Wholes, n: Wholes) -> tuple[Wholes, Wholes]:
    """Each value once, ascending, with its number."""
    unique, index = np.unique(values, return_inverse=True)
    together = np.bincount(index, weights=n, minlength=len(unique)).astype(np.int64) if len(unique) else unique
    return unique, together

"""The parts of what adds up: integrals over time, and the increase of counters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.window import Window
from devices.plan.measures import Counter, Increase, Integral, Summed
from devices.plan.model import Kpi
from devices.plan.predicate import slots_in_effect
from kpi.charges import Charges
from kpi.gathered import Gathered, arranged
from kpi.inputs.gather_averages import AveragingGatherer
from kpi.measures.increase import IncreasePart, step
from kpi.measures.integral import IntegralPart
from kpi.stretches import Stretches, total_us, windows_of
from telemetry.channels import ChannelInfo
from telemetry.sums import Run, integrals, runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Went:
    """How far a counter went in one stretch of required time."""

    proven: float = 0.0
    from_zero: float = 0.0
    restarts: int = 0
    wraps: int = 0
    n: int = 0

    def __add__(self, other: Went) -> Went:
        return Went(
            proven=self.proven + other.proven,
            from_zero=self.from_zero + other.from_zero,
            restarts=self.restarts + other.restarts,
            wraps=self.wraps + other.wraps,
            n=self.n + other.n,
        )


def went(run: Run, wrap: float | None) -> Went:
    """A counter's steps in a window, each by the rule of the measure.

    >>> from telemetry.sums import CounterStep
    >>> fall = CounterStep(before=98.0, after=1.0)
    >>> run = Run(n=9, climbed=40.0, falls=(fall,), edges=(CounterStep(before=41.0, after=43.0, part=0.5),))
    >>> went(run, wrap=None), went(run, wrap=100.0).proven
    (Went(proven=41.0, from_zero=1.0, restarts=1, wraps=0, n=9), 44.0)
    """
    found = Went(proven=run.climbed, n=run.n)
    for one in (*run.falls, *run.edges):
        taken = step(one.before, one.after, wrap)
        found += Went(
            proven=taken.proven * one.part,
            from_zero=taken.from_zero * one.part,
            restarts=int(taken.restart),
            wraps=int(taken.wrapped),
        )
    return found


class SumGatherer(AveragingGatherer):
    """Gathers sums besides."""

    def integral(self, kpi: Kpi, of: Integral) -> Gathered[IntegralPart]:
        slots = slots_in_effect(self.plan, kpi)
        return arranged(slots, self.spans, [self._integral(kpi, of, slot) for slot in slots])

    def _integral(self, kpi: Kpi, of: Integral, slot: str) -> list[IntegralPart]:
        channel = self.reader.channel(slot, of.channel)
        windows = self._required(kpi, slot)
        found = self._integrals(channel, windows)
        counts = self.reader.statistics(channel, windows)
        complete = self._complete(channel, slot, windows, counts)
        charged = self._charged(channel, slot, windows)
        return [
            IntegralPart(
                integral=integral,
                covered_s=covered_s,
                required_s=total_us(window) / 1e6,
                n=sum(one.n for one in counted),
                obtained=obtained,
                expected=expected,
                physical=self.plan.slots[slot].channels[of.channel].range,
                company_s=total_us(charges.company) / 1e6,
                platform_s=total_us(charges.platform) / 1e6,
                site_s=total_us(charges.site) / 1e6,
                nobody_s=total_us(charges.nobody) / 1e6,
            )
            for window, (integral, covered_s), counted, (obtained, expected), charges in zip(
                windows, found, counts, complete, charged, strict=True
            )
        ]

    def _integrals(self, channel: ChannelInfo, groups: Sequence[Stretches]) -> list[tuple[float, float]]:
        """The integral and the covered seconds of each group of stretches."""
        windows = list(dict.fromkeys(window for group in groups for window in windows_of(group)))
        read = integrals(self.reader.connection, channel, windows, self.reader.as_of)
        known = dict(zip(windows, read, strict=True))
        return [
            (sum(known[w].integral for w in windows_of(group)), sum(known[w].covered_s for w in windows_of(group)))
            for group in groups
        ]

    def _charged(self, channel: ChannelInfo, slot: str, windows: Sequence[Stretches]) -> list[Charges]:
        gaps = self.reader.gaps(channel)
        return [self._charges(slot, gaps, window, channel) for window in windows]

    def increase(self, kpi: Kpi, of: Increase) -> Gathered[IncreasePart]:
        slots = slots_in_effect(self.plan, kpi)
        return arranged(slots, self.spans, [self._increase(kpi, of, slot) for slot in slots])

    def _increase(self, kpi: Kpi, of: Increase, slot: str) -> list[IncreasePart]:
        channel = self.reader.channel(slot, of.channel)
        windows = self._required(kpi, slot)
        counts = self.reader.statistics(channel, windows)
        complete = self._complete(channel, slot, windows, counts)
        charged = self._charged(channel, slot, windows)
        return [
            IncreasePart(
                proven=found.proven,
                from_zero=found.from_zero,
                restarts=found.restarts,
                wraps=found.wraps,
                n=found.n,
                obtained=obtained,
                expected=expected,
                company_s=total_us(charges.company) / 1e6,
                platform_s=total_us(charges.platform) / 1e6,
                site_s=total_us(charges.site) / 1e6,
                nobody_s=total_us(charges.nobody) / 1e6,
            )
            for found, (obtained, expected), charges in zip(
                self._went(channel, slot, windows, of.wrap), complete, charged, strict=True
            )
        ]

    def _went(self, channel: ChannelInfo, slot: str, groups: Sequence[Stretches], wrap: float | None) -> list[Went]:
        """How far a counter went in each group of stretches. No step goes over a swap."""
        begins = self.reader.begun_us(slot)
        cut = [_cut(group, begins) for group in groups]
        windows = list(dict.fromkeys(window for group in cut for window in group))
        read = [one for group in self.reader.statistics(channel, [_stretch(w) for w in windows]) for one in group]
        found = runs(
            self.reader.connection, channel, windows, self.reader.as_of, read=read, begins_us=begins
        )  # fmt: skip
        known = {window: went(run, wrap) for window, run in zip(windows, found, strict=True)}
        return [sum((known[window] for window in group), Went()) for group in cut]

    def exposures(self, slot: str, by: Counter | Summed, groups: Sequence[Stretches]) -> list[tuple[float, float]]:
        """What events are counted by in each group of stretches: for sure, and how much more it may have been."""
        channel = self.reader.channel(slot, by.channel)
        if isinstance(by, Counter):
            return [(one.proven, one.from_zero) for one in self._went(channel, slot, groups, by.wrap)]
        return [(integral, 0.0) for integral, _ in self._integrals(channel, groups)]


def _stretch(window: Window) -> Stretches:
    return ((window.start_us, window.end_us),)


def _cut(stretches: Stretches, at_us: Sequence[int]) -> list[Window]:
    """Stretches as windows that hold none of the instants inside."""
    pieces: list[tuple[int, int]] = []
    for start, end in stretches:
        edges = [start, *(at for at in at_us if start < at < end), end]
        pieces += list(pairwise(edges))
    return windows_of(tuple(pieces))

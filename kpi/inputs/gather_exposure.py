"""The parts of a share of an exposure: how far a counter went, or what a channel came to, while a condition held."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from devices.plan.measures import Counter, Exposed, Share, Summed
from devices.plan.model import Kpi
from devices.plan.predicate import slots_in_effect
from kpi.gathered import Gathered, arranged
from kpi.inputs.gather_sums import SumGatherer
from kpi.inputs.outside import held
from kpi.measures.exposure_share import ExposurePart
from kpi.measures.increase import step
from kpi.stretches import Stretches, difference, intersection, joined, total_us, union
from telemetry.channels import ChannelInfo

Floats = NDArray[np.float64]
Micros = NDArray[np.int64]
Gone = Callable[[Stretches], float]
"""What was gone in stretches of time."""


class ExposureGatherer(SumGatherer):
    """Gathers shares of exposures besides."""

    def exposure(self, kpi: Kpi, of: Share) -> Gathered[ExposurePart]:
        assert isinstance(of.of, Exposed)
        slots = slots_in_effect(self.plan, kpi)
        return arranged(slots, self.spans, [self._exposed(kpi, of, of.of.by, slot) for slot in slots])

    def _exposed(self, kpi: Kpi, of: Share, by: Counter | Summed, slot: str) -> list[ExposurePart]:
        channel, said = self.reader.channel(slot, by.channel), self.reader.channel(slot, of.while_.channel)
        windows = self.required(kpi, slot)
        while_ = held(self.reader, slot, of.while_)
        unknown = difference(
            joined([(self.spans.whole.start_us, self.spans.whole.end_us)]), union(while_.true, while_.false)
        )
        charges = self.reader.charges(slot, unknown)
        out = union(charges.platform, charges.site)
        groups = [
            tuple(
                intersection(window, one) for one in (while_.true, while_.false, charges.company, out, charges.nobody)
            )
            for window in windows
        ]
        gone = self._counted(channel, slot, by) if isinstance(by, Counter) else self._summed(channel, groups)
        counts = self.reader.statistics(channel, windows)
        complete = zip(
            self._complete(channel, slot, windows, counts),
            self._complete(said, slot, windows, self.reader.statistics(said, windows)),
            strict=True,
        )
        restarts = self._restarts(channel, by) if isinstance(by, Counter) else np.empty(0, dtype=np.int64)
        parts = []
        for window, pieces, counted, ways in zip(windows, groups, counts, complete, strict=True):
            true, false, company, left_out, nobody = (gone(piece) for piece in pieces)
            obtained, expected = min(ways, key=lambda way: way[0] / way[1] if way[1] else 1.0)
            parts.append(
                ExposurePart(
                    true=true,
                    false=false,
                    company=company,
                    left_out=left_out,
                    nobody=nobody,
                    restarts=sum(any(a <= at < b for a, b in window) for at in restarts.tolist()),
                    n=sum(one.n for one in counted),
                    obtained=obtained,
                    expected=expected,
                    company_s=total_us(pieces[2]) / 1e6,
                    platform_s=total_us(intersection(window, charges.platform)) / 1e6,
                    site_s=total_us(intersection(window, charges.site)) / 1e6,
                    nobody_s=total_us(pieces[4]) / 1e6,
                )
            )
        return parts

    def _summed(self, channel: ChannelInfo, groups: Sequence[Sequence[Stretches]]) -> Gone:
        """What a channel came to: each piece is read once, all together."""
        pieces = list(dict.fromkeys(piece for group in groups for piece in group))
        known = dict(zip(pieces, (total for total, _ in self._integrals(channel, pieces)), strict=True))
        return lambda stretches: known[stretches]

    def _counted(self, channel: ChannelInfo, slot: str, by: Counter) -> Gone:
        """How far a counter went: each step spread evenly over its time, none over a swap."""
        at_us, values = self.reader.values(channel)
        with np.errstate(over="ignore", invalid="ignore"):  # near the end of what a float holds there is no share
            steps = steps_of(at_us, values, by.wrap, self.reader.begun_us(slot))
            reached = np.concatenate([[0.0], np.cumsum(steps)])

        def gone(stretches: Stretches) -> float:
            if not len(at_us) or not stretches:
                return 0.0
            edges = np.interp(np.array(stretches, dtype=np.float64), at_us.astype(np.float64), reached)
            return float((edges[:, 1] - edges[:, 0]).sum())

        return gone

    def _restarts(self, channel: ChannelInfo, by: Counter) -> Micros:
        """When a counter fell, and it was not the wrap."""
        at_us, values = self.reader.values(channel)
        down = np.flatnonzero(np.diff(values) < 0)
        fell = [i for i in down.tolist() if step(float(values[i]), float(values[i + 1]), by.wrap).restart]
        return at_us[np.array(fell, dtype=np.int64) + 1] if fell else at_us[:0]


def steps_of(at_us: Micros, values: Floats, wrap: float | None, begun_us: Sequence[int]) -> Floats:
    """How far a counter went from each reading to the next.

    >>> steps_of(np.array([0, 10, 20, 30]), np.array([1.0, 3.0, 8.0, 2.0]), 10.0, (15,)).tolist()
    [2.0, 0.0, 4.0]
    """
    found = np.diff(values) if len(values) else values
    for place in np.flatnonzero(found < 0).tolist():
        found[place] = step(float(values[place]), float(values[place + 1]), wrap).proven
    for at in begun_us:
        over = int(np.searchsorted(at_us, at))
        if 0 < over < len(at_us):
            found[over - 1] = 0.0
    return found

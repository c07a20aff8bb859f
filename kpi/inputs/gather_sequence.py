"""The parts of radio delivery: which frame numbers came, and to whom those are charged that did not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from core.window import micros, midnight
from devices.plan.measures import FrameSequence
from devices.plan.model import Kpi
from devices.plan.predicate import slots_in_effect
from kpi.calendar import local_days
from kpi.gathered import Gathered, arranged
from kpi.inputs.gather_sums import SumGatherer
from kpi.measures import sequence
from kpi.measures.sequence import Frames, SequencePart
from kpi.stretches import Stretches, joined, union

Micros = NDArray[np.int64]


class SequenceGatherer(SumGatherer):
    """Gathers frame numbers besides."""

    def sequence(self, kpi: Kpi, of: FrameSequence) -> Gathered[SequencePart]:
        slots = slots_in_effect(self.plan, kpi)
        return arranged(slots, self.spans, [self._frames(kpi, of, slot) for slot in slots])

    def _frames(self, kpi: Kpi, of: FrameSequence, slot: str) -> list[SequencePart]:
        channel = self.reader.channel(slot, of.channel)
        at_us, values = self.reader.values(channel)
        whole = self.spans.whole
        period_us = None if channel.period_s is None or channel.reporting != "periodic" else channel.period_s * 1e6
        rules = sequence.Rules(wrap=of.wrap, first=of.first, period_us=period_us, by_fall=of.reset == "rejoin")
        found = sequence.frames(
            at_us,
            values,
            rules,
            since_us=max(whole.start_us, self.reader.installed_since_us(slot)),
            until_us=whole.end_us,
            begun_us=self._begun(of, slot),
        )
        every = self.reader.charges(slot, joined([(whole.start_us, whole.end_us)]))
        left_out, nobody = union(every.platform, every.site), every.nobody
        days = [(day, micros(midnight(day, self.plan.zone))) for day in local_days(whole, self.plan.zone)]
        excused = inside(left_out, found.lost_us)
        doubtful = inside(nobody, found.lost_us)
        parts = []
        for window in self.required(kpi, slot):
            connected_us, required_us = self._connected(slot, window)
            there = inside(window, found.lost_us)
            heard, lost = found.heard_us[inside(window, found.heard_us)], found.lost_us[there & ~excused & ~doubtful]
            parts.append(
                SequencePart(
                    heard=len(heard),
                    lost=len(lost),
                    doubtful=int((there & doubtful).sum()),
                    left_out=int((there & excused).sum()),
                    days=_days(days, heard, lost),
                    **_counted(found, window),
                    periodic=period_us is not None,
                    connected_us=connected_us,
                    required_us=required_us,
                )
            )
        return parts

    def _begun(self, of: FrameSequence, slot: str) -> Sequence[int]:
        """When numbering began anew: with another device, and with each event that says so."""
        begun = list(self.reader.begun_us(slot))
        if of.reset in self.plan.slots[slot].events:
            begun += [one.at_us for one in self.reader.happenings(slot, of.reset, self.spans.whole.end)]
        return sorted(begun)


def inside(stretches: Stretches, at_us: Micros) -> NDArray[np.bool_]:
    """Which instants lie in stretches.

    >>> inside(((0, 5), (8, 9)), np.array([0, 5, 8, 9])).tolist()
    [True, False, True, False]
    """
    edges = np.array([edge for span in stretches for edge in span], dtype=np.int64)
    found: NDArray[np.bool_] = np.searchsorted(edges, at_us, side="right") % 2 == 1
    return found


def _counted(found: Frames, window: Stretches) -> dict[str, int]:
    return {
        name: int(inside(window, at_us).sum())
        for name, at_us in (
            ("repeated", found.repeated_us),
            ("late", found.late_us),
            ("unclear", found.unclear_us),
            ("rejoined", found.rejoined_us),
            ("jumped", found.jumped_us),
        )
    }


def _days(days: Sequence[tuple[date, int]], heard: Micros, lost: Micros) -> tuple[tuple[date, int, int], ...]:
    """How many of each calendar day were heard and lost."""
    edges = np.array([at_us for _, at_us in days], dtype=np.int64)
    counts = [
        np.bincount(np.searchsorted(edges, at_us, side="right") - 1, minlength=len(edges)) for at_us in (heard, lost)
    ]
    there = np.flatnonzero(counts[0] + counts[1]).tolist()
    return tuple((days[place][0], int(counts[0][place]), int(counts[1][place])) for place in there)

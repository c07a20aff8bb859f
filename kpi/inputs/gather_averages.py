"""Statistics of averages: the maximum of 15-minute means. The averages take the place of the readings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from devices.plan.measures import Statistic
from devices.plan.model import Kpi
from kpi.inputs.averages import averaged, moments_of
from kpi.inputs.gather import Gatherer
from kpi.measures.statistic import StatisticPart


class AveragingGatherer(Gatherer):
    """Gathers averages where a statistic is of them."""

    def _statistic(self, kpi: Kpi, of: Statistic, slot: str) -> list[StatisticPart]:
        parts = super()._statistic(kpi, of, slot)
        if of.average is None:
            return parts
        channel = self.reader.channel(slot, of.channel)
        at_us, values = self.reader.values(channel)
        period_s = channel.period_s if channel.reporting == "periodic" else None
        found = []
        for part, window in zip(parts, self._required(kpi, slot), strict=True):
            edges = np.array([edge for span in window for edge in span], dtype=np.int64)
            inside = np.searchsorted(edges, at_us, side="right") % 2 == 1
            at, means = averaged(at_us[inside], values[inside], of.average, self.plan.zone, period_s)
            found.append(replace(part, moments=moments_of(at, means), values=means))
        return found

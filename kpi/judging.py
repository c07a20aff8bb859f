"""Judging the KPIs of a plan over one set of windows, from one view of the store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from devices.plan.instrument import instrument_of
from devices.plan.model import Kpi, Plan
from devices.plan.predicate import slots_in_effect
from kpi.asked import Asked, asked_of, measuring
from kpi.compound import compound
from kpi.entry import entry_of
from kpi.gathered import Gathered
from kpi.guard import MovedLimits, moved_kpis
from kpi.inputs.reader import Reader
from kpi.numbering import NumberingGatherer
from kpi.spans import Spans


class Judging:
    """The KPIs of one plan over one set of windows, by what one reader knows."""

    def __init__(self, reader: Reader, plan: Plan, cut: Spans, alpha: float) -> None:
        """:param alpha: error of one look, 0 to 1."""
        self.reader = reader
        self.plan = plan
        self.cut = cut
        self.alpha = alpha
        self._gatherer = NumberingGatherer(reader, plan, cut)

    def by(self, reader: Reader) -> Judging:
        """The same, by what another reader knows."""
        return Judging(reader, self.plan, self.cut, self.alpha)

    def of(self, slot: str, cut: Spans) -> Judging:
        """One slot alone, over other windows."""
        alone = self.plan.model_copy(update={"slots": {slot: self.plan.slots[slot]}})
        return Judging(self.reader, alone, cut, self.alpha)

    def entry(self, name: str, kpi: Kpi) -> dict[str, Any]:
        """The KPI as a result has it."""
        if kpi.all_ is None:
            return entry_of(self.asked(name, kpi), self.gathered(kpi), self.moved(kpi))
        parts = [
            entry_of(replace(self.asked(name, part), promises=len(kpi.parts)), self.gathered(part), self.moved(part))
            for part in kpi.parts
        ]
        return compound(kpi, parts)

    def asked(self, name: str, kpi: Kpi) -> Asked:
        """What it promises."""
        return asked_of(self.plan, name, kpi, self.cut, self.alpha)

    def moved(self, kpi: Kpi) -> dict[str | None, MovedLimits[Any]]:
        """What a guarded share of time is with its limits moved by the uncertainty of its instruments.

        :returns: of all slots together under None, or of each slot with its own instrument where the worst of them decides.
        """
        slots = slots_in_effect(self.plan, kpi)
        each: dict[str | None, MovedLimits[Any] | None]
        if kpi.group == "worst" and len(slots) > 1:
            each = {slot: self.of(slot, self.cut)._moved(kpi) for slot in slots}
        else:
            each = {None: self._moved(kpi)}
        return {slot: limits for slot, limits in each.items() if limits is not None}

    def _moved(self, kpi: Kpi) -> MovedLimits[Any] | None:
        channels = measuring(self.plan, kpi)
        kpis = moved_kpis(kpi, channels, [instrument_of(one) for one in channels.values()])
        if kpis is None:
            return None
        closer, wider = kpis
        return MovedLimits(closer=None if closer is None else self.gathered(closer), wider=self.gathered(wider))

    def gathered(self, kpi: Kpi) -> Gathered[Any]:
        """What its measure computes with. The gatherer has one method a measure kind, of the kind's name."""
        found: Gathered[Any] = getattr(self._gatherer, kpi.measure.kind)(kpi, kpi.measure.of)
        return found

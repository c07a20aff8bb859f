"""Judging the KPIs of a plan over one set of windows, from one view of the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from devices.plan.instrument import instrument_of
from devices.plan.model import Kpi, Plan
from devices.plan.predicate import slots_in_effect
from kpi.asked import Asked, asked_of, measuring
from kpi.compound import compound
from kpi.entry import entry_of
from kpi.gathered import Gathered
from kpi.guard import MovedLimits, moved_kpis
from kpi.inputs.gather_agreement import AgreementGatherer
from kpi.inputs.gather_change import ChangeGatherer
from kpi.inputs.gather_manual import ManualGatherer
from kpi.inputs.gather_readings import ReadingsGatherer
from kpi.inputs.outside import told
from kpi.inputs.reader import Reader
from kpi.left_out import ChannelLeft, leaving, left_out_of
from kpi.measured import gathered_as
from kpi.numbering import NumberingGatherer
from kpi.spans import Spans

_OWN: Final[Mapping[str, Callable[[Reader, Plan, Spans], Any]]] = {
    "manual": ManualGatherer,
    "agreement": AgreementGatherer,
    "change": ChangeGatherer,
    **dict.fromkeys(("sequence", "delay", "forecast", "exposure"), ReadingsGatherer),
}
"""Kinds that have a gatherer of their own."""


class Judging:
    """The KPIs of one plan over one set of windows, by what one reader knows."""

    def __init__(self, reader: Reader, plan: Plan, cut: Spans, alpha: float) -> None:
        """:param alpha: error of one look, 0 to 1."""
        self.reader = reader
        self.plan = plan
        self.cut = cut
        self.alpha = alpha
        self._gatherer = NumberingGatherer(reader, plan, cut)
        self._entire = plan

    def by(self, reader: Reader) -> Judging:
        """The same, by what another reader knows."""
        return self._kept(Judging(reader, self.plan, self.cut, self.alpha))

    def of(self, slot: str, cut: Spans) -> Judging:
        """One slot alone, over other windows."""
        alone = self.plan.model_copy(update={"slots": {slot: self.plan.slots[slot]}})
        return self._kept(Judging(self.reader, alone, cut, self.alpha))

    def _kept(self, other: Judging) -> Judging:
        """Another that knows the slots beside those that it is about, too."""
        other._entire = self._entire
        return other

    def entry(self, name: str, kpi: Kpi) -> dict[str, Any]:
        """The KPI as a result has it."""
        if kpi.all_ is None:
            found = entry_of(self.asked(name, kpi), self.gathered(kpi), self.moved(kpi), self.left_out(kpi))
            return found | self.conditioned(kpi)
        parts = [
            entry_of(
                replace(self.asked(name, part), promises=len(kpi.parts)),
                self.gathered(part),
                self.moved(part),
                self.left_out(part),
            )
            | self.conditioned(part)
            for part in kpi.parts
        ]
        return compound(kpi, parts)

    def conditioned(self, kpi: Kpi) -> dict[str, Any]:
        """What the conditions on one promise's time come to; nothing where there are none."""
        slots = slots_in_effect(self.plan, kpi)
        return told(
            self.reader, self.plan, kpi, [(slot, self._gatherer.before_conditions(kpi, slot)) for slot in slots]
        )

    def left_out(self, kpi: Kpi) -> list[ChannelLeft]:
        """What findings leave out of each channel of one promise, over the whole of its required time."""
        return left_out_of(self.reader, self.plan, kpi, lambda slot: self._gatherer.required(kpi, slot)[0])

    def _gatherer_of(self, kpi: Kpi) -> NumberingGatherer:
        """The gatherer, by a reader that leaves out what the promise leaves out."""
        reader = leaving(self.reader, self.plan, kpi)
        return self._gatherer if reader is self.reader else type(self._gatherer)(reader, self.plan, self.cut)

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
        method = gathered_as(kpi.measure)
        own = _OWN.get(method)
        reader = leaving(self.reader, self.plan, kpi)
        gatherer = self._gatherer_of(kpi) if own is None else own(reader, self.plan, self.cut)
        if isinstance(gatherer, ChangeGatherer):
            gatherer.entire = self._entire
        found: Gathered[Any] = getattr(gatherer, method)(kpi, kpi.measure.of)
        return found

"""The parts of a change: those of another measure, in the judged windows and in the baseline's, and on each day of both."""

from __future__ import annotations

from devices.plan.measures import Change
from devices.plan.model import Kpi, Plan
from devices.plan.predicate import slots_in_effect
from kpi.calendar import local_days
from kpi.gathered import Gathered, arranged
from kpi.inputs.baseline_side import BaselineSide
from kpi.inputs.change_cells import taken, window_of, with_days
from kpi.inputs.reader import Reader
from kpi.measures.change_parts import ChangePart
from kpi.spans import Spans
from kpi.stretches import of_windows


class ChangeGatherer:
    """Gathers for the changes of one plan."""

    def __init__(self, reader: Reader, plan: Plan, spans: Spans, entire: Plan | None = None) -> None:
        """:param entire: the plan with all its slots, where ``plan`` has only some of them."""
        self.reader = reader
        self.plan = plan
        self.spans = spans
        self.entire = entire or plan

    def change(self, kpi: Kpi, of: Change) -> Gathered[ChangePart]:
        slots = slots_in_effect(self.plan, kpi)
        judged = list(local_days(self.spans.whole, self.plan.zone)) if of.by_day else []
        own = of_windows([window_of(of.baseline, self.plan)]) if of.baseline.form == "window" else ()
        cut = with_days(self.spans, judged, self.plan)
        after = taken(self.reader, kpi, of, slots, cut, own, self.plan)
        side = BaselineSide(self.reader, self.plan, self.entire, self.spans, kpi, of)
        befores, beside = side.befores(after.slots), side.beside(judged)
        count = len(self.spans.all)
        units = []
        for place, cells in enumerate(after.cells):
            by_day = dict(zip(judged, cells[count:], strict=True))
            units.append(
                [
                    ChangePart(
                        after=cell,
                        days={day: by_day[day] for day in local_days(window, self.plan.zone) if day in by_day},
                        before=befores[place] if place < len(befores) else befores[0] if befores else None,
                        beside=beside,
                        window_s=self.spans.whole.seconds,
                    )
                    for window, cell in zip(self.spans.all, cells, strict=False)
                ]
            )
        return arranged(after.slots, self.spans, units)

"""The measure that a change is of, as cells: over the judged windows and the baseline's, and on each of their days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from core.window import Window, date_window, day_window
from devices.plan.baseline import Baseline
from devices.plan.measures import Change
from devices.plan.model import Kpi, Plan
from kpi.gathered import Gathered
from kpi.inputs.gather_manual import ManualGatherer
from kpi.inputs.reader import Reader
from kpi.left_out import leaving
from kpi.measures.change_parts import Cell
from kpi.numbering import NumberingGatherer
from kpi.spans import Spans
from kpi.stretches import Stretches, difference, of_windows, total_us


class EarlierReader(Reader):
    """The store over a window before the judged one: what a slot did then counts, whatever the registry says stood there."""

    @classmethod
    def of(cls, reader: Reader, window: Window) -> EarlierReader:
        """By the same ``as_of`` and exclusions; with the outages agreed of that window."""
        made = cls(reader.connection, reader.pilot, window, reader.as_of, exclusions=reader._exclusions)
        made.heeds_conditions = reader.heeds_conditions
        made.heeds_findings = reader.heeds_findings
        return made

    def installed_since_us(self, slot: str) -> int:
        del slot
        return self.whole.start_us


class Readings(NumberingGatherer):
    """Gathers without a stretch that is the baseline's."""

    def __init__(self, reader: Reader, plan: Plan, spans: Spans, without: Stretches) -> None:
        super().__init__(reader, plan, spans)
        self._without = without

    def before_conditions(self, kpi: Kpi, slot: str) -> Stretches:
        return difference(super().before_conditions(kpi, slot), self._without)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Cells by window, in the order of ``spans.all``, of each slot."""

    slots: tuple[str, ...]
    cells: list[list[Cell]]


def taken(
    reader: Reader, kpi: Kpi, of: Change, slots: Sequence[str], cut: Spans, without: Stretches, plan: Plan
) -> Taken:
    """The measure itself at some slots over windows of a reader."""
    inner = inner_kpi(kpi, of, slots)
    if not slots and of.of.kind != "manual":
        return Taken(slots=(), cells=[])
    if of.of.kind == "manual":
        found: Gathered[Any] = ManualGatherer(reader, plan, _clipped(cut, without)).manual(inner, inner.measure.of)  # type: ignore[arg-type]
        return Taken(slots=found.slots, cells=_cells(found, [[_plain(w) for w in cut.all]] * len(found.slots)))
    gatherer = Readings(leaving(reader, plan, inner), plan, cut, without)
    found = getattr(gatherer, inner.measure.kind)(inner, inner.measure.of)
    due = [gatherer.required(inner, slot) for slot in found.slots]
    return Taken(slots=found.slots, cells=_cells(found, due))


def inner_kpi(kpi: Kpi, of: Change, slots: Sequence[str]) -> Kpi:
    """The measure that a change is of, as a KPI about these slots."""
    measure = of.inner
    if of.of.kind != "manual" and slots:
        measure = measure.model_copy(update={measure.kind: measure.of.model_copy(update={"slots": tuple(slots)})})
    return kpi.model_copy(update={"measure_": measure, "group": "pooled"})


def _cells(found: Gathered[Any], due: Sequence[Sequence[Stretches]]) -> list[list[Cell]]:
    month = [] if found.month is None else [found.month]
    rows = [found.whole, *month, *found.quarters, *(parts for _, parts in found.weeks)]
    return [
        [_cell(parts[place], due[place][index]) for index, parts in enumerate(rows)]
        for place in range(len(found.slots))
    ]


def _cell(part: Any, required: Stretches) -> Cell:
    required_s = total_us(required) / 1e6
    left_s = sum(_seconds(part, name) for name in ("platform", "site"))
    seconds = getattr(part, "covered_s", None)
    if seconds is None:
        connected = getattr(part, "connected_us", None)
        seconds = required_s if connected is None else connected / 1e6
    return Cell(part=part, seconds=float(seconds), required_s=required_s, left_out_s=left_s)


def _seconds(part: Any, name: str) -> float:
    """Time of a part that is charged to one side, which some kinds tell in seconds and others in microseconds."""
    told = getattr(part, f"{name}_s", None)
    return float(told) if told is not None else getattr(part, f"{name}_us", 0) / 1e6


def _plain(window: Window) -> Stretches:
    return of_windows([window])


def window_of(baseline: Baseline, plan: Plan) -> Window:
    start, end = baseline.days
    return date_window(start, end, plan.zone)


def with_days(spans: Spans, judged: Sequence[date], plan: Plan) -> Spans:
    """The same windows, and each day after them."""
    each = tuple(day_window(day, plan.zone).intersection(spans.whole) for day in judged)
    return replace(spans, weeks=(*spans.weeks, *each))


def _clipped(spans: Spans, without: Stretches) -> Spans:
    """The windows from the end of the baseline on, where that is their beginning."""
    if not without or without[0][0] > spans.whole.start_us:
        return spans
    since = spans.whole.start + timedelta(microseconds=max(without[0][1] - spans.whole.start_us, 0))

    def cut(window: Window) -> Window:
        start = max(window.start, since)
        return Window(start=start, end=max(start, window.end))

    return replace(
        spans,
        whole=cut(spans.whole),
        month=None if spans.month is None else cut(spans.month),
        quarters=tuple(map(cut, spans.quarters)),
        weeks=tuple(map(cut, spans.weeks)),
    )

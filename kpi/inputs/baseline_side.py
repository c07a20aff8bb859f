"""The baseline's side of a change: the file, the own earlier window or the value, the controls, the weather."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from core.units import conversion, same_dimension
from core.window import Window, day_window, days
from devices.plan.holidays import calendar_source, korean_holidays
from devices.plan.manual import manual_unit
from devices.plan.measured_unit import channel_of, level_unit, unit_given
from devices.plan.measures import Change, Measure, Statistic
from devices.plan.model import Channel, Kpi, Plan
from devices.plan.predicate import slots_in_effect
from kpi.calendar import required, weeks
from kpi.inputs.baseline_series import cell_of, given_level, series_of, temperatures
from kpi.inputs.change_cells import EarlierReader, taken, window_of, with_days
from kpi.inputs.reader import Reader
from kpi.measurement import Refused
from kpi.measures.change_parts import MIN_DAY, Before, Beside, Cell
from kpi.numbering import NumberingGatherer
from kpi.records.baseline_file import BaselineProblem, Table
from kpi.records.baselines import Recorded, baselines, content_of, table_of
from kpi.spans import Spans, middle_s
from kpi.stretches import of_windows

_SHORT = 12
_SHOWN = ("kWh/d", "m3/d")
"""In which sums by time are shown, where they are of that dimension."""


class BaselineSide:
    """The baseline's side of one change."""

    def __init__(self, reader: Reader, plan: Plan, entire: Plan, spans: Spans, kpi: Kpi, of: Change) -> None:
        """
        :param entire: the plan with all its slots, where ``plan`` has only some of them.
        :param spans: the judged windows.
        """
        self.reader, self.plan, self.entire, self.spans = reader, plan, entire, spans
        self.kpi, self.of = kpi, of
        self.window = None if of.baseline.window is None else window_of(of.baseline, self.plan)
        self.recorded: Recorded | None = None
        self.table: Table | None = None
        self.refused: Refused | None = None
        if of.baseline.form == "file":
            self._open()

    # --- the file

    def _open(self) -> None:
        """Find the file that the plan names, and read it."""
        baseline = self.of.baseline
        named = {"file": baseline.file, "sha256": (baseline.sha256 or "")[:_SHORT]}
        known = baselines(self.reader.connection, self.reader.pilot, self.reader.as_of)
        self.recorded = next((one for one in known if one.sha256 == baseline.sha256), None)
        if self.recorded is None:
            self.refused = Refused(code="baseline_missing", values=named)
            return
        content = content_of(self.reader.connection, self.recorded.baseline_id)
        digest = hashlib.sha256(content).hexdigest()
        if digest != baseline.sha256:
            self.refused = Refused(code="baseline_changed", values={**named, "found": digest[:_SHORT]})
            return
        try:
            self.table = table_of(content, baseline)
        except BaselineProblem as problem:
            self.refused = Refused(code="baseline_unreadable", values={**named, "why": str(problem).rstrip(".")})

    # --- cells

    def befores(self, slots: Sequence[str]) -> list[Before]:
        """The baseline of each slot; one alone where it is of all of them together."""
        if self.window is None or self.refused is not None:
            return []
        if self.of.baseline.form == "window":
            return self._own(slots, self.plan)
        if "" in self.of.baseline.columns and not all(slot in self.of.baseline.columns for slot in slots):
            return [self._from_file("", slots[0])] if slots else []
        return [self._from_file(slot, slot) for slot in slots]

    def _own(self, slots: Sequence[str], plan: Plan) -> list[Before]:
        """By the pilot's own data."""
        assert self.window is not None
        cut, blocks, each = self._cut()
        reader = EarlierReader.of(self.reader, self.window)
        found = taken(reader, self.kpi, self.of, slots, cut, (), plan)
        return [_before(cells, blocks, each) for cells in found.cells]

    def _from_file(self, column: str, slot: str) -> Before:
        """By a column of the file; the slot says which channel it stands for."""
        assert self.table is not None and self.window is not None
        inner = self.of.inner
        channel = self._channel(inner, slot)
        rows = series_of(self.table, column, self.of.baseline, inner.kind, channel.canonical_unit)
        cut, blocks, each = self._cut()
        of = inner.of
        cells = []
        for window in cut.all:
            due = required(window, self.plan.zone, hours=of.hours_minutes, weekdays=of.days, holidays=of.holidays)
            cells.append(cell_of(of, rows, due, channel, self.plan.zone))
        return _before(cells, blocks, each)

    def _channel(self, inner: Measure, slot: str) -> Channel:
        one = channel_of(inner)
        assert one is not None
        return self.entire.slots[slot].channels[one[0]]

    def _cut(self) -> tuple[Spans, tuple[Window, ...], tuple[date, ...]]:
        """The baseline's window with its weeks and, where they are compared, its days."""
        assert self.window is not None
        blocks = tuple(weeks(self.window, self.plan.zone))
        each = tuple(days(*self.of.baseline.days)) if self.of.by_day else ()
        windows = tuple(day_window(day, self.plan.zone) for day in each)
        return Spans(whole=self.window, month=None, quarters=(), weeks=(*blocks, *windows)), blocks, each

    # --- what stands beside all slots

    def beside(self, judged: Sequence[date]) -> Beside:
        of, slots = self.of, slots_in_effect(self.entire, self.kpi)
        unit = self._level_unit(slots)
        shown = next((one for one in _SHOWN if self.of.summed and unit and same_dimension(unit, one)), unit)
        together = of.baseline.form == "file" and "" in of.baseline.columns
        together = together and not all(slot in of.baseline.columns for slot in slots)
        control = () if self.refused is not None else self._controls(judged)
        return Beside(
            window=of.baseline.window,
            window_s=0.0 if self.window is None else self.window.seconds,
            refused=self.refused or self._too_few_days(),
            given=given_level(of.baseline, unit) if of.baseline.form == "value" else None,
            among=len(slots) if together else 0,
            control=control,
            weather=self._weather(judged),
            holidays=frozenset(self._holidays(judged)),
            shown=self._shown(judged),
            inner_unit=self._given_unit(slots),
            level_unit=shown,
            scale=1.0 if shown == unit else conversion(unit, shown).scale,
        )

    def _too_few_days(self) -> Refused | None:
        least = self.of.baseline.min_days
        if least is None or self.table is None or self.window is None:
            return None
        there = {day for day in days(*self.of.baseline.days) if self._has(day)}
        return (
            Refused(code="baseline_days", values={"days": len(there), "least": least}) if len(there) < least else None
        )

    def _has(self, day: date) -> bool:
        assert self.table is not None
        window = day_window(day, self.plan.zone)
        first, last = self.table.at_us.searchsorted([window.start_us, window.end_us]).tolist()
        return bool(last > first)

    def _controls(self, judged: Sequence[date]) -> tuple[tuple[Mapping[date, Cell], Before], ...]:
        of = self.of
        if not of.control:
            return ()
        plan, count = self.entire, len(self.spans.all)
        cut = with_days(self.spans, judged, plan)
        without = of_windows([self.window]) if of.baseline.form == "window" and self.window is not None else ()
        after = taken(self.reader, self.kpi, of, of.control, cut, without, plan)
        if of.baseline.form == "window":
            befores = self._own(of.control, plan)
        else:
            befores = [self._from_file(slot, slot) for slot in of.control]
        return tuple(
            (dict(zip(judged, cells[count:], strict=True)), before)
            for cells, before in zip(after.cells, befores, strict=True)
        )

    def _weather(self, judged: Sequence[date]) -> dict[date, float]:
        normal = self.of.normalise
        if normal is None or self.window is None or self.refused is not None:
            return {}
        found = self._temperatures(self.reader, normal.weather.slot, normal.weather.channel, judged)
        before = list(days(*self.of.baseline.days))
        if self.table is not None and self.table.temperature is not None:
            return found | temperatures(self.table, before, self.plan.zone)
        reader = EarlierReader.of(self.reader, self.window)
        return found | self._temperatures(reader, normal.weather.slot, normal.weather.channel, before)

    def _temperatures(self, reader: Reader, slot: str, name: str, wanted: Sequence[date]) -> dict[date, float]:
        """The mean of each day of a channel that has three quarters of its readings, in °C."""
        if not wanted or not reader.has(slot, name):
            return {}
        measure = Measure.model_validate({"statistic": {"channel": name, "stat": "mean", "slots": [slot]}})
        kpi = self.kpi.model_copy(update={"measure_": measure})
        each = tuple(day_window(day, self.plan.zone).intersection(reader.whole) for day in wanted)
        cut = Spans(whole=reader.whole, month=None, quarters=(), weeks=each)
        of = measure.of
        assert isinstance(of, Statistic)
        gathered = NumberingGatherer(reader, self.entire, cut).statistic(kpi, of)
        unit = self.entire.slots[slot].channels[name].canonical_unit
        found = {}
        for day, (_, parts) in zip(wanted, gathered.weeks, strict=True):
            for part in parts:
                if part.moments.n and part.expected > 0 and part.obtained >= MIN_DAY * part.expected:
                    found[day] = conversion(unit, "degC")(part.moments.mean)
        return found

    def _holidays(self, judged: Sequence[date]) -> dict[date, str]:
        pair = self.of.pair
        if pair is None or pair.holidays is None or self.of.baseline.window is None:
            return {}
        start, end = self.of.baseline.days
        found = korean_holidays(start, end)
        return found | (korean_holidays(judged[0], judged[-1] + timedelta(days=1)) if judged else {})

    def _given_unit(self, slots: Sequence[str]) -> str:
        """The unit of what the measure itself gives."""
        inner = self.of.inner
        one = channel_of(inner)
        unit = None if one is None or not slots else self._channel(inner, slots[0]).canonical_unit
        return unit_given(inner, unit) or manual_unit(self.entire.manual, inner) or ""

    def _level_unit(self, slots: Sequence[str]) -> str:
        """The unit of what is compared, before it is shown."""
        return level_unit(self.of, self._given_unit(slots)) or ""

    def _shown(self, judged: Sequence[date]) -> dict[str, Any]:
        """What an entry says of the baseline and of the days that are special."""
        of, baseline = self.of, self.of.baseline
        shown: dict[str, Any] = {
            "of": of.of.kind,
            "method": "normalise" if of.normalise else "pair" if of.pair else "days" if of.control else "windows",
            "baseline": {
                "form": baseline.form,
                "window": None if baseline.window is None else list(baseline.days),
                "source": baseline.source,
            },
            "controls": list(of.control or ()),
        }
        if baseline.form == "file":
            shown["baseline"] |= {"file": baseline.file, "sha256": baseline.sha256}
            if self.recorded is not None:
                shown["baseline"] |= {
                    "recorded_at": self.recorded.recorded_at, "recorded_by": self.recorded.recorded_by,
                }  # fmt: skip
            if self.table is not None:
                shown["baseline"] |= {
                    "encoding": self.table.encoding, "rows": self.table.rows, "repeated": self.table.repeated,
                    "period_s": self.table.period_us / 1e6,
                }  # fmt: skip
        elif baseline.form == "value":
            shown["baseline"]["value"] = baseline.value
        holidays = self._holidays(judged)
        if of.pair is not None and of.pair.holidays is not None:
            shown["holidays"] = {
                "calendar": calendar_source(),
                "days": {day.isoformat(): n for day, n in holidays.items()},
            }
        return shown


def _before(cells: Sequence[Cell], blocks: Sequence[Window], each: Sequence[date]) -> Before:
    count = len(blocks)
    return Before(
        whole=cells[0],
        weeks=tuple((middle_s(window), cell) for window, cell in zip(blocks, cells[1 : 1 + count], strict=True)),
        days=dict(zip(each, cells[1 + count :], strict=True)),
    )

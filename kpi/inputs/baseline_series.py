"""A baseline's file as the parts of a measure: what the rows of a stretch of time come to. Pure.

A row lasts from its time to the next one's. A value stands for as long as that; an amount is of that time; of a counter the step
to the next row is, unless it goes down, which is a new beginning and told by nobody. What lies between two rows further apart
than one and a half periods is not there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from core.units import conversion, same_dimension
from core.window import Window, midnight
from devices.plan.baseline import Baseline
from devices.plan.measures import Integral, Share, Statistic
from devices.plan.model import Channel
from devices.plan.predicate import predicate
from kpi.inputs.averages import averaged, moments_of
from kpi.measures.change_parts import Cell
from kpi.measures.increase import IncreasePart
from kpi.measures.integral import IntegralPart
from kpi.measures.share import SharePart
from kpi.measures.statistic import StatisticPart
from kpi.quantity import converted
from kpi.records.baseline_file import Table
from kpi.stretches import Stretches, total_us

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSeries:
    """One column of a file, without its empty cells; values in the channel's unit, amounts in what the measure gives."""

    at_us: NDArray[np.int64]
    lasts_us: NDArray[np.int64]
    value: Floats
    amounts: bool
    period_us: int

    def within(self, stretches: Stretches) -> NDArray[np.bool_]:
        """Which rows begin in stretches."""
        edges = np.array([edge for span in stretches for edge in span], dtype=np.int64)
        return np.asarray(np.searchsorted(edges, self.at_us, side="right") % 2 == 1, dtype=np.bool_)


def series_of(table: Table, column: str, baseline: Baseline, kind: str, channel_unit: str) -> RowSeries:
    """A column of a file as what a measure takes.

    :param kind: of the measure.
    :param channel_unit: of what it measures.
    """
    unit = baseline.unit or ""
    rows = baseline.rows or _usual(kind, unit, channel_unit)
    raw, at_us, lasts_us = table.columns[column], table.at_us, table.lasts_us
    there = ~np.isnan(raw)
    raw, at_us, lasts_us = raw[there], at_us[there], lasts_us[there]
    target = f"({channel_unit})*s" if kind == "integral" and rows == "amount" else channel_unit
    change = conversion(unit, target)
    value = raw * change.scale + (0.0 if rows != "value" else change.offset)
    if rows == "counter":
        step, joined = np.diff(value), np.diff(at_us) <= 1.5 * table.period_us
        kept = joined & (step >= 0)
        at_us, lasts_us, value = at_us[:-1][kept], np.diff(at_us)[kept], step[kept]
    return RowSeries(at_us=at_us, lasts_us=lasts_us, value=value, amounts=rows != "value", period_us=table.period_us)


def _usual(kind: str, unit: str, channel_unit: str) -> str:
    if kind == "increase":
        return "counter"
    if kind != "integral":
        return "value"
    return "value" if same_dimension(unit, channel_unit) else "amount"


def cell_of(
    of: Statistic | Share | Integral | object, series: RowSeries, required: Stretches, channel: Channel, zone: ZoneInfo
) -> Cell:
    """What a stretch of a file comes to."""
    inside = series.within(required)
    at_us, value = series.at_us[inside], series.value[inside]
    lasts_s = series.lasts_us[inside] / 1e6
    required_s = total_us(required) / 1e6
    obtained, expected = min(math.fsum(lasts_s.tolist()), required_s), required_s
    match of:
        case Statistic(average=average):
            if average is not None:
                at_us, value = averaged(at_us, value, average, zone, series.period_us / 1e6)
            statistic = StatisticPart(
                moments=moments_of(at_us, value),
                required_s=required_s,
                obtained=obtained,
                expected=expected,
                values=value,
            )
            return Cell(part=statistic, seconds=obtained, required_s=required_s)
        case Share():
            return Cell(part=_share(of, channel, value, lasts_s, required_s), seconds=obtained, required_s=required_s)
        case Integral():
            terms = value if series.amounts else value * lasts_s
            whole = IntegralPart(
                integral=math.fsum(terms.tolist()), covered_s=obtained, required_s=required_s, n=len(value), obtained=obtained,
                expected=expected,
            )  # fmt: skip
            return Cell(part=whole, seconds=obtained, required_s=required_s)
        case _:
            went = IncreasePart(
                proven=math.fsum(value.tolist()), from_zero=0.0, restarts=0, wraps=0, n=len(value), obtained=obtained,
                expected=expected,
            )  # fmt: skip
            return Cell(part=went, seconds=obtained, required_s=required_s)


def _share(of: Share, channel: Channel, value: Floats, lasts_s: Floats, required_s: float) -> SharePart:
    wanted = predicate(of, channel)
    held = np.ones(len(value), dtype=np.bool_)
    if wanted.codes is not None:
        held = np.isin(value, wanted.codes)
    if wanted.low is not None:
        held &= value >= wanted.low if wanted.low_closed else value > wanted.low
    if wanted.high is not None:
        held &= value <= wanted.high if wanted.high_closed else value < wanted.high
    lasted_us = np.rint(lasts_s * 1e6).astype(np.int64)
    return SharePart(
        true_us=int(lasted_us[held].sum()),
        covered_us=int(lasted_us.sum()),
        company_us=0,
        platform_us=0,
        nobody_us=0,
        n=len(value),
        obtained=min(float(lasted_us.sum()) / 1e6, required_s),
        expected=required_s,
    )


def temperatures(table: Table, days: Sequence[date], zone: ZoneInfo) -> dict[date, float]:
    """The mean temperature of each day of a file that has three quarters of its rows."""
    if table.temperature is None:
        return {}
    found = {}
    for day in days:
        window = Window(start=midnight(day, zone), end=midnight(date.fromordinal(day.toordinal() + 1), zone))
        first, last = np.searchsorted(table.at_us, [window.start_us, window.end_us]).tolist()
        some = table.temperature[first:last]
        some = some[~np.isnan(some)]
        if len(some) and len(some) * table.period_us >= 0.75 * (window.end_us - window.start_us):
            found[day] = float(np.mean(some))
    return found


def given_level(baseline: Baseline, unit: str) -> float:
    """A baseline that is one value, in the unit that the change compares."""
    value, written = baseline.quantity
    return converted(value, written, unit)

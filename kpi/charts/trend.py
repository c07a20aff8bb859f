"""The trend of a KPI: one point a period, the cumulative value beside it, the target as a line with its label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import altair as alt

from core.language import translator
from kpi.charts.look import (
    BLACK,
    BLUE,
    GREY,
    TEXT,
    axis_title,
    columns,
    drawn_from,
    finished,
    horizontal,
    rimmed,
)
from kpi.charts.records import Trend

_VALUES_BESIDE_POINTS = 16


def trend(
    record: Trend, *, language: str, width: int | Literal["container"] = 560, height: int = 180
) -> dict[str, Any]:
    """The Vega-Lite specification of a trend.

    A period without a value breaks the line: what lies on its two sides is not joined.
    """
    _ = translator(language)
    period, cumulative = _("당월"), _("누계")
    series = alt.Scale(domain=[period, cumulative], range=[BLUE, BLACK])
    shapes = alt.Scale(domain=[period, cumulative], range=["circle", "diamond"])
    points = drawn_from(_rows(record, period, cumulative)).encode(
        x=_periods(), y=_values(record), color=alt.Color("series:N", scale=series, legend=_legend(period + cumulative))
    )
    layers = [
        _every_period(record),
        *(_lines(points, name, dash) for name, dash in ((cumulative, [4, 3]), (period, [1, 0]))),
        points.mark_point(filled=True, size=46, opacity=1).encode(shape=alt.Shape("series:N", scale=shapes)),
        *_hollow(record, period, cumulative),
        *horizontal(record.targets),
    ]
    if len(record.points) <= _VALUES_BESIDE_POINTS:
        shown = [row for row in _rows(record, period, cumulative) if row["shown"]]
        text = drawn_from(shown).encode(x=_periods(), y=_values(record), text="shown:N")
        layers += rimmed(text, TEXT, dy=-11, fontSize=11)
    return finished(alt.layer(*layers), record.title, width=width, height=height)


def _legend(words: str) -> alt.Legend:
    """Above the right end of the axis, beside the axis's title."""
    place = alt.ExprRef(f"width - {64 + 6 * columns(words)}")
    return alt.Legend(orient="none", direction="horizontal", legendX=place, legendY=-24, title=None, padding=0)


def _periods() -> alt.X:
    return alt.X("label:O", sort=None, title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True, grid=False))


def _values(record: Trend) -> alt.Y:
    low, high = _domain(record)
    scale = alt.Scale(domain=[low, high], nice=False, zero=False)
    return alt.Y("value:Q", title=record.axis, scale=scale, axis=alt.Axis(tickCount=5, **axis_title()))


def _rows(record: Trend, period: str, cumulative: str) -> list[dict[str, Any]]:
    """One row a point that exists. ``segment`` numbers the runs without a hole; only within one is a line drawn."""
    rows: list[dict[str, Any]] = []
    for series in (cumulative, period):
        segment = 0
        for point in record.points:
            own = series == period
            value = point.value if own else point.cumulative
            hollow = own and point.incomplete
            segment += value is None or hollow
            if value is not None:
                row = {"label": point.label, "value": value, "series": series, "segment": segment, "hollow": hollow}
                rows.append({**row, "shown": point.shown if own else ""})
            segment += hollow
    return rows


def _lines(points: alt.Chart, series: str, dash: Sequence[float]) -> alt.Chart:
    own = points.transform_filter(alt.FieldEqualPredicate(field="series", equal=series))
    line: alt.Chart = own.mark_line(strokeWidth=2, strokeDash=list(dash)).encode(detail="segment:N")
    return line


def _hollow(record: Trend, period: str, cumulative: str) -> list[alt.Chart]:
    rows = [row for row in _rows(record, period, cumulative) if row["hollow"]]
    if not rows:
        return []
    rings = drawn_from(rows).mark_point(filled=True, size=46, opacity=1, fill="white", stroke=BLUE, strokeWidth=1.5)
    drawn: alt.Chart = rings.encode(x=_periods(), y=_values(record))
    return [drawn]


def _every_period(record: Trend) -> alt.Chart:
    """Every period has its place on the axis; one without a value shows a dash there."""
    rows: list[dict[str, Any]] = [
        {"label": point.label, "dash": "–" if point.value is None else ""} for point in record.points
    ]
    dashes = drawn_from(rows).mark_text(color=GREY, dy=-6, baseline="bottom", fontSize=13)
    drawn: alt.Chart = dashes.encode(x=_periods(), y=alt.value("height"), text="dash:N")
    return drawn


def _domain(record: Trend) -> tuple[float, float]:
    """The axis: all values and the target with room around them; nothing above 100 where the values are shares."""
    values = [line.value for line in record.targets]
    for point in record.points:
        values += [value for value in (point.value, point.cumulative) if value is not None]
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    room = (high - low) * 0.3 or abs(high) * 0.05 or 1.0
    bottom, top = low - room, high + room
    if low >= 0 > bottom:
        bottom = 0.0
    return bottom, (100.0 + room * 0.4 if record.share and high <= 100 < top else top)

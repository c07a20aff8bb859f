"""Before and after: the judged days beside what they are compared with, on the same days or from each window's beginning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import altair as alt

from core.language import translator
from core.window import EPOCH
from kpi.charts.look import BLUE, VERMILLION, axis_title, columns, drawn_from, finished

_DAY = timedelta(days=1)
_JOINED_DAYS = 8
"""Points further apart than this are not joined by a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeAfter:
    """Two series of days or weeks."""

    title: str
    """A sentence: what the chart shows."""
    axis: str
    """The quantity with its unit."""
    after: tuple[tuple[date, float], ...]
    before: tuple[tuple[date, float], ...]
    """Where ``aligned``: under the judged day that each is compared with."""
    aligned: bool
    levels: tuple[float, float]
    """The mean after and before, as lines."""


def before_after(
    record: BeforeAfter, *, language: str, width: int | Literal["container"] = 560, height: int = 200
) -> dict[str, Any]:
    """The Vega-Lite specification of both series."""
    _ = translator(language)
    names = (_("실증 중"), _("기준값"))
    colours = alt.Scale(domain=list(names), range=[BLUE, VERMILLION])
    x = _x(record, language)
    y = alt.Y(
        "value:Q", title=record.axis, scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(tickCount=5, **axis_title())
    )
    place = alt.ExprRef(f"width - {64 + 6 * columns(''.join(names))}")
    legend = alt.Legend(orient="none", direction="horizontal", legendX=place, legendY=-24, title=None, padding=0)
    layers = []
    for points, name, dash in ((record.before, names[1], [4, 3]), (record.after, names[0], [1, 0])):
        drawn = drawn_from(_rows(record, points, name)).encode(
            x=x, y=y, color=alt.Color("series:N", scale=colours, legend=legend), detail="segment:N"
        )
        layers.append(drawn.mark_line(strokeWidth=1.4, strokeDash=dash, opacity=0.9))
    for level, colour in zip(record.levels, (BLUE, VERMILLION), strict=True):
        layers.append(drawn_from([{"value": level}]).encode(y="value:Q").mark_rule(color=colour, strokeDash=[2, 3]))
    return finished(alt.layer(*layers), record.title, width=width, height=height)


def _rows(record: BeforeAfter, points: tuple[tuple[date, float], ...], name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    segment, last = 0, None
    for day, value in points:
        if last is not None and (day - last).days > _JOINED_DAYS:
            segment += 1
        last = day
        x = _ms(day) if record.aligned else (day - points[0][0]).days
        rows.append({"x": x, "value": value, "series": name, "segment": f"{name}{segment}"})
    return rows


def _ms(day: date) -> int:
    return (datetime(day.year, day.month, day.day, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)


def _x(record: BeforeAfter, language: str) -> alt.X:
    _ = translator(language)
    if not record.aligned:
        axis = alt.Axis(grid=False, labelExpr=_("datum.value + 1 + '일차'"), tickCount=6)
        return alt.X("x:Q", title=None, axis=axis, scale=alt.Scale(nice=False))
    day, month = _("%-m. %-d."), _("%-m월")
    span = (record.after[-1][0] - record.after[0][0]) / _DAY if record.after else 0
    form = day if span <= 70 else month
    count: Any = 8 if span <= 70 else {"interval": "month", "step": 1}
    axis = alt.Axis(labelExpr=f"utcFormat(datum.value, '{form}')", tickCount=count, labelOverlap=True, grid=False)
    return alt.X("x:T", title=None, axis=axis, scale=alt.Scale(type="utc", nice=False))

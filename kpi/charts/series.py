"""A channel over time: each step's range as a band and mean as a line; gaps stay gaps, outages have their own ground."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import altair as alt

from core.language import translator
from core.window import EPOCH
from kpi.charts.look import BLUE, SKY_BLUE, YELLOW, axis_title, drawn_from, finished, horizontal
from kpi.charts.records import Series

_MILLISECOND = timedelta(milliseconds=1)
_GROUNDS = {"outage": "#b1b8be", "exclusion": "#e6e8ea", "finding": YELLOW}


def wall_ms(instant: datetime, zone: ZoneInfo) -> int:
    """The zone's wall time as if it were UTC, in ms: a chart draws UTC, so it shows the pilot's clock everywhere."""
    return (instant.astimezone(zone).replace(tzinfo=UTC) - EPOCH) // _MILLISECOND


def channel_series(
    record: Series, *, language: str, width: int | Literal["container"] = 560, height: int = 180
) -> dict[str, Any]:
    """The Vega-Lite specification of a channel's series.

    A step without readings breaks band and line: what lies on its two sides is not joined.
    """
    rows = _rows(record)
    x = alt.X("t:T", scale=_time_scale(record), title=None, axis=_time_axis(record, language))
    # A step is drawn over its whole length, so that one alone between two gaps is seen.
    drawn = drawn_from(rows).encode(x=x, detail="segment:N")
    scale = alt.Scale(zero=False, nice=True)
    layers = [
        *_bands(record, language),
        drawn.mark_area(interpolate="step-after", color=SKY_BLUE, opacity=0.45).encode(
            y=alt.Y("low:Q", title=record.axis, scale=scale, axis=alt.Axis(**axis_title())), y2="high:Q"
        ),
        drawn.mark_line(interpolate="step-after", color=BLUE, strokeWidth=1.5).encode(
            y=alt.Y("mean:Q", title=record.axis, scale=scale, axis=alt.Axis(**axis_title()))
        ),
        *horizontal(record.lines),
    ]
    return finished(alt.layer(*layers), record.title, width=width, height=height)


def _rows(record: Series) -> list[dict[str, Any]]:
    """Two ends a run of steps with readings; ``segment`` numbers the runs."""
    rows: list[dict[str, Any]] = []
    segment, expected = 0, None
    step = timedelta(seconds=record.step_s)
    for place in record.steps:
        if place.mean is None:
            continue
        if place.start != expected:
            segment += 1
        expected = place.start + step
        values = {
            "segment": segment,
            "mean": place.mean,
            "low": place.mean if place.low is None else place.low,
            "high": place.mean if place.high is None else place.high,
        }
        if rows and rows[-1]["segment"] == segment:
            rows.pop()  # the end of the step before is this one's start
        rows.append({"t": wall_ms(place.start, record.zone), **values})
        rows.append({"t": wall_ms(min(expected, record.window.end), record.zone), **values})
    return rows


def _time_scale(record: Series) -> alt.Scale:
    ends = [wall_ms(end, record.zone) for end in (record.window.start, record.window.end)]
    return alt.Scale(type="utc", domain=ends, nice=False)


def _time_axis(record: Series, language: str) -> alt.Axis:
    """Labels as people write dates: hours below three days, days up to ten weeks, then months."""
    _ = translator(language)
    days = record.window.seconds / 86_400
    day, month, year = _("%-m. %-d."), _("%-m월"), _("%Y년")
    if days <= 3:
        label = f"utchours(datum.value) == 0 ? utcFormat(datum.value, '{day}') : utcFormat(datum.value, '%H:%M')"
    elif days <= 70:
        label = f"utcFormat(datum.value, '{day}')"
    else:
        label = f"utcmonth(datum.value) == 0 ? utcFormat(datum.value, '{year}') : utcFormat(datum.value, '{month}')"
    count: Any = 8 if days <= 70 else {"interval": "month", "step": 1}
    return alt.Axis(labelExpr=label, tickCount=count, labelOverlap=True, labelFlush=True)


def _bands(record: Series, language: str) -> list[alt.Chart]:
    _ = translator(language)
    words = {"outage": _("수신 중단"), "exclusion": _("평가 제외"), "finding": _("품질 점검")}
    kinds = [kind for kind in words if any(band.kind == kind for band in record.bands)]
    if not kinds:
        return []
    rows: list[dict[str, Any]] = []
    for band in record.bands:
        seen = band.window.intersection(record.window)
        ends = {"from": wall_ms(seen.start, record.zone), "to": wall_ms(seen.end, record.zone)}
        rows.append({**ends, "kind": words[band.kind], "label": band.label})
    colours = alt.Scale(domain=[words[kind] for kind in kinds], range=[_GROUNDS[kind] for kind in kinds])
    ground = drawn_from(rows).mark_rect(opacity=0.55)
    return [
        ground.encode(
            x=alt.X("from:T", scale=_time_scale(record), title=None, axis=_time_axis(record, language)),
            x2="to:T",
            fill=alt.Fill("kind:N", scale=colours, legend=alt.Legend(symbolType="square")),
            tooltip=alt.Tooltip("label:N"),
        )
    ]

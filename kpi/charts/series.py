"""A channel over time: each step's range as a band and mean as a line; gaps stay gaps, outages have their own ground."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import altair as alt

from core.language import translator
from core.window import EPOCH
from kpi.charts.look import BLUE, SKY_BLUE, TEXT, axis_title, drawn_from, finished, horizontal, rimmed
from kpi.charts.records import Series

_MILLISECOND = timedelta(milliseconds=1)
_GROUNDS = {"outage": "#b1b8be", "agreed": "#b1b8be", "exclusion": "#ffd78a", "finding": "#d9b400"}
_FINDING_EDGE = "#8a7a00"
_LEAST_BAND = 0.005
_LINES = 3
_LABELLED = 6
"""So many bands have their label written beside them; more are told by the legend alone."""


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
        *_bands(record, language, height),
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


def _bands(record: Series, language: str, height: int) -> list[alt.Chart]:
    _ = translator(language)
    words = {
        "outage": _("수신 중단"),
        "agreed": _("합의한 장애"),
        "exclusion": _("평가 제외"),
        "finding": _("품질 점검"),
    }
    kinds = [kind for kind in words if any(band.kind == kind for band in record.bands)]
    if not kinds:
        return []
    rows: list[dict[str, Any]] = []
    for band in record.bands:
        seen = band.window.intersection(record.window)
        if not seen.seconds:
            continue
        start, end = wall_ms(seen.start, record.zone), wall_ms(seen.end, record.zone)
        # Hours among months stay wide enough to be seen.
        ends = {"from": start, "to": max(end, start + round(record.window.seconds * 1000 * _LEAST_BAND))}
        rows.append({**ends, "kind": words[band.kind], "label": band.label})
    colours = alt.Scale(domain=[words[kind] for kind in kinds], range=[_GROUNDS[kind] for kind in kinds])
    # Without a domain of its own: the steps' is the window.
    x = alt.X("from:T", scale=alt.Scale(type="utc"), title=None, axis=_time_axis(record, language))
    ground = drawn_from(rows).mark_rect(strokeDash=[3, 2])
    layers = [
        ground.encode(
            x=x,
            x2="to:T",
            fill=alt.Fill("kind:N", scale=colours, legend=alt.Legend(symbolType="square")),
            tooltip=alt.Tooltip("label:N"),
            # Thin, so that the curve is seen through it on any ground; with an edge, so that it is told from the others in grey.
            fillOpacity=alt.condition(alt.datum.kind == words["finding"], alt.value(0.22), alt.value(0.7)),
            stroke=alt.condition(
                alt.datum.kind == words["finding"], alt.value(_FINDING_EDGE), alt.value("transparent")
            ),
        )
    ]
    if len(rows) <= _LABELLED:
        noticed = [row for row in rows if row["kind"] == words["finding"]]
        agreed = [row for row in rows if row["kind"] != words["finding"]]
        for line in range(_LINES):  # neighbours one below the other; findings at the foot, where no target has its name
            for some, place in (
                (agreed, {"baseline": "top", "y": 2 + 14 * line}),
                (noticed, {"baseline": "bottom", "y": height - 2 - 14 * line}),
            ):
                if some[line::_LINES]:
                    named = drawn_from(some[line::_LINES]).encode(x=x, text="label:N")
                    layers += rimmed(named, TEXT, align="left", dx=3, fontSize=11, **place)
    return layers

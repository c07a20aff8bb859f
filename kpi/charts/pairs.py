"""A channel beside its reference: the cloud of pairs with the line on which both say the same, and the difference over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import altair as alt
import numpy as np
from numpy.typing import NDArray

from core.language import N_, translator
from core.window import Window
from kpi.charts.look import BLUE, SECONDARY, VERMILLION, axis_title, drawn_from, finished, rimmed
from kpi.charts.records import Line, Series, Step
from kpi.charts.series import channel_series

Floats = NDArray[np.float64]

_SINGLE = 1_500
"""So many pairs are drawn one by one; more as fields of a grid, darker where there are more of them."""
_FIELDS = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Pairs of a channel and its reference, all slots together, in the order of time."""

    title: str
    """A sentence: what the chart shows."""
    axis: str
    """The channel with its unit."""
    reference_axis: str
    channel: Floats
    reference: Floats
    slope: float | None = None
    intercept: float | None = None
    """Of the straight line through them, in the unit of both."""


def pair_cloud(
    record: Compared, *, language: str, width: int | Literal["container"] = 560, height: int = 260
) -> dict[str, Any]:
    """The Vega-Lite specification of the cloud: the reference to the right, the channel upwards, on equal scales."""
    _ = translator(language)
    low, high = _ends(record)
    x = alt.X("r:Q", title=record.reference_axis, scale=alt.Scale(domain=[low, high], nice=False, zero=False))
    y = alt.Y(
        "x:Q",
        title=record.axis,
        scale=alt.Scale(domain=[low, high], nice=False, zero=False),
        axis=alt.Axis(**axis_title()),
    )
    same = drawn_from([{"r": low, "x": low}, {"r": high, "x": high}]).encode(x=x, y=y)
    layers: list[Any] = [
        *_cloud(record, x, y, low, high),
        same.mark_line(color=VERMILLION, strokeWidth=1.5, strokeDash=[8, 3]),
    ]
    where = low + 0.8 * (high - low)
    named = drawn_from([{"r": where, "x": where, "label": _(N_("같은 값"))}]).encode(x=x, y=y, text="label:N")
    layers += rimmed(named, VERMILLION, align="left", baseline="top", dx=4, dy=4, fontSize=11, fontWeight=600)
    if record.slope is not None and record.intercept is not None:
        layers.append(_fitted(record, x, y, low, high))
    return finished(alt.layer(*layers), record.title, width=width, height=height)


def _ends(record: Compared) -> tuple[float, float]:
    both = np.concatenate([record.channel, record.reference])
    low, high = float(both.min()), float(both.max())
    room = (high - low) * 0.03 or abs(high) * 0.05 or 1.0
    return (0.0 if low >= 0 and low < 0.25 * high else low - room), high + room


def _cloud(record: Compared, x: alt.X, y: alt.Y, low: float, high: float) -> list[alt.Chart]:
    if len(record.channel) <= _SINGLE:
        rows = [{"r": r, "x": v} for r, v in zip(record.reference.tolist(), record.channel.tolist(), strict=True)]
        return [drawn_from(rows).encode(x=x, y=y).mark_point(filled=True, size=14, opacity=0.45, color=BLUE)]
    edges = np.linspace(low, high, _FIELDS + 1)
    counts = np.histogram2d(record.reference, record.channel, bins=[edges, edges])[0]
    most = math.log1p(float(counts.max()))
    fields = [
        {
            "r": float(edges[i]), "r2": float(edges[i + 1]), "x": float(edges[j]), "x2": float(edges[j + 1]),
            "n": int(counts[i, j]), "shade": 0.12 + 0.88 * math.log1p(float(counts[i, j])) / most,
        }
        for i, j in zip(*np.nonzero(counts), strict=True)
    ]  # fmt: skip
    shade = alt.Opacity("shade:Q", scale=alt.Scale(domain=[0, 1], range=[0, 1]), legend=None)
    return [drawn_from(fields).mark_rect(color=BLUE).encode(x=x, x2="r2:Q", y=y, y2="x2:Q", opacity=shade)]


def _fitted(record: Compared, x: alt.X, y: alt.Y, low: float, high: float) -> Any:
    """The straight line through the pairs, as far as it lies within the axes."""
    assert record.slope is not None and record.intercept is not None
    ends = [low, high]
    if record.slope:
        ends = sorted(min(max((end - record.intercept) / record.slope, low), high) for end in (low, high))
    rows = [{"r": end, "x": record.intercept + record.slope * end} for end in ends]
    return drawn_from(rows).encode(x=x, y=y).mark_line(color=SECONDARY, strokeWidth=1.2, strokeDash=[2, 3])


@dataclass(frozen=True, slots=True, kw_only=True)
class Off:
    """How far a channel lay from its reference, step by step."""

    title: str
    axis: str
    window: Window
    zone: ZoneInfo
    step_s: float
    starts: Sequence[datetime]
    steps: Sequence[Floats]
    """Channel less reference, of the pairs in each step."""


def bias_over_time(
    record: Off, *, language: str, width: int | Literal["container"] = 560, height: int = 160
) -> dict[str, Any]:
    """The mean difference of each step as a line, the middle nine tenths of its pairs as a band; nothing where there are none."""
    _ = translator(language)
    steps = tuple(
        Step(start=start, mean=None)
        if not len(off)
        else Step(
            start=start, mean=float(off.mean()), low=float(np.percentile(off, 5)), high=float(np.percentile(off, 95))
        )
        for start, off in zip(record.starts, record.steps, strict=True)
    )
    series = Series(
        title=record.title,
        axis=record.axis,
        window=record.window,
        zone=record.zone,
        step_s=record.step_s,
        steps=steps,
        lines=(Line(value=0.0, label=_(N_("같은 값"))),),
    )
    return channel_series(series, language=language, width=width, height=height)

"""What a chart is drawn from: plain records, words already in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from core.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A horizontal line with its label: a target, a limit."""

    value: float
    label: str
    below: bool = False
    """The label stands below the line: for a lower limit, on the side where values should not be."""
    former: bool = False
    """It held before an amendment: drawn faintly, its label at the left end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """One month (or week) of a KPI. ``None`` means: there is no value, which is never zero."""

    label: str
    value: float | None
    shown: str = ""
    """The value as printed, beside its point."""
    cumulative: float | None = None
    incomplete: bool = False
    """Too few data stand behind the value: its point is hollow, and no line leads to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A KPI from period to period, against its target."""

    title: str
    """A sentence: what the chart shows."""
    axis: str
    """The quantity with its unit, as in ``가동률 (%)``."""
    points: tuple[TrendPoint, ...]
    targets: tuple[Line, ...]
    """One line, or two for a range."""
    share: bool = False
    """Values are percentages of a whole: the axis ends at 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a channel. ``mean is None`` means: no reading in it; nothing is drawn there."""

    start: datetime
    mean: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A stretch of time with its own ground: an outage, an exclusion, a finding."""

    window: Window
    kind: Literal["outage", "agreed", "exclusion", "finding"]
    label: str
    """Written at its head where there are few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A channel over time: the range of each step as a band, its mean as a line."""

    title: str
    axis: str
    window: Window
    zone: ZoneInfo
    step_s: float
    steps: tuple[Step, ...]
    lines: tuple[Line, ...] = ()
    bands: tuple[Band, ...] = ()

"""The windows of one evaluation: which stretch is judged, and how it is cut for completeness and for intervals."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from core.window import Window
from kpi.calendar import quarters, weeks


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """The judged window and its cuts."""

    whole: Window
    """From the pilot's start to the month's end or the evaluation date."""
    month: Window | None
    """The month that is looked at, at the end of ``whole``."""
    quarters: tuple[Window, ...]
    weeks: tuple[Window, ...]

    @property
    def all(self) -> list[Window]:
        """Every window, in the order whole, month, quarters, weeks."""
        month = [] if self.month is None else [self.month]
        return [self.whole, *month, *self.quarters, *self.weeks]


def spans(whole: Window, month: Window | None, zone: ZoneInfo) -> Spans:
    """Cut a window into calendar quarters and weeks of a zone."""
    return Spans(whole=whole, month=month, quarters=tuple(quarters(whole, zone)), weeks=tuple(weeks(whole, zone)))


def middle_s(window: Window) -> float:
    """The middle of a window in seconds since the Unix epoch."""
    return (window.start_us + window.end_us) / 2e6

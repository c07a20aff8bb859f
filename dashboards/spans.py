"""The stretches of time that a person can choose for charts, and how finely each is drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from core.language import N_
from core.window import Window, instant, micros
from dashboards.access import VisiblePilot

_HOUR_S = 3600
_MOST_STEPS = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One choice. ``length`` None: the whole pilot so far."""

    code: str
    name: str
    sentence: str
    """What a chart of it shows, after the channel's name."""
    length: timedelta | None
    step_s: float | None
    """None: whole hours, so many that the steps stay few."""
    good_s: float = 20.0
    """How long what was made for it is shown before it is made anew: minutes of a year change nothing to be seen."""


SPANS: Final[Mapping[str, Span]] = MappingProxyType(
    {
        span.code: span
        for span in (
            Span(code="24h", name=N_("24시간"), sentence=N_("최근 24시간의 %(channel)s, 5분 평균과 범위"),
                 length=timedelta(hours=24), step_s=300),
            Span(code="7d", name=N_("7일"), sentence=N_("최근 7일의 %(channel)s, 1시간 평균과 범위"),
                 length=timedelta(days=7), step_s=_HOUR_S),
            Span(code="31d", name=N_("한 달"), sentence=N_("최근 한 달의 %(channel)s, 3시간 평균과 범위"),
                 length=timedelta(days=31), step_s=3 * _HOUR_S, good_s=120.0),
            Span(code="all", name=N_("전체"), sentence=N_("실증 기간 전체의 %(channel)s, 평균과 범위"),
                 length=None, step_s=None, good_s=600.0),
        )
    }
)  # fmt: skip
FIRST: Final = "24h"


def span_of(code: str | None) -> Span:
    """The span of a code, the first for anything else."""
    return SPANS.get(code or FIRST, SPANS[FIRST])


def first_with(newest: datetime | None, pilot: VisiblePilot, now: datetime | None = None) -> Span:
    """The shortest span that holds the newest value: whoever opens a page wants to see something."""
    holding = (span for span in SPANS.values() if newest is not None and newest in window_and_step(span, pilot, now)[0])
    return next(holding, SPANS[FIRST])


def window_and_step(span: Span, pilot: VisiblePilot, now: datetime | None = None) -> tuple[Window, float]:
    """The window of a span, its ends on whole steps of UTC so that hours of it are whole, and the length of a step.

    A pilot that is over is seen at its end; before its start there is nothing but an empty hour.
    """
    end = max(min(now or datetime.now(UTC), pilot.end_at), pilot.start_at + timedelta(hours=1))
    start = pilot.start_at if span.length is None else max(end - span.length, pilot.start_at)
    step = span.step_s
    if step is None:
        step = max(1, math.ceil((end - start).total_seconds() / _HOUR_S / _MOST_STEPS)) * _HOUR_S
    grid = min(round(step), _HOUR_S) * 1_000_000
    first = micros(start) // grid * grid
    last = -(-micros(end) // grid) * grid
    return Window(start=instant(first), end=instant(last)), step

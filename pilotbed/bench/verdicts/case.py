"""What a case of the bench is, and what its pilots are made of."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from scipy import signal, stats

from core.window import date_window
from devices.plan.model import Kpi
from kpi.asked import Asked
from kpi.intervals import Block
from kpi.measurement import Measurement
from kpi.spans import spans

ALPHA: Final = 0.05
LIMIT: Final = {"independent": 0.05, "clustered": 0.07, "weeks": 0.07, "staged": 0.07}
"""The most that may pass falsely; to the first two standard errors are added, since it is met exactly."""
HOURS_OF_A_WEEK: Final = 168

_START: Final = date(2026, 3, 1)
_SEOUL: Final = ZoneInfo("Asia/Seoul")

Pilot = Callable[[np.random.Generator], tuple[Measurement, bool]]
"""One simulated pilot: what is measured, and whether it passes where everything is counted as independent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind of pilot whose product is exactly at its target."""

    kind: str
    """A key of :data:`LIMIT`."""
    name: str
    asked: Asked
    pilot: Pilot


def asked_of_row(row: dict[str, Any], weeks: int = 48, unit: str = "%") -> Asked:
    """What a simulated pilot promises: a KPI's measure and target, over so many weeks."""
    kpi = Kpi.model_validate({"name": "simulated", "scope": "capability", **row})
    whole = date_window(_START, _START + timedelta(days=7 * weeks), _SEOUL)
    return Asked(
        id="simulated",
        kpi=kpi,
        channel_unit=unit,
        alpha=ALPHA,
        zone=_SEOUL,
        spans=spans(whole, None, _SEOUL),
    )


def hourly(rng: np.random.Generator, weeks: int, phi: float) -> NDArray[np.float64]:
    """Standard normal, each hour correlated with the one before."""
    noise = rng.standard_normal(weeks * HOURS_OF_A_WEEK) * math.sqrt(1 - phi**2)
    noise[0] /= math.sqrt(1 - phi**2)
    found: NDArray[np.float64] = signal.lfilter([1.0], [1.0, -phi], noise)
    return found


def weekly_blocks(weekly: NDArray[np.float64]) -> tuple[Block, ...]:
    """Weekly values, each of a whole week, as the blocks that intervals rest on."""
    return tuple(
        Block(at_s=(i + 0.5) * 604_800.0, weight=float(HOURS_OF_A_WEEK), value=value)
        for i, value in enumerate(weekly.tolist())
    )


def by_t(values: NDArray[np.float64], target: float) -> bool:
    """Whether a t interval over the single values shows that their mean reaches a target."""
    n = len(values)
    return bool(values.mean() - stats.t.isf(ALPHA, n - 1) * values.std(ddof=1) / math.sqrt(n) >= target)

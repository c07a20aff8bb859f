"""Averages of readings over equal spans by the clock of a zone: the 15-minute means that a peak load is told by. Pure."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from core.units import seconds
from kpi.measures.statistic import NO_MOMENTS, Moments

COVERAGE = 0.75
"""What an average needs of its expected readings."""


def averaged(
    at_us: NDArray[np.int64], value: NDArray[np.float64], average: str, zone: ZoneInfo, period_s: float | None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The mean of each span that has three quarters of its readings, with the instant at which it begins.

    :param average: how long a span is: ``15 min``. Spans begin at the hour, as the zone's clock has it on 1 January 1970.
    :param period_s: how often there is a reading; None: any one will do.

    >>> minute = 60_000_000
    >>> at, mean = averaged(np.arange(0, 45, 5) * minute, np.arange(9.0), "15 min", ZoneInfo("UTC"), 300)
    >>> (at // minute).tolist(), mean.tolist()
    ([0, 15, 30], [1.0, 4.0, 7.0])
    """
    span_us = round(seconds(average) * 1e6)
    offset = datetime(1970, 1, 1, tzinfo=UTC).astimezone(zone).utcoffset()
    shift_us = 0 if offset is None else round(offset.total_seconds() * 1e6)
    begins = (at_us + shift_us) // span_us
    starts = np.flatnonzero(np.diff(begins, prepend=-(2**62)) != 0)
    if not len(starts):
        return at_us[:0], value[:0]
    counts = np.diff(starts, append=len(value))
    listed = value.tolist()
    means = np.array([math.fsum(listed[a : a + n]) / n for a, n in zip(starts.tolist(), counts.tolist(), strict=True)])
    least = 1.0 if period_s is None else COVERAGE * span_us / (period_s * 1e6)
    kept = counts >= min(least, math.floor(span_us / (period_s * 1e6)) if period_s else 1.0)
    return begins[starts][kept] * span_us - shift_us, means[kept]


def moments_of(at_us: NDArray[np.int64], value: NDArray[np.float64]) -> Moments:
    """The statistics of values in the order of time, each sum rounded once."""
    n = len(value)
    if not n:
        return NO_MOMENTS
    mean = math.fsum(value.tolist()) / n
    return Moments(
        n=n,
        mean=mean,
        m2=math.fsum(((value - mean) ** 2).tolist()),
        min=float(value.min()),
        max=float(value.max()),
        last_us=int(at_us[-1]),
        last=float(value[-1]),
    )

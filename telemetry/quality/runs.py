"""Stretches of flagged readings: within an hour, and joined across hours.

A flagged reading spoils the time for which it stands: until the next one, at most its hold. Stretches that touch are one. Those
of one hour are kept (table ``quality_run``), findings are joined from them: so an hour can be judged anew by itself, and what
comes out does not depend on which hours were judged together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from core.window import HOUR_US
from telemetry.quality.flags import FAIL, SUSPECT, Booleans, Flags, Floats, Micros

MOST_AN_HOUR: Final = 60
"""More stretches of one kind in an hour than this are taken as one: nobody reads a thousand findings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged:
    """What one test says of readings: columns of one entry a reading."""

    flags: Flags
    amount: Floats
    """What is told of a reading that is flagged: its value, or by how much."""
    excess: Floats
    """Which of several stands out most: the largest."""
    since_us: Micros | None = None
    """From when on time is spoilt; its own instant if left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One stretch."""

    hour_us: int
    start_us: int
    end_us: int
    suspect: int
    fail: int
    low: float
    high: float
    amount: float
    excess: float
    dense: bool = False

    @property
    def flag(self) -> int:
        return FAIL if self.fail else SUSPECT

    @property
    def n(self) -> int:
        return self.suspect + self.fail


def until(observed_us: Micros, hold_us: int | None, next_us: int | None) -> Micros:
    """Up to where each reading stands: the next one, at most its hold. The last one without a hold: for its instant.

    >>> until(np.array([0, 10, 50]), 30, 55).tolist(), until(np.array([0]), None, None).tolist()
    ([10, 40, 55], [1])
    """
    if not len(observed_us):
        return observed_us
    last = int(observed_us[-1])
    after = last + (1 if hold_us is None else hold_us) if next_us is None else next_us
    ends = np.append(observed_us[1:], after)
    if hold_us is not None:
        ends = np.minimum(ends, observed_us + hold_us)
    stands: Micros = np.maximum(ends, observed_us + 1)
    return stands


def runs(observed_us: Micros, until_us: Micros, value: Floats, flagged: Flagged) -> list[Run]:
    """The stretches of flagged readings, each within one hour, in the order of time."""
    bad = np.flatnonzero((flagged.flags == SUSPECT) | (flagged.flags == FAIL))
    if not len(bad):
        return []
    start = (observed_us if flagged.since_us is None else flagged.since_us)[bad]
    end = until_us[bad]
    hour = observed_us[bad] // HOUR_US
    reached = np.maximum.accumulate(end)
    new_hour = hour[1:] != hour[:-1]
    first = np.flatnonzero(np.concatenate([[True], new_hour | (start[1:] > reached[:-1])]))
    # Of an hour with too many, all are one.
    of_hour, counts = np.unique(hour[first], return_counts=True)
    dense = np.isin(hour, of_hour[counts > MOST_AN_HOUR])
    first = first[~dense[first] | np.concatenate([[True], new_hour])[first]]
    return _reduced(bad, first, start, end, value, flagged, hour, dense)


def _reduced(
    bad: Micros,
    first: Micros,
    start: Micros,
    end: Micros,
    value: Floats,
    flagged: Flagged,
    hour: Micros,
    dense: Booleans,
) -> list[Run]:
    fails = (flagged.flags[bad] == FAIL).astype(np.int64)
    n = np.diff(first, append=len(bad))
    excess = flagged.excess[bad]
    most = np.maximum.reduceat(excess, first)
    group = np.repeat(np.arange(len(first)), n)
    peaks = np.flatnonzero(excess == most[group])
    peak = peaks[np.unique(group[peaks], return_index=True)[1]]
    fail = np.add.reduceat(fails, first)
    columns = (
        hour[first] * HOUR_US, np.minimum.reduceat(start, first), np.maximum.reduceat(end, first), n - fail, fail,
        np.minimum.reduceat(value[bad], first), np.maximum.reduceat(value[bad], first), flagged.amount[bad][peak], most,
        dense[first],
    )  # fmt: skip
    return [
        Run(hour_us=a, start_us=b, end_us=c, suspect=d, fail=e, low=f, high=g, amount=h, excess=i, dense=j)
        for a, b, c, d, e, f, g, h, i, j in zip(*(column.tolist() for column in columns), strict=True)
    ]


def joined(found: Iterable[Run]) -> list[Run]:
    """Stretches that touch as one, in the order of time; each with the hour that it began in."""
    result: list[Run] = []
    for run in sorted(found, key=lambda one: (one.start_us, one.end_us, one.hour_us)):
        if result and run.start_us <= result[-1].end_us:
            result[-1] = _merged(result[-1], run)
        else:
            result.append(run)
    return result


def _merged(one: Run, other: Run) -> Run:
    peak = other if (-other.excess, other.hour_us) < (-one.excess, one.hour_us) else one
    return replace(
        one,
        end_us=max(one.end_us, other.end_us),
        suspect=one.suspect + other.suspect,
        fail=one.fail + other.fail,
        low=min(one.low, other.low),
        high=max(one.high, other.high),
        amount=peak.amount,
        excess=peak.excess,
        hour_us=min(one.hour_us, other.hour_us),
        dense=one.dense or other.dense,
    )


def hull(found: Sequence[Run]) -> tuple[int, int] | None:
    """From the start of the first to the end of the last; None of none."""
    return None if not found else (min(run.start_us for run in found), max(run.end_us for run in found))

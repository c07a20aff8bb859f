"""``gap``: stretches in which a periodic channel said nothing for longer than a reading stands.

Two neighbouring readings further apart than the threshold have a gap between them: from the instant at which the next one was due
(one period after the earlier) to the later one. Missing in it are round(Δt / period) − 1 readings. The start and the end of
what is expected are edges without a reading: a gap begins or ends there. Single readings that are lost stand in the
completeness, not here.

Unit: seconds. Source: QARTOD test 1 (timing/gap) and its flag for missing data, 9.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from telemetry.quality.flags import GOOD, MISSING, UNKNOWN, Flags, Micros, flags


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """One gap: half-open, with the readings missing in it."""

    start_us: int
    end_us: int
    missing: int


def gap(observed_us: Micros, threshold_us: int) -> Flags:
    """One flag a reading: 9 where a gap lies before it; 2 for the first.

    >>> gap(np.array([0, 10, 50, 60]), 30)
    array([2, 1, 9, 1], dtype=uint8)
    """
    found = flags(len(observed_us), GOOD)
    found[:1] = UNKNOWN
    found[1:][np.diff(observed_us) > threshold_us] = MISSING
    return found


def silences(
    observed_us: Micros,
    *,
    period_us: int,
    threshold_us: int,
    since_us: int | None = None,
    until_us: int | None = None,
) -> list[Silence]:
    """The gaps between readings, in the order of time.

    :param since_us: from where on readings are expected, where no reading is known before the first one.
    :param until_us: up to where, where none is known after the last one.

    >>> silences(np.array([0, 10, 60]), period_us=10, threshold_us=30)
    [Silence(start_us=20, end_us=60, missing=4)]
    >>> silences(np.array([50]), period_us=10, threshold_us=30, since_us=0, until_us=100)
    [Silence(start_us=0, end_us=50, missing=5), Silence(start_us=60, end_us=100, missing=4)]
    >>> silences(np.array([], dtype=np.int64), period_us=10, threshold_us=30, since_us=0, until_us=100)
    [Silence(start_us=0, end_us=100, missing=10)]
    """
    if not len(observed_us):
        if since_us is None or until_us is None or until_us - since_us <= threshold_us:
            return []
        return [Silence(start_us=since_us, end_us=until_us, missing=round((until_us - since_us) / period_us))]
    first, last = int(observed_us[0]), int(observed_us[-1])
    found = []
    if since_us is not None and first - since_us > threshold_us:
        found.append(Silence(start_us=since_us, end_us=first, missing=round((first - since_us) / period_us)))
    after = np.flatnonzero(np.diff(observed_us) > threshold_us)
    for start, end in zip(observed_us[after].tolist(), observed_us[after + 1].tolist(), strict=True):
        found.append(Silence(start_us=start + period_us, end_us=end, missing=round((end - start) / period_us) - 1))
    if until_us is not None and until_us - last > threshold_us:
        missing = max(round((until_us - last) / period_us) - 1, 1)
        found.append(Silence(start_us=last + period_us, end_us=until_us, missing=missing))
    return found

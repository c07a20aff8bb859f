"""What people entered: a mean, a sum, a rate, or the last value.

An entry counts whole or not at all: one that lies partly outside of a window is left out of it, never taken by a part, and how
many were is told. Formulas, over the entries within the window:

- ``rate`` of counts: Σ count / Σ exposure; unit: the quantity's by its exposure's. ``sum`` of counts: Σ count. Interval: exact
  Poisson bounds; unless the events are independent, scaled by the dispersion of the entries (``kpi/intervals/dispersion.py``).
- ``mean`` of samples: Σ nᵢ·x̄ᵢ / Σ nᵢ, the answers of all samples as one; s² = (Σ (nᵢ − 1)·sᵢ² + Σ nᵢ·(x̄ᵢ − x̄)²) / (N − 1).
  Interval: Student's t with N − 1 degrees of freedom; where all answers were alike, what the rule of three leaves open between
  them and the end of the range (``kpi/intervals/sampled.py``). Under ``n_min`` answers nothing is decided.
- ``mean``, ``sum``, ``last`` of values: of the values as they stand. No interval: values in a row hang together, and nothing
  says how much.

Completeness of sums and rates: days covered by entries / days of the window. What is asked only now and then (a sample, the mean
of values, the last one) has no days to cover: ``n_min`` is what there must be.

Source: docs/kpi.md, "Manual observations"; Garwood (1936); Student (1908).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kpi.measurement import Answers, Counts, Measurement, completeness

Stat = Literal["mean", "sum", "rate", "last"]
Kind = Literal["count", "sample", "value"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """One entry."""

    number: int
    start_us: int
    end_us: int
    """As ``start_us``: of an instant."""
    value: float
    """A count, the mean of a sample, or a value."""
    exposure: float | None = None
    n: int = 1
    """Answers of a sample."""
    sd: float | None = None
    """Of its answers; None where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualPart:
    """One slot, or the pilot as a whole, in one window."""

    entries: tuple[Entered, ...]
    """Those that lie within the window, in the order of time."""
    left_out: int
    """How many lie partly within it."""
    kind: Kind
    span: tuple[float, float]
    """The least and the most that the quantity can be."""
    obtained: float
    expected: float
    """Days covered, and days of the window; where days do not count, 1 and 1 if there is any entry."""


def measure(
    parts: Sequence[ManualPart],
    weeks: Sequence[tuple[float, Sequence[ManualPart]]] = (),
    *,
    stat: Stat,
    unit: str,
    n_min: int | None = None,
    independent: bool = False,
) -> Measurement:
    """The statistic over all slots together.

    :param parts: one a slot, or one alone where the entries are of the pilot as a whole.
    :param weeks: not used: an entry's window is its own.
    :param n_min: the least number of answers, else of entries, for a verdict.

    Three months had 12, 9 and 15 complaints of 800 residents:

    >>> months = [(12, 31), (9, 30), (15, 31)]
    >>> rows = tuple(Entered(number=i, start_us=i, end_us=i + 1, value=n, exposure=800 * d) for i, (n, d) in enumerate(months))
    >>> year = ManualPart(entries=rows, left_out=0, kind="count", span=(0, math.inf), obtained=92, expected=92)
    >>> found = measure([year], stat="rate", unit="건/resident-day")
    >>> round(1000 * found.value, 4), found.n, found.completeness
    (0.4891, 36, 1.0)

    Two surveys of the same scale, taken as one:

    >>> surveys = (Entered(number=1, start_us=0, end_us=1, value=4.2, n=60, sd=0.8),
    ...            Entered(number=2, start_us=1, end_us=2, value=4.4, n=60, sd=0.6))
    >>> both = ManualPart(entries=surveys, left_out=0, kind="sample", span=(1, 5), obtained=1, expected=1)
    >>> found = measure([both], stat="mean", unit="점", n_min=100)
    >>> round(found.value, 12), found.n, round(found.answers.sd, 4), found.least_n
    (4.3, 120, 0.7113, 100)
    """
    del weeks
    entries = [one for part in parts for one in part.entries]
    facts = {"manual_entries": len(entries), "manual_left_out": sum(part.left_out for part in parts)}
    there = completeness([part.obtained for part in parts], [part.expected for part in parts])
    kind, span = (parts[0].kind, parts[0].span) if parts else ("value", (-math.inf, math.inf))
    if kind == "count":
        return _of_counts(entries, stat, unit, there, facts, n_min, independent)
    if kind == "sample":
        return _of_answers(entries, unit, there, facts, n_min, span)
    value = _of_values(entries, stat)
    n = len(entries)
    return Measurement(
        value=value, unit=unit, n=n, completeness=there, low=value, high=value, least_n=n_min, facts=facts
    )  # fmt: skip


def _of_counts(
    entries: Sequence[Entered],
    stat: Stat,
    unit: str,
    there: float | None,
    facts: dict[str, int],
    n_min: int | None,
    independent: bool,
) -> Measurement:
    events = round(math.fsum(one.value for one in entries))
    rate = stat == "rate"
    exposure = math.fsum(one.exposure or 0.0 for one in entries) if rate else 1.0
    value = events / exposure if entries and exposure > 0 else None
    # Each entry as a day has it elsewhere: how many, of how much. Without exposure its length says how much that was.
    rows = tuple(
        (round(one.value), _exposed(one) if rate else float(max(one.end_us - one.start_us, 1))) for one in entries
    )
    return Measurement(
        value=value,
        unit=unit,
        n=events,
        completeness=there,
        low=value,
        high=value,
        # Days that nobody entered may have had any number more.
        fill_low=value if not rate else None,
        fill_high=math.inf if not rate and value is not None else None,
        counts=Counts(count=events, most=events, exposure=exposure, days=rows, independent=independent)
        if entries
        else None,
        least_n=n_min,
        facts=facts,
    )


def _exposed(one: Entered) -> float:
    return one.exposure or 0.0


def _of_answers(
    entries: Sequence[Entered],
    unit: str,
    there: float | None,
    facts: dict[str, int],
    n_min: int | None,
    span: tuple[float, float],
) -> Measurement:
    n = sum(one.n for one in entries)
    mean = math.fsum(one.n * one.value for one in entries) / n if n else None
    sd = None
    if mean is not None and n > 1:
        within = math.fsum((one.n - 1) * (one.sd or 0.0) ** 2 for one in entries)
        between = math.fsum(one.n * (one.value - mean) ** 2 for one in entries)
        sd = math.sqrt((within + between) / (n - 1))
    return Measurement(
        value=mean,
        unit=unit,
        n=n,
        completeness=there,
        low=mean,
        high=mean,
        answers=None if mean is None else Answers(n=n, mean=mean, sd=sd, low=span[0], high=span[1]),
        least_n=n_min,
        facts=facts,
    )


def _of_values(entries: Sequence[Entered], stat: Stat) -> float | None:
    if not entries:
        return None
    if stat == "last":
        return max(entries, key=lambda one: (one.end_us, one.start_us, one.number)).value
    total = math.fsum(one.value for one in entries)
    return total if stat == "sum" else total / len(entries)

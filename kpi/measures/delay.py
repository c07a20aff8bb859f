"""How long readings take from the device to their receipt (전달 지연): a percentile, or the longest. A lost one is infinitely
late.

Of every reading whose time is the device's own: received − observed, in whole milliseconds rounded up. Lost are the missing
readings of periodic channels that are charged to the company; they never arrive, and count with the others. Left out, each
with its number: what came over an outage of the platform or of the site (its delay may be ours), what has no time of its
own, what the broker had kept, what was set aside first. A clock that is ahead makes delays shorter: down to −1 s one counts
as 0; what is earlier tells nothing and is left out too. What is left out that is not ours lowers the completeness.

Percentile: the least delay that p % of the readings do not exceed (type 1 of Hyndman and Fan), so that "p95 ≤ T" is "95 %
are ≤ T". Slots weigh by their required time. Unit: s. Interval: of that share, by weeks; none under a year. Source:
docs/kpi.md, the table of measures and "Delays".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from devices.plan.target import Bounds
from kpi.intervals import Block
from kpi.measurement import AsShare, Measurement, completeness

Wholes = NDArray[np.int64]
Floats = NDArray[np.float64]

AHEAD_MS = 1000
"""So far ahead a clock may be by the jitter of its synchronisation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayPart:
    """One slot in one stretch of required time."""

    delay_ms: Wholes
    """Ascending, each value once, none below 0 …"""
    n: Wholes
    """… and how many readings had it."""
    lost: int
    """Missing, the company's."""
    doubtful: int
    """Missing while nobody knows whether the platform was up."""
    required_s: float
    obtained: float
    expected: float
    ours: int = 0
    """Received over an outage of the platform or of the site."""
    no_clock: int = 0
    retained: int = 0
    replayed: int = 0
    clock_ahead: int = 0
    clock_s: float = 0.0
    """Required time of which a finding says that the device's clock was wrong."""

    @property
    def heard(self) -> int:
        return int(self.n.sum())

    @property
    def silent(self) -> int:
        """Readings that tell nothing of their delay, for no fault of ours."""
        return self.no_clock + self.retained + self.replayed + self.clock_ahead

    @property
    def telling(self) -> float:
        """The share of what was heard that tells of its delay, 0 to 1; what is left out for us is as good as that."""
        whole = self.heard + self.ours + self.silent
        return (self.heard + self.ours) / whole if whole else 1.0


def measure(
    parts: Sequence[DelayPart],
    weeks: Sequence[tuple[float, Sequence[DelayPart]]] = (),
    *,
    stat: str,
    target: Bounds,
) -> Measurement:
    """The delay over all slots together.

    :param parts: one a slot.
    :param weeks: (middle in seconds since the epoch, parts) of each weekly block, for the interval.
    :param stat: ``max`` or ``p1`` … ``p99.9``.
    :param target: in s.

    Of 100 readings 96 came within a second, two after a minute, and two never:

    >>> from devices.plan.target import parse_bounds
    >>> part = DelayPart(delay_ms=np.array([800, 60_000]), n=np.array([96, 2]), lost=2, doubtful=0, required_s=100.0,
    ...                  obtained=98, expected=100)
    >>> [measure([part], stat=stat, target=parse_bounds("<= 5 s")).value for stat in ("p95", "p97", "p98", "p99")]
    [0.8, 60.0, 60.0, inf]
    """
    there = [part for part in parts if part.heard + part.lost]
    value = _value(there, stat, doubtful=False) if there else None
    worst = (
        _value([part for part in parts if part.heard + part.lost + part.doubtful], stat, doubtful=True)
        if there
        else None
    )
    named = ("ours", "no_clock", "retained", "replayed", "clock_ahead")
    least = min((int(part.delay_ms[0]) for part in parts if len(part.delay_ms)), default=None)
    return Measurement(
        value=value,
        unit="s",
        n=sum(part.heard + part.lost for part in parts),
        completeness=completeness(
            [part.obtained * part.telling for part in parts], [part.expected for part in parts]
        ),
        low=value,
        high=worst,
        as_share=_as_share(parts, weeks, stat, target) if stat.startswith("p") else None,
        facts={
            "lost": sum(part.lost for part in parts),
            "doubtful": sum(part.doubtful for part in parts),
            **{name: sum(getattr(part, name) for part in parts) for name in named},
            "clock_s": math.fsum(part.clock_s for part in parts),
            **({} if least is None else {"least_s": least / 1000}),
        },
    )  # fmt: skip


def _value(parts: Sequence[DelayPart], stat: str, *, doubtful: bool) -> float:
    """In seconds.

    :param doubtful: whether what nobody is charged with never arrived.
    """
    never = [part.lost + (part.doubtful if doubtful else 0) for part in parts]
    if stat == "max":
        return math.inf if any(never) else max(int(part.delay_ms[-1]) for part in parts) / 1000
    if len(parts) == 1:
        return _ranked(parts[0], never[0], stat)
    shares = _shares_of_time(parts)
    delays = np.concatenate([part.delay_ms for part in parts])
    weights = np.concatenate(
        [part.n * (share / (part.heard + lost)) for part, share, lost in zip(parts, shares, never, strict=True)]
    )
    order = np.argsort(delays, kind="stable")
    reached = np.cumsum(weights[order])
    # The sum of weights is rounded; a share that is reached exactly is reached.
    place = int(np.searchsorted(reached, float(stat[1:]) / 100 - 1e-12))
    return math.inf if place == len(reached) else int(delays[order][place]) / 1000


def _ranked(part: DelayPart, never: int, stat: str) -> float:
    rank = math.ceil(Fraction(stat[1:]) * (part.heard + never) / 100)
    place = int(np.searchsorted(np.cumsum(part.n), rank))
    return math.inf if place == len(part.n) else int(part.delay_ms[place]) / 1000


def _shares_of_time(parts: Sequence[DelayPart]) -> list[float]:
    whole = math.fsum(part.required_s for part in parts)
    return [part.required_s / whole for part in parts]


def _as_share(
    parts: Sequence[DelayPart], weeks: Sequence[tuple[float, Sequence[DelayPart]]], stat: str, target: Bounds
) -> AsShare | None:
    """``p95 ≤ T`` as ``share(≤ T) ≥ 95 %``; None for a range, which is two promises."""
    there = [part for part in parts if part.heard + part.lost]
    if target.one_sided is None or not there:
        return None
    percent = float(stat[1:])
    share = _share(parts, target)
    worst = _share(parts, target, [part.doubtful for part in parts])
    unknown = [part.doubtful + part.silent for part in parts]
    return AsShare(
        share=share,
        at_least=percent / 100 if target.one_sided == "high" else 1 - percent / 100,
        low=min(worst, share),
        high=share,
        # What the company lost never arrives, whatever it would have said.
        fill_low=_share(parts, target, unknown),
        fill_high=_share(parts, target, unknown, keep=True),
        blocks=tuple(
            Block(
                at_s=at_s,
                weight=math.fsum(part.required_s for part in week if part.heard + part.lost),
                value=_share(week, target),
            )
            for at_s, week in weeks
        ),
    )


def _share(parts: Sequence[DelayPart], target: Bounds, unknown: Sequence[int] = (), *, keep: bool = False) -> float:
    """The share of readings that keep the promise, slots weighted by time.

    :param unknown: how many more there are of each slot, of which nothing is known; none if left out.
    :param keep: whether these keep it.
    """
    others = unknown or [0] * len(parts)
    there = [(part, more) for part, more in zip(parts, others, strict=True) if part.heard + part.lost + more]
    if not there:
        return 0.0
    shares = _shares_of_time([part for part, _ in there])
    return math.fsum(
        share * (_inside(part, target) + more * keep) / (part.heard + part.lost + more)
        for share, (part, more) in zip(shares, there, strict=True)
    )


def _inside(part: DelayPart, target: Bounds) -> int:
    """How many keep the promise; what never came lies above any number."""
    seconds = part.delay_ms / 1000
    above = seconds >= target.low if target.low_closed else seconds > target.low
    below = seconds <= target.high if target.high_closed else seconds < target.high
    never = part.lost if target.one_sided == "low" else 0
    return int(part.n[above & below].sum()) + never

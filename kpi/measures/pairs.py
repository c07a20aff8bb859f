"""Pairs of what a channel says and what its reference says: the parts of an agreement, and a straight line through them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Micros = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairPart:
    """One slot in one stretch of required time, in the channel's unit."""

    at_us: Micros
    """Of each pair: the start of its average, or the instant of the reference's reading."""
    channel: Floats
    reference: Floats
    missing_us: Micros
    """Of each pair whose reference is there and whose other side is not, through no outage of ours or the site's …"""
    missing: Floats
    """… what the reference said."""
    start_us: int = 0
    end_us: int = 0
    """The first and the last instant of the required time; both 0 where there is none."""
    required_s: float = 0.0
    no_reference: int = 0
    """Averages, or readings of the channel, without a reference: left out of both sides."""
    outside: int = 0
    """The same with a reference that the plan does not ask for (``where_reference``)."""
    left_out: int = 0
    """The same whose channel's side fell into an outage of ours or the site's."""
    company_s: float = 0.0
    platform_s: float = 0.0
    site_s: float = 0.0
    nobody_s: float = 0.0

    def within(self, start_us: int, end_us: int) -> PairPart:
        """The pairs of a stretch of time; what they are out of is left as it is."""
        low, high = np.searchsorted(self.at_us, [start_us, end_us]).tolist()
        first, last = np.searchsorted(self.missing_us, [start_us, end_us]).tolist()
        return replace(
            self,
            at_us=self.at_us[low:high],
            channel=self.channel[low:high],
            reference=self.reference[low:high],
            missing_us=self.missing_us[first:last],
            missing=self.missing[first:last],
        )

    def without_zero(self) -> tuple[PairPart, int]:
        """Without the pairs whose reference is zero, of which nothing is a share; and how many they were."""
        kept, wanted = self.reference != 0, self.missing != 0
        found = replace(
            self,
            at_us=self.at_us[kept],
            channel=self.channel[kept],
            reference=self.reference[kept],
            missing_us=self.missing_us[wanted],
            missing=self.missing[wanted],
        )
        return found, int(np.count_nonzero(~kept) + np.count_nonzero(~wanted))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """The pairs of several slots together, each slot weighted by its required time."""

    channel: Floats
    reference: Floats
    weight: Floats
    """Of each pair; all of them come to 1."""


def together(parts: Sequence[PairPart]) -> Pairs:
    """Brought together.

    >>> two = [made_part([1.0, 3.0], [1.0, 2.0], required_s=60), made_part([5.0], [4.0], required_s=60)]
    >>> together(two).weight.tolist()
    [0.25, 0.25, 0.5]
    """
    there = [part for part in parts if len(part.channel)]
    whole = math.fsum(part.required_s for part in there)
    shares = [part.required_s / whole if whole > 0 else 1 / len(there) for part in there]
    none = np.empty(0, dtype=np.float64)
    return Pairs(
        channel=np.concatenate([none, *(part.channel for part in there)]),
        reference=np.concatenate([none, *(part.reference for part in there)]),
        weight=np.concatenate(
            [none, *(np.full(len(p.channel), w / len(p.channel)) for w, p in zip(shares, there, strict=True))]
        ),
    )


def made_part(channel: Sequence[float], reference: Sequence[float], *, required_s: float = 1.0) -> PairPart:
    """A part of nothing but pairs, an hour apart: for worked examples.

    >>> made_part([1.0], [2.0]).reference.tolist()
    [2.0]
    """
    at_us = np.arange(len(channel), dtype=np.int64) * 3_600_000_000
    none_us, none = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64)
    return PairPart(
        at_us=at_us,
        channel=np.asarray(channel, dtype=np.float64),
        reference=np.asarray(reference, dtype=np.float64),
        missing_us=none_us,
        missing=none,
        start_us=0,
        end_us=len(channel) * 3_600_000_000,
        required_s=required_s,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A straight line through the pairs, by least squares: channel = intercept + slope · reference."""

    slope: float | None
    """None where the reference does not vary."""
    intercept: float | None
    r: float | None
    """Pearson's; None where a side does not vary."""
    mean_channel: float
    mean_reference: float


def fitted(pairs: Pairs) -> Fitted | None:
    """The line; None where there are no pairs.

    >>> line = fitted(together([made_part([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])]))
    >>> line.slope, abs(line.intercept) < 1e-12, round(line.r, 12)
    (2.0, True, 1.0)
    >>> fitted(together([made_part([2.0, 4.0], [1.0, 1.0])])).slope is None
    True
    """
    if not len(pairs.channel):
        return None
    whole = math.fsum(pairs.weight.tolist())
    mean_x = math.fsum((pairs.weight * pairs.reference).tolist()) / whole
    mean_y = math.fsum((pairs.weight * pairs.channel).tolist()) / whole
    x, y = pairs.reference - mean_x, pairs.channel - mean_y
    xx, yy, xy = (math.fsum((pairs.weight * one * other).tolist()) for one, other in ((x, x), (y, y), (x, y)))
    varies_x, varies_y = np.ptp(pairs.reference) > 0, np.ptp(pairs.channel) > 0
    slope = xy / xx if varies_x and xx > 0 else None
    r = None
    if varies_x and varies_y and xx > 0 and yy > 0:
        r = min(max(xy / math.sqrt(xx) / math.sqrt(yy), -1.0), 1.0)
    return Fitted(
        slope=slope,
        intercept=None if slope is None else mean_y - slope * mean_x,
        r=r,
        mean_channel=mean_y,
        mean_reference=mean_x,
    )

"""What a measure comes to in one window, with all that a decision needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.recomputation.chance import Block, Bounds

Sampling = Callable[[float, float], Bounds | None]
"""(alpha, length of the window in s) → bounds."""


def none(alpha: float, window_s: float) -> Bounds | None:
    """There is no interval."""
    del alpha, window_s
    return None


@dataclass(frozen=True, kw_only=True)
class Form:
    """A percentile's promise as a share, 0 to 1."""

    share: float
    least: float
    fill: Bounds | None
    sampling: Sampling
    ends: Bounds | None = None
    """Under what is charged to nobody; None: it is the share."""


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """Events of which nobody knows whether they count: how they move the bounds."""

    most: int
    exposure: float
    per_event: bool
    sampling_of: Callable[[int], Sampling]


@dataclass(frozen=True, kw_only=True)
class Found:
    """The figures of one window; the value is None where there is nothing to compute it from."""

    value: float | None
    unit: str
    n: int
    completeness: float | None
    ends: Bounds | None = None
    """Under what is charged to nobody, or what nobody knows whether it counts."""
    fill: Bounds | None = None
    """If all that is missing were at its worst, and at its best."""
    sampling: Sampling = none
    share: bool = False
    difference: bool = False
    form: Form | None = None
    doubt: Doubt | None = None
    covered_s: float = 0.0
    blocks: Sequence[Block] = ()
    members: Sequence[Found] = field(default_factory=tuple)
    scale: float = 1.0
    trials: bool = False


def share_of(part: int, whole: int) -> float:
    """In %, rounded once."""
    return 100 * part / whole


def complete(obtained: float, expected: float) -> float | None:
    return None if expected <= 0 else min(max(obtained / expected, 0.0), 1.0)


def finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value

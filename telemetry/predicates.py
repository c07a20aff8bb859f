"""Conditions on a channel's value, in its canonical unit: what a share of time counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Values between ``low`` and ``high`` (None: unbounded), or the listed codes of a state channel."""

    low: float | None = None
    low_closed: bool = True
    high: float | None = None
    high_closed: bool = True
    codes: tuple[int, ...] | None = None

    def __call__(self, value: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each value satisfies the condition: same shape in as out."""
        if self.codes is not None:
            return np.isin(value, np.array(self.codes, dtype=np.float64))
        held = np.ones(value.shape, dtype=np.bool_)
        if self.low is not None:
            held &= value >= self.low if self.low_closed else value > self.low
        if self.high is not None:
            held &= value <= self.high if self.high_closed else value < self.high
        return held

    def parameters(self) -> dict[str, Any]:
        """Its columns in the table ``predicate``; an open end has no kind of its own, so it counts as closed there."""
        return {
            "low": self.low,
            "low_closed": self.low_closed or self.low is None,
            "high": self.high,
            "high_closed": self.high_closed or self.high is None,
            "codes": None if self.codes is None else list(self.codes),
        }

"""When a slot says nothing at all: a power cut, a dead radio, an empty battery."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulators.scenario.noise import SECOND_US, Micros, generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Outages:
    """At most one outage in each block of time, of random length, somewhere inside the block."""

    block_s: int
    chance: float
    """Share of the blocks that have one."""
    least_s: float
    most_s: float
    """Shorter than a block."""

    def __post_init__(self) -> None:
        if not 0 < self.least_s <= self.most_s < self.block_s:
            raise ValueError(
                f"An outage lasts from {self.least_s} s to {self.most_s} s: within a block of {self.block_s} s."
            )

    def between(self, key: tuple[str | int, ...], start_us: int, end_us: int) -> list[tuple[int, int]]:
        """The outages ``[from, to)`` that touch ``[start, end)``, whole, in order."""
        block_us = self.block_s * SECOND_US
        found = (self._of(key, block) for block in range(start_us // block_us, (end_us - 1) // block_us + 1))
        return [outage for outage in found if outage is not None and outage[0] < end_us and start_us < outage[1]]

    def _of(self, key: tuple[str | int, ...], block: int) -> tuple[int, int] | None:
        happens, length, position = generator(*key, "outage", block).random(3)
        if happens >= self.chance:
            return None
        lasts_s = self.least_s + length * (self.most_s - self.least_s)
        start_s = block * self.block_s + position * (self.block_s - lasts_s)
        return int(start_s * 1000) * 1000, int((start_s + lasts_s) * 1000) * 1000


def inside(at_us: Micros, intervals: list[tuple[int, int]]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which instants lie in one of the disjoint, ordered intervals ``[from, to)``."""
    edges = np.array([edge for interval in intervals for edge in interval], dtype=np.int64)
    within: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.searchsorted(edges, at_us, side="right") % 2 == 1
    return within

"""Sets of instants: rows of ``[from, to)`` in whole microseconds, sorted, apart from each other."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Set = NDArray[np.int64]
Micros = NDArray[np.int64]

EMPTY: Set = np.empty((0, 2), dtype=np.int64)
FIRST, LAST = -(2**61), 2**61


def of(pairs: Iterable[tuple[int, int]] | Set) -> Set:
    """Any pairs, overlapping or not, as a set."""
    rows = np.array(list(pairs) if not isinstance(pairs, np.ndarray) else pairs, dtype=np.int64).reshape(-1, 2)
    rows = rows[rows[:, 0] < rows[:, 1]]
    if not len(rows):
        return EMPTY
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    reach = np.maximum.accumulate(rows[:, 1])
    opens = np.concatenate([[True], rows[1:, 0] > reach[:-1]])
    closes = np.concatenate([opens[1:], [True]])
    return np.stack([rows[opens, 0], reach[closes]], axis=1)


def both(one: Set, other: Set) -> Set:
    """The instants of both."""
    return _where(one, other, (3,))


def either(*several: Set) -> Set:
    """The instants of any of them."""
    return of(np.concatenate([EMPTY, *several]))


def without(one: Set, other: Set) -> Set:
    """The instants of ``one`` that are none of ``other``."""
    return _where(one, other, (1,))


def length(one: Set) -> int:
    """How many microseconds it has."""
    return int((one[:, 1] - one[:, 0]).sum())


def within(one: Set, start: int, end: int) -> Set:
    """The part between two instants."""
    return of(np.clip(one, start, end))


def length_in(one: Set, parts: Set) -> int:
    """How many microseconds of ``one`` lie in ``parts``: by the length up to each edge."""
    if not len(one) or not len(parts):
        return 0
    before = np.concatenate([[0], np.cumsum(one[:, 1] - one[:, 0])])

    def up_to(at: Micros) -> Micros:
        index = np.searchsorted(one[:, 0], at, side="right")
        last = np.maximum(index - 1, 0)
        inside = np.clip(at - one[last, 0], 0, one[last, 1] - one[last, 0])
        found: Micros = np.where(index > 0, before[last] + inside, 0)
        return found

    return int((up_to(parts[:, 1]) - up_to(parts[:, 0])).sum())


def has(one: Set, at: Micros) -> NDArray[np.bool_]:
    """Which instants lie in it."""
    index = np.searchsorted(one[:, 0], at, side="right") - 1
    if not len(one):
        return np.zeros(len(at), dtype=np.bool_)
    found: NDArray[np.bool_] = (index >= 0) & (at < one[np.maximum(index, 0), 1])
    return found


def _where(one: Set, other: Set, states: tuple[int, ...]) -> Set:
    """Where being in ``one`` (1) and in ``other`` (2) adds up to one of these states."""
    edges = np.concatenate([one[:, 0], one[:, 1], other[:, 0], other[:, 1]])
    steps = np.repeat([1, -1, 2, -2], [len(one), len(one), len(other), len(other)])
    order = np.argsort(edges, kind="stable")
    edges, state = edges[order], np.cumsum(steps[order])
    kept = np.isin(state[:-1], states)
    return of(np.stack([edges[:-1][kept], edges[1:][kept]], axis=1))

"""Stretches of time: sets of instants as sorted, disjoint, half-open spans of microseconds.

Whole microseconds, so that what is up, down and left out adds up to the window exactly.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import TypeAlias

from core.window import Window, instant

Stretches: TypeAlias = tuple[tuple[int, int], ...]
"""Spans ``(start_us, end_us)``: sorted, none empty, none touching the next."""

NOTHING: Stretches = ()


def joined(spans: Iterable[tuple[int, int]]) -> Stretches:
    """Any spans, overlapping or not, as stretches.

    >>> joined([(5, 7), (0, 2), (2, 3), (6, 9), (4, 4)])
    ((0, 3), (5, 9))
    """
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def of_windows(windows: Iterable[Window]) -> Stretches:
    """Windows as stretches."""
    return joined((window.start_us, window.end_us) for window in windows)


def windows_of(stretches: Stretches) -> list[Window]:
    """Stretches as windows, in the order of time."""
    return [Window(start=instant(start), end=instant(end)) for start, end in stretches]


def union(*several: Stretches) -> Stretches:
    """The instants that lie in any of them."""
    return joined(span for stretches in several for span in stretches)


def intersection(one: Stretches, other: Stretches) -> Stretches:
    """The instants that lie in both.

    >>> intersection(((0, 5), (8, 12)), ((3, 10),))
    ((3, 5), (8, 10))
    """
    found: list[tuple[int, int]] = []
    i = j = 0
    while i < len(one) and j < len(other):
        start, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if start < end:
            found.append((start, end))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)


def clipped(stretches: Stretches, start_us: int, end_us: int) -> Stretches:
    """The part of stretches between two instants; of many stretches only those there are looked at.

    >>> clipped(((0, 5), (8, 12), (20, 30)), 3, 9)
    ((3, 5), (8, 9))
    """
    if start_us >= end_us:
        return NOTHING
    first = bisect_right(stretches, start_us, key=lambda span: span[1])
    last = bisect_left(stretches, end_us, lo=first, key=lambda span: span[0])
    return tuple((max(a, start_us), min(b, end_us)) for a, b in stretches[first:last])


def difference(one: Stretches, other: Stretches) -> Stretches:
    """The instants of ``one`` that do not lie in ``other``.

    >>> difference(((0, 10),), ((2, 3), (8, 12)))
    ((0, 2), (3, 8))
    """
    if not one:
        return NOTHING
    edges = [one[0][0], *(edge for span in other for edge in span), one[-1][1]]
    holes = [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if start < end]
    return intersection(one, tuple(holes))


def total_us(stretches: Stretches) -> int:
    """Their length together, in microseconds."""
    return sum(end - start for start, end in stretches)


def contains(stretches: Stretches, at_us: int) -> bool:
    """Whether an instant lies in one of them."""
    return any(start <= at_us < end for start, end in stretches)

"""Alerts against truth labels: what lies close together is one, and each is matched with at most one of the other.

The rule is fixed beforehand, and has one outcome whatever the order in which anything arrived:

1. **Merging.** Marks of one class that follow each other by less than ``merge`` are one mark, from the first start to the last
   end. Several in a row merge into one, though its ends lie further apart.
2. **Candidates.** An alert and a label can be a pair if the attributes in ``same`` are equal, those in ``near`` lie no further
   apart than it says, and the gap between the two stretches of time is at most ``within``. The gap is 0 where they overlap.
3. **Pairs.** Of all ways to take each alert and each label once at most, one with the most pairs; of those, one with the least
   sum of gaps; of those, one with the least sum of distances between the starts.

Third parties get the same numbers from any solver of the assignment problem: how many pairs there are, and how far apart they
are together, has one answer. Only which of two equally good alerts stands in a pair may differ; here the earlier one does where
that is free to choose.

:source: Kuhn, Naval Research Logistics Quarterly 2 (1955) 83; shortest augmenting paths: Jonker and Volgenant, Computing 38
   (1987) 325.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An alert or a label, or several that were merged: when, and what is said of it."""

    start_us: int
    end_us: int
    """Not before ``start_us``; equal to it of an instant."""
    ids: tuple[str, ...]
    """Of everything that was merged into it, in the order of time."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Of the first of them."""

    @property
    def order(self) -> tuple[int, int, tuple[str, ...]]:
        """By which marks are sorted before anything else, so that the order of arrival does not matter."""
        return self.start_us, self.end_us, self.ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What was fixed beforehand."""

    within_us: int
    merge_us: int = 0
    """0: nothing is merged."""
    same: tuple[str, ...] = ()
    near: Mapping[str, float] = field(default_factory=dict)
    """Attribute → how far apart its values may be, in the attribute's own unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A matched alert and label, by their places in what was given, with how far apart they are."""

    alert: int
    label: int
    gap_us: int


def merged(marks: Iterable[Mark], rule: Rule) -> list[Mark]:
    """Marks of one class that lie closer together than ``merge``, as one; in the order of time.

    >>> marks = [Mark(start_us=at, end_us=at, ids=(str(at),)) for at in (0, 20, 45, 75)]
    >>> [(one.start_us, one.end_us, one.ids) for one in merged(marks, Rule(within_us=0, merge_us=30))]
    [(0, 45, ('0', '20', '45')), (75, 75, ('75',))]
    """
    by_class: dict[tuple[Any, ...], list[Mark]] = {}
    for one in sorted(marks, key=lambda mark: mark.order):
        of_class = by_class.setdefault(class_of(one, rule), [])
        if of_class and one.start_us - of_class[-1].end_us < rule.merge_us:
            last = of_class[-1]
            of_class[-1] = Mark(
                start_us=last.start_us,
                end_us=max(last.end_us, one.end_us),
                ids=last.ids + one.ids,
                attributes=last.attributes,
            )
        else:
            of_class.append(one)
    return sorted((one for found in by_class.values() for one in found), key=lambda mark: mark.order)


def class_of(mark: Mark, rule: Rule) -> tuple[Any, ...]:
    """What marks must have in common to be merged: the attributes that must be equal, and where they are, as they are written."""
    return tuple(_plain(mark.attributes.get(name)) for name in (*rule.same, *rule.near))


def matched(alerts: Sequence[Mark], labels: Sequence[Mark], rule: Rule) -> list[Pair]:
    """The pairs, in the order of the labels. What was not merged before is not merged here.

    The second alert could have the first label too, but then the third label would have none:

    >>> def marks(*at):
    ...     return [Mark(start_us=one, end_us=one, ids=(str(one),)) for one in at]
    >>> found = matched(marks(9, 11), marks(10, 16), Rule(within_us=5))
    >>> [(pair.alert, pair.label, pair.gap_us) for pair in found]
    [(0, 0, 1), (1, 1, 5)]
    """
    rows = sorted(range(len(labels)), key=lambda row: labels[row].order)
    columns = sorted(range(len(alerts)), key=lambda column: alerts[column].order)
    candidates = _candidates([alerts[i] for i in columns], [labels[i] for i in rows], rule)
    found: list[Pair] = []
    for group in _groups(candidates):
        for row, column in _assigned({row: candidates[row] for row in group}).items():
            gap_us = candidates[row][column][0]
            found.append(Pair(alert=columns[column], label=rows[row], gap_us=gap_us))
    return sorted(found, key=lambda pair: labels[pair.label].order)


def gap_us(one: Mark, other: Mark) -> int:
    """How far two stretches lie apart; 0 where they touch or overlap."""
    return max(one.start_us - other.end_us, other.start_us - one.end_us, 0)


_Cost = tuple[int, int]
"""The gap, then the distance between the starts."""


def _candidates(alerts: Sequence[Mark], labels: Sequence[Mark], rule: Rule) -> list[dict[int, _Cost]]:
    """For each label the alerts that it can have. Both are sorted by their start."""
    starts = [one.start_us for one in alerts]
    longest = max((one.end_us - one.start_us for one in alerts), default=0)
    found: list[dict[int, _Cost]] = []
    for label in labels:
        near: dict[int, _Cost] = {}
        first = bisect_left(starts, label.start_us - rule.within_us - longest)
        for column in range(first, len(alerts)):
            alert = alerts[column]
            if alert.start_us > label.end_us + rule.within_us:
                break
            apart = gap_us(alert, label)
            if apart <= rule.within_us and _alike(alert, label, rule):
                near[column] = (apart, abs(alert.start_us - label.start_us))
        found.append(near)
    return found


def _alike(alert: Mark, label: Mark, rule: Rule) -> bool:
    """What is not said of one of them is not known to be alike."""
    for name in rule.same:
        if name not in label.attributes or _plain(alert.attributes.get(name)) != _plain(label.attributes[name]):
            return False
    return all(
        apart is not None and apart <= most
        for name, most in rule.near.items()
        for apart in (_distance(alert.attributes.get(name), label.attributes.get(name)),)
    )


def _plain(value: Any) -> Any:
    """In JSON true is not 1; a list can be compared once it is a tuple."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, list | tuple):
        return tuple(_plain(item) for item in value)
    return repr(value) if isinstance(value, dict) else value


def _distance(one: Any, other: Any) -> float | None:
    """Between two numbers, or two points of as many coordinates; None where they are none."""
    first, second = _coordinates(one), _coordinates(other)
    if first is None or second is None or len(first) != len(second):
        return None
    return math.dist(first, second)


def _coordinates(value: Any) -> tuple[float, ...] | None:
    items = value if isinstance(value, list | tuple) else [value]
    if isinstance(value, str):
        items = value.replace(",", " ").split()
    try:
        found = tuple(float(item) for item in items if not isinstance(item, bool))
    except (TypeError, ValueError):
        return None
    return found if found and len(found) == len(items) and all(map(math.isfinite, found)) else None


def _groups(candidates: Sequence[Mapping[int, _Cost]]) -> list[list[int]]:
    """Labels that compete for an alert, directly or through others: each group is solved by itself."""
    leader = list(range(len(candidates)))

    def of(row: int) -> int:
        while leader[row] != row:
            leader[row] = leader[leader[row]]
            row = leader[row]
        return row

    taken: dict[int, int] = {}
    for row, near in enumerate(candidates):
        for column in near:
            if column in taken:
                leader[of(row)] = of(taken[column])
            taken[column] = row
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for row, near in enumerate(candidates):
        if near:
            groups[of(row)].append(row)
    return list(groups.values())


def _assigned(near: Mapping[int, Mapping[int, _Cost]]) -> dict[int, int]:
    """Label → alert: the most pairs, then the least sum of costs. One label after the other takes the cheapest augmenting path.

    In whole numbers: a label without an alert costs more than all gaps together, a microsecond of gap more than all distances
    between starts together.
    """
    rows = sorted(near)
    unit = 1 + sum(max(cost[1] for cost in one.values()) for one in near.values())
    alone = 1 + sum(max(cost[0] for cost in one.values()) for one in near.values()) * unit + unit
    costs = {row: {column: gap * unit + apart for column, (gap, apart) in near[row].items()} for row in rows}
    holder: dict[int, int] = {}
    has: dict[int, int] = {}
    """Alert → label, and label → alert; an alert below 0 stands for none."""
    level_of_row = dict.fromkeys(rows, 0)
    level_of_column: defaultdict[int, int] = defaultdict(int)
    for new in rows:
        _augment(new, costs, alone, holder, has, level_of_row, level_of_column)
    return {row: column for column, row in holder.items() if column >= 0}


def _augment(
    new: int,
    costs: Mapping[int, Mapping[int, int]],
    alone: int,
    holder: dict[int, int],
    has: dict[int, int],
    level_of_row: dict[int, int],
    level_of_column: defaultdict[int, int],
) -> None:
    """Give one more label its alert, or leave that label without one for which it costs least (Dijkstra on reduced costs)."""
    reached: dict[int, int] = {}
    from_row: dict[int, int] = {}
    done: dict[int, int] = {}
    queue: list[tuple[int, int]] = []
    row, so_far = new, 0
    while True:
        # To be left alone is a column of its own: -1 - row.
        for column, cost in (*costs[row].items(), (-1 - row, alone)):
            if column in done:
                continue
            length = so_far + cost - level_of_row[row] - level_of_column[column]
            if column not in reached or length < reached[column]:
                reached[column], from_row[column] = length, row
                heapq.heappush(queue, (length, column))
        while True:
            so_far, column = heapq.heappop(queue)
            if column not in done and so_far == reached[column]:
                break
        done[column] = so_far
        if column not in holder:
            break
        row = holder[column]
    last = column
    level_of_row[new] += so_far
    for column, length in done.items():
        if column != last:
            level_of_column[column] += length - so_far
            level_of_row[holder[column]] += so_far - length
    while True:
        row = from_row[last]
        before = has.get(row)
        holder[last], has[row] = row, last
        if before is None:
            return
        last = before

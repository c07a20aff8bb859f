"""Matching alerts with labels: the most pairs, the least distance, whatever came first; compared with scipy's own solver."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from kpi.measures.matching import Mark, Rule, gap_us, matched, merged

_FAR = 10**9
_LENGTHS = st.sampled_from([0, 0, 3, 10])


def marks(prefix: str) -> st.SearchStrategy[list[Mark]]:
    one = st.tuples(st.integers(0, 120), _LENGTHS, st.sampled_from(["fall", "sit"]))
    return st.lists(one, max_size=10).map(
        lambda rows: [
            Mark(start_us=start, end_us=start + length, ids=(f"{prefix}{n}",), attributes={"class": kind})
            for n, (start, length, kind) in enumerate(rows)
        ]
    )


def shown(alerts: Sequence[Mark], labels: Sequence[Mark], rule: Rule) -> set[tuple[tuple[str, ...], tuple[str, ...]]]:
    return {(alerts[pair.alert].ids, labels[pair.label].ids) for pair in matched(alerts, labels, rule)}


@given(marks("a"), marks("l"), st.sampled_from([0, 3, 10, 40]), st.booleans())
def test_as_many_pairs_and_as_close_as_any_solver_finds(
    alerts: list[Mark], labels: list[Mark], within: int, same: bool
) -> None:
    rule = Rule(within_us=within, same=("class",) if same else ())
    found = matched(alerts, labels, rule)
    assert len({pair.alert for pair in found}) == len(found) == len({pair.label for pair in found})
    costs = np.zeros((len(labels), len(alerts)))
    for i, label in enumerate(labels):
        for j, alert in enumerate(alerts):
            alike = not same or alert.attributes == label.attributes
            if alike and gap_us(alert, label) <= within:
                # Gaps first, then the distance between the starts.
                costs[i, j] = gap_us(alert, label) * 10_000 + abs(alert.start_us - label.start_us) - _FAR
    rows, columns = linear_sum_assignment(costs)
    chosen = [costs[i, j] + _FAR for i, j in zip(rows, columns, strict=True) if costs[i, j] < 0]
    mine = [pair.gap_us * 10_000 + abs(alerts[pair.alert].start_us - labels[pair.label].start_us) for pair in found]
    assert (len(mine), sum(mine)) == (len(chosen), sum(chosen))


@given(marks("a"), marks("l"), st.sampled_from([3, 10]), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(
    alerts: list[Mark], labels: list[Mark], within: int, rng: random.Random
) -> None:
    rule = Rule(within_us=within, merge_us=5)
    before = shown(merged(alerts, rule), merged(labels, rule), rule)
    later_alerts, later_labels = list(alerts), list(labels)
    rng.shuffle(later_alerts)
    rng.shuffle(later_labels)
    assert shown(merged(later_alerts, rule), merged(later_labels, rule), rule) == before
    # … nor that of what was merged.
    joint = merged(later_alerts, rule)
    rng.shuffle(joint)
    assert shown(joint, merged(labels, rule), rule) == before


@given(marks("a"), marks("l"), st.sampled_from([3, 10, 40]))
def test_an_alert_far_from_all_labels_changes_no_pair(alerts: list[Mark], labels: list[Mark], within: int) -> None:
    rule = Rule(within_us=within)
    lone = Mark(start_us=10_000, end_us=10_000, ids=("lone",))
    assert shown([*alerts, lone], labels, rule) == shown(alerts, labels, rule)


@given(marks("a"), st.integers(0, 30))
def test_merged_marks_of_a_class_lie_apart_and_lose_nothing(alerts: list[Mark], gap: int) -> None:
    found = merged(alerts, Rule(within_us=0, merge_us=gap, same=("class",)))
    assert sorted(name for one in found for name in one.ids) == sorted(name for one in alerts for name in one.ids)
    for kind in ("fall", "sit"):
        rows = [one for one in found if one.attributes["class"] == kind]
        assert all(after.start_us - before.end_us >= gap for before, after in pairwise(rows))


def test_near_compares_numbers_and_points_and_nothing_else() -> None:
    def at(place: object) -> Mark:
        return Mark(start_us=0, end_us=0, ids=("x",), attributes={"place": place})

    rule = Rule(within_us=1, near={"place": 5.0})
    for one, other, pair in (
        (3, 8, True), (3, 8.1, False), ([0, 0], [3, 4], True), ("0 0", [3, 4], True), ("거실", "거실", False), (3, None, False),
        (True, 1, False), ([0], [0, 0], False),
    ):  # fmt: skip
        assert bool(matched([at(one)], [at(other)], rule)) is pair, (one, other)


def test_a_storm_of_alerts_is_solved_in_time() -> None:
    rng = random.Random(3)
    alerts = [Mark(start_us=(at := rng.randrange(60_000)), end_us=at, ids=(f"a{n}",)) for n in range(2_000)]
    labels = [Mark(start_us=(at := rng.randrange(60_000)), end_us=at, ids=(f"l{n}",)) for n in range(2_000)]
    assert len(matched(alerts, labels, Rule(within_us=60))) > 1_500

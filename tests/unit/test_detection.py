"""Detections measured: shares, F1 and its bounds, weights of a sample, two readers, what nobody is charged with."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from core.window import instant
from devices.plan.detection_measures import Detection, TruthSample
from kpi.inputs.truth import Said, slot_truth
from kpi.measures.detection import DetectionPart, Judged, Outcome, cohens_kappa, f1_of, measure
from kpi.measures.matching import Mark
from kpi.measures.truth_sample import is_drawn, windows_drawn
from kpi.sampling import sampling_interval

DAY = date(2026, 3, 1)
SECOND = 1_000_000


def part(*outcomes: tuple[Outcome, int], **more: object) -> DetectionPart:
    rows = tuple(
        (DAY, Judged(at_us=n, outcome=outcome, alert=None, label=None)) for outcome, m in outcomes for n in range(m)
    )
    given: dict[str, object] = {"otherwise": None, "required_us": 1, "labelled_us": 1, "obtained": 1.0, "expected": 1.0}
    return DetectionPart(outcomes=rows, **(given | more))  # type: ignore[arg-type]


def test_f1_has_the_bounds_of_its_proportion() -> None:
    found = measure([part(("matched", 45), ("missed", 3), ("false_alarm", 2))], stat="f1", designed=True)
    interval = sampling_interval(found, 0.05, window_s=1.0)
    assert interval is not None and found.value is not None
    low, high = stats.binomtest(45, 50).proportion_ci(0.90, "exact")
    assert found.value == pytest.approx(100 * 90 / 95)
    assert (interval.low, interval.high) == pytest.approx((200 * low / (1 + low), 200 * high / (1 + high)))


@given(st.floats(0, 1), st.floats(0, 1))
def test_f1_grows_with_its_proportion(one: float, other: float) -> None:
    assert (f1_of(one) <= f1_of(other)) == (one <= other) or f1_of(one) == f1_of(other)


def test_a_slot_with_fewer_labelled_windows_weighs_no_less() -> None:
    good = part(("matched", 90), ("missed", 10), sampled=True, required_us=1000, labelled_us=100)
    bad = part(("matched", 5), ("missed", 5), sampled=True, required_us=1000, labelled_us=10)
    found = measure([good, bad], stat="recall")
    assert found.value == pytest.approx(100 * (10 * 90 + 100 * 5) / (10 * 100 + 100 * 10))
    assert found.trials is not None and found.trials.weighing > 1.5
    # The other way round, each slot's own share stays its own.
    assert [measure([one], stat="recall").value for one in (good, bad)] == [90.0, 50.0]


def test_without_a_trial_there_is_no_value_and_it_is_said_what_lacks() -> None:
    for stat, outcomes, lacks in (
        ("recall", (("false_alarm", 3),), "positives"), ("precision", (("missed", 3),), "alerts"), ("f1", (), "labels"),
        ("false_rate", (), "alerts"),
    ):  # fmt: skip
        found = measure([part(*outcomes)], stat=stat)  # type: ignore[arg-type]
        assert (found.value, found.low, found.trials, found.lacks) == (None, None, None, lacks)


def test_what_nobody_is_charged_with_and_second_readers_are_ends() -> None:
    doubtful = (DAY, Judged(at_us=1, outcome="missed", alert=None, label=None, doubtful=True))
    first = part(("matched", 8), ("missed", 2))
    other = part(("matched", 9), ("missed", 1)).outcomes
    both = DetectionPart(
        outcomes=(*first.outcomes, doubtful), otherwise=(*other, doubtful), required_us=1, labelled_us=1, obtained=1,
        expected=1, complete=True,
    )  # fmt: skip
    found = measure([both], stat="recall")
    assert found.value == 80.0
    assert (found.low, found.high) == pytest.approx((100 * 8 / 11, 90.0))


def test_kappa_of_a_textbook_and_where_there_is_none() -> None:
    table = [(True, True)] * 22 + [(True, False)] * 2 + [(False, True)] * 4 + [(False, False)] * 11
    observed, chance = 33 / 39, (24 * 26 + 15 * 13) / 39**2
    assert cohens_kappa(table) == pytest.approx((observed - chance) / (1 - chance))
    assert cohens_kappa([]) is None
    assert cohens_kappa([(True, True)] * 5) is None


# --- Windows


def test_a_window_is_drawn_by_its_hash_alone() -> None:
    sample = TruthSample(window="10 min", fraction="5 %", seed=7)
    whole = list(windows_drawn(sample, "cam-1", ((0, 3000 * 600 * SECOND),)))
    expected = []
    for n in range(3000):
        text = f"7|cam-1|{instant(n * 600 * SECOND).strftime('%Y-%m-%dT%H:%M:%S')}Z"
        if int(hashlib.sha256(text.encode()).hexdigest()[:16], 16) * 20 < 2**64:
            expected.append((n * 600 * SECOND, (n + 1) * 600 * SECOND))
    assert whole == expected
    assert 100 <= len(whole) <= 200
    # Another stretch of time draws the same ones of its own.
    some = list(windows_drawn(sample, "cam-1", ((700 * SECOND, 900 * 600 * SECOND),)))
    assert some == [one for one in expected if one[1] > 700 * SECOND and one[0] < 900 * 600 * SECOND]
    assert list(windows_drawn(sample, "cam-2", ((0, 3000 * 600 * SECOND),))) != whole


def test_all_of_them_and_hardly_any() -> None:
    assert all(is_drawn(1, "a", n, Fraction(1)) for n in range(50))
    assert not any(is_drawn(1, "a", n, Fraction(1, 2**70)) for n in range(50))


# --- Labels


def detection(**more: object) -> Detection:
    truth = {"labels": "truth", "by": "site"} | dict(more.pop("truth", {}))  # type: ignore[call-overload]
    return Detection.model_validate({"alerts": "fall", "within": "10 s", "truth": truth, "stat": "recall"} | more)


def said(at_s: float, **more: object) -> Said:
    start = round(at_s * SECOND)
    given: dict[str, object] = {
        "id": f"{at_s:g}", "start_us": start, "end_us": start, "outcome": "positive", "side": "site", "blind": True,
        "second": False, "attributes": {},
    }  # fmt: skip
    return Said(**(given | more))  # type: ignore[arg-type]


def alert(at_s: float, **attributes: object) -> Mark:
    return Mark(start_us=round(at_s * SECOND), end_us=round(at_s * SECOND), ids=(f"{at_s:g}",), attributes=attributes)


def outcomes(of: Detection, alerts: Sequence[Mark], labels: Sequence[Said]) -> list[tuple[str, float]]:
    return [(one.outcome, one.at_us / SECOND) for one in slot_truth(of, alerts, labels, None).outcomes]


def test_a_crack_that_is_too_small_takes_its_alert_and_counts_for_nothing() -> None:
    of = detection(truth={"where": {"width": ">= 0.3"}})
    labels = [said(100, attributes={"width": 0.5}), said(200, attributes={"width": 0.1}), said(300)]
    found = slot_truth(of, [alert(100), alert(201), alert(400)], labels, None).outcomes
    assert [(one.outcome, one.doubtful) for one in found] == [
        ("matched", False), ("missed", True), ("false_alarm", False),
    ]  # fmt: skip


def test_an_alert_at_a_staged_test_without_the_event_is_false_and_one_far_from_all_tests_is_left_out() -> None:
    of = detection(designed=True)
    labels = [said(100), said(200, outcome="negative")]
    truth = slot_truth(of, [alert(101), alert(203), alert(900)], labels, None)
    assert [(one.outcome, one.at_us // SECOND) for one in truth.outcomes] == [("matched", 100), ("false_alarm", 203)]
    assert truth.notes == ((900 * SECOND, "unlabelled_alerts"),)
    assert outcomes(detection(), [alert(900)], labels)[-1] == ("false_alarm", 900)


def test_a_label_just_outside_of_a_window_takes_its_alert_and_counts_for_nothing_else() -> None:
    of = detection(truth={"sample": {"window": "10 min", "fraction": "5 %", "seed": 7}})
    window = (600 * SECOND, 1200 * SECOND)
    truth = slot_truth(of, [alert(1199), alert(700)], [said(1203), said(701), said(5000)], [window])
    assert [(one.outcome, one.at_us // SECOND) for one in truth.outcomes] == [("matched", 701), ("matched", 1203)]
    assert truth.labelled == (window,)
    assert truth.notes == ((5000 * SECOND, "outside_sample"),)


def test_a_window_counts_as_labelled_by_the_first_reader_only() -> None:
    of = detection(truth={"sample": {"window": "10 min", "fraction": "5 %", "seed": 7}})
    windows = [(n * 600 * SECOND, (n + 1) * 600 * SECOND) for n in (1, 3, 5)]
    labels = [
        said(700), said(800, second=True),
        said(1800, end_us=2400 * SECOND, outcome="empty"), said(1801, outcome="empty", second=True),
        said(3100, second=True), said(3200, blind=False),
    ]  # fmt: skip
    truth = slot_truth(of, [], labels, windows)
    assert truth.labelled == tuple(windows[:2])
    assert [both for _, both in truth.readings] == [(True, True), (False, False)]
    assert truth.otherwise is not None

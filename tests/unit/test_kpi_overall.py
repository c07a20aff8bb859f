"""목표달성도: verdicts and scores brought to one answer."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from devices.plan.agreed import Overall
from kpi.overall import achieved, formula_of, overall_of, score


def entry(name: str, verdict: str, value: float | None = 97.0, target: str = ">= 95 %", **more: Any) -> dict[str, Any]:
    usual = {"id": name, "name": name, "verdict": verdict, "value": value, "unit": "%", "target": {"text": target},
             "required": False, "weight": 0}  # fmt: skip
    return usual | more


def rule(**keys: Any) -> Overall:
    return Overall.model_validate(keys)


# --- All required


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ({"a": "met", "b": "met"}, "met"),
        ({"a": "met", "b": "not_met"}, "not_met"),
        ({"a": "met", "b": "inconclusive"}, "inconclusive"),
        ({"a": "inconclusive", "b": "insufficient"}, "insufficient"),
        ({"a": "insufficient", "b": "not_met"}, "not_met"),
    ],
)
def test_every_required_kpi_must_be_met(verdicts: dict[str, str], expected: str) -> None:
    entries = [entry(name, verdict, required=True) for name, verdict in verdicts.items()]
    found = overall_of(rule(), [*entries, entry("free", "not_met")])
    assert found["verdict"] == expected
    assert "score" not in found
    assert [part["verdict"] for part in found["parts"]] == [*verdicts.values(), "not_met"]


def test_where_none_is_required_all_are() -> None:
    assert overall_of(rule(), [entry("a", "met"), entry("b", "not_met")])["verdict"] == "not_met"
    assert overall_of(rule(), [entry("a", "met"), entry("b", "met")])["verdict"] == "met"


def test_an_open_verdict_counts_as_the_plan_says_and_stays_what_it_is() -> None:
    open_ = entry("a", "inconclusive", required=True, if_inconclusive="not_met")
    found = overall_of(rule(), [open_])
    assert (found["verdict"], found["parts"][0]["verdict"], found["parts"][0]["counts_as"]) == (
        "not_met", "inconclusive", "not_met",
    )  # fmt: skip
    assert overall_of(rule(), [open_ | {"if_inconclusive": "committee"}])["verdict"] == "inconclusive"


# --- Scores


@pytest.mark.parametrize(
    ("target", "value", "formula", "points"),
    [
        (">= 95 %", 95.0, {}, 100.0),
        (">= 80 %", 60.0, {}, 75.0),
        (">= 80 %", 100.0, {}, 125.0),
        (">= 80 %", -10.0, {}, 0.0),
        ("<= 5 %", 4.0, {}, 125.0),
        ("<= 5 %", 10.0, {}, 50.0),
        ("<= 5 %", 0.0, {}, 130.0),  # infinitely better: the cap
        ("<= 5 %", 10.0, {"smaller": "complement"}, 0.0),
        ("<= 5 %", 6.0, {"smaller": "complement"}, 80.0),
        ("<= 5 %", 4.0, {"smaller": "complement"}, 120.0),
        ("<= -20 %", -25.0, {}, 125.0),
        ("<= -20 %", -10.0, {}, 50.0),
        ("<= -20 %", 5.0, {}, 0.0),
        (">= -5 %", -4.0, {}, 125.0),
        (">= -5 %", -10.0, {}, 50.0),
        (">= -5 %", 3.0, {}, 130.0),
    ],
)
def test_scores_by_direction(target: str, value: float, formula: dict[str, str], points: float) -> None:
    one = rule(rule="weighted", cap=130, formula=formula)
    assert achieved(one, entry("a", "met", value, target)) == pytest.approx(points)


@pytest.mark.parametrize(
    ("value", "points"), [(20.0, 100.0), (26.0, 100.0), (23.0, 100.0), (27.5, 50.0), (18.5, 50.0), (40.0, 0.0)]
)
def test_a_range_scores_by_how_far_outside_it_a_value_lies(value: float, points: float) -> None:
    ranged = entry("a", "met" if 20 <= value <= 26 else "not_met", value, "20..26 degC", unit="degC")
    assert achieved(rule(rule="weighted", formula={"range": "distance"}), ranged) == pytest.approx(points)
    assert achieved(rule(rule="weighted"), ranged) == (100.0 if points == 100 else 0.0)


@pytest.mark.parametrize(("verdict", "points"), [("met", 100.0), ("not_met", 0.0)])
def test_a_target_of_zero_has_no_ratio(verdict: str, points: float) -> None:
    for target in ("== 0 건", "<= 0 건"):
        found = entry("a", verdict, 0.0 if verdict == "met" else 2.0, target, unit="건")
        assert formula_of(rule(rule="weighted"), found) == "met"
        assert achieved(rule(rule="weighted"), found) == points


def test_values_that_are_no_number() -> None:
    late = entry("a", "not_met", None, "<= 5 s", unit="s", no_value="infinite")
    assert achieved(rule(rule="weighted"), late) == 0.0
    never_failed = entry("a", "met", None, ">= 2000 h", unit="h", no_value="no_failures")
    assert achieved(rule(rule="weighted"), never_failed) == 100.0
    assert achieved(rule(rule="weighted"), entry("a", "insufficient", None)) == 0.0


def test_a_kpi_of_several_promises_scores_as_its_worst() -> None:
    parts = [entry("x", "met", 99.0), entry("y", "not_met", 9.5, "<= 5 %")]
    found = entry("a", "not_met", 9.5, "<= 5 %", parts=parts)
    assert achieved(rule(rule="weighted"), found) == pytest.approx(100 * 5 / 9.5)


@pytest.mark.parametrize(
    ("keys", "verdict", "points"),
    [
        ({}, "inconclusive", 0.0),
        ({"open": 50}, "inconclusive", 50.0),
        ({"open": "achieved"}, "inconclusive", 100.0),
        ({"open": "achieved"}, "insufficient", 0.0),
        ({"insufficient": 10}, "insufficient", 10.0),
        ({"open": 50}, "met", 100.0),
        ({"open": 50}, "not_met", 100.0),
    ],
)
def test_an_open_verdict_has_the_value_that_the_plan_writes(keys: dict[str, Any], verdict: str, points: float) -> None:
    assert score(rule(rule="weighted", **keys), entry("a", verdict, 97.0)) == points


def test_the_score_is_the_weighted_mean() -> None:
    entries = [
        entry("a", "met", 97.0, weight=50),
        entry("b", "not_met", 10.0, "<= 5 %", weight=30),
        entry("c", "inconclusive", 96.0, weight=20),
    ]
    found = overall_of(rule(rule="weighted", open=40), entries)
    assert found["score"] == pytest.approx(0.5 * 100 + 0.3 * 50 + 0.2 * 40)
    assert (found["low"], found["high"]) == (pytest.approx(65.0), pytest.approx(85.0))
    assert found["verdict"] is None
    assert [part["verdict"] for part in found["parts"]] == ["met", "not_met", "inconclusive"]


@pytest.mark.parametrize(
    ("needed", "required", "expected"),
    [(80, "met", "met"), (98, "met", "not_met"), (80, "not_met", "not_met"), (80, "inconclusive", "inconclusive")],
)
def test_a_score_passes_only_with_every_required_kpi(needed: float, required: str, expected: str) -> None:
    entries = [entry("a", "met", 97.0, weight=90), entry("b", required, 50.0, ">= 80 %", weight=10, required=True)]
    one = rule(rule="weighted", open="achieved", **{"pass": needed})
    assert overall_of(one, entries)["verdict"] == expected


def test_without_weights_there_is_no_score() -> None:
    found = overall_of(rule(rule="weighted", **{"pass": 80}), [entry("a", "met")])
    assert (found["score"], found["verdict"]) == (None, None)


@pytest.mark.parametrize(
    "keys",
    [{"open": 120}, {"pass": 101}, {"cap": 0}, {"open": "later"}, {"rule": "best"}, {"formula": {"range": "ratio"}}],
)
def test_a_rule_that_cannot_be_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rule(**keys)


@pytest.mark.parametrize(
    "keys", [{}, {"rule": "weighted"}, {"rule": "weighted", "pass": 80}, {"rule": "weighted", "pass": 99}]
)
@pytest.mark.parametrize("verdicts", [("met", "met"), ("met", "not_met"), ("inconclusive", "insufficient")])
@pytest.mark.parametrize("weight", [0, 50])
def test_the_answer_is_one_sentence_in_both_languages(
    keys: dict[str, Any], verdicts: tuple[str, str], weight: int
) -> None:
    entries = [entry(f"지표{i}", verdict, weight=weight, required=True) for i, verdict in enumerate(verdicts)]
    for text in overall_of(rule(**keys), entries)["why"].values():
        assert text.endswith(".") and text.count(". ") == 0
        assert "None" not in text and "{" not in text and "nan" not in text.lower()


def test_the_sentence_names_what_was_missed() -> None:
    found = overall_of(rule(), [entry("성공률", "met", required=True), entry("가동률", "not_met", required=True)])
    assert found["why"]["ko"] == "필수 지표 2개 중 가동률을 달성하지 못했습니다(달성 1, 미달성 1)."
    weighted = overall_of(rule(rule="weighted", **{"pass": 80}), [entry("성공률", "met", weight=100)])
    assert weighted["why"]["ko"] == "가중 평균 100점(지표별 상한 100점)이 통과 기준 80점 이상이므로 달성입니다(달성 1)."

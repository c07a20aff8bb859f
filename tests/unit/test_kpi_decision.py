"""From numbers to status and verdict, case by case, and what the sentence behind each says."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.units import UnitError
from core.window import date_window
from devices.plan.target import parse_bounds
from kpi.decision import Chance, Decision, Ends, Evidence, Rule, Scope, Status, Terms, Verdict, status, verdict, worst
from kpi.quantity import converted, unit_for
from kpi.sentences import SENTENCES, Said, why

SEOUL = ZoneInfo("Asia/Seoul")


def terms(target: str = ">= 95 %", scope: Scope = "period", rule: Rule = "estimate") -> Terms:
    return Terms(target=parse_bounds(target), scope=scope, rule=rule, completeness=0.75)


def evidence(value: float | None, low: float | None = None, high: float | None = None, **changes: Any) -> Evidence:
    ends = None if value is None else Ends(low=value if low is None else low, high=value if high is None else high)
    usual: dict[str, Any] = {"value": value, "gaps": ends, "filled": None, "chance": None, "completeness": 1.0}
    return Evidence(**(usual | changes))


def around(below: float, above: float, below_missed: float | None = None, above_missed: float | None = None) -> Chance:
    return Chance(
        below=below,
        above=above,
        below_missed=below if below_missed is None else below_missed,
        above_missed=above if above_missed is None else above_missed,
    )


# --- Verdicts


@pytest.mark.parametrize(
    ("target", "value", "expected"),
    [
        (">= 95 %", 95.0, Verdict.MET),
        (">= 95 %", 94.99999999999999, Verdict.NOT_MET),
        ("> 95 %", 95.0, Verdict.NOT_MET),
        ("<= 5 s", 5.0, Verdict.MET),
        ("< 5 s", 5.0, Verdict.NOT_MET),
        ("20..26 degC", 26.0, Verdict.MET),
        ("20..26 degC", 26.1, Verdict.NOT_MET),
        ("20..26 degC", 19.9, Verdict.NOT_MET),
        ("== 0", 0.0, Verdict.MET),
        ("== 0", 1.0, Verdict.NOT_MET),
    ],
)
def test_an_estimate_is_compared_unrounded(target: str, value: float, expected: Verdict) -> None:
    assert verdict(evidence(value), terms(target)).answer == expected


def test_gaps_of_nobody_decide_only_where_both_ends_agree() -> None:
    assert verdict(evidence(97, 95, 98), terms()).answer == Verdict.MET
    assert verdict(evidence(90, 85, 94.9), terms()).answer == Verdict.NOT_MET
    assert verdict(evidence(97, 80, 98), terms()).answer == Verdict.INCONCLUSIVE
    assert verdict(evidence(97, 80, 98), terms()).reason == "gaps_open"


@pytest.mark.parametrize(
    ("target", "value", "chance", "expected"),
    [
        (">= 95 %", 97.0, around(2, 1), Verdict.MET),
        (">= 95 %", 97.0, around(2.1, 1), Verdict.INCONCLUSIVE),
        (">= 95 %", 93.0, around(1, 1.9), Verdict.NOT_MET),
        (">= 95 %", 93.0, around(1, 2), Verdict.INCONCLUSIVE),
        ("<= 5 s", 4.0, around(9, 1), Verdict.MET),
        ("< 5 s", 4.0, around(9, 1), Verdict.INCONCLUSIVE),
        ("<= 5 s", 6.5, around(1, 9), Verdict.NOT_MET),
        ("20..26 degC", 23.0, around(3, 3), Verdict.MET),
        ("20..26 degC", 23.0, around(3, 3.1), Verdict.INCONCLUSIVE),
        ("20..26 degC", 28.0, around(1.5, 1.5), Verdict.NOT_MET),
        ("20..26 degC", 18.0, around(1.5, 1.5), Verdict.NOT_MET),
        ("== 0", 0.0, around(0, 2), Verdict.INCONCLUSIVE),
    ],
)
def test_bounds_decide_with_confidence(target: str, value: float, chance: Chance, expected: Verdict) -> None:
    found = verdict(evidence(value, chance=chance), terms(target, "capability", "confident"))
    assert found.answer == expected


def test_what_happened_has_no_sampling_uncertainty() -> None:
    sure = evidence(97.0, chance=around(50, 50))
    assert verdict(sure, terms(scope="period", rule="confident")).answer == Verdict.MET
    assert verdict(sure, terms(scope="capability", rule="estimate")).answer == Verdict.MET
    assert verdict(sure, terms(scope="capability", rule="confident")).answer == Verdict.INCONCLUSIVE


def test_without_an_interval_there_is_no_confident_verdict() -> None:
    found = verdict(evidence(97.0, no_chance="few_weeks"), terms(scope="capability", rule="confident"))
    assert (found.answer, found.reason) == (Verdict.INCONCLUSIVE, "few_weeks")


def test_not_met_of_the_worst_of_several_takes_the_wider_bound() -> None:
    chance = around(1, 1.5, 3, 2.5)
    rule = terms(scope="capability", rule="confident")
    assert verdict(evidence(93.0, chance=chance), rule).answer == Verdict.INCONCLUSIVE
    assert verdict(evidence(92.0, chance=chance), rule).answer == Verdict.NOT_MET
    assert verdict(evidence(96.0, chance=chance), rule).answer == Verdict.MET


@pytest.mark.parametrize(
    ("completeness", "quarters", "reason"),
    [(0.74, (), "incomplete"), (None, (), "incomplete"), (0.9, (0.99, 0.74, 0.99), "incomplete_quarter")],
)
def test_too_little_data_is_insufficient(completeness: float | None, quarters: tuple[float, ...], reason: str) -> None:
    found = verdict(evidence(99.0, completeness=completeness, quarters=quarters), terms())
    assert (found.answer, found.reason) == (Verdict.INSUFFICIENT, reason)
    assert verdict(evidence(99.0, completeness=0.75, quarters=(0.75,)), terms()).answer == Verdict.MET


def test_a_quarter_of_which_nothing_is_expected_lacks_nothing() -> None:
    assert verdict(evidence(99.0, quarters=(None, 0.9)), terms()).answer == Verdict.MET


def test_escape_where_what_is_missing_cannot_change_the_answer() -> None:
    few = {"completeness": 0.5}
    assert verdict(evidence(99.0, filled=Ends(low=95.5, high=99.9), **few), terms()).answer == Verdict.MET
    assert verdict(evidence(40.0, filled=Ends(low=20, high=70), **few), terms()).answer == Verdict.NOT_MET
    assert verdict(evidence(97.0, filled=Ends(low=60, high=99), **few), terms()).answer == Verdict.INSUFFICIENT
    confident = terms(scope="capability", rule="confident")
    filled = Ends(low=95.5, high=99.9)
    assert verdict(evidence(99.0, filled=filled, chance=around(1, 1), **few), confident).answer == Verdict.INSUFFICIENT
    assert verdict(evidence(99.0, filled=filled, chance=around(0.5, 1), **few), confident).answer == Verdict.MET
    assert verdict(evidence(99.0, filled=filled, **few), confident).answer == Verdict.INSUFFICIENT


def test_no_value_is_insufficient() -> None:
    assert verdict(evidence(None), terms()).answer == Verdict.INSUFFICIENT


# --- Statuses


@pytest.mark.parametrize(
    ("found", "scope", "expected", "reason"),
    [
        (evidence(97.0), "period", Status.ON_TRACK, "value_holds"),
        (evidence(97.0, 96.0, 98.0), "period", Status.ON_TRACK, "gaps_hold"),
        (evidence(97.0, 80.0, 98.0), "period", Status.WATCH, "gaps_miss"),
        (evidence(94.0, 80.0, 98.0), "period", Status.AT_RISK, "value_misses"),
        (evidence(97.0, chance=around(1, 1)), "capability", Status.ON_TRACK, "bound_holds"),
        (evidence(97.0, chance=around(3, 1)), "capability", Status.WATCH, "bound_misses"),
        (evidence(97.0, no_chance="few_weeks"), "capability", Status.WATCH, "watch_few_weeks"),
        (evidence(94.0, chance=around(1, 3)), "capability", Status.AT_RISK, "value_misses"),
        (evidence(None), "period", Status.INSUFFICIENT, "no_value"),
    ],
)
def test_statuses(found: Evidence, scope: Scope, expected: Status, reason: str) -> None:
    decision = status(found, terms(scope=scope), month_completeness=0.75)
    assert (decision.answer, decision.reason) == (expected, reason)


@pytest.mark.parametrize("share", [0.7499, 0.0, None])
def test_a_month_with_too_little_data_is_insufficient_whatever_it_shows(share: float | None) -> None:
    assert status(evidence(99.0), terms(), month_completeness=share).answer == Status.INSUFFICIENT


# --- Several slots


def test_all_slots_must_meet_the_target() -> None:
    def decided(*answers: Status | Verdict) -> int:
        return worst([Decision(answer=answer, reason="") for answer in answers])

    assert decided(Verdict.MET, Verdict.INCONCLUSIVE, Verdict.NOT_MET, Verdict.INSUFFICIENT) == 2
    assert decided(Verdict.MET, Verdict.INCONCLUSIVE, Verdict.INSUFFICIENT) == 2
    assert decided(Verdict.MET, Verdict.MET) == 0
    assert decided(Status.ON_TRACK, Status.WATCH, Status.INSUFFICIENT, Status.AT_RISK) == 3


# --- Units


@given(st.integers(0, 10_000))
def test_a_value_on_its_bound_is_so_in_every_unit(basis_points: int) -> None:
    """95 of 100 against 0.95, against 95 %: floating point alone gets one in three of these wrong."""
    percent = 100 * basis_points / 10_000
    share = parse_bounds(f">= {basis_points / 10_000}")
    assert converted(percent, "%", "") == share.low
    assert converted(percent, "%", "") in share


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (5000.0, "ms", "s", 5.0),
        (0.035, "mg/m^3", "ug/m^3", 35.0),
        (22.0, "degC", "degF", 71.6),
        (1.1, "h", "min", 66.0),
    ],
)
def test_results_are_converted_exactly(value: float, source: str, target: str, expected: float) -> None:
    assert converted(value, source, target) == expected


def test_a_length_is_no_time() -> None:
    with pytest.raises(UnitError):
        converted(1.0, "m", "s")


def test_a_target_without_a_unit_takes_the_measures() -> None:
    assert unit_for(parse_bounds("== 0"), "W") == "W"
    assert unit_for(parse_bounds(">= 0.95"), "%") == ""
    assert unit_for(parse_bounds("<= 5 s"), "ms") == "s"


# --- Sentences


def said(**changes: Any) -> Said:
    usual: dict[str, Any] = {
        "value": 97.123, "unit": "%", "target": parse_bounds(">= 95 %"), "n": 12_345, "what": "readings", "alpha": 0.025,
        "limit": 0.75, "completeness": 0.98765, "month_completeness": 0.7496, "zone": SEOUL,
        "quarters": ((date_window(date(2026, 3, 1), date(2026, 7, 1), SEOUL), 0.66),),
    }  # fmt: skip
    return Said(**(usual | changes))


@pytest.mark.parametrize("reason", SENTENCES)
@pytest.mark.parametrize("value", [97.123, None])
def test_every_reason_is_one_sentence_in_both_languages(reason: str, value: float | None) -> None:
    decision = Decision(answer=Verdict.MET, reason=reason, ends=Ends(low=96.01, high=98.2), quarter=0)
    found = why(decision, said(value=value))
    for text in found.values():
        assert text.endswith(".")
        assert "{" not in text and "nan" not in text.lower() and "None" not in text


def test_a_sentence_names_the_numbers() -> None:
    decision = Decision(answer=Verdict.MET, reason="bound_met", ends=Ends(low=96.01, high=98.2))
    found = why(decision, said(company_s=43_200, failures=(2, 1)))
    assert found["ko"] == (
        "측정 결과 97.1 %, 신뢰한계(한쪽 97.5 %)는 96.0 ~ 98.2 %이므로 목표(95 % 이상)를 달성했습니다"
        "(표본수 12,345, 자료획득률 98.8 %, 참여기업 귀책 12시간, 번호 누락 2건, 미종료 1건)."
    )
    assert found["en"].startswith("With a value of 97.1 % and confidence bounds (one-sided 97.5 %) of 96.0 to 98.2 %")


def test_a_sentence_prints_as_many_digits_as_it_needs() -> None:
    decision = Decision(answer=Status.INSUFFICIENT, reason="month_incomplete")
    found = why(decision, said(value=94.96, cumulative=True))
    assert "74.96 %" in found["ko"] and "94.96 %" in found["ko"]


def test_a_percentiles_bounds_are_of_a_share() -> None:
    decision = Decision(answer=Verdict.MET, reason="bound_met", ends=Ends(low=0.9551, high=0.97))
    found = why(decision, said(unit="s", target=parse_bounds("<= 5 s"), value=4.2, share=(0.96, 0.95)))
    assert "95.5 ~ 97.0 %(필요 95.0 %)" in found["ko"]

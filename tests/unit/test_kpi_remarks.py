"""What a sentence adds of exclusions, outages, other devices and amended targets; and that of a KPI with several promises."""

from __future__ import annotations

from typing import Any

import pytest

from devices.plan.model import Kpi
from kpi.compound import compound
from kpi.remarks import remarked

SAID = {"ko": "목표를 달성했습니다(표본수 9).", "en": "The target is met (n = 9)."}


def entry(**more: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {"unit": "%", "target": {"text": ">= 95 %"}, "value": 97.0, "reason": "value_met", "why": SAID,
                             "excluded_s": 0.0, "without": {}, "targets": []}  # fmt: skip
    return usual | more


def one_sentence(why: dict[str, str]) -> None:
    for text in why.values():
        assert text.endswith(".") and ". " not in text.removesuffix(".") and "None" not in text


def test_nothing_to_remark_leaves_the_sentence_as_it_is() -> None:
    assert remarked(entry())["why"] == SAID


def test_both_numbers_of_an_exclusion() -> None:
    found = remarked(entry(excluded_s=7200.0, without={"exclusions": {"value": 96.2}}))["why"]
    assert found["ko"] == "목표를 달성했습니다(표본수 9); 평가 제외 구간 2시간을 빼지 않으면 96.2 %."
    assert found["en"] == "The target is met (n = 9); 96.2 % with the excluded 2 h counted."


def test_an_exclusion_that_turns_the_verdict_has_told_both_already() -> None:
    turned = entry(excluded_s=7200.0, reason="exclusion_turns", without={"exclusions": {"value": 94.0}})
    assert remarked(turned)["why"] == SAID


def test_outages_are_told_where_they_change_the_value() -> None:
    assert "합의한 장애를 빼지 않으면 95.9 %" in remarked(entry(without={"outages": {"value": 95.9}}))["why"]["ko"]
    assert remarked(entry(without={"outages": {"value": 97.0}}))["why"] == SAID
    assert "값 없음" in remarked(entry(without={"outages": {"value": None}}))["why"]["ko"]


def test_segments_and_amended_targets() -> None:
    rows = [
        {"slot": "a", "start": "2026-03-01", "cause": None, "value": 90.0},
        {"slot": "a", "start": "2026-05-01", "cause": "device", "value": 98.0},
        {"slot": "a", "start": "2026-06-01", "cause": "firmware", "value": 99.0},
    ]
    targets = [{"ko": "90 % 이상", "en": "≥ 90 %"}, {"ko": "95 % 이상", "en": "≥ 95 %"}]
    found = remarked(entry(segments=rows, last_segment={"value": 99.0}, targets=targets))["why"]
    assert "장비·모델·펌웨어가 2번 바뀌었고 마지막 구간은 99.0 %" in found["ko"]
    assert "협약변경 전 목표는 90 % 이상" in found["ko"]
    assert "changed 2 times" in found["en"] and "≥ 90 %" in found["en"]
    one_sentence(found)


def test_figures_of_another_promise_are_not_told_in_this_ones_unit() -> None:
    without = {"exclusions": {"value": 3.0, "part": 1}}
    assert remarked(entry(part=0, excluded_s=7200.0, without=without))["why"] == SAID
    several = entry(
        part=1,
        segments=[{"slot": "a", "start": "x", "cause": "model"}],
        last_segment=[{"value": 1.0}, {"value": 96.0}],
        pooling=[
            None,
            {
                "pooled": False,
                "unit": "degC",
                "changes": [{"slot": "a", "day": "2026-05-01", "agrees": False, "pair": None}],
            },
        ],
    )
    assert "96.0 %" in remarked(several)["why"]["ko"]


@pytest.mark.parametrize(
    ("verdicts", "chosen"), [(("met", "met"), 0), (("met", "not_met"), 1), (("inconclusive", "met"), 0)]
)
def test_a_kpi_of_several_promises_says_in_one_sentence_which_decides(verdicts: tuple[str, str], chosen: int) -> None:
    promise = {"measure": {"availability": {}}, "target": ">= 95 %"}
    kpi = Kpi.model_validate({"name": "안전", "all": [promise, promise]})
    parts = [
        {"name": f"조건{i}", "verdict": verdict, "why": {"ko": f"까닭{i}입니다.", "en": f"Reason {i}."}}
        for i, verdict in enumerate(verdicts)
    ]
    found = compound(kpi, parts)
    assert (found["part"], found["verdict"], found["name"]) == (chosen, verdicts[chosen], "안전")
    assert f"까닭{chosen}입니다" in found["why"]["ko"] and "조건 2개를 모두 충족해야 하며" in found["why"]["ko"]
    assert f"Reason {chosen}" in found["why"]["en"]
    one_sentence(found["why"])

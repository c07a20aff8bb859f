"""How readings come, and where they lead."""

from __future__ import annotations

from typing import Final

RULES: Final[dict[str, tuple[str, str]]] = {
    "delay-stat": (
        "the statistic of a delay is max or a percentile such as p95: with a lost message a mean is infinite",
        "지연의 통계는 max 또는 p95와 같은 백분위입니다: 유실이 하나라도 있으면 평균은 무한대입니다",
    ),
    "exposure-one": (
        "a share is of time, of {{increase: counter}} or of {{integral: channel}}",
        "비율의 기준(of)은 time, {{increase: 카운터}}, {{integral: 항목}} 가운데 하나입니다",
    ),
    "exposure-not-at": (
        "no slot of this KPI has both {channel} and {exposure}: a share needs them at the same slot",
        "{channel}과(와) {exposure}이(가) 함께 있는 지점이 없습니다: 두 항목이 같은 지점에 있어야 합니다",
    ),
    "where-not-at": (
        "no slot of this KPI has both {measured} and {channel}: a condition is told by a channel of the same slot",
        "{measured}과(와) {channel}이(가) 함께 있는 지점이 없습니다: 조건은 같은 지점의 항목으로 판단합니다",
    ),
    "sequence-counter": (
        "frame numbers are a counter: write kind: counter for {channel}",
        "프레임 번호는 카운터입니다: {channel}에 kind: counter를 쓰십시오",
    ),
    "sequence-first": (
        "the first number is below the wrap ({wrap})",
        "첫 번호는 순환값({wrap})보다 작아야 합니다",
    ),
    "sequence-reset": (
        "reset is rejoin, or a kind of event of the slot; there are: {known}{guess}",
        "reset에는 rejoin이나 지점의 발생 기록 종류를 씁니다. 있는 종류: {known}{guess}",
    ),
    "forecast-number": (
        "{channel} is a state: a forecast needs a number that goes down",
        "{channel}은(는) 상태입니다: 예측에는 줄어드는 숫자 항목이 필요합니다",
    ),
    "forecast-unit": (
        "{channel} is measured in {unit}: write the level in that dimension, with its unit",
        "{channel}의 단위는 {unit}입니다: 같은 차원의 단위를 붙여 쓰십시오",
    ),
    "forecast-required": (
        "a forecast is reported and never met, so that no KPI can require it: leave required out",
        "예측치는 보고만 하고 달성으로 판정하지 않으므로 필수 지표가 될 수 없습니다: required를 지우십시오",
    ),
    "forecast-among": (
        "a forecast is reported and never met, so it is no condition among others: give it a KPI of its own",
        "예측치는 달성으로 판정하지 않으므로 여러 조건 가운데 하나가 될 수 없습니다: 별도 지표로 쓰십시오",
    ),
    "condition-unknown": (
        "the plan has no such condition; it has: {known}{guess}",
        "계획의 conditions에 없습니다. 있는 조건: {known}{guess}",
    ),
}

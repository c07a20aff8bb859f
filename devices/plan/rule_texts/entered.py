"""What people enter."""

from __future__ import annotations

from typing import Final

RULES: Final[dict[str, tuple[str, str]]] = {
    "manual-hours": (
        "what people enter has windows of its own: hours and days do not cut it",
        "수기 관측값은 저마다 기간이 있으므로 hours와 days를 쓸 수 없습니다",
    ),
    "manual-per-rate": (
        "per is of a rate: write stat: rate",
        "per는 비율에 씁니다: stat: rate로 쓰십시오",
    ),
    "manual-exposure-count": (
        "an exposure is of a count: write kind: count, or leave it out",
        "exposure는 건수(kind: count)에만 씁니다",
    ),
    "manual-sample-range": (
        "a sample has a least and a most answer: write range, as in [1, 5]",
        "표본에는 답의 최솟값과 최댓값이 있어야 합니다: range를 [1, 5]처럼 쓰십시오",
    ),
    "manual-range-order": (
        "a range runs from the least to the most",
        "range는 작은 값에서 큰 값의 순서로 씁니다",
    ),
    "manual-unknown": (
        "it is none of the plan's manual quantities ({known}){guess}",
        "manual에 없는 항목입니다. 있는 항목: {known}{guess}",
    ),
    "manual-stat": (
        "{quantity} is a {kind}, which has: {known}",
        "{quantity}은(는) {kind}이며 쓸 수 있는 통계량은 {known}입니다",
    ),
    "manual-no-exposure": (
        "{quantity} has no exposure to divide by: give it one, or write stat: sum",
        "{quantity}에는 나눌 exposure가 없습니다: exposure를 쓰거나 stat: sum으로 쓰십시오",
    ),
    "manual-per": (
        "the exposure of {quantity} is named {known}",
        "{quantity}의 exposure 이름은 {known}입니다",
    ),
    "manual-slot": (
        "the entries of {quantity} are of: {known}",
        "{quantity}을(를) 입력하는 지점은 {known}입니다",
    ),
}

"""The sentence behind each reason of a decision, Korean and English, with places for the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

GAPS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "silence": (
        "귀책을 알 수 없는 무신호 시간을 불리하게 또는 유리하게 보면",
        "taking the silence that no record charges to anybody against or in favour",
    ),
    "events": (
        "해당 여부를 알 수 없는 발생 기록을 빼거나 더하면",
        "leaving out or counting the events of which nobody knows whether they count",
    ),
    "restarts": (
        "다시 시작한 카운터를 첫 값부터 또는 0부터 세면",
        "counting a restarted counter from its first value or from zero",
    ),
})  # fmt: skip
"""What keeps the ends apart, as ``open_by`` of a measurement says."""

SENTENCES: Mapping[str, tuple[str, str]] = MappingProxyType({
    # Verdicts
    "no_value": (
        "이 기간에 {what}이 없어 값을 낼 수 없습니다({basis}).",
        "There are no {what} in this window, so there is no value ({basis}).",
    ),
    "incomplete": (
        "자료획득률이 {completeness}이며 최소 기준({limit})에 못 미쳐 판정하지 않습니다({value}, {counted}).",
        "The completeness of {completeness} is below the least of {limit}, so no verdict is given ({value}, {counted}).",
    ),
    "incomplete_quarter": (
        "{quarter} 자료획득률이 {quarter_completeness}이며 최소 기준({limit})에 못 미쳐 판정하지 않습니다({value},"
        " {counted}).",
        "In {quarter} the completeness of {quarter_completeness} is below the least of {limit}, so no verdict is given"
        " ({value}, {counted}).",
    ),
    "escape_met_incomplete": (
        "자료획득률이 {completeness}이며 최소 기준({limit})에 못 미치나, 없는 자료를 모두 불리하게 보아도 {range}이므로"
        " 목표({target})를 달성했습니다({counted}).",
        "The completeness of {completeness} is below {limit}, yet with everything missing at its worst the value is {range}:"
        " the target ({target}) is met ({counted}).",
    ),
    "escape_met_incomplete_quarter": (
        "{quarter} 자료획득률이 {quarter_completeness}이며 최소 기준({limit})에 못 미치나, 없는 자료를 모두 불리하게 보아도"
        " {range}이므로 목표({target})를 달성했습니다({counted}).",
        "In {quarter} the completeness of {quarter_completeness} is below {limit}, yet with everything missing at its worst"
        " the value is {range}: the target ({target}) is met ({counted}).",
    ),
    "escape_not_met_incomplete": (
        "자료획득률이 {completeness}이며 최소 기준({limit})에 못 미치고, 없는 자료를 모두 유리하게 보아도 {range}이므로"
        " 목표({target})를 달성하지 못했습니다({counted}).",
        "The completeness of {completeness} is below {limit}, and even with everything missing at its best the value is {range}:"
        " the target ({target}) is not met ({counted}).",
    ),
    "escape_not_met_incomplete_quarter": (
        "{quarter} 자료획득률이 {quarter_completeness}이며 최소 기준({limit})에 못 미치고, 없는 자료를 모두 유리하게 보아도"
        " {range}이므로 목표({target})를 달성하지 못했습니다({counted}).",
        "In {quarter} the completeness of {quarter_completeness} is below {limit}, and even with everything missing at its"
        " best the value is {range}: the target ({target}) is not met ({counted}).",
    ),
    "value_met": (
        "{value}이므로 목표({target})를 달성했습니다({basis}).",
        "With {value} the target ({target}) is met ({basis}).",
    ),
    "value_not_met": (
        "{value}이므로 목표({target})를 달성하지 못했습니다({basis}).",
        "With {value} the target ({target}) is not met ({basis}).",
    ),
    "gaps_open": (
        "{value}이나 {gaps} {range}이므로 목표({target})의 달성 여부를 정할 수 없습니다({basis}).",
        "{value}, but {gaps} gives {range}: whether the target ({target}) is met stays open ({basis}).",
    ),
    "bound_met": (
        "{value}, 신뢰한계({level})는 {range}이므로 목표({target})를 달성했습니다({basis}).",
        "With {value} and confidence bounds ({level}) of {range} the target ({target}) is met ({basis}).",
    ),
    "bound_not_met": (
        "{value}, 신뢰한계({level})는 {range}이므로 목표({target})를 달성하지 못했습니다({basis}).",
        "With {value} and confidence bounds ({level}) of {range} the target ({target}) is not met ({basis}).",
    ),
    "bound_open": (
        "{value}, 신뢰한계({level})는 {range}이며 목표({target})의 경계를 사이에 두고 있어 판정을 유보합니다({basis}).",
        "With {value} the confidence bounds ({level}) of {range} lie on both sides of the target ({target}): no verdict yet"
        " ({basis}).",
    ),
    "guard_met": (
        "{value}, 보호대역({guard})을 둔 범위는 {range}이므로 목표({target})를 달성했습니다({basis}).",
        "With {value} and a guard band ({guard}) the range is {range}: the target ({target}) is met ({basis}).",
    ),
    "guard_not_met": (
        "{value}, 보호대역({guard})을 둔 범위는 {range}이므로 목표({target})를 달성하지 못했습니다({basis}).",
        "With {value} and a guard band ({guard}) the range is {range}: the target ({target}) is not met ({basis}).",
    ),
    "guard_open": (
        "{value}, 보호대역({guard})을 둔 범위는 {range}이며 목표({target})의 경계를 사이에 두고 있어 판정을 유보합니다({basis}).",
        "With {value} and a guard band ({guard}) the range of {range} lies on both sides of the target ({target}): no verdict yet"
        " ({basis}).",
    ),
    "no_uncertainty": (
        "{value}이나 계측기의 불확도를 알 수 없어(교정성적서가 없고 이 측정량의 등급 기본값도 없음) 판정을 유보합니다"
        "(목표 {target}, {basis}).",
        "{value}, but nothing is known of the instrument's uncertainty (no certificate, and no class default for this quantity):"
        " no verdict yet (target {target}, {basis}).",
    ),
    "few_weeks": (
        "{value}이나 주 단위 구간이 {least_weeks}개에 못 미쳐 신뢰한계를 낼 수 없으므로 판정을 유보합니다"
        "(목표 {target}, {basis}).",
        "{value}, but there are fewer than {least_weeks} weeks, so no confidence bounds: no verdict yet"
        " (target {target}, {basis}).",
    ),
    "under_a_year": (
        "{value}이나 백분위수는 1년 미만의 자료로 신뢰한계를 내지 않으므로 판정을 유보합니다(목표 {target}, {basis}).",
        "{value}, but a percentile of less than a year has no confidence bounds: no verdict yet (target {target}, {basis}).",
    ),
    "no_interval": (
        "{value}이나 이 통계량에는 신뢰한계가 없으므로 판정을 유보합니다(목표 {target}, {basis}).",
        "{value}, but this statistic has no confidence bounds: no verdict yet (target {target}, {basis}).",
    ),
    # Statuses of a month
    "month_incomplete": (
        "이달의 자료획득률이 {month_completeness}이며 최소 기준({limit})에 못 미칩니다({value}, {counted}).",
        "This month's completeness of {month_completeness} is below the least of {limit} ({value}, {counted}).",
    ),
    "value_holds": (
        "{value}이며 목표({target})를 충족하고 있습니다({basis}).",
        "{value}, which holds the target ({target}; {basis}).",
    ),
    "bound_holds": (
        "{value}, 신뢰한계({level})도 {range}이며 목표({target})를 충족하고 있습니다({basis}).",
        "{value}, and its confidence bounds ({level}) of {range} hold the target ({target}) too ({basis}).",
    ),
    "gaps_hold": (
        "{value}이며, {gaps} {range}이므로 어느 쪽이든 목표({target})를 충족하고 있습니다({basis}).",
        "{value}; {gaps} gives {range}, which holds the target ({target}) either way ({basis}).",
    ),
    "guard_holds": (
        "{value}이며, 보호대역({guard})을 둔 범위도 {range}이므로 목표({target})를 충족하고 있습니다({basis}).",
        "{value}, and with a guard band ({guard}) the range of {range} holds the target ({target}) too ({basis}).",
    ),
    "guard_misses": (
        "{value}이며 목표({target})를 충족하나, 보호대역({guard})을 둔 범위는 {range}이므로 아직 확실하지 않습니다({basis}).",
        "{value}, which holds the target ({target}), but with a guard band ({guard}) the range of {range} does not yet"
        " ({basis}).",
    ),
    "watch_no_uncertainty": (
        "{value}이며 목표({target})를 충족하나, 계측기의 불확도를 알 수 없습니다(교정성적서가 없고 이 측정량의 등급 기본값도"
        " 없음; {basis}).",
        "{value}, which holds the target ({target}), but nothing is known of the instrument's uncertainty (no certificate, and"
        " no class default for this quantity; {basis}).",
    ),
    "bound_misses": (
        "{value}이며 목표({target})를 충족하나, 신뢰한계({level})는 {range}이므로 아직 확실하지 않습니다({basis}).",
        "{value}, which holds the target ({target}), but the confidence bounds ({level}) of {range} do not yet ({basis}).",
    ),
    "gaps_miss": (
        "{value}이며 목표({target})를 충족하나, {gaps} {range}입니다({basis}).",
        "{value}, which holds the target ({target}), but {gaps} gives {range} ({basis}).",
    ),
    "watch_few_weeks": (
        "{value}이며 목표({target})를 충족하나, 주 단위 구간이 {least_weeks}개가 될 때까지 신뢰한계를 낼 수 없습니다({basis}).",
        "{value}, which holds the target ({target}); there are no confidence bounds before {least_weeks} weeks ({basis}).",
    ),
    "watch_under_a_year": (
        "{value}이며 목표({target})를 충족하나, 백분위수는 1년 미만의 자료로 신뢰한계를 내지 않습니다({basis}).",
        "{value}, which holds the target ({target}); a percentile of less than a year has no confidence bounds ({basis}).",
    ),
    "watch_no_interval": (
        "{value}이며 목표({target})를 충족하나, 이 통계량에는 신뢰한계가 없습니다({basis}).",
        "{value}, which holds the target ({target}); this statistic has no confidence bounds ({basis}).",
    ),
    "value_misses": (
        "{value}이며 목표({target})에 미치지 못하고 있습니다({basis}).",
        "{value}, which misses the target ({target}; {basis}).",
    ),
})  # fmt: skip

NOTED: Mapping[str, tuple[str, str]] = MappingProxyType({
    "never_begun": ("시작 누락 {n}건", "{n} without a start"),
    "backwards": ("종료가 시작보다 이른 기록 {n}건", "{n} that end before they start"),
    "unclear": ("속성 불명 {n}건", "{n} with attributes unknown"),
    "restarts": ("카운터 재시작 {n}회", "{n} restarts of the counter"),
    "wraps": ("카운터 순환 {n}회", "{n} wraps of the counter"),
})  # fmt: skip
"""Facts of a measurement that stand beside its value where there are any."""

WHAT: Mapping[str, tuple[str, str]] = MappingProxyType({
    "readings": ("측정값", "readings"),
    "failures": ("가동 시간", "operating times"),
    "events": ("발생 기록", "events"),
    "time": ("판단할 수 있는 시간", "known times"),
    "exposure": ("발생 건수를 나눌 기준(가동 시간·거리 등)", "exposures (up time, a distance) to count the events by"),
})  # fmt: skip
"""What a value is computed from, as ``what`` of a :class:`kpi.sentences.Said` says."""

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
    "labels": (
        "두 기록자의 라벨이 엇갈린 것을 어느 쪽으로 보느냐에 따라",
        "taking the one or the other of two readers where their labels differ",
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
    "refused": (
        "{refusal}({basis}).",
        "{refusal} ({basis}).",
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
    "too_few": (
        "표본수가 {n}이며 최소 표본수({least_n})에 못 미쳐 판단하지 않습니다({value}, 목표 {target}).",
        "There are {n} of the {least_n} that the plan asks for at least, so nothing is decided ({value}, target {target}).",
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
    "forecast": (
        "{value}, 예측구간({level})은 {range}입니다. 예측치는 보고만 하고 달성으로 판정하지 않습니다(목표 {target}, {basis}).",
        "{value}, its prediction interval ({level}) being {range}: a forecast is reported and never met"
        " (target {target}, {basis}).",
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
    "few_trials": (
        "{value}이나 시험 횟수가 적어 신뢰한계를 낼 수 없으므로 판정을 유보합니다(목표 {target}, {basis}).",
        "{value}, but there are too few trials for confidence bounds: no verdict yet (target {target}, {basis}).",
    ),
    "watch_few_trials": (
        "{value}이며 목표({target})를 충족하나, 시험 횟수가 적어 아직 신뢰한계를 낼 수 없습니다({basis}).",
        "{value}, which holds the target ({target}); there are too few trials for confidence bounds ({basis}).",
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
    "missed": ("미탐지 {n}건", "{n} missed"),
    "false_alarm": ("오경보 {n}건", "{n} false alarms"),
    "missed_down": ("장비 정지 중 미탐지 {n}건", "{n} missed while the device was down"),
    "uncharged": ("귀책 불명 {n}건", "{n} that nobody is charged with"),
    "not_blind": ("경보를 보고 붙여 세지 않은 라벨 {n}건", "{n} labels not counted, made seeing the alerts"),
    "wrong_side": ("정해진 측이 아니어서 세지 않은 라벨 {n}건", "{n} labels not counted, of another side"),
    "outside_sample": ("표본 밖이라 세지 않은 라벨 {n}건", "{n} labels not counted, outside of the sample"),
    "unlabelled_windows": ("라벨이 없는 표본 구간 {n}개", "{n} windows of the sample without a label"),
    "unlabelled_alerts": ("라벨이 없는 때의 경보 {n}건", "{n} alerts where nobody labelled"),
    "disagreed": ("이중 라벨 불일치 {n}건", "{n} on which two readers disagree"),
    "double_lack": ("이중 라벨 {n}건 부족", "{n} second labels lacking"),
    "never_begun": ("시작 누락 {n}건", "{n} without a start"),
    "backwards": ("종료가 시작보다 이른 기록 {n}건", "{n} that end before they start"),
    "unclear": ("속성 불명 {n}건", "{n} with attributes unknown"),
    "days": ("비교한 날 {n}일", "{n} days compared"),
    "days_holiday": ("공휴일이라 뺀 날 {n}일", "{n} left out for public holidays"),
    "days_no_pair": ("짝이 없어 뺀 날 {n}일", "{n} without a counterpart"),
    "days_gap": ("자료가 부족해 뺀 날 {n}일", "{n} lacking data"),
    "days_baseline_gap": ("기준값 자료가 부족해 뺀 날 {n}일", "{n} lacking data of the baseline"),
    "days_control_gap": ("대조 지점 자료가 부족해 뺀 날 {n}일", "{n} lacking data of a control"),
    "days_weather": ("기온이 없어 뺀 날 {n}일", "{n} without a temperature"),
    "restarts": ("카운터 재시작 {n}회", "{n} restarts of the counter"),
    "manual_entries": ("수기 입력 {n}건", "{n} manual entries"),
    "manual_left_out": ("기간을 벗어나 뺀 입력 {n}건", "{n} left out for reaching beyond the window"),
    "rejoins": ("재접속 {n}회", "{n} rejoins"),
    "jumps": ("번호가 이어지지 않은 곳 {n}군데", "{n} places where numbers do not go on"),
    "repeated": ("중복 프레임 {n}개", "{n} repetitions"),
    "no_number": ("프레임 번호가 아닌 값 {n}개", "{n} values that are no frame numbers"),
    "left_out_frames": ("장애로 뺀 유실 프레임 {n}개", "{n} lost frames left out for outages"),
    "lost": ("유실 {n}건", "{n} lost"),
    "ours": ("장애 중 수신되어 뺀 측정값 {n}건", "{n} left out, received over an outage"),
    "no_clock": ("장비 시각이 없어 뺀 측정값 {n}건", "{n} left out for want of a device time"),
    "retained": ("브로커가 보관했던 것이라 뺀 측정값 {n}건", "{n} left out, kept by the broker"),
    "replayed": ("보류 후 처리되어 뺀 측정값 {n}건", "{n} left out, set aside first"),
    "clock_ahead": ("장비 시계가 빨라 뺀 측정값 {n}건", "{n} left out, their clock being ahead"),
    "recharges": ("충전 {n}회", "{n} recharges"),
    "manual_month_left_out": (
        "이달의 값에서 뺀, 달을 넘는 입력 {n}건",
        "{n} left out of the month's value for reaching beyond it",
    ),
    "wraps": ("카운터 순환 {n}회", "{n} wraps of the counter"),
    "no_reference": ("기준측정값이 없어 뺀 값 {n}개", "{n} left out for want of a reference"),
    "outside_reference": ("기준측정값이 대상 범위 밖이라 뺀 값 {n}개", "{n} left out for their reference"),
    "zero_reference": ("기준측정값이 0이라 뺀 값 {n}개", "{n} left out for a reference of zero"),
    "pairs_left_out": ("장애로 뺀 값 {n}개", "{n} left out for outages"),
})  # fmt: skip
"""Facts of a measurement that stand beside its value where there are any."""

WHAT: Mapping[str, tuple[str, str]] = MappingProxyType({
    "readings": ("측정값", "readings"),
    "failures": ("가동 시간", "operating times"),
    "events": ("발생 기록", "events"),
    "labels": ("판정할 수 있는 정답 기록이나 경보", "truth labels or alerts that count"),
    "positives": ("실제로 일어났다는 유효한 정답 기록", "truth labels that count of something that happened"),
    "alerts": ("정답과 대조할 수 있는 경보", "alerts that can be held against the truth"),
    "time": ("판단할 수 있는 시간", "known times"),
    "frames": ("프레임 번호", "frame numbers"),
    "delays": ("지연을 알 수 있는 측정값", "readings that tell of their delay"),
    "forecast": ("측정값", "readings"),
    "discharge": ("마지막 충전 뒤 7일 이상의 측정값", "seven days of readings since the last recharge"),
    "exposed": ("조건을 판단할 수 있는 거리·사용량", "distances or amounts of which the condition is known"),
    "manual": ("수기 관측값", "manual observations"),
    "compared": ("비교할 자료", "data to compare"),
    "pairs": ("기준측정값과 짝을 이룬 값", "pairs with the reference"),
    "pairs_not_zero": ("0이 아닌 기준측정값과 짝을 이룬 값", "pairs with a reference other than zero"),
    "pairs_that_vary": ("기준측정값과 함께 변하는 값", "pairs both sides of which vary"),
    "pairs_at_both_ends": ("기간의 처음과 끝 양쪽에서 짝을 이룬 값", "pairs at both ends of the time"),
    "exposure": ("발생 건수를 나눌 기준(가동 시간·거리 등)", "exposures (up time, a distance) to count the events by"),
})  # fmt: skip
"""What a value is computed from, as ``what`` of a :class:`kpi.sentences.Said` says."""

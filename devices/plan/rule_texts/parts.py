"""What several values of one part must come to, and parts together: dates, channels, calibrations."""

from __future__ import annotations

from typing import Final

RULES: Final[dict[str, tuple[str, str]]] = {
    # What several values of one part must come to
    "period-order": ("a period ends after it starts", "기간의 끝은 시작보다 늦어야 합니다"),
    "while-one": (
        "a condition takes either value: (gauge, counter) or in: (states)",
        "조건에는 value(값)와 in(상태) 중 하나만 씁니다",
    ),
    "measure-one": ("a measure names exactly one kind of: {known}", "산출식은 다음 중 정확히 하나입니다: {known}"),
    "kpi-promise": (
        "a KPI has a measure and a target, or all: [{{measure, target}}, …] with several of them",
        "지표에는 measure와 target을 쓰거나, 여러 조건이면 all: [{{measure, target}}, …]을 씁니다",
    ),
    "state-channel": (
        "a state channel lists its states and has no unit",
        "상태 항목은 states를 나열하고 단위가 없습니다",
    ),
    "states-twice": ("a state is listed once", "같은 상태를 두 번 쓸 수 없습니다"),
    "value-channel": (
        "a gauge or counter has a unit and no states, nor source_states",
        "gauge·counter 항목은 단위가 있고 states와 source_states가 없습니다",
    ),
    "period-reporting": (
        "reporting: periodic has a period; on_change and event have none",
        "periodic 항목은 period가 있고 on_change·event 항목은 없습니다",
    ),
    "range-order": ("a range has its lower end first", "범위는 작은 값을 먼저 씁니다"),
    "uncertainty-none": (
        "an uncertainty is relative, absolute or both",
        "불확도에는 relative나 absolute가 있어야 합니다",
    ),
    "points": (
        "points from 0 up, or achieved",
        "0 이상의 점수나 achieved여야 합니다",
    ),
    "overall-cap": (
        "no score is above the cap ({cap}): lower it, or raise cap",
        "점수는 상한({cap})을 넘을 수 없습니다: 점수를 낮추거나 cap을 올리십시오",
    ),
    # Across parts: dates
    "data-until": (
        "data_until lies after the period's start ({start}) and not after its end ({end})",
        "data_until은 시작({start}) 이후, 종료({end}) 이전이어야 합니다",
    ),
    "interim": (
        "an interim date lies after the start ({start}) and before data_until ({until})",
        "중간평가일은 시작({start})과 data_until({until}) 사이여야 합니다",
    ),
    "interim-order": ("interim dates ascend, each once", "중간평가일은 중복 없이 이른 날짜부터 씁니다"),
    "meeting": (
        "the meeting is not before data_until ({until})",
        "평가회의일은 data_until({until})보다 빠를 수 없습니다",
    ),
    "installed": (
        "a device is installed before the period's end ({end})",
        "설치일은 종료일({end}) 이전이어야 합니다",
    ),
    "retention": (
        "readings are kept at least as long as raw messages ({messages})",
        "측정값 보존 기간은 원본 메시지({messages}) 이상이어야 합니다",
    ),
    # Across parts: channels
    "source-unit": (
        "{source} cannot become {unit}: use units of the same dimension",
        "{source}을(를) {unit}(으)로 바꿀 수 없습니다: 같은 차원의 단위를 쓰십시오",
    ),
    "source-unknown": (
        "{protocol} has no {source}: write one that its table has (ingest/protocols/{protocol}/README.md)",
        "{protocol}에는 {source}이(가) 없습니다: 그 표에 있는 것을 쓰십시오 (ingest/protocols/{protocol}/README.md)",
    ),
    "stated-unit": (
        "{protocol} itself states that {source} is in {stated}, which cannot become {unit}: correct the source or the unit",
        "{protocol} 규격이 정한 {source}의 단위 {stated}을(를) {unit}(으)로 바꿀 수 없습니다:"
        " source나 unit을 바로잡으십시오",
    ),
    "stated-source-unit": (
        "{protocol} itself states that {source} is in {stated}, not in {unit}: leave source_unit out",
        "{protocol} 규격이 정한 {source}의 단위는 {unit}이(가) 아니라 {stated}입니다: source_unit을 빼십시오",
    ),
    "source-twice": (
        "the channel {other} of this slot reads the same place of the message",
        "이 지점의 {other} 항목이 같은 source를 읽습니다",
    ),
    "source-states": (
        "no state of this channel; there are: {known}{guess}",
        "이 항목에 없는 상태입니다. 있는 상태: {known}{guess}",
    ),
    "source-states-twice": (
        "a device that says {said} means another state by another key: remove one",
        "장비가 보내는 {said} 값이 두 상태에 해당합니다: 하나를 지우십시오",
    ),
    "max-hold": ("max_hold is at least the period ({period})", "max_hold는 period({period}) 이상이어야 합니다"),
    "uncertainty-relative": (
        "a relative uncertainty is a share of the value, as in '5 %'",
        "상대 불확도는 '5 %'처럼 비율입니다",
    ),
    "uncertainty-absolute": (
        "an absolute uncertainty is in the channel's unit ({unit})",
        "절대 불확도는 항목의 단위({unit})로 씁니다",
    ),
    "uncertainty-state": (
        "a state channel has no uncertainty and no range",
        "상태 항목에는 불확도와 범위가 없습니다",
    ),
    "quality-state": (
        "of a state channel only gap is tested",
        "상태 항목에는 gap만 쓸 수 있습니다",
    ),
    "quality-periodic": (
        "only a periodic channel is tested for it: leave it out, or give reporting: periodic and a period",
        "periodic 항목에만 쓸 수 있습니다: 지우거나 period를 적으십시오",
    ),
    "quality-gap": ("a gap is at least the period ({period})", "gap은 period({period}) 이상이어야 합니다"),
    "quality-order": (
        "of two thresholds the first (suspect) is not above the second (fail)",
        "두 기준 가운데 앞(의심)이 뒤(오류)보다 클 수 없습니다",
    ),
    "quality-change": (
        "a difference that can be told in the channel's unit ({unit})",
        "항목의 단위({unit})로 바꿀 수 있는 차이를 단위와 함께 씁니다",
    ),
    "quality-rate": (
        "a change that can be told in the channel's unit ({unit}), per unit of time, as in '3 degC/min'",
        "항목의 단위({unit})로 바꿀 수 있는 변화량과 시간 단위를 씁니다",
    ),
    # Across parts: calibrations
    "calibration-state": (
        "{channel} is a state: only what is measured is calibrated",
        "{channel}은(는) 상태 항목입니다: 교정·비교측정은 측정값 항목에 씁니다",
    ),
    "calibration-unit": (
        "it is in another dimension than the channel ({unit})",
        "항목({unit})과 차원이 다릅니다",
    ),
    "calibration-day": (
        "a device changes within the period ({start} to {end})",
        "교체일은 기간({start}~{end}) 안이어야 합니다",
    ),
    "calibration-twice": (
        "there is another pair of this slot, channel and change: one decides",
        "같은 지점·항목·교체일의 비교 자료가 이미 있습니다: 하나만 쓰십시오",
    ),
}

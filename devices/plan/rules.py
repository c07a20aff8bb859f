"""Every rule of the plan's language in one sentence, in English and Korean, by code.

A problem carries the code and the values; who shows it chooses the language.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic_core import PydanticCustomError

RULES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        # The file itself
        "yaml-size": ("a plan file has at most {most} bytes", "계획 파일은 최대 {most}바이트입니다"),
        "yaml-nodes": (
            "a plan file has at most {most} entries, aliases written out",
            "별칭을 펼친 항목 수는 최대 {most}개입니다",
        ),
        "yaml-depth": ("a plan file is nested at most {most} deep", "중첩은 최대 {most}단계입니다"),
        "yaml-encoding": (
            "a plan file is UTF-8: save it in that encoding",
            "파일은 UTF-8이어야 합니다: UTF-8로 다시 저장하십시오",
        ),
        "yaml-sign": ("a plan file holds no control characters", "파일에 제어 문자를 쓸 수 없습니다"),
        "yaml-tab": ("YAML is indented by blanks, never by tabs", "들여쓰기는 탭이 아니라 공백으로 합니다"),
        "yaml-syntax": ("this is not YAML: {why}", "YAML 문법에 맞지 않습니다: {why}"),
        "yaml-version": ("a plan is YAML 1.2: remove the %YAML line", "계획은 YAML 1.2입니다: %YAML 줄을 지우십시오"),
        "yaml-documents": ("a plan file holds one document", "파일 하나에 문서 하나만 쓸 수 있습니다"),
        "yaml-mapping": ("a plan is a list of 'key: value' lines", "계획은 '키: 값' 목록입니다"),
        "yaml-key": ("a key is one word, not a list or a mapping", "키는 목록이나 묶음이 될 수 없습니다"),
        "yaml-tag": (
            "tags (!…) are not taken: put text in quotes instead",
            "태그(!…)는 쓸 수 없습니다: 글자는 따옴표로 묶으십시오",
        ),
        "yaml-alias": (
            "an alias (*…) stands after its whole anchor (&…)",
            "별칭(*…)은 앵커(&…)가 끝난 뒤에만 쓸 수 있습니다",
        ),
        "yaml-merge": (
            "YAML 1.2 has no merge key: write the entries out",
            "YAML 1.2에는 병합 키(<<)가 없습니다: 항목을 직접 쓰십시오",
        ),
        "yaml-duplicate": (
            "the key stands in line {first} already: remove one",
            "{first}번째 줄에 이미 있는 키입니다: 하나를 지우십시오",
        ),
        # The kind of a value
        "missing": ("it is required", "필수 항목입니다"),
        "unknown-key": (
            "no such key here; there are: {known}{guess}",
            "여기에 없는 키입니다. 쓸 수 있는 키: {known}{guess}",
        ),
        "text": ("text is needed", "글자여야 합니다"),
        "not-empty": ("it is not empty", "비워 둘 수 없습니다"),
        "number": ("a number without quotes and unit is needed", "따옴표와 단위가 없는 숫자여야 합니다"),
        "whole": ("a whole number is needed", "정수여야 합니다"),
        "truth": ("true or false is needed", "true 또는 false여야 합니다"),
        "date": ("a calendar day is written YYYY-MM-DD", "날짜는 YYYY-MM-DD로 씁니다"),
        "mapping": ("'key: value' entries are needed", "'키: 값' 항목이어야 합니다"),
        "list": ("a list is needed, as in [a, b]", "[a, b]와 같은 목록이어야 합니다"),
        "at-least": ("at least {least} are needed", "최소 {least}개가 필요합니다"),
        "exactly": ("exactly {count} are needed", "정확히 {count}개가 필요합니다"),
        "low": ("the least is {least}", "최솟값은 {least}입니다"),
        "high": ("the most is {most}", "최댓값은 {most}입니다"),
        "above": ("it is above {least}", "{least}보다 커야 합니다"),
        "one-of": ("one of {known}{guess}", "다음 중 하나여야 합니다: {known}{guess}"),
        "name": (
            "a name has 1 to 63 of a-z, 0-9, - and _, and starts with a letter or digit",
            "이름은 영문 소문자·숫자·-·_ 1~63자이고 글자나 숫자로 시작합니다",
        ),
        "other": ("{why}", "{why}"),
        "zone": ("a time zone is an IANA name, as in Asia/Seoul", "시간대는 Asia/Seoul과 같은 IANA 이름입니다"),
        "unit": (
            "the unit is not known: write one of the table, as in ug/m^3, degC or %",
            "알 수 없는 단위입니다: ug/m^3, degC, %처럼 단위표에 있는 것을 쓰십시오",
        ),
        "duration": (
            "a duration is a number above 0 and a unit of time, as in '10 s'",
            "기간은 '10 s'처럼 0보다 큰 숫자와 시간 단위입니다",
        ),
        "rate": (
            "a rate is a change and a unit of time, as in '3 degC/min'",
            "변화율은 '3 degC/min'처럼 변화량과 시간 단위입니다",
        ),
        "quantity": ("a number and a unit are needed, as in '5 %'", "'5 %'처럼 숫자와 단위가 필요합니다"),
        "target": (
            "a target is >=, >, <=, <, == or a range, with a unit: '>= 95 %', '95 % 이상', '20..26 degC'",
            "목표치는 '>= 95 %', '95 % 이상', '20..26 degC'처럼 이상·초과·이하·미만·일치 또는 범위와 단위로 씁니다",
        ),
        "target-empty": ("a range has its lower end first", "범위는 작은 값을 먼저 씁니다"),
        "stat": (
            "a statistic is mean, min, max, std, sum, last or a percentile such as p95",
            "통계는 mean, min, max, std, sum, last 또는 p95와 같은 백분위입니다",
        ),
        "duration-stat": (
            "a duration's statistic is mean, max or a percentile such as p95",
            "지속시간의 통계는 mean, max 또는 p95와 같은 백분위입니다",
        ),
        "per": (
            "events are counted per time ('1 d', '1000 h', '1 device-day'), or per {{increase: channel}} or"
            " {{integral: channel}}",
            "발생률의 기준은 시간('1 d', '1000 h', '1 device-day')이나 {{increase: 항목}}, {{integral: 항목}} 가운데 하나입니다",
        ),
        "hours": (
            "a daily time span is HH:MM-HH:MM and ends after it starts, at 24:00 at the latest",
            "시간대는 HH:MM-HH:MM이고 끝이 시작보다 늦으며 24:00까지입니다",
        ),
        "latitude": (
            "a location is [latitude, longitude] in degrees, within ±90 and ±180",
            "위치는 [위도, 경도]이고 각각 ±90, ±180도 이내입니다",
        ),
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
            "a gauge or counter has a unit and no states",
            "gauge·counter 항목은 단위가 있고 states가 없습니다",
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
        "source-twice": (
            "the channel {other} of this slot reads the same place of the message",
            "이 지점의 {other} 항목이 같은 source를 읽습니다",
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
        # Across parts: connections and topics
        "protocol": ("the protocols are: {known}{guess}", "쓸 수 있는 프로토콜: {known}{guess}"),
        "protocol-options": (
            "the protocol {protocol} does not take it: {why}",
            "{protocol} 프로토콜의 옵션이 아닙니다: {why}",
        ),
        "connection-unknown": (
            "no such connection; the plan has: {known}{guess}",
            "계획에 없는 연결입니다. 있는 연결: {known}{guess}",
        ),
        "connection-unused": (
            "no slot uses this connection: name it in a slot, or remove it",
            "어느 지점도 쓰지 않는 연결입니다: 지점에 적거나 지우십시오",
        ),
        "connection-own": (
            "a slot without connection: gets one by its own name, which is taken: write connection: {name}",
            "connection이 없는 지점은 자기 이름의 연결을 갖는데 이미 있습니다: connection: {name}을 쓰십시오",
        ),
        "topic-form": ("no MQTT filter: {why}", "MQTT 필터가 아닙니다: {why}"),
        "topic-all": (
            "a filter names where it speaks: # and + alone are everybody's topics",
            "필터는 범위를 밝혀야 합니다: 첫 단계에 #나 +를 쓸 수 없습니다",
        ),
        "topic-system": ("topics that begin with $ belong to the broker", "$로 시작하는 토픽은 브로커의 것입니다"),
        "topic-pilots": (
            "topics below pilots/ belong to the pilot they name: below it only pilots/{pilot}/… is this plan's",
            "pilots/ 아래에서는 pilots/{pilot}/…만 쓸 수 있습니다",
        ),
        "topic-ours": (
            "it overlaps {theirs}, on which only Pilotbed speaks",
            "Pilotbed만 발행하는 {theirs}와 겹칩니다",
        ),
        "topic-overlap": (
            "it overlaps {theirs} of the connection {other}: one topic has one speaker",
            "{other} 연결의 {theirs}와 겹칩니다: 한 토픽은 한 연결만 씁니다",
        ),
        "topic-foreign": (
            "it overlaps {theirs} of the connection {connection} of pilot {pilot}: one topic has one speaker",
            "{pilot} 과제 {connection} 연결의 {theirs}와 겹칩니다: 한 토픽은 한 연결만 씁니다",
        ),
        "topic-slots": (
            "it overlaps {theirs} of the slot {other}: both need select",
            "{other} 지점의 {theirs}와 겹칩니다: 두 지점 모두 select가 필요합니다",
        ),
        "select-needed": (
            "the connection {connection} has topics of its own and speaks for {count} slots: each needs select or topics",
            "{connection} 연결은 자체 토픽으로 {count}개 지점을 대신합니다: 지점마다 select나 topics가 필요합니다",
        ),
        "select-twice": (
            "the slot {other} of the same connection selects the same messages",
            "같은 연결의 {other} 지점과 select가 같습니다",
        ),
        # Across parts: KPIs
        "weights-none": (
            "a weighted score takes weights, and no KPI has one: give weight, or choose all_required",
            "weighted에는 가중치가 필요한데 어느 지표에도 없습니다: weight를 쓰거나 all_required로 하십시오",
        ),
        "slot-unknown": (
            "no such slot; the plan has: {known}{guess}",
            "계획에 없는 지점입니다. 있는 지점: {known}{guess}",
        ),
        "channel-unknown": (
            "no slot has such a channel; there are: {known}{guess}",
            "어느 지점에도 없는 측정 항목입니다. 있는 항목: {known}{guess}",
        ),
        "channel-not-at": (
            "the slot {slot} has no channel {channel}; it has: {known}",
            "{slot} 지점에는 {channel} 항목이 없습니다. 있는 항목: {known}",
        ),
        "event-unknown": (
            "no slot reports such an event; there are: {known}{guess}",
            "어느 지점에도 없는 발생 기록입니다. 있는 종류: {known}{guess}",
        ),
        "event-not-at": (
            "the slot {slot} reports no event {event}; it has: {known}",
            "{slot} 지점은 {event}을(를) 보고하지 않습니다. 있는 종류: {known}",
        ),
        "state-unknown": (
            "the channel {channel} has no such state; it has: {known}{guess}",
            "{channel} 항목에 없는 상태입니다. 있는 상태: {known}{guess}",
        ),
        "units-differ": (
            "the slots of one KPI have one unit for {channel}; here are: {units}",
            "한 지표의 지점들은 {channel}의 단위가 같아야 합니다. 현재: {units}",
        ),
        "kinds-differ": (
            "the slots of one KPI have one kind of channel for {channel}: all states or none",
            "한 지표의 지점들은 {channel} 항목의 종류가 같아야 합니다",
        ),
        "statistic-state": (
            "{channel} is a state: a statistic needs a number; a share takes states",
            "{channel}은(는) 상태입니다: statistic은 숫자 항목에, 상태에는 share를 쓰십시오",
        ),
        "while-state": (
            "{channel} is a state: write in: [{known}]",
            "{channel}은(는) 상태입니다: in: [{known}]으로 쓰십시오",
        ),
        "while-value": (
            "{channel} is a number: write value: with a condition, as in '<= 35 {unit}'",
            "{channel}은(는) 숫자입니다: value: '<= 35 {unit}'처럼 쓰십시오",
        ),
        "condition-unit": (
            "{channel} is measured in {unit}: write the condition in that dimension, with its unit",
            "{channel}의 단위는 {unit}입니다: 같은 차원의 단위를 붙여 쓰십시오",
        ),
        "capture-periodic": (
            "data capture counts readings of a period: {channel} is not periodic",
            "자료획득률은 주기 항목에만 씁니다: {channel}은(는) 주기 항목이 아닙니다",
        ),
        "capture-none": ("no slot concerned has a periodic channel", "해당 지점에 주기 항목이 없습니다"),
        "target-unit": (
            "{measure} gives {unit}: write the target in that dimension, with its unit",
            "{measure}의 단위는 {unit}입니다: 같은 차원의 단위를 붙여 목표치를 쓰십시오",
        ),
        "target-share": (
            "{measure} lies between 0 and 100 %, so this target holds always or never",
            "{measure}은(는) 0~100 %이므로 항상 또는 절대 만족되지 않는 목표입니다",
        ),
        "target-negative": (
            "{measure} is never below 0, so this target holds always or never",
            "{measure}은(는) 0보다 작을 수 없으므로 항상 또는 절대 만족되지 않는 목표입니다",
        ),
        "mtbf-scope": (
            "mtbf is judged by its lower confidence bound: leave scope and decision out, or write scope: capability",
            "mtbf는 신뢰하한으로 판정합니다: scope와 decision을 빼거나 scope: capability로 쓰십시오",
        ),
        "increase-counter": (
            "{channel} is no counter: an increase is of a channel with kind: counter",
            "{channel}은(는) 카운터가 아닙니다: increase는 kind: counter 항목에 쓰십시오",
        ),
        "integral-state": (
            "{channel} is a state: an integral needs a number; a share takes states",
            "{channel}은(는) 상태입니다: integral은 숫자 항목에, 상태에는 share를 쓰십시오",
        ),
        "per-elsewhere": (
            "no slot both reports {event} and has {channel}: events are counted by what their own slot measures",
            "{event}을(를) 보고하면서 {channel} 항목이 있는 지점이 없습니다: 같은 지점의 항목으로 나눕니다",
        ),
        "event-phased": (
            "{event} has no start and end: write phased: true at every slot that reports it",
            "{event}에는 시작과 끝이 없습니다: 보고하는 지점마다 phased: true를 쓰십시오",
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
        # Between versions
        "pilot-name": ("a plan keeps its pilot's name ({before})", "과제 이름({before})은 바꿀 수 없습니다"),
        "unit-changed": (
            "a channel's canonical unit never changes ({before}): give the new one another name",
            "항목의 기준 단위({before})는 바꿀 수 없습니다: 새 항목을 만드십시오",
        ),
        "states-changed": (
            "states are only added at the end: readings keep their numbers ({before})",
            "상태는 끝에만 추가할 수 있습니다: 기존 상태 {before}",
        ),
        "simulated-changed": (
            "simulated ({before}) never changes: real and simulated data do not mix in one pilot",
            "simulated({before})는 바꿀 수 없습니다: 실제 자료와 모의 자료는 섞을 수 없습니다",
        ),
        "amendment-needed": (
            "this is a change of the agreement: it needs an amendment: entry of its own (parties, reason, date)",
            "협약변경 사항입니다: 새 amendment(당사자, 사유, 일자)가 필요합니다",
        ),
        "window-seen": (
            "the evaluation of {date} is past: what was judged there does not change any more",
            "{date} 평가일이 지났습니다: 이미 판정한 내용은 바꿀 수 없습니다",
        ),
        "date-seen": (
            "an evaluation date that is past ({date}) stays, and none is added to the past",
            "지난 평가일({date})은 바꾸거나 새로 넣을 수 없습니다",
        ),
        "start-seen": (
            "the period has begun ({date}): its start stays",
            "기간이 이미 시작되었습니다({date}): 시작일은 바꿀 수 없습니다",
        ),
    }
)


def told(code: str, values: Mapping[str, Any], language: str = "en") -> str:
    """The sentence of a rule, in English or Korean (``ko``)."""
    english, korean = RULES[code]
    return (korean if language == "ko" else english).format(**values)


def broken(code: str, **values: Any) -> PydanticCustomError:
    """What a validator of the model raises: the rule that does not hold."""
    english = RULES[code][0]
    # The template is one of the table's above, never input.
    return PydanticCustomError(code, english, values)

"""KPIs: measures, targets, what a measure leaves out."""

from __future__ import annotations

from typing import Final

RULES: Final[dict[str, tuple[str, str]]] = {
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
    "truth-share": (
        "a share above 0 %, up to 100 %, as in '5 %'",
        "'5 %'처럼 0 %보다 크고 100 % 이하인 비율이어야 합니다",
    ),
    "truth-window": (
        "a sample's window is a whole number of seconds, as in '10 min'",
        "표본 구간의 길이는 '10 min'처럼 정수 초여야 합니다",
    ),
    "truth-company": (
        "labels of the company are no truth to judge it by: by: site, team or outside",
        "참여기업이 붙인 라벨은 정답이 될 수 없습니다: by에는 site, team, outside를 쓰십시오",
    ),
    "truth-blind": (
        "labels are made without seeing the alerts: blinded: false only goes with designed: true (staged tests)",
        "라벨은 경보를 보지 않고 붙여야 합니다: blinded: false는 designed: true(연출 시험)에만 쓸 수 있습니다",
    ),
    "truth-kind": (
        "{event} is no truth label: write truth: true at events: {event} of every slot that it is about",
        "{event}은(는) 정답 기록이 아닙니다: 해당 지점마다 events의 {event}에 truth: true를 쓰십시오",
    ),
    "truth-alerts": (
        "alerts cannot be their own truth: name two kinds of events",
        "경보가 그 자신의 정답이 될 수 없습니다: 서로 다른 발생 기록을 쓰십시오",
    ),
    "truth-sampled": (
        "a sample of the truth never tells for sure what happened: leave scope out, or write scope: capability",
        "정답을 표본으로 확인하면 실적을 확정할 수 없습니다: scope를 빼거나 scope: capability로 쓰십시오",
    ),
    "match-or-event": (
        "either event: or match: a KPI whose detection has matched alerts and labels",
        "event와 match(경보와 정답을 대조한 지표) 가운데 하나만 씁니다",
    ),
    "match-outcome": (
        "a match is counted by outcome: matched, missed or false_alarm; without match there is no outcome",
        "match에는 outcome(matched, missed, false_alarm 가운데 하나)을 쓰고, match가 없으면 쓰지 않습니다",
    ),
    "match-unknown": (
        "no KPI of this plan with a detection has that name; there are: {known}{guess}",
        "detection 산출식이 있는 지표의 이름이 아닙니다. 있는 지표: {known}{guess}",
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
    # What a measure leaves out
    "leave-out": (
        "from which level on readings are left out, suspect or fail, or {{leave_out: [stuck, spike], from: fail}}",
        "측정값을 어느 등급부터 뺄지 suspect 또는 fail로, 아니면 {{leave_out: [stuck, spike], from: fail}} 꼴로 씁니다",
    ),
    "leave-out-unknown": (
        "readings are left out by the tests {known}{guess}",
        "측정값을 뺄 수 있는 점검: {known}{guess}",
    ),
    "leave-out-gap": (
        "a gap has no readings to leave out; silence is charged without it: remove it",
        "gap에는 뺄 측정값이 없고 무응답은 이와 상관없이 귀책을 따집니다: 지우십시오",
    ),
    "leave-out-clock": (
        "clock is about the device's time, and says nothing of its values: remove it, and agree an exclusion where needed",
        "clock은 장비의 시각에 관한 것이고 값과는 무관합니다: 지우고, 필요하면 평가 제외 구간을 합의하십시오",
    ),
    "leave-out-measure": (
        "this kind of measure leaves no readings out by their quality: remove quality",
        "이 지표 종류는 품질로 측정값을 빼지 않습니다: quality를 지우십시오",
    ),
    "leave-out-off": (
        "the test is switched off for {slot}/{channel}, so it finds nothing: remove it, or switch the test on",
        "{slot}/{channel}에서 꺼 둔 점검이라 걸리는 것이 없습니다: 지우거나 점검을 켜십시오",
    ),
    "leave-out-state": (
        "{slot}/{channel} has states, which are tested by range alone: write leave_out: [range]",
        "{slot}/{channel}의 상태는 range로만 점검합니다: leave_out: [range]로 쓰십시오",
    ),
    "leave-out-periodic": (
        "{slot}/{channel} has no period, so no value of it is stuck: remove it",
        "{slot}/{channel}에는 period가 없어 stuck을 점검하지 않습니다: 지우십시오",
    ),
    "leave-out-never": (
        "a jump is suspect and never fails: write from: suspect, or remove it",
        "jump는 의심(suspect)까지만 있습니다: from: suspect로 쓰거나 지우십시오",
    ),
}

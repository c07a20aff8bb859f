"""The file itself, and the kind of a value."""

from __future__ import annotations

from typing import Final

RULES: Final[dict[str, tuple[str, str]]] = {
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
}

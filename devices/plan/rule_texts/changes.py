"""Changes and their baselines."""

from __future__ import annotations

from typing import Final

RULES: Final[dict[str, tuple[str, str]]] = {
    "baseline-one": (
        "a baseline is a file with its window, a window of the own data, or a value with its source",
        "기준값은 file(과 window), window, value(와 source) 가운데 하나로 씁니다",
    ),
    "baseline-file": (
        "a baseline file has sha256, window, value (the column) and unit beside it",
        "기준값 파일에는 sha256, window, value(열 이름), unit을 함께 씁니다",
    ),
    "baseline-sha256": (
        "a SHA-256 has 64 digits of 0-9 and a-f: `sha256sum FILE` prints it",
        "SHA-256은 0-9, a-f 64자입니다: `sha256sum 파일`로 구합니다",
    ),
    "baseline-columns": (
        "columns, units and hashes are of a file: name it, or leave them out",
        "열·단위·해시는 파일에 씁니다: file을 쓰거나 지우십시오",
    ),
    "baseline-source": (
        "a value alone has a number with its unit and a source",
        "값만 쓸 때는 단위가 있는 숫자와 source(출처)를 씁니다",
    ),
    "baseline-order": (
        "a baseline's window is [first day, day after the last]",
        "기준값의 window는 [첫날, 마지막 날의 다음 날]입니다",
    ),
    "baseline-before": (
        "a baseline file is from before the pilot: its window ends by {start}",
        "기준값 파일은 실증 전의 것입니다: window는 {start} 이전에 끝납니다",
    ),
    "baseline-late": (
        "a window of the own data ends before the first evaluation date ({look}): what is left is judged",
        "자체 자료의 window는 첫 평가일({look}) 전에 끝나야 합니다: 그 뒤를 판정합니다",
    ),
    "baseline-unit": (
        "{unit} is of another dimension than what is measured ({needed})",
        "{unit}은(는) 측정하는 것({needed})과 차원이 다릅니다",
    ),
    "baseline-kind": (
        "a baseline file has the rows of: {known}",
        "기준값 파일로 계산할 수 있는 산출식: {known}",
    ),
    "baseline-rows": (
        "rows: {rows} is not what {kind} is computed from; there are: {known}",
        "{kind}에는 rows: {rows}를 쓸 수 없습니다. 쓸 수 있는 것: {known}",
    ),
    "baseline-slots": (
        "with several slots the file has a column for each (value: {{slot: column}}), but where they are pooled: {missing}",
        "여러 지점을 합치지 않고 판정하면 지점마다 열이 필요합니다(value: {{지점: 열}}): {missing}",
    ),
    "change-of": (
        "a change is of one of: {known}",
        "change로 비교할 수 있는 산출식: {known}",
    ),
    "change-twice": (
        "{key} stands with the change and with what it is of: write it once",
        "{key}을(를) change와 그 안에 두 번 썼습니다: 한 번만 쓰십시오",
    ),
    "change-one": (
        "pair and control leave out the weather as normalise does: write one or the other",
        "pair·control과 normalise는 함께 쓸 수 없습니다: 하나만 쓰십시오",
    ),
    "change-daily": (
        "{kind} has no value of a single day, which pair, normalise and control compare",
        "{kind}에는 하루의 값이 없어 pair·normalise·control을 쓸 수 없습니다",
    ),
    "change-window": (
        "pair, normalise and control compare days: the baseline needs a window, no single value",
        "pair·normalise·control은 날을 비교하므로 기준값에 window가 필요합니다",
    ),
    "change-guarded": (
        "the guard band of a change of {kind} is not reckoned: write decision: confident or estimate",
        "{kind}의 변화에는 보호대역을 셈하지 않습니다: decision을 confident나 estimate로 쓰십시오",
    ),
    "control-kpi": (
        "{slot} is judged by this KPI: a control is a slot that the product does not touch",
        "{slot}은(는) 이 지표로 판정하는 지점입니다: 대조 지점은 제품의 영향을 받지 않는 곳입니다",
    ),
    "control-lacks": (
        "{slot} does not have what is measured ({channel})",
        "{slot}에는 측정하는 것({channel})이 없습니다",
    ),
    "pair-weekday": (
        "days are paired by their weekday: write weekday: true",
        "날은 요일로 짝짓습니다: weekday: true로 쓰십시오",
    ),
    "degree-days": (
        "degree days take fitted, or [heating base, cooling base] with the lower one first, as in [18 degC, 24 degC]",
        "degree_days는 fitted 또는 [난방 기준온도, 냉방 기준온도]이며 [18 degC, 24 degC]처럼 씁니다",
    ),
    "normalise-of": (
        "degree days explain a day's energy: normalise an integral, an increase, or the mean or sum of a channel",
        "도일 보정은 integral, increase, 채널의 mean·sum에 씁니다",
    ),
    "normalise-year": (
        "a model of the weather takes a baseline of a whole year: {days} days are too few, 365 are needed",
        "도일 모형에는 1년의 기준값이 필요합니다: {days}일은 365일에 못 미칩니다",
    ),
    "normalise-weather": (
        "{channel} is no temperature ({unit})",
        "{channel}은(는) 온도가 아닙니다({unit})",
    ),
}

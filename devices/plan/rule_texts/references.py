"""Agreement with a reference, and whose a slot is."""

from __future__ import annotations

from typing import Final

RULES: Final[dict[str, tuple[str, str]]] = {
    "certificate-order": (
        "a certificate holds from its date on: valid_until is not before it",
        "성적서의 유효기간은 교정일보다 앞설 수 없습니다",
    ),
    "agreement-stat": (
        "a statistic of pairs is relative_error, mape, mae, rmse, bias, r2, drift or a percentile such as p95",
        "짝의 통계는 relative_error, mape, mae, rmse, bias, r2, drift 또는 p95와 같은 백분위입니다",
    ),
    "agreement-coverage": (
        "a coverage is a share above 0 % and at most 100 %, as in '75 %'",
        "coverage는 '75 %'처럼 0 % 초과 100 % 이하의 비율입니다",
    ),
    "agreement-paired": (
        "pairs are of averages (average: 1 h) or of nearest readings (within: 2 s): write one of the two",
        "짝은 평균(average: 1 h)이나 가까운 측정값(within: 2 s)으로 만듭니다: 둘 중 하나만 쓰십시오",
    ),
    "agreement-average": (
        "an average divides a day (5 min, 1 h, 8 h) or is whole days (1 d, 7 d)",
        "average는 하루를 나누는 길이(5 min, 1 h, 8 h)나 하루의 배수(1 d, 7 d)여야 합니다",
    ),
    "agreement-within": (
        "coverage, take and stamped are of averages: leave them out where pairs are of nearest readings",
        "coverage, take, stamped는 average에만 씁니다",
    ),
    "slot-not-companys": (
        "it is not the company's (owner: {owner}): a KPI is about the company's slots; name it as a reference",
        "참여기업의 지점이 아닙니다(owner: {owner}): 지표는 참여기업의 지점에 대한 것입니다. reference로 쓰십시오",
    ),
    "connection-owners": (
        "the connection {connection} speaks for slots of several owners ({owners}): whoever is compared with would be spoken for"
        " by the company. Give each owner a connection of its own",
        "{connection} 연결이 주인이 다른 지점({owners})을 함께 대신합니다: 주인마다 연결을 따로 두십시오",
    ),
    "reference-own": (
        "the slot {slot} is the company's own: give it an owner (site, team, outside), or write by: company where all agreed",
        "{slot} 지점은 참여기업의 것입니다: owner(site, team, outside)를 쓰거나, 모두 합의했다면 by: company를 쓰십시오",
    ),
    "reference-not-own": (
        "the slot {slot} is not the company's: leave by: out",
        "{slot} 지점은 참여기업의 것이 아닙니다: by를 지우십시오",
    ),
    "reference-itself": (
        "a slot is not compared with itself: leave {slot} out of slots",
        "자기 자신과 비교할 수 없습니다: slots에서 {slot}을(를) 빼십시오",
    ),
    "agreement-alone": (
        "no slot of the company has {channel} beside the reference",
        "기준측정 지점 말고는 {channel} 항목이 있는 참여기업의 지점이 없습니다",
    ),
    "agreement-state": (
        "{channel} is a state: what is compared with a reference is a number",
        "{channel}은(는) 상태입니다: 기준측정값과는 숫자를 비교합니다",
    ),
    "agreement-unit": (
        "{channel} of the reference is measured in {theirs}, which cannot become {unit}",
        "기준측정 {channel}의 단위 {theirs}는 {unit}으로 바꿀 수 없습니다",
    ),
    "agreement-kinds": (
        "one of both is a counter, whose increase is taken: write take: sum, so that the other one's readings are summed up",
        "한쪽만 카운터입니다: 다른 쪽의 값을 더하도록 take: sum을 쓰십시오",
    ),
    "agreement-period": (
        "an average is no shorter than the period of both ({period})",
        "average는 두 항목의 period({period})보다 짧을 수 없습니다",
    ),
    "agreement-scale": (
        "nothing is a share of a value in {unit}: write mae, rmse, bias, or drift with relative: false",
        "{unit} 값에 대한 비율은 뜻이 없습니다: mae, rmse, bias 또는 relative: false인 drift를 쓰십시오",
    ),
}

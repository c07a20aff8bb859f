"""The planning help in words, Korean and English, and as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from core.language import with_unit
from core.numbers import printed
from kpi.intervals import MIN_BLOCKS
from kpi.planning.outlook import Caution, Outlook, Planning

CAUTIONS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "planned_unit": (
        "planned의 {found}은(는) 목표와 다른 차원이라 쓰지 않았습니다: 목표의 단위로 쓰십시오.",
        "{found} in planned is in another dimension than the target and was not used: write it in the target's unit.",
    ),
    "no_n": (
        "예상 발생 건수가 없어 가능성을 계산하지 않았습니다: planned: {{n: …}}을 쓰십시오.",
        "Without the expected number of events there are no chances: write planned: {{n: …}}.",
    ),
    "no_n_least": (
        "예상 발생 건수가 없어 가능성을 계산하지 않았습니다: planned: {{n: …}}을 쓰십시오. 모두 성공해도 최소 {least}건이"
        " 필요합니다.",
        "Without the expected number of events there are no chances: write planned: {{n: …}}. Even if all succeed it"
        " takes {least} to meet the target.",
    ),
    "not_reckoned": (
        "이 산출식은 표본을 미리 알 수 없어 판정 가능성을 계산하지 않습니다.",
        "For this kind of measure no chances are reckoned: nobody knows its sample beforehand.",
    ),
    "reference_own": (
        "{kpi}의 기준측정값({slot})이 참여기업의 것입니다: 수요처나 사업단의 것이 있으면 그것을 쓰십시오.",
        "The reference of {kpi} ({slot}) is the company's own: use one of the site's or the team's where there is one.",
    ),
    "reference_uncertified": (
        "{kpi}의 기준측정기({slot})에 교정성적서가 없습니다: 교정성적서 번호와 불확도를 쓰십시오.",
        "The reference of {kpi} ({slot}) has no certificate: give its number and its uncertainty.",
    ),
    "reference_expires": (
        "{kpi}의 기준측정기({slot}) 교정성적서가 {until}에 끝납니다: 자료 마감({data_until}) 전에 다시 교정해야 합니다.",
        "The certificate of {kpi}'s reference ({slot}) ends on {until}: it has to be calibrated again before {data_until}.",
    ),
    "cannot_show": (
        "계획한 표본으로는 목표({target})를 보일 수 없습니다: 결함이 없어도 한계가 {bound}입니다.",
        "The planned sample cannot show the target ({target}): the bound of a faultless product is {bound}.",
    ),
    "cannot_show_least": (
        "계획한 {n}건으로는 목표({target})를 보일 수 없습니다: 결함이 없어도 한계가 {bound}입니다. 최소 {least}건이 필요합니다.",
        "The planned {n} events cannot show the target ({target}): the bound of a faultless product is {bound}. It takes at"
        " least {least}.",
    ),
    "cannot_show_guard": (
        "계측기의 불확도가 커서 목표({target})를 보일 수 없습니다: 목표보다 나은 제품도 보호대역을 두면 {bound}입니다.",
        "The instrument's uncertainty is too large to show the target ({target}): a better product comes to {bound} with the"
        " guard band.",
    ),
    "cannot_show_few_weeks": (
        "목표({target})를 보일 수 없습니다: 신뢰한계에는 최소 {weeks}주의 자료가 필요합니다.",
        "The target ({target}) cannot be shown: confidence bounds take at least {weeks} weeks of data.",
    ),
    "cannot_show_under_a_year": (
        "목표({target})를 보일 수 없습니다: 백분위수는 1년 이상의 자료가 있어야 신뢰한계를 냅니다.",
        "The target ({target}) cannot be shown: a percentile has confidence bounds from a year of data on.",
    ),
    "cannot_show_no_interval": (
        "목표({target})를 보일 수 없습니다: 이 통계량에는 신뢰한계가 없습니다. decision: estimate나 다른 산출식을 쓰십시오.",
        "The target ({target}) cannot be shown: this statistic has no confidence bounds. Use decision: estimate, or another"
        " measure.",
    ),
    "cannot_show_no_uncertainty": (
        "목표({target})를 보일 수 없습니다: 교정성적서가 없고 이 측정량의 등급 기본값도 없습니다. 항목에 uncertainty와"
        " certificate를 쓰십시오.",
        "The target ({target}) cannot be shown: there is no certificate, and no class default for this quantity. Give the channel"
        " an uncertainty with a certificate.",
    ),
    "uncertainty_swallows": (
        "계측기의 불확도({band})가 보여야 할 여유({margin}) 이상이라, 목표보다 그만큼 나은 제품도 달성하지 못합니다.",
        "The instrument's uncertainty ({band}) is as large as the margin to be shown ({margin}): a product better by that much is"
        " not met.",
    ),
    "uncertainty_unseen": (
        "계측기의 불확도({band})가 보여야 할 여유({margin}) 이상인데 이 판정규칙은 불확도를 보지 않습니다: decision: guarded를"
        " 검토하십시오.",
        "The instrument's uncertainty ({band}) is as large as the margin to be shown ({margin}), and this decision does not look"
        " at it: consider decision: guarded.",
    ),
    "weights": (
        "가중치의 합이 {sum}입니다: 100이 되게 쓰십시오. 점수는 합으로 나누어 냅니다.",
        "The weights come to {sum}: they should come to 100. Scores are divided by their sum.",
    ),
    "exclusions_most": (
        "평가 제외 구간을 {most} %까지 허용합니다: 사후에 가장 나쁜 {usual} %만 빼도 목표와 같은 제품의 달성 확률이 7 %에서"
        " 48 %로 오릅니다.",
        "Up to {most} % may be left out: already the worst {usual} %, taken out afterwards, lift a product exactly at its target"
        " from 7 to 48 % met.",
    ),
    "none_required": (
        "overall: all_required인데 필수 지표가 없어 모든 지표를 필수로 봅니다.",
        "overall: all_required, but no KPI is required: then all of them are.",
    ),
    "score_of_temperature": (
        "온도의 비율은 단위에 따라 달라집니다({kpis}): formula를 met 또는 distance로 하십시오.",
        "A ratio of temperatures hangs on their unit ({kpis}): choose the formula met, or distance.",
    ),
})  # fmt: skip

ASSUMED: Mapping[str, tuple[str, str]] = MappingProxyType({
    "days_alike": ("하루의 발생 기록은 서로 닮음(급내상관 {events})", "events of one day are alike (correlation {events})"),
    "days_dispersed": ("하루 발생 건수의 분산은 평균의 2배", "daily counts have twice the variance of independent ones"),
    "hours_alike": ("이웃한 시간은 서로 닮음(상관 {hours})", "neighbouring hours are alike (correlation {hours})"),
    "spread_of_readings": ("측정값의 표준편차는 {spread}", "the readings' standard deviation is {spread}"),
    "spread_of_durations": ("지속시간의 표준편차는 {spread}", "the durations' standard deviation is {spread}"),
    "quota": ("수준은 목표를 지킨 비율", "levels are the share that keeps the target"),
    "slots_together": ("지점들은 함께 움직임", "the slots move together"),
    "as_it_does": ("제품은 한결같음", "the product does the same all the time"),
})  # fmt: skip


def told(caution: Caution, language: str, outlook: Outlook | None = None) -> str:
    """A caution in one sentence or two."""
    korean, english = CAUTIONS[caution.code]
    values: dict[str, Any] = {"weeks": MIN_BLOCKS, **caution.values}
    if outlook is not None:
        unit, target = outlook.asked.unit, outlook.asked.target
        values["target"] = target.shown(language)
        for name in ("band", "margin"):
            if name in values:
                shown = "%p" if unit == "%" else unit
                values[name] = with_unit(printed(values[name], shown), shown, language)
        if values.get("bound") is not None:
            values["bound"] = (
                f"{printed(100 * values['bound'], '%')} %"
                if values["in_share"]
                else with_unit(printed(values["bound"], unit, target), unit, language)
            )
    for name in ("n", "least"):
        if isinstance(values.get(name), int | float):
            values[name] = printed(values[name], "건")
    for name in ("sum", "most", "usual"):
        if name in values:
            values[name] = f"{values[name]:g}"
    return (korean if language == "ko" else english).format(**values)


def assumptions(outlook: Outlook, language: str) -> str:
    """What its chances take for granted."""
    values = dict(outlook.facts)
    if "spread" in values:
        number, unit = values["spread"]
        values["spread"] = with_unit(printed(number, unit), unit, language)
    return ", ".join(ASSUMED[one][language == "en"].format(**values) for one in outlook.assumed)


def plain(found: Planning) -> dict[str, Any]:
    """As JSON."""
    return {
        "kpis": [_plain(one) for one in found.outlooks],
        "warnings": [_plain_caution(one, None) for one in found.warnings],
    }


def warnings(found: Planning) -> list[dict[str, Any]]:
    """Every warning as plain data, each with the KPI that it is about; those of the whole plan have none."""
    of_kpis = [
        {"kpi": one.id, **({} if one.part is None else {"part": one.part}), **_plain_caution(caution, one)}
        for one in found.outlooks
        for caution in one.warnings
    ]
    return [*of_kpis, *({"kpi": None, **_plain_caution(caution, None)} for caution in found.warnings)]


def _plain(one: Outlook) -> dict[str, Any]:
    return {
        "id": one.id,
        **({} if one.part is None else {"part": one.part, "name": one.name}),
        "target": one.target,
        "scope": one.asked.kpi.scope,
        "decision": one.asked.kpi.rule,
        "alpha": one.asked.alpha,
        "n": one.n,
        "unit": one.unit,
        "method": one.method,
        "assumed": {language: assumptions(one, language) for language in ("ko", "en")},
        "levels": [
            {
                "level": level.name,
                "value": level.value,
                "met": level.chances.met,
                "open": level.chances.open,
                "not_met": level.chances.not_met,
            }
            for level in one.levels
        ],
        "warnings": [_plain_caution(caution, one) for caution in one.warnings],
    }


def _plain_caution(caution: Caution, outlook: Outlook | None) -> dict[str, Any]:
    return {"code": caution.code, **{language: told(caution, language, outlook) for language in ("ko", "en")}}

"""Why a result is what it is: one Korean and one English sentence, with the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from zoneinfo import ZoneInfo

from core.language import duration_text, window_text, with_unit
from core.numbers import printed
from core.window import Window
from devices.plan.target import Bounds
from kpi.decision import Decision, Ends
from kpi.intervals import MIN_BLOCKS

_GAPS_KO = "귀책을 알 수 없는 무신호 시간을 불리하게 또는 유리하게 보면"
_GAPS_EN = "taking the silence that no record charges to anybody against or in favour"

SENTENCES: Mapping[str, tuple[str, str]] = MappingProxyType({
    # Verdicts
    "no_value": ("이 기간에 {what}이 없어 값을 낼 수 없습니다.", "There are no {what} in this window, so there is no value."),
    "incomplete": (
        "자료획득률이 {completeness}이며 최소 기준({limit})에 못 미쳐 판정하지 않습니다({value}).",
        "The completeness of {completeness} is below the least of {limit}, so no verdict is given ({value}).",
    ),
    "incomplete_quarter": (
        "{quarter} 자료획득률이 {quarter_completeness}이며 최소 기준({limit})에 못 미쳐 판정하지 않습니다({value}).",
        "In {quarter} the completeness of {quarter_completeness} is below the least of {limit}, so no verdict is given"
        " ({value}).",
    ),
    "escape_met_incomplete": (
        "자료획득률이 {completeness}이며 최소 기준({limit})에 못 미치나, 없는 자료를 모두 불리하게 보아도 {range}이므로"
        " 목표({target})를 달성했습니다.",
        "The completeness of {completeness} is below {limit}, yet with everything missing at its worst the value is {range}:"
        " the target ({target}) is met.",
    ),
    "escape_met_incomplete_quarter": (
        "{quarter} 자료획득률이 {quarter_completeness}이며 최소 기준({limit})에 못 미치나, 없는 자료를 모두 불리하게 보아도"
        " {range}이므로 목표({target})를 달성했습니다.",
        "In {quarter} the completeness of {quarter_completeness} is below {limit}, yet with everything missing at its worst"
        " the value is {range}: the target ({target}) is met.",
    ),
    "escape_not_met_incomplete": (
        "자료획득률이 {completeness}이며 최소 기준({limit})에 못 미치고, 없는 자료를 모두 유리하게 보아도 {range}이므로"
        " 목표({target})를 달성하지 못했습니다.",
        "The completeness of {completeness} is below {limit}, and even with everything missing at its best the value is {range}:"
        " the target ({target}) is not met.",
    ),
    "escape_not_met_incomplete_quarter": (
        "{quarter} 자료획득률이 {quarter_completeness}이며 최소 기준({limit})에 못 미치고, 없는 자료를 모두 유리하게 보아도"
        " {range}이므로 목표({target})를 달성하지 못했습니다.",
        "In {quarter} the completeness of {quarter_completeness} is below {limit}, and even with everything missing at its"
        " best the value is {range}: the target ({target}) is not met.",
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
        f"{{value}}이나 {_GAPS_KO} {{range}}이므로 목표({{target}})의 달성 여부를 정할 수 없습니다({{basis}}).",
        f"{{value}}, but {_GAPS_EN} gives {{range}}: whether the target ({{target}}) is met stays open ({{basis}}).",
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
        "이달의 자료획득률이 {month_completeness}이며 최소 기준({limit})에 못 미칩니다({value}).",
        "This month's completeness of {month_completeness} is below the least of {limit} ({value}).",
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
        f"{{value}}이며, {_GAPS_KO} {{range}}이므로 어느 쪽이든 목표({{target}})를 충족하고 있습니다({{basis}}).",
        f"{{value}}; {_GAPS_EN} gives {{range}}, which holds the target ({{target}}) either way ({{basis}}).",
    ),
    "bound_misses": (
        "{value}이며 목표({target})를 충족하나, 신뢰한계({level})는 {range}이므로 아직 확실하지 않습니다({basis}).",
        "{value}, which holds the target ({target}), but the confidence bounds ({level}) of {range} do not yet ({basis}).",
    ),
    "gaps_miss": (
        f"{{value}}이며 목표({{target}})를 충족하나, {_GAPS_KO} {{range}}입니다({{basis}}).",
        f"{{value}}, which holds the target ({{target}}), but {_GAPS_EN} gives {{range}} ({{basis}}).",
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

_WHAT = {
    "readings": ("측정값", "readings"),
    "events": ("발생 기록", "events"),
    "time": ("판단할 수 있는 시간", "known times"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The numbers that a sentence may name."""

    value: float | None
    unit: str
    target: Bounds
    """In the result's unit."""
    n: int
    what: str
    """``readings``, ``events`` or ``time``: what the value is computed from."""
    alpha: float
    limit: float
    completeness: float | None
    month_completeness: float | None = None
    quarters: tuple[tuple[Window, float | None], ...] = ()
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    cumulative: bool = False
    slot: str | None = None
    company_s: float = 0.0
    platform_s: float = 0.0
    nobody_s: float = 0.0
    failures: tuple[int, int] = (0, 0)
    """Events that failed because their number is missing, and because they were never closed."""
    share: tuple[float, float] | None = None
    """A percentile's promise as a share: the share, and what it must be at least; both 0 to 1."""


def why(decision: Decision, said: Said) -> dict[str, str]:
    """The sentence behind a decision, as ``{"ko": …, "en": …}``."""
    korean, english = SENTENCES[decision.reason]
    return {"ko": _told(korean, "ko", decision, said), "en": _told(english, "en", decision, said)}


def _told(sentence: str, language: str, decision: Decision, said: Said) -> str:
    quarter, quarter_share = "", None
    if decision.quarter is not None:
        window, quarter_share = said.quarters[decision.quarter]
        quarter = window_text(window, said.zone, language)
    text = sentence.format(
        value=_value(language, said),
        range=_range(decision.ends, language, said),
        target=said.target.shown(language),
        what=_WHAT[said.what][language == "en"],
        basis=_basis(language, said),
        level=f"{'한쪽' if language == 'ko' else 'one-sided'} {printed(100 * (1 - said.alpha), '%')} %",
        completeness=_percent(said.completeness, said.limit),
        month_completeness=_percent(said.month_completeness, said.limit),
        quarter=quarter,
        quarter_completeness=_percent(quarter_share, said.limit),
        limit=f"{printed(100 * said.limit)} %",
        least_weeks=MIN_BLOCKS,
    )
    text = text[0].upper() + text[1:]
    return f"{said.slot}: {text}" if said.slot else text


def _value(language: str, said: Said) -> str:
    if said.value is None:
        return "값 없음" if language == "ko" else "no value"
    number = with_unit(printed(said.value, said.unit, said.target), said.unit, language)
    if language == "ko":
        return f"{'누계' if said.cumulative else '측정 결과'} {number}"
    return f"{'a cumulative' if said.cumulative else 'a'} value of {number}"


def _range(ends: Ends | None, language: str, said: Said) -> str:
    if ends is None:
        return ""
    if said.share is not None:
        return _share_range(ends, language, said)
    low, high = (printed(end, said.unit, said.target) for end in (ends.low, ends.high))
    if low == high:
        return with_unit(low, said.unit, language)
    return f"{low} ~ {with_unit(high, said.unit, language)}" if language == "ko" else (
        f"{low} to {with_unit(high, said.unit, language)}"
    )  # fmt: skip


def _share_range(ends: Ends, language: str, said: Said) -> str:
    assert said.share is not None
    low, high, needed = (printed(100 * end, "%") for end in (ends.low, ends.high, said.share[1]))
    if language == "ko":
        return f"목표를 지킨 측정값의 비율로 {low} ~ {high} %(필요 {needed} %)"
    return f"{low} to {high} % of readings that keep it ({needed} % needed)"


def _percent(share: float | None, limit: float) -> str:
    if share is None:
        return "–"
    bounds = Bounds(low=100 * limit, high=float("inf"), low_closed=True, high_closed=False, unit="%", text="")
    return f"{printed(100 * share, '%', bounds)} %"


def _basis(language: str, said: Said) -> str:
    """The numbers in brackets: how much there was, and to whom silence is charged."""
    korean = language == "ko"
    known = [f"{'표본수' if korean else 'n ='} {printed(said.n, '건')}"]
    if said.completeness is not None:
        known.append(f"{'자료획득률' if korean else 'completeness'} {_percent(said.completeness, said.limit)}")
    charged = (
        (said.company_s, "참여기업 귀책", "charged to the company"),
        (said.platform_s, "플랫폼 장애로 제외", "left out for platform outages"),
        (said.nobody_s, "귀책 불명", "charged to nobody"),
    )
    known += [
        f"{ko} {duration_text(s, 'ko')}" if korean else f"{duration_text(s, 'en')} {en}"
        for s, ko, en in charged
        if s >= 1
    ]
    for count, ko, en in zip(said.failures, ("번호 누락", "미종료"), ("numbers missing", "never closed"), strict=True):
        if count:
            known.append(f"{ko} {count}건" if korean else f"{count} {en}")
    return ", ".join(known)

"""Why a result is what it is: one Korean and one English sentence, with the numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from core.language import duration_text, window_text, with_unit
from core.numbers import printed
from core.window import Window
from devices.plan.instrument import Instrument
from devices.plan.target import Bounds
from kpi.change_words import refusal
from kpi.decision import Decision, Ends
from kpi.intervals import MIN_BLOCKS
from kpi.measurement import Refused
from kpi.reasons import GAPS, NOTED, SENTENCES, WHAT

__all__ = ["NOTED", "SENTENCES", "Said", "why"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The numbers that a sentence may name."""

    value: float | None
    unit: str
    target: Bounds
    """In the result's unit."""
    n: int
    what: str
    """A key of :data:`kpi.reasons.WHAT`: what the value is computed from."""
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
    site_s: float = 0.0
    nobody_s: float = 0.0
    failures: tuple[int, int] = (0, 0)
    """Events that failed because their number is missing, and because they were never closed."""
    noted: tuple[tuple[str, int], ...] = ()
    """What else is to be known of the value: keys of :data:`NOTED`, each with how many."""
    open_by: str = "silence"
    """What keeps the ends apart between which the value lies."""
    refused: Refused | None = None
    """Why there is no value, by the measure's own word."""
    least_n: int | None = None
    """The least ``n`` that the plan asks for."""
    instrument: Instrument | None = None
    """None: no instrument has a part in the value."""
    guard: float = 0.0
    """Its expanded uncertainty at the value, in ``unit``."""
    sampled: bool = False
    """Whether chance widens the guard band."""
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
        gaps=GAPS[said.open_by][language == "en"],
        guard=_guard(language, said),
        target=said.target.shown(language),
        what=WHAT[said.what][language == "en"],
        basis=_basis(language, said),
        counted=_basis(language, said, completeness=False),
        level=_level(language, said),
        completeness=_percent(said.completeness, said.limit),
        month_completeness=_percent(said.month_completeness, said.limit),
        quarter=quarter,
        quarter_completeness=_percent(quarter_share, said.limit),
        limit=f"{printed(100 * said.limit)} %",
        least_weeks=MIN_BLOCKS,
        refusal="" if said.refused is None else refusal(said.refused, language),
        n=f"{said.n:,}",
        least_n="–" if said.least_n is None else f"{said.least_n:,}",
    )
    text = text[0].upper() + text[1:]
    return f"{said.slot}: {text}" if said.slot else text


def _level(language: str, said: Said) -> str:
    return f"{'한쪽' if language == 'ko' else 'one-sided'} {printed(100 * (1 - said.alpha), '%')} %"


def _guard(language: str, said: Said) -> str:
    """What the guard band is made of."""
    korean = language == "ko"
    parts = [_instrument(said.instrument, language, said)]
    if said.sampled:
        parts.append(f"신뢰한계 {_level(language, said)}" if korean else f"{_level(language, said)} bounds")
    return ", ".join(parts)


def _instrument(instrument: Instrument | None, language: str, said: Said) -> str:
    korean = language == "ko"
    if instrument is None:
        return "플랫폼이 세는 값이라 계측기 불확도 없음" if korean else "counted by the platform, no instrument"
    unit = "%p" if said.unit == "%" else said.unit
    band = with_unit(printed(said.guard, unit), unit, language)
    moved = f"U = {band}"
    if said.what == "time":  # a share: its limit is moved by U, and it by so much
        moved = f"한계값을 U만큼 옮기면 {band}" if korean else f"the limit moved by U, which is {band}"
    if instrument.basis == "certificate":
        return f"{moved}, k = 2, {'성적서' if korean else 'certificate'} {instrument.certificate}"
    source = "" if instrument.default is None else instrument.default.source
    if korean:
        return f"{moved}, k = 2, 성적서가 없어 등급 기본값을 불리하게만 적용: {source}"
    return f"{moved}, k = 2, without a certificate the class default, against the claimant only: {source}"


def _value(language: str, said: Said) -> str:
    if said.value is None and said.what == "failures":
        return "장애가 없어 추정값이 없음" if language == "ko" else "no failures and so no estimate"
    if said.value is None:
        return "값 없음" if language == "ko" else "no value"
    if math.isinf(said.value):
        return f"{'누계' if said.cumulative else '측정 결과'} 무한대" if language == "ko" else "an infinite value"
    number = with_unit(printed(said.value, said.unit, said.target), said.unit, language)
    if said.what == "forecast":
        return f"예측치 {number}" if language == "ko" else f"a forecast of {number}"
    if language == "ko":
        return f"{'누계' if said.cumulative else '측정 결과'} {number}"
    return f"{'a cumulative' if said.cumulative else 'a'} value of {number}"


def _range(ends: Ends | None, language: str, said: Said) -> str:
    if ends is None:
        return ""
    if said.share is not None:
        return _share_range(ends, language, said)
    if math.isinf(ends.low):
        return "무한대" if language == "ko" else "infinite"
    low, high = (printed(end, said.unit, said.target) for end in (ends.low, ends.high))
    if math.isinf(ends.high):
        low = with_unit(low, said.unit, language)
        return f"{low} 이상" if language == "ko" else f"{low} or more"
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


def _basis(language: str, said: Said, *, completeness: bool = True) -> str:
    """The numbers in brackets: how much there was, and to whom silence is charged.

    :param completeness: False where the sentence has it already.
    """
    korean = language == "ko"
    known = [f"{'표본수' if korean else 'n ='} {printed(said.n, '건')}"]
    if completeness and said.completeness is not None:
        known.append(f"{'자료획득률' if korean else 'completeness'} {_percent(said.completeness, said.limit)}")
    charged = (
        (said.company_s, "참여기업 귀책", "charged to the company"),
        (said.platform_s, "플랫폼 장애로 제외", "left out for platform outages"),
        (said.site_s, "수요처 장애로 제외", "left out for site outages"),
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
    known += [NOTED[what][not korean].format(n=f"{count:,}") for what, count in said.noted if count]
    return ", ".join(known)

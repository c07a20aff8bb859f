"""Why a change has no value, and what is said beside one: Korean and English, with the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from core.numbers import printed
from kpi.measurement import Refused

REFUSALS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "baseline_missing": (
        "기준값 파일 {file}(SHA-256 {sha256}…)이 등록되지 않아 비교할 수 없습니다",
        "The baseline file {file} (SHA-256 {sha256}…) was not handed in, so nothing can be compared",
    ),
    "baseline_changed": (
        "기준값 파일 {file}의 내용이 협약에 적힌 SHA-256({sha256}…)과 달라({found}…) 비교하지 않습니다",
        "The baseline file {file} is not what the agreement names by its SHA-256 ({sha256}…, found {found}…), so it is"
        " not compared",
    ),
    "baseline_unreadable": (
        "기준값 파일 {file}을 읽을 수 없습니다: {why}",
        "The baseline file {file} cannot be read: {why}",
    ),
    "baseline_short": (
        "기준값의 자료가 {completeness}뿐이어서 최소 기준({least})에 못 미치므로 비교하지 않습니다",
        "Of the baseline only {completeness} is there, less than the {least} that it takes, so nothing is compared",
    ),
    "baseline_days": (
        "기준값에 자료가 있는 날이 {days}일로 최소 {least}일에 못 미치므로 비교하지 않습니다",
        "The baseline has data on {days} days, fewer than the {least} that the plan asks for, so nothing is compared",
    ),
    "baseline_none": (
        "기준값의 기간에 자료가 없어 비교할 수 없습니다",
        "There are no data in the baseline's window, so nothing can be compared",
    ),
    "baseline_zero": (
        "기준값이 0 이하여서 변화율을 낼 수 없습니다",
        "The baseline is not above zero, so there is no change in % of it",
    ),
    "baseline_together": (
        "기준값이 지점 {slots}곳을 합친 것이어서 한 지점만의 변화는 낼 수 없습니다",
        "The baseline is of {slots} slots together, so the change of one alone is not known",
    ),
    "no_pairs": (
        "비교할 수 있는 날이 하루도 없습니다{days_left}",
        "No day can be compared{days_left}",
    ),
    "control_none": (
        "대조 지점에 기준값 기간의 자료가 없어 비교할 수 없습니다",
        "The controls have no data in the baseline's window, so nothing can be compared",
    ),
    "control_zero": (
        "대조 지점의 값이 0 이하여서 변화율을 낼 수 없습니다",
        "The controls' value is not above zero, so there is no change in % of it",
    ),
    "weather_short": (
        "기준값 기간에 기온이 함께 있는 날이 {completeness}뿐이어서 최소 기준({least})에 못 미치므로 도일 보정을 하지 않습니다",
        "Only {completeness} of the baseline's days have a temperature, less than the {least} that it takes, so nothing is"
        " normalised",
    ),
    "model_poor": (
        "기준값의 도일 모형이 맞지 않습니다: CV(RMSE) {cv_rmse}(최대 {most_cv_rmse}), R² {r2}(최소 {least_r2})",
        "The baseline's model of the weather does not fit: CV(RMSE) {cv_rmse} (at most {most_cv_rmse}), R² {r2} (at least"
        " {least_r2})",
    ),
})  # fmt: skip

LEFT_OUT: Mapping[str, tuple[str, str]] = MappingProxyType({
    "no_pair": ("짝이 되는 날 없음", "without a counterpart"),
    "holiday": ("공휴일", "public holidays"),
    "gap": ("자료 부족", "lacking data"),
    "baseline_gap": ("기준값 자료 부족", "lacking data of the baseline"),
    "control_gap": ("대조 지점 자료 부족", "lacking data of a control"),
    "weather": ("기온 없음", "without a temperature"),
})  # fmt: skip
"""Why a day does not count."""

NO_PROOF = ("전·후 변화 (효과의 입증 아님)", "before and after (no proof of an effect)")
WITH_CONTROL = ("대조 지점의 변화를 뺀 변화", "the change less that of the controls")


def refusal(refused: Refused, language: str) -> str:
    """The sentence of a refusal, without its full stop.

    >>> refusal(Refused(code="baseline_short", values={"completeness": 0.5, "least": 0.9}), "en")
    'Of the baseline only 50.0 % is there, less than the 90.0 % that it takes, so nothing is compared'
    """
    korean = language == "ko"
    values: dict[str, Any] = {key: _shown(key, value) for key, value in refused.values.items()}
    left = days_left(refused.values, language)
    values["days_left"] = f": {left}" if left else ""
    return REFUSALS[refused.code][0 if korean else 1].format(**values)


def proof_text(change: Mapping[str, Any], language: str) -> str:
    """What a change proves: without a control only that something is other than before."""
    return (WITH_CONTROL if change.get("controls") else NO_PROOF)[0 if language == "ko" else 1]


def days_left(counts: Mapping[str, Any], language: str) -> str:
    """How many days do not count, and why: ``공휴일 15일, 자료 부족 3일``."""
    korean = language == "ko"
    told = []
    for why, (ko, en) in LEFT_OUT.items():
        n = counts.get(why)
        if n:
            told.append(f"{ko} {n}일" if korean else f"{n} day{'s' if n > 1 else ''} {en}")
    return ", ".join(told)


def _shown(key: str, value: Any) -> Any:
    if key in ("completeness", "least", "cv_rmse", "most_cv_rmse"):
        return value if isinstance(value, int) else f"{printed(100 * value, '%')} %"
    return printed(value) if key in ("r2", "least_r2") else value

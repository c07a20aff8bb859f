"""What pages and documents show of a change, from an entry of a result alone: both levels, the days, the baseline, a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from core.language import LANGUAGES, N_, translator, with_unit
from core.numbers import printed
from core.units import shown_unit
from kpi.change_words import days_left, proof_text
from kpi.charts.before_after import BeforeAfter, before_after

METHODS: Final = {
    "windows": N_("두 기간 전체를 비교"),
    "days": N_("날마다의 값을 대조 지점과 함께 비교"),
    "pair": N_("같은 주·같은 요일끼리 짝지어 비교"),
    "normalise": N_("도일로 기온 차이를 보정하여 비교"),
}
FORMS: Final = {
    "file": N_("도입 전 기준값 파일"),
    "window": N_("같은 지점의 앞선 기간"),
    "value": N_("출처가 있는 값"),
}


def level_text(value: float, unit: str, language: str) -> str:
    """A level with its unit, as pages print it."""
    return with_unit(printed(value, unit), unit, language)


def record_of(entry: Mapping[str, Any], say: Callable[..., str], language: str) -> BeforeAfter | None:
    """The picture of a change; None where there are no days or weeks to draw."""
    change = entry.get("change")
    if change is None or entry["value"] is None:
        return None
    days = change.get("days") or []
    paired = any(row[2] is not None for row in days)
    if paired:
        after = [(row[0], row[1]) for row in days]
        before = [(row[0], row[2]) for row in days]
    elif days:
        after, before = [(row[0], row[1]) for row in days], list(change.get("days_before") or [])
    else:
        after, before = list(change.get("weeks") or []), list(change.get("weeks_before") or [])
    if not after or not before:
        return None
    unit = change["unit"]
    title = say(
        N_("%(name)s: 기준값 %(before)s, 실증 중 %(after)s — %(proof)s"),
        name=entry["name"],
        before=level_text(change["before"], unit, language),
        after=level_text(change["after"], unit, language),
        proof=proof_text(change, language),
    )
    return BeforeAfter(
        title=title,
        axis=shown_unit(unit) or "–",
        after=_dated(after),
        before=_dated(before),
        aligned=paired,
        levels=(change["after"], change["before"]),
    )


def _dated(rows: Sequence[Sequence[Any]]) -> tuple[tuple[date, float], ...]:
    return tuple((date.fromisoformat(str(row[0])), float(row[1])) for row in rows)


def spec_of(entry: Mapping[str, Any], say: Callable[..., str], language: str, **size: Any) -> dict[str, Any]:
    """The specification of the picture; empty where there is nothing to draw."""
    record = record_of(entry, say, language)
    return {} if record is None else before_after(record, language=language, **size)


def pictures_of(entry: Mapping[str, Any]) -> dict[str, tuple[dict[str, Any], ...]] | None:
    """The picture of a change for documents, by language; None where there is nothing to draw."""
    found: dict[str, tuple[dict[str, Any], ...]] = {}
    for language in LANGUAGES:
        spec = spec_of(entry, _sayer(language), language, width=640, height=130)
        if not spec:
            return None
        found[language] = (spec,)
    return found


def _sayer(language: str) -> Callable[..., str]:
    translate = translator(language)
    return lambda message, **values: translate(message) % values if values else translate(message)


def facts_of(entry: Mapping[str, Any], say: Callable[..., str], language: str) -> list[tuple[str, str]]:
    """What is to be known of a change: heading, text."""
    change: Mapping[str, Any] = entry["change"]
    baseline = change.get("baseline") or {}
    rows = [(say(N_("비교 방법")), say(METHODS[change["method"]]))]
    told = say(FORMS[baseline.get("form", "window")])
    name = " · ".join(str(one) for one in (baseline.get("file"), baseline.get("source")) if one)
    rows.append((say(N_("기준값")), f"{told}{': ' if name else ''}{name}"))
    if baseline.get("window"):
        first, end = baseline["window"]
        rows.append(
            (say(N_("기준값의 기간")), f"{first} ~ {date.fromordinal(date.fromisoformat(str(end)).toordinal() - 1)}")
        )
    if baseline.get("sha256"):
        rows.append(("SHA-256", str(baseline["sha256"])))
    if "after" in change:
        unit = change["unit"]
        both = (level_text(change[side], unit, language) for side in ("before", "after"))
        rows.append((say(N_("기준값 → 실증 중")), " → ".join(both)))
    control = change.get("control")
    if control:
        both = (level_text(control[side], change["unit"], language) for side in ("before", "after"))
        rows.append((f"{say(N_('대조 지점'))} ({', '.join(change['controls'])})", " → ".join(both)))
    if change.get("model"):
        rows.append((say(N_("도일 모형")), model_text(change["model"], say)))
    if change.get("left_out"):
        rows.append((say(N_("비교하지 않은 날")), days_left(change["left_out"], language)))
    if change.get("holidays"):
        rows.append((say(N_("공휴일 달력")), str(change["holidays"]["calendar"])))
    if entry["value"] is not None:
        rows.append((say(N_("뜻")), proof_text(change, language)))
    return rows


def model_text(model: Mapping[str, Any], say: Callable[..., str]) -> str:
    """Bases, CV(RMSE), R²."""
    bases = [
        say(N_("난방 %(t)s °C"), t=f"{model['heating']:g}") if model["heating"] is not None else "",
        say(N_("냉방 %(t)s °C"), t=f"{model['cooling']:g}") if model["cooling"] is not None else "",
    ]
    fit = f"CV(RMSE) {100 * model['cv_rmse']:.1f} %, R² {model['r2']:.3f}"
    return ", ".join([*(base for base in bases if base), fit, say(N_("%(n)s일"), n=model["n"])])

"""What else a result's sentence has to say: excluded time, agreed outages, other devices, an amended target, readings decoded
by several revisions; with the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.language import duration_text, with_unit
from core.numbers import printed
from devices.plan.target import Bounds, parse_bounds
from kpi.change_words import proof_text
from kpi.left_out import left_out_text
from kpi.pooling import pooling_told
from kpi.referenced import reference_clauses
from kpi.revisions import Revisions, revisions_told


def remarked(entry: Mapping[str, Any], channels: Sequence[Revisions] = ()) -> dict[str, Any]:
    """An entry whose ``why`` tells, in the same sentence, what it would be without what people agreed on, and what changed.

    :param channels: the revisions of those that its value is computed from.

    >>> entry = {"unit": "%", "target": {"text": ">= 95 %"}, "why": {"ko": "목표를 달성했습니다.", "en": "It is met."},
    ...          "excluded_s": 7200.0, "reason": "value_met", "without": {"exclusions": {"value": 94.2}}}
    >>> remarked(entry)["why"]["ko"]
    '목표를 달성했습니다; 평가 제외 구간 2시간을 빼지 않으면 94.2 %.'
    >>> remarked(entry)["why"]["en"]
    'It is met; 94.2 % with the excluded 2 h counted.'
    """
    why = {}
    for language, sentence in entry["why"].items():
        clauses = [
            *_compared(entry, language),
            *_left_out(entry, language),
            *_excluded(entry, language),
            *_outages(entry, language),
            *_conditions(entry, language),
            *_segments(entry, language),
            *_amended(entry, language),
            *reference_clauses(entry.get("references", ()), language),
            *revisions_told(channels, language),
        ]
        why[language] = "; ".join([sentence.removesuffix("."), *clauses]) + "." if clauses else sentence
    return {**entry, "why": why}


def _compared(entry: Mapping[str, Any], language: str) -> list[str]:
    """Of a change with a value: what it proves."""
    change = entry.get("change")
    return [] if change is None or entry["value"] is None else [proof_text(change, language)]


def _left_out(entry: Mapping[str, Any], language: str) -> list[str]:
    text = left_out_text(entry["left_out"], language) if "left_out" in entry else ""
    without = _without(entry, "findings")
    if not text or without is None or without["value"] == entry["value"]:
        return [text] if text else []
    value = _number(entry, without["value"], language)
    return [f"{text}, 빼지 않으면 {value}" if language == "ko" else f"{text}, and {value} with them counted"]


def _excluded(entry: Mapping[str, Any], language: str) -> list[str]:
    without = _without(entry, "exclusions")
    if without is None or entry["reason"] == "exclusion_turns" or entry["excluded_s"] < 1:
        return []  # what turns the verdict has told both numbers already
    value, span = _number(entry, without["value"], language), duration_text(entry["excluded_s"], language)
    if language == "ko":
        return [f"평가 제외 구간 {span}을 빼지 않으면 {value}"]
    return [f"{value} with the excluded {span} counted"]


def _outages(entry: Mapping[str, Any], language: str) -> list[str]:
    without = _without(entry, "outages")
    if without is None or without["value"] == entry["value"]:
        return []
    value = _number(entry, without["value"], language)
    return [f"합의한 장애를 빼지 않으면 {value}" if language == "ko" else f"{value} without the agreed outages"]


def _conditions(entry: Mapping[str, Any], language: str) -> list[str]:
    """How much time lay outside of the operating conditions, and what it would be with that."""
    clauses = []
    without = _without(entry, "conditions")
    if without is not None and entry["conditions_s"] >= 1:
        value, span = _number(entry, without["value"], language), duration_text(entry["conditions_s"], language)
        names = ", ".join(row["name"] for row in entry["conditions"] if row["left_out_s"] >= 1)
        if language == "ko":
            clauses.append(f"적용 환경({names})을 벗어난 {span}을 빼지 않으면 {value}")
        else:
            clauses.append(f"{value} with the {span} outside of the operating conditions ({names}) counted")
    unknown = max((row["unknown_s"] for row in entry.get("conditions", ())), default=0.0)
    if unknown >= 1:
        span = duration_text(unknown, language)
        text = f"적용 환경을 알 수 없는 {span}은 빼지 않음"
        clauses.append(text if language == "ko" else f"{span} of which the conditions are not known stay in")
    return clauses


def _without(entry: Mapping[str, Any], what: str) -> Mapping[str, Any] | None:
    """The figures of the same part; another part's are in another unit."""
    found: Mapping[str, Any] | None = entry.get("without", {}).get(what)
    return None if found is None or found.get("part") != entry.get("part") else found


def _segments(entry: Mapping[str, Any], language: str) -> list[str]:
    changes = {(row["slot"], str(row["start"])) for row in entry.get("segments", ()) if row["cause"] is not None}
    last = entry.get("last_segment")
    if not changes or last is None:
        return []
    if isinstance(last, list):
        last = last[entry.get("part", 0)]
    pooling = entry.get("pooling")
    if isinstance(pooling, list):
        pooling = pooling[entry.get("part", 0)]
    pooled = [] if pooling is None else [pooling_told(pooling, language)]
    value = _number(entry, last["value"], language)
    if language == "ko":
        return [f"장비·모델·펌웨어가 {len(changes)}번 바뀌었고 마지막 구간은 {value}", *pooled]
    times = "once" if len(changes) == 1 else f"{len(changes)} times"
    return [f"device, model or firmware changed {times}, the last segment has {value}", *pooled]


def _amended(entry: Mapping[str, Any], language: str) -> list[str]:
    earlier = [row[language] for row in entry.get("targets", ())[:-1]]
    if not earlier:
        return []
    told = ", ".join(earlier)
    return [f"협약변경 전 목표는 {told}" if language == "ko" else f"the target before the amendment was {told}"]


def _number(entry: Mapping[str, Any], value: float | None, language: str) -> str:
    if value is None:
        return "값 없음" if language == "ko" else "no value"
    return with_unit(printed(value, entry["unit"], _target(entry)), entry["unit"], language)


def _target(entry: Mapping[str, Any]) -> Bounds:
    written = parse_bounds(entry["target"]["text"])
    return written if written.unit == entry["unit"] else written.to(entry["unit"])

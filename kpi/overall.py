"""목표달성도: how the verdicts of a pilot's KPIs come to one answer, as the plan says. Pure.

``all_required``: every required KPI must be met (every KPI, where none is required). ``weighted``: the weighted mean of the KPIs'
scores; with ``pass`` in the plan it is met from there on, unless a required KPI is missed. Formulas, for a value v against a
target T, 100 being the target reached and ``cap`` the most:

- larger is better: ``ratio`` 100 · v / T
- smaller is better: ``ratio`` 100 · T / v, or ``complement`` 100 · (2 − v / T)
- a range: ``met`` 100 inside and 0 outside, or ``distance`` 100 less how far outside it lies, in half widths of the range
- ``met``, of any direction: 100 if the verdict is met, else 0. It stands in where no ratio can be formed (a target of 0)

A score never falls below 0, and never changes a verdict: it is computed beside it. A KPI of several promises scores as its worst.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from core.language import STATES, particle
from core.numbers import printed, written
from devices.plan.agreed import Overall
from devices.plan.target import Bounds, parse_bounds

FULL: Final = 100.0


def overall_of(rule: Overall, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The answer over all KPIs, as plain data.

    :param entries: the KPIs of a result with verdicts, in the plan's order.
    :returns: ``rule``, ``verdict`` (None where the plan says no score to pass), ``score`` with its ends if what is open were
        decided (``weighted`` only), ``parts``, and ``why`` in both languages.

    >>> entry = {"id": "a", "name": "성공률", "verdict": "met", "required": False, "weight": 100, "value": 97.0, "unit": "%",
    ...          "target": {"text": ">= 95 %"}}
    >>> found = overall_of(Overall(rule="weighted", cap=120), [entry])
    >>> round(found["score"], 2), found["verdict"]
    (102.11, None)
    """
    parts = [_part(rule, entry) for entry in entries]
    judged = [part for part, entry in zip(parts, entries, strict=True) if entry.get("reason") != "forecast"]
    found: dict[str, Any] = {
        "rule": rule.rule,
        "verdict": _required(judged or parts, every=rule.rule == "all_required"),
        "parts": parts,
    }
    if rule.rule == "weighted":
        found |= _weighted(rule, parts, found["verdict"])
    return found | {"why": {language: _why(rule, found, language) for language in ("ko", "en")}}


def _part(rule: Overall, entry: Mapping[str, Any]) -> dict[str, Any]:
    weighted = rule.rule == "weighted"
    return {
        "id": entry["id"],
        "name": entry["name"],
        "required": entry["required"],
        "weight": entry["weight"],
        "verdict": entry["verdict"],
        "counts_as": _counts_as(entry),
        "score": score(rule, entry) if weighted else None,
        "formula": formula_of(rule, entry) if weighted else None,
    }


def _counts_as(entry: Mapping[str, Any]) -> str:
    """An open verdict counts as not met where the plan says so; the verdict itself stays what it is."""
    left_open = entry["verdict"] == "inconclusive" and entry.get("if_inconclusive") == "not_met"
    return "not_met" if left_open else str(entry["verdict"])


def _required(parts: Sequence[Mapping[str, Any]], *, every: bool) -> str | None:
    """The least favourable verdict of what is required; None where nothing is.

    :param every: all KPIs are required, where the plan marks none.
    """
    needed = [part for part in parts if part["required"]] or (list(parts) if every else [])
    order = ("not_met", "insufficient", "inconclusive", "met")
    return min((part["counts_as"] for part in needed), key=order.index, default=None)


# --- Scores


def score(rule: Overall, entry: Mapping[str, Any]) -> float:
    """The score of one KPI, 0 to the cap."""
    left = {"inconclusive": rule.open, "insufficient": rule.insufficient}.get(entry["verdict"], "achieved")
    if left != "achieved":
        return float(left)
    return achieved(rule, entry)


def achieved(rule: Overall, entry: Mapping[str, Any]) -> float:
    """What the formula gives, whatever the verdict; of several promises the worst."""
    parts = entry.get("parts")
    if parts:
        return min(achieved(rule, part) for part in parts)
    points = _points(formula_of(rule, entry), entry)
    return min(max(points, 0.0), rule.cap)


def formula_of(rule: Overall, entry: Mapping[str, Any]) -> str:
    """Which formula a KPI is scored by: that of its target's direction; ``met`` where no ratio can be formed."""
    if entry.get("parts"):
        return "worst"
    target = _target(entry)
    if target.one_sided is None:
        degenerate = target.low == target.high or not math.isfinite(target.high - target.low)
        return "met" if degenerate else rule.formula.range
    chosen = rule.formula.larger if target.one_sided == "low" else rule.formula.smaller
    return "met" if _end(target) == 0 else chosen


def _points(formula: str, entry: Mapping[str, Any]) -> float:
    target, value = _target(entry), entry["value"]
    if formula == "met" or (value is None and entry.get("no_value") != "infinite"):
        return FULL if entry["verdict"] == "met" else 0.0
    number = math.inf if value is None else float(value)
    if formula == "distance":
        half = (target.high - target.low) / 2
        return FULL * (1 - max(target.low - number, number - target.high, 0.0) / half)
    # How far the value has come of the way from 0 to the target: below 0 where it lies on the other side.
    reached = number / _end(target)
    if target.one_sided == "low":
        # ≥ −5 asks for no more than 5 below zero: there a smaller distance is better.
        return FULL * (reached if _end(target) > 0 else _reverse(reached, formula))
    return FULL * (_reverse(reached, formula) if _end(target) > 0 else reached)


def _reverse(reached: float, formula: str) -> float:
    """Of what is better the smaller it is."""
    if formula == "complement":
        return 2 - reached
    return math.inf if reached <= 0 else 1 / reached


def _end(target: Bounds) -> float:
    return target.low if target.one_sided == "low" else target.high


def _target(entry: Mapping[str, Any]) -> Bounds:
    target = parse_bounds(entry["target"]["text"])
    return target if target.unit == entry["unit"] else target.to(entry["unit"])


def _weighted(rule: Overall, parts: Sequence[Mapping[str, Any]], required: str | None) -> dict[str, Any]:
    whole = math.fsum(part["weight"] for part in parts)
    if not whole:
        return {"score": None, "low": None, "high": None, "pass": rule.pass_, "cap": rule.cap, "verdict": None}

    def mean(of_open: float | None) -> float:
        points = [part["score"] if of_open is None or not _open(part) else of_open for part in parts]
        return math.fsum(part["weight"] * one for part, one in zip(parts, points, strict=True)) / whole

    found = mean(None)
    verdict = None
    if rule.pass_ is not None:
        verdict = "not_met" if found < rule.pass_ else required or "met"
        if required == "not_met":
            verdict = "not_met"
    # What the score may still become: as long as nothing is decided, an open verdict is worth nothing or all.
    return {
        "score": found, "low": mean(0.0), "high": mean(rule.cap), "pass": rule.pass_, "cap": rule.cap, "verdict": verdict,
    }  # fmt: skip


def _open(part: Mapping[str, Any]) -> bool:
    return part["counts_as"] in ("inconclusive", "insufficient")


# --- Sentences


def _why(rule: Overall, found: Mapping[str, Any], language: str) -> str:
    """One sentence with the numbers."""
    if rule.rule == "all_required":
        return _why_required(found, language)
    return _why_weighted(found, language)


def _why_required(found: Mapping[str, Any], language: str) -> str:
    korean = language == "ko"
    needed = [part for part in found["parts"] if part["required"]] or found["parts"]
    which = ("필수 지표" if needed[0]["required"] else "전체 지표") if korean else (
        "required KPIs" if needed[0]["required"] else "KPIs"
    )  # fmt: skip
    counts = _counted(needed, language)
    names = _named([part for part in needed if part["counts_as"] == found["verdict"]])
    match found["verdict"]:
        case "met":
            told = f"{which} {len(needed)}개를 모두 달성했습니다" if korean else f"All {len(needed)} {which} are met"
        case "not_met":
            told = (
                f"{which} {len(needed)}개 중 {names}{particle(names, '을', '를')} 달성하지 못했습니다"
                if korean
                else f"Of {len(needed)} {which}, {names} missed the target"
            )
        case _:
            told = (
                f"{which} {len(needed)}개 중 {names}{particle(names, '이', '가')} 정해지지 않아 판정을 유보합니다"
                if korean
                else f"Of {len(needed)} {which}, {names} stayed undecided, so the whole does"
            )
    return f"{told}({counts})." if korean else f"{told} ({counts})."


def _why_weighted(found: Mapping[str, Any], language: str) -> str:
    korean = language == "ko"
    if found["score"] is None:
        return "가중치가 없어 점수를 낼 수 없습니다." if korean else "There are no weights, so there is no score."
    score, cap = printed(found["score"], "점", _pass(found)), written(found["cap"])
    told = f"가중 평균 {score}점(지표별 상한 {cap}점)" if korean else f"A weighted mean of {score} points (cap {cap})"
    if found["pass"] is None:
        told += "입니다" if korean else ""
    else:
        told += _passing(found, language)
    counts = _counted(found["parts"], language)
    return f"{told}({counts})." if korean else f"{told} ({counts})."


def _passing(found: Mapping[str, Any], language: str) -> str:
    korean = language == "ko"
    needed, reached = written(found["pass"]), found["score"] >= found["pass"]
    missed = [part for part in found["parts"] if part["required"] and part["counts_as"] != "met"]
    names, word = _named(missed), STATES[found["verdict"]].word(language)
    if korean:
        told = f"이 통과 기준 {needed}점 {'이상' if reached else '미만'}이"
        told += f"며 필수 지표 {names}{particle(names, '이', '가')} 미달성이거나 정해지지 않아" if missed else "므로"
        return f"{told} {word}입니다"
    told = f" {'reaches' if reached else 'stays below'} the {needed} points to pass"
    told += f", and the required {names} {'is' if len(missed) == 1 else 'are'} missed or undecided" if missed else ""
    return f"{told}: {word}"


def _pass(found: Mapping[str, Any]) -> Bounds | None:
    if found["pass"] is None:
        return None
    return Bounds(low=found["pass"], high=math.inf, low_closed=True, high_closed=False, unit="점", text="")


def _counted(parts: Sequence[Mapping[str, Any]], language: str) -> str:
    told = []
    for code in ("met", "not_met", "inconclusive", "insufficient"):
        n = sum(part["verdict"] == code for part in parts)
        if n:
            word = STATES[code].word(language)
            told.append(f"{word} {n}" if language == "ko" else f"{n} {word}")
    return ", ".join(told)


def _named(parts: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(part["name"] for part in parts)

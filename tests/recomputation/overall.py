"""목표달성도: how verdicts come to one answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tests.recomputation.units import Target

Dict = dict[str, Any]
_ORDER = ("not_met", "insufficient", "inconclusive", "met")


def overall(rule: Dict, entries: Sequence[Dict]) -> Dict:
    """The answer, and where scores are asked for the score with its ends."""
    weighted = rule.get("rule", "all_required") == "weighted"
    judged = [one for one in entries if one.get("kind") != "forecast"] or list(entries)
    required = [one for one in entries if one["required"]] or ([] if weighted else judged)
    needed = min((_counts_as(one) for one in required), key=_ORDER.index, default=None)
    if not weighted:
        return {"verdict": needed}
    cap = float(rule.get("cap", 100))
    whole = sum(one["weight"] for one in entries)
    if not whole:
        return {"verdict": None, "score": None, "low": None, "high": None}

    def mean(undecided: float | None) -> float:
        points = []
        for one in entries:
            free = undecided is not None and _counts_as(one) in ("inconclusive", "insufficient")
            points.append(one["weight"] * (undecided if free and undecided is not None else _score(rule, cap, one)))
        return math.fsum(points) / float(whole)

    score, needs = mean(None), rule.get("pass")
    verdict = None
    if needs is not None:
        verdict = "not_met" if score < needs or needed == "not_met" else needed or "met"
    return {"verdict": verdict, "score": score, "low": mean(0.0), "high": mean(cap)}


def _counts_as(entry: Dict) -> str:
    open_ = entry["verdict"] == "inconclusive" and entry["if_inconclusive"] == "not_met"
    return "not_met" if open_ else str(entry["verdict"])


def _score(rule: Dict, cap: float, entry: Dict) -> float:
    undecided = {"inconclusive": "open", "insufficient": "insufficient"}.get(entry["verdict"])
    points = "achieved" if undecided is None else rule.get(undecided, 0)
    return _achieved(rule.get("formula") or {}, cap, entry) if points == "achieved" else float(points)


def _achieved(formula: Dict, cap: float, entry: Dict) -> float:
    if "parts" in entry:
        return min(_achieved(formula, cap, part) for part in entry["parts"])
    return min(max(_points(formula, entry), 0.0), cap)


def _points(formula: Dict, entry: Dict) -> float:
    target: Target = entry["target"]
    value = math.inf if entry["infinite"] else entry["value"]
    met = 100.0 if entry["verdict"] == "met" else 0.0
    if value is None:
        return met
    if target.side == "both":
        width = target.high - target.low
        if formula.get("range", "met") == "met" or not width or math.isinf(width):
            return met
        return 100.0 * float(1 - max(target.low - value, value - target.high, 0.0) / (width / 2))
    larger = target.side == "low"
    end = target.low if larger else target.high
    how = formula.get("larger" if larger else "smaller", "ratio")
    if how == "met" or end == 0:
        return met
    reached = value / end
    # Below zero what counts is the way from 0: there the sides change.
    if larger == (end > 0):
        return 100.0 * float(reached)
    if how == "complement":
        return 100.0 * float(2 - reached)
    return math.inf if reached <= 0 else 100.0 / float(reached)

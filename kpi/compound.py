"""A KPI that promises several things at once: all of them must hold.

Every part is judged and reported on its own. The KPI's answer is the least favourable of theirs, and its row (value, unit,
target, interval) is that of the part that decides: the first of those with that answer. A part that misses is taken at
5 %/(k·m) of m parts; that all hold needs no such care, for each must.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.language import STATES
from devices.plan.model import Kpi
from kpi.decision import Decision, Status, Verdict, worst

_OF_THE_KPI = ("id", "scope", "decision", "group", "required", "weight", "minimum_completeness", "if_inconclusive")
_NUMBERS = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"


def compound(kpi: Kpi, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The entry of a KPI from those of its parts, in the plan's order.

    ``parts`` has each of them, ``part`` says which one decides.
    """
    number = worst([Decision(answer=_answer(entry), reason="") for entry in entries])
    chosen = entries[number]
    return {
        **chosen,
        "name": kpi.name,
        "why": {language: _why(entries, number, language) for language in ("ko", "en")},
        "part": number,
        "parts": [{key: item for key, item in entry.items() if key not in _OF_THE_KPI} for entry in entries],
    }


def part_of(entry: Mapping[str, Any], number: int | None) -> Mapping[str, Any]:
    """One part of a KPI that promises several things, so that months show the same one; any other KPI as it is."""
    parts = entry.get("parts") or ()
    found: Mapping[str, Any] = parts[number] if number is not None and number < len(parts) else entry
    return found


def _answer(entry: Mapping[str, Any]) -> Status | Verdict:
    return Verdict(entry["verdict"]) if "verdict" in entry else Status(entry["status"])


def _why(entries: Sequence[Mapping[str, Any]], chosen: int, language: str) -> str:
    """One sentence: what became of each condition, and why the deciding one is what it is."""
    states = [
        f"{_number(place)} {entry['name']} {STATES[_answer(entry).value].word(language)}"
        for place, entry in enumerate(entries)
    ]
    told = entries[chosen]["why"][language]
    if language == "ko":
        head = f"조건 {len(entries)}개를 모두 충족해야 하며({', '.join(states)})"
        return f"{head} 판정을 정하는 것은 {_number(chosen)}: {told}"
    return f"All {len(entries)} conditions must hold ({', '.join(states)}); what decides is {_number(chosen)}: {told}"


def _number(place: int) -> str:
    return _NUMBERS[place] if place < len(_NUMBERS) else f"({place + 1})"

"""Both numbers: a KPI as it is judged, and as it would be without what people agreed on. And verdicts that exclusions turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.language import STATES, duration_text, with_unit
from core.numbers import printed
from kpi.judge import Asked

_FIGURE = ("part", "value", "no_value", "n", "completeness", "interval", "as_share", "status", "verdict", "reason")

_TURNED = {
    "ko": "평가 제외 구간({excluded})을 빼면 {value}({verdict}), 빼지 않으면 {other}({other_verdict})로, 제외 여부에 따라"
    " 판정이 달라지므로 판정을 유보하고 심사위원회가 정합니다.",
    "en": "Without the excluded time ({excluded}) the value is {value} ({verdict}), with it {other} ({other_verdict}): the"
    " exclusions turn the verdict, so it stays open and goes to the committee.",
}


def figures(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What stands beside an entry that was computed with more: its numbers and its answer."""
    month = (
        {} if "month" not in entry else {"month": {key: entry["month"][key] for key in ("value", "n", "completeness")}}
    )
    return {key: entry[key] for key in _FIGURE if key in entry} | month


def turned(
    asked: Sequence[Asked], entry: Mapping[str, Any], without: Mapping[str, Any], excluded_s: float
) -> dict[str, Any]:
    """An entry with a verdict, given that the exclusions turn it: the verdict stays open and goes to the committee.

    :param asked: each thing that the KPI promises.
    :param without: the :func:`figures` of the same KPI without its exclusions.
    :returns: the entry as it was where they do not turn it.
    """
    if entry.get("verdict") == without.get("verdict"):
        return dict(entry)
    why = {
        language: sentence.format(
            excluded=duration_text(excluded_s, language),
            value=_value(asked, entry, language),
            verdict=STATES[entry["verdict"]].word(language).lower(),
            other=_value(asked, without, language),
            other_verdict=STATES[without["verdict"]].word(language).lower(),
        )
        for language, sentence in _TURNED.items()
    }
    return {
        **entry,
        "verdict": "inconclusive",
        "reason": "exclusion_turns",
        "why": why,
        "if_inconclusive": "committee",
        "with_exclusions": figures(entry),
    }


def _value(asked: Sequence[Asked], figure: Mapping[str, Any], language: str) -> str:
    if figure["value"] is None:
        return "값 없음" if language == "ko" else "none"
    decides = asked[figure.get("part", 0)]
    return with_unit(printed(figure["value"], decides.unit, decides.target), decides.unit, language)

"""To whom time without data is charged, in words: each part with how long it is and what record says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from core.language import N_
from core.numbers import printed
from kpi.reports.figures import Charged
from kpi.reports.scoring import Say

Kind = Literal["company", "platform", "site", "unattributed", "excluded"]
WORDS: Final[dict[Kind, str]] = {
    "company": N_("장비(참여기업)"),
    "platform": N_("플랫폼"),
    "site": N_("수요처"),
    "unattributed": N_("미확인"),
    "excluded": N_("평가 제외"),
}
LEAST: Final = 0.015
"""A part that is there is seen, however small: share of the bar's width."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargedPart:
    """One part of the time without data."""

    kind: Kind
    word: str
    seconds: float
    source: str
    """Which record says so; empty where there is nothing to say."""
    x: float
    width: float
    """Where it begins and how wide it is in a bar of all parts, 0 to 1."""


def charged_parts(charged: Charged, say: Say) -> tuple[ChargedPart, ...]:
    """All parts in a fixed order, those without time too."""
    lengths: dict[Kind, float] = {
        "company": charged.company_s,
        "platform": charged.platform_s,
        "site": charged.site_s,
        "unattributed": charged.unattributed_s,
        "excluded": charged.excluded_s,
    }
    widths = _widths(list(lengths.values()))
    found = []
    x = 0.0
    for (kind, seconds), width in zip(lengths.items(), widths, strict=True):
        source = _source(kind, charged, say) if seconds else ""
        found.append(
            ChargedPart(kind=kind, word=say(WORDS[kind]), seconds=seconds, source=source, x=x, width=width)
        )  # fmt: skip
        x += width
    return tuple(found)


def _widths(lengths: Sequence[float]) -> list[float]:
    """Shares of the whole; what would be too thin to be seen is drawn wider, at the cost of the widest."""
    whole = sum(lengths)
    if not whole:
        return [0.0] * len(lengths)
    seen = [max(length / whole, LEAST) if length else 0.0 for length in lengths]
    widest = max(range(len(seen)), key=seen.__getitem__)
    seen[widest] -= sum(seen) - 1
    return seen


def _source(kind: Kind, charged: Charged, say: Say) -> str:
    match kind:
        case "company":
            source = say(N_("플랫폼이 수신하던 시간(가동 기록)에 장비의 신호나 상태 기록이 없음"))
            if not charged.left_out_n:
                return source
            left_out = say(
                N_("품질 점검으로 뺀 측정값 %(n)s건(%(hours)s시간)"),
                n=f"{charged.left_out_n:,}",
                hours=printed(charged.left_out_s / 3600, "h"),
            )
            return f"{source}, {left_out}"
        case "platform":
            record = say(N_("플랫폼 가동 기록"))
            return f"{record}, {_outages(charged.platform_outages, say)}" if charged.platform_outages else record
        case "site":
            return _outages(charged.site_outages, say)
        case "unattributed":
            return say(N_("플랫폼 가동 기록이 없는 시간: 유리하게도 불리하게도 계산"))
        case _:
            return say(N_("평가 제외 %(ids)s"), ids=_numbers(charged.exclusions, say))


def _outages(numbers: Sequence[int], say: Say) -> str:
    return say(N_("합의한 장애 %(ids)s"), ids=_numbers(numbers, say))


def _numbers(numbers: Sequence[int], say: Say) -> str:
    return ", ".join(say(N_("%(n)s호"), n=number) for number in numbers)

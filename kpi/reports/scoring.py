"""How the whole is decided (목표달성도), in words: the plan's rule, and the formula behind each score."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from core.language import N_
from core.numbers import written
from devices.plan.agreed import Overall

Say = Callable[..., str]

_FORMULAS: Final[Mapping[str, str]] = {
    "complement": N_("100 × (2 − 값 ÷ 목표)"),
    "met": N_("달성이면 100점, 아니면 0점"),
    "distance": N_("범위에서 벗어난 만큼 감점"),
    "worst": N_("여러 조건 가운데 가장 낮은 점수"),
}
_LEFT_OPEN: Final[Mapping[str, str]] = {
    "committee": N_("유보하면 심사위원회가 정함"),
    "extend": N_("유보하면 실증을 늘려 다시 판정함"),
    "not_met": N_("유보하면 미달성으로 셈"),
}


def rule_sentences(rule: Overall, say: Say) -> list[str]:
    """The rule of the plan, and what an open verdict counts as."""
    if rule.rule == "all_required":
        return [
            say(N_("필수 지표를 모두 달성하면 달성입니다. 필수로 정한 지표가 없으면 모든 지표를 달성해야 합니다.")),
            say(
                N_(
                    "하나라도 미달성이면 미달성이고, 미달성은 없으나 정해지지 않은 지표가 있으면 전체도 유보합니다."
                    " 유보하면 미달성으로 셈하기로 한 지표는 미달성으로 봅니다."
                )
            ),
        ]
    told = [
        say(N_("지표마다 점수를 내어(목표에 이르면 100점, 최고 %(cap)s점) 가중치로 평균합니다."), cap=written(rule.cap))
    ]
    if rule.pass_ is None:
        told.append(say(N_("점수만 내며, 달성 여부는 정하지 않습니다.")))
    else:
        told.append(
            say(N_("%(n)s점 이상이고 필수 지표를 모두 달성하면 달성입니다."), n=written(rule.pass_))
        )  # fmt: skip
    told += [_undecided(N_("판정 유보"), rule.open, say), _undecided(N_("자료 부족"), rule.insufficient, say)]
    return told


def _undecided(state: str, points: float | str, say: Say) -> str:
    if isinstance(points, str):
        return say(N_("%(state)s인 지표도 산식대로 셈합니다."), state=say(state))
    return say(N_("%(state)s인 지표는 %(n)s점으로 셈합니다."), state=say(state), n=written(points))


def formula_text(part: Mapping[str, Any], entry: Mapping[str, Any], rule: Overall, say: Say) -> str:
    """How one score came about.

    :param part: of the overall answer.
    :param entry: the KPI in the same result.
    """
    fixed = {"inconclusive": rule.open, "insufficient": rule.insufficient}.get(part["verdict"], "achieved")
    if fixed != "achieved":
        return say(N_("정해지지 않은 지표의 점수"))
    if part["formula"] != "ratio":
        return say(_FORMULAS[part["formula"]])
    low, high = entry["target"]["low"], entry["target"]["high"]
    end = low if low is not None else high
    if end is None or not math.isfinite(end) or end <= 0:
        return say(N_("값과 목표의 비율"))
    return say(N_("100 × 값 ÷ 목표") if low is not None else N_("100 × 목표 ÷ 값"))


def left_open_text(code: str | None, say: Say) -> str:
    """What becomes of a verdict that stays open; empty where it is decided."""
    return "" if code is None else say(_LEFT_OPEN[code])

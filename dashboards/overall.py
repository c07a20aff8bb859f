"""목표달성도 as the pages show it: the answer, the sum, each KPI's part in it, the rule in words. From the stored result."""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.database import Connection
from core.language import N_, State, particle
from core.numbers import written
from dashboards.access import VisiblePilot
from dashboards.judged import Result
from dashboards.plans import plan_at
from dashboards.wording import Wording
from kpi.reports.agreed_view import contribution, points
from kpi.reports.gather_agreed import overall_of
from kpi.reports.record import Overall, OverallPart


@dataclass(frozen=True, slots=True, kw_only=True)
class PartShown:
    """One KPI in the whole."""

    name: str
    required: bool
    weight: str
    state: State | None
    note: str
    """That the committee decides, or what an open verdict counts as."""
    committee: bool
    score: str
    formula: str
    contribution: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OverallShown:
    """The whole of one evaluation date."""

    label: str
    kind: str
    weighted: bool
    state: State | None
    """None: the plan says no score to pass."""
    score: str
    needed: str
    between: str
    """What the score may still become, where something is open."""
    why: str
    rule: tuple[str, ...]
    weights: str
    parts: tuple[PartShown, ...]


def overall_shown(
    connection: Connection, pilot: VisiblePilot, result: Result | None, words: Wording
) -> OverallShown | None:
    """The whole of a result with verdicts; None where the plan says nothing of it, or nothing was judged."""
    if result is None or result.document.get("overall") is None:
        return None
    plan = plan_at(connection, pilot, result.plan_version, str(result.document["plan"]["sha256"]))
    if "overall" not in plan.model_fields_set:
        return None
    found = overall_of(plan, result.document, result.version)
    return OverallShown(
        label=result.label,
        kind=result.kind,
        weighted=found.rule == "weighted",
        state=words.state(found.verdict),
        score=points(found.score, found.pass_score) if found.score is not None else "",
        needed="" if found.pass_score is None else written(found.pass_score),
        between=_between(found),
        why="" if found.why is None else found.why.text(words.language),
        rule=tuple(one.text(words.language) for one in found.sentences),
        weights=written(math.fsum(one.weight for one in found.parts)),
        parts=tuple(_part(one, found, words) for one in found.parts),
    )


def _between(found: Overall) -> str:
    if found.low is None or found.high is None or found.low == found.high:
        return ""
    return f"{points(found.low, found.pass_score)}–{points(found.high, found.pass_score)}"


def _part(one: OverallPart, found: Overall, words: Wording) -> PartShown:
    note = ""
    counted = words.state(one.counts_as)
    if one.to_committee:
        note = words.say(N_("심사위원회로"))
    elif one.counts_as != one.verdict and counted is not None:
        word = counted.word(words.language)
        note = words.say(N_("%(state)s%(to)s 셈"), state=word, to=particle(word, "으로", "로"))
    return PartShown(
        name=one.name,
        required=one.required,
        weight=written(one.weight) if one.weight else "",
        state=words.state(one.verdict),
        note=note,
        committee=one.to_committee,
        score=points(one.score, None) if one.score is not None else "",
        formula="" if one.formula is None else one.formula.text(words.language),
        contribution=points(contribution(one, found), None) if one.score is not None else "",
    )

"""From numbers to a status or a verdict, by the rule that the plan fixed beforehand.

A month shows a status, an evaluation date gives a verdict. Everything is compared unrounded, in the target's unit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from devices.plan.target import Bounds


class Status(StrEnum):
    """Of a month."""

    ON_TRACK = "on_track"
    WATCH = "watch"
    AT_RISK = "at_risk"
    INSUFFICIENT = "insufficient"


class Verdict(StrEnum):
    """At an evaluation date."""

    MET = "met"
    NOT_MET = "not_met"
    INCONCLUSIVE = "inconclusive"
    INSUFFICIENT = "insufficient"


Scope = Literal["period", "capability"]
Rule = Literal["estimate", "confident", "guarded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the plan fixed for one KPI before its window opened."""

    target: Bounds
    scope: Scope
    rule: Rule
    completeness: float
    """The least there must be, 0 to 1."""

    @property
    def sampled(self) -> bool:
        """Whether chance counts: what a product can do is known from a sample only, and the rule asks for confidence."""
        return self.scope == "capability" and self.rule != "estimate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """The two ends between which a value lies, in the target's unit."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """How far chance may have moved the value: from its lower bound up to it, and from it up to its upper bound.

    For the worst of several slots the bounds that show *not met* are wider (5 %/m, Bonferroni).
    """

    below: float
    above: float
    below_missed: float
    above_missed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """How far the instrument may have moved the value, by its expanded uncertainty (k = 2): the guard band of ILAC-G8.

    Against the claimant (``below``, ``above``: for *met*) and in its favour (``…_missed``: for *not met*). With a certificate
    both are as certified; without one the class default counts against the claimant, and nothing in its favour.
    """

    below: float = 0.0
    above: float = 0.0
    below_missed: float = 0.0
    above_missed: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of one KPI in one window, all of it in the target's unit.

    A percentile with a sampling interval is given in its share form, with the target in that form too.
    """

    value: float | None
    gaps: Ends | None
    """The value's ends under the gaps that are charged to nobody; both are the value where there are none."""
    filled: Ends | None
    """Its ends if everything missing were at its worst and at its best; None where that is not known."""
    chance: Chance | None
    no_chance: str = ""
    """Why there is no sampling interval."""
    guard: Guard | None = None
    """None: nothing is known of the instrument's uncertainty."""
    completeness: float | None = None
    refused: bool = False
    """Whether the measure says itself why it has no value."""
    too_few: bool = False
    """Whether there are fewer answers, pairs or the like than the plan asks for."""
    quarters: tuple[float | None, ...] = ()
    """Completeness of each quarter, in the order of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """An answer and what it rests on."""

    answer: Status | Verdict
    reason: str
    """A key of ``kpi/sentences.py``."""
    ends: Ends | None = None
    """The ends that were compared with the target."""
    quarter: int | None = None


def inside(ends: Ends, target: Bounds) -> bool:
    """Whether everything between the ends satisfies the target."""
    return ends.low in target and ends.high in target


def outside(ends: Ends, target: Bounds) -> bool:
    """Whether nothing between the ends satisfies the target."""
    # An end that is infinite belongs to it: what never came lies above any number.
    below = ends.high < target.low or (ends.high == target.low > -math.inf and not target.low_closed)
    above = ends.low > target.high or (ends.low == target.high < math.inf and not target.high_closed)
    return below or above


def verdict(evidence: Evidence, terms: Terms) -> Decision:
    """The verdict at an evaluation date.

    ``estimate``: the value decides, under both ends of what is charged to nobody. ``confident``: the bounds decide; in the
    scope ``period`` only those gaps bound the value, for what happened has no sampling uncertainty. ``guarded``: the same
    with the instrument's expanded uncertainty as a guard band, combined with chance in quadrature.

    >>> from devices.plan.target import parse_bounds
    >>> terms = Terms(target=parse_bounds(">= 95 %"), scope="capability", rule="confident", completeness=0.75)
    >>> value = Ends(low=97.0, high=97.0)
    >>> chance = Chance(below=2.4, above=1.5, below_missed=2.4, above_missed=1.5)
    >>> verdict(Evidence(value=97.0, gaps=value, filled=value, chance=chance, completeness=1.0), terms).answer.value
    'inconclusive'
    """
    if evidence.refused:
        return Decision(answer=Verdict.INSUFFICIENT, reason="refused")
    if evidence.value is None or evidence.gaps is None:
        return Decision(answer=Verdict.INSUFFICIENT, reason="no_value")
    if evidence.too_few:
        return Decision(answer=Verdict.INSUFFICIENT, reason="too_few")
    lack = _lack(evidence, terms)
    if lack is not None:
        return _escape(evidence, terms, lack)
    missing = _unbounded(evidence, terms)
    if missing is not None:
        return Decision(answer=Verdict.INCONCLUSIVE, reason=missing, ends=evidence.gaps)
    return _compared(evidence, terms)


def _lack(evidence: Evidence, terms: Terms) -> Decision | None:
    """Where data are missing: over the whole window, or in a quarter."""
    if evidence.completeness is None or evidence.completeness < terms.completeness:
        return Decision(answer=Verdict.INSUFFICIENT, reason="incomplete")
    for index, share in enumerate(evidence.quarters):
        if share is not None and share < terms.completeness:
            return Decision(answer=Verdict.INSUFFICIENT, reason="incomplete_quarter", quarter=index)
    return None


def _unbounded(evidence: Evidence, terms: Terms) -> str | None:
    """Which reason keeps the rule from bounding the value; None where it can."""
    if terms.rule == "guarded" and evidence.guard is None:
        return "no_uncertainty"
    if terms.sampled and evidence.chance is None:
        return evidence.no_chance or "no_interval"
    return None


def _escape(evidence: Evidence, terms: Terms, lack: Decision) -> Decision:
    """Too little data, but what is missing cannot change the answer."""
    if evidence.filled is None or _unbounded(evidence, terms) is not None:
        return lack
    met, missed = _bounds(evidence.filled, evidence, terms)
    if inside(met, terms.target):
        return Decision(answer=Verdict.MET, reason=f"escape_met_{lack.reason}", ends=met, quarter=lack.quarter)
    if outside(missed, terms.target):
        return Decision(
            answer=Verdict.NOT_MET, reason=f"escape_not_met_{lack.reason}", ends=missed, quarter=lack.quarter
        )
    return lack


def _compared(evidence: Evidence, terms: Terms) -> Decision:
    by = "guard" if terms.rule == "guarded" else "bound" if terms.sampled else "value"
    assert evidence.gaps is not None
    met, missed = _bounds(evidence.gaps, evidence, terms)
    if inside(met, terms.target):
        return Decision(answer=Verdict.MET, reason=f"{by}_met", ends=met)
    if outside(missed, terms.target):
        return Decision(answer=Verdict.NOT_MET, reason=f"{by}_not_met", ends=missed)
    return Decision(answer=Verdict.INCONCLUSIVE, reason="gaps_open" if by == "value" else f"{by}_open", ends=met)


def _bounds(ends: Ends, evidence: Evidence, terms: Terms) -> tuple[Ends, Ends]:
    """The ends that must hold for *met*, and for *not met*, by what the rule looks at."""
    guard = evidence.guard if terms.rule == "guarded" else None
    return _widened(ends, evidence.chance if terms.sampled else None, guard)


def _widened(ends: Ends, chance: Chance | None, guard: Guard | None = None) -> tuple[Ends, Ends]:
    """Chance and instrument are independent of each other: their distances are added in quadrature."""
    by_chance = chance or Chance(below=0.0, above=0.0, below_missed=0.0, above_missed=0.0)
    by_guard = guard or Guard()
    return (
        Ends(
            low=ends.low - math.hypot(by_chance.below, by_guard.below),
            high=ends.high + math.hypot(by_chance.above, by_guard.above),
        ),
        Ends(
            low=ends.low - math.hypot(by_chance.below_missed, by_guard.below_missed),
            high=ends.high + math.hypot(by_chance.above_missed, by_guard.above_missed),
        ),
    )


def status(evidence: Evidence, terms: Terms, *, month_completeness: float | None) -> Decision:
    """The status of a month: that of the cumulative value, unless the month itself has too little data.

    A ``capability`` is shown with its bounds whichever rule will decide, so that the month warns in time.

    :param evidence: of the window from the pilot's start to the month's end.
    """
    if evidence.refused:
        return Decision(answer=Status.INSUFFICIENT, reason="refused")
    if month_completeness is None or month_completeness < terms.completeness:
        return Decision(answer=Status.INSUFFICIENT, reason="month_incomplete")
    if evidence.value is None or evidence.gaps is None:
        return Decision(answer=Status.INSUFFICIENT, reason="no_value")
    if evidence.too_few:
        return Decision(answer=Status.INSUFFICIENT, reason="too_few")
    if evidence.value not in terms.target:
        return Decision(answer=Status.AT_RISK, reason="value_misses", ends=evidence.gaps)
    sampled, guarded = terms.scope == "capability", terms.rule == "guarded"
    if guarded and evidence.guard is None:
        return Decision(answer=Status.WATCH, reason="watch_no_uncertainty", ends=evidence.gaps)
    if sampled and evidence.chance is None:
        return Decision(answer=Status.WATCH, reason=f"watch_{evidence.no_chance or 'no_interval'}", ends=evidence.gaps)
    ends, _ = _widened(evidence.gaps, evidence.chance if sampled else None, evidence.guard if guarded else None)
    by = "guard" if guarded else "bound" if sampled else "gaps"
    if inside(ends, terms.target):
        holds = "value_holds" if ends.low == ends.high else "gaps_hold" if by == "gaps" else f"{by}_holds"
        return Decision(answer=Status.ON_TRACK, reason=holds, ends=ends)
    return Decision(answer=Status.WATCH, reason="gaps_miss" if by == "gaps" else f"{by}_misses", ends=ends)


_RANK = {
    "not_met": 0, "at_risk": 0, "insufficient": 1, "inconclusive": 2, "watch": 2, "met": 3, "on_track": 3,
}  # fmt: skip


def worst(decisions: Sequence[Decision]) -> int:
    """Which of several slots' decisions stands for all: the least favourable, the first of equals.

    All slots must meet the target: one that misses it decides, then one with too little data, then one left open.
    """
    ranks = [_RANK[decision.answer.value] for decision in decisions]
    return ranks.index(min(ranks))

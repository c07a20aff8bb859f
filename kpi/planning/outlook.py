"""The chances of a plan's KPIs, and what the plan should be warned of."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from core.window import date_window
from devices.plan.model import Exclusions, Kpi, Plan
from devices.plan.predicate import slots_in_effect
from kpi.asked import Asked, asked_of
from kpi.decision import Decision, verdict
from kpi.evidence import evidence_of
from kpi.judge import banded
from kpi.planning.choose import Chosen, chosen
from kpi.planning.least import least_sample
from kpi.planning.levels import unreadable
from kpi.planning.samples import Draw, Sample
from kpi.referenced import referenced
from kpi.spans import spans

ALPHA = 0.05

LevelName = Literal["better", "at", "worse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """How a verdict will come out, each 0 to 1; together 1."""

    met: float
    open: float
    not_met: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One product, and what becomes of it."""

    name: LevelName
    value: float
    """What it truly does, in the unit of the outlook."""
    chances: Chances


@dataclass(frozen=True, slots=True, kw_only=True)
class Caution:
    """What a plan should be warned of; it stays valid."""

    code: str
    """A key of ``texts.py``."""
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """One KPI, or one of several things that it promises."""

    id: str
    name: str
    part: int | None
    """Its number among several promises; None where there is one."""
    asked: Asked
    unit: str
    """Of the levels: the target's; % of a percentile, whose levels are the share that keeps the target."""
    method: Literal["exact", "simulated", "none"]
    n: float | None
    """Events, trials, or hours that count; None where the plan does not say."""
    levels: tuple[Level, ...]
    warnings: tuple[Caution, ...]
    assumed: tuple[str, ...]
    """What the chances take for granted: keys of ``texts.py`` …"""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """… and their numbers."""

    @property
    def target(self) -> str:
        return self.asked.kpi.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """A plan looked at before anything is measured."""

    outlooks: tuple[Outlook, ...]
    warnings: tuple[Caution, ...]
    """About the plan as a whole."""


def planning(plan: Plan, done: Callable[[str], None] = lambda _: None) -> Planning:
    """Look at every KPI of a plan.

    :param done: called with each KPI's id when it has been looked at.
    """
    found = []
    for name, kpi in plan.kpis.items():
        found += list(_outlooks(plan, name, kpi))
        done(name)
    return Planning(outlooks=tuple(found), warnings=cautions(plan))


def looks(plan: Plan) -> tuple[date, ...]:
    """The days at which verdicts are given."""
    return (*plan.evaluation.interim, plan.evaluation.data_until)


def _outlooks(plan: Plan, name: str, kpi: Kpi) -> Iterator[Outlook]:
    whole = date_window(plan.period.start, plan.evaluation.data_until, plan.zone)
    cut = spans(whole, None, plan.zone)
    several = len(kpi.parts)
    for number, part in enumerate(kpi.parts):
        asked = replace(asked_of(plan, name, part, cut, ALPHA / len(looks(plan))), promises=several)
        slots = max(len(slots_in_effect(plan, part)), 1)
        yield _outlook(asked, slots, None if several == 1 else number)


def _outlook(asked: Asked, slots: int, part: int | None) -> Outlook:
    wrong = unreadable(asked.kpi.planned, asked.unit)
    if wrong is not None:
        asked = replace(asked, kpi=asked.kpi.model_copy(update={"planned": None}))
    found = chosen(asked, slots, part or 0)
    levels: tuple[Level, ...] = ()
    if found.sample is not None:
        levels = tuple(_levels(asked, found, found.sample, slots))
    warnings = [] if wrong is None else [Caution(code="planned_unit", values={"found": wrong})]
    warnings += list(_of_sample(asked, found, slots))
    warnings += list(_of_instrument(asked, found))
    method: Literal["exact", "simulated", "none"] = "none"
    if found.sample is not None:
        method = "exact" if found.sample.exact else "simulated"
    return Outlook(
        id=asked.id,
        name=asked.kpi.name,
        part=part,
        asked=asked,
        unit=found.unit,
        method=method,
        n=found.n,
        levels=levels,
        warnings=tuple(warnings),
        assumed=found.assumed if levels else (),
        facts=found.facts,
    )


# --- Chances


def _levels(asked: Asked, found: Chosen, sample: Sample, slots: int) -> Iterator[Level]:
    products: tuple[tuple[LevelName, float | None], ...] = (
        ("better", found.truths.better),
        ("at", found.truths.at),
        ("worse", found.truths.worse),
    )
    each = slots if asked.kpi.group == "worst" else 1
    for name, value in products:
        if value is not None:
            chances = chances_of(asked, sample, found.truth(asked, value), slots=each)
            yield Level(name=name, value=value, chances=chances)


def chances_of(asked: Asked, sample: Sample, truth: float, *, slots: int = 1) -> Chances:
    """How the verdict of a product comes out.

    :param truth: what it truly does, as the sample takes it.
    :param slots: how many slots are judged on their own, all of which must meet the target.
    """
    tally: dict[str, float] = {"met": 0.0, "not_met": 0.0, "inconclusive": 0.0, "insufficient": 0.0}
    known: dict[Hashable, str] = {}
    for draw in sample.draws(truth):
        answer = known.get(draw.key) if draw.key is not None else None
        if answer is None:
            answer = decided(asked, draw, several=slots * asked.promises).answer.value
            if draw.key is not None:
                known[draw.key] = answer
        tally[answer] += draw.weight
    whole = math.fsum(tally.values()) or 1.0
    met, missed = tally["met"] / whole, tally["not_met"] / whole
    if slots == 1:
        return Chances(met=met, open=(tally["inconclusive"] + tally["insufficient"]) / whole, not_met=missed)
    met, missed = met**slots, 1 - (1 - missed) ** slots
    return Chances(met=met, open=max(1 - met - missed, 0.0), not_met=missed)


def decided(asked: Asked, draw: Draw, *, several: int) -> Decision:
    """What the code that decides later says to an outcome."""
    _, guard = banded(asked, draw.found, list(asked.instruments.values()), draw.shares)
    share_guard = draw.share_guard if guard is not None else None
    evidence, terms = evidence_of(asked, draw.found, several=several, guard=guard, share_guard=share_guard)
    return verdict(evidence, terms)


# --- Warnings


def _of_sample(asked: Asked, found: Chosen, slots: int) -> Iterator[Caution]:
    """Where the target cannot be shown with this sample, whatever the product does."""
    if not found.reckoned:
        yield Caution(code="not_reckoned")
        return
    if found.sample is None:
        least = least_sample(asked, slots)
        yield Caution(code="no_n" if least is None else "no_n_least", values={"least": least})
        return
    best = found.sample.best()
    if best is None:
        return
    each = slots if asked.kpi.group == "worst" else 1
    decision = decided(asked, best, several=each * asked.promises)
    if decision.answer == "met":
        return
    if decision.reason in ("few_weeks", "under_a_year", "no_interval", "no_uncertainty"):
        yield Caution(code=f"cannot_show_{decision.reason}")
        return
    guarded = decision.reason.startswith("guard") and not asked.terms.sampled
    if guarded and asked.target.one_sided is not None:
        return  # a product that is better still can be shown; how far the uncertainty reaches is told of the instrument
    least = least_sample(asked, slots)
    in_share = best.found.as_share is not None and asked.terms.sampled
    bound = None
    if decision.ends is not None:
        low, high = decision.ends.low, decision.ends.high
        bound = low if in_share or low not in asked.target else high
    code = "cannot_show_guard" if guarded else "cannot_show"
    if least is not None:
        code = "cannot_show_least"
    yield Caution(code=code, values={"n": found.n, "least": least, "bound": bound, "in_share": in_share})


def _of_instrument(asked: Asked, found: Chosen) -> Iterator[Caution]:
    """Where the uncertainty is as large as what a product somewhat better than the target has in hand."""
    if not asked.instruments or found.sample is None or found.truths.better is None:
        return
    draw = next(found.sample.draws(found.truth(asked, found.truths.at)), None)
    if draw is None or draw.shares is not None or draw.share_guard is not None:
        return
    instrument, guard = banded(asked, draw.found, list(asked.instruments.values()), None)
    declared = instrument is not None and instrument.basis == "certificate"
    if instrument is None or guard is None or not (declared or asked.kpi.rule == "guarded"):
        return
    band, margin = max(guard.below, guard.above), abs(found.truths.better - found.truths.at)
    if band >= margin > 0:
        code = "uncertainty_swallows" if asked.kpi.rule == "guarded" else "uncertainty_unseen"
        yield Caution(code=code, values={"band": band, "margin": margin})


def cautions(plan: Plan) -> tuple[Caution, ...]:
    """About the plan as a whole: its weights, its scores and its exclusions. They take no time to find."""
    return (*_of_scores(plan), *_of_exclusions(plan), *_of_references(plan))


def _of_references(plan: Plan) -> Iterator[Caution]:
    """What the numbers will be attacked by: whose a reference is, and what vouches for it until when."""
    for name, kpi in plan.kpis.items():
        for row in referenced(plan, kpi, {}, date_window(plan.period.start, plan.evaluation.data_until, plan.zone)).get(
            "references", ()
        ):
            values = {"kpi": name, "slot": row["slot"]}
            if row["owner"] == "company":
                yield Caution(code="reference_own", values=values)
            if row["certificate"] is None:
                yield Caution(code="reference_uncertified", values=values)
            elif row["certificate_expired"]:
                until = {"until": str(row["certificate"]["valid_until"]), "data_until": str(plan.evaluation.data_until)}
                yield Caution(code="reference_expires", values=values | until)


def _of_exclusions(plan: Plan) -> Iterator[Caution]:
    usual = Exclusions().most
    if plan.exclusions.most > usual:
        yield Caution(code="exclusions_most", values={"most": plan.exclusions.most, "usual": usual})


def _of_scores(plan: Plan) -> Iterator[Caution]:
    total = math.fsum(kpi.weight for kpi in plan.kpis.values())
    weighted = plan.overall.rule == "weighted"
    if (total or weighted) and not math.isclose(total, 100, abs_tol=1e-6):
        yield Caution(code="weights", values={"sum": total})
    if "overall" in plan.model_fields_set and not weighted and not any(kpi.required for kpi in plan.kpis.values()):
        yield Caution(code="none_required", values={})
    if weighted:
        offset = [name for name, kpi in plan.kpis.items() if _scored_by_ratio(plan, kpi)]
        if offset:
            yield Caution(code="score_of_temperature", values={"kpis": ", ".join(offset)})


def _scored_by_ratio(plan: Plan, kpi: Kpi) -> bool:
    """A ratio of temperatures hangs on the unit that they are written in."""
    ratio: Sequence[str] = ("ratio", "complement")
    for part in kpi.parts:
        bounds = part.bounds
        formula = plan.overall.formula.larger if bounds.one_sided == "low" else plan.overall.formula.smaller
        if bounds.one_sided is not None and bounds.unit in ("degC", "degF", "°C", "°F", "℃", "℉") and formula in ratio:
            return True
    return False

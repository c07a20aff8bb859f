"""The numeric promises of a plan: what is computed, what it must reach, how it is decided."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from pydantic import Field, model_validator

from core.units import counted
from devices.plan.agreed import Planned
from devices.plan.measures import Manual, Measure
from devices.plan.parts import Part, Target
from devices.plan.rules import broken
from devices.plan.target import Bounds, parse_bounds
from devices.plan.written import Number, Text, Truth


class Promise(Part):
    """One of several things that a KPI promises at once."""

    name: Text | None = Field(None, description="What people read; the KPI's name if left out.")
    measure: Measure
    target: Target


class Kpi(Part):
    """One numeric promise: what is computed, what it must reach, how it is decided. Or several, all of which must hold."""

    name: Text
    definition: Text | None = Field(None, description="정의: in words, as the agreement has it.")
    measure_: Measure | None = Field(None, alias="measure")
    target_: Target | None = Field(None, alias="target")
    all_: tuple[Promise, ...] | None = Field(
        None, alias="all", min_length=1, description="Several measures with their targets, all of which must hold."
    )
    weight: Number = Field(0, ge=0, le=100)
    required: Truth = False
    scope_: Literal["period", "capability"] | None = Field(
        None, alias="scope", description="period if left out; capability where the measure is mtbf or detection."
    )
    decision: Literal["estimate", "confident", "guarded"] | None = Field(
        None,
        description="estimate is the default of scope period, confident of capability; guarded: a guard band of the"
        " instrument's expanded uncertainty.",
    )
    if_inconclusive: Literal["committee", "extend", "not_met"] = "committee"
    group: Literal["pooled", "worst", "mean", "sum"] = Field(
        "pooled",
        description="Several slots: together by time, each must meet the target, the mean of their values, or their sum.",
    )
    completeness: Number = Field(75, gt=0, le=100, description="Least completeness for a verdict, in %.")
    method: Text | None = Field(None, description="측정방법")
    measured_by: Text | None = Field(None, description="측정주체")
    baseline: Text | None = Field(None, description="기준값")
    planned: Planned | None = Field(None, description="표본수")
    conditions: tuple[Text, ...] | None = Field(
        None,
        description="적용 환경: which of the plan's conditions it is judged under; all of them if left out, [] for none.",
    )

    @model_validator(mode="after")
    def _promising(self) -> Kpi:
        alone = (self.measure_ is not None, self.target_ is not None)
        if alone != ((True, True) if self.all_ is None else (False, False)):
            raise broken("kpi-promise")
        return self

    @property
    def parts(self) -> tuple[Kpi, ...]:
        """What is promised, each as a KPI of its own; the KPI itself where that is one thing."""
        if self.all_ is None:
            return (self,)
        return tuple(
            self.model_copy(
                update={
                    "name": one.name or self.name, "measure_": one.measure, "target_": one.target, "all_": None
                }
            )
            for one in self.all_
        )  # fmt: skip

    @property
    def measure(self) -> Measure:
        """How it is computed. Of a KPI that promises several things, the first of them: whoever judges takes ``parts``."""
        found = self.measure_ if self.all_ is None else self.all_[0].measure
        assert found is not None
        return found

    @property
    def target(self) -> str:
        """What it must reach; of several, the first."""
        found = self.target_ if self.all_ is None else self.all_[0].target
        assert found is not None
        return found

    @property
    def bounds(self) -> Bounds:
        """The target; where events are counted a bare number is one of events."""
        found = parse_bounds(self.target)
        of = self.measure.of
        counts = self.measure.kind in ("event_rate", "count") or (isinstance(of, Manual) and of.stat in ("rate", "sum"))
        return replace(found, unit=counted(found.unit)) if counts else found

    @property
    def scope(self) -> Literal["period", "capability"]:
        """Whether it is about what happened, or about what the product can do."""
        # A mean time between failures is judged by its lower confidence bound, and what is detected by a sample of the truth:
        # both are of a capability.
        return self.scope_ or ("capability" if self.measure.kind in ("mtbf", "detection") else "period")

    @property
    def rule(self) -> Literal["estimate", "confident", "guarded"]:
        """The decision rule in force."""
        return self.decision or ("estimate" if self.scope == "period" else "confident")

"""What is known of a KPI's sample before it is taken."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from devices.plan.agreed import Planned
from devices.plan.measures import Statistic
from kpi.asked import Asked
from kpi.planning.levels import Truths
from kpi.planning.samples import Sample
from kpi.quantity import converted


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The products that a KPI is looked at with, and what its sample may show of them."""

    truths: Truths
    unit: str
    """Of the truths."""
    sample: Sample | None
    """None: the plan does not say how many events to expect."""
    to_measure: float | None
    """What a truth is multiplied by to become a share of one; None: it is converted into the measure's unit."""
    n: float | None
    """Events, trials or hours that count, all slots together."""
    assumed: tuple[str, ...]
    """What the simulation takes for granted: keys of ``texts.py``."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """The numbers of what is assumed."""
    reckoned: bool = True
    """False: of this kind of measure no chances are worked out beforehand, whatever the plan says."""

    def truth(self, asked: Asked, level: float) -> float:
        """A level as the sample takes it."""
        if self.to_measure is not None:
            return level * self.to_measure
        difference = isinstance(asked.kpi.measure.of, Statistic) and asked.kpi.measure.of.stat == "std"
        return converted(level, asked.unit, asked.channel_unit, difference=difference)


def required_s(asked: Asked) -> float:
    """The required time of one slot."""
    of = asked.kpi.measure.of
    hours = of.hours_minutes
    share = 1.0 if hours is None else (hours[1] - hours[0]) / 1440
    return asked.spans.whole.seconds * share * (1.0 if of.days is None else len(set(of.days)) / 7)


def unreckoned(asked: Asked) -> Chosen:
    """Of a kind whose sample nobody can know before it is taken."""
    products = Truths(at=math.nan, better=None, worse=None)
    return Chosen(
        truths=products, unit=asked.unit, sample=None, to_measure=None, n=None, assumed=(), reckoned=False
    )  # fmt: skip


def planned_of(asked: Asked) -> Planned:
    return asked.kpi.planned or Planned()

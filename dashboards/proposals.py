"""What an exclusion would change, as a page shows it: both numbers of every KPI that is about its slot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.database import Connection
from core.language import STATES, State
from dashboards.access import VisiblePilot
from dashboards.plans import plan_of
from dashboards.wording import Wording
from devices.plan.target import parse_bounds
from kpi.kept import ReadingsDeleted
from kpi.proposed import Proposed, proposed
from kpi.records.exclusions import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One KPI: as it stands, and as it would."""

    name: str
    target: str
    now: str
    now_state: State
    then: str
    then_state: State
    turns: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What an exclusion comes to; without ``changes`` nothing is judged of its slot yet."""

    changes: tuple[Change, ...]
    until: datetime | None
    used_s: float
    adds_s: float
    most_s: float

    @property
    def fits(self) -> bool:
        return self.used_s + self.adds_s <= self.most_s

    @property
    def turns(self) -> bool:
        return any(one.turns for one in self.changes)


def proposal_of(connection: Connection, pilot: VisiblePilot, asked: Asked, words: Wording) -> Shown | None:
    """What it would change; None where the readings have been deleted."""
    try:
        found = proposed(connection, plan_of(connection, pilot), asked)
    except ReadingsDeleted:
        return None
    return _shown(found, words)


def _shown(found: Proposed, words: Wording) -> Shown:
    changes = tuple(
        Change(
            name=one.name,
            target=one.now["target"][words.language],
            now=_value(one.now, words),
            now_state=STATES[one.now["status"]],
            then=_value(one.then, words),
            then_state=STATES[one.then["status"]],
            turns=one.turns,
        )
        for one in found.effects
    )
    return Shown(
        changes=changes, until=found.until, used_s=found.used_s, adds_s=found.adds_s, most_s=found.most_s
    )  # fmt: skip


def _value(entry: Mapping[str, Any], words: Wording) -> str:
    bounds = parse_bounds(entry["target"]["text"])
    target = bounds if bounds.unit == entry["unit"] else bounds.to(entry["unit"])
    return words.quantity(entry.get("cumulative", entry)["value"], entry["unit"], target)

"""The KPI cards of a pilot: what the last judged month says, in the plan's order; before that, what the plan promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.database import Connection
from core.language import State
from dashboards.access import VisiblePilot
from dashboards.judged import Figures, Result, figures, results, trend
from dashboards.sparkline import Sparkline
from dashboards.users import Person
from dashboards.wording import Wording
from devices.plan.model import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One KPI."""

    key: str
    name: str
    definition: str
    target: str
    figures: Figures | None
    """None: not judged yet."""
    spark: Sparkline | None
    state: State | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cards:
    """All KPIs of a pilot."""

    label: str
    """The month that they show; empty before the first."""
    as_of: datetime | None
    provisional: bool
    check_code: str
    cards: tuple[Card, ...]


def cards_of(connection: Connection, person: Person, pilot: VisiblePilot, plan: Plan, words: Wording) -> Cards:
    """The cards of a pilot that the person sees."""
    months = results(connection, person, "month", pilot=pilot)
    last = months[-1] if months else None
    return Cards(
        label="" if last is None else last.label,
        as_of=None if last is None else last.as_of,
        provisional=last is not None and bool(last.document["provisional"]),
        check_code="" if last is None else last.check_code,
        cards=tuple(_card(key, plan, last, months, words) for key in plan.kpis),
    )


def _card(key: str, plan: Plan, last: Result | None, months: Sequence[Result], words: Wording) -> Card:
    kpi = plan.kpis[key]
    entry = None if last is None else last.entry(key)
    shown = None if entry is None else figures(entry, words)
    return Card(
        key=key,
        name=kpi.name,
        definition=kpi.definition or "",
        target=" · ".join(part.bounds.shown(words.language) for part in kpi.parts),
        figures=shown,
        spark=trend(key, months, words, width=120, height=40),
        state=None if shown is None else shown.state,
    )

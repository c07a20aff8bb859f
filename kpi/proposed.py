"""What an exclusion would change, before anybody agrees to it: both numbers of every KPI that is about its slot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.database import Connection
from core.window import Window, date_window, midnight
from devices.plan.model import Plan
from devices.plan.predicate import slots_in_effect
from kpi.evaluate import ALPHA, looks
from kpi.inputs.reader import Reader
from kpi.judging import Judging
from kpi.kept import require_readings
from kpi.records.exclusions import Applied, Asked, Exclusion, applied, exclusions, rules_of
from kpi.records.outages import outages
from kpi.spans import spans
from telemetry.horizon import close_past
from telemetry.windows import snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One KPI: as it stands, and as it would with the exclusion."""

    id: str
    name: str
    now: Mapping[str, Any]
    """As a result of a month has it: cumulative value, unit, target, status."""
    then: Mapping[str, Any]

    @property
    def turns(self) -> bool:
        """Whether the exclusion would change the status."""
        return bool(self.now["status"] != self.then["status"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What an exclusion comes to."""

    effects: tuple[Effect, ...]
    """Empty where nothing is judged of the slot yet."""
    until: datetime | None
    """Up to when the values go; None: the pilot has not begun."""
    used_s: float
    """How much of the slot is left out already …"""
    adds_s: float
    most_s: float
    """… and how much may be, of the window of the final verdict."""


def proposed(connection: Connection, plan: Plan, asked: Asked) -> Proposed:
    """Judge the pilot up to now, without the exclusion and with it. Nothing is recorded.

    :raises ReadingsDeleted: there are no readings to judge by any more.
    """
    as_of = close_past(connection)
    require_readings(connection, plan.pilot)
    judged = date_window(plan.period.start, plan.evaluation.data_until, plan.zone)
    rules = rules_of(plan)
    known = exclusions(connection, plan.pilot, as_of=as_of)
    room = {
        "used_s": sum(one.window.seconds for one in known if one.slot == asked.slot),
        "adds_s": asked.window.seconds,
        "most_s": rules.most_share * judged.seconds,
    }
    until = min(as_of, judged.end)
    if until <= judged.start:
        return Proposed(effects=(), until=None, **room)
    whole = Window(start=judged.start, end=until)
    standing = [one for one in known if one.window.intersection(whole).seconds]
    # One that reaches beyond now would be cut by the window: so the slot's time is counted as it will be.
    new = Exclusion(
        exclusion_id=0, pilot=plan.pilot, slot=asked.slot, window=asked.window, reason=asked.reason, asked_on=asked.asked_on,
        asked_by="", agreed_site="", agreed_team="", note=asked.note, recorded_at=as_of, recorded_by="",
    )  # fmt: skip
    before = applied(standing, whole, judged, most_share=rules.most_share)
    with snapshot(connection):
        agreed = outages(connection, plan.pilot, window=whole, as_of=as_of)
        reader = Reader(connection, plan.pilot, whole, as_of, agreed=agreed, exclusions=before)
        judging = Judging(reader, plan, spans(whole, _month(plan, whole), plan.zone), ALPHA / len(looks(plan)))
        other = judging.by(reader.otherwise(exclusions=[*before, Applied(exclusion=new, counts=True)]))
        effects = tuple(
            Effect(id=name, name=kpi.name, now=judging.entry(name, kpi), then=other.entry(name, kpi))
            for name, kpi in plan.kpis.items()
            if asked.slot in slots_in_effect(plan, kpi)
        )
    return Proposed(effects=effects, until=until, **room)


def _month(plan: Plan, whole: Window) -> Window:
    """The month that is running at the end of a window."""
    last = (whole.end - timedelta(microseconds=1)).astimezone(plan.zone).date()
    return Window(start=max(midnight(last.replace(day=1), plan.zone), whole.start), end=whole.end)

"""What results draw on: the rule of :mod:`telemetry.evidence.drawn`, filled with what the results and the plan say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.database import Connection
from core.sql import load
from core.window import HOUR_US, Window, micros, midnight
from devices.plan.event_measures import EventRate, Per, Summed
from devices.plan.measures import Change, Exposed, Integral, Measure, Share
from devices.plan.model import Plan
from devices.plan.predicate import slots_read
from devices.registry.queries import plan_of
from kpi.bundle.answering.basis import replaced_of
from telemetry.channels import ChannelInfo, channels
from telemetry.evidence.drawn import Drawn, Look

_SQL = load("telemetry.evidence", "evidence.sql")


def look_of(connection: Connection, document: Mapping[str, Any]) -> Look:
    """What one result looks at: all channels of every slot that any of its KPIs is about.

    :param connection: the store, or a bundle in its place.
    """
    pilot, as_of = document["pilot"], datetime.fromisoformat(document["as_of"])
    plan, _, _ = plan_of(connection, pilot, as_of=as_of)
    slots = frozenset(slot for kpi in plan.kpis.values() for slot in slots_read(plan, kpi))
    window = Window(
        start=_since(plan, datetime.fromisoformat(document["window"]["start"])),
        end=datetime.fromisoformat(document["window"]["end"]),
    )
    summed = _summed(plan)
    return Look(
        window=window,
        as_of_us=micros(as_of),
        reach={
            (one.slot, one.name): _reach_us(one, summed=one.name in summed)
            for one in channels(connection, pilot, as_of)
            if one.slot in slots
        },
    )


def _reach_us(channel: ChannelInfo, *, summed: bool) -> int | None:
    """How far outside of the judged time a reading may lie that is read: as long as it stands, and the hours at both ends.

    A counter's step is of any length; and an integral goes to the edge of its window only if nothing was ever heard beyond it.
    """
    if channel.hold_us is None or channel.kind == "counter" or summed:
        return None
    return channel.hold_us + 3 * HOUR_US


def _summed(plan: Plan) -> frozenset[str]:
    """The channels of which a KPI has an integral."""
    found = set()
    for kpi in plan.kpis.values():
        for part in kpi.parts:
            match _itself(part.measure):
                case (
                    Integral(channel=name)
                    | EventRate(per=Per(integral=Summed(channel=name)))
                    | Share(of=Exposed(integral=Summed(channel=name)))
                ):
                    found.add(name)
                case _:
                    pass
    return frozenset(found)


def _itself(measure: Measure) -> Any:
    """What is read: of a change the measure that it is of."""
    return measure.of.inner.of if isinstance(measure.of, Change) else measure.of


def _since(plan: Plan, start: datetime) -> datetime:
    """From when on readings may be read: a baseline of the pilot's own lies before the judged time, or in it."""
    changes = [
        part.measure.of for kpi in plan.kpis.values() for part in kpi.parts if isinstance(part.measure.of, Change)
    ]
    windows = [one.baseline.days[0] for one in changes if one.baseline.form == "window"]
    return min([start, *(midnight(day, plan.zone) for day in windows)])


def drawn(connection: Connection, pilot: str, looks: tuple[Look, ...]) -> Drawn:
    """What all results of a bundle look at."""
    rows = connection.execute(_SQL["replaced"], {"pilot": pilot}).fetchall()
    return Drawn(looks=looks, replaced=replaced_of(rows))

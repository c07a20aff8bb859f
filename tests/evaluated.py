"""A small pilot with a plan in a real database, ready to be told readings: for tests of evaluation and what shows it."""

from __future__ import annotations

import json
from collections.abc import Sequence, Sized
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.window import Window, micros, midnight
from devices.plan.reader import read_plan
from devices.registry import apply_plan
from telemetry.batch import Batch, EventRecord, LinkStateRecord, Readings
from telemetry.channels import channels
from telemetry.commit import commit
from telemetry.platform_record import record_history
from telemetry.summarise import summarise

SEOUL = ZoneInfo("Asia/Seoul")
PLAN = """
pilot: hall
title: 시험 과제
kind: rnd
company: {{id: c, name: C}}
site: {{id: s, name: S}}
period: {{start: {start}, end: {end}, timezone: {zone}}}
evaluation: {{interim: [{interim}], data_until: {until}, meeting: {end}}}
product: {{name: P}}
slots:
{slots}
kpis:
{kpis}
"""
SLOT = """
  {name}:
    device: {{serial: "{name}-1"}}
    channels:
      temp: {{unit: degC, period: 1 h, range: [-40, 60]}}
      mode: {{kind: state, states: [idle, auto, manual], reporting: on_change}}
    events:
      mission: {{numbered: true, phased: true}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A pilot in the registry, ready to be told readings."""

    connection: Connection
    slots: dict[str, int]
    channels: dict[tuple[str, str], int]

    def heard(self, slot: str, channel: str, at_us: Sized, values: Sized) -> None:
        key = self.channels[slot, channel]
        readings = Readings(
            channel_id=[key] * len(at_us),
            observed_us=np.asarray(at_us, dtype=np.int64).tolist(),
            value=np.asarray(values, dtype=np.float64).tolist(),
            flags=[0] * len(at_us),
        )
        commit(self.connection, Batch(readings=readings))

    def summarised(self) -> None:
        while summarise(self.connection):
            pass

    def happened(
        self, slot: str, rows: Sequence[tuple[int, str, datetime, dict[str, Any]]], kind: str = "mission"
    ) -> None:
        events = [
            EventRecord(
                slot_id=self.slots[slot],
                kind=kind,
                id=f"m{number}",
                phase=phase,  # type: ignore[arg-type]
                number=number,
                at_us=micros(at),
                attributes=json.dumps(attributes).encode(),
            )
            for number, phase, at, attributes in rows
        ]
        commit(self.connection, Batch(events=events))

    def linked(self, slot: str, rows: Sequence[tuple[datetime, str]]) -> None:
        states = [
            LinkStateRecord(slot_id=self.slots[slot], at_us=micros(at), state=state, origin="status")  # type: ignore[arg-type]
            for at, state in rows
        ]
        commit(self.connection, Batch(link_states=states))

    def alive(self, start: datetime, end: datetime) -> None:
        """An intake was at work, and said so while it was."""
        record_history(self.connection, "collector-1", Window(start=start, end=end), "test")


def made_site(
    connection: Connection,
    kpis: str,
    *,
    slots: Sequence[str] = ("a",),
    slot: str = SLOT,
    now: datetime | None = None,
    more: str = "",
    **dates: str,
) -> Site:
    """Register the pilot ``hall`` with these KPIs, one a line, applied at ``now``.

    :param slot: the plan text of each slot, with its ``{name}``.
    :param more: further plan text.
    """
    text = PLAN.format(
        **{
            "start": "2025-03-01", "end": "2025-12-01", "zone": "Asia/Seoul", "interim": "2025-06-01",
            "until": "2025-11-01",
        } | dates,
        slots="".join(slot.format(name=name) for name in slots),
        kpis="\n".join(f"  {line}" for line in kpis.strip().splitlines()),
    )  # fmt: skip
    text += more
    now = now or datetime(2025, 1, 1, tzinfo=UTC)
    apply_plan(connection, read_plan(text.encode()), who="cli:test", now=now)
    found = channels(connection, "hall")
    rows = connection.execute("SELECT name, slot_id FROM slot")
    return Site(
        connection=connection,
        slots={row["name"]: row["slot_id"] for row in rows},
        channels={(info.slot, info.name): info.channel_ids[-1] for info in found},
    )


def hours(start: date, end: date, zone: ZoneInfo = SEOUL, step_h: float = 1.0) -> NDArray[np.int64]:
    """Instants in µs at every step from one midnight to another."""
    return np.arange(
        micros(midnight(start, zone)), micros(midnight(end, zone)), int(step_h * 3_600_000_000), dtype=np.int64
    )

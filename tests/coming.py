"""A pilot whose readings come late, twice, over outages or never: for the measures of how they come and where they lead.

Its plan is ``tests/plans/reading-measures.yaml``. Frame numbers that wrap, begin anew, repeat and overtake each other;
delays of all kinds; a battery that is charged now and then; modes that go silent; a summer hotter than what the product is
made for; gaps of the device, the site, the platform and of nobody.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from core.database import Connection
from core.window import micros, midnight
from devices.plan.model import Plan
from devices.plan.reader import read_plan
from devices.registry import apply_plan, plan_of
from kpi.records.exclusions import add_exclusion
from kpi.records.outages import add_outage
from telemetry.batch import EventRecord, Flag, LinkStateRecord
from telemetry.channels import channels
from telemetry.load import load_happenings, load_readings
from telemetry.rows import Columns
from telemetry.summarise import summarise

PLAN: Final = Path(__file__).parent / "plans" / "reading-measures.yaml"
PILOT: Final = "reading-measures"
HOUR: Final = 3_600_000_000
DAY: Final = 24 * HOUR

Micros = NDArray[np.int64]
Floats = NDArray[np.float64]


def made_pilot(connection: Connection) -> Plan:
    """Register the pilot and fill its store."""
    apply_plan(connection, read_plan(PLAN.read_bytes()), who="cli:test", now=datetime(2023, 8, 1, tzinfo=UTC))
    plan, _, _ = plan_of(connection, PILOT)
    for since, until in (("2023-08-12", "2023-10-05"), ("2023-10-06", "2024-09-12")):
        start, end = (_day(plan, day) for day in (since, until))
        connection.execute(
            "INSERT INTO platform_record (process, run, from_at, until_at, heard, goes_on, recorded_at)"
            " VALUES ('collector-1', 'r', %s, %s, %s, true, %s)",
            [start, end, Multirange([Range(start, end)]), end],
        )
    for place, slot in enumerate(plan.slots):
        _Sender(connection, plan, slot, np.random.default_rng(place + 11)).send()
    add_outage(
        connection, PILOT, start=_day(plan, "2024-02-10"), end=_day(plan, "2024-02-12"), cause="site-power", agreed_by="S, C",
        note="n", slots=("a",), who="cli:test",
    )  # fmt: skip
    add_exclusion(
        connection, PILOT, slot="b", start=_day(plan, "2024-03-04"), end=_day(plan, "2024-03-06"), reason="construction",
        asked_on=date(2024, 3, 4), asked_by="C", agreed_site="S", agreed_team="T", note="n", who="cli:test",
    )  # fmt: skip
    while summarise(connection):
        pass
    return plan


def _day(plan: Plan, day: str, hour: float = 0.0) -> datetime:
    return midnight(date.fromisoformat(day), plan.zone) + timedelta(hours=hour)


class _Sender:
    def __init__(self, connection: Connection, plan: Plan, slot: str, rng: np.random.Generator) -> None:
        self.connection, self.plan, self.slot, self.rng = connection, plan, slot, rng
        self.ids = {(info.slot, info.name): info.channel_ids[-1] for info in channels(connection, PILOT)}
        self.slot_id = next(info.slot_id for info in channels(connection, PILOT) if info.slot == slot)
        self.start, self.end = micros(plan.window.start), micros(plan.window.end)
        self.silent = [
            self._span("2023-08-11", 3, 20),
            self._span("2023-10-05", 2, 20),
            self._span("2024-02-10", 5, 30),
        ]
        if slot == "a":
            self.silent += [self._span("2023-12-01", 5.5, 40), self._span("2024-08-01", 0, 24 * 60)]
        else:
            self.silent += [self._span("2024-03-04", 10, 30), self._span("2024-05-01", 0, 24 * 9)]

    def _span(self, day: str, hour: float, hours: float) -> tuple[int, int]:
        start = micros(_day(self.plan, day, hour))
        return start, start + round(hours * HOUR)

    def send(self) -> None:
        self._periodic("battery", 2, self._battery)
        self._periodic(
            "power", 1, lambda at: np.round(4 + 3 * np.sin(at / DAY * 2 * np.pi) + self.rng.normal(0, 1, len(at)), 2)
        )
        self._periodic("ambient", 1, self._ambient)
        self._periodic("odometer", 1, self._odometer)
        self._modes()
        self._frames()
        self._rare()
        self._happened()

    def _ambient(self, at: Micros) -> Floats:
        year = 13 - 14 * np.cos(2 * np.pi * (at / DAY - 19_737) / 365.25)
        found: Floats = np.round(year - 4 * np.cos(at / DAY * 2 * np.pi) + self.rng.normal(0, 1, len(at)), 2)
        return found

    def _battery(self, at: Micros) -> Floats:
        day = (at - self.start) / DAY
        cycle = 61.3 if self.slot == "a" else 90.7
        found: Floats = np.round(99 - 0.7 * (day % cycle) + self.rng.normal(0, 0.6, len(at)), 2)
        return found

    def _odometer(self, at: Micros) -> Floats:
        went = np.cumsum(self.rng.integers(0, 5, len(at)) * 0.5)
        restart = at > micros(_day(self.plan, "2024-04-04"))
        went[restart] -= went[restart][0] if restart.any() else 0.0
        found: Floats = went % 1000
        return found

    def _periodic(self, channel: str, hours: int, values: Any) -> None:
        at = np.arange(self.start + 11_000_000, self.end, hours * HOUR, dtype=np.int64)
        at = at + self.rng.integers(-30_000_000, 30_000_000, len(at))
        level = values(at)
        kept = self._there(at) & (self.rng.random(len(at)) > 0.03)
        self._heard(channel, at[kept], level[kept])

    def _there(self, at: Micros) -> NDArray[np.bool_]:
        found = np.ones(len(at), dtype=np.bool_)
        for start, end in self.silent:
            found &= (at < start) | (at >= end)
        return found

    def _modes(self) -> None:
        at = np.unique(self.rng.integers(self.start, self.end, 200))
        at = at[self._there(at)]
        codes = self.rng.choice(3, len(at), p=[0.6, 0.25, 0.15]).astype(np.float64)
        self._heard("mode", at, codes)
        links = [
            LinkStateRecord(slot_id=self.slot_id, at_us=us, state=state, origin="status")  # type: ignore[arg-type]
            for us, state in [(self.start + 5, "online")]
            + [(start, "offline") for start, _ in self.silent]
            + [(end, "online") for _, end in self.silent if end < self.end]
        ]
        load_happenings(self.connection, PILOT, [], links, 900_000)

    def _frames(self) -> None:
        at = np.arange(self.start + 3_000_000, self.end, HOUR, dtype=np.int64)
        at = at + self.rng.integers(-100_000_000, 100_000_000, len(at))
        numbers = (3_900 + np.arange(len(at))) % 4096
        joins = [micros(_day(self.plan, day, 5)) for day in ("2023-09-20", "2024-01-15", "2024-06-02")]
        for join in joins:
            after = at > join
            numbers[after] = np.arange(int(after.sum())) % 4096
        told = numbers.astype(np.float64)
        bad = np.repeat(self.rng.random(len(at) // 50 + 1) < 0.15, 50)[: len(at)]
        kept = self._there(at) & (self.rng.random(len(at)) > np.where(bad, 0.5, 0.02))
        odd = self.rng.integers(0, len(at), 12)
        told[odd[:3]], told[odd[3:6]], told[odd[6:9]], told[odd[9:]] = -1, 0.5, 5000, 2000
        # Some overtake the one before.
        swap = self.rng.integers(0, len(at) - 1, 40)
        told[swap], told[swap + 1] = told[swap + 1].copy(), told[swap].copy()
        again = np.flatnonzero(kept & (self.rng.random(len(at)) < 0.02))
        at_us = np.concatenate([at[kept], at[again] + 40_000_000, at[500] + np.arange(1, 25) * 1_000_000])
        values = np.concatenate([told[kept], told[again], np.full(24, told[500])])
        unique, index = np.unique(at_us, return_index=True)
        self._heard("fcnt", unique, values[index])
        events = [
            EventRecord(
                slot_id=self.slot_id, kind="join", id=f"j{i}", phase="", number=None, at_us=join, attributes=b"{}"
            )
            for i, join in enumerate(joins)
        ]
        load_happenings(self.connection, PILOT, events, [], 900_000)

    def _rare(self) -> None:
        at = np.unique(self.rng.integers(self.start, self.end, 800))
        kept = self._there(at) & (self.rng.random(len(at)) > 0.02)
        self._heard("rare", at[kept], np.arange(len(at), dtype=np.float64)[kept])

    def _heard(self, channel: str, at: Micros, values: Floats) -> None:
        """Most within seconds; some over an outage of ours, some without a time of their own, some ahead of their time."""
        n = len(at)
        delay = np.round(self.rng.gamma(2, 600_000, n)).astype(np.int64) + 80_000
        delay[self.rng.random(n) < 0.04] += 40_000_000
        flags = np.zeros(n, dtype=np.int16)
        flags[self.rng.random(n) < 0.01] = int(Flag.ARRIVAL_TIME)
        flags[self.rng.random(n) < 0.005] = int(Flag.RETAINED)
        flags[self.rng.random(n) < 0.005] = int(Flag.REPLAYED)
        ahead = self.rng.random(n)
        delay[ahead < 0.01] = -400_000
        delay[ahead < 0.005] = -90_000_000
        for start, end in (self._span("2023-10-05", 0, 24), self._span("2024-01-20", 4, 9)):
            waiting = (at >= start) & (at < end) & (self.rng.random(n) < 0.5)
            delay[waiting] = end - at[waiting] + 30_000_000
        delay[(at >= self._span("2024-07-01", 0, 1)[0]) & (at < self._span("2024-07-04", 0, 1)[0])] += 70 * DAY
        received = at + delay
        order = np.argsort(received, kind="stable")
        columns = Columns(
            channel_id=np.full(n, self.ids[self.slot, channel], dtype=np.int32),
            observed_us=at[order],
            value=values[order],
            flags=flags[order],
        )
        load_readings(self.connection, PILOT, columns, received[order])

    def _happened(self) -> None:
        events: list[EventRecord] = []

        def add(kind: str, name: str, phase: str, number: int, at: int, **said: Any) -> None:
            if self.start <= at < self.end and self._there(np.array([at]))[0]:
                told = json.dumps(said).encode()
                events.append(
                    EventRecord(slot_id=self.slot_id, kind=kind, id=name, phase=phase, number=number, at_us=at, attributes=told)  # type: ignore[arg-type]
                )  # fmt: skip

        for i in range(80):
            add("incident", f"i{i}", "", i, self.start + round((i + self.rng.random()) * (self.end - self.start) / 80))
        for i in range(200):
            at = self.start + round((i + self.rng.random()) * (self.end - self.start) / 200)
            add("mission", f"m{i}", "start", i, at)
            add("mission", f"m{i}", "end", i, at + 1_000_000, result="done" if self.rng.random() < 0.9 else "failed")
        load_happenings(self.connection, PILOT, events, [], 900_000)

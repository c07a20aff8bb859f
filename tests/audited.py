"""A pilot of every measure kind, with everything that can go wrong in a year: what its site sent, and what was agreed.

Its plan is ``tests/plans/every-measure.yaml``. Gaps of the device, the site, the platform and of nobody; late data; a swap; a
counter that wraps and begins again; events lost, repeated and never closed; exclusions, of which one is too much at first.
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
from kpi.records.outages import add_outage, withdraw_outage
from telemetry.batch import EventRecord, LinkStateRecord
from telemetry.channels import channels
from telemetry.load import load_happenings, load_readings
from telemetry.rows import Columns
from telemetry.summarise import summarise

PLAN: Final = Path(__file__).parent / "plans" / "every-measure.yaml"
PILOT: Final = "every-measure"
HOUR: Final = 3_600_000_000
_DELAY: Final = 350_000

Micros = NDArray[np.int64]
Floats = NDArray[np.float64]


def made_pilot(connection: Connection) -> Plan:
    """Register the pilot and fill its store."""
    apply_plan(connection, read_plan(PLAN.read_bytes()), who="cli:test", now=datetime(2023, 8, 1, tzinfo=UTC))
    plan, _, _ = plan_of(connection, PILOT)
    _platform(connection, plan)
    site = _Site(connection, plan)
    for place, slot in enumerate(plan.slots):
        site.fill(slot, np.random.default_rng(place + 1))
    _swap(connection, plan)
    _agreed(connection, plan)
    while summarise(connection):
        pass
    return plan


def _day(plan: Plan, day: str, hour: float = 0.0) -> datetime:
    return midnight(date.fromisoformat(day), plan.zone) + timedelta(hours=hour)


def _us(plan: Plan, day: str, hour: float = 0.0) -> int:
    return micros(_day(plan, day, hour))


def _platform(connection: Connection, plan: Plan) -> None:
    """The record begins two days late, has two holes, and one stretch was written down three months after."""
    spans = [
        ("2023-08-12", "2023-10-05", 5.25, "2023-10-05", 0.0),
        ("2023-10-05", "2024-02-10", 11.0, "2024-02-10", 0.0),
        ("2024-02-11", "2024-06-01", 0.0, "2024-06-01", 0.0),
        ("2024-06-01", "2024-06-04", 0.0, "2024-09-05", 0.0),
        ("2024-06-04", "2024-09-12", 0.0, "2024-06-04", 0.0),
    ]
    for number, (since, until, to_hour, recorded, hour) in enumerate(spans):
        start = _day(plan, since, 9.5 if number == 1 else 0.0)
        end = _day(plan, until, to_hour)
        connection.execute(
            "INSERT INTO platform_record (process, run, from_at, until_at, heard, goes_on, recorded_at)"
            " VALUES ('collector-1', 'r', %s, %s, %s, true, %s)",
            [start, end, Multirange([Range(start, end)]), min(_day(plan, recorded, hour), end) if number != 3 else
             _day(plan, recorded, hour)],
        )  # fmt: skip


class _Site:
    def __init__(self, connection: Connection, plan: Plan) -> None:
        self.connection, self.plan = connection, plan
        self.ids = {(info.slot, info.name): info.channel_ids[-1] for info in channels(connection, PILOT)}
        self.slots = {info.slot: info.slot_id for info in channels(connection, PILOT)}
        self.start = micros(plan.window.start)
        self.end = micros(plan.window.end)

    def fill(self, slot: str, rng: np.random.Generator) -> None:
        names = self.plan.slots[slot].channels
        lost = self._silent(slot)
        for name, channel in names.items():
            if channel.reporting == "periodic":
                period = round((channel.period_s or 0.0) * 1e6)
                at = np.arange(self.start + 7_000_000, self.end, period, dtype=np.int64)
                at = at + rng.integers(-20_000_000, 20_000_000, len(at))
                values = self._values(name, at, rng)
            else:
                at = np.unique(rng.integers(self.start, self.end, 3000))
                values = rng.integers(0, 2 + (name == "mode"), len(at)).astype(np.float64)
                values = values + (rng.random(len(at)) * 3 if name == "load" else 0.0)
            kept = ~_inside(at, lost) & (rng.random(len(at)) > (0.4 if name == "noise" else 0.02))
            self._heard(slot, name, at[kept], values[kept])
        if self.plan.slots[slot].events:
            self._happened(slot, rng, lost)

    def _silent(self, slot: str) -> list[tuple[int, int]]:
        def span(day: str, hour: float, hours: float) -> tuple[int, int]:
            start = _us(self.plan, day, hour)
            return start, start + round(hours * HOUR)

        gaps = [span("2023-10-05", 5, 5.3), span("2024-02-10", 10, 15), span("2024-05-02", 3, 30)]
        own = {
            # Of the company; of the site as agreed; begun before the record; over eight in the morning.
            "a": [span("2023-08-11", 4, 40), span("2023-12-01", 5.5, 2.9), span("2024-03-20", 0, 70)],
            "b": [span("2023-09-15", 12, 20), span("2024-01-15", 6, 26), span("2024-07-01", 19.3, 9)],
            "c": [span("2023-11-01", 0, 400), span("2024-06-02", 1, 8)],
        }
        return gaps + own[slot]

    def _values(self, name: str, at: Micros, rng: np.random.Generator) -> Floats:
        year, day = at / (365.25 * 24 * HOUR), at / (24 * HOUR)
        noise = np.empty(len(at))
        now = 0.0
        for i, shock in enumerate(rng.normal(0, 1, len(at))):
            now = 0.9 * now + shock
            noise[i] = now
        match name:
            case "temp":
                found = 10 - 9 * np.cos(2 * np.pi * year) - 3 * np.cos(2 * np.pi * day) + noise
            case "dust":
                found = np.exp(2.6 + noise / 3)
            case "power":
                found = 250 + 60 * np.cos(2 * np.pi * day) + 15 * noise
            case "odometer":
                found = np.cumsum(rng.random(len(at)) * 2) % 1000
                found[at > _us(self.plan, "2024-04-04")] -= 250.0  # replaced, not begun again at zero
                found[at > _us(self.plan, "2024-05-20")] = np.cumsum(
                    rng.random((at > _us(self.plan, "2024-05-20")).sum())
                )
            case "lamp":
                found = (rng.random(len(at)) < 0.03).astype(np.float64)
            case _:
                found = 55 + 4 * noise
        clipped: Floats = np.round(np.clip(found, -39, None), 3)
        return clipped

    def _heard(self, slot: str, name: str, at: Micros, values: Floats) -> None:
        """Most at once; those of two days a month later, of one week only after all is over."""
        received = at + _DELAY
        received[_inside(at, [(_us(self.plan, "2023-10-20"), _us(self.plan, "2023-10-22"))])] += 30 * 24 * HOUR
        received[_inside(at, [(_us(self.plan, "2024-04-10"), _us(self.plan, "2024-04-17"))])] += 200 * 24 * HOUR
        order = np.argsort(received, kind="stable")
        columns = Columns(
            channel_id=np.full(len(at), self.ids[slot, name], dtype=np.int32)[order],
            observed_us=at[order],
            value=values[order],
            flags=np.zeros(len(at), dtype=np.int16),
        )
        load_readings(self.connection, PILOT, columns, received[order])

    def _happened(self, slot: str, rng: np.random.Generator, lost: list[tuple[int, int]]) -> None:
        events: list[EventRecord] = []

        def add(event: str, name: str, phase: str, number: int | None, at: int, /, **attributes: Any) -> None:
            if self.start <= at < self.end and not _inside(np.array([at]), lost)[0]:
                told = json.dumps(attributes).encode()
                record = EventRecord(
                    slot_id=self.slots[slot], kind=event, id=name, phase=phase, number=number, at_us=at, attributes=told  # type: ignore[arg-type]
                )  # fmt: skip
                events.append(record)

        bad_days = set(rng.integers(0, 397, 40).tolist())
        number = 0
        for i in range(450):
            at = self.start + round((i + rng.random()) / 450 * (self.end - self.start))
            number = 1 if i == 250 else number + 1  # the counter of the device was set back
            bad = (at - self.start) // (24 * HOUR) in bad_days
            result = ["done", "late", "failed"][int(rng.choice(3, p=[0.4, 0.2, 0.4] if bad else [0.95, 0.03, 0.02]))]
            if rng.random() < 0.004:
                continue  # lost with its number
            add("mission", f"m{i}", "start", number, at, kind=["test", "trial", "daily"][i % 3], result="running")
            if rng.random() > 0.003:
                took = -60_000_000 if i % 401 == 7 else round(rng.gamma(4, 9) * 60_000_000)
                add("mission", f"m{i}", "end", number, at + took, result=result, stops=int(rng.integers(0, 3)))
        for i in range(150):
            at = self.start + round(rng.random() ** 1.3 * (self.end - self.start))
            attributes: dict[str, Any] = {"injured": int(rng.random() < 0.2)} if i % 9 else {}
            if i % 11:
                attributes["kind"] = ["collision", "stop"][i % 2]
            if i % 17:
                events_number = i if slot == "a" else 2 * i + 20_000 * (i > 100)
                add("incident", f"i{i}", "", events_number, at, **attributes)
        for i in range(300):
            at = self.start + round(rng.random() * (self.end - self.start))
            answered = bool(rng.random() < 0.9)
            if i % 50:
                add("call", f"c{i}", "start", None, at, answered=answered)
            if answered or i % 3:
                add("call", f"c{i}", "end", None, at + round(rng.gamma(3, 100) * 1e6))
        for i in range(60):
            add("failure", f"f{i}", "", None, self.start + round(rng.random() * (self.end - self.start)),
                **({"code": f"E{i % 4}"} if i % 13 else {}))  # fmt: skip
        links = [
            LinkStateRecord(slot_id=self.slots[slot], at_us=at, state=state, origin="status")  # type: ignore[arg-type]
            for at, state in self._links(slot)
        ]
        load_happenings(self.connection, PILOT, events, links, _DELAY)

    def _links(self, slot: str) -> list[tuple[int, str]]:
        """Lost and found again; online through the whole of a silence; lost while readings still came."""
        rows = [("2023-08-10", 0, "online"), ("2023-12-01", 5.6, "offline"), ("2023-12-01", 8.3, "online")]
        rows += [("2024-01-15", 7, "offline"), ("2024-02-20", 12.5, "offline"), ("2024-02-21", 0, "online")]
        rows += [("2024-03-20", 1, "offline"), ("2024-05-01", 0, "online"), ("2024-06-10", 6, "offline")]
        return [(_us(self.plan, day, hour) + (slot == "b") * 90_000_000, state) for day, hour, state in rows]


def _inside(at: Micros, spans: list[tuple[int, int]]) -> NDArray[np.bool_]:
    found = np.zeros(len(at), dtype=np.bool_)
    for start, end in spans:
        found |= (at >= start) & (at < end)
    return found


def _swap(connection: Connection, plan: Plan) -> None:
    """Slot a stands empty for a day and a half; slot b has other firmware from June on. One was recorded late."""
    rows = [
        ("a", "a-2", None, _day(plan, "2024-03-21"), _day(plan, "2024-03-22", 12), _day(plan, "2024-03-25")),
        ("b", "b-1", "2", _day(plan, "2024-06-01"), _day(plan, "2024-06-01"), _day(plan, "2024-06-01")),
    ]
    connection.execute("UPDATE installation SET recorded_at = '2023-08-01T00:00Z'")
    for slot, serial, firmware, removed, installed, recorded in rows:
        given = {"pilot": PILOT, "slot": slot, "removed": removed, "recorded": recorded}
        connection.execute(
            "UPDATE installation i SET removed_at = %(removed)s, removal_recorded_at = %(recorded)s FROM slot s JOIN pilot p"
            " USING (pilot_id) WHERE i.slot_id = s.slot_id AND p.name = %(pilot)s AND s.name = %(slot)s"
            " AND removed_at IS NULL",
            given,
        )
        connection.execute(
            "INSERT INTO installation (slot_id, serial, firmware, installed_at, recorded_at)"
            " SELECT slot_id, %(serial)s, %(firmware)s, %(installed)s, %(recorded)s FROM slot JOIN pilot USING (pilot_id)"
            " WHERE pilot.name = %(pilot)s AND slot.name = %(slot)s",
            {**given, "serial": serial, "firmware": firmware, "installed": installed},
        )


def _agreed(connection: Connection, plan: Plan) -> None:
    def outage(since: datetime, hours: float, cause: str, *slots: str) -> int:
        added = add_outage(
            connection, PILOT, start=since, end=since + timedelta(hours=hours), cause=cause, agreed_by="S, C", note="n",
            slots=slots, who="cli:test",
        )  # fmt: skip
        return added.outage.outage_id

    outage(_day(plan, "2024-01-15", 5), 20, "site-power", "b")
    outage(_day(plan, "2024-05-02", 2), 12, "site-network")
    outage(_day(plan, "2024-05-02", 20), 6, "platform", "a", "c")
    outage(_day(plan, "2024-02-10", 20), 3, "site")
    outage(_day(plan, "2023-08-11", 2), 6, "site-power", "a")
    withdraw_outage(connection, outage(_day(plan, "2024-03-20", 0), 60, "site-power", "a"), why="w", who="cli:test")
    for slot, since, hours in (
        ("b", _day(plan, "2023-09-15", 11), 60.0),  # more than two per cent of what the interim date judges
        ("b", _day(plan, "2023-10-09", 9), 6.0),
        ("a", _day(plan, "2024-05-02", 16), 18.0),
        ("b", _day(plan, "2024-07-01", 19.25), 10.0),
    ):
        add_exclusion(
            connection, PILOT, slot=slot, start=since, end=since + timedelta(hours=hours), reason="construction",
            asked_on=since.date(), asked_by="C", agreed_site="S", agreed_team="T", note="n", who="cli:test",
        )  # fmt: skip

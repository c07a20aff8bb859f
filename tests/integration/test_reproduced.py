"""Whatever comes, is recorded, agreed, withdrawn or amended in whatever order: every result can be had again by its ``as_of``."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.database import Connection
from core.errors import PermanentError
from core.window import micros, midnight
from devices.plan.problem import PlanProblems
from devices.plan.reader import read_plan
from devices.registry import apply_plan, replace_device
from kpi.evaluate import evaluate
from kpi.records.exclusions import REASONS, add_exclusion, exclusions, withdraw_exclusion
from kpi.records.outages import CAUSES, add_outage, outages, withdraw_outage
from kpi.results import store, versions
from telemetry.batch import Batch, Flag, Readings
from telemetry.commit import commit
from telemetry.platform_record import Entry, record
from telemetry.summarise import summarise
from tests.evaluated import PLAN, SLOT, Site, made_site

SEOUL = ZoneInfo("Asia/Seoul")
START, END = midnight(date(2025, 3, 1), SEOUL), midnight(date(2025, 6, 1), SEOUL)
KPIS = """
mean: {name: 평균, measure: {statistic: {channel: temp, stat: mean}}, target: "<= 26 degC", scope: capability}
p90: {name: 90백분위, measure: {statistic: {channel: temp, stat: p90}}, target: "<= 27 degC"}
cool: {name: 적정 온도, group: worst, measure: {share: {while: {channel: temp, value: "<= 25 degC"}}}, target: ">= 70 %"}
auto: {name: 자동, measure: {share: {while: {channel: mode, in: [auto]}}}, target: ">= 30 %"}
up: {name: 가동률, measure: {availability: {}}, target: ">= 60 %"}
capture: {name: 자료획득률, measure: {capture: {}}, target: ">= 60 %", completeness: 10}
success: {name: 임무, measure: {event_ratio: {event: mission, success: {result: done}}}, target: ">= 80 %"}
"""
DATES = {
    # Nothing is amended once a date has passed, and no verdict is given before one has.
    "with a verdict": {"interim": "2025-06-01", "until": "2025-11-01", "end": "2025-12-01"},
    "with amendments": {"interim": "", "until": "2034-11-01", "end": "2034-12-01"},
}


class Life:
    """A pilot to which things happen, at random but the same again for the same seed."""

    def __init__(self, connection: Connection, seed: int, dates: str) -> None:
        self.connection = connection
        self.random = random.Random(seed)
        self.dates = dates
        self.made: Site = made_site(connection, KPIS, slots=("a", "b"), now=None, **DATES[dates])
        self.serial = 1
        self.mission = 0
        self.amendments = 0

    def instant(self) -> datetime:
        return START + (END - START) * self.random.random()

    def span(self, most_h: float) -> tuple[datetime, datetime]:
        start = self.instant()
        return start, min(END, start + timedelta(hours=0.1 + most_h * self.random.random()))

    def slot(self) -> str:
        return self.random.choice("ab")

    # --- What may happen

    def readings(self, flags: int = 0) -> None:
        """A run of hourly readings, whole or full of holes: late, early, again."""
        slot, (start, end) = self.slot(), self.span(1500)
        held = self.random.choice((1.0, 0.9, 0.4))
        at = start.replace(minute=0, second=0, microsecond=0)
        chosen = []
        while at < end:
            if self.random.random() < held:
                chosen.append(micros(at) + self.random.choice((0, 0, 0, 1_500_000)))
            at += timedelta(hours=1)
        mean = self.random.choice((20.0, 24.0, 28.0))
        batch = Readings(
            channel_id=[self.made.channels[slot, "temp"]] * len(chosen),
            observed_us=chosen,
            value=[round(self.random.gauss(mean, 2), 1) for _ in chosen],
            flags=[flags] * len(chosen),
        )
        commit(self.connection, Batch(readings=batch))

    def replayed(self) -> None:
        self.readings(int(Flag.REPLAYED))

    def modes(self) -> None:
        slot = self.slot()
        chosen = sorted({micros(self.instant()) for _ in range(self.random.randint(1, 8))})
        batch = Readings(
            channel_id=[self.made.channels[slot, "mode"]] * len(chosen),
            observed_us=chosen,
            value=[float(self.random.randint(0, 2)) for _ in chosen],
            flags=[0] * len(chosen),
        )
        commit(self.connection, Batch(readings=batch))

    def missions(self) -> None:
        at = self.instant()
        for _ in range(self.random.randint(1, 6)):
            self.mission += self.random.choice((1, 1, 1, 2))
            at += timedelta(hours=1)
            rows: list[tuple[int, str, datetime, dict[str, Any]]] = [(self.mission, "start", at, {})]
            if self.random.random() < 0.9:
                done = {"result": self.random.choice(("done", "done", "failed"))}
                rows.append((self.mission, "end", at + timedelta(minutes=20), done))
            self.made.happened(self.slot(), rows)

    def links(self) -> None:
        chosen = [(self.instant(), self.random.choice(("online", "offline"))) for _ in range(3)]
        self.made.linked(self.slot(), sorted(chosen))

    def alive(self) -> None:
        """The platform's record of some weeks, said just now."""
        start, end = self.span(1500)
        heard = (start.timestamp(), end.timestamp())
        said = Entry(span=heard, heard=(heard,), goes_on=self.random.random() < 0.5)
        record(self.connection, self.random.choice(("collector-1", "collector-2", "work")), "run", said)

    def summaries(self) -> None:
        for _ in range(self.random.randint(1, 40)):
            if not summarise(self.connection):
                return

    def outage(self) -> None:
        there = outages(self.connection, "hall")
        if there and self.random.random() < 0.4:
            withdraw_outage(self.connection, self.random.choice(there).outage_id, why="번복", who="cli:test")
            return
        start, end = self.span(200)
        add_outage(
            self.connection, "hall", start=start, end=end, cause=self.random.choice(list(CAUSES)), agreed_by="S, C",
            note="n", slots=self.random.choice(((), ("a",), ("b",))), who="cli:test",
        )  # fmt: skip

    def exclusion(self) -> None:
        there = exclusions(self.connection, "hall")
        if there and self.random.random() < 0.4:
            withdraw_exclusion(self.connection, self.random.choice(there).exclusion_id, why="번복", who="cli:test")
            return
        start, end = self.span(40)
        with suppress(PermanentError):  # there may be one of this time, or too many
            add_exclusion(
                self.connection, "hall", slot=self.slot(), start=start, end=end, reason=self.random.choice(list(REASONS)),
                asked_on=start.astimezone(SEOUL).date(), asked_by="C", agreed_site="S", agreed_team="T", note="n",
                who="cli:test",
            )  # fmt: skip

    def swap(self) -> None:
        """Another device from an instant on, or after days without one."""
        self.serial += 1
        slot, at = self.slot(), self.instant()
        if self.random.random() < 0.5:
            with suppress(PermanentError):  # before the device that stands there came
                replace_device(
                    self.connection,
                    "hall",
                    slot,
                    serial=f"n-{self.serial}",
                    at=at,
                    who="cli:test",
                    keep_credentials=True,
                )
            return
        gone = self.connection.execute(
            "UPDATE installation SET removed_at = %s WHERE slot_id = %s AND removed_at IS NULL AND installed_at < %s",
            [at, self.made.slots[slot], at],
        )
        if gone.rowcount:
            self.connection.execute(
                "INSERT INTO installation (slot_id, serial, installed_at) VALUES (%s, %s, %s)",
                [self.made.slots[slot], f"n-{self.serial}", at + timedelta(days=1 + 4 * self.random.random())],
            )

    def amend(self) -> None:
        """Another target, and now and then another rule for how long a reading stands."""
        self.amendments += 1
        text = PLAN.format(
            **{"start": "2025-03-01", "zone": "Asia/Seoul"} | DATES[self.dates],
            slots="".join(SLOT.format(name=name) for name in ("a", "b")),
            kpis="\n".join(f"  {line}" for line in KPIS.strip().splitlines()),
        )
        text = text.replace('"<= 26 degC"', f'"<= {self.random.randint(20, 30)} degC"')
        if self.random.random() < 0.5:
            text = text.replace("period: 1 h,", f"period: 1 h, max_hold: {self.random.randint(2, 9)} h,")
        text += f'\namendment: {{parties: [S, C, T], reason: "{self.amendments}", date: 2025-05-20}}\n'
        with suppress(PlanProblems):  # a window that was seen
            apply_plan(self.connection, read_plan(text.encode()), who="cli:test")

    def judge(self) -> None:
        questions: list[dict[str, Any]] = [{"month": "2025-03"}, {"month": "2025-04"}, {"month": "2025-05"}]
        if self.dates == "with a verdict":
            questions += [{"at": date(2025, 6, 1)}] * 2
        store(self.connection, evaluate(self.connection, "hall", **self.random.choice(questions)), "cli:test")

    def goes_on(self, steps: int) -> None:
        may: list[tuple[Callable[[], None], int]] = [
            (self.readings, 6), (self.replayed, 1), (self.modes, 2), (self.missions, 2), (self.links, 2), (self.alive, 3),
            (self.summaries, 3), (self.outage, 3), (self.exclusion, 2), (self.swap, 2), (self.amend, 2), (self.judge, 9),
        ]  # fmt: skip
        happenings, weights = zip(*may, strict=True)
        for happens in self.random.choices(happenings, weights, k=steps):
            happens()


def differences(before: Any, now: Any, path: str = "") -> list[str]:
    """Where two documents differ: numbers by more than 1e-9, all else at all."""
    if isinstance(before, dict) and isinstance(now, dict) and before.keys() == now.keys():
        return [found for key in before for found in differences(before[key], now[key], f"{path}.{key}")]
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = zip(before, now, strict=True)
        return [found for place, (a, b) in enumerate(pairs) for found in differences(a, b, f"{path}[{place}]")]
    numbers = [isinstance(one, float | int) and not isinstance(one, bool) for one in (before, now)]
    same = math.isclose(before, now, rel_tol=1e-9, abs_tol=1e-9) if all(numbers) else before == now
    return [] if same else [f"{path}: {before!r} and {now!r}"]


@pytest.mark.parametrize("dates", DATES)
@pytest.mark.parametrize("seed", range(3))
def test_every_result_can_be_had_again_by_its_as_of(connection: Connection, seed: int, dates: str) -> None:
    life = Life(connection, seed, dates)
    life.readings()
    life.goes_on(45)
    life.judge()
    time.sleep(0.01)
    kept = versions(connection, "hall")
    assert len(kept) >= 5
    for stored in kept:
        asked: dict[str, Any] = (
            {"month": stored.label} if stored.kind == "month" else {"at": date.fromisoformat(stored.label)}
        )
        again = evaluate(connection, "hall", **asked, as_of=stored.as_of)
        assert differences(stored.document, again.document) == [], f"{stored.kind} {stored.label} v{stored.version}"
        assert again.plan_version == stored.plan_version
        if stored.difference is not None:
            assert stored.difference["causes"] != [{"cause": "unexplained"}], f"{stored.label} v{stored.version}"
    assert datetime.now(UTC) > kept[-1].as_of

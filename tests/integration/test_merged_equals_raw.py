"""Merged summaries are the readings: over any split and order of arrival, late data, duplicates, window edges and ``as_of``.

Each example is a channel of its own in a real database. It is told its readings in batches, with the summariser let in
between; every window is then read through the summaries, read raw, and worked out from the list of readings.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.canonical import canonical_json
from core.database import Connection
from core.window import HOUR_US, Window, day_window, instant, micros, midnight
from kpi.evaluate import evaluate
from kpi.inputs.gather_sums import went
from telemetry import windows
from telemetry.batch import Batch, LinkStateRecord, Readings
from telemetry.channels import ChannelInfo
from telemetry.commit import Committer
from telemetry.horizon import close_past
from telemetry.predicates import Condition
from telemetry.summarise import summarise, summarise_all
from telemetry.sums import integrals, runs
from tests.evaluated import hours, made_site
from tests.plain_readings import Plain
from tests.registered import Registered, info, register

S = 1_000_000
WRAP = 1000.0
_numbers = itertools.count()

DAYS = [
    ("Asia/Seoul", date(2024, 2, 29)),
    ("America/New_York", date(2024, 3, 10)),
    ("America/New_York", date(2024, 11, 3)),
    ("Asia/Kolkata", date(2024, 12, 31)),
]
"""A leap day, a day of 23 hours, one of 25, and one whose midnight lies within an hour of UTC, before a new year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One channel, what it says and how that arrives."""

    seed: int
    zone: ZoneInfo
    day: date
    kind: str
    reporting: str
    period_s: int
    hold_periods: float | None
    values: str
    batches: int
    in_order: bool

    @property
    def hold_s(self) -> float | None:
        return None if self.hold_periods is None else self.period_s * self.hold_periods

    @property
    def start_us(self) -> int:
        return micros(midnight(self.day, self.zone) - timedelta(hours=20))


@st.composite
def cases(draw: st.DrawFn, kind: str, ways: list[str]) -> Case:
    zone, day = draw(st.sampled_from(DAYS))
    reporting = draw(st.sampled_from(ways))
    hold = draw(st.sampled_from([1.0, 3.0, 2.5]))
    return Case(
        seed=draw(st.integers(0, 2**32 - 1)),
        zone=ZoneInfo(zone),
        day=day,
        kind=kind,
        reporting=reporting,
        period_s=draw(st.sampled_from([611, 900, 3600, 5000])),
        hold_periods=hold if reporting == "periodic" or draw(st.booleans()) else None,
        values=draw(st.sampled_from(["walk", "constant", "far from zero", "both signs"])),
        batches=draw(st.integers(2, 6)),
        in_order=draw(st.booleans()),
    )


def said(case: Case, rng: np.random.Generator) -> list[tuple[int, float]]:
    """Some sixty hours: with jitter to the microsecond or to the point, losses one by one and in runs, hours without any."""
    n = 60 * 3600 // case.period_s
    jitter = rng.choice([0, 0.2, 0.9]) * case.period_s * S
    at = case.start_us + np.arange(n) * case.period_s * S + rng.uniform(0, jitter, n).astype(np.int64)
    if case.reporting != "periodic":
        at = case.start_us + rng.integers(0, 60 * HOUR_US, n)
    kept = rng.random(n) > rng.choice([0.0, 0.15])
    for first in rng.integers(0, n, 2):
        kept[first : first + int(rng.integers(1, max(2, n // 6)))] = False
    at = np.unique(at[kept])
    return list(zip(at.tolist(), valued(case, rng, len(at)).tolist(), strict=True))


def valued(case: Case, rng: np.random.Generator, n: int) -> Any:
    if case.kind == "state":
        return rng.integers(0, 3, n).astype(float)
    if case.kind == "counter":
        # It passes its end, and begins anew now and then, near zero or not.
        found, at = [], 950.0
        for by, anew, begins in zip(
            rng.integers(0, 9, n), rng.random(n) < 0.08, rng.choice([0, 60, 500], n), strict=True
        ):
            at = float(begins) if anew else (at + 0.5 * float(by)) % WRAP
            found.append(at)
        return np.array(found)
    walk = np.round(20 + np.cumsum(rng.normal(0, 0.4, n)), 1)
    return {
        "walk": walk,
        "constant": np.full(n, 21.5),
        "far from zero": 1e6 + walk / 10,
        "both signs": rng.normal(0, 1, n) * 10.0 ** rng.integers(-3, 4, n),
    }[case.values]


@dataclass(slots=True)
class Told:
    """What the store was told, and what it therefore knew at some instants."""

    readings: dict[int, float] = field(default_factory=dict)
    lost: set[int] = field(default_factory=set)
    known: list[tuple[datetime | None, dict[int, float], set[int]]] = field(default_factory=list)

    def remember(self, as_of: datetime | None) -> None:
        self.known.append((as_of, dict(self.readings), set(self.lost)))


def tell(connection: Connection, case: Case, made: Registered, rng: np.random.Generator) -> Told:
    """In batches, some readings twice and some with a second value, with summaries made in between as it happens."""
    rows, told, committer = said(case, rng), Told(), Committer()
    order = np.arange(len(rows)) if case.in_order else rng.permutation(len(rows))
    # Some at any time, some right after a reading, so that nothing stands until the next one.
    lost = (case.start_us + rng.integers(0, 60 * HOUR_US, 4)).tolist() + [rows[i][0] + S for i in order[:8]]
    for number, chunk in enumerate(np.array_split(order, case.batches)):
        again = rng.choice(order, min(len(order), 5)).tolist()
        readings = Readings()
        for index in [*chunk.tolist(), *again]:
            at, value = rows[index]
            if index in again and at in told.readings and rng.random() < 0.5:
                value += 1.0  # a conflict: the first one stays
            readings.append(made.channel_ids["a"], at, value)
            told.readings.setdefault(at, value)
        links = [
            LinkStateRecord(slot_id=made.slot_id, at_us=at, state="offline", origin="status")
            for at in lost[number :: case.batches]
        ]
        committer.commit(connection, Batch(readings=readings, link_states=links))
        told.lost.update(lost[number :: case.batches])
        if rng.random() < 0.6:
            summarise(connection, most=int(rng.choice([3, 20, 2000])))
        if rng.random() < 0.4:
            told.remember(close_past(connection))
    told.remember(None)
    return told


def edges(case: Case, rng: np.random.Generator, at: list[int]) -> list[Window]:
    """Days of the zone; whole hours; odd microseconds; on a reading and just beside it; within one hour; of nothing."""
    some = rng.choice(at, 6).tolist() if at else [case.start_us] * 6
    ends = [
        *(case.start_us + rng.integers(-5 * HOUR_US, 65 * HOUR_US, 4)).tolist(),
        *((case.start_us // HOUR_US + rng.integers(-3, 63, 4)) * HOUR_US).tolist(),
        *some[:4],
        some[4] + 1,
        some[5] - 1,
    ]
    rng.shuffle(ends)
    pairs = [(min(a, b), max(a, b)) for a, b in zip(ends[::2], ends[1::2], strict=True)]
    inside = case.start_us + int(rng.integers(0, 50)) * HOUR_US
    pairs += [(inside, inside + HOUR_US), (inside + 17, inside + HOUR_US // 3), (inside - 1, inside + 1)]
    return [
        Window(start=instant(case.start_us), end=instant(case.start_us + 60 * HOUR_US)),
        *(day_window(case.day + timedelta(days=days), case.zone) for days in (-1, 0, 1)),
        Window(start=midnight(case.day - timedelta(days=9), case.zone), end=midnight(case.day, case.zone)),
        *(Window(start=instant(a), end=instant(b)) for a, b in pairs if a < b),
    ]


@contextmanager
def read_raw(connection: Connection, channel: ChannelInfo) -> Iterator[None]:
    """No summary serves: every hour is marked, for the length of a block."""
    with connection.transaction(force_rollback=True):
        connection.execute(
            "INSERT INTO dirty_hour SELECT channel_id, hour FROM summary WHERE channel_id = %s",
            [channel.channel_ids[0]],
        )
        yield


CONDITIONS = {
    "gauge": [
        Condition(low=20.0),
        Condition(low=18.0, low_closed=False, high=21.5),
        Condition(high=0.0, high_closed=False),
    ],
    "counter": [Condition(low=950.0)],
    "state": [Condition(codes=(1,)), Condition(codes=(0, 2))],
}


def everything(
    connection: Connection, case: Case, channel: ChannelInfo, asked: list[Window], as_of: datetime | None
) -> dict[str, list[Any]]:
    """All that a measure is computed from, of each window."""
    found: dict[str, list[Any]] = {
        "statistics": windows.statistics(connection, channel, asked, as_of),
        "gaps": [windows.gaps(connection, channel, window, as_of) for window in asked[:8]],
        "integral": integrals(connection, channel, asked, as_of),
    }
    for condition in CONDITIONS[case.kind]:
        found[f"share {condition}"] = windows.time_share(connection, channel, condition, asked, as_of)
    if case.kind == "counter":
        found["increase"] = [went(run, WRAP) for run in runs(connection, channel, asked, as_of)]
    # Hours of a chart, as it draws them.
    found["bins"] = [windows.resampled(connection, channel, asked[1], 7200.0, as_of)]
    return found


def same(one: Any, other: Any) -> bool:
    """Equal to the last bit; nothing (NaN) equals nothing."""
    return repr(one) == repr(other)


def agrees(case: Case, plain: Plain, found: dict[str, list[Any]], asked: list[Window]) -> None:
    """What was found is what the list of readings says."""
    scale = max([1.0, *(abs(value) for _, value in plain.rows)])
    for index, window in enumerate(asked):
        ends = window.start_us, window.end_us
        read = found["statistics"][index]
        inside = plain.inside(*ends)
        assert read.n == len(inside)
        assert (read.expected, read.missing) == plain.expected_and_missing(*ends)
        assert read.longest_gap_s == pytest.approx(plain.longest_gap_s(*ends), rel=1e-12)
        near = {"rel": 1e-12, "abs": 1e-12 * scale}
        if inside:
            mean, m2, least, greatest = plain.moments(*ends)
            values = [value for _, value in inside]
            assert (read.first_us, read.first_value, read.last_us, read.last_value) == (*inside[0], *inside[-1])
            assert (read.min, read.max) == (least, greatest)
            assert read.mean == pytest.approx(mean, rel=1e-12, abs=1e-15 * scale)
            assert read.sum == pytest.approx(math.fsum(values), rel=1e-12, abs=1e-15 * scale * len(values))
            # As far as the means of the hours, which are doubles, can tell.
            told = 1e-15 * scale * math.sqrt(m2 * len(values)) + (1e-15 * scale) ** 2 * len(values)
            assert read.m2 == pytest.approx(m2, rel=1e-12, abs=told)
        integral, covered = plain.joined(*ends)
        assert read.integral == pytest.approx(integral, rel=1e-12, abs=1e-12 * scale * window.seconds)
        assert read.covered_s == pytest.approx(covered, rel=1e-12, abs=1e-6)
        if case.reporting == "periodic" and plain.hold_us is not None:
            integral, covered = plain.to_the_edges(*ends)
        else:
            integral, covered = plain.held(*ends)
        summed = found["integral"][index]
        assert summed.integral == pytest.approx(integral, rel=1e-12, abs=1e-12 * scale * window.seconds)
        assert summed.covered_s == pytest.approx(covered, rel=1e-12, abs=1e-6)
        for condition in CONDITIONS[case.kind]:
            share = found[f"share {condition}"][index]
            held = plain.share(*ends, lambda value, condition=condition: fulfils(condition, value))
            assert (share.true_s, share.covered_s) == pytest.approx(held, rel=1e-12, abs=1e-9)
        if index < len(found["gaps"]):
            assert [(gap.start_us, gap.end_us) for gap in found["gaps"][index]] == plain.gaps(*ends)
        if case.kind == "counter":
            total = found["increase"][index]
            assert (total.proven, total.from_zero) == pytest.approx(plain.climbed(*ends, WRAP), **near)
    for part in found["bins"][0]:
        inside = plain.inside(micros(part.start), min(micros(part.start) + 7200 * S, asked[1].end_us))
        assert part.n == len(inside)
        if inside:
            assert part.mean == pytest.approx(
                math.fsum(v for _, v in inside) / len(inside), rel=1e-12, abs=1e-15 * scale
            )


def fulfils(condition: Condition, value: float) -> bool:
    if condition.codes is not None:
        return value in condition.codes
    above = condition.low is None or value > condition.low or (condition.low_closed and value == condition.low)
    return above and (
        condition.high is None or value < condition.high or (condition.high_closed and value == condition.high)
    )


@pytest.mark.parametrize("ways", [["periodic"], ["on_change", "event"]], ids=" or ".join)
@pytest.mark.parametrize("kind", ["gauge", "counter", "state"])
@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_merged_summaries_raw_readings_and_the_list_of_readings_agree(
    connection: Connection, data: st.DataObject, kind: str, ways: list[str]
) -> None:
    case = data.draw(cases(kind, ways))
    rng = np.random.default_rng(case.seed)
    pilot = f"merged-{next(_numbers)}"
    columns = {
        "kind": case.kind, "reporting": case.reporting, "max_hold_s": case.hold_s, "unit": "kW",
        "period_s": float(case.period_s) if case.reporting == "periodic" else None,
    }  # fmt: skip
    made = register(connection, pilot, zone=case.zone.key, channels={"a": columns})
    for condition in CONDITIONS[case.kind]:
        connection.execute(
            "INSERT INTO predicate (slot_id, channel, low, low_closed, high, high_closed, codes)"
            " VALUES (%(slot)s, 'a', %(low)s, %(low_closed)s, %(high)s, %(high_closed)s, %(codes)s)",
            condition.parameters() | {"slot": made.slot_id},
        )
    told = tell(connection, case, made, rng)
    channel = info(connection, pilot=pilot)
    asked = edges(case, rng, sorted(told.readings))
    before = {}
    for as_of, _, _ in told.known:
        with windows.snapshot(connection):
            before[as_of] = everything(connection, case, channel, asked, as_of)
        with read_raw(connection, channel):
            raw = everything(connection, case, channel, asked, as_of)
        assert same(before[as_of], raw)
    summarise_all(connection)
    waiting = connection.execute("SELECT count(*) AS n FROM dirty_hour").fetchone()
    assert waiting == {"n": 0}
    for as_of, readings, lost in told.known:
        merged = everything(connection, case, channel, asked, as_of)
        with windows.snapshot(connection):
            once = everything(connection, case, channel, asked, as_of)
        assert same(before[as_of], merged) and same(merged, once)
        plain = Plain(
            rows=sorted(readings.items()),
            period_s=columns["period_s"],
            hold_us=channel.hold_us,
            steps=case.kind == "state",
            lost_us=sorted(lost),
        )
        agrees(case, plain, merged, asked)


SLOT = """
  {name}:
    device: {{serial: "{name}-1"}}
    channels:
      temp: {{unit: degC, period: 1 h, range: [-40, 60], uncertainty: {{absolute: 0.5 degC, k: 2}}}}
      meter: {{kind: counter, unit: kWh, period: 1 h, max_hold: 2 h}}
      mode: {{kind: state, states: [idle, auto, manual], reporting: periodic, period: 1 h}}
      door: {{kind: state, states: [shut, open], reporting: on_change}}
"""
KPIS = """
mean: {name: mean, measure: {statistic: {channel: temp, stat: mean}}, target: "<= 30 degC"}
low: {name: low, measure: {statistic: {channel: temp, stat: min, hours: "05:30-23:10"}}, target: ">= -30 degC"}
top: {name: top, measure: {statistic: {channel: temp, stat: max}}, target: "<= 60 degC"}
spread: {name: spread, measure: {statistic: {channel: temp, stat: std, days: [mon, tue, sun]}}, target: "<= 30 degC"}
total: {name: total, measure: {statistic: {channel: temp, stat: sum}}, target: ">= 0 degC"}
end: {name: end, measure: {statistic: {channel: temp, stat: last}}, target: "<= 60 degC"}
most: {name: most, measure: {statistic: {channel: temp, stat: p95}}, target: "<= 40 degC"}
warm: {name: warm, measure: {share: {while: {channel: temp, value: ">= 20 degC"}}}, target: ">= 10 %", decision: guarded}
auto: {name: auto, measure: {share: {of: time, while: {channel: mode, in: [auto]}, hours: "00:30-24:00"}}, target: ">= 10 %"}
open: {name: open, measure: {share: {of: time, while: {channel: door, in: [open]}}}, target: ">= 10 %"}
heat: {name: heat, measure: {integral: temp}, target: ">= 0 K*h"}
used: {name: used, measure: {increase: {channel: meter, wrap: 1000}}, target: ">= 1 kWh"}
there: {name: there, measure: {capture: {}}, target: ">= 50 %"}
up: {name: up, measure: {availability: {}}, target: ">= 50 %"}
"""


@pytest.mark.parametrize(("seed", "zone"), [(1, "America/New_York"), (2, "Asia/Seoul")])
def test_every_kind_of_kpi_says_the_same_of_summaries_and_of_readings(
    connection: Connection, seed: int, zone: str
) -> None:
    """The whole evaluation, as of before and after late data: month, date and final, to the last bit."""
    rng = np.random.default_rng(seed)
    site = made_site(connection, KPIS, slot=SLOT, zone=zone, interim="2025-04-01", until="2025-05-01", end="2025-06-01")
    site.alive(datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
    whole = hours(date(2025, 3, 1), date(2025, 5, 1), ZoneInfo(zone))
    late = {}
    for channel in ("temp", "meter", "mode", "door"):
        at = whole + rng.integers(0, 1_000_000_000, len(whole))
        kept = rng.random(len(at)) > (0.95 if channel == "door" else 0.05)
        kept[100:140] = kept[1000:1030] = False
        at = at[kept]
        value = {
            "temp": 22 + np.cumsum(rng.normal(0, 0.3, len(at))).round(1) % 15,
            "meter": (np.cumsum(rng.integers(0, 5, len(at))) % 997).astype(float),
        }.get(channel, rng.integers(0, 2, len(at)).astype(float))
        later = rng.random(len(at)) < 0.02
        site.heard("a", channel, at[~later], value[~later])
        late[channel] = at[later], value[later]
    site.linked("a", [(instant(int(whole[102])), "offline"), (instant(int(whole[1005]) + 7), "offline")])
    site.summarised()
    before = close_past(connection)
    for channel, (at, value) in late.items():
        site.heard("a", channel, at, value)
    asked = [{"month": "2025-04"}, {"at": date(2025, 4, 1)}, {"final": True}]
    after = close_past(connection)
    for step in ("late data wait", "all is summarised"):
        for as_of, options in itertools.product((before, after), asked):
            found = evaluate(connection, "hall", as_of=as_of, **options).document
            connection.execute("CREATE TABLE kept AS TABLE dirty_hour")
            connection.execute("INSERT INTO dirty_hour SELECT channel_id, hour FROM summary")
            raw = evaluate(connection, "hall", as_of=as_of, **options).document
            connection.execute("DELETE FROM dirty_hour")
            connection.execute("INSERT INTO dirty_hour TABLE kept")
            connection.execute("DROP TABLE kept")
            assert canonical_json(found) == canonical_json(raw), (step, as_of, options)
            assert all(kpi["value"] is not None for kpi in found["kpis"])
        site.summarised()

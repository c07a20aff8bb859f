"""Integrals and increases, in a real database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import pytest

from core.database import Connection
from core.window import micros, midnight
from devices.registry import replace_device
from kpi.evaluate import evaluate
from telemetry import raw
from tests.evaluated import SEOUL, Site, hours
from tests.kinds import ALL_UP, at, entry, site_of

Make = Callable[..., Site]


@pytest.fixture
def site(connection: Connection) -> Make:
    return partial(site_of, connection)


# --- Integral

ENERGY = """
energy: {name: 전력량, measure: {integral: power}, target: "<= 800 kWh"}
night: {name: 야간, measure: {integral: {channel: power, hours: "00:00-06:00"}}, target: "<= 700 MJ"}
steps: {name: 밸브, measure: {integral: {channel: valve}}, target: "<= 800 kWh"}
"""


@pytest.mark.parametrize("summarised", [False, True])
@pytest.mark.parametrize("step_h", [1 / 6, 1 / 4, 0.5])
def test_oracle_12_a_kilowatt_held_for_a_day_is_24_kilowatt_hours(
    site: Make, connection: Connection, step_h: float, summarised: bool
) -> None:
    made = site(ENERGY, start="2025-03-01", until="2025-03-02", interim="", end="2025-03-03")
    made.alive(*ALL_UP)
    at_us = hours(date(2025, 3, 1), date(2025, 3, 2), step_h=step_h)
    kept = np.ones(len(at_us), dtype=bool)
    if step_h == 1 / 6:  # missing, but no gap beyond the 35 minutes that a reading stands
        kept[::7] = kept[3::20] = False
        kept[0] = kept[-1] = True
    made.heard("a", "power", at_us[kept], np.ones(int(kept.sum())))
    if summarised:
        made.summarised()
    found = evaluate(connection, "hall", final=True)
    energy = entry(found, "energy")
    assert energy["value"] == pytest.approx(24, rel=1e-12)
    assert energy["unit"] == "kWh"
    assert entry(found, "night")["value"] == pytest.approx(6 * 3.6, rel=1e-12)
    assert entry(found, "night")["unit"] == "MJ"


@pytest.mark.parametrize("summarised", [False, True])
def test_an_integral_is_that_of_numpy_over_the_time_that_is_covered(
    site: Make, connection: Connection, summarised: bool
) -> None:
    made = site(ENERGY)
    made.alive(*ALL_UP)
    rng = np.random.default_rng(3)
    at_us = hours(date(2025, 3, 1), date(2025, 4, 2), step_h=1 / 6) + rng.integers(0, 60_000_000, 32 * 144)
    values = rng.uniform(0, 2, len(at_us))
    kept = rng.random(len(at_us)) > 0.05
    kept[1000:1200] = False
    at_us, values = at_us[kept], values[kept]
    made.heard("a", "power", at_us, values)
    if summarised:
        made.summarised()
    found = entry(evaluate(connection, "hall", month="2025-03"), "energy")
    start, end = micros(midnight(date(2025, 3, 1), SEOUL)), micros(midnight(date(2025, 4, 1), SEOUL))
    seconds, covered = 0.0, 0.0
    for t0, t1, v0, v1 in zip(at_us[:-1], at_us[1:], values[:-1], values[1:], strict=True):
        if t1 - t0 <= 35 * 60_000_000:
            a, b = max(t0, start), min(t1, end)
            if a < b:
                at_a, at_b = np.interp([a, b], [t0, t1], [v0, v1])
                seconds += (at_a + at_b) / 2 * (b - a) / 1e6
                covered += (b - a) / 1e6
    lead = (at_us[0] - start) / 1e6  # nothing before the first reading: it stands back to the edge
    seconds, covered = seconds + values[0] * lead, covered + lead
    assert found["value"] == pytest.approx(seconds / 3600, rel=1e-9)
    assert found["facts"]["covered_s"] == pytest.approx(covered, rel=1e-9)
    assert found["facts"]["company_s"] > 32 * 3600
    assert found["completeness"] < 0.96


def test_an_integral_that_nobody_knows_lies_between_what_is_physically_possible(
    site: Make, connection: Connection
) -> None:
    made = site(ENERGY, start="2025-03-01", until="2025-03-02", interim="", end="2025-03-03")
    at_us = hours(date(2025, 3, 1), date(2025, 3, 2), step_h=1 / 6)
    made.heard("a", "power", at_us[:120], np.ones(120))  # up to 19:50, and no record of the platform
    found = entry(evaluate(connection, "hall", final=True), "energy")
    covered_h = 119 / 6
    silent_h = 24 - covered_h - 35 / 60
    assert found["value"] == pytest.approx(covered_h)
    assert found["interval"]["method"] == "gaps"
    assert found["interval"]["low"] == pytest.approx(covered_h)
    assert found["interval"]["high"] == pytest.approx(covered_h + 2 * silent_h)


def test_a_channel_that_reports_on_change_adds_up_in_steps(site: Make, connection: Connection) -> None:
    made = site(ENERGY, start="2025-03-01", until="2025-03-02", interim="", end="2025-03-03")
    made.alive(*ALL_UP)
    made.linked("a", [(at("2025-02-28", "20:00"), "online"), (at("2025-03-01", "18:00"), "offline")])
    told = [at("2025-02-28", "20:00"), at("2025-03-01", "06:00"), at("2025-03-01", "12:00")]
    made.heard("a", "valve", [micros(one) for one in told], [2.0, 0.5, 1.0])
    found = entry(evaluate(connection, "hall", final=True), "steps")
    assert found["value"] == pytest.approx(6 * 2 + 6 * 0.5 + 6 * 1.0)
    assert found["facts"]["company_s"] == 6 * 3600  # since the link was lost


# --- Increase

DISTANCE = """
distance: {name: 주행거리, measure: {increase: odometer}, target: ">= 100 km"}
wrapped: {name: 순환, measure: {increase: {channel: pulses, wrap: 1000}}, target: ">= 100"}
day: {name: 주간, measure: {increase: {channel: odometer, hours: "06:00-18:00"}}, target: ">= 50 km"}
"""


@pytest.mark.parametrize("summarised", [False, True])
def test_an_increase_goes_on_over_gaps_resets_and_wraps(site: Make, connection: Connection, summarised: bool) -> None:
    made = site(DISTANCE)
    made.alive(*ALL_UP)
    at_us = hours(date(2025, 3, 1), date(2025, 4, 1), step_h=1 / 6)
    steps = np.random.default_rng(4).integers(0, 5, len(at_us)).astype(float)
    steps[0] = 0
    counter = 500 + steps.cumsum()
    counter[2000:] -= counter[2000] - 3  # begins again, and is heard at 3
    # Hidden from the hour's summary: it falls inside an hour that ends higher than it began.
    counter[3001:] -= counter[3000] - counter[2999] + 1.0
    made.heard("a", "odometer", at_us, counter)
    wrapping = (990 + steps.cumsum()) % 1000
    kept = np.ones(len(at_us), dtype=bool)
    kept[700:720] = False  # four hours of silence, over which the counter counts on
    made.heard("a", "pulses", at_us[kept], wrapping[kept])
    if summarised:
        made.summarised()
    result = evaluate(connection, "hall", month="2025-03")
    found = entry(result, "distance")
    rises = np.diff(counter)
    expected = rises[rises > 0].sum()
    assert found["value"] == pytest.approx(expected, rel=1e-12)
    assert found["facts"]["restarts"] == (rises < 0).sum()
    assert found["interval"]["high"] == pytest.approx(expected + 3)
    assert found["interval"]["method"] == "unclear"
    wrapped = entry(result, "wrapped")
    assert wrapped["value"] == pytest.approx(steps.sum(), rel=1e-12)
    assert wrapped["facts"]["wraps"] == (np.diff(wrapping[kept]) < 0).sum() > 5
    local = (at_us // 60_000_000 + 9 * 60) % 1440
    inside = (local[:-1] >= 360) & (local[:-1] < 1080)
    assert entry(result, "day")["value"] == pytest.approx(rises[inside & (rises > 0)].sum(), rel=1e-12)


def test_only_the_hours_in_which_a_counter_fell_are_read_raw(
    site: Make, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = site(DISTANCE, start="2025-03-01", until="2025-03-11", interim="", end="2025-03-12")
    made.alive(*ALL_UP)
    at_us = hours(date(2025, 3, 1), date(2025, 3, 11), step_h=1 / 6)
    counter = np.arange(len(at_us), dtype=float)
    counter[602:] -= 601  # inside an hour
    counter[900:] -= 298  # between two hours
    made.heard("a", "odometer", at_us, counter)
    made.summarised()
    read: list[int] = []
    genuine = raw.readings_of_hours

    def spied(connection: Connection, channel: Any, hours_us: Any, as_of: Any) -> Any:
        read.extend(hours_us.tolist() if channel.name == "odometer" else [])
        return genuine(connection, channel, hours_us, as_of)

    monkeypatch.setattr(raw, "readings_of_hours", spied)
    found = entry(evaluate(connection, "hall", final=True), "distance")
    assert found["value"] == 1439 - 2
    assert found["facts"]["restarts"] == 2
    fell = int(at_us[602]) // 3_600_000_000 * 3_600_000_000
    assert set(read) == {fell}


def test_a_counter_does_not_go_on_in_another_device(site: Make, connection: Connection) -> None:
    made = site(DISTANCE, start="2025-03-01", until="2025-03-03", interim="", end="2025-03-04")
    made.alive(*ALL_UP)
    at_us = hours(date(2025, 3, 1), date(2025, 3, 3), step_h=1 / 6)
    counter = np.arange(len(at_us), dtype=float)
    counter[144:] += 70_000  # the other device came with this on its odometer
    swapped = at("2025-03-02")
    replace_device(connection, "hall", "a", serial="a-2", at=swapped, who="cli:test")
    made.heard("a", "odometer", at_us, counter)
    found = entry(evaluate(connection, "hall", final=True), "distance")
    assert found["value"] == pytest.approx(143 + 143)

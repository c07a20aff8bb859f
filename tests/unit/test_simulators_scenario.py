"""Scenarios: the same instant gives the same value, wherever one starts; the knobs hold; the values are possible."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import PermanentError
from devices.plan.model import Plan
from devices.plan.reader import read_plan
from simulators.demo import DEMO_SCENARIOS, demo_plans, plan_text
from simulators.scenario import AirQuality, DeliveryRobot, Event, PatrolDrone, Readings, Scenario, SolarBench
from simulators.scenario.local_time import local_time
from simulators.scenario.noise import draws, red_noise
from tests.native import native_plan

TODAY = date(2026, 7, 31)
PLANS = {name: read_plan(text.encode(), name=name).plan for name, text in demo_plans(TODAY).items()}
CASES = [(pilot, slot) for pilot, plan in PLANS.items() for slot in plan.slots]


def behind(plan: Plan) -> tuple[datetime, datetime]:
    """The ninety days before the demo's today."""
    return plan.window.start, plan.window.start + timedelta(days=90)


def as_bytes(readings: Readings) -> bytes:
    """The readings by channel and time, whatever the order of the pieces they came in."""
    order = np.lexsort((readings.observed_us, readings.channel))
    return b"".join(
        column[order].tobytes() for column in (readings.channel, readings.observed_us, readings.value, readings.sent)
    )


def together(pieces: list[Readings]) -> Readings:
    return Readings(
        channels=pieces[0].channels,
        channel=np.concatenate([piece.channel for piece in pieces]),
        observed_us=np.concatenate([piece.observed_us for piece in pieces]),
        value=np.concatenate([piece.value for piece in pieces]),
        sent=np.concatenate([piece.sent for piece in pieces]),
    )


def channel(readings: Readings, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    values: np.ndarray[tuple[int], np.dtype[np.float64]] = readings.value[
        readings.channel == readings.channels.index(name)
    ]
    return values


@given(
    case=st.sampled_from(CASES),
    start_s=st.integers(min_value=-86_400, max_value=20 * 86_400),
    lengths_s=st.lists(st.integers(min_value=0, max_value=30 * 3600), min_size=1, max_size=5),
)
@settings(max_examples=40, deadline=None)
def test_any_split_of_a_window_gives_the_same_readings_and_events(
    case: tuple[str, str], start_s: int, lengths_s: list[int]
) -> None:
    pilot, slot = case
    plan, scenario = PLANS[pilot], DEMO_SCENARIOS[pilot]
    edges = [plan.window.start + timedelta(seconds=start_s)]
    for length_s in lengths_s:
        edges.append(edges[-1] + timedelta(seconds=length_s))
    pairs = list(itertools.pairwise(edges))
    whole = scenario.readings(plan, slot, edges[0], edges[-1])
    assert as_bytes(whole) == as_bytes(together([scenario.readings(plan, slot, a, b) for a, b in pairs]))
    events = [event for a, b in pairs for event in scenario.events(plan, slot, a, b)]
    assert scenario.events(plan, slot, edges[0], edges[-1]) == events
    links = [link for a, b in pairs for link in scenario.links(plan, slot, a, b)]
    assert scenario.links(plan, slot, edges[0], edges[-1]) == links


@pytest.mark.parametrize(("pilot", "slot"), CASES)
def test_seed_and_slot_decide(pilot: str, slot: str) -> None:
    plan, kind = PLANS[pilot], type(DEMO_SCENARIOS[pilot])
    start, end = plan.window.start, plan.window.start + timedelta(days=3)
    one, again, other = (kind(seed=seed).readings(plan, slot, start, end) for seed in (7, 7, 8))
    assert as_bytes(one) == as_bytes(again)
    assert as_bytes(one) != as_bytes(other)
    for sibling in set(plan.slots) - {slot}:
        assert as_bytes(one) != as_bytes(kind(seed=7).readings(plan, sibling, start, end))


@pytest.mark.parametrize(("pilot", "slot"), CASES)
def test_nothing_outside_the_window_or_the_period(pilot: str, slot: str) -> None:
    plan, scenario = PLANS[pilot], DEMO_SCENARIOS[pilot]
    start = plan.window.start - timedelta(days=2)
    readings = scenario.readings(plan, slot, start, start + timedelta(days=4))
    assert readings.observed_us.min() >= plan.window.start_us
    end = plan.window.end
    late = scenario.readings(plan, slot, end - timedelta(hours=80), end + timedelta(days=1))
    assert len(late) > 0
    assert late.observed_us.max() < plan.window.end_us
    assert len(scenario.readings(plan, slot, end, end + timedelta(days=1))) == 0
    assert scenario.events(plan, slot, end, end + timedelta(days=1)) == []


@pytest.mark.parametrize(("pilot", "slot"), CASES)
def test_times_are_increasing_and_never_twice(pilot: str, slot: str) -> None:
    plan = PLANS[pilot]
    readings = DEMO_SCENARIOS[pilot].readings(plan, slot, *behind(plan))
    for index in range(len(readings.channels)):
        at_us = readings.observed_us[readings.channel == index]
        gaps = np.diff(at_us)
        assert gaps.min() > 59_000_000
        # Jitter does not make a device late: what is there lies a whole number of periods apart.
        assert np.abs(gaps / 60e6 - np.round(gaps / 60e6)).max() < 0.01


@pytest.mark.parametrize(("pilot", "slot"), CASES)
def test_values_lie_in_the_ranges_of_the_plan(pilot: str, slot: str) -> None:
    plan = PLANS[pilot]
    readings = DEMO_SCENARIOS[pilot].readings(plan, slot, *behind(plan))
    for name in readings.channels:
        values, definition = channel(readings, name), plan.slots[slot].channels[name]
        assert np.isfinite(values).all()
        if definition.range is not None:
            assert definition.range[0] <= values.min() <= values.max() <= definition.range[1]
        if definition.states is not None:
            assert set(values.tolist()) <= set(range(len(definition.states)))


def test_canonical_values_are_what_the_intake_makes_of_the_sent_ones() -> None:
    plan = PLANS["demo-air"]
    readings = AirQuality().readings(plan, "platform-1", plan.window.start, plan.window.start + timedelta(days=2))
    index = readings.channels.index("pm25")
    sent, value = (column[readings.channel == index] for column in (readings.sent, readings.value))
    assert value.tolist() == [milligrams * 1000.0 + 0.0 for milligrams in sent.tolist()]
    assert max(len(repr(milligrams)) for milligrams in sent.tolist()) <= len("0.0123")
    assert sent.max() < 1.0 < value.min()


def test_air_has_its_share_above_the_limit_its_loss_and_its_rhythm() -> None:
    plan = PLANS["demo-air"]
    for above in (0.02, 0.2):
        readings = AirQuality(above=above).readings(plan, "platform-2", *behind(plan))
        assert (channel(readings, "pm25") > 35.0).mean() == pytest.approx(above, rel=0.1)
    asked = 90 * 1440 * 5
    assert 1 - len(readings) / asked == pytest.approx(0.005, abs=0.008)
    assert 1 - len(AirQuality(loss=0.3).readings(plan, "platform-2", *behind(plan))) / asked == pytest.approx(
        0.3, abs=0.01
    )
    pm25, pm10 = channel(readings, "pm25"), channel(readings, "pm10")
    assert (pm10 > pm25).all()
    time_of = local_time(readings.observed_us[readings.channel == readings.channels.index("co2")], plan.zone)
    co2 = channel(readings, "co2")
    workday, rush, night = time_of.weekend == 0, abs(time_of.hour - 8.3) < 0.5, abs(time_of.hour - 3) < 0.5
    assert co2[workday & rush].mean() > 1.3 * co2[~workday & rush].mean()
    assert co2[workday & rush].mean() > 1.5 * co2[night].mean()
    # Autocorrelated: a minute is like the minute before, not like one an hour earlier.
    steps = np.diff(pm25)
    assert steps.std() < 0.3 * pm25.std()


def test_air_has_seasons() -> None:
    plan = read_plan(plan_text("demo-air").encode(), name="demo-air").plan

    def mean(month: int, name: str) -> float:
        start = datetime(2026, month, 3, tzinfo=UTC)
        return float(channel(AirQuality().readings(plan, "platform-1", start, start + timedelta(days=20)), name).mean())

    assert mean(7, "temperature") > mean(1, "temperature") + 6
    assert mean(7, "humidity") > mean(1, "humidity") + 10


def test_missions_are_numbered_without_holes_but_for_the_lost() -> None:
    plan = PLANS["demo-robot"]
    start, end = behind(plan)
    whole = DeliveryRobot(event_loss=0.0).events(plan, "robot-1", start, end)
    for phase in ("start", "end"):
        numbers = [event.number for event in whole if event.kind == "mission" and event.phase == phase]
        assert numbers == list(range(1, len(numbers) + 1))
    assert 1500 < len([event for event in whole if event.kind == "mission" and event.phase == "end"]) < 2500
    keys = Counter((event.kind, event.id, event.phase) for event in whole)
    assert max(keys.values()) == 1
    lossy = DeliveryRobot(event_loss=0.02).events(plan, "robot-1", start, end)
    assert {event.id for event in lossy} < {event.id for event in whole}
    assert 1 - len(lossy) / len(whole) == pytest.approx(0.02, abs=0.008)
    assert [event for event in whole if event in lossy] == lossy


def test_missions_fail_and_are_helped_as_often_as_asked() -> None:
    plan = PLANS["demo-robot"]

    def outcomes(scenario: DeliveryRobot) -> list[float]:
        ends: list[Event] = [
            event
            for slot in plan.slots
            for event in scenario.events(plan, slot, *behind(plan))
            if event.kind == "mission" and event.phase == "end"
        ]
        failed = [event.attributes["outcome"] == "failed" for event in ends]
        helped = [event.attributes["intervention"] and event.attributes["outcome"] == "delivered" for event in ends]
        return [sum(failed) / len(ends), sum(map(bool, helped)) / len(ends)]

    assert outcomes(DeliveryRobot()) == pytest.approx([0.05, 0.07], abs=0.015)
    assert outcomes(DeliveryRobot(failure=0.0, intervention=0.0)) == [0.0, 0.0]


def test_a_robot_is_where_its_missions_say() -> None:
    plan = read_plan(native_plan("robot", TODAY).encode(), name="native-robot").plan
    robot = DeliveryRobot(loss=0.0)
    start, end = plan.window.start, plan.window.start + timedelta(days=30)
    readings = robot.readings(plan, "robot-1", start, end)
    at_us = readings.observed_us[readings.channel == 0]
    mode, battery = channel(readings, "mode"), channel(readings, "battery")
    away = np.hypot(channel(readings, "x"), channel(readings, "y")) > 5
    busy = np.zeros(at_us.shape, dtype=bool)
    open_since: dict[str, int] = {}
    for event in DeliveryRobot(event_loss=0.0).events(plan, "robot-1", start, end):
        if event.kind == "mission" and event.phase == "start":
            open_since[event.id] = event.at_us
        elif event.kind == "mission":
            busy |= (open_since[event.id] <= at_us) & (at_us < event.at_us)
    idle, automatic, manual, charging, fault = range(5)
    assert not away[~busy].any()
    assert away[busy].mean() > 0.9
    assert np.isin(mode[busy], (automatic, manual, fault)).all()
    assert np.isin(mode[~busy], (idle, charging)).all()
    hour = local_time(at_us, plan.zone).hour
    assert (hour[mode == charging] >= 21).all()
    assert (battery[hour < 9] == 100.0).all()
    assert battery[(hour > 20) & (hour < 21)].mean() < 70


def test_a_drone_is_in_the_air_while_it_flies_and_charged_in_between() -> None:
    plan, drone = PLANS["demo-drone"], PatrolDrone(loss=0.0)
    start, end = plan.window.start, plan.window.start + timedelta(days=50)
    readings = drone.readings(plan, "drone-1", start, end)
    at_us = readings.observed_us[readings.channel == 0]
    height, mode, battery = (channel(readings, name) for name in ("height", "flight_mode", "battery"))
    far_deg = np.hypot(channel(readings, "latitude") - 37.5287, channel(readings, "longitude") - 127.0665)
    flights = drone.events(plan, "drone-1", start, end)
    starts, ends = ([event for event in flights if event.phase == phase] for phase in ("start", "end"))
    assert [event.number for event in starts] == [event.number for event in ends] == list(range(1, 201))
    flying = np.zeros(at_us.shape, dtype=bool)
    for one, other in zip(starts, ends, strict=True):
        assert other.attributes["duration_s"] == pytest.approx((other.at_us - one.at_us) / 1e6)
        assert 200e6 < other.at_us - one.at_us < 1_200e6
        flying |= (one.at_us <= at_us) & (at_us < other.at_us)
    assert (height[~flying] == 0.0).all()
    assert height.max() == 60.0
    assert (far_deg[~flying] < 1e-6).all()
    assert 0.008 < far_deg.max() < 0.02
    guided = list(plan.slots["drone-1"].channels["flight_mode"].states or ()).index("GUIDED")
    assert (mode[~flying] == guided).all()
    assert not (mode[flying] == guided).any()
    assert 30 < battery.min() < 70
    hour = local_time(at_us, plan.zone).hour
    assert (battery[hour < 9] == 100.0).all()
    failed = [event.number for event in ends if event.attributes["result"] == "failed"]
    assert [(number - 1) // 25 for number in failed if number is not None] == list(range(8))  # one of each 25


@pytest.mark.parametrize("pilot", ["demo-robot", "demo-drone"])
def test_a_link_breaks_down_at_the_dock_only(pilot: str) -> None:
    plan, scenario = PLANS[pilot], DEMO_SCENARIOS[pilot]
    for slot in plan.slots:
        links = [link.at_us for link in scenario.links(plan, slot, *behind(plan))]
        assert len(links) > 10
        events = scenario.events_of(plan, slot, *behind(plan))
        starts = sorted(
            event.at_us for event in events if event.kind in ("mission", "flight") and event.phase == "start"
        )
        ends = sorted(event.at_us for event in events if event.kind in ("mission", "flight") and event.phase == "end")
        for at_us in links:
            assert np.searchsorted(starts, at_us) == np.searchsorted(ends, at_us)


def test_the_park_has_too_little_data_in_every_month() -> None:
    plan = PLANS["demo-park"]
    for slot in plan.slots:
        at_us = SolarBench().readings(plan, slot, *behind(plan)).observed_us
        for month in range(3):
            start_us = plan.window.start_us + month * 30 * 86_400_000_000
            inside = ((start_us <= at_us) & (at_us < start_us + 30 * 86_400_000_000)).sum()
            assert 0.2 < inside / (3 * 30 * 1440) < 0.6


@pytest.mark.parametrize("pilot", PLANS)
def test_links_tell_the_outages(pilot: str) -> None:
    plan, scenario = PLANS[pilot], DEMO_SCENARIOS[pilot]
    slot = next(iter(plan.slots))
    links = scenario.links(plan, slot, *behind(plan))
    assert len(links) > 10
    assert all(one.state != other.state for one, other in itertools.pairwise(links))
    at_us = scenario.readings(plan, slot, *behind(plan)).observed_us
    for down, up in itertools.pairwise(links):
        if down.state == "offline":
            assert not ((down.at_us <= at_us) & (at_us < up.at_us)).any()
            middle = datetime.fromtimestamp((down.at_us + up.at_us) / 2e6, UTC)
            assert not scenario.is_online(plan, slot, middle)


def test_another_period_and_a_plan_with_other_channels() -> None:
    plan = PLANS["demo-air"]
    start = plan.window.start
    fine = AirQuality(loss=0.0).readings(plan, "concourse", start, start + timedelta(minutes=10), period_s=10.0)
    assert len(fine) == 5 * 60
    assert AirQuality().check(plan) == []
    with pytest.raises(PermanentError, match="'robot' knows no channel of pilot 'demo-air'"):
        DeliveryRobot().check(plan)


def test_ninety_days_of_a_pilot_take_seconds() -> None:
    plan = PLANS["demo-air"]
    begun = time.process_time()
    count = sum(len(AirQuality(seed=99).readings(plan, slot, *behind(plan))) for slot in plan.slots)
    assert count > 1_900_000
    assert time.process_time() - begun < 3.0


def test_red_noise_has_unit_variance_its_memory_and_no_seam() -> None:
    at_us = np.arange(0, 400 * 1440, dtype=np.int64) * 60_000_000
    noise = red_noise(("seed", 1), at_us, memory_s=1200.0)
    assert noise.mean() == pytest.approx(0.0, abs=0.03)
    assert noise.std() == pytest.approx(1.0, abs=0.03)
    assert np.corrcoef(noise[:-20], noise[20:])[0, 1] == pytest.approx(np.exp(-1), abs=0.03)
    steps = np.abs(np.diff(noise))
    seams = steps[1439::1440]  # from the last minute of a block to the first of the next
    assert seams.mean() == pytest.approx(steps.mean(), rel=0.15)


def test_draws_do_not_depend_on_the_range_asked_for() -> None:
    whole = draws(("k",), -2000, 3000, 2)
    assert (draws(("k",), -5, 1445, 2) == whole[1995 : 1995 + 1451]).all()
    assert 0.49 < whole.mean() < 0.51


@pytest.mark.parametrize("zone", ["Asia/Seoul", "Europe/Berlin", "America/New_York"])
def test_local_time_is_the_calendar_s(zone: str) -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    instants = [start + timedelta(minutes=37 * step) for step in range(1500)]
    at_us = np.array([round(one.timestamp()) * 1_000_000 for one in instants], dtype=np.int64)
    found = local_time(at_us, ZoneInfo(zone))
    for one, hour, weekend in zip(instants, found.hour, found.weekend, strict=True):
        local = one.astimezone(ZoneInfo(zone))
        assert hour == pytest.approx(local.hour + local.minute / 60)
        assert weekend == (local.weekday() >= 5)


@pytest.mark.parametrize("today", [date(2026, 7, 31), date(2028, 2, 29), date(2027, 1, 1)])
def test_demo_plans_are_dated_for_the_day(today: date) -> None:
    for pilot, text in demo_plans(today).items():
        plan = read_plan(text.encode(), name=pilot).plan
        assert plan.pilot == pilot
        assert plan.simulated
        assert plan.period.start == today - timedelta(days=90)
        assert plan.period.end == plan.period.start + timedelta(days=365)
        assert plan.evaluation.interim == (today - timedelta(days=1),)
        assert today < plan.evaluation.data_until < plan.evaluation.meeting < plan.period.end
        assert DEMO_SCENARIOS[pilot].check(plan) == []


def test_the_demo_uses_every_kind_of_measure() -> None:
    kinds = {kpi.measure.kind for plan in PLANS.values() for kpi in plan.kpis.values()}
    assert kinds >= {"statistic", "share", "capture", "availability", "event_ratio"}


def test_scenarios_are_values() -> None:
    scenarios: list[Scenario] = [AirQuality(), DeliveryRobot(), SolarBench()]
    assert len({*scenarios, AirQuality()}) == 3

"""Time that is no time to judge by: ``where`` of a measure, and operating conditions. In a real database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from core.database import Connection
from core.window import micros
from kpi.evaluate import evaluate
from tests.evaluated import Site, hours, made_site
from tests.kinds import at, entry

SLOT = """
  {name}:
    device: {{serial: "{name}-1"}}
    channels:
      temp: {{unit: degC, period: 1 h, range: [-40, 60]}}
      ambient: {{unit: degC, period: 1 h}}
      mode: {{kind: state, states: [idle, run], reporting: on_change}}
      odometer: {{kind: counter, unit: km, period: 1 h}}
    events:
      incident: {{}}
"""
CONDITIONS = """
conditions:
  ambient: {name: 적용 온도, channel: ambient, value: "-10..50 degC"}
"""
MARCH = (date(2025, 3, 1), date(2025, 6, 1))
ALIVE = (datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))


def site_of(connection: Connection, kpis: str, *, more: str = "", slots: tuple[str, ...] = ("a",)) -> Site:
    site = made_site(connection, kpis, slots=slots, slot=SLOT, more=more)
    site.alive(*ALIVE)
    return site


def june(connection: Connection, name: str) -> dict[str, Any]:
    return entry(evaluate(connection, "hall", at=date(2025, 6, 1)), name)


def moded(site: Site, *changes: tuple[datetime, int], slot: str = "a") -> None:
    site.linked(slot, [(at("2025-03-01"), "online")])
    site.heard(slot, "mode", [micros(when) for when, _ in changes], [code for _, code in changes])


@pytest.mark.parametrize("summarised", [False, True])
def test_only_the_time_while_it_runs_is_required(connection: Connection, summarised: bool) -> None:
    """30 degrees while it runs (every day from 6 to 18 o'clock), 10 while it idles."""
    measure = "{statistic: {channel: temp, stat: mean, where: {channel: mode, in: [run]}}}"
    kpi = f'k: {{name: k, measure: {measure}, target: ">= 20 degC"}}'
    site = site_of(connection, kpi)
    us = hours(*MARCH)
    clock = (us // 3_600_000_000 + 9) % 24
    running = (clock >= 6) & (clock < 18)
    site.heard("a", "temp", us, np.where(running, 30.0, 10.0))
    turns = us[(clock == 6) | (clock == 18)]
    site.linked("a", [(at("2025-03-01"), "online")])
    site.heard(
        "a",
        "mode",
        np.concatenate([us[:1], turns]),
        np.concatenate([[0.0], (clock[(clock == 6) | (clock == 18)] == 6) * 1.0]),
    )
    if summarised:
        site.summarised()
    found = june(connection, "k")
    assert (found["value"], found["n"], found["verdict"]) == (30.0, 92 * 12, "met")
    assert found["completeness"] == 1.0
    assert found["where"]["left_out_s"] == 92 * 12 * 3600
    assert found["where"]["unknown_s"] == 0


def test_all_of_several_conditions_must_hold(connection: Connection) -> None:
    where = '[{channel: mode, in: [run]}, {channel: ambient, value: ">= 0 degC"}]'
    measure = f'{{share: {{while: {{channel: temp, value: ">= 20 degC"}}, where: {where}}}}}'
    kpi = f'k: {{name: k, measure: {measure}, target: ">= 90 %"}}'
    site = site_of(connection, kpi)
    us = hours(*MARCH)
    day = (us - us[0]) // 86_400_000_000
    site.heard("a", "ambient", us, np.where(day % 2 == 0, 5.0, -5.0))
    moded(site, (at("2025-03-01"), 1), (at("2025-05-01"), 0))
    warm = (day % 2 == 0) & (us < micros(at("2025-05-01")))
    site.heard("a", "temp", us, np.where(warm, 25.0, 0.0))
    found = june(connection, "k")
    # Readings stand for an hour at the most into the next day, on which they say something else: none at all here.
    assert found["value"] == 100.0
    assert found["where"]["left_out_s"] == (92 * 24 - int(warm.sum())) * 3600


def test_whoever_silences_the_condition_gains_nothing(connection: Connection) -> None:
    """From May on the mode is not told any more: the time stays in, and with it what was cold."""
    measure = '{share: {while: {channel: temp, value: ">= 20 degC"}, where: {channel: mode, in: [run]}}}'
    kpi = f'k: {{name: k, measure: {measure}, target: ">= 90 %"}}'
    site = site_of(connection, kpi)
    us = hours(*MARCH)
    site.heard("a", "temp", us, np.where(us < micros(at("2025-05-01")), 25.0, 0.0))
    moded(site, (at("2025-03-01"), 1))
    site.linked("a", [(at("2025-05-01"), "offline")])
    found = june(connection, "k")
    assert found["value"] == pytest.approx(100 * 61 / 92)
    assert found["where"] == {"left_out_s": 0.0, "unknown_s": 31 * 86_400.0}


def test_time_outside_of_the_specification_is_left_out_and_both_numbers_are_shown(connection: Connection) -> None:
    """Ten days of 60 degrees outside, in which the product fails, and lists an incident."""
    site = site_of(
        connection,
        'share: {name: s, measure: {share: {while: {channel: temp, value: "<= 30 degC"}}}, target: ">= 99 %"}\n'
        'count: {name: c, measure: {count: {event: incident}}, target: "<= 1 건"}\n'
        'all: {name: a, conditions: [], measure: {count: {event: incident}}, target: "<= 1 건"}',
        more=CONDITIONS,
    )
    us = hours(*MARCH)
    hot = (us >= micros(at("2025-04-01"))) & (us < micros(at("2025-04-11")))
    site.heard("a", "ambient", us, np.where(hot, 60.0, 20.0))
    site.heard("a", "temp", us, np.where(hot, 45.0, 25.0))
    site.happened("a", [(1, "", at("2025-03-05"), {}), (2, "", at("2025-04-05"), {})], kind="incident")
    share, count, every = (june(connection, name) for name in ("share", "count", "all"))
    assert (share["value"], share["verdict"]) == (100.0, "met")
    assert share["without"]["conditions"]["value"] == pytest.approx(100 * 82 / 92)
    assert share["without"]["conditions"]["verdict"] == "not_met"
    assert share["conditions_s"] == 10 * 86_400.0
    [row] = share["conditions"]
    assert (row["id"], row["name"], row["left_out_s"], row["unknown_s"]) == ("ambient", "적용 온도", 864_000.0, 0.0)
    assert "적용 환경(적용 온도)을 벗어난 10일" in share["why"]["ko"]
    assert "outside of the operating conditions" in share["why"]["en"]
    assert (count["value"], every["value"]) == (1, 2)
    assert count["without"]["conditions"]["value"] == 2
    assert "conditions" not in every and "conditions" not in every["without"]


def test_a_condition_may_be_told_by_another_slots_channel(connection: Connection) -> None:
    more = 'conditions:\n  weather: {name: 외기, slot: b, channel: ambient, value: "<= 50 degC"}\n'
    kpi = 'k: {name: k, measure: {statistic: {channel: temp, stat: max, slots: [a]}}, target: "<= 30 degC"}'
    site = site_of(connection, kpi, more=more, slots=("a", "b"))
    us = hours(*MARCH)
    hot = (us >= micros(at("2025-04-01"))) & (us < micros(at("2025-04-11")))
    site.heard("b", "ambient", us, np.where(hot, 60.0, 20.0))
    site.heard("a", "temp", us, np.where(hot, 45.0, 25.0))
    found = june(connection, "k")
    assert (found["value"], found["without"]["conditions"]["value"]) == (25.0, 45.0)


def test_an_unknown_condition_keeps_the_time_in(connection: Connection) -> None:
    kpi = 'k: {name: k, measure: {statistic: {channel: temp, stat: max}}, target: "<= 30 degC"}'
    site = site_of(connection, kpi, more=CONDITIONS)
    us = hours(*MARCH)
    site.heard("a", "temp", us, np.full(len(us), 45.0))
    found = june(connection, "k")
    assert (found["value"], found["verdict"]) == (45.0, "not_met")
    assert found["conditions"][0]["unknown_s"] == 92 * 86_400.0
    assert "적용 환경을 알 수 없는 92일" in found["why"]["ko"]


def test_a_rate_by_distance_counts_both_within_the_conditions(connection: Connection) -> None:
    """1 km an hour; on ten hot days nothing counts, neither the way nor the incident."""
    kpi = (
        'k: {name: k, measure: {event_rate: {event: incident, per: {increase: odometer}}}, target: "<= 1 / (1000 km)"}'
    )
    site = site_of(connection, kpi, more=CONDITIONS)
    us = hours(*MARCH)
    hot = (us >= micros(at("2025-04-01"))) & (us < micros(at("2025-04-11")))
    site.heard("a", "ambient", us, np.where(hot, 60.0, 20.0))
    site.heard("a", "odometer", us, np.arange(len(us)))
    site.happened("a", [(1, "", at("2025-03-05"), {}), (2, "", at("2025-04-05"), {})], kind="incident")
    found = june(connection, "k")
    assert found["value"] == pytest.approx(1000 / (82 * 24 - 1), rel=1e-3)
    assert found["without"]["conditions"]["value"] == pytest.approx(2000 / (92 * 24 - 1), rel=1e-3)


def test_a_month_is_shown_with_its_conditions(connection: Connection) -> None:
    kpi = 'k: {name: k, measure: {statistic: {channel: temp, stat: max}}, target: "<= 30 degC"}'
    site = site_of(connection, kpi, more=CONDITIONS)
    us = hours(*MARCH)
    hot = (us >= micros(at("2025-04-01"))) & (us < micros(at("2025-04-11")))
    site.heard("a", "ambient", us, np.where(hot, 60.0, 20.0))
    site.heard("a", "temp", us, np.where(hot, 45.0, 25.0))
    found = entry(evaluate(connection, "hall", month="2025-04"), "k")
    assert (found["month"]["value"], found["status"]) == (25.0, "on_track")
    assert found["without"]["conditions"]["month"]["value"] == 45.0
    assert timedelta(seconds=found["conditions_s"]) == timedelta(days=10)

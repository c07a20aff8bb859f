"""How readings come and where they lead, judged in a real database: frame numbers, delays, forecasts, shares of a distance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.database import Connection
from core.window import micros
from dashboards.judged import figures
from dashboards.wording import Wording
from kpi.evaluate import evaluate
from kpi.records.outages import add_outage
from kpi.reports.gather import opinion_data
from kpi.reports.opinion import opinion_pdf
from kpi.results import newest, store
from telemetry.batch import Flag
from telemetry.load import load_readings
from telemetry.rows import Columns
from tests.evaluated import Site, hours, made_site
from tests.kinds import at, entry

SLOT = """
  {name}:
    device: {{serial: "{name}-1"}}
    channels:
      fcnt: {{kind: counter, unit: "1", period: 10 min}}
      rare: {{kind: counter, unit: "1", reporting: event}}
      battery: {{unit: "%", period: 1 h}}
      mode: {{kind: state, states: [AUTOMATIC, MANUAL], reporting: on_change}}
      odometer: {{kind: counter, unit: km, period: 1 h}}
      power: {{unit: kW, period: 1 h}}
    events:
      join: {{}}
"""
UNTIL = date(2025, 6, 1)
ALIVE = (datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
RADIO = 'k: {name: k, measure: {sequence: {channel: fcnt, wrap: 65536, reset: rejoin}}, target: ">= 95 %"}'
DELAY = 'k: {name: k, measure: {statistic: {of: delay, stat: p95, lost: infinite, channel: battery}}, target: "<= 5 s"}'
UNMANNED = (
    "k: {name: k, measure: {share: {of: {increase: odometer}, while: {channel: mode, in: [AUTOMATIC]}}},"
    ' target: ">= 98 %"}'
)
LIFE = 'k: {name: k, measure: {forecast: {channel: battery, until: 20 %}}, target: ">= 365 d"}'
Micros = NDArray[np.int64]


def site_of(connection: Connection, kpis: str, **more: Any) -> Site:
    site = made_site(connection, kpis, slot=SLOT, more="simulated: true\n", **more)
    site.alive(*ALIVE)
    return site


def june(connection: Connection, name: str = "k") -> dict[str, Any]:
    return entry(evaluate(connection, "hall", at=UNTIL), name)


def minutes(start: date, end: date) -> Micros:
    return hours(start, end, step_h=1 / 6)


def away(connection: Connection) -> None:
    """Ten days of the platform's own outage, as agreed."""
    add_outage(
        connection, "hall", start=at("2025-04-01"), end=at("2025-04-11"), cause="platform", agreed_by="S, C", note="n",
        slots=(), who="cli:test",
    )  # fmt: skip


def loaded(site: Site, channel: str, at_us: Micros, delay_us: Sequence[int] | Micros, flags: int = 0) -> None:
    """Readings with receipts of their own."""
    received = at_us + np.asarray(delay_us, dtype=np.int64)
    order = np.argsort(received, kind="stable")
    n = len(at_us)
    columns = Columns(
        channel_id=np.full(n, site.channels["a", channel], dtype=np.int32),
        observed_us=at_us[order],
        value=np.full(n, 50.0),
        flags=np.full(n, flags, dtype=np.int16),
    )
    load_readings(site.connection, "hall", columns, received[order])


# --- frame numbers


def test_a_wrap_a_rejoin_repetitions_and_late_frames_are_counted_once(connection: Connection) -> None:
    site = site_of(connection, RADIO)
    us = minutes(date(2025, 3, 1), UNTIL)
    numbers = (65_000 + np.arange(len(us))) % 65_536
    after = len(us) // 2
    numbers[after:] = np.arange(len(us) - after)  # joined again
    lost = np.zeros(len(us), dtype=bool)
    lost[100:140] = True
    at_us = us.copy()
    at_us[200], at_us[201] = us[201] + 5, us[200] + 5  # overtaken by the next
    site.heard("a", "fcnt", np.sort(at_us[~lost]), numbers[~lost][np.argsort(at_us[~lost], kind="stable")])
    again = us[300:310] + 60_000_000
    site.heard("a", "fcnt", again, numbers[300:310])
    found = june(connection)
    sent = len(us)
    assert (found["n"], found["value"]) == (sent, pytest.approx(100 * (sent - 40) / sent))
    facts = found["facts"]
    assert (facts["missing"], facts["repeated"], facts["late"], facts["rejoins"], facts["jumps"]) == (40, 10, 1, 1, 0)
    assert found["completeness"] == 1.0
    assert found["verdict"] == "met"


def test_a_device_that_falls_silent_for_good_has_lost_what_was_due(connection: Connection) -> None:
    site = site_of(connection, RADIO)
    us = minutes(date(2025, 3, 1), date(2025, 5, 1))
    site.heard("a", "fcnt", us, np.arange(len(us)))
    found = june(connection)
    assert (found["n"], found["facts"]["missing"]) == (92 * 144, 31 * 144)
    assert (round(found["value"], 6), found["verdict"]) == (round(100 * 61 / 92, 6), "not_met")


def test_a_counter_that_hangs_is_no_perfect_delivery(connection: Connection) -> None:
    site = site_of(connection, RADIO)
    us = minutes(date(2025, 3, 1), UNTIL)
    site.heard("a", "fcnt", us, np.full(len(us), 7.0))
    found = june(connection)
    assert found["value"] < 1 and found["verdict"] == "not_met"


def test_numbers_that_are_none_are_left_aside_and_told(connection: Connection) -> None:
    site = site_of(connection, RADIO)
    us = minutes(date(2025, 3, 1), UNTIL)
    numbers = np.arange(len(us), dtype=np.float64)
    numbers[10], numbers[20], numbers[30] = -1, 0.5, 70_000
    numbers[40] = 60_000  # far above, once
    site.heard("a", "fcnt", us, numbers)
    found = june(connection)
    assert found["facts"]["no_number"] == 3
    assert found["facts"]["jumps"] + found["facts"]["rejoins"] == 2
    assert found["value"] > 99
    assert "프레임 번호가 아닌 값 3개" in found["why"]["ko"]


def test_frames_lost_in_an_outage_of_ours_are_left_out(connection: Connection) -> None:
    site = site_of(connection, RADIO)
    us = minutes(date(2025, 3, 1), UNTIL)
    gone = (us >= micros(at("2025-04-01"))) & (us < micros(at("2025-04-11")))
    site.heard("a", "fcnt", us[~gone], np.arange(len(us))[~gone])
    away(connection)
    found = june(connection)
    assert found["value"] == 100.0
    assert found["facts"]["left_out_frames"] == 1440
    assert found["without"]["outages"]["value"] == pytest.approx(100 * 82 / 92)


def test_without_a_period_what_no_number_tells_is_incomplete(connection: Connection) -> None:
    kpi = RADIO.replace("fcnt", "rare")
    site = site_of(connection, kpi)
    us = minutes(date(2025, 3, 1), date(2025, 4, 1))
    site.linked("a", [(at("2025-03-01"), "online"), (at("2025-04-01"), "offline")])
    site.heard("a", "rare", us, np.arange(len(us)))
    found = june(connection)
    assert (found["value"], found["verdict"]) == (100.0, "insufficient")


def test_an_event_may_tell_of_a_new_numbering(connection: Connection) -> None:
    site = site_of(connection, RADIO.replace("reset: rejoin", "reset: join"))
    us = minutes(date(2025, 3, 1), UNTIL)
    numbers = np.concatenate([np.arange(5), np.arange(len(us) - 5)])
    site.heard("a", "fcnt", us, numbers)
    site.happened("a", [(1, "", at("2025-03-01", "00:45"), {})], kind="join")
    found = june(connection)
    assert (found["value"], found["n"], found["facts"]["repeated"], found["facts"]["rejoins"]) == (100.0, len(us), 0, 1)


@pytest.mark.parametrize("numbers", [[], [3.0], [0.0, -5.0], [1e300, 1e-300], [float(2**53), 1.0]])
def test_whatever_comes_there_is_a_result(connection: Connection, numbers: list[float]) -> None:
    site = site_of(connection, RADIO)
    us = minutes(date(2025, 3, 1), UNTIL)[: len(numbers)]
    site.heard("a", "fcnt", us, numbers)
    assert june(connection)["verdict"] == "not_met"


# --- delays


def test_a_lost_message_is_infinitely_late(connection: Connection) -> None:
    site = site_of(connection, DELAY)
    us = hours(date(2025, 3, 1), UNTIL)
    kept = np.arange(len(us)) % 10 != 0
    loaded(site, "battery", us[kept], np.full(int(kept.sum()), 800_500))
    found = june(connection)
    assert (found["value"], found["no_value"], found["verdict"]) == (None, "infinite", "not_met")
    assert found["facts"]["lost"] == found["n"] - int(kept.sum()) > 200
    assert found["as_share"]["share"] == pytest.approx(0.9, abs=1e-3)


def test_delays_are_counted_by_the_millisecond(connection: Connection) -> None:
    site = site_of(connection, DELAY)
    us = hours(date(2025, 3, 1), UNTIL)
    delay = np.where(np.arange(len(us)) % 25 == 0, 60_000_000, 1_200_500)
    loaded(site, "battery", us, delay)
    found = june(connection)
    assert (found["value"], found["unit"], found["verdict"], found["n"]) == (1.201, "s", "met", len(us))
    assert found["facts"]["least_s"] == 1.201


def test_what_came_over_an_outage_of_ours_is_left_out_and_counted(connection: Connection) -> None:
    site = site_of(connection, DELAY)
    us = hours(date(2025, 3, 1), UNTIL)
    since, until = micros(at("2025-04-01")), micros(at("2025-04-11"))
    late = (us >= since) & (us < until)
    loaded(site, "battery", us, np.where(late, until - us + 60_000_000, 900_000))
    assert june(connection)["verdict"] == "not_met"
    away(connection)
    found = june(connection)
    assert (found["value"], found["verdict"], found["facts"]["ours"]) == (0.9, "met", 240)
    assert "장애 중 수신되어 뺀 측정값 240건" in found["why"]["ko"]
    assert found["without"]["outages"]["verdict"] == "not_met"


def test_what_tells_nothing_of_its_delay_is_left_out_and_lowers_the_completeness(connection: Connection) -> None:
    site = site_of(connection, DELAY)
    us = hours(date(2025, 3, 1), UNTIL)
    third = len(us) // 3
    loaded(site, "battery", us[:third], np.full(third, 500_000))
    loaded(site, "battery", us[third : 2 * third], np.full(third, 500_000), int(Flag.ARRIVAL_TIME))
    loaded(site, "battery", us[2 * third :], np.full(len(us) - 2 * third, -30_000_000))
    found = june(connection)
    assert (found["value"], found["n"], found["verdict"]) == (0.5, third, "insufficient")
    assert found["facts"]["no_clock"] == third
    assert found["facts"]["clock_ahead"] == len(us) - 2 * third
    assert found["completeness"] == pytest.approx(1 / 3, abs=1e-3)


def test_a_delay_of_all_channels_counts_each_of_their_readings(connection: Connection) -> None:
    site = site_of(connection, DELAY.replace(", channel: battery", ""))
    us = hours(date(2025, 3, 1), UNTIL)
    for channel in ("battery", "odometer", "power"):
        loaded(site, channel, us, np.full(len(us), 500_000))
    ten = minutes(date(2025, 3, 1), UNTIL)
    loaded(site, "fcnt", ten, np.full(len(ten), 9_000_000))
    found = june(connection)
    assert (found["value"], found["n"]) == (9.0, len(ten) + 3 * len(us))


def test_no_reading_at_all_is_no_delay(connection: Connection) -> None:
    site_of(connection, DELAY)
    found = june(connection)
    assert (found["no_value"], found["verdict"]) == ("infinite", "not_met")


# --- shares of a distance


def test_the_distance_in_a_mode_out_of_all(connection: Connection) -> None:
    """2 km an hour in AUTOMATIC, 1 km an hour by hand, on one day of ten."""
    site = site_of(connection, UNMANNED)
    us = hours(date(2025, 3, 1), date(2025, 6, 1))
    by_hand = (us - us[0]) // 86_400_000_000 % 10 == 9
    way = np.concatenate([[0.0], np.cumsum(np.where(by_hand, 1.0, 2.0))[:-1]])
    site.heard("a", "odometer", us, way)
    turns = np.flatnonzero(np.diff(by_hand.astype(int), prepend=-1))
    site.linked("a", [(at("2025-03-01"), "online")])
    site.heard("a", "mode", us[turns], by_hand[turns] * 1.0)
    found = june(connection)
    total, hand = float(way[-1]), float(by_hand.sum())
    assert found["value"] == pytest.approx(100 * (total - hand) / total)
    assert found["facts"]["exposure"] == pytest.approx(total)
    assert found["verdict"] == "not_met"


def test_a_way_gone_while_the_mode_is_silent_is_not_fulfilled(connection: Connection) -> None:
    site = site_of(connection, UNMANNED)
    us = hours(date(2025, 3, 1), UNTIL)
    site.heard("a", "odometer", us, np.arange(len(us)) * 2.0)
    site.linked("a", [(at("2025-03-01"), "online"), (at("2025-05-23"), "offline")])
    site.heard("a", "mode", us[:1], [0.0])
    found = june(connection)
    assert found["value"] == pytest.approx(100 * 83 * 24 / (92 * 24 - 1))
    assert found["facts"]["exposure_company"] == pytest.approx(2 * (9 * 24 - 1))


def test_an_energy_in_a_mode_out_of_all(connection: Connection) -> None:
    kpi = UNMANNED.replace("{increase: odometer}", "{integral: power}").replace("98", "40")
    site = site_of(connection, kpi)
    us = hours(date(2025, 3, 1), UNTIL)
    site.heard("a", "power", us, np.full(len(us), 3.0))
    site.linked("a", [(at("2025-03-01"), "online")])
    site.heard("a", "mode", [micros(at("2025-03-01")), micros(at("2025-04-16"))], [0.0, 1.0])
    found = june(connection)
    assert found["value"] == pytest.approx(50.0)
    assert found["verdict"] == "met"


def test_a_robot_that_never_moved_has_no_share(connection: Connection) -> None:
    site = site_of(connection, UNMANNED)
    us = hours(date(2025, 3, 1), UNTIL)
    site.heard("a", "odometer", us, np.full(len(us), 5.0))
    site.linked("a", [(at("2025-03-01"), "online")])
    site.heard("a", "mode", us[:1], [0.0])
    found = june(connection)
    assert (found["value"], found["verdict"]) == (None, "insufficient")


# --- forecasts


def test_a_forecast_is_reported_and_never_met(connection: Connection) -> None:
    site = site_of(connection, LIFE)
    us = hours(date(2025, 3, 1), UNTIL)
    site.heard("a", "battery", us, 100 - 0.1 * (us - us[0]) / 86_400_000_000)
    found = june(connection)
    assert found["value"] == pytest.approx(800 - 0.5, abs=0.1)
    assert (found["unit"], found["verdict"], found["reason"], found["if_inconclusive"]) == (
        "d",
        "inconclusive",
        "forecast",
        "committee",
    )
    assert "예측치" in found["why"]["ko"] and "a forecast is reported and never met" in found["why"]["en"]
    month = entry(evaluate(connection, "hall", month="2025-05"), "k")
    assert (month["status"], round(month["month"]["value"])) == ("on_track", 739)


def test_a_recharge_begins_a_new_discharge(connection: Connection) -> None:
    site = site_of(connection, LIFE)
    us = hours(date(2025, 3, 1), UNTIL)
    day = (us - us[0]) / 86_400_000_000
    site.heard("a", "battery", us, np.where(day < 40, 100 - day, 100 - 2 * (day - 40)))
    found = june(connection)
    assert found["value"] == pytest.approx(40 - 0.5, abs=0.1)
    assert (found["facts"]["recharges"], found["facts"]["fitted_days"]) == (1, 52)
    assert found["verdict"] == "inconclusive"


def test_what_does_not_go_down_is_never_empty(connection: Connection) -> None:
    site = site_of(connection, LIFE)
    us = hours(date(2025, 3, 1), UNTIL)
    site.heard("a", "battery", us, np.full(len(us), 80.0))
    found = june(connection)
    assert (found["value"], found["no_value"], found["verdict"], found["reason"]) == (
        None,
        "infinite",
        "inconclusive",
        "forecast",
    )


def test_a_few_days_are_no_forecast(connection: Connection) -> None:
    site = site_of(connection, LIFE)
    us = hours(date(2025, 3, 1), date(2025, 3, 5))
    site.heard("a", "battery", us, 100 - np.arange(len(us)) / 100)
    found = june(connection)
    assert (found["value"], found["verdict"]) == (None, "insufficient")
    assert "seven days" in found["why"]["en"]


def test_the_forecast_does_not_hold_the_whole_open(connection: Connection) -> None:
    kpis = f'{LIFE}\nup: {{name: u, measure: {{capture: {{channels: [battery]}}}}, target: ">= 90 %"}}'
    site = site_of(connection, kpis, interim="", until="2025-06-01")
    us = hours(date(2025, 3, 1), UNTIL)
    site.heard("a", "battery", us, 100 - 0.1 * (us - us[0]) / 86_400_000_000)
    document = evaluate(connection, "hall", final=True).document
    assert [kpi["verdict"] for kpi in document["kpis"]] == ["inconclusive", "met"]
    assert document["overall"]["verdict"] == "met"


def test_all_of_it_is_had_again_by_its_instant(connection: Connection) -> None:
    site = site_of(
        connection,
        "\n".join(line.replace("k: {", f"k{i}: {{", 1) for i, line in enumerate((RADIO, DELAY, UNMANNED, LIFE))),
    )
    us = hours(date(2025, 3, 1), UNTIL)
    for channel in ("fcnt", "battery", "odometer"):
        site.heard("a", channel, us, np.arange(len(us)))
    first = evaluate(connection, "hall", at=UNTIL)
    later = us[:500] + timedelta(minutes=20) // timedelta(microseconds=1)
    for channel in ("fcnt", "battery", "odometer"):
        site.heard("a", channel, later, np.arange(500))
    assert evaluate(connection, "hall", at=UNTIL).sha256 != first.sha256
    assert evaluate(connection, "hall", at=UNTIL, as_of=first.as_of).sha256 == first.sha256


@pytest.mark.parametrize("way", [[], [5.0], [1e150, -1e150, 1e150], [3.0, 2.0, 1.0], [-5.0, -4.0, -9.0]])
def test_whatever_an_odometer_says_there_is_a_result(connection: Connection, way: list[float]) -> None:
    site = site_of(connection, UNMANNED)
    us = hours(date(2025, 3, 1), UNTIL)
    site.heard("a", "odometer", us[: len(way)], way)
    site.heard("a", "mode", us[:1], [0.0])
    assert june(connection)["verdict"] in ("insufficient", "met", "not_met", "inconclusive")


def test_pages_and_documents_show_all_of_it(connection: Connection) -> None:
    kpis = [line.replace("k: {", f"k{i}: {{", 1) for i, line in enumerate((RADIO, DELAY, UNMANNED, LIFE))]
    site = site_of(connection, "\n".join(kpis))
    us = hours(date(2025, 3, 1), date(2025, 5, 1))
    site.heard("a", "fcnt", us, np.arange(len(us)))
    site.heard("a", "battery", us, np.full(len(us), 50.0))
    site.heard("a", "odometer", us, np.arange(len(us)))
    site.linked("a", [(at("2025-03-01"), "online")])
    site.heard("a", "mode", us[:1], [0.0])
    store(connection, evaluate(connection, "hall", month="2025-04"), who="cli:test")
    month, date_ = newest(connection, "hall", "month", "2025-04"), evaluate(connection, "hall", at=UNTIL)
    assert month is not None
    data = opinion_data(connection, month)
    for language in ("ko", "en"):
        assert opinion_pdf(data, language).startswith(b"%PDF")
    words = Wording(language="ko")
    shown = {one["id"]: figures(one, words) for one in date_.document["kpis"]}
    assert set(shown) == {"k0", "k1", "k2", "k3"}

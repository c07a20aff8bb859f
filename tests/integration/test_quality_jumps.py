"""Shifts from summaries: explained by what the registry knows of the slot, unexplained, or a place that changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from core.database import Connection
from core.window import HOUR_US, Window, instant, micros
from telemetry.findings import Finding, findings
from telemetry.quality.judge import judge_all, mark_pilot
from telemetry.summarise import summarise_all
from tests.registered import register

START = datetime(2026, 3, 2, tzinfo=UTC)
ALL = Window(start=START - timedelta(days=400), end=START + timedelta(days=400))
NOW = START + timedelta(days=60)
HOURS = 24 * 9
Floats = NDArray[np.float64]


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def store(connection: Connection, channel_id: int, level: Floats, first: int = 0) -> None:
    """Six readings an hour around each hour's level."""
    observed = micros(START) + (first * 6 + np.arange(len(level) * 6)) * (HOUR_US // 6)
    with connection.cursor().copy("COPY reading (observed_at, received_at, value, channel_id) FROM STDIN") as stream:
        for us, one in zip(observed.tolist(), np.repeat(level, 6).tolist(), strict=True):
            stream.write_row(
                (instant(us).isoformat(), instant(us).isoformat(), one + (us // 600_000_000 % 7) * 1e-6, channel_id)
            )
    connection.cursor().executemany(
        "INSERT INTO dirty_hour (channel_id, hour) VALUES (%s, %s)",
        [(channel_id, instant(us)) for us in np.unique(observed // HOUR_US * HOUR_US).tolist()],
    )
    summarise_all(connection)


def level(shift: float, at_hour: int, seed: int = 1) -> Floats:
    hours = np.arange(HOURS)
    day = 20 + 2 * np.sin(hours / 24 * 2 * np.pi) + np.random.default_rng(seed).normal(0, 0.1, HOURS)
    return day + np.where(hours >= at_hour, shift, 0.0)


def jumps(connection: Connection) -> list[Finding]:
    return findings(connection, "p1", ALL, kind="jump")


def install(
    connection: Connection, slot_id: int, serial: str, firmware: str, since: datetime, until: datetime | None
) -> None:
    connection.execute(
        "INSERT INTO installation (slot_id, serial, model, firmware, installed_at, removed_at) VALUES (%s, %s, 'M', %s, %s, %s)",
        [slot_id, serial, firmware, since, until],
    )


PERIODIC = {"period_s": 600.0, "max_hold_s": 1800.0}


def test_a_shift_that_nothing_explains_is_told_at_its_hour(connection: Connection) -> None:
    ids = register(connection, channels={"a": PERIODIC}).channel_ids
    store(connection, ids["a"], level(12.0, 100))
    judge_all(connection, now=NOW)
    [found] = jumps(connection)
    assert found.window == Window(start=at(99), end=at(101))
    assert found.value == pytest.approx(12.0, abs=0.5)
    assert (found.unit, found.flag, found.channel) == ("degC", 3, "a")
    assert found.detail["cause"] == "unexplained"
    assert found.detail["after"] - found.detail["before"] == pytest.approx(found.value)
    mark_pilot(connection, "p1")
    again = judge_all(connection, now=NOW)
    assert (again.new, again.superseded) == (0, 0)


def test_a_shift_at_a_swap_names_both_devices(connection: Connection) -> None:
    registered = register(connection, channels={"a": PERIODIC})
    install(connection, registered.slot_id, "CA-1", "1.0", at(-10), at(99.4))
    install(connection, registered.slot_id, "CA-2", "1.0", at(100.2), None)
    store(connection, registered.channel_ids["a"], level(11.0, 100))
    judge_all(connection, now=NOW)
    [found] = jumps(connection)
    assert found.window == Window(start=at(99), end=at(101))
    assert found.detail["cause"] == "device"
    assert (found.detail["from"]["serial"], found.detail["to"]["serial"]) == ("CA-1", "CA-2")
    assert found.detail["at"] == at(100.2).isoformat()


def test_a_change_of_firmware_without_a_shift_is_no_finding(connection: Connection) -> None:
    registered = register(connection, channels={"a": PERIODIC})
    install(connection, registered.slot_id, "CA-1", "1.0", at(-10), at(100))
    install(connection, registered.slot_id, "CA-1", "1.1", at(100), None)
    store(connection, registered.channel_ids["a"], level(0.5, 100))
    judge_all(connection, now=NOW)
    assert jumps(connection) == []


def test_a_slow_rise_is_no_shift(connection: Connection) -> None:
    ids = register(connection, channels={"a": PERIODIC}).channel_ids
    store(connection, ids["a"], level(0.0, 0) + np.linspace(0, 30, HOURS))
    judge_all(connection, now=NOW)
    assert jumps(connection) == []


@pytest.mark.parametrize("size", [1, 5, 31])
def test_shifts_do_not_depend_on_which_hours_are_judged_together(connection: Connection, size: int) -> None:
    ids = register(connection, channels={"a": PERIODIC, "b": PERIODIC}).channel_ids
    series = level(12.0, 60, seed=9) - np.where(np.arange(HOURS) >= 130, 15.0, 0.0)
    series[25:28] = np.nan
    known = np.flatnonzero(~np.isnan(series))
    for part in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1):
        store(connection, ids["b"], series[part], int(part[0]))
    judge_all(connection, now=NOW, most=10_000)
    whole = [(one.window, one.value, dict(one.detail)) for one in jumps(connection)]
    assert len(whole) == 2
    for low in range(0, HOURS, size):
        part = known[(known >= low) & (known < low + size)]
        for piece in np.split(part, np.flatnonzero(np.diff(part) > 1) + 1):
            if len(piece):
                store(connection, ids["a"], series[piece], int(piece[0]))
        judge_all(connection, now=NOW)
    assert [(one.window, one.value, dict(one.detail)) for one in jumps(connection) if one.channel == "a"] == whole


def test_a_device_that_was_moved_is_a_finding_of_its_slot(connection: Connection) -> None:
    position = {**PERIODIC, "kind": "gauge"}
    ids = register(
        connection, channels={"lat": {**position, "unit": "lat"}, "lon": {**position, "unit": "lon"}}
    ).channel_ids
    store(connection, ids["lat"], np.where(np.arange(HOURS) >= 120, 37.51, 37.50))
    store(connection, ids["lon"], np.full(HOURS, 127.0))
    judge_all(connection, now=NOW)
    [found] = jumps(connection)
    assert (found.channel, found.unit, found.detail["cause"]) == (None, "m", "relocation")
    assert found.value == pytest.approx(1112, abs=5)
    assert found.window == Window(start=at(119), end=at(121))

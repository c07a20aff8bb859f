"""Degrees on the pages, as finely as they came; and where a time is from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from core.database import Connection
from core.window import micros
from telemetry.batch import Batch, Flag, Readings
from telemetry.channels import channel
from telemetry.commit import Committer
from tests.web import Web, apply, people, plan_text, web

CHANNELS = """\
      latitude: {name: 위도, unit: degree, period: 60 s}
      longitude: {name: 경도, unit: deg, period: 60 s}
      heading: {name: 방위각, unit: deg, period: 60 s}
      mode: {"""
VALUES = {"latitude": 37.5663512, "longitude": 127.0, "heading": 90.1, "pm25": 12.3456}


def fed(connection: Connection, flags: int, back_s: int = 0) -> None:
    at_us = micros(datetime.now(UTC)) - back_s * 1_000_000
    infos = [channel(connection, "air", "platform-1", name) for name in VALUES]
    readings = Readings(
        channel_id=[info.channel_ids[-1] for info in infos], observed_us=[at_us] * len(infos),
        value=list(VALUES.values()), flags=[flags] * len(infos),
    )  # fmt: skip
    Committer().commit(connection, Batch(readings=readings))


@pytest.fixture
def site(database_url: str, connection: Connection) -> Iterator[Web]:
    apply(connection, plan_text("air").replace("      mode: {", CHANNELS, 1))
    people(connection)
    with web(database_url) as running:
        yield running


@pytest.fixture
def officer(site: Web) -> Iterator[httpx.Client]:
    with site.logged_in("officer") as browser:
        yield browser


def latest(officer: httpx.Client, language: str = "ko") -> str:
    return officer.get(f"/pilots/air?lang={language}").text.split('aria-labelledby="latest"', 1)[1]


def test_degrees_stand_with_their_sign_and_up_to_five_decimals(officer: httpx.Client, connection: Connection) -> None:
    fed(connection, 0)
    table = latest(officer)
    for shown in ("37.56635°", "127°", "90.1°"):
        assert f"<b>{shown}</b></td>" in table
    assert '<b>12.3</b><span class="unit">µg/m³</span>' in table and "degree" not in table
    assert "위도 (°)" in officer.get("/pilots/air/charts/platform-1/latitude.json").text


def test_a_time_of_receipt_is_told_as_what_it_is(officer: httpx.Client, connection: Connection) -> None:
    fed(connection, int(Flag.ARRIVAL_TIME), back_s=60)
    assert "수신 시각으로 기록" in latest(officer) and "장비 시계 없음" not in latest(officer)
    assert "recorded by time of receipt" in latest(officer, "en")


def test_a_device_that_has_no_clock_by_the_plan_is_told_as_one(officer: httpx.Client, connection: Connection) -> None:
    text = plan_text("air").replace("      mode: {", CHANNELS, 1)
    text = text.replace("slots:\n", "connections: {gw: {clock: false}}\nslots:\n", 1)
    apply(connection, text.replace("    place: 승강장 중앙\n", "    place: 승강장 중앙\n    connection: gw\n", 1))
    fed(connection, int(Flag.ARRIVAL_TIME))
    assert "장비 시계 없음" in latest(officer) and "수신 시각으로 기록" not in latest(officer)
    assert "no clock in the device" in latest(officer, "en")

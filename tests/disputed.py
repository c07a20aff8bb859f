"""A pilot with everything that a dispute is about: a swap, an agreed outage, exclusions, an amended target, a KPI of two
promises, open verdicts, a score, and versions of one result. For the tests of pages and documents."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
from psycopg import sql

from core.database import Connection, connected
from core.window import micros, midnight
from devices.plan.reader import read_plan
from devices.registry import apply_plan
from kpi.evaluate import evaluate
from kpi.records.exclusions import add_exclusion, withdraw_exclusion
from kpi.records.outages import add_outage, withdraw_outage
from kpi.results import store
from telemetry.channels import channels
from tests.evaluated import Site, hours

SEOUL = ZoneInfo("Asia/Seoul")
MONTH = "2026-05"
INTERIM = "2026-06-01"
PLAN = """\
pilot: air
title: 시청역 승강장 스마트 환기 실증
kind: rnd
company: {id: cleanair, name: (주)클린에어}
site: {id: cityhall, name: 서울교통공사 시청역}
period: {start: 2026-03-01, end: 2026-12-01, timezone: Asia/Seoul}
evaluation: {interim: [2026-06-01], data_until: 2026-11-01, meeting: 2026-11-20}
product: {name: 공기질 연동 환기 제어기 CA-200}
overall: {rule: weighted, pass: 80, cap: 120, open: 50, insufficient: 0}
slots:
  platform-1:
    place: 1호선 승강장 중앙
    device: {serial: CA-0001, model: CA-200, firmware: "1.4.2"}
    channels:
      pm25: {name: 초미세먼지, unit: ug/m^3, period: 1 h, range: [0, 1000]}
    events: {mission: {numbered: true, phased: true}, incident: {}}
  hall:
    place: 대합실
    device: {serial: CA-0002, model: CA-200, firmware: "1.4.2"}
    channels:
      pm25: {name: 초미세먼지, unit: ug/m^3, period: 1 h, range: [0, 1000]}
    events: {mission: {numbered: true, phased: true}, incident: {}}
kpis:
  uptime:
    name: 장비 가동률
    definition: 요구 시간 가운데 장비가 동작한 시간의 비율
    measure: {availability: {}}
    target: ">= 99 %"
    weight: 30
    required: true
    group: worst
  pm25-limit:
    name: 초미세먼지 기준 유지율
    measure: {share: {while: {channel: pm25, value: "<= 35 ug/m^3"}}}
    target: ">= 97 %"
    weight: 30
    required: true
  missions:
    name: 자율 순회 임무 성공률
    measure: {event_ratio: {event: mission, success: {ok: true}}}
    target: ">= 95 %"
    scope: capability
    weight: 20
  safety:
    name: 안전
    all:
      - {name: 사고, measure: {count: {event: incident}}, target: "== 0"}
      - {name: 초미세먼지 평균, measure: {statistic: {channel: pm25, stat: mean}}, target: "<= 25 ug/m^3"}
    weight: 20
"""
AMENDMENT = """\
amendment: {parties: [서울교통공사 시청역, (주)클린에어, 테스트베드 사업단], date: 2026-04-20,
  reason: 승강장 공사로 바닥 먼지 증가}
"""
QUIET = (midnight(date(2026, 5, 12), SEOUL), timedelta(hours=26))
"""Silence of the platform that is left out of judgement: with it the verdict on availability would be another."""
CUT = (midnight(date(2026, 4, 7), SEOUL), timedelta(hours=12))
"""A cut of the site's power, agreed."""
SWAPPED = (midnight(date(2026, 4, 28), SEOUL), midnight(date(2026, 4, 28), SEOUL) + timedelta(hours=6))
FLASHED = midnight(date(2026, 5, 20), SEOUL)


def made(connection: Connection, *, plan: str = PLAN) -> Site:
    """The pilot ``air`` in the registry, with its amendment and its data; nothing agreed and nothing judged yet."""
    first, second = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 4, 20, 3, tzinfo=UTC)
    apply_plan(connection, read_plan(plan.encode()), who="cli:test", now=first)
    amended = plan.replace('">= 97 %"', '">= 95 %"') + AMENDMENT
    apply_plan(connection, read_plan(amended.encode()), who="cli:test", now=second)
    rows = connection.execute("SELECT name, slot_id FROM slot")
    site = Site(
        connection=connection,
        slots={row["name"]: row["slot_id"] for row in rows},
        channels={(info.slot, info.name): info.channel_ids[-1] for info in channels(connection, "air")},
    )
    _measured(site)
    _swapped(site)
    site.alive(datetime(2026, 2, 25, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC))
    site.alive(datetime(2026, 5, 2, 5, tzinfo=UTC), datetime(2026, 12, 5, tzinfo=UTC))
    return site


def _measured(site: Site) -> None:
    """A reading an hour to the end of May, and three missions a day."""
    rng = np.random.default_rng(11)
    at_us = hours(date(2026, 3, 1), date(2026, 6, 1))
    away = datetime(2026, 5, 2, tzinfo=UTC), timedelta(hours=5)
    for slot, silent in (("platform-1", (QUIET, CUT, away)), ("hall", ((SWAPPED[0], SWAPPED[1] - SWAPPED[0]), away))):
        there = np.ones(len(at_us), dtype=bool)
        for start, length in silent:
            there &= (at_us < micros(start)) | (at_us >= micros(start + length))
        values = rng.normal(22, 6, there.sum()).clip(1)
        site.heard(slot, "pm25", at_us[there], values)
    site.summarised()
    rows: list[tuple[int, str, datetime, dict[str, Any]]] = []
    for number in range(90 * 3):
        begun = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=8 * number)
        rows.append((number + 1, "start", begun, {}))
        rows.append((number + 1, "end", begun + timedelta(minutes=20), {"ok": number % 25 != 7}))
    site.happened("platform-1", rows)


def _swapped(site: Site) -> None:
    """Another device in the hall after six hours without one, and other firmware on the platform."""
    steps = (
        ("hall", "CA-0107", "1.4.2", *SWAPPED),
        ("platform-1", "CA-0001", "1.5.0", FLASHED, FLASHED),
    )
    for slot, serial, firmware, until, since in steps:
        site.connection.execute(
            "UPDATE installation SET removed_at = %s WHERE slot_id = %s AND removed_at IS NULL",
            [until, site.slots[slot]],
        )
        site.connection.execute(
            "INSERT INTO installation (slot_id, serial, model, firmware, installed_at) VALUES (%s, %s, 'CA-200', %s, %s)",
            [site.slots[slot], serial, firmware, since],
        )


def agreed(connection: Connection) -> None:
    """What people agreed on, and what they took back."""
    cut = add_outage(
        connection, "air", start=CUT[0], end=CUT[0] + CUT[1], cause="site-power", slots=["platform-1"],
        agreed_by="시청역 김하늘, (주)클린에어 이보라", note="변전실 정기 점검(공문 2026-118호)", who="team",
    )  # fmt: skip
    add_exclusion(
        connection, "air", slot="platform-1", start=QUIET[0], end=QUIET[0] + QUIET[1], reason="construction",
        asked_on=date(2026, 5, 14), asked_by="(주)클린에어 이보라", agreed_site="시청역 김하늘", agreed_team="사업단 박도윤",
        note="승강장 안전문 공사로 전원 차단", who="team",
    )  # fmt: skip
    other = add_exclusion(
        connection, "air", slot="hall", start=midnight(date(2026, 3, 20), SEOUL),
        end=midnight(date(2026, 3, 20), SEOUL) + timedelta(hours=10), reason="event", asked_on=date(2026, 3, 23),
        asked_by="(주)클린에어 이보라", agreed_site="시청역 김하늘", agreed_team="사업단 박도윤", note="시민 행사", who="team",
    )  # fmt: skip
    withdraw_exclusion(connection, other.exclusion_id, why="행사는 다른 역에서 열림", who="team")
    network = add_outage(
        connection, "air", start=midnight(date(2026, 5, 25), SEOUL),
        end=midnight(date(2026, 5, 25), SEOUL) + timedelta(hours=2), cause="site-network",
        agreed_by="시청역 김하늘, (주)클린에어 이보라", note="스위치 교체", who="team",
    )  # fmt: skip
    withdraw_outage(connection, network.outage.outage_id, why="실제로는 끊기지 않음", who="team")
    assert cut.outage.outage_id


def judged(connection: Connection) -> None:
    """The interim date and the months before and after what was agreed: two versions of each."""
    for _ in range(2):
        store(connection, evaluate(connection, "air", at=date.fromisoformat(INTERIM)), who="cli:test")
        for month in ("2026-03", "2026-04", MONTH):
            store(connection, evaluate(connection, "air", month=month), who="cli:test")
        if not connection.execute("SELECT FROM outage").fetchall():
            agreed(connection)


def disputed(connection: Connection) -> Site:
    """All of it."""
    site = made(connection)
    judged(connection)
    return site


@contextmanager
def own_database(server: str, template: str) -> Iterator[str]:
    """A database for tests that only read: filled once for all of them."""
    name = f"pilotbed_test_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
    try:
        url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        with connected(url) as connection:
            disputed(connection)
        yield url
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

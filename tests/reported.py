"""A monthly opinion as a record, ready to be changed and printed: for the tests of documents."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from io import BytesIO
from zoneinfo import ZoneInfo

from pypdf import PdfReader

from core.language import N_
from core.window import Window, date_window
from kpi.reports.opinion import opinion_pdf
from kpi.reports.record import (
    Both,
    Figure,
    Header,
    IntakeDay,
    Interval,
    OpinionData,
    OpinionKpi,
    Outage,
    Refused,
    Swap,
    TrendMonth,
    both,
)

SEOUL = ZoneInfo("Asia/Seoul")
MAY = date_window(date(2026, 5, 1), date(2026, 6, 1), SEOUL)


def kpi(name: str = "초미세먼지 기준 유지율", **changes: object) -> OpinionKpi:
    """A KPI that is on track, but for the changes."""
    usual = OpinionKpi(
        id="pm25-limit",
        name=name,
        definition="운영 시간(05:00~24:00) 가운데 승강장 초미세먼지(1분 값)가 35 µg/m³ 이하인 시간의 비율",
        unit="%",
        target=">= 95 %",
        weight=40,
        required=True,
        scope="period",
        rule="estimate",
        minimum_completeness=0.75,
        month=Figure(value=97.12345, n=43_210, completeness=0.9876),
        cumulative=Figure(
            value=96.5,
            n=130_400,
            completeness=0.981,
            interval=Interval(low=95.8123, high=97.2, level=0.95),
        ),
        status="on_track",
        why=Both(
            ko="누계 96.5 %와 신뢰하한 95.8 %가 모두 목표 95 % 이상을 지킵니다.",
            en="The cumulative 96.5 % and its lower bound 95.8 % both hold the target of at least 95 %.",
        ),
        trend=(
            TrendMonth(month="2026-03", value=96.2, cumulative=96.2, status="watch", completeness=0.97),
            TrendMonth(month="2026-04", value=96.1, cumulative=96.15, status="watch", completeness=0.99),
            TrendMonth(month="2026-05", value=97.12345, cumulative=96.5, status="on_track", completeness=0.9876),
        ),
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def states() -> tuple[OpinionKpi, ...]:
    """One KPI of each status of a month."""
    nothing = Both(ko="5월 기대 측정값의 41 %만 수신되었습니다.", en="Only 41 % of May's expected readings arrived.")
    return (
        kpi(),
        kpi(
            "가동률",
            id="uptime",
            target=">= 99 %",
            definition="요구 시간 가운데 장비가 동작한 시간의 비율. 플랫폼과 수요처의 장애 시간은 요구 시간에서 뺌",
            month=Figure(value=99.31, n=3, completeness=1.0),
            cumulative=Figure(value=99.1, n=3, completeness=1.0, interval=Interval(low=98.7, high=99.4, level=0.95)),
            status="watch",
            trend=(
                TrendMonth(month="2026-04", value=99.9, cumulative=99.4, status="on_track"),
                TrendMonth(month="2026-05", value=99.31, cumulative=99.1, status="watch"),
            ),
        ),
        kpi(
            "안내 로봇 임무 성공률",
            id="missions",
            required=False,
            scope="capability",
            rule="confident",
            definition=None,
            month=Figure(value=94.96, n=417, completeness=0.992),
            cumulative=Figure(
                value=94.8, n=1_204, completeness=0.99, interval=Interval(low=93.5, high=95.9, level=0.95)
            ),
            status="at_risk",
            trend=(
                TrendMonth(month="2026-03", value=95.4, cumulative=95.4, status="watch"),
                TrendMonth(month="2026-04", value=None, cumulative=None, status="insufficient"),
                TrendMonth(month="2026-05", value=94.96, cumulative=94.8, status="at_risk"),
            ),
        ),
        kpi(
            "경보 전달 시간 (95백분위)",
            id="latency",
            target="<= 15 s",
            unit="s",
            required=False,
            month=Figure(value=None, n=0, completeness=0.41, reason=nothing),
            cumulative=Figure(value=None, n=0, completeness=0.41, reason=nothing),
            status="insufficient",
            why=nothing,
            trend=(TrendMonth(month="2026-05", value=None, cumulative=None, status="insufficient"),),
        ),
        kpi(
            "승강장 온도",
            id="temperature",
            target="20..26 degC",
            unit="degC",
            required=False,
            month=Figure(value=24.16, n=43_000, completeness=0.98),
            cumulative=Figure(
                value=23.4, n=120_000, completeness=0.98, interval=Interval(low=23.1, high=23.7, level=0.95)
            ),
            trend=(
                TrendMonth(month="2026-03", value=20.7, cumulative=20.7, status="on_track"),
                TrendMonth(month="2026-04", value=22.4, cumulative=21.6, status="on_track"),
                TrendMonth(month="2026-05", value=24.16, cumulative=23.4, status="on_track"),
            ),
        ),
    )


def opinion(**changes: object) -> OpinionData:
    """A whole opinion, as an officer gets it."""
    start = datetime(2026, 5, 12, 1, 20, tzinfo=UTC)
    usual = OpinionData(
        number="OP-cityhall-air-2026-202605-1",
        header=Header(
            pilot="cityhall-air-2026",
            title="시청역 승강장 스마트 환기 실증",
            kind="rnd",
            company="(주)클린에어",
            site="서울교통공사 시청역",
            product="공기질 연동 환기 제어기 CA-200",
            places=("1호선 승강장 중앙", "2호선 승강장 북단", "대합실"),
            zone="Asia/Seoul",
            period=date_window(date(2026, 3, 1), date(2027, 3, 1), SEOUL),
            simulated=False,
            plan_version=2,
            plan_sha256="3f9a" * 16,
            organisation="서울특별시",
            team="테스트베드 사업단",
        ),
        month="2026-05",
        window=MAY,
        as_of=datetime(2026, 6, 10, 0, 0, tzinfo=UTC),
        provisional=False,
        result_version=1,
        result_sha256="ab12" * 16,
        code_version="0.1.0",
        kpis=states(),
        decisions=(
            both(N_("자료 부족"), n=1),
            Both(
                ko="안내 로봇 임무 성공률 미달 우려: 보완 계획 요청 여부", en="Robot missions at risk: ask for a plan?"
            ),
        ),
        outages=(
            Outage(
                slot="platform-1",
                place="1호선 승강장 중앙",
                window=Window(start=start, end=start + timedelta(hours=3, minutes=12)),
                charged_to="company",
            ),
            Outage(
                slot="hall",
                place="대합실",
                window=Window(start=start + timedelta(days=4), end=start + timedelta(days=4, minutes=41)),
                charged_to="platform",
                note=Both(ko="수집기 점검", en="Collector maintenance"),
            ),
        ),
        swaps=(Swap(slot="hall", place="대합실", at=start, serial="CA-0012", before="CA-0003", firmware="1.4.2"),),
        refused=(
            Refused(kind="message", where="gw-1", reason="not_json", n=12),
            Refused(kind="item", where="platform-1", reason="in_future", n=1_204),
        ),
        intake=tuple(
            IntakeDay(
                day=date(2026, 5, day),
                delivered=8_640 + day,
                committed=8_640,
                quarantined=day,
                decoded=43_200,
                stored=43_190,
                duplicate=6,
                conflict=1,
                rejected=3,
            )
            for day in range(1, 32)
        ),
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


@cache
def made(data: OpinionData, language: str = "ko") -> bytes:
    return opinion_pdf(data, language)


def pages(data: OpinionData, language: str = "ko") -> list[str]:
    """The text of each page, with every kind of white space as one blank."""
    reader = PdfReader(BytesIO(made(data, language)))
    return [re.sub(r"\s+", " ", page.extract_text()) for page in reader.pages]

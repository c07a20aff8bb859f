"""What people agreed on, in the opinion: both numbers, whose the gaps are, amended targets, scores, versions; page one keeps."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from core.window import Window, date_window
from kpi.reports.charging import charged_parts
from kpi.reports.opinion import opinion_json, opinion_pdf, view
from kpi.reports.record import (
    AgreedOutage,
    Both,
    ChannelRevision,
    Charged,
    Exclusion,
    LastSegment,
    OpinionData,
    OpinionKpi,
    Overall,
    OverallPart,
    Promise,
    ResultVersion,
    Room,
    SealHead,
    SegmentFigure,
    SlotFigure,
    TargetVersion,
    Without,
)
from tests.reported import SEOUL, kpi, opinion, pages

AT = datetime(2026, 5, 12, 1, tzinfo=UTC)
RECORDED: dict[str, Any] = {"recorded_at": AT + timedelta(days=3), "recorded_by": "team"}
_TARGETS: tuple[tuple[int, int, dict[str, Any]], ...] = (
    (97, 1, {}),
    (95, 2, {"agreed_on": date(2026, 4, 20), "reason": "현장 공사", "parties": ("S", "C", "T")}),
)
TARGETS = tuple(
    TargetVersion(
        text=Both(ko=f"{n} % 이상", en=f"≥ {n} %"), written=f">= {n} %", since=AT, plan_version=version, **more
    )
    for n, version, more in _TARGETS
)


_SEGMENTS: tuple[tuple[Any, str, float], ...] = ((None, "CA-0003", 95.5), ("device", "CA-0012", 97.25))
_WITHDRAWN: dict[str, Any] = {"withdrawn_at": AT, "withdrawn_by": "team", "withdrawn_why": "착오"}
_EXCLUSIONS: tuple[tuple[int, dict[str, Any]], ...] = ((1, {}), (2, _WITHDRAWN))


REVISION = ChannelRevision(
    slot="hall", place="대합실", channel="pm25", name="초미세먼지", unit="ug/m^3", number=1, source="air.pm25",
    source_unit="ug/m^3", stands=False, redecoded=True,
)  # fmt: skip


def disputed_kpi(name: str = "초미세먼지 기준 유지율", **changes: Any) -> OpinionKpi:
    """A KPI beside which everything stands."""
    segments = tuple(
        SegmentFigure(
            slot="hall", place="대합실", window=date_window(date(2026, 3, 1), date(2026, 4, 1), SEOUL), cause=cause,
            serial=serial, model="CA-200", firmware="1.4.2", value=value, n=744, completeness=1.0,
        )
        for cause, serial, value in _SEGMENTS
    )  # fmt: skip
    usual: dict[str, Any] = {
        "charged": Charged(company_s=14_400, platform_s=21_600, site_s=36_000, unattributed_s=0, site_outages=(1,)),
        "without_exclusions": Without(cumulative=94.2, month=93.1, status="at_risk"),
        "without_outages": Without(cumulative=96.1, month=97.0, status="on_track"),
        "targets": TARGETS,
        "segments": segments,
        "pooling": (
            Both(
                ko="구간을 합칠 근거가 없음(대합실 2026. 4. 1. 교체: 비교·교정 자료가 없음)",
                en="nothing lets the segments be pooled",
            ),
        ),
        "last_segments": (LastSegment(value=97.25, n=744, completeness=1.0),),
        "by_slot": (
            SlotFigure(slot="hall", place="대합실", value=96.5, n=2_000, completeness=1.0),
            SlotFigure(slot="platform-1", place="1호선 승강장 중앙", value=None, n=0, completeness=None),
        ),
    }
    return kpi(name, **(usual | changes))


def disputed_opinion(*kpis: OpinionKpi) -> OpinionData:
    """A whole opinion with everything that people agreed on."""
    part = OverallPart(
        name="장비 가동률", required=True, weight=60, verdict="inconclusive", counts_as="inconclusive", score=50.0,
        formula=Both(ko="정해지지 않은 지표의 점수", en="the points of an undecided KPI"), to_committee=True,
    )  # fmt: skip
    other = replace(part, name="성공률", required=False, weight=40, verdict="met", score=103.53, to_committee=False)
    window = Window(start=AT, end=AT + timedelta(hours=26))
    return opinion(
        kpis=kpis or (disputed_kpi(),),
        agreed_outages=(
            AgreedOutage(
                number=1, slots=None, window=window, cause="site-power", agreed_by="S 김, C 이", note="변전실 점검", **RECORDED,
            ),
        ),
        exclusions=tuple(
            Exclusion(
                number=number, slot="hall", place="대합실", window=window, reason=Both(ko="현장 공사", en="works at the place"),
                asked_on=date(2026, 5, 14), asked_by="C 이", agreed_site="S 김", agreed_team="T 박", note="안전문 공사",
                counts=not more, **RECORDED, **more,
            )
            for number, more in _EXCLUSIONS
        ),
        rooms=(Room(slot="hall", place="대합실", used_s=93_600, most_s=423_360, most_share=0.02),),
        overall=Overall(
            rule="weighted", sentences=(Both(ko="규칙", en="rule"),), at=date(2026, 6, 1), result_version=2, verdict="not_met",
            score=71.41, low=41.4, high=113.4, pass_score=80, why=Both(ko="까닭", en="reason"), parts=(part, other),
        ),
        versions=(
            ResultVersion(
                version=7, as_of=AT, plan_version=2, code_version="x", check_code="AAAA-BBBB",
                causes=(Both(ko="합의한 장애 1호 추가", en="agreed outage no. 1 added"),),
            ),
        ),
        versions_before=6,
        most_excluded=0.02,
        channels=(REVISION, replace(REVISION, number=2, stands=True, redecoded=False, source_unit="mg/m^3")),
        seal=SealHead(number=101, day=date(2026, 6, 9), head="0f1e2d3c4b5a6978" * 4),
    )  # fmt: skip


def test_the_first_page_has_both_numbers_the_old_target_and_what_was_agreed() -> None:
    first = pages(disputed_opinion())[0]
    for text in (
        "96.5 %‡", "빼지 않으면 초미세먼지 기준 유지율 94.2 %", "(변경 전 97 % 이상)",
        "합의한 장애 1건, 평가 제외 1건 (1일 2시간), 목표 변경 지표 1개",
    ):  # fmt: skip
        assert text in first, text


@pytest.mark.parametrize("language", ["ko", "en"])
def test_ten_disputed_kpis_with_long_names_stay_on_the_page_to_sign(language: str) -> None:
    name = "자율주행 순찰 로봇 무인 운행 거리 비율(전체 운행 거리 대비)"
    data = disputed_opinion(*(disputed_kpi(f"{name} {n}", id=f"kpi-{n}") for n in range(10)))
    first, second = pages(data, language)[:2]
    for n in range(10):
        assert re.search(rf"대비\) ?{n}\*", first), n
    signature, code = ("(서명)", "검증 코드") if language == "ko" else ("(signature)", "Check code")
    assert first.count(signature) == 3 and code in first and signature not in second
    assert "0f1e2d3c4b5a6978" in first


def test_the_annex_says_whose_time_it_is_and_by_which_record() -> None:
    text = " ".join(pages(disputed_opinion())[1:])
    for told in ("장비(참여기업) 4시간", "플랫폼 6시간", "수요처 10시간", "합의한 장애 1호"):
        assert told in text, told
    assert "미확인" not in " ".join(pages(disputed_opinion())[1:2])
    empty = disputed_kpi(charged=Charged(company_s=0, platform_s=0, site_s=0, unattributed_s=0))
    assert view(disputed_opinion(empty), "ko")["annex_kpis"]["items"][0]["charged"] is None


def test_the_bar_is_whole_and_a_thin_part_is_seen() -> None:
    charged = Charged(company_s=1, platform_s=0, site_s=999_999, unattributed_s=1)
    parts = charged_parts(charged, lambda message, **values: message % values if values else message)
    assert sum(part.width for part in parts) == pytest.approx(1.0)
    widths = {part.kind: part.width for part in parts}
    assert widths["company"] == widths["unattributed"] > 0.01 and widths["platform"] == widths["excluded"] == 0
    assert [part.kind for part in parts if part.source] == ["company", "site", "unattributed"]


def test_the_annex_has_segments_slots_amendments_and_withdrawals() -> None:
    text = " ".join(pages(disputed_opinion())[1:])
    for told in (
        "누계 94.2 %, 당월 93.1 %, ✕ 미달 우려. 지금 상태(✓ 정상)와 다름",
        "2026. 4. 20. 97 % 이상 → 95 % 이상 (사유: 현장 공사, 당사자: S, C, T, 실증계획 제2판)",
        "대합실 · 다른 장비로 교체", "CA-0012 · CA-200 · 1.4.2", "마지막 구간", "수요처 정전: 변전실 점검",
        "현장 공사: 안전문 공사",
        "2026. 5. 14. C 이, 합의 S 김, T 박", "착오", "가운데 1일 2시간 사용(22 %)",
    ):  # fmt: skip
        assert told in text, told


def test_the_annex_has_the_score_of_each_kpi_and_their_sum() -> None:
    part = next(one for one in view(disputed_opinion(), "ko")["annexes"] if one["heading"].endswith("목표달성도"))[
        "parts"
    ][0]
    first, second, total = part["rows"]
    assert first[2]["word"] == "판정 유보 (심사위원회로)"
    assert (first[3], first[4], first[6]) == ("60", "50.0", "30.0") and (second[4], second[6]) == ("103.5", "41.4")
    assert (total[2]["mark"], total[3], total[5], total[6]) == ("✕", "100", "통과 기준 80점", "71.4")
    headings = [one["heading"] for one in view(opinion(), "ko")["annexes"]]
    assert headings == ["붙임 2. 장애·교체·평가 제외·수신 거부", "붙임 3. 일별 수신 집계", "붙임 4. 읽는 법"]


def test_the_annex_names_why_there_is_a_new_version() -> None:
    text = " ".join(pages(disputed_opinion())[1:])
    assert "합의한 장애 1호 추가" in text and "이보다 앞선 6개 판은 생략함." in text


def test_each_promise_has_its_own_unit_and_status() -> None:
    promises = tuple(
        Promise(name=name, unit=unit, target=target, month=value, cumulative=value, status=status)
        for name, unit, target, value, status in (
            ("사고", "건", "== 0", 0.0, "on_track"), ("온도", "degC", "20..26 degC", 27.25, "at_risk"),
        )
    )  # fmt: skip
    whole = disputed_kpi(promises=promises, promise=1, segments=(), last_segments=())
    rows = view(disputed_opinion(whole), "ko")["annex_kpis"]["items"][0]["tables"][0]["rows"]
    assert [row[1:4] for row in rows] == [["0건 일치", "0건", "0건"], ["20 ~ 26 °C", "27.3 °C", "27.3 °C"]]
    assert [row[4]["mark"] for row in rows] == ["✓", "✕"] and rows[1][0] == "2. 온도 (결정)"


def test_the_same_disputed_record_gives_the_same_bytes() -> None:
    assert opinion_pdf(disputed_opinion()) == opinion_pdf(disputed_opinion())


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("ko", "자료 봉인 101호 2026. 6. 9. 0f1e2d3c4b5a6978…"),
        ("en", "Data seal no. 101, 9 Jun 2026, 0f1e2d3c4b5a6978…"),
    ],
)
def test_the_newest_seal_stands_beside_the_check_code_and_whole_in_the_record(language: str, line: str) -> None:
    data = disputed_opinion()
    assert line in pages(data, language)[0]
    assert json.loads(opinion_json(data))["opinion"]["seal"] == {
        "number": 101, "day": "2026-06-09", "head": "0f1e2d3c4b5a6978" * 4,
    }  # fmt: skip
    without = replace(data, seal=None)
    assert ("봉인" if language == "ko" else "seal") not in pages(without, language)[0]


def test_the_annex_tells_revisions_pooling_and_how_much_may_be_left_out() -> None:
    text = " ".join(pages(disputed_opinion())[1:])
    for told in (
        "측정값을 해석한 개정", "초미세먼지 (pm25)", "air.pm25 [mg/m³ → µg/m³]", "모두 나중 개정으로 다시 해석되어 쓰지 않음",
        "구간 합산", "구간을 합칠 근거가 없음(대합실 2026. 4. 1. 교체",
    ):  # fmt: skip
        assert told in text, told
    # Used up in part, a slot's own line says it; before anything is left out, one line for all.
    nobody = replace(disputed_opinion(), exclusions=(), rooms=())
    assert "판정 기간의 2 %까지" not in text and "판정 기간의 2 %까지" in " ".join(pages(nobody)[1:])
    assert "개정" not in " ".join(pages(replace(nobody, channels=()))[1:])

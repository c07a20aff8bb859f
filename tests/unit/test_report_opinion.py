"""The monthly opinion, from its record to the page: read back from the PDF as a person would."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO

import pytest
from pypdf import PdfReader

from core.canonical import canonical_json, check_code, sha256
from ingest.reasons import REASONS
from kpi.reports.opinion import digest, opinion_json, opinion_pdf, view
from kpi.reports.reasons import SHORT
from kpi.reports.record import (
    Both,
    Figure,
    IntakeDay,
    Interval,
    Written,
)
from tests.reported import kpi, made, opinion, pages, states


def test_the_page_to_sign_has_every_number_as_printed() -> None:
    first = pages(opinion())[0]
    for text in (
        "모니터링 의견서",
        "2026년 5월",
        "시청역 승강장 스마트 환기 실증",
        "OP-cityhall-air-2026-202605-1",
        "97.1 %",
        "+1.0 %p",
        "96.5 %",
        "95.8–97.2 %",
        "98.8 %",
        "94.96 %",  # 95.0 would claim that the target of 95 is reached
        "93.5–95.9 %",
        "20 ~ 26 °C",
        "23.1–23.7 °C",
        "자료의 정확성을 보증하는 것은 아님",
        "2026. 6. 10.(수) 09:00",
        "직위·성명",
    ):
        assert text in first, text


def test_each_status_has_its_mark_and_word() -> None:
    first = pages(opinion())[0]
    for text in ("✓ 정상", "▲ 주의", "✕ 미달 우려", "– 자료 부족"):
        assert text in first, text


def test_the_status_sentence_counts_and_compares() -> None:
    first = pages(opinion())[0]
    assert "핵심성과지표 5개의 누계 상태: 정상 2개, 주의 1개, 미달 우려 1개, 자료 부족 1개." in first
    assert "나아진 지표 1개(초미세먼지 기준 유지율), 나빠진 지표 1개(가동률)" in first


def test_a_missing_value_is_a_dash_with_its_reason_never_zero() -> None:
    data = opinion(kpis=(states()[3],))
    first = pages(data)[0]
    row = first[first.index("경보 전달 시간") : first.index("41.0 %")]
    assert row.count("–") == 4
    assert "0" not in row.replace("경보 전달 시간 (95백분위) 15 s 이하", "")
    assert "5월 기대 측정값의 41 %만 수신되었습니다." in first


def test_the_same_record_gives_the_same_bytes() -> None:
    assert opinion_pdf(opinion()) == made(opinion())


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_simulated_pilot_says_so_on_every_page(language: str) -> None:
    data = opinion()
    real = pages(data, language)
    simulated = pages(replace(data, header=replace(data.header, simulated=True)), language)
    words = {"ko": ("모의 자료: 실제 실증이 아닌", "모의 자료"), "en": ("Simulated data:", "Simulated")}[language]
    assert len(simulated) > 2
    for page in simulated:
        line, watermark = words
        assert line in page
        assert page.count(watermark) >= 2
    assert not any(words[0] in page for page in real)


def test_ten_kpis_with_long_names_stay_on_the_page_to_sign() -> None:
    name = "자율주행 순찰 로봇 무인 운행 거리 비율(전체 운행 거리 대비)"
    first = pages(opinion(kpis=tuple(kpi(f"{name} {n}", id=f"kpi-{n}") for n in range(10))))[0]
    for n in range(10):
        assert re.search(rf"대비\) ?{n}\*", first), n
    assert first.count("95.8–97.2 %") == 10
    assert first.count("(서명)") == 3
    assert "검증 코드" in first


def test_the_eleventh_kpi_comes_on_the_next_page() -> None:
    found = pages(opinion(kpis=tuple(kpi(f"지표 {n}", id=f"kpi-{n}") for n in range(12))))
    assert "지표 9*" in found[0]
    assert "지표 10*" not in found[0]
    assert "핵심성과지표 (계속)" in found[1]
    assert "지표 10*" in found[1]
    assert "지표 11*" in found[1]


def test_a_month_without_anything_is_still_a_document() -> None:
    nothing = Figure(value=None, n=0, completeness=None, reason=Both(ko="자료가 없습니다.", en="There are no data."))
    empty = tuple(replace(one, month=nothing, cumulative=nothing, status="insufficient", trend=()) for one in states())
    found = pages(opinion(kpis=empty, decisions=(), outages=(), swaps=(), refused=(), intake=()))
    assert "자료 부족 5개" in found[0]
    assert "전월 결과가 없어 비교하지 않음" in found[0]
    assert "수신 중단 없음" in found[0]


def test_annexes_account_for_every_day() -> None:
    text = " ".join(pages(opinion())[1:])
    assert "2026. 5. 31.(일) 8,671 8,640 31 43,200 43,190 6 1 3" in text
    assert "합계 268,336 267,840 496 1,339,200 1,338,890 186 31 93" in text
    assert "미래 시각" in text
    assert "3시간 12분" in text


def test_what_people_wrote_stands_unaltered() -> None:
    written = Written(
        judgement="needs_work", body="#let x = 1 *점검* 요청함 <b>", by="홍길동", at=datetime(2026, 6, 11, tzinfo=UTC)
    )
    first = pages(opinion(site_opinion=written))[0]
    assert "#let x = 1 *점검* 요청함 <b>" in first
    assert "■ 보완 필요" in first
    assert "□ 적정" in first
    assert "2026. 6. 11." in first
    assert "홍길동" in first


@pytest.mark.parametrize("name", ["가동률 🚲", "㐀 ∰ Łódź", "줄\u2028바꿈\x07", "\ufdd0", "\"\\' + 1"])
def test_a_name_that_no_font_shows_does_not_stop_the_document(name: str) -> None:
    assert opinion_pdf(opinion(kpis=(kpi(name),), intake=())).startswith(b"%PDF")


def test_the_check_code_is_that_of_the_json() -> None:
    data = opinion()
    found = json.loads(opinion_json(data))
    assert found["sha256"] == sha256(canonical_json(found["opinion"])) == digest(data)
    assert found["check_code"] == check_code(found["sha256"])
    for page in pages(data):
        assert found["check_code"] in page
    assert found["opinion"]["kpis"][0]["month"]["value"] == 97.12345


def test_the_qr_code_names_the_document_and_its_hash() -> None:
    data = opinion()
    assert view(data, "ko")["code"]["qr_text"] == f"PILOTBED OPINION {data.number} SHA256 {digest(data)}"


def test_the_file_is_made_for_archives_and_screen_readers_and_carries_its_fonts() -> None:
    reader = PdfReader(BytesIO(made(opinion())))
    metadata = reader.xmp_metadata
    assert metadata is not None
    assert reader.metadata is not None
    assert reader.metadata.title == "모니터링 의견서 (2026년 5월) 시청역 승강장 스마트 환기 실증"
    assert reader.metadata.creation_date == datetime(2026, 6, 10, tzinfo=UTC)
    raw = metadata.stream.get_data()
    assert b"pdfaid:part>2<" in raw
    assert b"pdfuaid:part>1<" in raw
    fonts = {
        str(font.get_object()["/BaseFont"]).split("+")[-1]
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert {font.split("-")[0] for font in fonts} <= {"NanumGothic", "NanumGothicBold", "DejaVuSansMono"}, fonts


def test_english_leaves_no_korean_but_what_people_wrote() -> None:
    data = opinion(
        header=replace(
            opinion().header,
            title="Smart ventilation",
            company="CleanAir",
            site="City Hall station",
            product="CA-200",
            places=("Platform",),
            organisation="Seoul",
            team="Testbed team",
        ),
        kpis=tuple(replace(one, name=f"KPI {n}", definition=None) for n, one in enumerate(states())),
        outages=tuple(replace(outage, place="Platform") for outage in opinion().outages),
        swaps=(),
    )
    for page in pages(data, "en"):
        assert not re.search("[가-힣]", page), re.search(".{0,20}[가-힣].{0,20}", page)


def test_every_reason_of_the_intake_has_words() -> None:
    assert set(SHORT) == set(REASONS)


def test_silence_charged_to_nobody_shows_its_range_with_a_note() -> None:
    open_gaps = replace(kpi().cumulative, open_gaps=Interval(low=94.2, high=97.9))
    first = pages(opinion(kpis=(kpi(cumulative=open_gaps),)))[0]
    assert "94.2–97.9 %†" in first
    assert "† 귀책을 알 수 없는 무신호 시간" in first


def test_a_month_with_too_little_data_is_not_judged_by_its_headline() -> None:
    lacking = kpi(month=Figure(value=97.2, n=9, completeness=0.41), status="insufficient")
    shown = view(opinion(kpis=(lacking, kpi("상위 5 %"))), "ko")["annex_kpis"]["items"]
    assert shown[0]["chart_text"] == (
        "2026년 5월 초미세먼지 기준 유지율은 97.2 %(자료획득률 41.0 %)입니다. 자료가 부족하여 판단하지 않습니다."
    )
    assert shown[1]["chart_text"] == "2026년 5월 상위 5 %는 97.1 %이며, 목표(95 % 이상)를 충족합니다."


def test_the_page_says_where_bounds_decide_nothing() -> None:
    note = "신뢰한계는 참고이며 판단에 쓰지 않음"
    assert note in pages(opinion(kpis=(kpi(),)))[0]
    assert note not in pages(opinion(kpis=(kpi(scope="capability", rule="confident"),)))[0]


def test_a_loaded_history_says_why_nothing_was_delivered() -> None:
    loaded = IntakeDay(
        day=date(2026, 5, 1), delivered=0, committed=0, quarantined=0,
        decoded=21_400, stored=21_400, duplicate=0, conflict=0, rejected=0,
    )  # fmt: skip
    usual = opinion()
    for header, told in ((usual.header, False), (replace(usual.header, simulated=True), True)):
        shown = view(replace(usual, header=header, intake=(loaded,)), "ko")["annexes"][1]["parts"][0]["notes"]
        assert any("통신을 거치지 않고 적재" in note for note in shown) is told

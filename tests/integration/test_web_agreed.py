"""What people agreed on, on the pages: both numbers, whose the gaps are, segments, amended targets, scores, versions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from core.canonical import check_code
from core.database import Connection, connected
from core.language import with_unit
from core.numbers import printed
from devices.plan.target import parse_bounds
from kpi.results import versions
from tests.disputed import INTERIM, MONTH, own_database
from tests.web import Page, Web, apply, people, plan_text, web

DATE = f"/pilots/air/results/date/{INTERIM}"
PAGES = (
    "/pilots/air", "/pilots/air/verdicts", "/pilots/air/agreed", "/pilots/air/link?span=all", DATE, f"{DATE}?version=1",
    f"{DATE}/uptime", f"{DATE}/safety", f"/pilots/air/results/month/{MONTH}", f"/pilots/air/results/month/{MONTH}/pm25-limit",
)  # fmt: skip


@pytest.fixture(scope="module")
def judged_url(database_server: str, template_database: str) -> Iterator[str]:
    with own_database(database_server, template_database) as url:
        with connected(url) as connection:
            people(connection)
        yield url


@pytest.fixture(scope="module")
def site(judged_url: str) -> Iterator[Web]:
    with web(judged_url) as running:
        yield running


@pytest.fixture
def connection(judged_url: str) -> Iterator[Connection]:
    with connected(judged_url) as opened:
        yield opened


@pytest.fixture
def committee(site: Web) -> Iterator[httpx.Client]:
    with site.logged_in("committee") as browser:
        yield browser


def documents(connection: Connection, kind: str, label: str) -> list[dict[str, Any]]:
    return [dict(one.document) for one in versions(connection, "air", kind, label)]


def entry(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(kpi for kpi in document["kpis"] if kpi["id"] == name)


def quantity(value: float, kpi: dict[str, Any]) -> str:
    return with_unit(
        printed(value, kpi["unit"], parse_bounds(kpi["target"]["text"]).to(kpi["unit"])), kpi["unit"], "ko"
    )


def section(page: str, name: str) -> str:
    return page.split(f'aria-labelledby="{name}"', 1)[1].split("</section>")[0]


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_the_committee_sees_first_whether_the_whole_is_met_and_why(
    committee: httpx.Client, connection: Connection
) -> None:
    found = documents(connection, "date", INTERIM)[-1]["overall"]
    for path in ("/pilots/air", "/pilots/air/verdicts"):
        page = committee.get(path).text
        whole = section(page, "overall")
        assert page.index('aria-labelledby="overall"') < page.index("장비 가동률</a>")
        assert "✕</span> 미달성" in whole and found["why"]["ko"] in whole
        text = plain(whole)
        for part in found["parts"]:
            assert re.search(rf"{part['name']}.*?{printed(part['score'], '%')}점", text), part
        assert "통과 기준 80점" in text and "판정 유보인 지표는 50점으로 셈합니다." in text
        assert f"{printed(found['score'], '%', None)}점" in text and "→ 심사위원회로" in text


def test_a_plan_that_says_nothing_of_the_whole_shows_none(site: Web, connection: Connection) -> None:
    apply(connection, plan_text("bee"))
    with site.logged_in("admin") as admin:
        assert "목표달성도" not in admin.get("/pilots/bee").text


def test_both_numbers_stand_beside_a_verdict_that_an_exclusion_turns(
    committee: httpx.Client, connection: Connection
) -> None:
    uptime = entry(documents(connection, "date", INTERIM)[-1], "uptime")
    assert uptime["reason"] == "exclusion_turns"
    with_them, without = uptime["with_exclusions"], uptime["without"]["exclusions"]
    for path in ("/pilots/air/verdicts", f"{DATE}/uptime"):
        text = plain(committee.get(path).text)
        assert f"평가 제외를 빼면 {quantity(with_them['value'], uptime)} ✓ 달성" in text
        assert f"평가 제외를 빼지 않으면 {quantity(without['value'], uptime)} ✕ 미달성" in text
        assert "→ 심사위원회로" in text
    month = entry(documents(connection, "month", MONTH)[-1], "uptime")
    card = plain(committee.get("/pilots/air").text)
    assert f"평가 제외를 빼지 않으면 {quantity(month['without']['exclusions']['value'], month)} ✕ 미달 우려" in card


def test_time_without_data_is_charged_with_its_source(committee: httpx.Client, connection: Connection) -> None:
    facts = entry(documents(connection, "month", MONTH)[-1], "pm25-limit")["facts"]
    assert (facts["company_s"], facts["platform_s"], facts["site_s"]) == (4 * 3600, 6 * 3600, 10 * 3600)
    charged = section(committee.get(f"/pilots/air/results/month/{MONTH}/pm25-limit").text, "charged")
    text = plain(charged)
    for told in (
        "장비(참여기업) 4시간", "플랫폼 6시간 플랫폼 가동 기록", "수요처 10시간 합의한 장애 1호", "미확인 없음",
        "평가 제외 1일 2시간 평가 제외 1호", "모두 1일 22시간",
    ):  # fmt: skip
        assert told in text, told
    widths = [float(width) for width in re.findall(r'width="([0-9.]+)%"', charged)]
    assert sum(widths) == pytest.approx(100, abs=0.01) and widths[0] == pytest.approx(100 * 4 / 46, abs=0.01)


def test_the_whole_and_the_last_segment_stand_side_by_side(committee: httpx.Client, connection: Connection) -> None:
    kpi = entry(documents(connection, "month", MONTH)[-1], "pm25-limit")
    text = plain(section(committee.get(f"/pilots/air/results/month/{MONTH}/pm25-limit").text, "segments1"))
    assert f"전체 (판정에 씀) {quantity(kpi['value'], kpi)}" in text
    assert f"마지막 구간 {quantity(kpi['last_segment']['value'], kpi)}" in text
    assert "다른 장비로 교체 2026. 4. 28. ~ 5. 31. CA-0107 · CA-200 · 1.4.2" in text
    assert "펌웨어 변경 2026. 5. 20. ~ 5. 31. CA-0001 · CA-200 · 1.5.0" in text
    assert "비교·교정 자료가 없음" in text
    for row in kpi["segments"]:
        assert quantity(row["value"], kpi) in text and f"{row['n']:,}" in text


def test_every_condition_and_every_slot_has_its_own_answer(committee: httpx.Client, connection: Connection) -> None:
    safety = entry(documents(connection, "date", INTERIM)[-1], "safety")
    text = plain(section(committee.get(f"{DATE}/safety").text, "promises"))
    for part in safety["parts"]:
        assert re.search(rf"{part['name']}.*{re.escape(part['target']['ko'])}.*✓ 달성", text), part["name"]
    uptime = entry(documents(connection, "date", INTERIM)[-1], "uptime")
    text = plain(section(committee.get(f"{DATE}/uptime").text, "by-slot"))
    for row in uptime["slots"]:
        assert quantity(row["value"], uptime) in text
    assert "대합실 hall 판정을 정함" in text


def test_an_amended_target_shows_the_old_one_wherever_the_new_one_is(committee: httpx.Client) -> None:
    month = f"/pilots/air/results/month/{MONTH}"
    for path in ("/", "/pilots/air", "/pilots/air/verdicts", month, f"{month}/pm25-limit"):
        text = plain(committee.get(path).text)
        assert re.search(r"95 % 이상\)? +변경 전 97 % 이상", text), path
    text = plain(section(committee.get(f"{month}/pm25-limit").text, "targets"))
    assert "승강장 공사로 바닥 먼지 증가" in text and "2026. 4. 20.(월)" in text
    assert "서울교통공사 시청역, (주)클린에어, 테스트베드 사업단" in text
    agreed = plain(section(committee.get("/pilots/air/agreed").text, "amendments"))
    assert "초미세먼지 기준 유지율: 97 % 이상 → 95 % 이상" in agreed


def test_exclusions_and_outages_are_listed_with_who_and_why_withdrawn_ones_too(committee: httpx.Client) -> None:
    page = committee.get("/pilots/air/agreed").text
    text = plain(section(page, "exclusions"))
    for told in (
        "현장 공사", "승강장 안전문 공사로 전원 차단", "요청 2026. 5. 14.(목) (주)클린에어 이보라",
        "시청역 김하늘, 사업단 박도윤",
        "✓ 적용", "– 철회 행사는 다른 역에서 열림", "1일 2시간", "한도는 최종 판정 기간의 2 %입니다.",
    ):  # fmt: skip
        assert told in text, told
    # 26 h of 2 % of the 245 days from March to October.
    assert with_unit(printed(100 * 26 / (0.02 * 245 * 24), "%"), "%", "ko") in text
    text = plain(section(page, "agreed-outages"))
    for told in ("수요처 정전", "변전실 정기 점검(공문 2026-118호)", "– 철회 실제로는 끊기지 않음", "모든 설치 지점"):
        assert told in text, told


def test_they_are_bands_of_the_timeline_and_of_the_charts(committee: httpx.Client) -> None:
    page = committee.get("/pilots/air/link?span=all").text
    assert page.count('<rect class="band-exclusion"') == 1 + 1 and page.count('<rect class="band-agreed"') == 1 + 1
    assert "평가 제외 1호" in page and "합의한 장애 1호" in page and "2호" not in page
    spec = committee.get("/pilots/air/charts/platform-1/pm25.json?span=all").json()["spec"]
    labels = {row["label"] for rows in spec["datasets"].values() for row in rows if "label" in row and "from" in row}
    assert labels == {"평가 제외 1호", "합의한 장애 1호"}
    other = committee.get("/pilots/air/charts/hall/pm25.json?span=all").json()["spec"]
    assert not any("from" in row for rows in other["datasets"].values() for row in rows)


def test_versions_name_their_causes_and_an_earlier_one_can_be_seen(
    committee: httpx.Client, connection: Connection
) -> None:
    first, second = versions(connection, "air", "date", INTERIM)
    text = plain(section(committee.get(DATE).text, "versions"))
    assert "합의한 장애 1호 추가" in text and "평가 제외 구간 1호 추가" in text
    assert check_code(first.sha256) in text and check_code(second.sha256) in text
    before, after = (entry(dict(one.document), "uptime") for one in (first, second))
    changed = f"값 {quantity(before['value'], before)} → {quantity(after['value'], after)}"
    detail = committee.get(f"{DATE}/uptime").text
    assert changed in plain(section(detail, "versions")) and "판정 ✕ 미달성 → ◐ 판정 유보" in plain(detail)
    old = committee.get(f"{DATE}?version=1").text
    assert "앞선 판을 보고 있습니다." in old and quantity(before["value"], before) in old
    assert (
        committee.get(f"/pilots/air/evaluation.json?kind=date&label={INTERIM}&version=1").json()["sha256"]
        == first.sha256
    )
    for wrong in (
        f"{DATE}?version=9",
        f"{DATE}/none",
        "/pilots/air/results/date/2026-06-02",
        "/pilots/air/results/x/y",
    ):
        assert committee.get(wrong).status_code == 404, wrong
    assert committee.get(f"{DATE}?version=0").status_code == 400


def test_who_does_not_see_the_pilot_sees_none_of_it(site: Web) -> None:
    with site.logged_in("committee-elsewhere") as stranger:
        for path in PAGES:
            assert stranger.get(path).status_code == 404, path


def test_these_pages_hold_nothing_inline_and_have_captions_scopes_and_english(
    site: Web, committee: httpx.Client
) -> None:
    for path in PAGES:
        for language in ("ko", "en"):
            answer = committee.get(path, params={"lang": language, **httpx.URL(path).params})
            page = Page(answer.text)
            assert answer.status_code == 200 and page.inline == [], path
            assert len(page.all("caption")) == len(page.all("table")), path
            assert all(given.get("scope") in ("col", "row") for given in page.all("th")), path
            assert all(given.get("aria-label") or given.get("aria-hidden") == "true" for given in page.all("svg")), path
            identifiers = [given["id"] for _, given in page.tags if given.get("id")]
            assert len(identifiers) == len(set(identifiers)), path

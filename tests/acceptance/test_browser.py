"""A real browser: somebody logs in, opens a pilot, sees its KPIs, switches to English. Nothing goes wrong on the way."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pypdf import PdfReader

from core.database import Connection
from tests.conftest import missing
from tests.web import PASSWORD, Web, apply, feed, judge_month, people, plan_text, web

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-dev-shm-usage", "--disable-extensions", "--disable-sync", "--no-first-run",
)  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PAGES = ("", "/verdicts", "/link", "/intake", "/quality", "/documents", "/connect")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        missing("no Chromium on this machine: the browser tests need one of " + ", ".join(NAMES))
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=list(FLAGS), timeout=60_000)
        yield running
        running.close()


@pytest.fixture
def site(database_url: str, connection: Connection) -> Iterator[Web]:
    apply(connection, plan_text("air"))
    feed(connection, "air", hours=30)
    judge_month(connection, "air")
    people(connection)
    with web(database_url) as running:
        yield running


@dataclass
class Tab:
    """A page that keeps what its console said."""

    page: Page
    context: BrowserContext
    address: str
    said: list[str] = field(default_factory=list)

    def log_in(self, name: str = "officer") -> None:
        self.page.goto(f"{self.address}/login")
        self.page.get_by_label(re.compile("이름|Name")).fill(name)
        self.page.get_by_label(re.compile("비밀번호|Password")).fill(PASSWORD)
        self.page.locator("button.wide").click()
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(re.compile("실증과제 현황|Pilots"))

    def overflow(self) -> str:
        """What is wider than the screen, without its own scrolling."""
        found: str = self.page.evaluate(
            "document.documentElement.scrollWidth > innerWidth ? [...document.querySelectorAll('body *')]"
            ".filter(e => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 3)"
            ".map(e => e.outerHTML.slice(0, 120)).join('\\n') || 'something' : ''"
        )
        return found


@pytest.fixture
def tab(browser: Browser, site: Web, request: pytest.FixtureRequest) -> Iterator[Tab]:
    options: dict[str, Any] = getattr(request, "param", {})
    context = browser.new_context(**({"viewport": {"width": 1440, "height": 900}} | options))
    context.set_default_timeout(20_000)
    opened = Tab(page=context.new_page(), context=context, address=site.address)
    opened.page.on("console", lambda message: opened.said.append(f"{message.type}: {message.text}"))
    opened.page.on("pageerror", lambda error: opened.said.append(f"error: {error}"))
    yield opened
    context.close()
    assert [line for line in opened.said if not line.startswith(("log", "info", "debug"))] == []


def test_an_officer_logs_in_opens_a_pilot_sees_its_kpis_and_reads_english(tab: Tab) -> None:
    tab.log_in()
    tab.page.get_by_role("link", name="air 실증").click()
    card = tab.page.locator(".kpi", has_text="초미세먼지 기준 유지율")
    expect(card.locator(".figure")).to_contain_text(re.compile(r"\d+(\.\d+)?\s*%|–"))
    expect(card.locator(".badge")).to_contain_text(re.compile("정상|주의|미달 우려|자료 부족"))
    expect(card).to_contain_text("95 % 이상")
    tab.page.get_by_role("link", name="English").click()
    expect(tab.page.get_by_role("heading", name="KPIs")).to_be_visible()
    expect(tab.page.locator("html")).to_have_attribute("lang", "en")
    expect(card).to_contain_text("≥ 95 %")
    tab.page.get_by_role("button", name="Log out").click()
    expect(tab.page.get_by_role("heading", name="Log in")).to_be_visible()
    tab.page.goto(f"{tab.address}/pilots/air")
    expect(tab.page).to_have_url(re.compile("/login"))


def test_a_chart_is_drawn_under_the_strict_policy_with_its_target_and_time(tab: Tab) -> None:
    tab.log_in()
    tab.page.goto(f"{tab.address}/pilots/air#channels")
    chart = tab.page.locator(".chart").first
    chart.scroll_into_view_if_needed()
    drawing = chart.locator("svg.marks")
    expect(drawing).to_be_visible()
    expect(drawing).to_contain_text("35 µg/m³ 이하")
    expect(drawing).to_contain_text("초미세먼지 (µg/m³)")
    expect(drawing).to_contain_text(re.compile(r"\d\d:00"))
    # The line spans the time that it has, and not one point of it.
    width = drawing.locator(".mark-line path").first.evaluate("node => node.getBBox().width")
    assert width > 200
    expect(chart.locator("figcaption")).to_contain_text("최근 24시간의 초미세먼지")
    tab.page.get_by_role("link", name="7일").click()
    expect(tab.page.locator(".chart figcaption").first).to_contain_text("최근 7일의 초미세먼지")


def test_the_age_of_the_last_receipt_goes_on_by_itself(tab: Tab, connection: Connection) -> None:
    tab.log_in()
    badge = tab.page.locator("[data-live-state]").first
    expect(badge).to_contain_text("수신 중")
    connection.execute("UPDATE intake_slot SET last_received = now() - interval '2 hours'")
    expect(badge).to_contain_text("신호 없음", timeout=15_000)
    expect(tab.page.locator("[data-live-text]").first).to_contain_text("2시간")
    expect(tab.page.locator("[data-voice]")).to_contain_text("수신 상태가 바뀌었습니다: 신호 없음")


def test_the_opinion_comes_as_a_file_with_words_while_it_is_made(tab: Tab) -> None:
    tab.log_in()
    tab.page.goto(f"{tab.address}/pilots/air/documents")
    with tab.page.expect_download(timeout=60_000) as download:
        tab.page.get_by_role("link", name=re.compile("의견서 PDF")).first.click()
        expect(tab.page.locator("[data-voice]")).to_contain_text(re.compile("만드는 중|만들었습니다"))
    path = Path(download.value.path())
    assert path.read_bytes().startswith(b"%PDF-")
    assert download.value.suggested_filename.startswith("air-opinion-")


def test_the_connecting_page_shows_a_reading_as_it_arrives(tab: Tab, connection: Connection) -> None:
    apply(connection, plan_text("new"))
    tab.log_in("admin")
    tab.page.goto(f"{tab.address}/pilots/new/connect")
    arrivals = tab.page.locator("[data-arrivals-here]")
    expect(arrivals).to_contain_text("아직 아무것도 도착하지 않았습니다")
    feed(connection, "new", hours=0.05)
    expect(arrivals).to_contain_text("µg/m³", timeout=15_000)
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.page.locator(".code", has_text="mosquitto_pub").get_by_role("button", name="복사").first.click()
    copied = tab.page.evaluate("navigator.clipboard.readText()")
    assert "-t 'pilots/new/platform-1/readings'" in copied and "$(date +%s)" in copied


@pytest.mark.parametrize(
    "tab",
    [
        pytest.param({"viewport": {"width": 390, "height": 844}}, id="phone"),
        pytest.param({"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}, id="phone-dark"),
        pytest.param({"viewport": {"width": 1440, "height": 900}}, id="desk"),
    ],
    indirect=True,
)
def test_no_page_is_wider_than_the_screen_and_what_is_touched_is_large_enough(tab: Tab) -> None:
    tab.log_in()
    for path in ("/", *(f"/pilots/air{page}" for page in PAGES)):
        for language in ("ko", "en"):
            tab.page.goto(f"{tab.address}{path}?lang={language}")
            assert tab.overflow() == "", (path, language)
        small = tab.page.evaluate(
            "[...document.querySelectorAll('button, .button, .tabs a, .languages a, .ranges a,"
            " .top nav a, .crumbs a, .skip, a.more')]"
            ".filter(e => e.offsetParent && (e.offsetHeight < 44 || e.offsetWidth < 44)).map(e => e.textContent)"
        )
        assert small == [], path


def test_the_keyboard_reaches_the_content_and_shows_where_it_is(tab: Tab) -> None:
    tab.log_in()
    tab.page.keyboard.press("Tab")
    focused = tab.page.evaluate("document.activeElement.className")
    assert focused == "skip"
    tab.page.keyboard.press("Enter")
    assert tab.page.evaluate("document.activeElement.id") == "content"
    tab.page.keyboard.press("Tab")
    outline = tab.page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "2px"


def test_the_account_of_a_day_is_there_at_once_and_what_every_reading_tells_follows(tab: Tab) -> None:
    tab.log_in("company")
    tab.page.goto(f"{tab.address}/pilots/air/intake")
    expect(tab.page.locator(".flow-bar").first).to_be_visible()
    expect(tab.page.locator("figure .badge")).to_contain_text("수지 일치")
    stored = tab.page.locator(".flow-bar .part-taken").last.evaluate("node => node.getBoundingClientRect().width")
    assert stored > 5, "what was stored is seen"
    expect(tab.page.locator("[data-part] table")).to_contain_text("platform-1")
    tab.page.get_by_label("받은 날").fill(tab.page.get_by_label("받은 날").get_attribute("min") or "")
    tab.page.get_by_role("button", name="보기").click()
    expect(tab.page).to_have_url(re.compile(r"\?day=\d{4}-\d\d-\d\d"))
    tab.page.goto(f"{tab.address}/pilots/air/link")
    tab.page.locator(".answer summary").first.click()
    expect(tab.page.locator(".answer .evidence").first).to_contain_text("air.platform-1")


@pytest.mark.parametrize("tab", [{"java_script_enabled": False}], indirect=True)
def test_without_script_delay_and_gaps_are_a_link_away(tab: Tab) -> None:
    tab.log_in("company")
    tab.page.goto(f"{tab.address}/pilots/air/intake")
    expect(tab.page.get_by_text("셈하는 중입니다")).to_be_hidden()
    tab.page.get_by_role("link", name="지연과 공백 셈하기").click()
    expect(tab.page.get_by_role("columnheader", name="지연 중앙값")).to_be_visible()


@pytest.mark.parametrize("tab", [{"java_script_enabled": False}], indirect=True)
def test_without_script_everything_is_there_and_charts_are_images(tab: Tab) -> None:
    tab.log_in()
    tab.page.get_by_role("link", name="air 실증").click()
    expect(tab.page.locator(".kpi .figure").first).to_be_visible()
    image = tab.page.locator(".plot noscript img, .plot img").first
    image.scroll_into_view_if_needed()
    expect(image).to_have_attribute("src", re.compile(r"/charts/platform-1/pm25\.svg"))
    expect(tab.page.locator(".plot .waiting").first).to_be_hidden()
    with tab.page.expect_download(timeout=60_000):
        tab.page.goto(f"{tab.address}/pilots/air/documents")
        tab.page.get_by_role("link", name=re.compile("의견서 PDF")).first.click()


def test_a_page_prints_on_a4_without_navigation_and_with_its_address(tab: Tab, tmp_path: Path) -> None:
    tab.log_in()
    for path in ("/", "/pilots/air", "/pilots/air/verdicts", "/pilots/air/intake"):
        tab.page.goto(f"{tab.address}{path}")
        file = tmp_path / "page.pdf"
        tab.page.pdf(path=file, prefer_css_page_size=True)
        pages = PdfReader(file).pages
        assert (round(pages[0].mediabox.width), round(pages[0].mediabox.height)) == (595, 842)
        text = re.sub(r"[\x00-\x20]", "", "".join(page.extract_text() for page in pages))
        assert f"출력한주소:{tab.address}{path}" in text, path
        assert "로그아웃" not in text and "English" not in text


def test_charts_are_drawn_for_print_though_nobody_scrolled_to_them(tab: Tab) -> None:
    tab.page.set_viewport_size({"width": 1440, "height": 200})
    tab.log_in()
    tab.page.goto(f"{tab.address}/pilots/air")
    expect(tab.page.locator(".plot.drawn")).to_have_count(tab.page.locator(".plot").count())


@pytest.mark.parametrize("tab", [{"color_scheme": "dark"}], indirect=True)
def test_a_chart_reads_on_a_dark_ground(tab: Tab) -> None:
    tab.log_in()
    tab.page.goto(f"{tab.address}/pilots/air")
    chart = tab.page.locator(".chart").first
    chart.scroll_into_view_if_needed()
    label = chart.locator("svg.marks .role-axis-label text").first
    expect(label).to_be_visible()
    wanted = tab.page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--secondary').trim()")
    expect(label).to_have_attribute("fill", wanted)
    assert chart.locator("svg.marks [fill='white'], svg.marks [stroke='white']").count() == 0

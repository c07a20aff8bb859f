"""The clocks as a part of a page: what is known is said, and why something is not."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from core.database import Connection
from dashboards.access import VisiblePilot
from dashboards.clocks import HEIGHT, WIDTH, Clocks, clocks_shown, off_text
from dashboards.pages import environment
from dashboards.wording import Wording
from telemetry import clock
from telemetry.summarise import summarise_all
from tests.clocked import START, Device, buffered, constant, drifting, gathered, set_at
from tests.registered import register

PILOT = VisiblePilot(
    pilot_id=1, name="p1", title="A pilot", kind="rnd", company="c", company_name="C", site="s", site_name="S",
    zone="Asia/Seoul", start_at=START, end_at=START + timedelta(days=300), simulated=False, plan_version=1,
    plan_sha256="0" * 64,
)  # fmt: skip
HOURS = 14 * 24
NOW = START + timedelta(hours=HOURS + 0.2)

Shown = Callable[[Device, str], tuple[Clocks, str]]


@pytest.fixture
def shown(connection: Connection) -> Shown:
    """What the page says of one device, as data and as text."""

    def show(device: Device, language: str) -> tuple[Clocks, str]:
        device.store(connection, register(connection).channel_ids["a"])
        summarise_all(connection)
        clock.judge(connection, "p1", NOW)
        found = clocks_shown(connection, PILOT, Wording(language=language), NOW)
        html = environment(language).get_template("clocks.html").render(
            device_clocks=found, pilot=PILOT, places={"s1": "승강장 <중앙>"}
        )  # fmt: skip
        return found, html

    return show


def words_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_a_clock_that_loses_time_is_told_with_its_drift_and_its_finding(shown: Shown) -> None:
    found, html = shown(Device(hours=HOURS, period_s=300, ahead_s=drifting(-60)), "ko")
    (row,) = found.rows
    assert (row.light.word, row.light.tone) == ("느림", "watch")
    assert row.offset == "1분 10초 느림"
    assert row.drift == "하루 5.18초씩 느려짐 (60 ppm)" and row.basis == "335시간의 자료"
    (off,) = found.found
    assert off.lasting and not off.refused
    said = words_of(html)
    assert "승강장 &lt;중앙&gt;" in said and "지금도" in said
    assert "2026. 3. 8.(일) 05:00" in said, "beyond 30 s after 5.8 days, in the pilot's zone"


def test_the_line_lies_within_its_place_and_shows_where_the_threshold_was_exceeded(shown: Shown) -> None:
    device = Device(
        hours=HOURS, period_s=300, ahead_s=set_at(200, constant(-90), constant(0)), arrives_s=buffered(50, 60)
    )
    found, html = shown(device, "ko")
    line = found.rows[0].line
    assert line is not None
    points = [tuple(map(float, point.split(","))) for run in line.runs for point in run.split()]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert len(line.runs) == 2, "ten hours that came late are a hole"
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert points[0][1] > line.zero >= points[-1][1] - 1, "slow is below zero"
    assert len(line.limits) == 1 and sum(width for _, width in line.beyond) == pytest.approx(190 / HOURS * 234, abs=2)
    assert line.extent == "1초 이내 ~ 1분 30초 느림"
    assert html.count("<polyline") == 2 and 'role="img"' in html and "style=" not in html
    (off,) = found.found
    assert not off.lasting and off.offset == "1분 30초 느림"


@pytest.mark.parametrize(
    ("device", "english"),
    [
        (Device(hours=HOURS, period_s=300), "✓ right within 1 s too small to measure from 336 hours of data"),
        (Device(hours=HOURS, period_s=300, ahead_s=constant(120)), "▲ fast 2 min 0 s fast|▲ fast 2 min fast"),
        (
            Device(hours=HOURS, period_s=300, arrives_s=gathered(600, 120)),
            r"– unknown The device gathers its values: .* It is slow by no more than \d min",
        ),
        (
            Device(hours=HOURS, period_s=300, arrives_s=gathered(3600, 60)),
            "– unknown All values of the last day came late",
        ),
        (Device(hours=200, period_s=300), "– No signal No value came in the last day"),
        (
            Device(hours=1, period_s=4000, arrives_s=buffered(0, 400)),
            "– unknown In the last 14 days no value came live",
        ),
    ],
    ids=["good", "fast", "gathered", "late", "silent", "one late reading"],
)
def test_what_is_known_and_why_not_in_english(shown: Shown, device: Device, english: str) -> None:
    if "14 days" in english:
        device.observed_us -= 20 * 86_400_000_000
    _, html = shown(device, "en")
    assert re.search(english, words_of(html)), words_of(html)


@pytest.mark.parametrize(
    ("offset_s", "said"),
    [(None, "알 수 없음"), (0.3, "1초 이내"), (-1.0, "1초 이내"), (4.25, "4.2초 느림"), (-90, "1분 30초 빠름")],
)
def test_an_offset_in_words(offset_s: float | None, said: str) -> None:
    assert off_text(offset_s, Wording(language="ko")) == said

"""What pages are made of, without a database: spans, caches, small lines, example code, payloads, reasons."""

from __future__ import annotations

import json
import re
import shlex
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.access import VisiblePilot
from dashboards.browser import for_browser
from dashboards.connect import examples
from dashboards.judged import figures
from dashboards.log import new_reference
from dashboards.memo import Memo
from dashboards.reasons import why_of
from dashboards.slots import SlotRow
from dashboards.spans import SPANS, first_with, span_of, window_and_step
from dashboards.sparkline import sparkline
from dashboards.waiting import shown_payload
from dashboards.wording import Wording
from devices.plan.model import Plan
from devices.plan.reader import read_plan
from ingest.reasons import REASONS
from tests.web import plan_text

NOW = datetime(2026, 6, 15, 3, 7, 11, tzinfo=UTC)
PILOT = VisiblePilot(
    pilot_id=1, name="air", title="air 실증", kind="rnd", company="c", company_name="C", site="s", site_name="S",
    zone="Asia/Seoul", start_at=datetime(2026, 2, 28, 15, tzinfo=UTC), end_at=datetime(2027, 2, 28, 15, tzinfo=UTC),
    simulated=False, plan_version=1, plan_sha256="0" * 64,
)  # fmt: skip


@pytest.mark.parametrize("code", SPANS)
def test_a_span_has_few_steps_on_whole_hours_and_reaches_now(code: str) -> None:
    window, step_s = window_and_step(span_of(code), PILOT, NOW)
    steps = window.seconds / step_s
    assert 100 <= steps <= 300
    assert window.start.minute % 5 == window.start.second == 0
    if step_s >= 3600:
        assert step_s % 3600 == 0 and window.start.minute == 0, "whole hours are answered by summaries"
    assert window.start <= NOW <= window.end < NOW + timedelta(hours=1)


def test_a_pilot_that_is_over_is_seen_at_its_end_and_one_to_come_is_empty() -> None:
    over, _ = window_and_step(span_of("7d"), PILOT, datetime(2028, 1, 1, tzinfo=UTC))
    assert over.end == PILOT.end_at
    to_come, _ = window_and_step(span_of("7d"), PILOT, datetime(2026, 1, 1, tzinfo=UTC))
    assert to_come.start == PILOT.start_at and to_come.seconds == 3600


@pytest.mark.parametrize(
    ("now", "left"), [("2026-06-14T15:00Z", 258), ("2027-02-28T14:59Z", 0), ("2027-02-28T15:00Z", -1)]
)
def test_days_left_are_the_pilots_days(now: str, left: int) -> None:
    assert PILOT.days_left(datetime.fromisoformat(now)) == left


def test_twenty_viewers_ask_once() -> None:
    made: list[int] = []
    memo: Memo[int] = Memo(span_s=10)
    gate = threading.Barrier(20)

    def view() -> None:
        gate.wait(10)
        memo.get("key", lambda: made.append(1) or 7)  # type: ignore[func-returns-value]

    threads = [threading.Thread(target=view) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert made == [1]


def test_a_kept_value_ages_goes_and_an_error_is_nobody_elses() -> None:
    now = [0.0]
    memo: Memo[str] = Memo(span_s=10, most=2, clock=lambda: now[0])
    assert [memo.get("a", lambda: "1"), memo.get("a", lambda: "2")] == ["1", "1"]
    now[0] = 10.5
    assert memo.get("a", lambda: "3") == "3"
    for key in "bc":
        memo.get(key, lambda: "x")
    assert memo.get("a", lambda: "4") == "4", "the one used longest ago went"

    def fails() -> str:
        raise ValueError

    with pytest.raises(ValueError):
        memo.get("d", fails)
    assert memo.get("d", lambda: "5") == "5"
    assert memo.get("e", lambda: "", keep=bool) == "" and memo.get("e", lambda: "6", keep=bool) == "6"


@given(st.lists(st.none() | st.floats(-1e6, 1e6), max_size=20), st.none() | st.floats(-1e6, 1e6))
def test_a_small_line_stays_in_its_box_and_never_joins_a_hole(values: list[float | None], target: float | None) -> None:
    line = sparkline(values, target, "", width=88, height=26)
    points = [tuple(map(float, point.split(","))) for run in line.runs for point in run.split()]
    assert all(0 <= x <= 88 and 0 <= y <= 26 for x, y in points)
    runs = "".join("." if value is None else "x" for value in values).split(".")
    assert [len(run.split()) for run in line.runs] == [len(run) for run in runs if run]


def slot_row(name: str, protocol: str = "json") -> SlotRow:
    return SlotRow(
        slot_id=1, name=name, place="", connection=name, protocol=protocol, topics=[], username="air.platform-1",
        last_received=None, installations=(), owner="company",
    )  # fmt: skip


def plan_of(change: Callable[[str], str] = lambda text: text) -> Plan:
    return read_plan(change(plan_text("air")).encode()).plan


def test_the_example_is_a_message_that_the_plan_takes() -> None:
    [example] = examples(PILOT, plan_of(), [slot_row("platform-1")], "broker.example:18830")
    assert example.topic == "pilots/air/platform-1/readings"
    assert json.loads(example.payload)["values"] == {"air": {"pm25": 250.0}, "mode": "off"}
    words = shlex.split(example.mosquitto.replace("\\\n", " "))
    assert words[words.index("-h") + 1] == "broker.example" and words[words.index("-p") + 1] == "18830"
    message = words[words.index("-m") + 1]
    assert json.loads(message.replace("$(date +%s)", "1780000000"))["values"] == {"air": {"pm25": 250.0}, "mode": "off"}
    compile(example.python, "example", "exec")


def test_the_example_is_in_the_units_that_the_device_sends() -> None:
    plan = plan_of(lambda text: text.replace("source: air.pm25,", "source: air.pm25, source_unit: mg/m^3,"))
    [example] = examples(PILOT, plan, [slot_row("platform-1")], None)
    assert json.loads(example.payload)["values"]["air"] == {"pm25": 0.25}
    assert "BROKER" in example.mosquitto


def test_other_protocols_get_no_native_example() -> None:
    assert examples(PILOT, plan_of(), [slot_row("platform-1", "sparkplug"), slot_row("unknown")], None) == []


def test_numeric_ends_of_a_time_scale_become_parts_of_a_date() -> None:
    spec = {"layer": [{"encoding": {"x": {"scale": {"type": "utc", "domain": [1795317300000, 1795404000123]}}}}]}
    made = for_browser(spec)
    first, last = made["layer"][0]["encoding"]["x"]["scale"]["domain"]
    for end, ms in ((first, 1795317300000), (last, 1795404000123)):
        parts = {key: value for key, value in end.items() if key != "utc"}
        at = datetime(
            parts["year"], parts["month"], parts["date"], parts["hours"], parts["minutes"], parts["seconds"],
            parts["milliseconds"] * 1000, tzinfo=UTC,
        )  # fmt: skip
        assert round(at.timestamp() * 1000) == ms and end["utc"] is True
    assert spec["layer"][0]["encoding"]["x"]["scale"]["domain"] == [1795317300000, 1795404000123], "the original stays"
    assert made["width"] == "container"


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (b'{"a": 1}', '{"a": 1}'),
        (b"\x00\xff\xfe", "00 ff fe"),
        ("가".encode() * 200, "가" * 133 + " …"),
        (b"a\x00b\x1b[31m", "a\ufffdb\ufffd[31m"),
        (b"", ""),
    ],
)
def test_a_payload_is_shown_as_text_or_as_bytes(payload: bytes, shown: str) -> None:
    assert shown_payload(payload) == shown


@given(st.binary(max_size=600))
def test_no_payload_breaks_a_page(payload: bytes) -> None:
    text = shown_payload(payload)
    assert all(letter.isprintable() or letter in "\n\t" for letter in text)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_reason_of_the_intake_has_words_and_a_next_step(language: str) -> None:
    for code in REASONS:
        why = why_of(code, REASONS, Wording(language=language))
        assert why.short and why.step and "_" not in why.short, code
        assert bool(re.search("[가-힣]", why.short + why.sentence + why.step)) == (language == "ko"), code
    unknown = why_of("of_tomorrow", REASONS, Wording(language=language))
    assert (unknown.short, unknown.sentence) == ("of_tomorrow", "")


def test_how_long_ago_and_how_late() -> None:
    words = Wording(language="ko")
    assert words.ago(NOW - timedelta(seconds=8), NOW) == "8초 전"
    assert words.ago(NOW, NOW) == "방금" and words.ago(None, NOW) == "아직 없음"
    assert words.delay(0.36) == "0.4초" and words.delay(75) == "1분 15초"
    assert words.delay(-90) == "−1분 30초(장비 시계 빠름)"
    assert words.clock(NOW, PILOT.zone_info, now=NOW) == "12:07:11"
    assert words.clock(NOW - timedelta(days=1), PILOT.zone_info, now=NOW) == "2026. 6. 14.(일) 12:07:11"
    assert replace(words, language="en").ago(NOW - timedelta(minutes=5), NOW) == "5 min ago"


def test_a_reference_can_be_read_aloud() -> None:
    assert re.fullmatch(r"[0-9A-F]{4}-[0-9A-F]{4}", new_reference())


def test_the_first_span_is_the_shortest_that_holds_the_newest_value() -> None:
    def code(hours: float) -> str:
        return first_with(NOW - timedelta(hours=hours), PILOT, NOW).code

    assert [code(hours) for hours in (1, 42, 24 * 20, 24 * 60)] == ["24h", "7d", "31d", "all"]
    assert first_with(None, PILOT, NOW).code == "24h"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("1781492831", "2026. 6. 15.(월) 12:07:11"),
        ("1781492831000", "2026. 6. 15.(월) 12:07:11"),
        ("1781492831000000000", "2026. 6. 15.(월) 12:07:11"),
        ("1781492831.25", "2026. 6. 15.(월) 12:07:11"),
        ("2026-06-15T12:07:11+09:00", ""), ("later", ""), ("inf", ""), ("nan", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_number_as_a_time_is_shown_as_a_time(written: str, shown: str) -> None:
    assert Wording(language="ko").sent(written, PILOT.zone_info) == shown


def test_a_day_on_an_axis_is_written_as_its_language_does() -> None:
    day = NOW.date()
    assert [Wording(language=one).day_alone(day) for one in ("ko", "en")] == ["6. 15.", "15 Jun"]


ENTRY: dict[str, Any] = {
    "name": "가동률", "required": False, "weight": 0, "unit": "%", "value": 99.5, "n": 0, "measure": "availability",
    "target": {"text": ">= 99 %", "ko": "99 % 이상", "en": "≥ 99 %", "low": 99.0, "high": None, "low_closed": True,
               "high_closed": False},
    "minimum_completeness": 0.9, "completeness": 1.0, "verdict": "met", "why": {"ko": "", "en": ""},
    "scope": "period", "decision": "estimate",
    "interval": {"low": 99.5, "high": 99.5, "alpha": None, "method": "none", "size": None},
    "sampling": {"low": 98.2, "high": 99.9, "alpha": 0.05, "method": "blocks", "size": 10},
}  # fmt: skip


def test_a_period_shows_the_interval_that_the_opinion_prints() -> None:
    words = Wording(language="ko")
    assert figures(ENTRY, words).interval == "참고: 신뢰한계(한쪽 95 %) 98.2–99.9 %"
    gaps = ENTRY["interval"] | {"method": "gaps", "low": 97.0}
    assert figures(ENTRY | {"interval": gaps}, words).interval == "귀책 불명 구간 97.0–99.5 %"
    assert figures(ENTRY | {"sampling": None}, words).interval == ""
    capability = ENTRY | {"scope": "capability", "interval": ENTRY["sampling"]}
    assert figures(capability, words).interval == "신뢰한계(한쪽 95 %) 98.2–99.9 %"

"""Charts: drawn for real, and looked at as a reader would: titles, units, targets, and gaps that stay gaps."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from core.window import Window
from kpi.charts import (
    Band,
    Line,
    Series,
    Step,
    Trend,
    TrendPoint,
    channel_series,
    embed_options,
    font_files,
    svg,
    trend,
)
from kpi.charts.look import BLUE, SKY_BLUE, VERMILLION
from kpi.charts.series import wall_ms

SEOUL = ZoneInfo("Asia/Seoul")
START = datetime(2026, 4, 30, 15, tzinfo=UTC)  # 1 May in Seoul
TITLE = "5월 가동률은 99.3 %이며, 목표(99 % 이상)를 충족합니다."


def record(*values: float | None) -> Trend:
    return Trend(
        title=TITLE,
        axis="가동률 (%)",
        points=tuple(TrendPoint(label=f"{month}월", value=v, shown="" if v is None else f"{v:.1f}") for month, v in
                     enumerate(values, start=1)),
        targets=(Line(value=99.0, label="목표 99 % 이상", below=True),),
        share=True,
    )  # fmt: skip


def series(*means: float | None, **more: Any) -> Series:
    return Series(
        title="초미세먼지는 35 µg/m³ 아래였습니다.",
        axis="초미세먼지 (µg/m³)",
        window=Window(start=START, end=START + timedelta(hours=len(means))),
        zone=SEOUL,
        step_s=3_600,
        steps=tuple(
            Step(start=START + timedelta(hours=hour), mean=mean, low=None if mean is None else mean - 1,
                 high=None if mean is None else mean + 1)
            for hour, mean in enumerate(means)
        ),
        **more,
    )  # fmt: skip


def texts(drawn: bytes) -> str:
    return " ".join("".join(node.itertext()) for node in ElementTree.fromstring(drawn).iter() if "text" in node.tag)


def paths(drawn: bytes, mark: str, attribute: str, colour: str) -> list[str]:
    """The outlines of one kind of mark in one colour."""
    found = re.findall(r"<path [^>]*>", drawn.decode())
    wanted = [p for p in found if f'{attribute}="{colour}"' in p and f'aria-roledescription="{mark}"' in p]
    return [match[1] for p in wanted if (match := re.search(r' d="([^"]*)"', p))]


def lines(drawn: bytes) -> list[str]:
    return paths(drawn, "line mark", "stroke", BLUE)


def test_a_trend_says_what_it_shows() -> None:
    told = texts(svg(trend(record(99.1, 99.3), language="ko")))
    for text in (TITLE, "가동률 (%)", "목표 99 % 이상", "99.3", "1월", "2월", "당월", "누계"):
        assert text in told


def test_a_trend_in_english_names_its_series_so() -> None:
    told = texts(svg(trend(record(99.1, 99.3), language="en"), language="en"))
    assert "This month" in told
    assert "Cumulative" in told
    assert "당월" not in told


@pytest.mark.parametrize(
    ("values", "runs"),
    [
        ((99.1, 99.3, 99.2), 1),
        ((99.1, None, 99.2), 2),
        ((99.1, 99.2, None, None, 99.3, 99.4, None, 99.0), 3),
        ((None, 99.2, 99.3), 1),
    ],
)
def test_a_gap_in_a_trend_is_never_joined(values: tuple[float | None, ...], runs: int) -> None:
    drawn = lines(svg(trend(record(*values), language="ko")))
    assert len(drawn) == runs
    corners = sum(path.count("L") + path.count("M") for path in drawn)
    assert corners == sum(value is not None for value in values)


def test_a_month_with_too_few_data_stands_alone_and_hollow() -> None:
    points = [TrendPoint(label=f"{n}월", value=99.0 + n / 10, incomplete=n == 3) for n in range(1, 6)]
    drawn = svg(trend(replace(record(), points=tuple(points)), language="ko"))
    assert [path.count("L") + path.count("M") for path in lines(drawn)] == [2, 1, 2]
    assert len(paths(drawn, "point", "fill", "white")) == 1


@pytest.mark.parametrize("count", [0, 1, 12, 52])
def test_a_trend_of_any_length(count: int) -> None:
    drawn = svg(trend(record(*[99.0 + n / 100 for n in range(count)]), language="ko"))
    assert len(lines(drawn)) == (1 if count else 0)
    assert "목표 99 % 이상" in texts(drawn)


def test_a_trend_without_any_value_draws_no_line_and_no_zero() -> None:
    drawn = svg(trend(record(None, None), language="ko"))
    assert lines(drawn) == []
    assert texts(drawn).count("–") == 2


def test_a_range_has_two_lines() -> None:
    both = Trend(
        title="온도",
        axis="온도 (°C)",
        points=(TrendPoint(label="5월", value=23.0),),
        targets=(Line(value=20, label="", below=True), Line(value=26, label="목표 20 ~ 26 °C")),
    )
    drawn = svg(trend(both, language="ko")).decode()
    assert len(re.findall(rf'<line [^>]*aria-roledescription="rule mark"[^>]*stroke="{VERMILLION}"', drawn)) == 2


def test_a_gap_in_a_series_is_never_joined() -> None:
    drawn = svg(channel_series(series(20, 21, None, 22, None, None, 23, 24), language="ko"))
    assert len(lines(drawn)) == 3
    assert len(paths(drawn, "area mark", "fill", SKY_BLUE)) == 3


def test_steps_that_are_missing_from_the_list_are_a_gap_too() -> None:
    whole = series(20, 21, 22, 23)
    holed = Series(**{name: getattr(whole, name) for name in whole.__dataclass_fields__} | {"steps": whole.steps[::3]})
    assert len(lines(svg(channel_series(holed, language="ko")))) == 2


def test_a_step_alone_between_two_gaps_is_seen() -> None:
    (path,) = lines(svg(channel_series(series(None, 22, None), language="ko")))
    x = [float(value) for value in re.findall(r"[ML]([\d.]+),", path)] + [
        float(v) for v in re.findall(r"H([\d.]+)", path)
    ]
    assert max(x) - min(x) == pytest.approx(560 / 3, abs=1)


def test_a_series_has_its_limit_and_its_grounds() -> None:
    away = Window(start=START + timedelta(hours=2), end=START + timedelta(hours=3))
    drawn = svg(
        channel_series(
            series(20, 21, None, 22, lines=(Line(value=35, label="기준 35 µg/m³ 이하"),),
                   bands=(Band(window=away, kind="outage", label="신호 없음"),)),
            language="ko",
        )
    )  # fmt: skip
    told = texts(drawn)
    assert "수신 중단" in told
    assert "기준 35 μg/m³ 이하" in told  # the font has the Greek letter
    assert 'aria-roledescription="rect mark"' in drawn.decode()


def test_time_is_the_wall_clock_of_the_pilots_zone() -> None:
    assert wall_ms(START, SEOUL) == datetime(2026, 5, 1, tzinfo=UTC).timestamp() * 1000
    specification = channel_series(series(*[20.0] * 24), language="ko")
    told = texts(svg(specification))
    assert "5. 1." in told
    assert "12:00" in told
    assert "4. 30." not in told
    assert all(x["scale"]["type"] == "utc" for x in found(specification, "x") if "scale" in x)


def test_months_are_labelled_in_the_readers_language() -> None:
    long = Series(
        title="일 년", axis="값", window=Window(start=START, end=START + timedelta(days=300)), zone=SEOUL, step_s=86_400,
        steps=tuple(Step(start=START + timedelta(days=day), mean=1.0 + day % 7) for day in range(300)),
    )  # fmt: skip
    korean, english = (
        texts(svg(channel_series(long, language=language), language=language)) for language in ("ko", "en")
    )
    assert "6월" in korean
    assert "2027년" in korean
    assert "Jun" in english
    assert "월" not in english


def found(specification: Any, key: str) -> list[Any]:
    """Every value of a key, however deep."""
    if isinstance(specification, dict):
        return [
            value
            for name, item in specification.items()
            for value in ([item] if name == key and isinstance(item, dict) else found(item, key))
        ]
    if isinstance(specification, list):
        return [value for item in specification for value in found(item, key)]
    return []


def test_a_specification_is_plain_json_and_the_same_each_time() -> None:
    one, other = (json.dumps(trend(record(99.1, None, 99.2), language="ko"), sort_keys=True) for _ in range(2))
    assert one == other
    assert "http" not in one.replace("https://vega.github.io/schema", "")


@pytest.mark.parametrize("name", ["\x07\x00", "줄\u2028바꿈", "\"\\' + 1", "<b>&amp;", "\ud800", "\uffff"])
def test_no_name_can_break_the_drawing(name: str) -> None:
    odd = Trend(title=name, axis=name, points=(TrendPoint(label=name, value=1.0, shown=name),), targets=())
    assert ElementTree.fromstring(svg(trend(odd, language="ko"))) is not None


def test_pages_draw_without_evaluating_code() -> None:
    options = embed_options("ko")
    assert options["ast"] is True
    assert options["timeFormatLocale"]["shortDays"][0] == "일"


def test_the_fonts_come_without_matplotlib() -> None:
    assert [file.name for file in font_files()] == ["NanumGothic.ttf", "NanumGothicBold.ttf"]
    code = "import sys; from kpi.charts import font_files; font_files(); sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_negative_number_is_written_with_a_sign_that_the_font_has(language: str) -> None:
    points = tuple(
        TrendPoint(label=label, value=value, cumulative=value) for label, value in (("3월", -26.0), ("4월", -22.0))
    )
    record = Trend(title="t", axis="변화 (%)", points=points, targets=())
    drawn = svg(trend(record, language=language), language=language).decode()
    assert "\u2212" not in drawn and re.search(r">-2\d", drawn)
    assert embed_options(language)["formatLocale"]["minus"] == "-"

"""The grammar of targets, in signs and in Korean words; compared unrounded."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.language import with_unit
from core.numbers import printed
from core.units import UnitError
from devices.plan.target import Bounds, TargetError, parse_bounds

SAME = [
    (">= 95 %", "95 % 이상", "≥ 95%"),
    ("> 95 %", "95% 초과"),
    ("<= 5 s", "5 s 이하", "5초 이하", "≤ 5 s"),
    ("< 5 s", "5 s 미만", "5초 미만"),
    ("20..26 degC", "20 ~ 26 °C", "20~26 ℃", "20 to 26 degC", "20 ~ 26 °C 범위", "20 °C 이상 26 °C 이하"),
    ("== 0 건", "= 0건", "0건 일치", "0 건 일치"),
    ("<= 1 건/(1000 km)", "1,000 km당 1건 이하", "1000 km당 1 건 이하"),
    ("<= 3 건/camera-day", "카메라·일당 3건 이하", "<= 3 건/카메라·일", "<= 3 건 / (1 대·일)"),
    ("-3..3 %p", "-3 %p ~ +3 %p", "-3 %p 이상 3 %p 이하"),
    (">= 1,000 ppm", "1000 ppm 이상"),
]


@pytest.mark.parametrize("texts", SAME, ids=[texts[0] for texts in SAME])
def test_signs_and_words_say_the_same(texts: tuple[str, ...]) -> None:
    first = parse_bounds(texts[0])
    for text in texts[1:]:
        found = parse_bounds(text).to(first.unit)
        assert (found.low, found.high) == (first.low, first.high), text
        assert (found.low_closed, found.high_closed) == (first.low_closed, first.high_closed), text


def test_a_range_may_leave_an_end_out() -> None:
    found = parse_bounds("20 °C 이상 26 °C 미만")
    assert 20.0 in found and 26.0 not in found
    assert (found.shown("ko"), found.shown("en")) == ("20 °C 이상 26 °C 미만", "≥ 20 °C and < 26 °C")


@pytest.mark.parametrize(
    ("text", "korean", "english"),
    [
        (">= 95 %", "95 % 이상", "≥ 95 %"),
        ("20..26 degC", "20 ~ 26 °C", "20 to 26 °C"),
        ("== 0 건", "0건 일치", "= 0 cases"),
        ("<= 1 건/(1000 km)", "1건/1,000 km 이하", "≤ 1 per 1,000 km"),
        ("<= 3 건/camera-day", "3건/카메라·일 이하", "≤ 3 per camera-day"),
        ("4.0점 이상", "4점 이상", "≥ 4 points"),
        ("5초 이하", "5초 이하", "≤ 5 s"),
    ],
)
def test_how_people_read_it(text: str, korean: str, english: str) -> None:
    assert (parse_bounds(text).shown("ko"), parse_bounds(text).shown("en")) == (korean, english)


@pytest.mark.parametrize(
    "text",
    ["", "95 %", "about 5 s", ">= ", ">= %", "26..20 degC", "26 °C 이상 20 °C 미만", "20 °C 이상 20 °C 미만",
     "20 W 이상 30 s 이하", "<= 1e999 s", ">= 1 2 %", "=> 5 s", "5 s 이상 이하"],
)  # fmt: skip
def test_what_is_no_target(text: str) -> None:
    with pytest.raises((TargetError, UnitError)):
        parse_bounds(text)


@pytest.mark.parametrize("text", ["<= 5 foo", "<= 1 / (1000 foo)", "foo당 1건 이하", "1..2..3 s"])
def test_an_unknown_unit_is_named(text: str) -> None:
    with pytest.raises(UnitError, match="Unknown unit"):
        parse_bounds(text)


NUMBERS = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 4) + 0.0)
UNITS = st.sampled_from(["%", "s", "degC", "건", "kWh", "%p", "건/(1000 km)", "건/camera-day", ""])


FORMS = st.sampled_from(["{b} 이상", "{b} 초과", "{b} 이하", "{b} 미만", "{a} 이상 {b} 미만", "{low} ~ {b}"])


@given(NUMBERS, NUMBERS, UNITS, FORMS)
def test_what_is_shown_in_korean_reads_as_the_same(a: float, b: float, unit: str, form: str) -> None:
    low, high = sorted((a, b))
    if low == high:
        high += 1
    text = form.format(low=low, a=with_unit(f"{low:.4f}", unit, "ko"), b=with_unit(f"{high:.4f}", unit, "ko"))
    first = parse_bounds(text)
    again = parse_bounds(first.shown("ko"))
    # What is shown has ten digits; these numbers have no more.
    assert (again.low, again.high) == (first.low, first.high)
    assert (again.low_closed, again.high_closed) == (first.low_closed, first.high_closed)


@given(st.text(max_size=30))
def test_any_text_is_a_target_or_refused(text: str) -> None:
    try:
        found = parse_bounds(text)
    except (TargetError, UnitError):
        return
    assert found.low <= found.high
    assert not math.isnan(found.low) and not math.isnan(found.high)


@pytest.mark.parametrize(
    ("text", "value", "satisfied", "shown"),
    [
        ("95 % 이상", 95.0, True, "95.0"),
        ("95 % 이상", 94.999, False, "94.999"),
        ("95 % 초과", 95.0, False, "95.0"),
        ("95 % 초과", 95.0004, True, "95.0004"),
        ("5 s 이하", 5.0, True, "5.00"),
        ("5 s 미만", 5.0, False, "5.00"),
        ("5 s 이하", 5.0004, False, "5.0004"),
        ("0건 일치", 0, True, "0"),
        ("0건 일치", 1, False, "1"),
        ("20 ~ 26 °C", 26.0, True, "26.0"),
        ("20 ~ 26 °C", 26.001, False, "26.001"),
    ],
)
def test_a_value_on_its_bound_is_compared_unrounded(text: str, value: float, satisfied: bool, shown: str) -> None:
    target = parse_bounds(text)
    assert (value in target) is satisfied
    assert printed(value, target.unit, target) == shown


def test_what_never_comes_to_an_end_lies_above_every_number() -> None:
    assert math.inf in parse_bounds(">= 5 s")
    assert math.inf not in parse_bounds("<= 5 s")
    assert math.inf not in parse_bounds("5..6 s")


def bounds(text: str, unit: str, *, difference: bool = False) -> tuple[float, float]:
    found: Bounds = parse_bounds(text).to(unit, difference=difference)
    return found.low, found.high


def test_targets_change_their_unit() -> None:
    assert bounds("<= 5 s", "ms") == (-math.inf, 5000)
    assert bounds("60..80 degF", "degC") == pytest.approx((15.5555555, 26.6666666))
    assert bounds("<= 9 degF", "degC", difference=True) == (-math.inf, 5)
    assert bounds("<= 1 / (1000 km)", "건/km") == (-math.inf, 0.001)
    assert bounds("<= 3 건/camera-day", "건/(24 h*대)")[1] == 3
    assert bounds(">= 100", "건") == (100, math.inf)
    assert bounds("> 0", "kW") == (0, math.inf)
    for text, unit in [("<= 5 degC", "W"), (">= 95", "%"), ("<= 5 %p", "%"), ("<= 3 건", "%"), ("<= 1 건/km", "건/d")]:
        with pytest.raises(UnitError):
            parse_bounds(text).to(unit)

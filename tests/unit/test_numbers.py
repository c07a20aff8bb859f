"""The rule by which numbers are printed: a printed number and its verdict never disagree."""

from __future__ import annotations

import math
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.numbers import MISSING, printed, printed_difference, printed_interval, usual_decimals
from devices.plan.target import Bounds, parse_bounds

UNITS = st.sampled_from(["%", "s", "건", "", "ug/m^3", "degC", "%p", "h"])
SANE = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15)
TARGETS = st.builds(
    lambda sign, end: parse_bounds(f"{sign} {end:f}"),
    st.sampled_from([">=", ">", "<=", "<", "=="]),
    st.decimals(min_value=-1_000, max_value=100_000, places=3),
)


def read(text: str) -> float:
    return float(text.replace(",", ""))


@given(value=SANE, unit=UNITS, target=TARGETS)
def test_the_printed_number_stands_where_the_number_stands(value: float, unit: str, target: Bounds) -> None:
    assert (read(printed(value, unit, target)) in target) == (value in target)


@given(end=st.decimals(min_value=0, max_value=1_000, places=2), offset=st.floats(-0.1, 0.1), closed=st.booleans())
def test_also_close_to_the_target(end: Decimal, offset: float, closed: bool) -> None:
    target = parse_bounds(f"{'>=' if closed else '>'} {end} %")
    value = float(end) + offset
    assert (read(printed(value, "%", target)) in target) == (value in target)


@given(value=SANE, unit=UNITS)
def test_rounding_is_half_up_and_never_off_by_more_than_half_a_digit(value: float, unit: str) -> None:
    text = printed(value, unit)
    digit = Decimal(1).scaleb(-len(text.partition(".")[2]))
    off = Decimal(text.replace(",", "")) - Decimal(repr(value))
    assert abs(off) <= digit / 2
    if abs(off) == digit / 2:
        assert abs(Decimal(text.replace(",", ""))) > abs(Decimal(repr(value)))


@given(low=SANE, high=SANE, unit=UNITS, target=TARGETS)
def test_both_ends_of_an_interval_follow_the_rule(low: float, high: float, unit: str, target: Bounds) -> None:
    ends = re.split("–| ~ ", printed_interval(low, high, unit, target))
    assert [(read(end) in target) for end in ends] == [low in target, high in target]
    assert len({len(end.partition(".")[2]) for end in ends}) == 1


@pytest.mark.parametrize(
    ("value", "unit", "target", "text"),
    [
        (94.96, "%", ">= 95 %", "94.96"),
        (95.0, "%", ">= 95 %", "95.0"),
        (94.999996, "%", ">= 95 %", "94.999996"),
        (97.123, "%", ">= 95 %", "97.1"),
        (99.9496, "%", ">= 99.95 %", "99.9496"),
        (4.996, "s", "< 5 s", "4.996"),
        (5.0, "s", "<= 5 s", "5.00"),
        (26.004, "degC", "20..26 degC", "26.004"),
        (0.0, "건", "== 0", "0"),
        (0.04, "%", "<= 5 %", "0.04"),
        (99.98, "%", ">= 95 %", "99.98"),
        (100.0, "%", ">= 95 %", "100.0"),
        (99.99999999999999, "%", ">= 95 %", "100.0"),
        (2.675, "s", "<= 5 s", "2.68"),
        (-0.04, "%p", "<= 5 %p", "0.0"),
        (1234567.0, "건", ">= 5", "1,234,567"),
    ],
)
def test_worked_numbers(value: float, unit: str, target: str, text: str) -> None:
    assert printed(value, unit, parse_bounds(target)) == text


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_not_there_is_a_dash(value: float | None) -> None:
    assert printed(value, "%") == MISSING
    assert printed_difference(printed(value), "3.0") is None


def test_an_open_interval_says_which_end_there_is() -> None:
    assert printed_interval(96.21, None, "%") == "≥ 96.2"
    assert printed_interval(None, 4.0, "s") == "≤ 4.00"
    assert printed_interval(None, None, "s") == MISSING


def test_an_end_of_an_interval_may_reach_a_hundred() -> None:
    assert printed_interval(95.71, 99.998, "%") == "95.7–100.0"


@given(now=SANE, before=SANE, unit=UNITS)
def test_a_difference_is_that_of_what_is_printed(now: float, before: float, unit: str) -> None:
    one, other = printed(now, unit), printed(before, unit)
    told = printed_difference(one, other)
    assert told is not None
    difference = Decimal(one.replace(",", "")) - Decimal(other.replace(",", ""))
    assert Decimal(told.replace(",", "").replace("±", "")) == difference
    assert told[0] in "+-±"


def test_the_target_sets_the_least_digits() -> None:
    assert usual_decimals(99.0, "%", parse_bounds(">= 99.95 %")) == 2

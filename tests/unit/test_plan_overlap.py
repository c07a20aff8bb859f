"""Filters against a matcher that tries every topic."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from devices.plan.overlap import fault, matches, overlap

LEVELS = ("a", "b", "")
# Every topic of up to four levels over three names: enough to tell any two filters of up to three levels apart.
TOPICS = ["/".join(levels) for length in range(1, 5) for levels in product(LEVELS, repeat=length)]


@st.composite
def filters(draw: st.DrawFn) -> str:
    levels = draw(st.lists(st.sampled_from([*LEVELS, "+"]), min_size=1, max_size=3))
    if draw(st.booleans()):
        levels.append("#")
    text = "/".join(levels)
    return text or "a"


@given(filters(), filters())
def test_two_filters_overlap_exactly_if_some_topic_is_taken_by_both(one: str, other: str) -> None:
    by_trying = any(topic and matches(one, topic) and matches(other, topic) for topic in TOPICS)
    assert overlap(one, other) == overlap(other, one) == by_trying


@given(filters(), st.sampled_from([topic for topic in TOPICS if topic]))
def test_matching_agrees_with_paho(held: str, topic: str) -> None:
    assert matches(held, topic) == topic_matches_sub(held, topic)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a/#", "a", True),
        ("a/+", "a", False),
        ("a/+", "a/", True),
        ("#", "x/y", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/+/y", True),
        ("tele/+/SENSOR", "tele/kitchen/#", True),
        ("tele/+/SENSOR", "tele/kitchen/STATE", False),
    ],
)
def test_overlap_by_example(one: str, other: str, expected: bool) -> None:
    assert overlap(one, other) is expected


@pytest.mark.parametrize("text", ["a", "a/b", "/", "+", "#", "a/+/b", "a/#", "센서/온도", "a b"])
def test_a_filter_of_mqtt(text: str) -> None:
    assert fault(text) is None


@pytest.mark.parametrize("text", ["", "a/#/b", "a#", "#a", "a/b+", "+a/b", "a\x00b", "a\nb", "x" * 65_536])
def test_no_filter_of_mqtt(text: str) -> None:
    assert fault(text)

"""Topics and filters, against paho's own matcher."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from ingest.topics import covers, matches, without_covered

levels = st.sampled_from(["a", "b", "", "$x"])
topics = st.lists(levels, min_size=1, max_size=4).map("/".join)
filters = st.builds(
    lambda body, end: "/".join([*body, *end]),
    st.lists(levels | st.just("+"), max_size=3),
    st.sampled_from([[], ["#"]]),
).filter(bool)


@given(filters, topics)
def test_matching_is_what_paho_says(held: str, topic: str) -> None:
    assume(topic)
    assert matches(held, topic) == topic_matches_sub(held, topic)


@given(filters, filters, topics)
def test_what_covers_matches_all_that_the_other_does(wide: str, narrow: str, topic: str) -> None:
    if covers(wide, narrow) and matches(narrow, topic) and not topic.startswith("$"):
        assert matches(wide, topic)


@given(st.lists(filters, max_size=6), topics)
def test_fewer_filters_hear_the_same(held: list[str], topic: str) -> None:
    assume(not topic.startswith("$"))
    kept = without_covered(held)
    assert set(kept) <= set(held)
    assert any(matches(one, topic) for one in kept) == any(matches(one, topic) for one in held)

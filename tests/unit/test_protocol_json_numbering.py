"""The number of a message: where it stands, and that it is found in what cannot be read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.protocols.json.numbering import END, NotNumbered, found_in, reader

numbers = st.integers(0, END - 1)
boots = st.text(alphabet="abc-한글 0:{}[],", max_size=20) | st.integers(-(2**60), 2**60)
others = st.recursive(
    st.none() | st.integers() | st.text(max_size=10) | st.sampled_from(['"seq": 1', "seq", '{"seq":1}', "\\"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["seq", "boot", "x", "é"]), inner),
    max_leaves=8,
)
tops = st.dictionaries(st.sampled_from(["ts", "values", "z", "note"]), others, max_size=4)


@given(numbers, boots)
def test_a_number_is_read_with_its_boot(seq: int, boot: Any) -> None:
    read = reader()
    assert read is not None
    assert read({"ts": 1, "seq": seq, "boot": boot}) == (str(boot), seq)
    assert read({"ts": 1, "seq": seq}) == read({"seq": seq, "boot": None}) == ("", seq)
    assert read({"boot": boot}) is read({"seq": None}) is None


@pytest.mark.parametrize(
    "top",
    [
        *({"seq": seq} for seq in (True, False, -1, END, 7.0, "7", [7], {"seq": 7})),
        *({"seq": 7, "boot": boot} for boot in (True, 7.5, [], {}, "a\x00", "a\n", "\ud800", "a" * 65, 10**64)),
    ],
)
def test_what_is_no_number_is_told(top: dict[str, Any]) -> None:
    read = reader()
    assert read is not None
    with pytest.raises(NotNumbered):
        read(top)


def test_keys_that_the_plan_reads_for_something_else_number_nothing() -> None:
    assert reader(taken=["seq", "boot"]) is None
    read = reader(taken=["boot", "x"])
    assert read is not None and read({"seq": 7, "boot": "a"}) == ("", 7)


@given(tops, numbers, boots, st.booleans(), st.booleans(), st.binary(max_size=6))
def test_the_number_at_the_top_is_found_in_a_payload_that_is_cut(
    top: dict[str, Any], seq: int, boot: Any, first: bool, as_list: bool, garbage: bytes
) -> None:
    own = {"seq": seq, "boot": boot}
    whole = {**own, **top} if first else {**top, **own}
    text = json.dumps(whole, ensure_ascii=False)
    if as_list:
        text = f"[{text}, {json.dumps({'seq': seq + 1})}]"
    payload = text.encode()
    assert found_in(payload) == (str(boot), seq), "whole"
    if first:
        end = text.index(json.dumps(boot, ensure_ascii=False), text.index('"boot"')) + len(
            json.dumps(boot, ensure_ascii=False)
        )
        assert found_in((text[:end] + ",").encode() + garbage.replace(b'"', b"")) in ((str(boot), seq), None)


@given(tops, others)
def test_a_number_below_the_top_is_never_taken_for_the_messages_own(top: dict[str, Any], other: Any) -> None:
    payload = json.dumps({**top, "x": {"seq": 5, "y": other}}).encode()
    assert found_in(payload) is None
    for end in range(0, len(payload), 3):
        assert found_in(payload[:end]) is None


@pytest.mark.parametrize("own", ['"seq":77,"boot":"z"', '"boot" : "z" , "seq" : 77'])
@pytest.mark.parametrize("size", [10, 1_000, 20_000])
@pytest.mark.parametrize("filling", ['"a":1,', '"a":"{[",', '"seq":{"b":"\\"}"},'])
def test_it_is_found_before_and_behind_what_is_too_large(own: str, size: int, filling: str) -> None:
    for shift in range(7):
        for payload in (
            f'{{{own},"values":{{{filling * size}"c":{10**shift}}}}}',
            f'{{"values":{{{filling * size}"c":{10**shift}}},{own}}}',
            f'[{{{own},"values":{{{filling * size}"c":{10**shift}}}}},{{"seq":78}}]',
        ):
            assert found_in(payload.encode()) == ("z", 77)


@given(st.binary(max_size=300) | st.text(alphabet='{}[]",:\\ seqbot01-', max_size=300).map(str.encode))
def test_any_bytes(payload: bytes) -> None:
    found = found_in(payload)
    if found is not None:
        assert 0 <= found[1] < END and len(found[0]) <= 64 and found[0].isprintable()


@pytest.mark.parametrize("evil", [b'{"' + b'\\"' * 50_000, b"{" * 100_000, b'{"seq":1,' * 50_000, b'\\"' * 50_000])
def test_it_looks_at_no_more_than_it_must(evil: bytes) -> None:
    found_in(evil)  # the test's time limit is the assertion: quadratic searching would pass it

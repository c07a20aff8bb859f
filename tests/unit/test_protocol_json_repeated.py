"""A key that stands twice in one JSON object is noticed, whatever else the payload holds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.protocols.json import document
from ingest.protocols.json.repeated import Repeated, sure

blanks = st.text(alphabet=" \t\r\n", max_size=2)
names = st.sampled_from(["ts", "values", "a", "b", ":", '":', "é:", "\\", "seq"]) | st.text(max_size=4)
texts = st.text(alphabet=st.sampled_from('ab":\\ \n') | st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | texts


class Pairs(list[tuple[str, Any]]):
    """An object to be written as it is, repeated keys and all."""


documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.lists(st.tuples(names, inner), max_size=4).map(Pairs),
    max_leaves=12,
)


def written(piece: Any, draw: Any) -> str:
    if isinstance(piece, Pairs):
        pairs = [
            f"{draw(blanks)}{text_of(name, draw)}{draw(blanks)}:{draw(blanks)}{written(value, draw)}{draw(blanks)}"
            for name, value in piece
        ]
        return "{" + ",".join(pairs) + "}"
    if isinstance(piece, list):
        return "[" + ",".join(written(one, draw) for one in piece) + "]"
    return text_of(piece, draw) if isinstance(piece, str) else json.dumps(piece)


def text_of(text: str, draw: Any) -> str:
    plain = json.dumps(text, ensure_ascii=draw(st.booleans()))
    return plain.replace(":", "\\u003a") if draw(st.booleans()) else plain


def repeats(piece: Any) -> bool:
    if isinstance(piece, Pairs):
        return len(dict(piece)) < len(piece) or any(repeats(value) for _, value in piece)
    return isinstance(piece, list) and any(map(repeats, piece))


def marked_anywhere(piece: Any) -> bool:
    if type(piece) is Repeated:
        return True
    inner = piece.values() if type(piece) is dict else piece if type(piece) is list else ()
    return any(map(marked_anywhere, inner))


@given(documents, st.data())
def test_an_object_is_marked_exactly_if_it_repeats_a_key(piece: Any, data: st.DataObject) -> None:
    found = document.read(written(piece, data.draw).encode())
    assert marked_anywhere(found) == repeats(piece)


@given(documents.filter(lambda piece: not repeats(piece)), st.data())
def test_what_repeats_nothing_is_read_as_any_reader_does(piece: Any, data: st.DataObject) -> None:
    text = written(piece, data.draw)
    assert document.read(text.encode()) == json.loads(text)


@pytest.mark.parametrize("payload", [
    b'{"a":1,"a":2}',
    b'\xef\xbb\xbf{"a":1,"a":2}',
    b'{"a":NaN,"a":2}',
    b'{"a":1e999,"a":2}',
    b'{"a":' + b"9" * 5_000 + b',"a":2}',
    b'{"a":1,"\\u0061":2}',
    b'{"a":"\\ud83d\\ude00","a" : 2}',
])  # fmt: skip
def test_odd_payloads_hide_nothing(payload: bytes) -> None:
    found = document.read(payload)
    assert type(found) is Repeated and found.names == ["a"]


def test_what_nobody_doubts_is_left_and_all_of_it_is_shown() -> None:
    found = document.read(b'{"a":1,"b":{"c":1,"c":2},"a":"x"}')
    assert set(sure(found)) == {"b"}
    assert document.shown(found) == '{"a":1,"b":{"c":1,"c":2},"a":"x"}'
    assert "a" in found.told()

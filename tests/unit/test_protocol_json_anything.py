"""Whatever the bytes, a decoder raises nothing, and every message leaves something behind that says what became of it."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.window import EPOCH, instant
from devices.plan.model import Connection, Slot
from ingest import reasons
from ingest.message import Decoded, Message, message_flags
from ingest.planned import planned
from ingest.protocols.json.decoder import JsonConnection
from telemetry.batch import Flag

START_US = 1_772_290_800_000_000  # 2026-03-01 in Seoul
END_US = 1_803_826_800_000_000
NOW_US = 1_780_282_800_000_000
SLOT = Slot.model_validate(
    {
        "device": {"serial": "x"},
        "channels": {
            "a": {"unit": "W", "period": "1 s"},
            "b": {"unit": "degC", "source_unit": "degF", "period": "1 s"},
            "c": {"kind": "state", "states": ["on", "off"], "reporting": "on_change"},
            "d": {"unit": "W", "source": "x.y.0", "period": "1 s"},
        },
        "events": {"alarm": {}},
    }
)
MAPPED = SLOT.model_copy(update={"connection": "gw"})
NATIVE = JsonConnection(planned(pilot="p", start_us=START_US, end_us=END_US, connections={}, slots={"s": SLOT})[0])
OWN = JsonConnection(
    planned(
        pilot="p",
        start_us=START_US,
        end_us=END_US,
        connections={"gw": Connection.model_validate({"topics": ["own/#"], "time": {"zone": "Asia/Seoul"}})},
        slots={"s": MAPPED},
    )[0]
)
DECODERS = {
    topic: connection.decoder(topic)
    for connection, topics in (
        (NATIVE, ("pilots/p/s/readings", "pilots/p/s/events", "pilots/p/s/status")),
        (OWN, ("own/thing",)),
    )
    for topic in topics
}

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["on", "12", "NaN", "1e999", "2026-06-01T03:00:00Z", "2026-06-01T03:00:00", "24:00", "Offline"])
    | st.integers(NOW_US // 1000 - 10**6, NOW_US // 1000 + 10**6)
)  # fmt: skip
names = st.sampled_from(
    [
        "ts",
        "values",
        "a",
        "b",
        "c",
        "d",
        "x",
        "y",
        "x.y.0",
        "id",
        "kind",
        "at",
        "state",
        "phase",
        "number",
        "attributes",
        "seq",
        "boot",
    ]
) | st.text(max_size=8)
documents = st.recursive(
    scalars | st.just("alarm"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6),
    max_leaves=20,
)
topics = st.sampled_from(sorted(DECODERS))


def decoded(topic: str, payload: bytes, *, retain: bool = False) -> Decoded:
    decoder = DECODERS[topic]
    assert decoder is not None
    out = Decoded()
    message = Message(topic=topic, payload=payload, received_us=NOW_US, flags=message_flags(retain=retain, qos=1))
    decoder.decode(message, out)
    return out


def check(topic: str, payload: bytes, out: Decoded) -> None:
    """What holds of every result."""
    assert len(out.channel_id) == len(out.observed_us) == len(out.value) == len(out.flags)
    assert all(math.isfinite(value) for value in out.value)
    assert all(START_US <= us < END_US and us <= NOW_US + 300_000_000 for us in out.observed_us)
    assert len(out.quarantined) <= 1
    assert not (out.quarantined and (out.accepted() or out.rejected)), "either taken apart or set aside, never both"
    if payload or not topic.endswith("status"):
        assert out.accepted() or out.rejected or out.quarantined, "a message left no trace"
    assert {r.reason for r in (*out.rejected, *out.quarantined)} <= set(reasons.REASONS)
    for record in (*out.rejected, *out.quarantined):
        texts = [getattr(record, name) for name in record.__dataclass_fields__]
        assert all("\x00" not in text and text.encode() is not None for text in texts if isinstance(text, str))
    assert len(out.sequences) <= 1
    for event in out.events:
        assert isinstance(json.loads(event.attributes), dict)
        assert event.id and "\x00" not in event.id and "\x00" not in json.loads(event.attributes)
    arrivals = [place for place, flags in enumerate(out.flags) if flags & Flag.ARRIVAL_TIME]
    assert arrivals == sorted(out.arrivals)


@given(topics, st.binary(max_size=200), st.booleans())
def test_any_bytes(topic: str, payload: bytes, retain: bool) -> None:
    check(topic, payload, decoded(topic, payload, retain=retain))


@given(topics, documents, st.booleans())
def test_any_document(topic: str, document: Any, retain: bool) -> None:
    payload = json.dumps(document).encode()  # writes NaN and Infinity, as Python devices do
    check(topic, payload, decoded(topic, payload, retain=retain))


@given(topics, documents, st.data())
def test_any_damaged_document(topic: str, document: Any, data: st.DataObject) -> None:
    payload = bytearray(json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    check(topic, bytes(payload), decoded(topic, bytes(payload)))


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.floats(-1e9, 1e9) | st.integers(-(2**53), 2**53), min_size=1))
def test_good_readings_arrive_whole_whatever_came_before(values: dict[str, float]) -> None:
    payload = msgspec.json.encode({"ts": NOW_US // 1000, "values": values})
    for _ in range(2):
        out = decoded("pilots/p/s/readings", payload)
        assert not out.rejected and not out.quarantined
        found = dict(zip(out.channel_id, out.value, strict=True))
        if "a" in values:
            assert found[1] == float(values["a"])
        if "b" in values:
            assert found[2] == pytest.approx((values["b"] - 32) * 5 / 9, rel=1e-12, abs=1e-9)


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "ts": scalars | st.integers(NOW_US // 1000 - 10**9, NOW_US // 1000 + 10**9),
                "values": st.dictionaries(st.sampled_from(["a", "b", "c", "z"]), scalars | st.floats(-1e300, 1e300)),
            },
        )
        | documents,
        max_size=6,
    )
)
def test_the_short_way_comes_to_the_same_as_the_long_one(elements: list[Any]) -> None:
    payload = json.dumps(elements).encode()
    message = Message(topic="pilots/p/s/readings", payload=payload, received_us=NOW_US)
    found = []
    for short in (True, False):
        decoder: Any = NATIVE.decoder(message.topic)
        known = Decoded()  # teach it the usual shapes first
        for values in ({"a": 1}, {"b": 1}, {"a": 1, "b": 1}, {"b": 1, "a": 1}):
            teaching = msgspec.json.encode({"ts": NOW_US // 1000, "values": values})
            decoder.decode(Message(topic=message.topic, payload=teaching, received_us=NOW_US), known)
        if not short:
            decoder._quick = None
            readings = decoder._take.__self__
            readings._only = None
            readings._slots[0]._shapes.clear()
            readings._slots[0].remember = lambda _: None
        out = Decoded()
        decoder.decode(message, out)
        found.append(out)
    assert found[0] == found[1]


@pytest.mark.parametrize("payload", [
    b"[" * 200_000,
    b'{"a":' * 40_000,
    b'{"ts":1,"values":{"a":' + b"9" * 100_000 + b"}}",
    b'{"ts":' + b"9" * 5_000 + b',"values":{"a":1}}',
    b'{"ts":"' + b"9" * 100_000 + b'","values":{"a":1}}',
    b'{"ts":1e308,"values":{"a":1}}',
    b'{"ts":-1e308,"values":{"a":1e308,"b":1e308}}',
    b'{"values":{"a":"' + b"1" * 100_000 + b'"}}',
    b'{"values":' + b'[' * 900 + b']' * 900 + b"}",
    b'{"values":{"a":' + b'[' * 900 + b']' * 900 + b"}}",
    b"\xef\xbb\xbf" * 50_000,
    b"NaN", b"[NaN]", b"[" * 100_000 + b"NaN",
    b'{"values":{"a":"\\ud800"}}', b'{"values":{"\\ud800":1}}',
    b'{"ts":"0001-01-01T00:00:00+23:59","values":{"a":1}}',
    b'{"ts":"9999-12-31T23:59:60-23:59","values":{"a":1}}',
])  # fmt: skip
def test_hostile_payloads(payload: bytes) -> None:
    for topic in DECODERS:
        check(topic, payload, decoded(topic, payload))


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999", "null", "true", '"x"', "1" + "0" * 400])
@pytest.mark.parametrize("at", [0, 1])
def test_what_is_no_number_is_refused_among_numbers_that_came_together_before(word: str, at: int) -> None:
    values = ["1.0", "32"]
    for _ in range(2):
        decoded("pilots/p/s/readings", b'{"ts": %d, "values": {"a": 1, "b": 32}}' % (NOW_US // 1000))
    values[at] = word
    payload = '{"ts": %d, "values": {"a": %s, "b": %s}}' % (NOW_US // 1000, *values)  # noqa: UP031 - as devices do
    out = decoded("pilots/p/s/readings", payload.encode())
    assert (out.value, [one.item for one in out.rejected]) == ([[0.0], [1.0]][at], [["a"], ["b"]][at])


@pytest.mark.parametrize("depth", [1, 350, 699, 700, 701, 950, 1_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"x":"[","a":', b"}]")])
@pytest.mark.parametrize("end", [b"1", b"?", b"NaN", b'"\xff"', b""])
def test_how_deep_a_message_may_nest_does_not_hang_on_who_asks(
    depth: int, opening: bytes, closing: bytes, end: bytes
) -> None:
    levels = depth * (opening.count(b"[", 0, 1) + opening.count(b"{"))
    payload = opening * depth + end + closing * depth

    def asked(frames: int) -> Decoded:
        return asked(frames - 1) if frames else decoded("pilots/p/s/readings", payload)

    outs = [asked(frames) for frames in (0, 40, 80)]
    assert outs[0] == outs[1] == outs[2]
    (held,) = outs[0].quarantined or [None]
    if levels > 700:
        assert held is not None and held.reason == reasons.TOO_DEEP
    elif held is not None:
        assert held.reason != reasons.TOO_DEEP


def test_a_selected_slot_takes_nothing_of_a_message_that_does_not_say_whose_it_is() -> None:
    slots = {name: SLOT.model_copy(update={"connection": "gw", "select": {"id": name}}) for name in ("s", "t")}
    (binding,) = planned(
        pilot="p", start_us=START_US, end_us=END_US,
        connections={"gw": Connection.model_validate({"topics": ["own/#"]})}, slots=slots,
    )  # fmt: skip
    decoder = JsonConnection(binding).decoder("own/thing")
    assert decoder is not None
    for payload, reason in ((b'{"a": 1}', reasons.NO_SLOT), (b'{"id": {"x": 1}, "a": 1}', reasons.NO_SLOT)):
        out = Decoded()
        decoder.decode(Message(topic="own/thing", payload=payload, received_us=NOW_US), out)
        assert [held.reason for held in out.quarantined] == [reason]


def test_the_period_of_these_tests() -> None:
    assert instant(START_US) < instant(NOW_US) < instant(END_US) and instant(0) == EPOCH

"""The short way of JSON: it takes what is usual, and whatever it takes is what the long way would have taken, to the bit."""

from __future__ import annotations

import json
import struct
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.binding import ConnectionBinding, SlotBinding, channel_binding
from ingest.message import Decoded, Message
from ingest.protocols.json.decoder import JsonConnection
from ingest.protocols.onem2m.decoder import OneM2mConnection

NOW_US = 1_780_282_800_000_000
NOW_MS = NOW_US // 1000
NATIVE, OWN = "pilots/p/s/readings", "acme/1/up"


def binding(**options: Any) -> ConnectionBinding:
    def gauge(number: int, name: str, **said: Any) -> Any:
        return channel_binding(channel_id=number, name=name, kind="gauge", unit="degC", options=said)

    channels = (
        gauge(1, "a"), gauge(2, "b", source_unit="degF"), gauge(3, "c", source="온도 c"),
        channel_binding(channel_id=4, name="m", kind="state", unit="state", options={"states": ["on", "off"]}),
    )  # fmt: skip
    return ConnectionBinding(
        connection_id=7, name="gw", pilot_id=1, pilot="p", protocol="json", start_us=NOW_US - 10**12,
        end_us=NOW_US + 10**8, options=options, topics=(OWN,),
        slots=(SlotBinding(slot_id=1, name="s", channels=channels, events=frozenset({"alarm"})),),
    )  # fmt: skip


PLANS: dict[str, dict[str, Any]] = {
    "usual": {},
    "ms": {"time": {"path": "t", "format": "ms"}},
    "iso": {"time": {"path": "ts", "format": "iso", "zone": "UTC"}},
    "flat": {"values": ""},
    "under": {"values": "data"},
    "no clock": {"clock": False},
    "seq is time": {"time": {"path": "seq"}},
}


def decoded(decoder: Any, payload: bytes, flags: int = 0) -> Decoded:
    out = Decoded()
    topic = decoder.topic if hasattr(decoder, "topic") else OWN
    decoder.decode(Message(topic=topic, payload=payload, received_us=NOW_US, flags=flags), out)
    return out


def plain(out: Decoded) -> dict[str, Any]:
    found = {field.name: getattr(out, field.name) for field in fields(out) if field.name != "memory"}
    found["value"] = [struct.pack("<d", value) for value in out.value]
    return found


numbers = st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.integers(-100, 100) | st.just(-0.0)
odd = st.none() | st.booleans() | st.text(max_size=5) | st.just("on") | st.just([1]) | st.just({"a": 1})
times = st.integers(NOW_MS - 10**6, NOW_MS + 10**6) | st.integers(0, 10**18) | st.floats(0, 1e13) | odd
keys = st.sampled_from(["a", "b", "온도 c", "m", "z", "x:y"])
tops = st.sampled_from(["ts", "t", "seq", "boot", "state", "id", "kind", "rssi", "data", "values"])
objects = st.dictionaries(keys, numbers, max_size=5) | st.dictionaries(keys, numbers | odd, max_size=5)
messages = st.one_of(
    st.fixed_dictionaries(
        {"ts": times, "values": objects},
        optional={
            "seq": st.integers(-2, 2**63) | odd,
            "boot": st.text(max_size=70) | st.integers() | odd,
            "rssi": numbers | odd,
        },
    ),
    st.builds(lambda top, flat: {**top, **flat}, st.dictionaries(tops, times | numbers | objects, max_size=4), objects),
    st.dictionaries(tops, times | objects, max_size=5),
)
written = st.builds(
    lambda document, ascii_only, blank: json.dumps(
        document, ensure_ascii=ascii_only, separators=(", ", ": ") if blank else (",", ":")
    ).encode("utf-8", "surrogatepass"),
    messages, st.booleans(), st.booleans(),
)  # fmt: skip


@st.composite
def sent(draw: st.DrawFn) -> list[bytes]:
    """Messages of few shapes, again and again, some of them with a key twice or a bite taken out."""
    shapes = draw(st.lists(written, min_size=1, max_size=3))
    found = []
    for _ in range(draw(st.integers(1, 6))):
        payload = bytearray(draw(st.sampled_from(shapes)))
        match draw(st.sampled_from(["as it is", "as it is", "bite", "twice", "swap"])):
            case "bite":
                place = draw(st.integers(0, len(payload)))
                payload[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
            case "twice":
                payload = bytearray(payload.replace(b'"a"', b'"b"', 1) if b'"a"' in payload else payload)
            case "swap":
                payload = bytearray(
                    payload.replace(b"0", draw(st.sampled_from([b"9", b"-0", b"1e9", b"null", b'"1"'])))
                )
        found.append(bytes(payload))
    return found


@pytest.mark.parametrize("topic", [NATIVE, OWN])
@pytest.mark.parametrize("plan", PLANS)
@settings(max_examples=80, deadline=None)
@example(payloads=[b'{"ts":%d,"values":{"a":1}}' % NOW_MS, b'{"ts":%d,"values":{"a":1,"a":2}}' % NOW_MS])
@example(payloads=[b'{"ts":%d,"values":{"a":1,"z":2}}' % NOW_MS, b'{"ts":%d,"values":{"a":1,"a":2,"z":3}}' % NOW_MS])
@example(payloads=[b'{"ts":%d,"a":1,"z":"x"}' % NOW_MS, b'{"ts":%d,"a":1,"z":"\xff"}' % NOW_MS])
@example(payloads=[b'{"ts":%d,"a":1,"z":1}' % NOW_MS, b'{"ts":%d,"a":1,"z":%s}' % (NOW_MS, b"[" * 900 + b"]" * 900)])
@example(payloads=[b'{"ts":%d,"values":{"a":1}}' % NOW_MS, b'{"ts":%d,"values":{"a":9007199254740993}}' % NOW_MS])
@example(payloads=[b'{"ts":%d,"values":{"a":1}}' % NOW_MS, b'{"ts":%d,"values":{"a":-0}}' % NOW_MS])
@example(payloads=[b'{"ts":%d,"values":{"a":1}}' % NOW_MS, b'{"ts":%d,"values":{"a":1},"boot":"b"}' % NOW_MS])
@given(payloads=sent())
def test_both_ways_come_to_the_same(plan: str, topic: str, payloads: list[bytes]) -> None:
    short: Any = JsonConnection(binding(**PLANS[plan])).decoder(topic)
    long: Any = JsonConnection(binding(**PLANS[plan])).decoder(topic)
    taking = long._take.__self__
    readings = taking._readings if topic == OWN else taking
    long._quick = readings._only = None
    readings._slots[0].remember = lambda _: None
    for payload in [payloads[0], *payloads]:
        found = []
        for decoder in (short, long):
            out = Decoded()
            decoder.decode(Message(topic=topic, payload=payload, received_us=NOW_US, flags=2), out)
            found.append(plain(out))
        assert found[0] == found[1]


USUAL: list[tuple[str, str, dict[str, Any]]] = [
    (NATIVE, "usual", {"ts": NOW_MS, "values": {"a": 1.5, "b": 32, "온도 c": -0.0}}),
    (NATIVE, "usual", {"ts": NOW_MS, "values": {"b": 32.0}}),
    (NATIVE, "usual", {"seq": 5, "boot": "b1", "ts": NOW_MS, "values": {"a": 1.5}}),
    (NATIVE, "usual", {"ts": NOW_MS, "values": {"b": 5, "a": 1.5}, "seq": 7}),
    (NATIVE, "ms", {"t": NOW_MS, "values": {"a": 1.5}}),
    (OWN, "usual", {"ts": NOW_MS, "a": 1.5, "rssi": -70, "name": "n"}),
    (OWN, "usual", {"ts": NOW_MS, "values": {"a": 1.5, "z": None}, "rssi": -70}),
    (OWN, "under", {"data": {"b": 1.5}, "ts": NOW_MS}),
]


@pytest.mark.parametrize(("topic", "plan", "document"), USUAL)
def test_what_is_usual_takes_the_short_way(topic: str, plan: str, document: dict[str, Any]) -> None:
    decoder: Any = JsonConnection(binding(**PLANS[plan])).decoder(topic)
    first, payload = Decoded(), json.dumps(document).encode()
    message = Message(topic=topic, payload=payload, received_us=NOW_US)
    decoder.decode(message, first)
    out = Decoded()
    assert decoder._quick.take(message, out)
    assert plain(out) == plain(first)
    assert out.value


def test_it_does_not_try_for_ever_what_never_comes_again() -> None:
    decoder: Any = JsonConnection(binding()).decoder(NATIVE)
    one, other = (json.dumps({"ts": NOW_MS, "values": {"a": value}}).encode() for value in (1, "1"))
    for place in range(5_000):
        payload = other if place % 3 else one
        decoder.decode(Message(topic=NATIVE, payload=payload, received_us=NOW_US), Decoded())
    assert decoder._quick._decode is None
    assert not decoder._quick.learns


def test_another_shape_takes_the_place_of_one_that_comes_no_more() -> None:
    decoder: Any = JsonConnection(binding()).decoder(NATIVE)
    for values in [{"a": 1}] * 5 + [{"b": 1}] * 60:
        message = Message(
            topic=NATIVE, payload=json.dumps({"ts": NOW_MS, "values": values}).encode(), received_us=NOW_US
        )
        decoder.decode(message, Decoded())
    assert decoder._quick.take(message, Decoded())


def test_what_is_wrapped_by_another_protocol_goes_the_long_way() -> None:
    one: Any = OneM2mConnection(binding()).decoder(OWN)
    lists: Any = JsonConnection(binding(options={"pieces": "data"})).decoder(OWN)
    selected = binding()
    object.__setattr__(selected.slots[0], "select", {"id": "a"})
    chosen: Any = JsonConnection(selected).decoder(OWN)
    assert one._quick is lists._quick is chosen._quick is None

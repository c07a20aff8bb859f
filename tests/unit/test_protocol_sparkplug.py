"""Sparkplug: what holds of every node, whatever it says and in whatever order it arrives."""

from __future__ import annotations

import contextlib
import itertools
import json
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2  # type: ignore[import-untyped]
from google.protobuf.internal import api_implementation  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.access import heard as may_hear
from devices.plan.model import Connection, Slot
from ingest import reasons
from ingest.memory import Memory, Recollection
from ingest.message import Decoded, Message
from ingest.planned import planned
from ingest.protocols.sparkplug import datatypes, decoder, doubt, node, payload, remembered, schema, state
from ingest.protocols.sparkplug.decoder import SparkplugConnection, TopicDecoder
from ingest.protocols.sparkplug.host import HostState, rebirth
from ingest.protocols.sparkplug.names import names
from ingest.protocols.sparkplug.options import Options
from ingest.protocols.sparkplug.schema import Payload
from ingest.protocols.sparkplug.topics import heard
from ingest.reasons import Refused

T = 1_780_282_800_000
ROOM = Path(schema.__file__).parent
TYPES = {"a": 9, "b": 10, "c": 3, "d": 4, "e": 1, "f": 8, "g": 11, "h": 6, "nobody": 7}
FIELDS = {9: "float_value", 10: "double_value", 4: "long_value", 8: "long_value", 11: "boolean_value"}
ALIASES = {name: place * 40 for place, name in enumerate(TYPES)}
UNITS = {"a": "degF", "b": "W", "c": "W", "d": "W", "e": "W", "f": "W", "h": "kW"}


def connection(select: dict[str, str] | None = None, **options: Any) -> SparkplugConnection:
    channels: dict[str, Any] = {
        name: {"unit": "degC" if unit == "degF" else "W", "source_unit": unit, "period": "1 s"}
        for name, unit in UNITS.items()
    }
    channels["a2"] = {"unit": "degF", "source": "a", "period": "1 s"}
    channels["g"] = {"kind": "state", "states": ["false", "true"], "reporting": "on_change"}
    slot = {
        "device": {"serial": "1"}, "connection": "c", "select": {"device": "D1"} if select is None else select,
        "channels": channels,
    }  # fmt: skip
    plc = {"protocol": "sparkplug", "topics": ["spBv1.0/G/+/N1", "spBv1.0/G/+/N1/+"], **options}
    (binding,) = planned(
        pilot="p", start_us=0, end_us=2 * 10**15, connections={"c": Connection.model_validate(plc)},
        slots={"s": Slot.model_validate(slot)},
    )  # fmt: skip
    return SparkplugConnection(binding)


def message(kind: str, body: Any, at_ms: int = T, **given: Any) -> Message:
    topic = f"spBv1.0/G/{kind}/N1" + ("/D1" if kind[0] == "D" else "")
    raw = body if isinstance(body, bytes) else body.SerializeToString()
    return Message(topic=topic, payload=raw, received_us=at_ms * 1000, **given)


def born(at_ms: int = T, seq: int = 0, aliases: dict[str, int] = ALIASES) -> list[Message]:
    top, device = Payload(timestamp=at_ms, seq=seq), Payload(timestamp=at_ms, seq=(seq + 1) % 256)
    top.metrics.add(name=b"bdSeq", datatype=4, long_value=5)
    for name, alias in aliases.items():
        device.metrics.add(name=name.encode(), alias=alias, datatype=TYPES[name], is_null=True, timestamp=at_ms)
    return [message("NBIRTH", top, at_ms), message("DBIRTH", device, at_ms)]


def data(seq: int, value: float = 1.0, at_ms: int = T, **given: Any) -> Message:
    body = Payload(timestamp=at_ms, seq=seq % 256)
    body.metrics.add(alias=ALIASES["b"], double_value=value, timestamp=at_ms)
    return message("DDATA", body, at_ms, **given)


def decoded(of: SparkplugConnection, *messages: Message, memory: Recollection | None = None) -> Decoded:
    out = Decoded() if memory is None else Decoded(memory=memory)
    for one in messages:
        found = of.decoder(one.topic)
        assert found is not None
        found.decode(one, out)
    return out


def waited(of: SparkplugConnection, out: Decoded, at_ms: int) -> Decoded:
    later = Decoded(memory=out.memory)
    of.wait(at_ms * 1000, later)
    return later


# The schema


def test_the_schema_is_that_of_the_proto_file(tmp_path: Path) -> None:
    protoc = pytest.importorskip("grpc_tools.protoc", reason="grpcio-tools is not installed")
    out = tmp_path / "set.bin"
    assert protoc.main(["", f"-I{ROOM}", f"--descriptor_set_out={out}", "sparkplug_b.proto"]) == 0
    (compiled,) = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file
    for described in (compiled, mine := schema.file_descriptor()):
        described.ClearField("syntax")
        for one in described.message_type:
            for field in one.field:
                field.ClearField("json_name")
    assert mine == compiled


def test_payloads_are_read_by_the_quick_engine() -> None:
    assert api_implementation.Type() == "upb"


# Values


@given(st.sampled_from(sorted(datatypes.SIGNED_BITS.items())), st.data())
def test_signed_integers_come_back_from_their_twos_complement(kind: tuple[int, int], draw: st.DataObject) -> None:
    datatype, bits = kind
    number = draw.draw(st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1))
    widths = [width for width in (8, 16, 32, 64) if width >= bits and width in (bits, 32, 64)]
    width = draw.draw(st.sampled_from(widths))
    for field in ("int_value", "long_value"):
        if width <= (32 if field == "int_value" else 64) and (width != 8 or bits == 8):
            one = Payload().metrics.add(**{field: number % 2**width})
            if bits == 64 and field == "int_value":
                continue
            assert datatypes.value(one, datatype) == number


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_is_what_its_32_bits_say(number: float) -> None:
    (exact,) = struct.unpack("<f", struct.pack("<f", number))
    assert datatypes.value(Payload().metrics.add(float_value=number), datatypes.FLOAT) == exact


# The short way and the long way

METRICS = st.lists(
    st.fixed_dictionaries(
        {"value": st.sampled_from([0, 1, 127, 128, 200, 255, 40_000, 2**31, 2**32 - 1, 2**53, 2**63, 2**64 - 1, 0.0, -0.0, 1.5,
                                   1e300, float("nan"), float("inf"), True, None])},
        optional={
            "alias": st.sampled_from([*ALIASES.values(), 7]), "name": st.sampled_from([*TYPES, "", "unknown", "\ufffd"]),
            "timestamp": st.sampled_from([T, T - 5_000, 0, 1, 2**64 - 1, T + 10**7]),
            "datatype": st.sampled_from([*TYPES.values(), 99]),
            "is_null": st.booleans(), "is_historical": st.booleans(), "is_transient": st.booleans(),
            "field": st.sampled_from(["float_value", "double_value", "int_value", "long_value", "boolean_value"]),
            "quality": st.sampled_from([0, 192]),
        },
    ),
    max_size=5,
)  # fmt: skip
USUAL = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", "d", "f", "h"]), st.sampled_from([0, 1, 5, 2**31, 2**32 - 1, 2**40])), max_size=5
)  # fmt: skip


def metric_of(said: dict[str, Any], body: Any) -> None:
    said = dict(said)
    value, field, quality = said.pop("value"), said.pop("field", None), said.pop("quality", None)
    name = said.get("name")
    if name is not None:
        said["name"] = name.encode()
    known = name or next((one for one, alias in ALIASES.items() if alias == said.get("alias")), "a")
    field = field or FIELDS.get(TYPES.get(known, 9), "int_value")
    one = body.metrics.add(**said)
    if value is not None:
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            setattr(one, field, value)
    if quality is not None:
        one.properties.keys.append(b"Quality")
        one.properties.values.add(type=3, int_value=quality)


def both_ways(body: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Decoded, Decoded]:
    short = decoded(connection(), *born(), message("DDATA", body))
    monkeypatch.setattr(TopicDecoder, "_usual", lambda *_: False)
    return short, decoded(connection(), *born(), message("DDATA", body))


@given(st.integers(0, 3), METRICS, st.booleans(), st.sampled_from([T, 0, 1, 2**43]))
@settings(max_examples=600, deadline=None)
def test_the_short_way_comes_to_the_same_as_the_long_way(seq: int, metrics: list[Any], timed: bool, ms: int) -> None:
    body = Payload(seq=seq)
    if timed:
        body.timestamp = ms
    for said in metrics:
        metric_of(said, body)
    with pytest.MonkeyPatch.context() as patch:
        short, long = both_ways(body, patch)
    assert short == long


@given(USUAL, st.booleans())
@settings(max_examples=200, deadline=None)
def test_and_so_it_does_for_what_it_is_made_for(metrics: list[tuple[str, int]], other: bool) -> None:
    body = Payload(seq=2, timestamp=T)
    for name, value in metrics:
        one = body.metrics.add(alias=ALIASES[name], timestamp=T)
        setattr(one, FIELDS.get(TYPES[name], "int_value"), value % 2**32)
    if other and metrics:
        body.metrics[0].is_null = True
    with pytest.MonkeyPatch.context() as patch:
        short, long = both_ways(body, patch)
    assert short == long


LEAN = Payload(seq=2, timestamp=T)
for _name, _value in (("a", 1.5), ("b", 2.5), ("c", 3), ("d", 300), ("f", 2**40), ("h", 7)):
    setattr(LEAN.metrics.add(alias=ALIASES[_name], timestamp=T), FIELDS.get(TYPES[_name], "int_value"), _value)
LEAN_BYTES = LEAN.SerializeToString()


@given(
    st.lists(
        st.tuples(st.integers(0, len(LEAN_BYTES)), st.integers(0, 12), st.binary(max_size=12)), min_size=1, max_size=3
    )
)
@settings(max_examples=1500, deadline=None)
def test_and_so_it_does_for_damaged_bytes(damage: list[tuple[int, int, bytes]]) -> None:
    raw = LEAN_BYTES
    for place, gone, instead in damage:
        raw = raw[:place] + instead + raw[place + gone :]
    with pytest.MonkeyPatch.context() as patch:
        short, long = both_ways(raw, patch)
    assert short == long


def fractions(seq: int, values: dict[str, float], ms: int = T, at: list[int] | None = None) -> bytes:
    body = Payload(seq=seq, timestamp=ms)
    for place, (name, value) in enumerate(values.items()):
        one = body.metrics.add(alias=ALIASES[name], timestamp=ms if at is None else at[place])
        setattr(one, FIELDS[TYPES[name]], value)
    raw: bytes = body.SerializeToString()
    return raw


def both_ways_after(first: bytes, then: bytes, seq: int) -> tuple[Decoded, Decoded]:
    """By a node that has said the like before, and by one that is listened to closely each time."""
    said = [*born(seq=(seq - 3) % 256), message("DDATA", first), message("DDATA", then)]
    short = decoded(connection(), *said)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TopicDecoder, "_usual", lambda *_: False)
        return short, decoded(connection(), *said)


@given(
    st.sampled_from([2, 128, 129, 255, 0]),
    st.lists(st.floats(width=32) | st.sampled_from([0.0, -0.0, 1e300, 2.0**53, 2.0**52]), min_size=2, max_size=2),
    st.lists(st.sampled_from([T, T - 5_000, T + 10**7, 2**35, 2**35 - 1, 2**42, 1]), min_size=2, max_size=2),
    st.sampled_from([T, T + 1, 2**35, 2**42 - 1]),
)
@settings(max_examples=400, deadline=None)
def test_what_a_node_says_again_comes_to_the_same(seq: int, values: list[float], at: list[int], ms: int) -> None:
    names = ("a", "b")
    with contextlib.suppress(OverflowError):  # too large for a float
        then = fractions(seq, dict(zip(names, values, strict=True)), ms, at)
        short, long = both_ways_after(fractions((seq - 1) % 256, {"a": 1.5, "b": 2.5}), then, seq)
        assert short == long


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9), st.binary(max_size=9)), max_size=2),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=4),
    st.integers(0, 255),
)
@settings(max_examples=1500, deadline=None)
def test_and_so_does_what_is_damaged_then(
    damage: list[tuple[int, int, bytes]], bits: list[tuple[int, int]], seq: int
) -> None:
    raw = fractions(seq, {"b": 3.5, "a": -4.25}, T + 1)
    for place, gone, instead in damage:
        raw = raw[:place] + instead + raw[place + gone :]
    changed = bytearray(raw)
    for place, flipped in bits:
        changed[place % len(changed) if changed else 0 : 1 + place % max(1, len(changed))] = bytes(
            (changed[place % len(changed)] ^ flipped,) if changed else ()
        )
    short, long = both_ways_after(fractions((seq - 1) % 256, {"b": 1.5, "a": 2.5}), bytes(changed), seq)
    assert short == long


def test_what_a_node_says_again_is_not_read_field_by_field(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the pace that is measured would be of messages that nobody sends."""
    of = connection()
    out = decoded(of, *born(seq=124), message("DDATA", fractions(126, {"a": 1.5, "b": 2.5})))
    lesson = decoded(
        of, *[message("DDATA", fractions(seq, {"a": 1.5, "b": 2.5})) for seq in (127, 128)], memory=out.memory
    )
    monkeypatch.setattr(decoder, "Payload", None)
    said = [message("DDATA", fractions(129 + place, {"a": 0.0, "b": -0.0}, T + place)) for place in range(3)]
    again = decoded(of, *said, memory=lesson.memory)
    assert len(again.value) == 9, "a stands for two channels"
    assert again.observed_us[::3] == [T * 1000, (T + 1) * 1000, (T + 2) * 1000]


def test_what_is_missing_is_not_made_up_for_by_what_is_too_much() -> None:
    body = Payload(seq=2, timestamp=T)
    body.metrics.add(alias=ALIASES["a"], timestamp=T)  # without its five bytes of value
    body.metrics.add(alias=ALIASES["b"], timestamp=T, double_value=1, name=b"xyz")  # with five more
    out = decoded(connection(), *born(), message("DDATA", body))
    assert out.value == []
    assert {one.reason for one in out.rejected} == {reasons.NO_VALUE, reasons.UNKNOWN_ALIAS}


def test_what_comes_often_goes_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the pace that is measured would be of messages that nobody sends."""
    of = connection()
    out = decoded(of, *born(), data(2))
    monkeypatch.setattr(node.Turn, "heard", None)
    decoded(of, data(3), data(4), memory=out.memory)
    body = Payload(timestamp=T, seq=5)
    body.metrics.add(name=b"b", datatype=10, double_value=0.0, timestamp=T)
    body.metrics.add(name=b"nobody", datatype=7, int_value=3, timestamp=T)
    out = decoded(of, message("DDATA", body), memory=out.memory)
    assert out.value == [0.0]


# Order


@given(st.permutations(range(2, 8)), st.integers(0, 255))
@settings(max_examples=100, deadline=None)
def test_the_order_of_arrival_does_not_matter_within_the_reorder_time(order: list[int], first: int) -> None:
    said = {number: data(first + number, number, T + number) for number in range(2, 8)}
    of = connection()
    out = decoded(of, *born(seq=first), *(said[number] for number in order))
    assert sorted(zip(out.observed_us, out.value, strict=True)) == [((T + n) * 1000, float(n)) for n in range(2, 8)]
    assert sorted(number for _, _, number in out.sequences) == list(range(1, 9))
    assert waited(of, out, T + 3_600_000).memory.commands == []
    assert not out.quarantined


@given(st.lists(st.integers(2, 12), min_size=1, max_size=14), st.integers(0, 255), st.integers(0, 14))
@settings(max_examples=200, deadline=None)
def test_messages_may_be_decoded_in_any_batches(numbers: list[int], first: int, cut: int) -> None:
    said = [*born(seq=first), *(data(first + number, number, T + number) for number in numbers)]
    whole = decoded(connection(), *said)
    memory = Memory()
    parts = []
    for some in (said[:cut], said[cut:]):
        recollection = memory.batch()
        parts.append(decoded(connection(), *some, memory=recollection))
        stored = Memory([((c, n), v) for c, n, v in recollection.stored() if v is not None])  # as after a restart
        memory.settle(recollection)
        if some is said[:cut]:
            memory = stored
    assert [one for part in parts for one in part.value] == whole.value
    assert [one for part in parts for one in part.sequences] == whole.sequences


def test_numbers_go_on_where_seq_begins_anew() -> None:
    out = decoded(connection(), *born(), *(data(2 + n, n, T + n) for n in range(600)))
    assert [number for _, _, number in out.sequences] == list(range(1, 603))
    assert len({boot for _, boot, _ in out.sequences}) == 1
    assert len(out.value) == 600


def test_delivered_again_is_read_again_and_changes_nothing() -> None:
    of = connection()
    said = [*born(), *(data(2 + n, n, T + n) for n in range(300))]
    out = decoded(of, *said)
    before = dict(out.memory.changes)
    again = [
        Message(topic=m.topic, payload=m.payload, received_us=m.received_us, redelivered=True) for m in said[-100:]
    ]
    out2 = decoded(of, *again, memory=out.memory)
    assert out2.value == out.value[-100:]
    assert out2.sequences == out.sequences[-100:]
    assert out.memory.changes == before
    assert waited(of, out, T + 600_000).memory.commands == []


# Rebirths


def test_a_rebirth_is_asked_for_once_and_then_ever_less_often() -> None:
    of = connection()
    out = decoded(of, data(9))
    asked: list[int] = []
    for second in range(3 * 3600):
        before = len(out.memory.commands)
        if second % 2 == 0:
            decoded(of, data(second, at_ms=T + 1000 * second), memory=out.memory)
        waited(of, out, T + 1000 * second)
        if len(out.memory.commands) > before:
            asked.append(second)
    assert asked[0] == 5
    assert len(asked) <= 9
    gaps = [later - earlier for earlier, later in itertools.pairwise(asked)]
    assert all(gap >= 60 for gap in gaps)
    assert gaps[-1] >= 3600


def test_waiting_asks_and_gives_up_when_nothing_more_is_said() -> None:
    of = connection()
    out = decoded(of, data(9))
    assert waited(of, out, T + 4_999).memory.commands == []
    waited(of, out, T + 5_000)
    ((topic, raw),) = out.memory.commands
    asked = Payload.FromString(raw)
    assert topic == "spBv1.0/G/NCMD/N1"
    assert [(one.name, one.datatype, one.boolean_value) for one in asked.metrics] == [
        (b"Node Control/Rebirth", 11, True)
    ]
    later = waited(of, out, T + 15_000)
    assert [one.reason for one in later.quarantined] == [reasons.BEFORE_BIRTH]
    assert len(later.memory.commands) == 1
    assert not any(name.startswith("held") and value for (_, name), value in out.memory.changes.items())


def test_the_reorder_time_is_the_plans() -> None:
    of = connection(options={"reorder": "30 s", "host": "pilotbed"})
    out = decoded(of, data(9))
    assert waited(of, out, T + 29_000).memory.commands == []
    assert len(waited(of, out, T + 30_000).memory.commands) == 1


def test_what_is_held_is_bounded_and_the_rest_set_aside() -> None:
    of = connection()
    out = decoded(of, *(data(n, n, T + n) for n in range(doubt.MOST_HELD + 50)))
    assert [one.reason for one in out.quarantined] == [reasons.BEFORE_BIRTH] * 50
    out = decoded(of, *born(T + 3000), memory=out.memory)
    assert len(out.value) == doubt.MOST_HELD
    large = Payload(timestamp=T, seq=1)
    large.metrics.add(alias=3, bytes_value=bytes(300_000))
    out = decoded(connection(), *(message("DDATA", large) for _ in range(5)))
    assert len(out.quarantined) == 2


def test_nodes_and_devices_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MOST_NODES", 10)
    monkeypatch.setattr(remembered, "MOST_DEVICES", 10)
    of = connection({}, topics=["spBv1.0/G/#"])
    top, device = born()
    unnumbered = Payload.FromString(device.payload)
    unnumbered.ClearField("seq")
    out = Decoded()
    for number in range(20):
        for kind, one in (("NBIRTH", top), ("DDATA", data(9))):
            topic = f"spBv1.0/G/{kind}/X{number}" + ("/D" if kind[0] == "D" else "")
            decoded(of, Message(topic=topic, payload=one.payload, received_us=one.received_us), memory=out.memory)
        topic = f"spBv1.0/G/DBIRTH/X0/D{number}"
        found = decoded(
            of,
            Message(topic=topic, payload=unnumbered.SerializeToString(), received_us=device.received_us),
            memory=out.memory,
        )
        assert bool(found.quarantined) == (number >= 10)
    assert len([name for _, name in out.memory.changes if name.startswith("session")]) == 10
    assert len([name for _, name in out.memory.changes if name.startswith("table")]) == 20


def test_a_message_set_aside_can_be_replayed_after_the_birth_but_not_by_a_later_sessions() -> None:
    of = connection()
    lost = data(9, 4.5, T)
    out = decoded(of, *born(T + 1_000))
    out.memory.replaying = True
    assert decoded(of, lost, memory=out.memory).value == [4.5]
    out = decoded(of, *born(T - 5_000), message("NDEATH", Payload(timestamp=1), T + 2_000), *born(T + 3_000))
    out.memory.replaying = True
    before = dict(out.memory.changes)
    again = decoded(of, lost, memory=out.memory)
    assert (again.value, [one.reason for one in again.quarantined]) == ([], [reasons.BEFORE_BIRTH])
    assert decoded(of, *born(T + 9_000), memory=out.memory).link_states == []
    assert out.memory.changes == before


def test_nothing_is_held_where_nothing_follows() -> None:
    memory = Memory().batch()
    memory.replaying = True
    out = decoded(connection(), data(9), memory=memory)
    assert [one.reason for one in out.quarantined] == [reasons.BEFORE_BIRTH]
    assert not memory.changes


def test_a_clock_that_runs_ahead_does_not_make_what_follows_look_old() -> None:
    of = connection()
    mad = Payload(timestamp=2**62, seq=2)
    mad.metrics.add(alias=ALIASES["b"], double_value=1, timestamp=T)
    out = decoded(of, *born(), message("DDATA", mad), data(200, 7, T + 10))
    assert out.value == [1.0]
    assert len(waited(of, out, T + 6_000).memory.commands) == 1


# Hostile bytes


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_no_bytes_raise_anything(raw: bytes) -> None:
    of = connection()
    for kind in ("NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH", "DDEATH"):
        for before in ([], born()):
            decoded(of, *before, message(kind, raw), message(kind, b"\x12" + raw), message(kind, data(2).payload + raw))


@given(st.binary(max_size=60), st.sampled_from(["GZIP", "DEFLATE", "X"]), st.integers(0, 80))
@settings(max_examples=100, deadline=None)
def test_no_compressed_bytes_raise_anything(raw: bytes, algorithm: str, cut: int) -> None:
    packed = zlib.compress(data(2).payload + raw)[: -cut or None]
    body = Payload(uuid=payload.COMPRESSED, body=packed, timestamp=T)
    body.metrics.add(name=b"algorithm", string_value=algorithm.encode())
    decoded(connection(), *born(), message("DDATA", body))


def test_a_million_metrics_are_refused_in_bounded_time() -> None:
    begun = time.process_time()
    out = decoded(connection(), *born(), message("DDATA", b"\x12\x00" * 1_000_000))
    assert [one.reason for one in out.quarantined] == [reasons.NOT_OF_PROTOCOL]
    assert time.process_time() - begun < 5


def test_nesting_costs_nothing() -> None:
    inner = b""
    for _ in range(20_000):
        inner = b"\x12" + varint(len(inner)) + inner
    body = Payload(seq=2, timestamp=T)
    body.metrics.add(name=b"a", template_value=inner, timestamp=T)
    out = decoded(connection(), *born(), message("DDATA", body))
    assert {one.reason for one in out.rejected} == {reasons.NOT_IN_BIRTH, reasons.NOT_A_SINGLE_VALUE} - {
        reasons.NOT_IN_BIRTH
    }


def varint(number: int) -> bytes:
    """A varint."""
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def test_a_bomb_takes_no_more_than_its_bound() -> None:
    body = Payload(uuid=payload.COMPRESSED, body=zlib.compress(bytes(200_000_000), 9))
    begun = time.process_time()
    out = decoded(connection(), message("DDATA", body))
    assert [one.reason for one in out.quarantined] == [reasons.INFLATED_TOO_LARGE]
    assert time.process_time() - begun < 1


# Who we are


def test_our_state_and_its_will_say_the_same_time() -> None:
    ours = HostState(host="pilotbed", connected_ms=T)
    assert ours.topic == "spBv1.0/STATE/pilotbed"
    assert json.loads(ours.birth) == {"online": True, "timestamp": T}
    assert json.loads(ours.will) == {"online": False, "timestamp": T}
    assert json.loads(ours.death(T + 5)) == {"online": False, "timestamp": T + 5}


def test_a_command_carries_no_number() -> None:
    _, raw = rebirth("G", "N1", T * 1000)
    command = Payload.FromString(raw)
    assert command.timestamp == T
    assert not command.HasField("seq")


def test_a_birth_offers_its_metrics() -> None:
    body = Payload(timestamp=T)
    body.metrics.add(name=b"Count", alias=1, datatype=2, int_value=0xFFFF)
    body.metrics.add(name=b"Set", datatype=16, is_null=True)
    body.metrics.add(alias=4, float_value=1)
    assert list(names(body.SerializeToString())) == [("Count", "-1 (Int16)", ""), ("Set", "null (DataSet)", "")]
    with pytest.raises(Refused):
        list(names(b"{}"))


def test_our_own_commands_do_not_come_back_to_us() -> None:
    assert heard(["spBv1.0/#"]) == tuple(
        sorted([*(f"spBv1.0/+/{k}/+" for k in ("NBIRTH", "NDATA", "NDEATH")),
                *(f"spBv1.0/+/{k}/+/+" for k in ("DBIRTH", "DDATA", "DDEATH"))])
    )  # fmt: skip
    assert heard(["else/+"]) == ("else/+",)
    assert not any("CMD" in one or "STATE" in one for one in connection().filters)


def test_a_node_may_hear_its_commands_and_hosts() -> None:
    assert may_hear("p", ["s"], ["pilots/p/s/readings", "spBv1.0/G/+/N1", "spBv1.0/G/+/N1/+"]) == (
        "pilots/p/s/receipt", "pilots/p/seal", "spBv1.0/G/DCMD/N1/+", "spBv1.0/G/NCMD/N1", "spBv1.0/STATE/+",
    )  # fmt: skip


def test_options_are_checked() -> None:
    assert Options.model_validate({}).reorder == "5 s"
    for wrong in ({"host": "a/b"}, {"host": "+"}, {"reorder": "5"}, {"group": "G"}):
        with pytest.raises(ValueError):
            Options.model_validate(wrong)


def test_the_slots_that_a_select_binds() -> None:
    def slots(select: dict[str, str]) -> set[str]:
        of = connection(select)
        return {
            kind for kind in ("NBIRTH", "DBIRTH") if decoded(of, *[m for m in born() if kind in m.topic]).link_states
        }

    assert slots({"device": "D1"}) == {"DBIRTH"}
    assert slots({"node": "N1", "device": "D1"}) == {"DBIRTH"}
    assert slots({"node": "N1"}) == {"NBIRTH"}
    assert slots({}) == {"NBIRTH", "DBIRTH"}
    assert slots({"device": "D2"}) == set()
    assert slots({"node": "N2"}) == set()

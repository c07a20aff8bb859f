"""VDA 5050: what holds of every robot, whatever it says and in whatever order it arrives."""

from __future__ import annotations

import copy
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import PermanentError
from core.units import conversion
from devices.plan.model import Connection, Slot
from devices.plan.reader import read_plan
from ingest import reasons
from ingest.memory import Memory, Recollection
from ingest.message import Decoded, Message
from ingest.planned import planned
from ingest.protocols.vda5050 import fields, remembered, seen
from ingest.protocols.vda5050.decoder import Vda5050Connection
from ingest.protocols.vda5050.layout import Layout
from ingest.protocols.vda5050.names import names
from ingest.protocols.vda5050.options import Options, Select
from ingest.protocols.vda5050.quick import Quick
from ingest.protocols.vda5050.remembered import MOST_ERRORS, Told, key
from ingest.protocols.vda5050.topics import spoken
from ingest.reasons import Refused
from tests.collecting import plan_bytes

T = 1_780_282_800
CASES = Path(fields.__file__).parent / "cases"
STATES = {
    "mode": ["AUTOMATIC", "MANUAL", "TEACH_IN"],
    "map": ["floor-1", "floor-2"],
    "emergency_stop": ["NONE", "MANUAL"],
}
EVENTS: dict[str, Any] = {
    "mission": {"phased": True},
    "intervention": {},
    "error": {"phased": True},
    "fault": {"phased": True},
}


def channels(*wanted: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name in wanted:
        unit = {"%": "1", "m": "km", "rad": "deg"}.get(fields.UNITS[name] or "", fields.UNITS[name])
        given: dict[str, Any] = {"unit": unit, "period": "1 s"}
        if fields.UNITS[name] is None:
            given = {"kind": "state", "states": STATES.get(name, ["false", "true"]), "reporting": "on_change"}
        made[name.replace(".", "-").replace("_", "-")] = {"source": name, **given}
    return made


FULL = ("battery", "battery.voltage", "range", "charging", "x", "y", "theta", "localized", "map", "vx", "omega", "speed", "mode",
        "driving", "paused", "emergency_stop", "field_violation", "order.update", "node.sequence", "nodes_left", "actions_left",
        "order.active", "order.progress", "loads", "loads.weight", "errors", "errors.fatal", "distance")  # fmt: skip


def connection(*wanted: str, events: dict[str, Any] | None = None, **options: Any) -> Vda5050Connection:
    slot = {
        "device": {"serial": "1"}, "connection": "c", "select": {"manufacturer": "M", "serial": "1"},
        "channels": channels(*(wanted or FULL)), "events": EVENTS if events is None else events,
    }  # fmt: skip
    fleet = {"protocol": "vda5050", "topics": ["f/v2/M/+/+", "f/v3/M/+/+"], **options}
    (binding,) = planned(
        pilot="p", start_us=0, end_us=2 * 10**15, connections={"c": Connection.model_validate(fleet)},
        slots={"s": Slot.model_validate(slot)},
    )  # fmt: skip
    return Vda5050Connection(binding)


def stamp(at_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_s)) + f".{round(at_s * 100) % 100:02d}Z"


def state(
    header: int, at_s: float, order: str = "", nodes: tuple[int, ...] = (), last: int | None = None, **more: Any
) -> Any:
    return {
        "headerId": header, "timestamp": stamp(T + at_s), "version": "2.1.0", "manufacturer": "M", "serialNumber": "1",
        "orderId": order, "orderUpdateId": 0, "lastNodeId": "" if last is None else f"n{last}", "lastNodeSequenceId": last or 0,
        "driving": bool(nodes), "paused": False, "operatingMode": "AUTOMATIC",
        "nodeStates": [{"nodeId": f"n{one}", "sequenceId": one, "released": True} for one in nodes], "edgeStates": [],
        "actionStates": [{"actionId": "a1", "actionType": "pick", "actionStatus": "WAITING" if nodes else "FINISHED"}],
        "agvPosition": {"x": at_s / 2, "y": -0.5, "theta": 0.1, "mapId": "floor-1", "positionInitialized": True},
        "velocity": {"vx": 0.5, "vy": 0.0, "omega": 0.01}, "loads": [{"weight": 20.5}],
        "batteryState": {"batteryCharge": 80 - at_s / 100, "batteryVoltage": 48.1, "charging": False, "reach": 900},
        "errors": [], "safetyState": {"eStop": "NONE", "fieldViolation": False}, **more,
    }  # fmt: skip


def message(body: Any, what: str = "state", major: int = 2, at_s: float = 100.0, **given: Any) -> Message:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Message(topic=f"f/v{major}/M/1/{what}", payload=raw, received_us=round((T + at_s) * 1_000_000), **given)


def decoded(
    of: Vda5050Connection, *messages: Message, memory: Recollection | None = None, keep: dict[str, Any] | None = None
) -> Decoded:
    """:param keep: the decoders, as a collector keeps them."""
    out = Decoded() if memory is None else Decoded(memory=memory)
    held = {} if keep is None else keep
    for one in messages:
        found = held.setdefault(one.topic, of.decoder(one.topic))
        assert found is not None
        found.decode(one, out)
    return out


def missions(out: Decoded) -> list[tuple[str, str, Any]]:
    return [
        (one.id, one.phase, json.loads(one.attributes).get("result")) for one in out.events if one.kind == "mission"
    ]


# The short way and the long way

NUMBERS = st.sampled_from([0, -0.0, 1, 1.5, -3, 2**53, 2**53 + 1, 1e300, 1e101, 10**40, -7.25, 99.99])
ODD = st.sampled_from(
    [None, True, "12", "", "AUTOMATIC", "MANUAL", "TEACHIN", "floor-1", "floor-22", [], [5], {}, {"x": 1}, 2.0]
)
PLACES = [
    ("batteryState", "batteryCharge"), ("batteryState", "charging"), ("batteryState", "reach"), ("agvPosition", "x"),
    ("agvPosition", "y"), ("agvPosition", "mapId"), ("agvPosition", "positionInitialized"), ("agvPosition", "theta"),
    ("velocity", "vx"), ("velocity", "vy"), ("safetyState", "eStop"), ("operatingMode",), ("driving",), ("headerId",),
    ("orderId",), ("orderUpdateId",), ("lastNodeId",), ("lastNodeSequenceId",), ("nodeStates",), ("edgeStates",),
    ("actionStates",), ("errors",), ("loads",), ("batteryState",), ("agvPosition",), ("velocity",), ("zone1",),
]  # fmt: skip
CHANGES = st.lists(st.tuples(st.sampled_from(PLACES), st.one_of(NUMBERS, ODD), st.booleans()), max_size=3)


def changed(body: Any, changes: list[tuple[tuple[str, ...], Any, bool]]) -> Any:
    body = copy.deepcopy(body)
    for path, value, gone in changes:
        holder = body
        for name in path[:-1]:
            holder = holder.get(name) if isinstance(holder.get(name), dict) else {}
        if gone:
            holder.pop(path[-1], None)
        else:
            holder[path[-1]] = value
    return body


def both_ways(*messages: Message, wanted: tuple[str, ...] = ()) -> tuple[Decoded, Decoded]:
    short = decoded(connection(*wanted), *messages)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Quick, "take", lambda *_: False)
        return short, decoded(connection(*wanted), *messages)


def same(short: Decoded, long: Decoded) -> None:
    assert short == long
    assert [repr(one) for one in short.value] == [repr(one) for one in long.value]  # 0 is not -0
    assert short.memory == long.memory


@given(st.lists(st.tuples(st.integers(0, 3), CHANGES, st.integers(-1, 3)), min_size=1, max_size=8), st.booleans())
@settings(max_examples=500, deadline=None)
def test_the_short_way_comes_to_the_same_as_the_long_way(said: list[Any], less: bool) -> None:
    header, at_s, sent = 10, 1.0, [message(state(9, 0.5, "o1", (2, 4), 0)), message(state(10, 1.0, "o1", (2, 4), 0))]
    for step, changes, later in said:
        header, at_s = header + step, at_s + later
        sent.append(message(changed(state(header, at_s, "o1", (2, 4), 0), changes)))
        sent.append(message(changed(state(header + 1, at_s + 0.3, "o1", (2, 4), 0), changes)))
        header += 1
    same(*both_ways(*sent, wanted=("battery", "x", "speed", "mode") if less else ()))


BIG = b"9" * 400
PIECES = [
    b"",
    b"1",
    b"-",
    b".",
    b"01",
    b"e5",
    b'"',
    b"\\",
    b',"x":1',
    b',"driving":true',
    b"[",
    b"\xff",
    b"\x00",
    b" ",
    BIG,
]


@given(st.lists(st.tuples(st.integers(0, 1200), st.integers(0, 6), st.sampled_from(PIECES)), min_size=1, max_size=3))
@settings(max_examples=1_000, deadline=None)
def test_and_so_it_does_for_damaged_bytes(damage: list[tuple[int, int, bytes]]) -> None:
    first, second = (message(state(header, header / 2, "o1", (2,), 0)) for header in (1, 2))
    raw = json.dumps(state(3, 1.5, "o1", (2,), 0)).encode()
    for place, gone, instead in damage:
        raw = raw[:place] + instead + raw[place + gone :]
    same(*both_ways(first, second, message(raw), message(state(4, 2, "o1", (2,), 0))))


def test_most_states_go_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    took: list[bool] = []
    take = Quick.take

    def told(*given: Any) -> bool:
        took.append(take(*given))
        return took[-1]

    monkeypatch.setattr(Quick, "take", told)
    sent = [message(state(n, n / 2, "o1", (2, 4), 0)) for n in range(200)]
    sent += [message({**state(n, n / 2), "headerId": n}, "visualization") for n in range(200)]
    out = decoded(connection(), *sent, keep={})
    assert took.count(False) == 2
    assert not out.rejected


def test_what_stays_is_not_read_again_and_what_moves_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[bool] = []
    real = Layout.read

    def told(*given: Any) -> Any:
        found = real(*given)
        read.append(found is not None)
        return found

    monkeypatch.setattr(Layout, "read", told)
    sent = [
        message(state(n, n / 2, "o1", (2, 4), 0, information=[{"infoType": "x" * (n // 20), "infoLevel": "INFO"}]))
        for n in range(200)
    ]
    same(*both_ways(*sent))
    assert read.count(True) > 150


@given(
    st.lists(
        st.sampled_from(["state", "state", "order", "instantActions", "done", "version 3", "again"]),
        min_size=4,
        max_size=20,
    )
)
@settings(max_examples=200, deadline=None)
def test_what_a_robot_is_told_between_its_states_is_heeded_both_ways(said: list[str]) -> None:
    order = {"headerId": 0, "timestamp": stamp(T), "orderId": "o1", "orderUpdateId": 0, "nodes": [{"sequenceId": 4}]}
    cancel = {"headerId": 0, "timestamp": stamp(T), "actions": [{"actionId": "a1", "actionType": "cancelOrder"}]}
    sent = [message(state(n, n / 10, "o1", (2, 4), 0)) for n in range(4)]
    for n, what in enumerate(said, 4):
        if what in ("order", "instantActions"):
            body = order if what == "order" else cancel
            sent.append(message({**body, "headerId": n}, what))
        else:
            body = state(n, n / 10, "o1", () if what == "done" else (2, 4), 0)
            sent.append(message(body, major=3 if what == "version 3" else 2, redelivered=what == "again"))
        sent.append(message(state(n + 1, n / 10 + 0.05, "o1", (2, 4), 0)))
    same(*both_ways(*sent))


@given(
    st.binary(max_size=300),
    st.sampled_from(["state", "visualization", "connection", "factsheet", "order", "instantActions"]),
)
@settings(max_examples=300, deadline=None)
def test_no_bytes_raise(raw: bytes, what: str) -> None:
    out = decoded(connection(), message(raw, what))
    assert len(out.quarantined) == 1


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["headerId", "timestamp", "orderId", "orderUpdateId", "lastNodeId", "nodeStates", "actionStates",
                         "errors",
                         "loads", "operatingMode", "batteryState", "powerSupply", "agvPosition", "velocity", "connectionState",
                         "actions", "nodes", "instantActionStates", "safetyState", "distanceSinceLastNode"]),
        st.one_of(JSON, st.lists(st.dictionaries(st.sampled_from(["actionId", "actionType", "actionStatus", "sequenceId",
                  "errorType", "errorLevel", "actionParameters", "key", "weight"]), JSON, max_size=4), max_size=2)),
        max_size=8,
    ),
    st.sampled_from(["state", "visualization", "connection", "factsheet", "order", "instantActions"]),
    st.sampled_from([2, 3]),
)  # fmt: skip
@settings(max_examples=500, deadline=None)
def test_no_document_raises(body: dict[str, Any], what: str, major: int) -> None:
    out = decoded(connection(), message(json.dumps(body).encode(), what, major))
    assert len(out.quarantined) <= 1
    assert not out.quarantined or not (out.channel_id or out.events or out.rejected)


# Order, loss, redelivery

MISSION = [
    state(1, 1), state(2, 2, "o1", (2, 4), 0), state(3, 3, "o1", (4,), 2), state(4, 4, "o1", (4,), 2, operatingMode="MANUAL"),
    state(5, 5, "o1", (4,), 2), state(6, 6, "o1", (), 4), state(7, 7, "o1", (), 4),
    state(8, 8, "o2", (6,), 4), state(9, 9, "o2", (), 6),
]  # fmt: skip


@given(st.integers(0, 9), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_messages_may_be_decoded_in_any_batches_and_after_a_restart(cut: int, again: int) -> None:
    said = [message(body) for body in MISSION]
    whole = decoded(connection(), *said)
    first = Memory()
    recollection = first.batch()
    one = decoded(connection(), *said[:cut], memory=recollection)
    stored = Memory([((c, n), v) for c, n, v in recollection.stored() if v is not None])
    # The broker delivers again what was not acknowledged, though it was committed.
    redelivered = [message(body, redelivered=True) for body in MISSION[max(0, cut - again) : cut]]
    other = decoded(connection(), *redelivered, *said[cut:], memory=stored.batch())
    assert one.events + other.events == whole.events
    assert set(one.sequences + other.sequences) == set(whole.sequences)
    assert len(missions(whole)) == 4


@given(st.sets(st.integers(0, 8)), st.permutations(range(9)), st.booleans())
@settings(max_examples=200, deadline=None)
def test_lost_and_reordered_states_invent_no_mission(lost: set[int], order: list[int], shuffled: bool) -> None:
    places = [place for place in (order if shuffled else range(9)) if place not in lost]
    out = decoded(connection(), *(message(MISSION[place], at_s=20 + n) for n, place in enumerate(places)))
    told = [(one.id.split(":")[1], one.phase) for one in out.events if one.kind == "mission"]
    assert len(set(told)) == len(told), "a mission is told once"
    assert {name for name, _ in told} <= {"o1", "o2"}
    delivered = {int(boot_and_seq[2]) for boot_and_seq in out.sequences}
    assert delivered == {place + 1 for place in places}
    ends = {
        one.id.split(":")[1]: json.loads(one.attributes)
        for one in out.events
        if one.phase == "end" and one.kind == "mission"
    }
    for about in ends.values():
        assert about.get("result") in (None, "delivered")
        assert about["end_seen"] or "result" not in about


def test_an_event_is_told_once_whatever_is_delivered_again() -> None:
    of = connection()
    keep: dict[str, Any] = {}
    out = decoded(of, *(message(body) for body in MISSION), keep=keep)
    before = dict(out.memory.changes)
    later = decoded(of, *(message(body, redelivered=True) for body in MISSION), memory=out.memory, keep=keep)
    assert later.events == []
    assert later.sequences == out.sequences
    assert dict(out.memory.changes) == before


def test_what_is_read_again_later_changes_nothing() -> None:
    of = connection()
    out = decoded(of, *(message(body) for body in MISSION))
    before = dict(out.memory.changes)
    out.memory.replaying = True
    later = decoded(of, *(message(body) for body in MISSION), memory=out.memory)
    assert later.events == [] and later.sequences == []
    assert dict(out.memory.changes) == before
    assert len(later.channel_id) == len(out.channel_id) - sum(1 for c in out.channel_id if c in (23, 28)), (
        "all but the way and the progress, which are counted over messages"
    )


def test_a_robot_is_one_whatever_the_version_of_its_topics() -> None:
    of = connection()
    out = decoded(of, message(MISSION[0]), message(MISSION[1]), message({**MISSION[5], "headerId": 1}, major=3))
    assert [phase for _, phase, _ in missions(out)] == ["start", "end"]


# Bounds


def test_what_is_remembered_is_bounded() -> None:
    of, memory = connection(), Memory().batch()
    keep: dict[str, Any] = {}
    for n in range(300):
        errors = [{"errorType": f"e{n}-{k}" + "x" * 400, "errorLevel": "FATAL"} for k in range(100)]
        actions = [{"actionId": f"i{n}-{k}", "actionType": "cancelOrder"} for k in range(100)]
        out = decoded(
            of, message(state(n, n, f"o{n}" * 200, (2,), 0, errors=errors)),
            message({"headerId": n, "timestamp": stamp(T + n), "actions": actions}, "instantActions"), memory=memory, keep=keep,
        )  # fmt: skip
    assert [one.reason for one in out.rejected] == [reasons.TOO_MANY]
    told = memory.get(1, key("told", "f", "M", "1"), Told)
    assert told is not None and len(told.errors) == MOST_ERRORS
    assert sum(len(value or b"") for _, _, value in memory.stored()) < 40_000
    assert all(len(one.id) <= 200 and len(one.attributes) < 1_000 for one in out.events)


def test_robots_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST_ROBOTS", 10)
    slot = Slot.model_validate({"device": {"serial": "1"}, "connection": "c", "channels": channels("battery")})
    (binding,) = planned(
        pilot="p", start_us=0, end_us=2 * 10**15, slots={"s": slot},
        connections={"c": Connection.model_validate({"protocol": "vda5050", "topics": ["f/v2/M/+/+"]})},
    )  # fmt: skip
    of, memory = Vda5050Connection(binding), Memory().batch()
    for serial in [*range(20), *range(20)]:
        for what in ("state", "visualization"):
            one = Message(
                topic=f"f/v2/M/r{serial}/{what}",
                payload=json.dumps(state(1, 1)).encode(),
                received_us=(T + 9) * 1_000_000,
            )
            assert bool(decoded(of, one, memory=memory).quarantined) == (serial >= 10)
    assert len(memory.changes) < 60


@pytest.mark.parametrize("what", ["nodeStates", "errors", "actionStates", "loads"])
def test_a_list_of_any_length_is_read_in_bounded_time(what: str) -> None:
    more: dict[str, Any] = {what: [{"sequenceId": 1, "actionId": "a", "errorType": "e", "errorLevel": "FATAL"}] * 6_000}
    begun = time.process_time()
    out = decoded(connection(), message(state(1, 1, **more)))
    assert time.process_time() - begun < 2
    assert {one.reason for one in out.rejected} == {reasons.TOO_MANY}
    assert len(out.channel_id) > 15, "the rest of the message is read"


# Tables


def test_every_unit_is_one_that_we_know() -> None:
    for name, unit in fields.UNITS.items():
        assert unit is None or conversion(unit, unit).scale == 1, name


def test_the_readme_names_every_value_with_its_unit() -> None:
    text = (CASES.parent / "README.md").read_text(encoding="utf-8")
    for name, unit in fields.UNITS.items():
        assert f"| `{name}` | {unit or 'state'} |" in text, name


def test_a_unit_of_the_plan_that_is_not_the_protocols_is_refused() -> None:
    of = connection("battery")
    assert of.binding.slots[0].channels[0].unit == "1"
    assert decoded(of, message(state(1, 0))).value == [0.8]
    slot = {
        "device": {"serial": "1"}, "connection": "c", "channels": {"battery": {"unit": "degC", "period": "1 s"}},
    }  # fmt: skip
    (binding,) = planned(
        pilot="p", start_us=0, end_us=2 * 10**15, slots={"s": Slot.model_validate(slot)},
        connections={"c": Connection.model_validate({"protocol": "vda5050", "topics": ["f/v2/M/+/+"]})},
    )  # fmt: skip
    out = decoded(Vda5050Connection(binding), message(state(1, 0)))
    assert [one.reason for one in out.quarantined] == [reasons.OTHER_UNIT]


@pytest.mark.parametrize(
    ("channel", "fault"),
    [
        ("battery: {unit: '%', period: 1 s}", None),
        ("volts: {unit: V, source: battery.voltage, source_unit: V, period: 1 s}", None),
        ("mode: {kind: state, states: [AUTOMATIC], reporting: on_change}", None),
        ("power: {unit: '%', source: batery, period: 1 s}", "batery"),
        ("volts: {unit: V, source: battery.voltage, source_unit: mV, period: 1 s}", "source_unit"),
        ("x: {unit: degC, period: 1 s}", "x"),
    ],
)
def test_a_plan_is_checked_by_what_robots_say(channel: str, fault: str | None) -> None:
    slots = (
        f"  r: {{device: {{serial: '1'}}, connection: c, select: {{serial: r1}}, channels: {{{channel}}}}}\n"
        "  air: {device: {serial: '2'}, channels: {pm25: {unit: ug/m^3, period: 1 s}}}\n"
    )
    text = plan_bytes("p", connections="{c: {protocol: vda5050, topics: [f/v2/M/+/+]}}", slots=slots)
    if fault is None:
        assert read_plan(text).plan.pilot == "p"
    else:
        with pytest.raises(PermanentError, match=rf"channels\.\w+\.?.*{fault}"):
            read_plan(text)


@pytest.mark.parametrize(
    ("topic", "found"),
    [
        ("uagv/v2/M/1/state", ("uagv", 2, "M", "1", "state")),
        ("v3/M/1/connection", ("", 3, "M", "1", "connection")),
        ("a/b/v2/M/1/order", ("a/b", 2, "M", "1", "order")),
        ("uagv/2/M/1/state", None),
        ("uagv/v2/M/1/unknown", None),
        ("uagv/v2//1/state", None),
        ("state", None),
    ],
)
def test_topics(topic: str, found: tuple[Any, ...] | None) -> None:
    assert spoken(topic) == found


def test_a_slot_may_be_bound_by_topics_alone() -> None:
    def slot(**given: Any) -> Slot:
        return Slot.model_validate(
            {"device": {"serial": "1"}, "connection": "c", "channels": channels("battery"), **given}
        )

    (binding,) = planned(
        pilot="p", start_us=0, end_us=2 * 10**15, connections={"c": Connection.model_validate({"protocol": "vda5050"})},
        slots={"one": slot(topics=["f/v2/M/1/state"]), "two": slot(topics=["f/v2/M/2/#"])},
    )  # fmt: skip
    of = Vda5050Connection(binding)
    assert of.filters == ("f/v2/M/1/state", "f/v2/M/2/#")
    assert decoded(of, message(state(1, 1))).channel_id == [1]
    other = Message(topic="f/v2/M/2/state", payload=json.dumps(state(1, 1)).encode(), received_us=(T + 9) * 1_000_000)
    assert decoded(of, other).channel_id == [2]
    assert of.decoder("f/v2/M/3/state") is None
    assert of.decoder("f/v2/M/1/visualization") is None


def test_the_plan_names_what_a_finished_mission_is() -> None:
    of = connection(options={"done": "inspected"})
    assert [result for _, phase, result in missions(decoded(of, *map(message, MISSION))) if phase == "end"] == [
        "inspected"
    ] * 2
    assert Options().done == "delivered"
    assert Select.model_validate({"serial": 12}).serial == "12"
    with pytest.raises(ValueError, match="Extra inputs"):
        Select.model_validate({"serialNumber": "1"})


def test_names_of_a_message_before_there_is_a_plan() -> None:
    found = {name: (value, unit) for name, value, unit in names(json.dumps(state(1, 10, "o1", (2,), 0)).encode())}
    assert found["battery"] == ("79.9", "%")
    assert found["speed"] == ("0.5", "m/s")
    assert found["mode"] == ("AUTOMATIC", "")
    assert found["nodes_left"] == ("1", "1")
    with pytest.raises(Refused):
        list(names(b"[]"))


def test_ids_that_are_too_long_stay_apart() -> None:
    one, other = (seen.text("x" * 300 + end, "orderId") for end in "ab")
    assert one != other and len(one) <= 120
    assert "\x00" not in seen.text("a\x00b", "orderId")

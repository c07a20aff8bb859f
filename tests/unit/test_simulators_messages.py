"""What is written, and when it is due."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from core.errors import PermanentError
from core.window import micros
from devices.plan.credential_file import Credential, CredentialFile
from devices.plan.model import Plan
from devices.plan.reader import read_plan
from simulators.access import login_of, logins
from simulators.encoding import encoder_of
from simulators.encoding.native import NativeSlot
from simulators.live import Pace, Run, messages
from simulators.publisher import Login
from simulators.scenario import AirQuality, DeliveryRobot, Event
from tests.native import native_plan

AT = datetime(2026, 3, 1, 0, 0, 7, 123_000, tzinfo=UTC)


def plan_with(connection: dict[str, Any], channels: dict[str, Any] | None = None, **slot: Any) -> Plan:
    return Plan.model_validate(
        {
            "pilot": "p",
            "title": "t",
            "kind": "rnd",
            "company": {"id": "c", "name": "c"},
            "site": {"id": "s", "name": "s"},
            "period": {"start": "2026-01-01", "end": "2027-01-01"},
            "evaluation": {"data_until": "2026-12-01", "meeting": "2026-12-10"},
            "product": {"name": "p"},
            "connections": {"c1": connection},
            "slots": {
                "s1": {
                    "device": {"serial": "1"},
                    "connection": "c1",
                    "channels": channels or {"a": {"unit": "W", "period": "1 s", "source": "deep.down.a"}},
                    **slot,
                }
            },
            "kpis": {"k": {"name": "k", "measure": {"capture": {}}, "target": ">= 90 %"}},
        }
    )


@pytest.mark.parametrize(
    ("connection", "written"),
    [
        ({}, {"ts": "2026-03-01T00:00:07.123000Z", "values": {"deep": {"down": {"a": 1.5}}}}),
        (
            {"time": {"path": "h.t", "format": "ms"}},
            {"h": {"t": 1772323207123}, "values": {"deep": {"down": {"a": 1.5}}}},
        ),
        ({"time": {"format": "s"}, "values": "v"}, {"ts": 1772323207.123, "v": {"deep": {"down": {"a": 1.5}}}}),
        (
            {"time": {"format": "us"}, "values": "data.x"},
            {"ts": 1772323207123000, "data": {"x": {"deep": {"down": {"a": 1.5}}}}},
        ),
        ({"time": {"format": "ns"}, "values": "v"}, {"ts": 1772323207123000000, "v": {"deep": {"down": {"a": 1.5}}}}),
        ({"clock": False}, {"values": {"deep": {"down": {"a": 1.5}}}}),
    ],
)
def test_a_reading_is_written_as_the_connection_has_it(connection: dict[str, Any], written: dict[str, Any]) -> None:
    encoder = NativeSlot(plan_with(connection), "s1")
    assert json.loads(encoder.reading(micros(AT), {"a": 1.5})) == written
    assert encoder.readings_topic == "pilots/p/s1/readings"


def test_an_event_and_a_status_are_written() -> None:
    encoder = NativeSlot(plan_with({}), "s1")
    event = Event(at_us=micros(AT), kind="mission", id="m-1", phase="end", number=7, attributes={"외부": True})
    assert json.loads(encoder.event(event)) == {
        "id": "m-1",
        "kind": "mission",
        "number": 7,
        "phase": "end",
        "at": "2026-03-01T00:00:07.123000Z",
        "attributes": {"외부": True},
    }
    assert json.loads(encoder.event(Event(at_us=micros(AT), kind="k", id="i"))).keys() == {
        "id",
        "kind",
        "at",
        "attributes",
    }
    assert json.loads(encoder.status("online", micros(AT))) == {"state": "online", "at": "2026-03-01T00:00:07.123000Z"}
    assert json.loads(encoder.will()) == {"state": "offline"}


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(
        PermanentError, match="speaks 'onem2m' over connection 'c1': simulators speak json, sparkplug, vda5050"
    ):
        encoder_of(plan_with({"protocol": "onem2m"}), "c1")
    with pytest.raises(PermanentError, match=r"selects \{'id': 'x'\}"):
        NativeSlot(plan_with({}, select={"id": "x"}), "s1")
    both = {name: {"unit": "W", "period": "1 s", "source": source} for name, source in (("a", "x"), ("b", "x.y"))}
    with pytest.raises(PermanentError, match=r"'values\.x\.y' of the plan leads through a value"):
        NativeSlot(plan_with({}, both), "s1").reading(micros(AT), {"a": 1, "b": 2})


def test_messages_hold_every_reading_and_event_once_in_the_order_of_time() -> None:
    plan = read_plan(native_plan("robot", date(2026, 7, 31)).encode(), name="native-robot").plan
    start, end = plan.window.start + timedelta(hours=7), plan.window.start + timedelta(hours=22, minutes=30)
    robot = DeliveryRobot(event_loss=0.0)
    found = list(messages(robot, plan, start, end))
    assert [message.at_us for message in found] == sorted(message.at_us for message in found)
    for slot in plan.slots:
        of_slot = [message for message in found if message.slot == slot]
        readings = robot.readings(plan, slot, start, end)
        assert sum(message.readings for message in of_slot) == len(readings)
        documents = [json.loads(m.payload) for m in of_slot if m.topic.endswith("/readings")]
        battery = readings.sent[readings.channel == readings.channels.index("battery")]
        assert [document["values"]["battery"] for document in documents] == battery.tolist()
        assert {document["values"]["mode"] for document in documents} >= {"0", "auto", "charging"}
        assert documents[0]["values"]["pose"].keys() == {"x", "y"}
        numbers = [json.loads(m.payload).get("number") for m in of_slot if m.topic.endswith("/events")]
        assert [number for number in numbers if number] == sorted(
            list(range(1, max(numbers, key=lambda n: n or 0) + 1)) * 2
        )


def test_a_clock_that_catches_up_never_passes_ours() -> None:
    begun = datetime(2026, 3, 2, tzinfo=UTC)
    pace = Pace(start=begun - timedelta(minutes=59), begun=begun, speed=60.0)
    assert pace.device_time(begun) == begun - timedelta(minutes=59)
    assert pace.device_time(begun + timedelta(seconds=30)) == begun - timedelta(minutes=29)
    caught_up = begun + timedelta(minutes=1)
    assert pace.device_time(caught_up) == caught_up
    assert pace.device_time(caught_up + timedelta(hours=1)) == caught_up + timedelta(hours=1)
    for minutes in range(-59, 120, 7):
        at = begun + timedelta(minutes=minutes)
        assert pace.due(at) >= at
        assert pace.device_time(pace.due(at)) == at


def credentials(broker: str = "mqtt://localhost:18830", pilot: str = "native-air") -> CredentialFile:
    one = Credential(connection="gw-1", username="u", password="geheim", topics=(), slots=("platform-1",))
    return CredentialFile(broker=broker, pilot=pilot, connections=(one,))


def test_log_ins_come_from_the_credential_file() -> None:
    plan = read_plan(native_plan("air", date(2026, 7, 31)).encode(), name="native-air").plan
    assert logins(credentials(), plan) == {
        "gw-1": Login(host="localhost", port=18830, username="u", password="geheim"),
    }
    assert login_of(credentials("mqtts://broker"), plan, "platform-1").port == 8883
    assert login_of(credentials(), plan, "platform-1", broker="mqtt://other:1").host == "other"
    assert "geheim" not in repr(logins(credentials(), plan))
    with pytest.raises(PermanentError, match="credentials are of pilot 'other', the plan is of 'native-air'"):
        logins(credentials(pilot="other"), plan)
    for broker in ("http://x:1", "mqtt://", "mqtt://x:99999", "localhost:1883"):
        with pytest.raises(PermanentError, match="is no broker's address"):
            logins(credentials(broker), plan)


def test_a_run_that_cannot_be_is_refused() -> None:
    past = read_plan(native_plan("air", date(2024, 7, 31)).encode(), name="native-air").plan
    open_logins = logins(credentials(), past)
    with pytest.raises(PermanentError, match="'native-air' ended on 2025-05-02"):
        Run(AirQuality(), past, open_logins)
    today = datetime.now(UTC).date()
    coming = read_plan(native_plan("air", today + timedelta(days=120)).encode(), name="native-air").plan
    with pytest.raises(PermanentError, match="readings of the future are never sent"):
        Run(AirQuality(), coming, open_logins)
    now = read_plan(native_plan("robot", today).encode(), name="native-robot").plan
    with pytest.raises(PermanentError, match="No credential for connection robot-1, robot-2 of pilot 'native-robot'"):
        Run(DeliveryRobot(), now, open_logins)

"""How many messages one core decodes, from bytes to readings in canonical units, a protocol at a time.

Beside each stands what the bare reader of its form takes for the same bytes, in the same run: what is lost to names, units, times
and rules. CPU time counts, so that other work on the machine does not.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from devices.plan.model import Connection, Slot
from ingest.memory import Memory
from ingest.message import Decoded, Message
from ingest.planned import planned
from ingest.protocols import PROTOCOLS
from pilotbed.bench.machine import machine
from pilotbed.bench.robot_state import state

TARGETS: Final = {
    "json": 300_000,
    "senml": 80_000,
    "senml-cbor": 80_000,
    "sparkplug": 80_000,
    "vda5050": 200_000,
    "mavlink": 60_000,
}
"""Messages a second that are to be reached."""
_AT_S: Final = 1_780_282_800
_MESSAGES: Final = 2_000
_NAMES: Final = tuple("abcdefghij")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Messages of one protocol."""

    name: str
    protocol: str
    readings: int
    """Of each message."""
    topic: str
    first: tuple[tuple[str, bytes], ...]
    """Topics and payloads that come before, such as births."""
    payloads: Sequence[bytes]
    bare: Callable[[bytes], Any]
    """What only reads the form."""
    options: dict[str, Any]
    select: dict[str, str]
    channels: dict[str, Any] | None = None
    """Those of the slot; without: as many temperatures as a message has readings."""
    events: dict[str, Any] = field(default_factory=dict)
    """What the slot tells beside its readings."""


def bench_decode(repeat: int, say: Say = lambda _: None) -> dict[str, Any]:
    """Decode some thousand messages of each protocol, so often.

    :param repeat: how often; the median counts.
    :returns: the report, ready for JSON.
    """
    rows = []
    for load in (_json(), _senml(cbor=False), _senml(cbor=True), _sparkplug(), _vda5050(), _mavlink()):
        rates = [_rate(_decoding(load)) for _ in range(repeat)]
        bare = [_rate(_reading(load)) for _ in range(repeat)]
        per_s, limit = statistics.median(rates), statistics.median(bare)
        rows.append(
            {
                "name": load.name, "readings_a_message": load.readings, "bytes": len(load.payloads[0]),
                "per_s": round(per_s), "bare_per_s": round(limit), "ratio": per_s / limit, "target_per_s": TARGETS[load.name],
            }
        )  # fmt: skip
        say(f"{load.name}: {per_s:,.0f} messages/s")
    return {"machine": machine("none"), "messages": _MESSAGES, "repeat": repeat, "protocols": rows}


def table(report: dict[str, Any]) -> str:
    """The report as Markdown."""
    lines = [
        "| protocol | readings a message | bytes | messages/s | the form alone | ratio | to reach |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['name']} | {row['readings_a_message']} | {row['bytes']} | {row['per_s']:,} | {row['bare_per_s']:,} |"
        f" {row['ratio']:.2f} | {row['target_per_s']:,} |"
        for row in report["protocols"]
    ]
    return "\n".join(lines)


def _rate(work: Callable[[], int]) -> float:
    begun = time.process_time()
    done = work()
    return done / (time.process_time() - begun)


def _decoding(load: Load) -> Callable[[], int]:
    topics = [load.topic, *(topic for topic, _ in load.first)]
    connection = {"protocol": load.protocol, "topics": topics, **load.options}
    slot = {
        "device": {"serial": "1"}, "connection": "c", "select": load.select,
        "channels": load.channels
        or {name: {"unit": "degC", "source_unit": "degF", "period": "1 s"} for name in _NAMES[: load.readings]},
        "events": load.events,
    }  # fmt: skip
    (binding,) = planned(
        pilot="bench",
        start_us=0,
        end_us=4 * 10**15,
        connections={"c": Connection.model_validate(connection)},
        slots={"s": Slot.model_validate(slot)},
    )
    made = PROTOCOLS[load.protocol](binding)
    memory = Memory()

    def decoded(messages: Sequence[tuple[str, bytes]]) -> int:
        recollection = memory.batch()
        out = Decoded(memory=recollection)
        for place, (topic, payload) in enumerate(messages):
            decoder = made.decoder(topic) if topic != load.topic else usual
            assert decoder is not None
            decoder.decode(Message(topic=topic, payload=payload, received_us=(_AT_S + 10) * 1_000_000 + place), out)
        recollection.stored()
        memory.settle(recollection)
        return len(out.channel_id)

    usual = made.decoder(load.topic)
    decoded([*load.first, (load.topic, load.payloads[0])])  # what comes first is looked at more closely
    messages = [(load.topic, payload) for payload in load.payloads[1:]]

    def work() -> int:
        found = decoded(messages)
        if found != load.readings * len(messages):
            raise AssertionError(f"{load.name}: {found} readings of {len(messages)} messages, each has {load.readings}")
        return len(messages)

    return work


def _reading(load: Load) -> Callable[[], int]:
    def work() -> int:
        for payload in load.payloads:
            load.bare(payload)
        return len(load.payloads)

    return work


def _values(place: int) -> list[float]:
    return [round(20 + (place * 7 + 3 * n) % 100 / 10, 1) for n in range(len(_NAMES))]


def _json() -> Load:
    payloads = [
        json.dumps({"ts": _AT_S * 1000 + place, "values": dict(zip(_NAMES, _values(place), strict=True))}).encode()
        for place in range(_MESSAGES)
    ]
    return Load(
        name="json", protocol="json", readings=10, topic="pilots/bench/s/readings", first=(), payloads=payloads,
        bare=msgspec.json.Decoder().decode, options={"topics": []}, select={},
    )  # fmt: skip


def _senml(*, cbor: bool) -> Load:
    import cbor2

    labels = {"bn": -2, "bt": -3, "n": 0, "u": 1, "v": 2}
    payloads = []
    for place in range(_MESSAGES):
        records: list[dict[str, Any]] = [
            {"n": name, "u": "Cel", "v": value} for name, value in zip(_NAMES[:6], _values(place), strict=False)
        ]
        records[0] = {"bn": "urn:dev:ow:10e2073a01080063:", "bt": _AT_S + place / 1000, **records[0]}
        written = [{labels[key]: value for key, value in record.items()} for record in records]
        payloads.append(cbor2.dumps(written) if cbor else json.dumps(records).encode())
    return Load(
        name="senml-cbor" if cbor else "senml", protocol="senml", readings=6, topic="mast/senml", first=(),
        payloads=payloads, bare=cbor2.loads if cbor else msgspec.json.Decoder().decode, options={},
        select={"name": "urn:dev:ow:10e2073a01080063:"},
    )  # fmt: skip


def _sparkplug() -> Load:
    from ingest.protocols.sparkplug.schema import Payload

    born = Payload(timestamp=_AT_S * 1000, seq=0)
    born.metrics.add(name=b"bdSeq", datatype=4, long_value=0)
    device = Payload(timestamp=_AT_S * 1000, seq=1)
    for alias, name in enumerate(_NAMES):
        device.metrics.add(name=name.encode(), alias=alias, datatype=10, double_value=0.0, timestamp=_AT_S * 1000)
    payloads = []
    for place in range(_MESSAGES):
        data = Payload(timestamp=_AT_S * 1000 + 1 + place, seq=(2 + place) % 256)
        for alias, value in enumerate(_values(place)):
            data.metrics.add(alias=alias, double_value=value, timestamp=_AT_S * 1000 + 1 + place)
        payloads.append(data.SerializeToString())
    return Load(
        name="sparkplug", protocol="sparkplug", readings=10, topic="spBv1.0/G/DDATA/N/D",
        first=(("spBv1.0/G/NBIRTH/N", born.SerializeToString()), ("spBv1.0/G/DBIRTH/N/D", device.SerializeToString())),
        payloads=payloads, bare=Payload.FromString, options={}, select={"device": "D"},
    )  # fmt: skip


def _vda5050() -> Load:
    """States of a robot on its way, whose missions and errors are followed; beside a typed subset with the same values."""
    inner = {
        "agvPosition": {"x": float, "y": float, "theta": float}, "velocity": {"vx": float, "vy": float},
        "batteryState": {"batteryCharge": float},
    }  # fmt: skip
    groups = [(name, msgspec.defstruct(name, list(of.items()))) for name, of in inner.items()]
    subset = msgspec.defstruct("State", [("headerId", int), ("timestamp", datetime), ("operatingMode", str), *groups])
    return Load(
        name="vda5050", protocol="vda5050", readings=6, topic="uagv/v2/RobotCo/0001/state", first=(),
        payloads=[state(place, _AT_S * 1000 + place) for place in range(_MESSAGES)], bare=msgspec.json.Decoder(subset).decode,
        options={"topics": ["uagv/v2/RobotCo/+/state"]}, select={"serial": "0001"},
        events={"mission": {"phased": True}, "error": {"phased": True}},
        channels={
            "battery": {"unit": "%", "period": "1 s"}, "x": {"unit": "m", "period": "1 s"}, "y": {"unit": "m", "period": "1 s"},
            "theta": {"unit": "deg", "period": "1 s"}, "speed": {"unit": "km/h", "period": "1 s"},
            "mode": {"kind": "state", "states": ["AUTOMATIC", "MANUAL"], "reporting": "on_change"},
        },
    )  # fmt: skip


def _mavlink() -> Load:
    """One frame a message, as a bridge that does not wait sends them; four kinds in turn, of four readings each."""
    from ingest.protocols.mavlink.dialect import definitions

    units = {
        "lat": "deg", "lon": "deg", "altitude": "m", "heading": "deg", "roll": "deg", "pitch": "deg", "yaw": "deg",
        "ATTITUDE.rollspeed": "deg/s", "ground_speed": "km/h", "air_speed": "m/s", "climb_rate": "m/s", "throttle": "%",
        "load": "%", "voltage": "V", "current": "A", "battery": "%",
    }  # fmt: skip
    sender = definitions.MAVLink(None, srcSystem=1, srcComponent=1)

    def packed(message: Any) -> bytes:
        made = bytes(message.pack(sender))
        sender.seq = (sender.seq + 1) % 256
        return made

    first = packed(sender.system_time_encode(_AT_S * 1_000_000, 10_000))
    payloads = []
    for place in range(_MESSAGES):
        ms, up = 10_000 + place, 100_000 + place
        payloads.append(
            packed(
                (
                    sender.global_position_int_encode(
                        ms, 375_512_345 + place, 1_269_882_417, up, up, 120, -50, 3, 9_000
                    ),
                    sender.attitude_encode(ms, 0.01, -0.02, 1.5, 0.001, 0.002, 0.003),
                    sender.vfr_hud_encode(12.5, 11.5, 90, 55, 62.5, 0.25),
                    sender.sys_status_encode(1, 1, 1, 425, 22_450 - place % 100, 1_523, 77, 0, 0, 0, 0, 0, 0),
                )[place % 4]
            )
        )
    parser = definitions.MAVLink(None)
    return Load(
        name="mavlink", protocol="mavlink", readings=4, topic="pilots/bench/s/mavlink",
        first=(("pilots/bench/s/mavlink", first),), payloads=payloads, bare=parser.parse_buffer, options={"topics": []},
        select={}, channels={
            name.lower().replace(".", "-").replace("_", "-"): {"unit": unit, "source": name, "period": "1 s"}
            for name, unit in units.items()
        },
    )  # fmt: skip

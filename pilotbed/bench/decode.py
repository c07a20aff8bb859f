"""How many messages one core decodes, from bytes to readings in canonical units, a protocol at a time.

Beside each stands what the bare reader of its form takes for the same bytes, in the same run: what is lost to names, units, times
and rules. CPU time counts, so that other work on the machine does not.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from devices.plan.model import Connection, Slot
from ingest.memory import Memory
from ingest.message import Decoded, Message
from ingest.planned import planned
from ingest.protocols import PROTOCOLS
from pilotbed.bench.machine import machine

TARGETS: Final = {"json": 300_000, "senml": 80_000, "senml-cbor": 80_000, "sparkplug": 80_000}
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


def bench_decode(repeat: int, say: Say = lambda _: None) -> dict[str, Any]:
    """Decode some thousand messages of each protocol, so often.

    :param repeat: how often; the median counts.
    :returns: the report, ready for JSON.
    """
    rows = []
    for load in (_json(), _senml(cbor=False), _senml(cbor=True), _sparkplug()):
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
        "channels": {name: {"unit": "degC", "source_unit": "degF", "period": "1 s"} for name in _NAMES[: load.readings]},
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

"""Every folder of ingest/protocols/json/cases: a message in, readings and records or a reason out."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from ruamel.yaml import YAML

import ingest.protocols.json as protocol
from core.window import instant, micros
from devices.plan.model import Connection, Slot
from ingest.binding import ConnectionBinding
from ingest.message import Decoded, Message, message_flags
from ingest.planned import planned
from ingest.protocols import PROTOCOLS
from ingest.reasons import REASONS
from telemetry.batch import Flag

CASES = Path(protocol.__file__).parent / "cases"
_KINDS = ("readings", "events", "link_states", "rejected", "quarantined")


def _bindings(folder: Path) -> list[ConnectionBinding]:
    path = folder / "plan.yaml" if (folder / "plan.yaml").exists() else CASES / "plan.yaml"
    yaml = YAML(typ="safe", pure=True)
    yaml.version = "1.2"
    document = yaml.load(path.read_text(encoding="utf-8"))
    return planned(
        pilot=document["pilot"],
        start_us=_us(document["period"]["start"]),
        end_us=_us(document["period"]["end"]),
        connections=TypeAdapter(dict[str, Connection]).validate_python(document.get("connections", {})),
        slots=TypeAdapter(dict[str, Slot]).validate_python(document["slots"]),
    )


def _us(value: Any) -> int:
    return micros(datetime.fromisoformat(value) if isinstance(value, str) else value)


def _message(folder: Path) -> Message:
    told = json.loads((folder / "message.json").read_text(encoding="utf-8"))
    match told:
        case {"payload_text": text}:
            payload = text.encode()
        case {"payload_hex": text}:
            payload = bytes.fromhex(text)
        case {"payload": {"repeat": [text, times]}}:
            payload = text.encode() * times
        case _:
            payload = json.dumps(told["payload"], ensure_ascii=False).encode()
    return Message(
        topic=told["topic"],
        payload=payload,
        received_us=_us(told["received_at"]),
        flags=message_flags(retain=told.get("retain", False), qos=told.get("qos", 1)),
    )


def _at(us: int) -> str:
    text = instant(us).isoformat(timespec="auto").replace("+00:00", "")
    return text.rstrip("0").rstrip(".") + "Z" if "." in text else text + "Z"


def _flags(flags: int) -> dict[str, list[str]]:
    names = [flag.name or "" for flag in Flag if flags & flag]
    return {"flags": names} if names else {}


def _found(out: Decoded, bindings: list[ConnectionBinding]) -> dict[str, list[Any]]:
    slots = {slot.slot_id: slot for binding in bindings for slot in binding.slots}
    channels = {channel.channel_id: (slot.name, channel.name) for slot in slots.values() for channel in slot.channels}
    rows = zip(out.channel_id, out.observed_us, out.value, out.flags, strict=True)
    return {
        "readings": [
            {"slot": channels[c][0], "channel": channels[c][1], "observed_at": _at(us), "value": value, **_flags(flags)}
            for c, us, value, flags in rows
        ],
        "events": [
            {
                "slot": slots[e.slot_id].name, "kind": e.kind, "id": e.id, "number": e.number, "phase": e.phase,
                "at": _at(e.at_us), "attributes": json.loads(e.attributes), **_flags(e.flags),
            }
            for e in out.events
        ],
        "link_states": [
            {"slot": slots[s.slot_id].name, "state": s.state, "origin": s.origin, "at": _at(s.at_us)}
            for s in out.link_states
        ],
        "rejected": [
            {"slot": slots[r.slot_id].name, "item": r.item, "observed": r.observed, "value": r.value, "reason": r.reason}
            for r in out.rejected
        ],
        "quarantined": [q.reason for q in out.quarantined],
    }  # fmt: skip


def _normal(expected: dict[str, Any]) -> dict[str, list[Any]]:
    def instants(record: Any) -> Any:
        if not isinstance(record, dict):
            return record
        return {key: _at(_us(value)) if key in ("observed_at", "at") else value for key, value in record.items()}

    assert set(expected) <= set(_KINDS)
    return {kind: [instants(record) for record in expected.get(kind, [])] for kind in _KINDS}


@pytest.mark.parametrize("name", sorted(path.name for path in CASES.iterdir() if path.is_dir()))
def test_case(name: str) -> None:
    folder = CASES / name
    bindings = _bindings(folder)
    message = _message(folder)
    decoders = [d for b in bindings if (d := PROTOCOLS[b.protocol](b).decoder(message.topic)) is not None]
    assert len(decoders) == 1, f"{message.topic} belongs to {len(decoders)} connections"
    # Twice with the same decoder: what it remembers of the first may not change the second.
    for _ in range(2):
        out = Decoded()
        decoders[0].decode(message, out)
        assert _found(out, bindings) == _normal(json.loads((folder / "expected.json").read_text(encoding="utf-8")))


def test_the_cases_show_every_reason_that_the_decoder_gives() -> None:
    given = set()
    for path in CASES.glob("*/expected.json"):
        expected = json.loads(path.read_text(encoding="utf-8"))
        given |= {record["reason"] for record in expected.get("rejected", [])} | set(expected.get("quarantined", []))
    # These are the collector's: they are decided before or after decoding.
    assert given == set(REASONS) - {"no_binding", "too_large", "refused_by_store", "decoder_failed"}

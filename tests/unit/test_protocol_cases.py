"""Every folder of ingest/protocols/*/cases: messages in, readings and records or a reason out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.window import instant
from ingest.binding import ConnectionBinding
from ingest.message import Decoded, Message, message_flags
from ingest.protocols import PROTOCOLS
from ingest.reasons import REASONS
from telemetry.batch import Flag
from tests.fuzzing.sites import ROOM, case_bindings, case_folders, case_messages, case_payload, moment_us

_KINDS = ("readings", "events", "link_states", "rejected", "quarantined", "sequences", "commands")


def _messages(folder: Path) -> list[Message]:
    return [
        Message(
            topic=told["topic"],
            payload=case_payload(told),
            received_us=moment_us(told["received_at"]),
            flags=message_flags(retain=told.get("retain", False), qos=told.get("qos", 1)),
            redelivered=told.get("redelivered", False),
        )
        for told in case_messages(folder)
    ]


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
        "sequences": [[boot, seq] for _, boot, seq in out.sequences],
        "commands": [topic for topic, _ in out.memory.commands],
    }  # fmt: skip


def _normal(expected: dict[str, Any]) -> dict[str, list[Any]]:
    def instants(record: Any) -> Any:
        if not isinstance(record, dict):
            return record
        return {key: _at(moment_us(value)) if key in ("observed_at", "at") else value for key, value in record.items()}

    assert set(expected) <= set(_KINDS)
    return {kind: [instants(record) for record in expected.get(kind, [])] for kind in _KINDS}


@pytest.mark.parametrize("folder", case_folders(), ids=lambda folder: f"{folder.parents[1].name}-{folder.name}")
def test_case(folder: Path) -> None:
    bindings = case_bindings(folder)
    made = [PROTOCOLS[binding.protocol](binding) for binding in bindings]
    # Twice with the same decoders: what they keep of the first to be quicker may not change the second.
    for _ in range(2):
        out = Decoded()
        for message in _messages(folder):
            decoders = [decoder for one in made if (decoder := one.decoder(message.topic)) is not None]
            assert len(decoders) == 1, f"{message.topic} belongs to {len(decoders)} connections"
            decoders[0].decode(message, out)
        assert _found(out, bindings) == _normal(json.loads((folder / "expected.json").read_text(encoding="utf-8")))


def test_every_protocol_has_its_cases_and_its_readme() -> None:
    with_cases = {folder.parents[1].name for folder in case_folders()}
    assert with_cases == set(PROTOCOLS)
    for name in PROTOCOLS:
        assert (ROOM / name / "README.md").is_file()


def test_the_cases_show_every_reason_that_the_decoders_give() -> None:
    given = set()
    for folder in case_folders():
        expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
        given |= {record["reason"] for record in expected.get("rejected", [])} | set(expected.get("quarantined", []))
    # These are the collector's: they are decided before or after decoding.
    before_or_after = {
        "no_binding", "too_large", "topic_too_long", "rate_limited", "refused_by_store", "decoder_failed"
    }  # fmt: skip
    assert given == set(REASONS) - before_or_after

"""What docs/mqtt.md shows is what the platform takes, and says."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.settings import Settings
from devices.plan.model import Plan
from ingest.message import Decoded, Message
from ingest.planned import planned
from ingest.protocols.json.decoder import JsonConnection
from ingest.receipts import receipt
from simulators.receipts.receipt import read_receipt
from telemetry.sequence import SequenceState

DOCUMENT = (Path(__file__).parents[2] / "docs" / "mqtt.md").read_text(encoding="utf-8")
EXAMPLES = [json.loads(text) for text in re.findall(r"^```json\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)]
AT_US = 1_772_323_207_123_000

PLAN = Plan.model_validate(
    {
        "pilot": "cityhall-air-2026",
        "title": "t",
        "kind": "rnd",
        "company": {"id": "c", "name": "c"},
        "site": {"id": "s", "name": "s"},
        "period": {"start": "2026-01-01", "end": "2027-01-01"},
        "evaluation": {"data_until": "2026-12-01", "meeting": "2026-12-10"},
        "product": {"name": "p"},
        "slots": {
            "platform-1": {
                "device": {"serial": "1"},
                "channels": {
                    "pm25": {"unit": "ug/m^3", "period": "10 s"},
                    "fan_power": {"unit": "W", "period": "10 s"},
                },
                "events": {"mission": {"numbered": True, "phased": True}},
            }
        },
        "kpis": {"k": {"name": "k", "measure": {"capture": {}}, "target": ">= 90 %"}},
    }
)


def decoded(topic: str, said: object) -> Decoded:
    (binding,) = planned(
        pilot=PLAN.pilot,
        start_us=PLAN.window.start_us,
        end_us=PLAN.window.end_us,
        connections=PLAN.connections,
        slots=PLAN.slots,
    )
    out = Decoded()
    decoder = JsonConnection(binding).decoder(f"pilots/{PLAN.pilot}/platform-1/{topic}")
    assert decoder is not None
    payload = json.dumps(said).encode()
    decoder.decode(Message(topic=topic, payload=payload, received_us=AT_US + 1_000_000), out)
    assert (out.rejected, out.quarantined) == ([], [])
    return out


@pytest.mark.parametrize("said", [one for one in EXAMPLES if "values" in one], ids=str)
def test_its_readings_are_taken(said: dict[str, object]) -> None:
    for whole, times in ((said, 1), ([said, said], 2)):
        out = decoded("readings", whole)
        assert out.value == [*said["values"].values()] * times  # type: ignore[attr-defined]
        assert set(out.observed_us) == {AT_US}
        assert out.sequences == ([(1, said["boot"], said["seq"])] if "seq" in said else [])


def test_its_event_and_status_are_taken() -> None:
    (event,) = [one for one in EXAMPLES if "kind" in one]
    assert [(one.id, one.number, one.at_us) for one in decoded("events", event).events] == [
        ("m-2026-03-01-17", 17, AT_US)
    ]
    (status,) = [one for one in EXAMPLES if "state" in one]
    assert [(one.state, one.origin) for one in decoded("status", status).link_states] == [("online", "status")]
    assert [one.origin for one in decoded("status", {"state": "offline"}).link_states] == ["will"]


def test_its_receipt_is_what_the_platform_says_and_a_sender_reads() -> None:
    (shown,) = [one for one in EXAMPLES if "through" in one]
    state = SequenceState(
        connection_id=1,
        boot=shown["boot"],
        first=shown["first"],
        through=shown["through"],
        missing=tuple((low, high) for low, high in shown["missing"]),
        stored=shown["stored"],
        at=datetime(2026, 3, 1, 0, 0, 8, 123456, tzinfo=UTC),
    )
    assert json.loads(receipt(state)) == shown
    covers = read_receipt(receipt(state)).covers
    assert sum(covers(seq) for seq in range(5000)) == shown["stored"]


def test_its_limits_are_the_settings() -> None:
    fields = Settings.model_fields
    assert fields["max_payload_bytes"].default == 256 * 1024
    assert fields["max_topic_bytes"].default == 1_024
    assert fields["max_messages_per_second"].default is None
    assert "| a message | 256 KiB (`PILOTBED_MAX_PAYLOAD_BYTES`)" in DOCUMENT
    assert "| a topic | 1,024 bytes (`PILOTBED_MAX_TOPIC_BYTES`)" in DOCUMENT

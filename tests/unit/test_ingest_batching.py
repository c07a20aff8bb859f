"""Messages to a batch: counted, routed, and never held up by a decoder."""

from __future__ import annotations

from typing import Any

import pytest

from devices.plan.model import Connection, Slot
from ingest import reasons
from ingest.batching import OVER_LIMIT, Arrivals, Limits, decode, decode_guarded
from ingest.part import Part
from ingest.planned import planned
from ingest.routing import Routes

NOW_US = 1_780_282_800_000_000
CHANNELS = {"a": {"unit": "W", "period": "1 s"}}


def routes(connections: dict[str, Any] | None = None, **slots: dict[str, Any]) -> Routes:
    given = slots or {"s": {}}
    return Routes(
        planned(
            pilot="p",
            start_us=0,
            end_us=2**60,
            connections={name: Connection.model_validate(one) for name, one in (connections or {}).items()},
            slots={
                name: Slot.model_validate({"device": {"serial": name}, "channels": CHANNELS} | more)
                for name, more in given.items()
            },
        )
    )


def part(*messages: tuple[str, bytes], received_us: int = NOW_US) -> Part:
    return Part(
        generation=1,
        received_us=received_us,
        items=[(topic.encode(), payload, mid, 0x32) for mid, (topic, payload) in enumerate(messages, start=1)],
    )


def made(parts: list[Part], by: Routes, arrivals: Arrivals | None = None, **given: Any) -> Any:
    return decode(parts, by, arrivals or Arrivals(), Limits(**({"payload_bytes": 1000} | given)))


GOOD = b'{"ts": 1780282800000, "values": {"a": 1}}'


def test_everything_is_counted_by_its_connection() -> None:
    batch = made(
        [
            part(("pilots/p/s/readings", GOOD), ("pilots/p/t/readings", b"x" * 2000)),
            part(("pilots/p/s/readings", b"?")),
        ],
        routes(s={}, t={}),
    )
    assert batch.delivered == {1: 2, 2: 1}
    assert batch.payload_bytes == {1: len(GOOD) + 1, 2: 2000}
    assert [(q.connection_id, q.reason, len(q.payload)) for q in batch.quarantined] == [
        (2, reasons.TOO_LARGE, 2000), (1, reasons.NOT_JSON, 1)
    ]  # fmt: skip
    assert [kept[:4] for kept in batch.messages] == [
        (1, 1, "pilots/p/s/readings", GOOD), (1, 1, "pilots/p/s/readings", b"?")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("topic", "connection_id"),
    [
        ("pilots/p/x/readings", None),
        ("pilots/q/s/readings", None),
        ("pilots/p/s/mavlink", 1),
        ("a/b", None),
        ("own/9", 2),
    ],
)
def test_what_nobody_reads_says_so(topic: str, connection_id: int | None) -> None:
    by = routes({"lora": {"protocol": "telegram", "topics": ["own/+"]}}, s={}, t={"connection": "lora"})
    by = Routes(sorted(by.bindings, key=lambda binding: binding.name != "s"))
    numbered = {binding.name: binding.connection_id for binding in by.bindings}
    (held,) = made([part((topic, GOOD))], by).quarantined
    assert held.reason == reasons.NO_BINDING and held.detail
    assert held.connection_id == (None if connection_id is None else numbered["s" if connection_id == 1 else "lora"])


def test_filters_are_those_of_the_plans_without_what_another_covers() -> None:
    by = routes({"gw": {"topics": ["own/#", "own/1"]}}, s={"connection": "gw"}, t={"topics": ["pilots/p/t/readings"]})
    native = [f"pilots/+/+/{what}" for what in ("events", "mavlink", "readings", "status")]
    assert by.filters() == ["own/#", *native]


def test_arrivals_of_one_channel_are_strictly_increasing_over_batches() -> None:
    by, arrivals = routes({"m": {"clock": False}}, s={"connection": "m"}), Arrivals()
    twice = b'[{"values": {"a": 1}}, {"values": {"a": 2}}]'
    first = made([part(("pilots/p/s/readings", twice), ("pilots/p/s/readings", twice))], by, arrivals)
    second = made([part(("pilots/p/s/readings", twice))], by, arrivals)
    later = made([part(("pilots/p/s/readings", twice), received_us=NOW_US + 100)], by, arrivals)
    assert first.readings.observed_us == [NOW_US, NOW_US + 1, NOW_US + 2, NOW_US + 3]
    assert second.readings.observed_us == [NOW_US + 4, NOW_US + 5]
    assert later.readings.observed_us == [NOW_US + 100, NOW_US + 101]


def test_a_decoder_that_raises_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def decode(self, _message: Any, out: Any) -> None:
            out.reading(99, NOW_US, 1.0, 0)
            raise ZeroDivisionError("a slip of ours")

    by = routes(s={}, t={})
    by.find(b"pilots/p/t/readings").decoder = Broken()
    good, bad = ("pilots/p/s/readings", GOOD), ("pilots/p/t/readings", GOOD)
    batch = decode_guarded([part(good, bad, good), part(bad)], by, Arrivals(), Limits(payload_bytes=1000))
    assert batch.readings.channel_id == [1, 1], "what it had begun is not taken"
    assert [(q.reason, q.connection_id) for q in batch.quarantined] == [(reasons.DECODER_FAILED, 2)] * 2
    assert batch.delivered == {1: 2, 2: 2}
    assert len(batch.messages) == 2
    assert "a decoder failed" in caplog.text


def test_what_was_delivered_before_is_said_to_be() -> None:
    again = Part(
        generation=1,
        received_us=NOW_US,
        items=[
            (b"pilots/p/s/readings", b"?", 1, 0x3A),
            (b"pilots/p/s/readings", b'{"ts": 1780282800000, "values": {"a": 1, "b": 2}}', 2, 0x3A),
            (b"pilots/p/s/readings", GOOD, 3, 0x32),
        ],
    )
    batch = made([again], routes(s={}))
    assert batch.delivered == {1: 3} and batch.redelivered == {1: 2}
    assert [one.redelivered for one in batch.quarantined] == [True]
    assert [(one.item, one.redelivered) for one in batch.rejected] == [("b", True)]
    assert len(batch.readings) == 2


def test_beyond_the_limits_a_message_is_set_aside_with_its_number_and_nothing_of_it_is_read() -> None:
    numbered = b'{"ts": 1780282800000, "values": {"a": 1}, "seq": 9, "boot": "x"}'
    beyond = Part(
        generation=1,
        received_us=NOW_US,
        items=[
            (b"pilots/p/s/readings", numbered, 1, 0x32 | OVER_LIMIT),
            (b"pilots/p/" + b"s" * 60 + b"/readings", GOOD, 2, 0x32),
            (b"pilots/p/s/readings", numbered.replace(b"9", b"10") + b" " * 1000, 3, 0x32),
            (b"pilots/p/s/readings", numbered.replace(b"9", b"11"), 4, 0x32),
        ],
    )
    batch = made([beyond], routes(s={}), topic_bytes=64)
    assert [one.reason for one in batch.quarantined] == [
        reasons.RATE_LIMITED,
        reasons.TOPIC_TOO_LONG,
        reasons.TOO_LARGE,
    ]
    assert batch.sequences == [(1, "x", 9), (1, "x", 10), (1, "x", 11)]
    assert len(batch.readings) == 1 and len(batch.messages) == 1

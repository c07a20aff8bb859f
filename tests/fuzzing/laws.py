"""What holds of every message, whatever its bytes."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from ingest.batching import OVER_LIMIT, Arrivals, Limits, decode, decode_guarded
from ingest.memory import Memory
from ingest.part import Part
from ingest.reasons import REASONS
from telemetry.batch import Batch, Flag
from tests.fuzzing.sites import Site

LIMITS = Limits(payload_bytes=262_144, topic_bytes=1_024, keep_messages=True)
_REST_BYTES = 290
"""A payload of MAVLink holds many frames of eight bytes and more, each with its number, besides what one before left over."""
Item = tuple[bytes, bytes, int, int]
"""Topic, payload, packet id and header, as the client hands them over."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of all messages so far."""

    messages: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    """Each message once: taken, taken in part, rejected, quarantined, remembered (it waits, or was only counted), released (it
    decided others that waited), withdrawn (an emptied status, or what a protocol says to nobody)."""
    reasons: Counter[str] = field(default_factory=Counter)
    items: Counter[str] = field(default_factory=Counter)
    """Readings, events, link states, numbers."""


class Judge:
    """Decodes messages of one site one by one and all at once, and compares."""

    def __init__(self, site: Site, outcome: Outcome) -> None:
        self._site = site
        self._outcome = outcome
        self._single, self._whole = Arrivals(), Arrivals()
        self._framed = any(binding.protocol == "mavlink" for binding in site.bindings)
        self._windows = {
            channel.channel_id: (binding.start_us, binding.end_us)
            for binding in site.bindings
            for slot in binding.slots
            for channel in slot.channels
        }

    def take(self, items: list[Item]) -> None:
        """:raises AssertionError: a law is broken; its notes hold the message."""
        singles = []
        remembered, in_one = Memory().batch(), Memory().batch()
        for item in items:
            try:
                trial = remembered.trial()
                batch = decode([self._part([item])], self._site.routes, self._single, LIMITS, trial)
                remembered.keep(trial)
                self._check(item, batch)
            except Exception as error:
                error.add_note(
                    f"site={self._site.name} topic={item[0]!r} header={item[3]:#x} payload={item[1][:4_000]!r}"
                )
                raise
            singles.append(batch)
        whole = decode_guarded([self._part(items)], self._site.routes, self._whole, LIMITS, in_one)
        self._compare(items, singles, whole)
        assert remembered == in_one, "what is remembered depends on how messages come together"

    def _part(self, items: list[Item]) -> Part:
        return Part(generation=1, received_us=self._site.received_us, items=items)

    def _check(self, item: Item, batch: Batch) -> None:
        topic, payload, _, header = item
        taken = len(batch.readings) + len(batch.events) + len(batch.link_states)
        released = any(value is None for _, _, value in batch.remembered)
        """A message that was held: what becomes of it is told with the one that decided it."""
        end = (
            "released" if released
            else "quarantined" if batch.quarantined
            else "taken in part" if taken and batch.rejected
            else "taken" if taken
            else "rejected" if batch.rejected
            else "remembered" if batch.remembered
            else "withdrawn"
        )  # fmt: skip
        own = hashlib.sha256(payload).hexdigest()
        assert len(batch.quarantined) <= 1 or released
        assert not batch.quarantined or not (taken or batch.rejected) or released, "set aside and taken apart at once"
        assert end != "withdrawn" or _says_nothing(topic, payload), "a message left no trace"
        delivered = sum(batch.delivered.values())
        ours = sum(1 for held in batch.quarantined if held.connection_id is not None and held.payload_sha256 == own)
        ours = min(ours, 1) if released else ours
        assert delivered in (0, 1) and delivered >= ours and (delivered or batch.quarantined)
        assert sum(batch.payload_bytes.values()) == delivered * len(payload)
        assert sum(batch.redelivered.values()) == (delivered if header & 8 else 0)
        assert end == "quarantined" or not header & OVER_LIMIT
        assert len(batch.sequences) <= ((len(payload) + _REST_BYTES) // 8 if self._framed else delivered)
        _check_readings(batch, self._windows, self._site.received_us)
        _check_texts(batch)
        self._outcome.messages += 1
        self._outcome.ends[end] += 1
        self._outcome.reasons.update(_refusals(batch, "reason"))
        self._outcome.items.update(
            {
                "readings": len(batch.readings),
                "events": len(batch.events),
                "link states": len(batch.link_states),
                "numbers": len(batch.sequences),
            }
        )

    def _compare(self, items: list[Item], singles: list[Batch], whole: Batch) -> None:
        for name in ("events", "link_states", "quarantined", "rejected", "sequences", "messages"):
            parted = [one for batch in singles for one in getattr(batch, name)]
            for one, other in zip_longest(map(repr, getattr(whole, name)), map(repr, parted)):
                assert one == other, name
        for name in ("channel_id", "observed_us", "value", "flags"):
            assert getattr(whole.readings, name) == [
                one for batch in singles for one in getattr(batch.readings, name)
            ], name
        for name in ("delivered", "payload_bytes", "redelivered"):
            total: Counter[int] = sum((Counter(getattr(batch, name)) for batch in singles), Counter())
            assert +Counter(getattr(whole, name)) == +total, name
        nobodys = sum(1 for held in whole.quarantined if held.connection_id is None)
        assert sum(whole.delivered.values()) + nobodys == len(items), "delivered = all but those on nobody's topics"


def _says_nothing(topic: bytes, payload: bytes) -> bool:
    """Whether a message may leave nothing behind: an emptied status, a notice of oneM2M that carries no data, what a Sparkplug
    node says of metrics and devices that no plan names, what a robot says or is told too late, or in vain."""
    return (
        (not payload and topic.endswith(b"/status"))
        or topic.startswith((b"spBv1.0/", b"uagv/v"))
        or (topic.startswith(b"/oneM2M/") and (b"vrq" in payload or b"sud" in payload))
    )


def _check_readings(batch: Batch, windows: dict[int, tuple[int, int]], received_us: int) -> None:
    readings = batch.readings
    assert len({len(readings.channel_id), len(readings.observed_us), len(readings.value), len(readings.flags)}) == 1
    for channel_id, observed_us, value, flags in readings.rows():
        assert math.isfinite(value)
        start_us, end_us = windows[channel_id]
        assert start_us <= observed_us < end_us or flags & Flag.ARRIVAL_TIME
        assert observed_us <= received_us + 300_000_000 or flags & Flag.ARRIVAL_TIME
    for boot_and_seq in batch.sequences:
        assert 0 <= boot_and_seq[2] < 2**62 and len(boot_and_seq[1]) <= 64 and boot_and_seq[1].isprintable()


def _refusals(batch: Batch, *names: str) -> list[str]:
    """These texts of everything refused or set aside."""
    records: list[Any] = [*batch.rejected, *batch.quarantined]
    return [str(getattr(one, name)) for one in records for name in names if hasattr(one, name)]


def _check_texts(batch: Batch) -> None:
    """Everything can be stored: no NUL, no lone surrogate, JSON that is JSON, reasons of the closed list."""
    assert set(_refusals(batch, "reason")) <= set(REASONS)
    for text in _refusals(batch, "topic", "detail", "item", "observed", "value", "payload_sha256"):
        assert "\x00" not in text and len(text) <= 8_192
        text.encode()
    for event in batch.events:
        assert isinstance(json.loads(event.attributes), dict) and b"\\u0000" not in event.attributes.replace(
            b"\\\\", b""
        )
        assert event.id and "\x00" not in event.id and event.id.encode()
        assert event.number is None or 0 <= event.number < 2**63

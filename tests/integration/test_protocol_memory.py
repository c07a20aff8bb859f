"""What protocols remember: committed with the messages it follows from, so that nothing is counted twice and nothing guessed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from core.database import Connection
from devices.plan import protocols
from ingest import routing
from ingest.batching import Heard, Limits
from ingest.binding import ConnectionBinding
from ingest.inbox import Inbox
from ingest.memory import Memory
from ingest.message import Decoded, Message
from ingest.preparer import Preparer
from ingest.receipts import Receipts
from ingest.writer import Writer
from telemetry.batch import LinkStateRecord
from tests.collecting import apply, now_ms

protocols.register("tally", protocols.Terms())
TOPIC = "tally/x"
SLOTS = """\
  s1:
    device: {serial: '1'}
    connection: t
    channels:
      pm25: {unit: ug/m^3, period: 10 s}
"""


class Total(msgspec.Struct, frozen=True):
    total: float
    heard_us: int = 0


class Tally:
    """Adds up what it hears: each reading is the sum so far, so a message counted twice, or lost, shows in all that follow."""

    filters = (TOPIC,)

    def __init__(self, binding: ConnectionBinding) -> None:
        self._id = binding.connection_id
        self._channel = binding.slots[0].channels[0].channel_id

    def decoder(self, topic: str) -> Tally | None:
        return self if topic == TOPIC else None

    def decode(self, message: Message, out: Decoded) -> None:
        held = out.memory.get(self._id, "total", Total)
        if message.payload == b"forget":
            out.memory.put(self._id, "total", None)
            return
        total = Total(
            total=(held.total if held else 0.0) + float(message.payload.split()[0]), heard_us=message.received_us
        )
        out.memory.put(self._id, "total", total)
        if b"raise" in message.payload:
            raise RuntimeError("an error of ours")
        if b"ask" in message.payload:
            out.memory.command("tally/ask", b"%g" % total.total)
        if b"refused" in message.payload:
            out.link_states.append(LinkStateRecord(slot_id=-1, at_us=0, state="online", origin="status"))
        out.reading(self._channel, int(message.payload.split()[1]), total.total, 0)

    def wait(self, now_us: int, out: Decoded, *, since_us: int = 0) -> None:  # noqa: ARG002 - the interface
        held = out.memory.get(self._id, "total", Total)
        if held is not None and held.total == 100:
            out.memory.command("tally/late", b"%d" % (now_us > held.heard_us))
            out.memory.put(self._id, "total", Total(total=0))


@dataclass
class Rig:
    """A preparer and a writer on a real database, without a broker."""

    url: str
    told: list[tuple[str, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        memory = Memory()
        self.inbox = Inbox(high_water_messages=10_000, sender=lambda _: None)
        self.preparer = Preparer(
            self.inbox, routes=lambda: self.writer.routes, batch_messages=3, batch_seconds=0.01,
            limits=Limits(payload_bytes=1000), rate=None, memory=memory,
        )  # fmt: skip
        self.writer = Writer(
            self.url, name="collector-1", decoded=self.preparer.decoded, acknowledge=lambda *_: True,
            wait=lambda _: False, receipts=Receipts(lambda *_: None), memory=memory,
            command=lambda topic, payload: self.told.append((topic, payload)),
        )  # fmt: skip
        assert self.writer.refresh()
        self.preparer.start()

    def hear(self, *payloads: str) -> None:
        items = [(TOPIC.encode(), payload.encode(), mid, 0x32) for mid, payload in enumerate(payloads, start=1)]
        self.inbox.put(1, items)

    def write(self, messages: int) -> None:
        """Write until so many more messages are settled."""
        wanted = self.writer.messages + messages
        while self.writer.messages < wanted:
            prepared = self.preparer.next(5.0)
            assert prepared is not None, "nothing came"
            self.writer.write(prepared)
            self.inbox.done(prepared.parts)

    def close(self) -> None:
        self.inbox.close()
        self.preparer.abandon()
        self.writer.close()


@pytest.fixture
def rig(connection: Connection, database_url: str, pilot: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setattr(routing, "PROTOCOLS", MappingProxyType({**routing.PROTOCOLS, "tally": Tally}))
    register(connection, pilot)
    opened = Rig(database_url)
    yield opened
    opened.close()


def register(connection: Connection, pilot: str, topics: str = TOPIC) -> None:
    apply(connection, pilot, connections=f"{{t: {{protocol: tally, topics: ['{topics}']}}}}", slots=SLOTS)


_FIRST_US = now_ms(-3600) * 1000


def at(number: int) -> str:
    return str(_FIRST_US + number)


def values(connection: Connection) -> list[float]:
    return [row["value"] for row in connection.execute("SELECT value FROM reading ORDER BY observed_at")]


def remembered(connection: Connection) -> list[Any]:
    rows = connection.execute("SELECT value FROM protocol_memory ORDER BY name")
    return [msgspec.msgpack.decode(row["value"], type=Total).total for row in rows]


def test_a_protocol_remembers_from_batch_to_batch_and_over_a_restart(connection: Connection, rig: Rig) -> None:
    rig.hear(*(f"1 {at(n)}" for n in range(8)))
    rig.write(8)
    assert values(connection) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert remembered(connection) == [8]
    other = Rig(rig.url)
    other.hear(f"1 {at(8)}", f"1 {at(9)}")
    other.write(2)
    other.close()
    assert values(connection)[8:] == [9, 10]


def test_what_was_read_ahead_and_never_committed_is_not_remembered(connection: Connection, rig: Rig) -> None:
    rig.hear(f"1 {at(0)}")
    rig.write(1)
    rig.hear(f"1 {at(1)}", f"1 {at(2)}")
    assert rig.preparer.next(5.0) is not None  # read, and the process dies here
    other = Rig(rig.url)
    other.hear(f"1 {at(1)}", f"1 {at(2)}")  # delivered again
    other.write(2)
    other.close()
    assert values(connection) == [1, 2, 3]
    assert remembered(connection) == [3]


def test_batches_read_ahead_are_read_again_after_a_change_of_the_registry(
    connection: Connection, rig: Rig, pilot: str
) -> None:
    for n in range(12):
        rig.hear(f"1 {at(n)}")
        if n in (2, 3, 7):
            register(connection, pilot, topics="tally/x" if n == 3 else f"tally/x', 'tally/{n}")
        if n % 3 == 2:
            rig.write(3)
    assert values(connection) == list(range(1, 13))
    assert remembered(connection) == [12]


def test_a_message_that_the_store_refuses_leaves_nothing_behind(connection: Connection, rig: Rig) -> None:
    rig.hear(f"1 {at(0)}", f"10 {at(1)} refused", f"1 {at(2)}", f"1 {at(3)}", f"1 {at(4)}")
    rig.write(5)
    assert values(connection) == [1, 2, 3, 4]
    assert remembered(connection) == [4]
    aside = connection.execute("SELECT reason FROM quarantine").fetchall()
    assert [row["reason"] for row in aside] == ["refused_by_store"]


def test_a_message_on_which_a_decoder_fails_leaves_nothing_behind(connection: Connection, rig: Rig) -> None:
    rig.hear(f"1 {at(0)}", f"10 {at(1)} raise", f"1 {at(2)}")
    rig.write(3)
    assert values(connection) == [1, 2]
    assert remembered(connection) == [2]


def test_what_is_forgotten_is_gone_from_the_store_too(connection: Connection, rig: Rig) -> None:
    rig.hear(f"5 {at(0)}", "forget")
    rig.write(2)
    assert remembered(connection) == []
    rig.hear(f"1 {at(1)}")
    rig.write(1)
    assert values(connection) == [5, 1]


def test_a_command_is_told_once_its_message_is_committed(connection: Connection, rig: Rig) -> None:
    rig.hear(f"3 {at(0)} ask")
    prepared = rig.preparer.next(5.0)
    assert prepared is not None
    assert rig.told == []
    rig.writer.write(prepared)
    assert rig.told == [("tally/ask", b"3")]
    assert values(connection) == [3]


def test_a_protocol_acts_when_nothing_is_said(connection: Connection, rig: Rig) -> None:
    rig.hear(f"100 {at(0)}")
    rig.write(1)
    heard = Heard(since_us=0, until_us=time.time_ns() // 1000, mine=lambda _: True)
    for _ in range(2):
        rig.writer.tick(partial(rig.preparer.waited, heard))
    assert rig.told == [("tally/late", b"1")]
    assert remembered(connection) == [0]
    rig.hear(f"1 {at(1)}")
    rig.write(1)
    assert values(connection) == [100, 1]


def test_what_an_older_version_wrote_and_nobody_can_read_is_nothing(connection: Connection, rig: Rig) -> None:
    rig.hear(f"5 {at(0)}")
    rig.write(1)
    connection.execute("UPDATE protocol_memory SET value = %s", [msgspec.msgpack.encode({"other": 1})])
    other = Rig(rig.url)
    other.hear(f"1 {at(1)}")
    other.write(1)
    other.close()
    assert values(connection) == [5, 1]


def test_what_was_read_ahead_fits_while_one_batch_follows_the_other(connection: Connection, rig: Rig) -> None:
    """Otherwise each batch would be decoded twice."""
    read: list[int] = []
    again = rig.preparer.decoded
    rig.writer._decoded = lambda *given: (read.append(1), again(*given))[1]  # type: ignore[func-returns-value]
    for n in range(60):
        rig.hear(f"1 {at(n)}")
    rig.write(60)
    assert values(connection) == list(range(1, 61))
    assert read == []

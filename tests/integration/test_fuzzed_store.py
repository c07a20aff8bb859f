"""Damaged messages, into a real store: it refuses nothing of them, and its account is exact."""

from __future__ import annotations

from random import Random

from core.database import Connection
from ingest import registry
from ingest.batching import Arrivals, decode_guarded
from ingest.part import Part
from ingest.quarantine import Wanted
from ingest.replay import replay
from ingest.routing import Routes
from telemetry.commit import Committer
from tests.collecting import apply, count, now_ms
from tests.fuzzing.__main__ import items
from tests.fuzzing.laws import LIMITS
from tests.fuzzing.sites import Site

_MESSAGES = 6_000


def test_what_damaged_messages_leave_is_stored_and_counted(connection: Connection, pilot: str) -> None:
    apply(connection, pilot)
    bindings, now = registry.load(connection), now_ms(-60)
    base = f"pilots/{pilot}/s1".encode()
    reading = b'{"ts":%d,"values":{"pm25":%d.5,"temp":3,"mode":"run"},"seq":%d,"boot":"b"}'
    site = Site(
        name=pilot, bindings=bindings, routes=Routes(bindings), received_us=now * 1000,
        recorded=[
            *((base + b"/readings", reading % (now - place, place, place)) for place in range(200)),
            (base + b"/readings", b'[{"ts":%d,"values":{"pm25":1}},{"ts":%d,"values":{"temp":2}}]' % (now, now + 1)),
            (base + b"/events", b'{"id":"m1","kind":"mission","number":1,"at":%d,"attributes":{"a":[1,"x",{"b":2.5}]}}' % now),
            (base + b"/status", b'{"state":"online","at":%d}' % now),
            (b"pilots/nobody/s1/readings", b'{"ts":%d,"values":{"pm25":1}}' % now),
        ],
    )  # fmt: skip
    random, committer, arrivals, nobodys = Random(3), Committer(), Arrivals(), 0
    for _ in range(_MESSAGES // 200):
        part = Part(generation=1, received_us=site.received_us, items=list(items(random, site, 200)))
        batch = decode_guarded([part], site.routes, arrivals, LIMITS)
        nobodys += sum(1 for held in batch.quarantined if held.connection_id is None)
        committer.commit(connection, batch)  # raises if the store refuses anything
    (day,) = connection.execute("SELECT * FROM intake_connection").fetchall()
    assert day["delivered"] == day["committed"] + day["quarantined"]
    assert day["delivered"] + nobodys == _MESSAGES
    (slot,) = connection.execute("SELECT * FROM intake_slot").fetchall()
    assert slot["decoded"] == slot["stored"] + slot["duplicate"] + slot["conflict"] + slot["rejected"]
    assert slot["stored"] == count(connection, "reading") + count(connection, "event") > 100
    assert slot["rejected"] == count(connection, "rejection") > 100
    assert count(connection, "sequence") > 0

    # … and a replay of what was set aside settles what was only too fast, and trips over nothing.
    too_fast = count(connection, "quarantine", "reason = 'rate_limited'")
    done = replay(connection, Wanted(pilot=pilot), who="cli:test")
    assert done.tried == done.resolved + done.still + done.cut and 0 < done.resolved <= too_fast
    assert connection.execute("SELECT * FROM intake_connection").fetchall() == [day], "the day of receipt is as it was"

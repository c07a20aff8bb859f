"""A collector that is killed or stopped, or whose broker or database goes away: everything is stored, and once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.database import Connection
from ingest import listener
from ingest.broker_url import parse_broker_url
from ingest.inbox import Inbox
from ingest.listener import Listener
from ingest.part import Part
from pilotbed.stack.account import temporary_folder
from pilotbed.stack.mosquitto import Mosquitto
from tests.collected import COLLECTORS, START_MS, Site, broker_for_anything, reading, stored, totals
from tests.collecting import Proxy, apply, collecting, collector_process, count, device, wait_for


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Mosquitto, list[str]]]:
    with temporary_folder("pilotbed-test-") as folder, broker_for_anything(folder) as server:
        yield server, list(COLLECTORS)


@pytest.fixture
def site(shared: tuple[Mosquitto, list[str]]) -> Site:
    return Site(broker=shared[0], collector=shared[1].pop())


@pytest.fixture
def own_site(stack_folder: Path) -> Iterator[Site]:
    """The same with a broker of the test's own, to stop and start."""
    with broker_for_anything(stack_folder) as server:
        yield Site(broker=server, collector="collector-1")


class _Stream:
    """Readings without an end, about a thousand a second, from a thread of its own."""

    def __init__(self, sender: Any, topic: str) -> None:
        self.said = 0
        self._sender, self._topic = sender, topic
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._main, daemon=True)
        self._thread.start()

    def _main(self) -> None:
        while not self._stop.wait(0.01):
            for _ in range(10):
                self._sender.say(self._topic, reading(self.said))
                self.said += 1

    def end(self) -> int:
        """How many were said."""
        self._stop.set()
        self._thread.join(10)
        return self.said


def test_killed_in_the_middle_of_a_stream(
    connection: Connection, database_url: str, site: Site, pilot: str, tmp_path: Path
) -> None:
    apply(connection, pilot)
    topic, log = f"pilots/{pilot}/s1/readings", tmp_path / "collect.log"
    log.touch()

    def connections() -> int:
        return log.read_bytes().count(b" connected ")

    with device(site.device_url) as sender:
        with collector_process(database_url, site.collector_url, site.collector, log):
            wait_for(lambda: connections() == 1, what="the session to begin")
        stream = _Stream(sender, topic)
        for _ in range(3):
            with collector_process(database_url, site.collector_url, site.collector, log) as process:
                before = count(connection, "reading")
                wait_for(lambda before=before: count(connection, "reading") > before + 200, what="some readings")
                process.kill()
                process.wait()
        with collector_process(database_url, site.collector_url, site.collector, log) as last:
            total = stream.end()
            sender.finish(total)
            wait_for(lambda: count(connection, "reading") == total, what=f"all {total} readings")
            last.terminate()
            assert last.wait(15) == 0
    assert stored(connection) == [float(number) for number in range(total)]
    assert count(connection, "conflict") == 0


def test_stopped_in_the_middle_of_a_stream_nothing_is_delivered_twice(
    connection: Connection, database_url: str, site: Site, pilot: str
) -> None:
    apply(connection, pilot)
    with device(site.device_url) as sender:
        with collecting(database_url, site.collector_url, site.collector):
            stream = _Stream(sender, f"pilots/{pilot}/s1/readings")
            wait_for(lambda: count(connection, "reading") > 100, what="some readings")
        for _ in range(4):
            before = count(connection, "reading")
            with collecting(database_url, site.collector_url, site.collector):
                wait_for(lambda before=before: count(connection, "reading") > before + 100, what="some more")
        total = stream.end()
        sender.finish(total)
        with collecting(database_url, site.collector_url, site.collector):
            wait_for(lambda: count(connection, "reading") == total, what=f"all {total} readings")
    assert totals(connection, "intake_connection")["delivered"] == total
    assert totals(connection, "intake_slot")["duplicate"] == 0


def test_the_database_goes_away_and_comes_back(
    connection: Connection, database_url: str, site: Site, pilot: str, caplog: pytest.LogCaptureFixture
) -> None:
    apply(connection, pilot)
    topic = f"pilots/{pilot}/s1/readings"
    caplog.set_level("INFO", logger="ingest")
    with (
        Proxy(database_url) as proxy,
        collecting(proxy.url, site.collector_url, site.collector),
        device(site.device_url) as sender,
    ):
        for number in range(300):
            sender.say(topic, reading(number))
        wait_for(lambda: count(connection, "reading") > 100, what="the first readings")
        proxy.cut()
        for number in range(300, 900):
            sender.say(topic, reading(number))
            time.sleep(0.002)
        sender.finish(900)
        time.sleep(0.5)
        assert count(connection, "reading") < 900
        proxy.mend()
        wait_for(lambda: count(connection, "reading") == 900, what="all 900 readings")
    assert stored(connection) == [float(number) for number in range(900)]
    told = [record.getMessage() for record in caplog.records if record.name == "ingest.writer"]
    assert len([line for line in told if "database is away" in line]) == 1, "said once, not at every attempt"
    assert len([line for line in told if "database is back" in line]) == 1


def test_stopped_while_the_database_is_away_nothing_is_acknowledged(
    connection: Connection, database_url: str, site: Site, pilot: str
) -> None:
    apply(connection, pilot)
    with Proxy(database_url) as proxy, device(site.device_url) as sender:
        with collecting(proxy.url, site.collector_url, site.collector) as collector:
            proxy.cut()
            for number in range(200):
                sender.say(f"pilots/{pilot}/s1/readings", reading(number))
            wait_for(lambda: collector.held == 200, what="the messages to be held")
        assert count(connection, "reading") == 0
        with collecting(database_url, site.collector_url, site.collector):
            wait_for(lambda: count(connection, "reading") == 200, what="the same messages, delivered again")


def test_the_broker_restarts_while_messages_are_held(
    connection: Connection, database_url: str, own_site: Site, pilot: str
) -> None:
    apply(connection, pilot)
    topic, site = f"pilots/{pilot}/s1/readings", own_site
    with (
        Proxy(database_url) as proxy,
        collecting(proxy.url, site.collector_url, site.collector, high_water_messages=100) as collector,
    ):
        with device(site.device_url) as sender:
            for number in range(100):
                sender.say(topic, reading(number))
            wait_for(lambda: count(connection, "reading") == 100, what="the first hundred")
            proxy.cut()
            for number in range(100, 400):
                sender.say(topic, reading(number))
            sender.finish(400)
        wait_for(lambda: collector.held >= 100, what="the collector to be full")
        site.broker.stop()
        site.broker.start()
        proxy.mend()
        wait_for(lambda: count(connection, "reading") == 400, what="all readings, those held and those queued")
        wait_for(lambda: collector.held == 0, what="everything to be settled")
    assert stored(connection) == [float(number) for number in range(400)]


@contextmanager
def _listening(site: Site) -> Iterator[tuple[Listener, Inbox]]:
    """A listener without a writer."""
    inbox = Inbox(high_water_messages=10_000)
    opened = Listener(parse_broker_url(site.collector_url), name=site.collector, inbox=inbox, filters=["pilots/#"])
    opened.start()
    try:
        yield opened, inbox
    finally:
        opened.leave(within_s=5)


def _taken(inbox: Inbox, messages: int) -> list[Part]:
    parts: list[Part] = []
    wait_for(
        lambda: (
            parts.extend(inbox.take(most=1000, window_s=0, timeout_s=0.1))
            or sum(len(part.items) for part in parts) >= messages
        ),
        what=f"{messages} messages",
    )
    assert sum(len(part.items) for part in parts) == messages
    return parts


def test_acknowledgements_of_a_connection_before_are_dropped(own_site: Site) -> None:
    """The broker is killed and numbers its packets anew. An acknowledgement of before would confirm, by its packet id, a
    message that nobody has stored."""

    def say(numbers: range) -> None:
        with device(own_site.device_url) as sender:
            for number in numbers:
                sender.say("pilots/p/s/readings", reading(number))
            sender.finish(len(numbers))

    with _listening(own_site) as (first, inbox):
        wait_for(lambda: first.listening_since, what="the session")
        (saved,) = wait_for(lambda: list(own_site.broker.folder.rglob("mosquitto.db")), what="the first save")
        wait_for(lambda: own_site.collector.encode() in saved.read_bytes(), what="a save that has the session")
        before = saved.read_bytes()
        say(range(50))
        old = _taken(inbox, 50)
        own_site.broker.kill()
        saved.write_bytes(before)  # as if the power had gone before the next save
        own_site.broker.start()
        wait_for(lambda: first.acks.generation == 2, what="the next connection")
        say(range(50, 100))
        new = _taken(inbox, 50)
        old_mids, new_mids = ([mid for part in parts for mid in part.mids()] for parts in (old, new))
        assert set(old_mids) & set(new_mids), "the broker numbered on: this test shows nothing"
        assert not first.acks.send(old[0].generation, old_mids)
        assert first.acks.send(new[-1].generation, new_mids[:20])
    with _listening(own_site) as (_, inbox):
        again = [json.loads(item[1])["values"]["pm25"] for part in _taken(inbox, 30) for item in part.items]
    assert again == list(range(70, 100)), "what was not acknowledged comes again, and only that"


def test_memory_is_bounded_while_the_database_is_away(
    connection: Connection, database_url: str, site: Site, pilot: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "HOLD_S", 0.5)
    apply(connection, pilot)
    payload = reading(0) | {"filler": "x" * 4000}
    with (
        Proxy(database_url) as proxy,
        device(site.device_url) as sender,
        collecting(proxy.url, site.collector_url, site.collector, high_water_messages=500) as collector,
    ):
        proxy.cut()
        most = 0
        for number in range(5000):
            sender.say(f"pilots/{pilot}/s1/readings", payload | {"ts": START_MS + number})
            most = max(most, collector.held)
        sender.finish(5000)
        wait_for(lambda: not collector.listening, what="the collector to disconnect")
        most = max(most, collector.held)
        # One read beyond the mark, at most.
        assert 500 <= most <= 500 + 262_144 // 4000 + 1
        proxy.mend()
        wait_for(lambda: count(connection, "reading") == 5000, what="all readings", within_s=30)
    assert totals(connection, "intake_slot")["conflict"] == 0

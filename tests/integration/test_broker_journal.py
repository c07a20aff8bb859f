"""What a real Mosquitto says of devices reaches the database: each thing once, whoever dies in between."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from core.database import Connection
from devices.broker import Broker
from devices.journal import MOST_TOPICS, Came, Contact, Entry, Refused, Went, contacts, denials, forget, note
from devices.registry import issue_credential, withdraw_connection
from pilotbed.jobs.broker_log import read_on
from pilotbed.stack.log_file import LogFile
from pilotbed.stack.mosquitto import Mosquitto
from pilotbed.stack.mosquitto_configuration import LARGEST_PACKET_BYTES
from tests.collecting import ROOT, apply, count, wait_for
from tests.registered import register

pytestmark = pytest.mark.timeout(120)

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
AT = datetime(2026, 11, 22, 17, 34, 57, tzinfo=UTC)


def known(connection: Connection, pilot: str) -> list[tuple[Any, ...]]:
    """The denials of a pilot without their instants."""
    rows = denials(connection, pilot, since=LONG_AGO)
    return sorted((row["connection"] or "", row["username"], row["topic"], row["reason"], row["n"]) for row in rows)


def refused(n: int = 1, *, username: str = "p1.s1", topic: str = "t", at: datetime = AT, **given: Any) -> list[Entry]:
    return [Refused(at=at, username=username, topic=topic, reason=given.get("reason", "denied"))] * n


def all_of(connection: Connection, log: Path) -> None:
    while read_on(connection, log):
        pass


@contextmanager
def client(broker: Mosquitto, username: str, password: str) -> Iterator[mqtt.Client]:
    """A device that has been answered, let in or not."""
    made = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id=username, protocol=mqtt.MQTTv311, reconnect_on_failure=False
    )
    made.username_pw_set(username, password)
    answered: list[Any] = []
    made.on_connect = lambda _c, _d, _f, code, _p: answered.append(code)
    made.connect("127.0.0.1", broker.port)
    made.loop_start()
    try:
        wait_for(lambda: answered, what="an answer to the log-in")
        yield made
    finally:
        made.disconnect()
        made.loop_stop()


# --- with a real broker


def test_what_a_device_was_denied_is_told_by_whose_it_is(
    connection: Connection, own_broker: Mosquitto, pilot: str
) -> None:
    apply(connection, pilot)
    with Broker(own_broker.admin_url) as control:
        issued = issue_credential(connection, pilot, "s1", who="cli:test", broker=control)
    with client(own_broker, issued.username, issued.password) as device:
        for _ in range(3):  # acknowledged as a success, each
            device.publish(f"pilots/{pilot}/s2/readings", b"{}", qos=1).wait_for_publish(5)
        device.publish("elsewhere", b"{}", qos=0)
        device.publish(f"pilots/{pilot}/s1/readings", b"{}", qos=1).wait_for_publish(5)
    with client(own_broker, issued.username, issued.password) as device:
        device.publish(f"pilots/{pilot}/s1/readings", b"x" * (LARGEST_PACKET_BYTES + 1), qos=1)
        wait_for(lambda: not device.is_connected(), what="the broker to cut it off")
    with client(own_broker, issued.username, "wrong"):
        pass

    def told() -> bool:
        all_of(connection, own_broker.log)
        return known(connection, pilot) == [
            ("", "", "", "not_let_in", 1),  # the broker does not say whose
            ("s1", issued.username, "", "too_large", 1),
            ("s1", issued.username, "elsewhere", "denied", 1),
            ("s1", issued.username, f"pilots/{pilot}/s2/readings", "denied", 3),
        ]

    wait_for(told, what="the denials")
    assert all(
        abs((row["last_at"] - datetime.now(UTC)).total_seconds()) < 60
        for row in denials(connection, pilot, since=LONG_AGO)
    )
    assert denials(connection, pilot, since=datetime.now(UTC) + timedelta(minutes=1)) == []
    # Another pilot hears of what nobody owns, and of nothing else.
    register(connection, "other")
    assert known(connection, "other") == [("", "", "", "not_let_in", 1)]


def test_contacts_say_since_when_and_why_a_device_is_gone(
    connection: Connection, own_broker: Mosquitto, pilot: str
) -> None:
    apply(connection, pilot)

    def contact() -> Contact | None:
        all_of(connection, own_broker.log)
        return contacts(connection, pilot).get("s1")

    def gone(why: str) -> bool:
        found = contact()
        return found is not None and not found.connected and found.why == why

    def there() -> bool:
        found = contact()
        return found is not None and found.connected

    assert contact() is None
    with Broker(own_broker.admin_url) as control:
        issued = issue_credential(connection, pilot, "s1", who="cli:test", broker=control)
        with client(own_broker, issued.username, issued.password):
            wait_for(there, what="it to be seen")
        wait_for(lambda: gone("left"), what="its farewell")
        with client(own_broker, issued.username, issued.password) as device:
            wait_for(there, what="it to be seen again")
            with client(own_broker, issued.username, issued.password):
                wait_for(
                    lambda: there() and contacts(connection, pilot)["s1"].why == "taken_over", what="the take-over"
                )
            device.loop_stop()
        with client(own_broker, issued.username, issued.password):
            withdraw_connection(connection, pilot, "s1", who="cli:test", broker=control)
            wait_for(lambda: gone("cut_off"), what="it to be cut off")
        issued = issue_credential(connection, pilot, "s1", who="cli:test", broker=control)
    with client(own_broker, issued.username, issued.password):
        wait_for(there, what="it to be let in")
        own_broker.kill()
        own_broker.start()
        wait_for(lambda: gone("broker_stopped"), what="the broker's new start to be seen")


def test_the_working_process_reads_the_log_each_second(
    connection: Connection, database_url: str, own_broker: Mosquitto, pilot: str, tmp_path: Path
) -> None:
    apply(connection, pilot)
    with Broker(own_broker.admin_url) as control:
        issued = issue_credential(connection, pilot, "s1", who="cli:test", broker=control)
    with working(database_url, own_broker, tmp_path), client(own_broker, issued.username, issued.password) as device:
        wait_for(lambda: contacts(connection, pilot), what="the contact", within_s=30)
        began = time.monotonic()
        device.publish("elsewhere", b"{}", qos=1).wait_for_publish(5)
        wait_for(lambda: known(connection, pilot), what="the denial")
        assert time.monotonic() - began < 3
        # A table that is away for a while does not end it, and loses nothing.
        connection.execute("ALTER TABLE denial RENAME TO away")
        device.publish("elsewhere", b"{}", qos=1).wait_for_publish(5)
        time.sleep(1.5)
        connection.execute("ALTER TABLE away RENAME TO denial")
        wait_for(lambda: known(connection, pilot)[0][-1] == 2, what="the denial in between")


@contextmanager
def working(database_url: str, broker: Mosquitto, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | {
        "PILOTBED_DATABASE_URL": database_url,
        "PILOTBED_MQTT_URL": broker.admin_url,
        "PILOTBED_BROKER_LOG": str(broker.log),
    }
    with (folder / "work.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pilotbed", "work"], env=environment, stdout=output, stderr=output, cwd=ROOT
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        finally:
            process.kill()


# --- each thing once

_READ = (
    "import sys\n"
    "from pathlib import Path\n"
    "from core.database import connected\n"
    "from pilotbed.jobs.broker_log import read_on\n"
    "import resource\n"
    "with connected(sys.argv[1]) as connection:\n"
    "    begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
    "    while read_on(connection, Path(sys.argv[2]), largest_piece=int(sys.argv[3])):\n"
    "        print('read', flush=True)\n"
    "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - begun)\n"
)


def line(number: int, *, topic: str | None = None) -> bytes:
    topic = f"pilots/p1/other/{number % 50}" if topic is None else topic
    return b"Denied PUBLISH from p1.s1 (d0, q1, r0, m%d, '%s', ... (52 bytes))" % (number % 65535, topic.encode())


def test_nothing_is_counted_twice_or_lost_when_the_reader_is_killed(
    connection: Connection, database_url: str, tmp_path: Path
) -> None:
    register(connection)
    log = LogFile(tmp_path / "log", largest_bytes=3_000_000)
    written = 30_000
    log.write([line(number) for number in range(written)])  # set aside at once
    for _ in range(12):
        with subprocess.Popen(
            [sys.executable, "-c", _READ, database_url, str(tmp_path / "log"), "50000"],
            stdout=subprocess.PIPE, cwd=ROOT,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            for _ in range(random.randint(1, 4)):
                process.stdout.readline()
            time.sleep(random.uniform(0.0, 0.02))
            process.kill()
        log.write([line(written)])
        written += 1
    log.close()
    rows = denials(connection, "p1", since=LONG_AGO)
    assert 0 < sum(row["n"] for row in rows) < written, "it was killed at its work"
    all_of(connection, tmp_path / "log")
    assert sum(row["n"] for row in denials(connection, "p1", since=LONG_AGO)) == written
    assert count(connection, "denial") in (50, 100), "two where the hour changed meanwhile"


def test_two_readers_of_one_log_count_each_thing_once(
    connection: Connection, database_url: str, tmp_path: Path
) -> None:
    register(connection)
    log = LogFile(tmp_path / "log")
    log.write([line(number) for number in range(40_000)])
    log.close()
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", _READ, database_url, str(tmp_path / "log"), "100000"],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]
    assert [reader.wait(60) for reader in readers] == [0, 0]
    assert sum(row["n"] for row in denials(connection, "p1", since=LONG_AGO)) == 40_000


def test_a_log_that_was_moved_is_not_counted_again(connection: Connection, tmp_path: Path) -> None:
    register(connection)
    log = LogFile(tmp_path / "log")
    log.write([line(1)])
    log.close()
    all_of(connection, tmp_path / "log")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "log").rename(tmp_path / "elsewhere" / "log")
    all_of(connection, tmp_path / "elsewhere" / "log")
    assert [row["n"] for row in denials(connection, "p1", since=LONG_AGO)] == [1]


def test_what_cannot_be_recorded_is_read_again(connection: Connection, tmp_path: Path) -> None:
    register(connection)
    log = LogFile(tmp_path / "log")
    log.write([line(1)])
    log.close()
    connection.execute("ALTER TABLE denial ADD CONSTRAINT none CHECK (n > 1)")
    with pytest.raises(psycopg.Error):
        read_on(connection, tmp_path / "log")
    connection.execute("ALTER TABLE denial DROP CONSTRAINT none")
    all_of(connection, tmp_path / "log")
    assert [row["n"] for row in denials(connection, "p1", since=LONG_AGO)] == [1]


def test_a_log_of_a_hundred_megabytes_is_read_in_little_memory(
    connection: Connection, database_url: str, tmp_path: Path
) -> None:
    register(connection)
    block = b"".join(b"2026-11-22T17:34:57.123Z " + line(number) + b"\n" for number in range(10_000))
    times = 100_000_000 // len(block) + 1
    with (tmp_path / "log").open("wb") as file:
        for _ in range(times):
            file.write(block)
    done = subprocess.run(
        [sys.executable, "-c", _READ, database_url, str(tmp_path / "log"), "1048576"],
        cwd=ROOT, capture_output=True, text=True, timeout=100, check=True,
    )  # fmt: skip
    grown_kib = int(done.stdout.split()[-1]) // (1024 if sys.platform == "darwin" else 1)
    assert grown_kib < 64 * 1024, f"{grown_kib} KiB more than before it read"
    assert sum(row["n"] for row in denials(connection, "p1", since=LONG_AGO)) == times * 10_000


# --- bounded, and truly told


def test_topics_beyond_a_hundred_an_hour_are_counted_together(connection: Connection) -> None:
    register(connection)
    register(connection, "p2")
    for begin in range(0, 300, 70):  # in several transactions
        for number in range(begin, min(begin + 70, 300)):
            note(connection, refused(topic=f"t{number}"))
    note(connection, refused(5, topic="t299") + refused(7, topic="t0") + refused(username="p2.s1", topic="t299"))
    note(
        connection,
        [entry for number in range(250) for entry in refused(topic=f"u{number}", at=AT + timedelta(hours=1))],
    )
    rows = denials(connection, "p1", since=LONG_AGO)
    for hour in (AT.replace(minute=0, second=0), AT.replace(minute=0, second=0) + timedelta(hours=1)):
        of_hour = {row["topic"]: row["n"] for row in rows if row["hour"] == hour}
        assert len(of_hour) == MOST_TOPICS + 1
    first = {row["topic"]: row["n"] for row in rows if row["hour"] == AT.replace(minute=0, second=0)}
    assert first[""] == 200 + 5
    assert first["t0"] == 8
    assert sum(row["n"] for row in rows) == 300 + 12 + 250
    assert known(connection, "p2") == [("s1", "p2.s1", "t299", "denied", 1)]


def test_a_strangers_words_on_a_pilots_topics_are_told_as_nobodys(connection: Connection) -> None:
    register(connection)
    note(connection, refused(username="made-by-hand", topic="pilots/p1/s1/readings"))
    note(connection, refused(username="made-by-hand", topic="pilots/p12/s1/readings"))
    note(connection, refused(username="collector-1", topic="elsewhere"))
    assert known(connection, "p1") == [("", "made-by-hand", "pilots/p1/s1/readings", "denied", 1)]


def test_names_that_were_not_let_in_do_not_fill_the_table(connection: Connection) -> None:
    register(connection)
    note(connection, [e for n in range(500) for e in refused(username=f"x{n}", topic="", reason="not_let_in")])
    note(connection, refused(username="p1.s1", topic="", reason="not_let_in"))
    assert known(connection, "p1") == [("", "", "", "not_let_in", 500), ("s1", "p1.s1", "", "not_let_in", 1)]
    assert count(connection, "contact") == 0
    note(connection, [Went(at=AT, username=f"x{n}", why="faulty") for n in range(500)])
    assert count(connection, "contact") == 0


def test_words_that_the_database_would_not_take_are_taken(connection: Connection) -> None:
    register(connection)
    topics = ["한" * 60_000, "a\0b", "", "'; DROP TABLE denial; --"]
    note(connection, [entry for topic in topics for entry in refused(topic=topic)])
    assert len(known(connection, "p1")) == len(topics)


def test_what_stands_later_in_the_log_happened_later(connection: Connection) -> None:
    """The log's times have milliseconds, and a quick device comes and goes within one."""
    register(connection)
    note(connection, [Came(at=AT, username="p1.s1"), Went(at=AT, username="p1.s1", why="left")])
    assert not contacts(connection, "p1")["s1"].connected
    note(connection, [Went(at=AT, username="p1.s1", why="taken_over"), Came(at=AT, username="p1.s1")])
    assert contacts(connection, "p1")["s1"].connected
    note(connection, [Went(at=AT, username="p1.s1", why="closed")])
    found = contacts(connection, "p1")["s1"]
    assert not found.connected
    assert found.why == "closed"


def test_old_denials_are_dropped(connection: Connection) -> None:
    register(connection)
    note(connection, refused(topic="old") + refused(topic="new", at=AT + timedelta(days=1)))
    forget(connection, AT + timedelta(hours=1))
    assert known(connection, "p1") == [("s1", "p1.s1", "new", "denied", 1)]

"""Who may speak at a real Mosquitto, changed while it runs."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from core.database import Connection
from core.database import connected as database_connected
from core.errors import BrokerAway, PermanentError
from devices.access import Access
from devices.broker import Broker, broker_users, synchronise
from devices.control import Control
from devices.registry import apply_plan, issue_credential, pilots, withdraw_connection
from pilotbed.stack.mosquitto import Mosquitto
from tests.speaking import applied, collector, connected, let_in, plan


def test_a_device_speaks_on_its_own_topics_and_nowhere_else(
    connection: Connection, broker: Mosquitto, pilot: str
) -> None:
    credentials = applied(connection, broker, plan(pilot))
    assert set(credentials) == {"gw", "c"}
    gateway = credentials["gw"]
    own = [f"pilots/{pilot}/{slot}/{kind}" for slot in "ab" for kind in ("readings", "events", "status")]
    assert list(gateway.topics) == [*own, f"{pilot}/tele/+"]
    with collector(broker) as listener, connected(broker, gateway.username, gateway.password) as device:
        assert listener.subscribe(f"pilots/{pilot}/#") == 1
        assert listener.subscribe(f"{pilot}/#") == 1
        for topic in [*own, f"{pilot}/tele/x"]:
            assert device.publish(topic, topic) == 0
            assert listener.heard.get(timeout=5) == (topic, topic.encode())
    # Another slot's, what only we say, another pilot's, below and above its own filter, the broker's own.
    denied = [
        f"pilots/{pilot}/c/readings",
        f"pilots/{pilot}/a/receipt",
        f"pilots/{pilot}/seal",
        "pilots/other/a/readings",
        f"{pilot}/tele/x/y",
        f"{pilot}/tele",
        "$CONTROL/dynamic-security/v1",
    ]
    with collector(broker) as listener:
        assert listener.subscribe("#") == 1
        for topic in denied:
            with connected(broker, gateway.username, gateway.password) as device:
                assert device.publish(topic, "denied") == 0x87, topic
        with connected(broker, gateway.username, gateway.password) as device:
            assert device.publish(own[0], "end") == 0
        heard = {listener.heard.get(timeout=5)}
        while (own[0], b"end") not in heard:
            heard.add(listener.heard.get(timeout=5))
        assert not [topic for topic, payload in heard if payload == b"denied"]


def test_a_denied_publish_does_not_cut_a_device_off(connection: Connection, broker: Mosquitto, pilot: str) -> None:
    gateway = applied(connection, broker, plan(pilot))["gw"]
    with connected(broker, gateway.username, gateway.password) as device:
        assert device.publish(f"pilots/{pilot}/c/readings") == 0x87
        assert not device.gone.wait(1)
        assert device.publish(f"pilots/{pilot}/a/readings") in (0, 0x10)


def test_a_device_hears_its_own_receipts_and_nothing_else(
    connection: Connection, broker: Mosquitto, pilot: str
) -> None:
    gateway = applied(connection, broker, plan(pilot))["gw"]
    with collector(broker) as collecting, connected(broker, gateway.username, gateway.password) as device:
        for topic in (f"pilots/{pilot}/a/receipt", f"pilots/{pilot}/b/receipt", f"pilots/{pilot}/seal"):
            assert device.subscribe(topic) == 1
            assert collecting.publish(topic, topic) == 0
            assert device.heard.get(timeout=5)[0] == topic
        for topic in ("#", "pilots/#", f"pilots/{pilot}/+/receipt", f"pilots/{pilot}/c/receipt", "$SYS/#",
                      f"pilots/{pilot}/a/readings", "$share/x/#"):  # fmt: skip
            assert device.subscribe(topic) >= 0x80, topic


def test_a_wrong_password_is_refused(connection: Connection, broker: Mosquitto, pilot: str) -> None:
    gateway = applied(connection, broker, plan(pilot))["gw"]
    assert let_in(broker, gateway.username, gateway.password)
    assert not let_in(broker, gateway.username, gateway.password + "x")
    assert not let_in(broker, gateway.username, "")
    assert not let_in(broker, f"{pilot}.nobody", gateway.password)


def test_a_withdrawn_connection_is_cut_off_at_once(connection: Connection, broker: Mosquitto, pilot: str) -> None:
    credentials = applied(connection, broker, plan(pilot))
    with connected(broker, credentials["gw"].username, credentials["gw"].password) as device:
        with Broker(broker.admin_url) as control:
            withdraw_connection(connection, pilot, "gw", who="cli:test", broker=control)
        assert device.gone.wait(2)
    assert not let_in(broker, credentials["gw"].username, credentials["gw"].password)
    assert let_in(broker, credentials["c"].username, credentials["c"].password)


def test_a_new_secret_ends_the_old_one(connection: Connection, broker: Mosquitto, pilot: str) -> None:
    old = applied(connection, broker, plan(pilot))["gw"]
    with Broker(broker.admin_url) as control:
        new = issue_credential(connection, pilot, "gw", who="cli:test", broker=control)
        assert (new.username, new.topics, new.slots) == (old.username, old.topics, old.slots)
        assert not let_in(broker, old.username, old.password)
        assert let_in(broker, new.username, new.password)
        # It also lets a withdrawn one in again.
        withdraw_connection(connection, pilot, "gw", who="cli:test", broker=control)
        assert not let_in(broker, new.username, new.password)
        newer = issue_credential(connection, pilot, "gw", who="cli:test", broker=control)
    assert let_in(broker, newer.username, newer.password)


def test_a_new_version_changes_the_rights_of_those_who_are_connected(
    connection: Connection, broker: Mosquitto, pilot: str
) -> None:
    gateway = applied(connection, broker, plan(pilot))["gw"]
    with connected(broker, gateway.username, gateway.password) as device:
        again = applied(connection, broker, plan(pilot, (f'["{pilot}/tele/+"]', f'["{pilot}/more/+"]')))
        assert again == {}
        assert device.publish(f"{pilot}/more/x") in (0, 0x10)
        assert device.publish(f"{pilot}/tele/x") == 0x87


def test_a_version_that_changes_no_rights_disturbs_nobody(
    connection: Connection, broker: Mosquitto, pilot: str
) -> None:
    gateway = applied(connection, broker, plan(pilot))["gw"]
    with connected(broker, gateway.username, gateway.password) as device:
        applied(connection, broker, plan(pilot, ("title: t", "title: u")))
        assert device.publish(f"{pilot}/tele/x") in (0, 0x10)
        assert not device.gone.is_set()


def test_a_broker_that_is_away_changes_nothing(connection: Connection, own_broker: Mosquitto, pilot: str) -> None:
    url = own_broker.admin_url
    own_broker.stop()
    with pytest.raises(BrokerAway, match=r"No broker answers at 127\.0\.0\.1"), Broker(url):
        pytest.fail("it let us in")
    assert pilots(connection) == []


def test_a_broker_that_dies_midway_changes_nothing(connection: Connection, own_broker: Mosquitto, pilot: str) -> None:
    with Broker(own_broker.admin_url, timeout_s=3) as control:
        own_broker.kill()
        with pytest.raises(BrokerAway):
            apply_plan(connection, plan(pilot), who="cli:test", broker=control)
    assert pilots(connection) == []


def test_an_administrator_with_a_wrong_password_is_told(broker: Mosquitto) -> None:
    url = broker.url_of("pilotbed-admin", "wrong")
    with pytest.raises(PermanentError, match="refused our connect") as caught, Broker(url):
        pytest.fail("it let us in")
    assert "wrong" not in str(caught.value)


def test_a_user_without_rights_to_administer_is_told(connection: Connection, broker: Mosquitto, pilot: str) -> None:
    gateway = applied(connection, broker, plan(pilot))["gw"]
    with (
        pytest.raises(PermanentError, match="refused our subscribe"),
        Broker(broker.url_of(gateway.username, gateway.password)),
    ):
        pytest.fail("it let us in")


@pytest.mark.parametrize("url", ["", "127.0.0.1:1883", "http://x", "mqtt://u:secret@", "mqtt://u:secret@h:99999"])
def test_a_url_that_is_none_shows_no_secret(url: str) -> None:
    with pytest.raises(PermanentError, match="mqtt://user:password@host:port") as caught:
        Broker(url)
    assert "secret" not in str(caught.value)


def test_what_differs_is_brought_to_what_the_registry_says(
    connection: Connection, own_broker: Mosquitto, pilot: str
) -> None:
    credentials = applied(connection, own_broker, plan(pilot))
    gateway, single = credentials["gw"], credentials["c"]
    withdraw_connection(connection, pilot, "c", who="cli:test", broker=None)  # the broker was not told
    with Control(own_broker.admin_url) as control:
        control.ask("disableClient", username=gateway.username)
        control.ask("createClient", username="somebody.else", password="x" * 24, roles=[])
    assert let_in(own_broker, single.username, single.password)

    done = synchronise(own_broker.admin_url, connection)
    assert (done.corrected, done.withdrawn, done.missing) == ((gateway.username,), (single.username,), ())
    assert let_in(own_broker, gateway.username, gateway.password)
    assert not let_in(own_broker, single.username, single.password)
    assert let_in(own_broker, "somebody.else", "x" * 24)
    again = synchronise(own_broker.admin_url, connection)
    assert (again.corrected, again.withdrawn, again.missing) == ((), (), ())

    with Control(own_broker.admin_url) as control:
        control.ask("modifyRole", rolename=f"user-{gateway.username}", acls=[])
    assert synchronise(own_broker.admin_url, connection).corrected == (gateway.username,)
    with connected(own_broker, gateway.username, gateway.password) as device:
        assert device.publish(f"pilots/{pilot}/a/readings") in (0, 0x10)


def test_a_lost_users_file_is_generated_anew_without_new_secrets(
    connection: Connection, own_broker: Mosquitto, pilot: str
) -> None:
    credentials = applied(connection, own_broker, plan(pilot))
    gateway = credentials["gw"]
    own_broker.stop()
    own_broker.users_file.unlink()
    own_broker.start()
    assert not let_in(own_broker, gateway.username, gateway.password)
    assert set(synchronise(own_broker.admin_url, connection).missing) == {
        credential.username for credential in credentials.values()
    }
    own_broker.stop()
    own_broker.write_users(broker_users(connection))
    own_broker.start()
    assert let_in(own_broker, gateway.username, gateway.password)
    assert synchronise(own_broker.admin_url, connection).missing == ()
    with connected(own_broker, gateway.username, gateway.password) as device:
        assert device.publish(f"pilots/{pilot}/b/readings") in (0, 0x10)
        assert device.publish(f"pilots/{pilot}/c/readings") == 0x87


def test_the_users_file_and_the_control_topic_say_the_same(
    connection: Connection, own_broker: Mosquitto, pilot: str
) -> None:
    applied(connection, own_broker, plan(pilot))
    by_control = json.loads(own_broker.users_file.read_text())
    own_broker.stop()
    own_broker.write_users(broker_users(connection))
    by_file = json.loads(own_broker.users_file.read_text())

    def rights(document: dict[str, Any]) -> dict[str, set[tuple[str, str]]]:
        return {
            role["rolename"]: {(rule["acltype"], rule["topic"]) for rule in role["acls"]} for role in document["roles"]
        }

    assert rights(by_control) == rights(by_file)


def test_one_command_at_a_time_does_not_wait_for_ever(own_broker: Mosquitto) -> None:
    with Control(own_broker.admin_url, timeout_s=1) as control:
        own_broker.kill()
        started = time.monotonic()
        with pytest.raises(BrokerAway):
            control.ask("listClients")
        assert time.monotonic() - started < 5


def test_a_grant_without_a_secret_needs_a_user_that_is_there(broker: Mosquitto, pilot: str) -> None:
    with Broker(broker.admin_url) as control, pytest.raises(PermanentError, match="device credentials"):
        control.grant(Access(username=f"{pilot}.x", publish=("a",), subscribe=()), None)


def test_commands_at_the_same_time_do_not_stop_each_other(
    connection: Connection, database_url: str, own_broker: Mosquitto, pilot: str
) -> None:
    """They come under one user, of which the broker takes one connection at a time."""
    gateway = applied(connection, own_broker, plan(pilot))["gw"]
    failures: list[BaseException] = []

    def compare() -> None:
        try:
            with database_connected(database_url) as own:
                for _ in range(20):
                    synchronise(own_broker.admin_url, own)
        except BaseException as error:  # noqa: BLE001 - told by the test
            failures.append(error)

    comparing = [threading.Thread(target=compare) for _ in range(2)]
    for thread in comparing:
        thread.start()
    newest = gateway
    while any(thread.is_alive() for thread in comparing):
        with Broker(own_broker.admin_url) as control:
            newest = issue_credential(connection, pilot, "gw", who="cli:test", broker=control)
    assert failures == []
    assert let_in(own_broker, newest.username, newest.password)
    assert synchronise(own_broker.admin_url, connection).missing == ()

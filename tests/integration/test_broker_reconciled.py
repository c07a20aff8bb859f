"""What the broker knows is what the registry says: after each thing that somebody could do to it behind our back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.database import Connection
from devices.access import access_rules, role_name
from devices.broker import Broker, desired_access, synchronise
from devices.control import Control
from devices.credentials import password_record
from devices.registry import withdraw_connection
from pilotbed.stack.mosquitto import Mosquitto
from tests.collecting import ROOT, wait_for
from tests.speaking import applied, collector, connected, let_in, plan

pytestmark = pytest.mark.timeout(90)

Rules = set[tuple[str, str]]


def said_by_the_registry(connection: Connection) -> dict[str, Rules]:
    """User → its rights, of those that may speak."""
    return {
        name: {(rule["acltype"], rule["topic"]) for rule in access_rules(access)}
        for name, access in desired_access(connection).items()
        if access is not None
    }


def known_to_the_broker(broker: Mosquitto) -> dict[str, Rules]:
    """The same as the broker itself tells it: of every user that is let in, what all its roles and groups come to."""
    with Control(broker.admin_url) as control:
        roles = {
            role["rolename"]: {(rule["acltype"], rule["topic"]) for rule in role["acls"] if rule["allow"]}
            for role in control.ask("listRoles", verbose=True, count=-1, offset=0)["roles"]
        }
        groups = {
            group["groupname"]: group
            for group in control.ask("listGroups", verbose=True, count=-1, offset=0)["groups"]
        }  # fmt: skip
        clients = control.ask("listClients", verbose=True, count=-1, offset=0)["clients"]
    found: dict[str, Rules] = {}
    for client in clients:
        if client.get("disabled") or client["username"] in broker_own(broker):
            continue
        held = [role["rolename"] for role in client["roles"]]
        for group in client["groups"]:
            held += [role["rolename"] for role in groups[group["groupname"]]["roles"]]
        found[client["username"]] = set().union(*(roles[name] for name in held))
    return found


def broker_own(broker: Mosquitto) -> set[str]:
    return {user.username for user in broker.own_users()}


_ALL = [
    {"acltype": kind, "topic": "#", "priority": 9, "allow": True} for kind in ("publishClientSend", "subscribePattern")
]


def _more_topics(control: Control, name: str) -> None:
    control.ask("addRoleACL", rolename=role_name(name), acltype="publishClientSend", topic="pilots/#", allow=True)


def _no_topics(control: Control, name: str) -> None:
    control.ask("modifyRole", rolename=role_name(name), acls=[])


def _denied_by_a_rule(control: Control, name: str) -> None:
    control.ask(
        "addRoleACL", rolename=role_name(name), acltype="publishClientSend", topic="#", priority=9, allow=False
    )  # fmt: skip


def _another_role(control: Control, name: str) -> None:
    control.ask("createRole", rolename="everything", acls=_ALL)
    control.ask("addClientRole", username=name, rolename="everything", priority=9)


def _a_group(control: Control, name: str) -> None:
    control.ask("createRole", rolename="everything", acls=_ALL)
    control.ask("createGroup", groupname="friends", roles=[{"rolename": "everything"}])
    control.ask("addGroupClient", groupname="friends", username=name)


def _without_its_role(control: Control, name: str) -> None:
    control.ask("removeClientRole", username=name, rolename=role_name(name))


def _made_anew_by_hand(control: Control, name: str) -> None:
    """A user under a registry's name, with rights and a secret of somebody's choice."""
    control.ask("createRole", rolename="everything", acls=_ALL)
    control.ask("deleteClient", username=name)
    control.ask("createClient", username=name, password="chosen by hand", roles=[{"rolename": "everything"}])


def _tied_to_a_client_id(control: Control, name: str) -> None:
    control.ask("setClientId", username=name, clientid="another")


def _disabled(control: Control, name: str) -> None:
    control.ask("disableClient", username=name)


def _open_to_all(control: Control, _name: str) -> None:
    control.ask("setDefaultACLAccess", acls=[{"acltype": "publishClientSend", "allow": True}])


CHANGES = [
    _more_topics, _no_topics, _denied_by_a_rule, _another_role, _a_group, _without_its_role,
    _made_anew_by_hand, _tied_to_a_client_id, _disabled, _open_to_all,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_rights_changed_by_hand_are_what_the_registry_says_again(
    connection: Connection, own_broker: Mosquitto, pilot: str, change: Callable[[Control, str], None]
) -> None:
    gateway = applied(connection, own_broker, plan(pilot))["gw"]
    with Control(own_broker.admin_url) as control:
        change(control, gateway.username)
    done = synchronise(own_broker.admin_url, connection)
    assert done.corrected == (("*",) if change is _open_to_all else (gateway.username,))
    assert known_to_the_broker(own_broker) == said_by_the_registry(connection)
    again = synchronise(own_broker.admin_url, connection)
    assert (again.corrected, again.withdrawn, again.missing) == ((), (), ())
    secret = "chosen by hand" if change is _made_anew_by_hand else gateway.password
    with connected(own_broker, gateway.username, secret) as device:
        assert device.publish(f"pilots/{pilot}/a/readings") in (0, 0x10)
        assert device.publish(f"pilots/{pilot}/c/readings") == 0x87


def test_a_withdrawn_one_that_was_let_in_behind_our_back_is_cut_off(
    connection: Connection, own_broker: Mosquitto, pilot: str
) -> None:
    gateway = applied(connection, own_broker, plan(pilot))["gw"]
    with Broker(own_broker.admin_url) as control:
        withdraw_connection(connection, pilot, "gw", who="cli:test", broker=control)
    with Control(own_broker.admin_url) as by_hand:
        by_hand.ask("enableClient", username=gateway.username)
    with connected(own_broker, gateway.username, gateway.password) as device:
        assert synchronise(own_broker.admin_url, connection).withdrawn == (gateway.username,)
        assert device.gone.wait(2)
    assert not let_in(own_broker, gateway.username, gateway.password)
    assert known_to_the_broker(own_broker) == said_by_the_registry(connection)


def test_a_user_that_the_broker_lost_is_named_and_can_be_given_a_new_secret(
    connection: Connection, own_broker: Mosquitto, pilot: str, database_url: str
) -> None:
    gateway = applied(connection, own_broker, plan(pilot))["gw"]
    with Control(own_broker.admin_url) as control:
        control.ask("deleteClient", username=gateway.username)
    assert synchronise(own_broker.admin_url, connection).missing == (gateway.username,)
    environment = os.environ | {"PILOTBED_DATABASE_URL": database_url, "PILOTBED_MQTT_URL": own_broker.admin_url}
    done = subprocess.run(
        [sys.executable, "-m", "pilotbed", "device", "credentials", pilot, "gw", "--json"],
        env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    [issued] = json.loads(done.stdout)["credentials"]
    assert let_in(own_broker, gateway.username, issued["password"])
    assert known_to_the_broker(own_broker) == said_by_the_registry(connection)


# --- at the broker's start


def registered(connection: Connection, folder: Path) -> Mosquitto:
    """A broker that asks the registry at each start, as the local stack's does."""
    return Mosquitto(
        folder / "mosquitto", collectors=("collector-3",), registry=lambda: dict(desired_access(connection))
    )


def _lost(file: Path) -> None:
    file.unlink()


def _of_yesterday(file: Path) -> None:
    """As from a backup that knows none of them."""
    document = json.loads(file.read_text())
    document["clients"] = [client for client in document["clients"] if "." not in client["username"]]
    document["roles"] = []
    file.write_text(json.dumps(document))


def _another_secret(file: Path) -> None:
    document = json.loads(file.read_text())
    record = password_record("chosen by hand")
    for client in document["clients"]:
        client |= {"password": record.hash, "salt": record.salt}
    file.write_text(json.dumps(document))


def _open(file: Path) -> None:
    document = json.loads(file.read_text())
    document["defaultACLAccess"] = dict.fromkeys(document["defaultACLAccess"], True)
    document["roles"].append({"rolename": "everything", "acls": _ALL})
    document["groups"] = [
        {
            "groupname": "friends",
            "roles": [{"rolename": "everything"}],
            "clients": [{"username": client["username"]} for client in document["clients"]],
        }
    ]
    file.write_text(json.dumps(document))


def _all_let_in(file: Path) -> None:
    document = json.loads(file.read_text())
    for client in document["clients"]:
        client.pop("disabled", None)
    file.write_text(json.dumps(document))


@pytest.mark.parametrize("change", [_lost, _of_yesterday, _another_secret, _open, _all_let_in])
def test_a_broker_starts_with_what_the_registry_says(
    connection: Connection, stack_folder: Path, pilot: str, change: Callable[[Path], None]
) -> None:
    broker = registered(connection, stack_folder)
    with broker:
        credentials = applied(connection, broker, plan(pilot))
        with Broker(broker.admin_url) as control:
            withdraw_connection(connection, pilot, "c", who="cli:test", broker=control)
    change(broker.users_file)
    with broker:
        assert known_to_the_broker(broker) == said_by_the_registry(connection)
        assert not let_in(broker, credentials["c"].username, credentials["c"].password)
        with connected(broker, credentials["gw"].username, credentials["gw"].password) as device:
            assert device.publish(f"pilots/{pilot}/a/readings") in (0, 0x10)
            assert device.publish(f"pilots/{pilot}/c/readings") == 0x87
        with collector(broker) as hearing:
            assert hearing.publish(f"pilots/{pilot}/a/readings") == 0x87
        done = synchronise(broker.admin_url, connection)
        assert (done.corrected, done.withdrawn, done.missing) == ((), (), ())


def test_a_broker_that_was_killed_with_its_users_file_knows_everybody_again(
    connection: Connection, stack_folder: Path, pilot: str
) -> None:
    broker = registered(connection, stack_folder)
    with broker:
        gateway = applied(connection, broker, plan(pilot))["gw"]
        broker.kill()
        broker.users_file.unlink()
        broker.start()
        assert let_in(broker, gateway.username, gateway.password)


# --- by the working process


def test_the_working_process_compares_at_its_start_and_each_minute(
    connection: Connection, database_url: str, own_broker: Mosquitto, pilot: str, tmp_path: Path
) -> None:
    gateway = applied(connection, own_broker, plan(pilot))["gw"]

    def open_up() -> None:
        with Control(own_broker.admin_url) as control:
            _more_topics(control, gateway.username)
        assert known_to_the_broker(own_broker) != said_by_the_registry(connection)

    def as_it_should_be() -> Any:
        return known_to_the_broker(own_broker) == said_by_the_registry(connection)

    open_up()
    environment = os.environ | {"PILOTBED_DATABASE_URL": database_url, "PILOTBED_MQTT_URL": own_broker.admin_url}
    with (tmp_path / "work.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pilotbed", "work"], env=environment, stdout=output, stderr=output, cwd=ROOT
        )
    try:
        wait_for(as_it_should_be, what="the first comparison", within_s=20)
        open_up()
        wait_for(as_it_should_be, what="the comparison of the minute", within_s=65)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        finally:
            process.kill()
    said = (tmp_path / "work.log").read_text()
    assert f"broker_synchronised corrected=['{gateway.username}']" in said

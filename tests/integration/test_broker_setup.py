"""``pilotbed broker-setup``: a real Mosquitto on what it wrote lets in whom it should, and nobody else."""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISFIFO
from subprocess import CompletedProcess
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from core.database import Connection
from core.errors import EnvironmentProblem
from core.settings import Settings
from core.tls import client_context
from devices.access import Access
from devices.broker import Broker
from devices.registry import withdraw_connection
from pilotbed import cli
from pilotbed.cli.broker_setup import ADMIN_VARIABLE, COLLECTOR_VARIABLE
from pilotbed.stack.account import Account, child_account
from pilotbed.stack.broker_folder import BrokerFolder, Prepared
from pilotbed.stack.mosquitto import ADMIN
from pilotbed.stack.mosquitto_binaries import find_broker
from pilotbed.stack.ports import free_port
from tests.certificates import Authority
from tests.collecting import apply, wait_for
from tests.composed import mosquitto_on, run
from tests.conftest import missing

pytestmark = pytest.mark.timeout(90)


@dataclass
class SetUp:
    """One folder to set up, as often as a test likes."""

    folder: Path
    plugin: Path
    port: int = field(default_factory=free_port)
    variables: dict[str, str] = field(
        default_factory=lambda: {name: secrets.token_hex(24) for name in (ADMIN_VARIABLE, COLLECTOR_VARIABLE)}
    )

    def __call__(self, *options: str) -> CompletedProcess[str]:
        listen = f"127.0.0.1:{self.port}"
        variables = self.variables | {"PILOTBED_DATA_DIR": str(self.folder.parent / "data")}
        return run(
            "broker-setup", str(self.folder), "--listen", listen, "--plugin", str(self.plugin), *options,
            variables=variables,
        )  # fmt: skip

    def done(self, *options: str) -> str:
        done = self(*options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def admin_url(self) -> str:
        return f"mqtt://{ADMIN}:{self.variables[ADMIN_VARIABLE]}@127.0.0.1:{self.port}"

    @property
    def users(self) -> Path:
        return self.folder / "state" / "users.json"

    def user(self, name: str) -> dict[str, Any]:
        [found] = [item for item in json.loads(self.users.read_text())["clients"] if item["username"] == name]
        return dict(found)


@pytest.fixture
def set_up(stack_folder: Path) -> SetUp:
    try:
        plugin = find_broker().plugin
    except EnvironmentProblem as problem:
        missing(str(problem))
    return SetUp(folder=stack_folder / "broker", plugin=plugin)


class Client:
    """Somebody who would come in."""

    def __init__(self, port: int, username: str | None, password: str | None, client_id: str) -> None:
        self.heard: list[bytes] = []
        self.refused: str | None = None
        self.answered, self.granted, self.gone = threading.Event(), threading.Event(), threading.Event()
        self.mqtt = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv311)
        self.mqtt.reconnect_delay_set(min_delay=0.05, max_delay=0.05)  # type: ignore[arg-type]
        if username is not None:
            self.mqtt.username_pw_set(username, password)
        self.mqtt.on_connect = self._on_connect
        self.mqtt.on_subscribe = lambda _c, _u, _mid, codes, _p: self.granted.set() if codes[0].value < 3 else None
        self.mqtt.on_message = lambda _c, _u, message: self.heard.append(bytes(message.payload))
        self.mqtt.on_disconnect = lambda *_: self.gone.set()
        self.mqtt.connect("127.0.0.1", port)
        self.mqtt.loop_start()
        assert self.answered.wait(10)

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.refused = str(reason) if reason.is_failure else None
        self.answered.set()


@contextmanager
def client(set_up: SetUp, username: str | None, password: str | None, client_id: str = "") -> Iterator[Client]:
    opened = Client(set_up.port, username, password, client_id)
    try:
        yield opened
    finally:
        opened.mqtt.disconnect()
        opened.mqtt.loop_stop()


def with_device(set_up: SetUp, name: str = "dev", password: str = "the-device's-own") -> None:
    """Let a device in over the running broker's control topic, as the administrator."""
    topics = (f"pilots/p/{name}/#",)
    with Broker(set_up.admin_url) as broker:
        broker.grant(Access(username=name, publish=topics, subscribe=()), password)


def test_a_broker_lets_in_whom_it_should_and_nobody_else(set_up: SetUp) -> None:
    assert "the users pilotbed-admin, collector-1" in set_up.done()
    collectors = set_up.variables[COLLECTOR_VARIABLE]
    with mosquitto_on(set_up.folder, set_up.port):
        with_device(set_up)
        with client(set_up, "collector-1", collectors) as collector:
            collector.mqtt.subscribe("pilots/#", qos=1)
            assert collector.granted.wait(10)
            for topic, payload in (
                ("pilots/p/dev/readings", b"said"),
                ("pilots/q/other/readings", b"not said"),
                ("pilots/p/dev/readings", b"said again"),
            ):
                with client(set_up, "dev", "the-device's-own") as device:
                    device.mqtt.publish(topic, payload, qos=1).wait_for_publish(10)
            wait_for(lambda: len(collector.heard) >= 2, what="the device's messages")
            assert collector.heard == [b"said", b"said again"]
        for username, password in (
            (None, None), ("", ""), ("collector-1", None), ("collector-1", "wrong"), (ADMIN, collectors), ("nobody", "x"),
        ):  # fmt: skip
            with client(set_up, username, password) as stranger:
                assert stranger.refused == "Not authorized", username


def test_a_device_cannot_take_a_collectors_place(set_up: SetUp) -> None:
    set_up.done()
    with mosquitto_on(set_up.folder, set_up.port):
        with_device(set_up)
        with (
            client(set_up, "collector-1", set_up.variables[COLLECTOR_VARIABLE]) as collector,
            client(set_up, "dev", "the-device's-own", client_id="collector-1") as device,
        ):
            assert device.refused is None
            assert not collector.gone.wait(0.5)


def test_a_second_time_it_touches_nothing(set_up: SetUp) -> None:
    set_up.done()
    with mosquitto_on(set_up.folder, set_up.port):
        with_device(set_up)  # the broker writes the file in its own manner
    files = [set_up.folder / "mosquitto.conf", set_up.users]
    before = [(file.read_bytes(), file.stat().st_mtime_ns, file.stat().st_ino) for file in files]
    assert "nothing was written" in set_up.done()
    assert [(file.read_bytes(), file.stat().st_mtime_ns, file.stat().st_ino) for file in files] == before
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_a_changed_password_changes_that_user_alone(set_up: SetUp) -> None:
    set_up.done()
    with mosquitto_on(set_up.folder, set_up.port):
        with_device(set_up)
    old = set_up.variables[COLLECTOR_VARIABLE]
    kept = [set_up.user("dev"), set_up.user(ADMIN)]
    set_up.variables[COLLECTOR_VARIABLE] = secrets.token_hex(24)
    said = set_up.done()
    assert "the users collector-1." in said
    assert set_up.variables[COLLECTOR_VARIABLE] not in said
    assert [set_up.user("dev"), set_up.user(ADMIN)] == kept
    with mosquitto_on(set_up.folder, set_up.port):
        for username, password, comes_in in (
            ("collector-1", old, False),
            ("collector-1", set_up.variables[COLLECTOR_VARIABLE], True),
            ("dev", "the-device's-own", True),
        ):
            with client(set_up, username, password) as somebody:
                assert (somebody.refused is None) is comes_in, username


def test_a_user_of_ours_that_was_shut_out_or_changed_is_put_right(set_up: SetUp) -> None:
    set_up.done()
    document = json.loads(set_up.users.read_text())
    for item in document["clients"]:
        item["disabled"] = item["username"] == ADMIN
    for role in document["roles"]:
        if role["rolename"] == "user-collector-1":
            role["acls"].append({"acltype": "publishClientSend", "topic": "#", "priority": 0, "allow": True})
    set_up.users.write_text(json.dumps(document))
    assert f"the users {ADMIN}, collector-1." in set_up.done()
    assert "nothing was written" in set_up.done()


def test_a_lost_users_file_costs_no_device_its_secret(
    set_up: SetUp, connection: Connection, database_url: str, pilot: str
) -> None:
    slots = "".join(
        f"  {name}: {{device: {{serial: '{name}'}}, channels: {{t: {{unit: degC, period: 1 h}}, pm25: {{unit: ug/m^3}}}}}}\n"
        for name in ("kept", "gone")
    )
    applied = apply(connection, pilot, slots=slots.replace("pm25: {unit: ug/m^3}", "pm25: {unit: ug/m^3, period: 1 h}"))
    issued = {item.connection: item for item in applied.credentials}
    set_up.variables["PILOTBED_DATABASE_URL"] = database_url
    assert "2 connections of the registry" in set_up.done()
    with mosquitto_on(set_up.folder, set_up.port), Broker(set_up.admin_url) as broker:
        withdraw_connection(connection, pilot, "gone", who="cli:test", broker=broker)
    set_up.users.unlink()
    assert "the users pilotbed-admin, collector-1; 1 connections of the registry" in set_up.done()
    with mosquitto_on(set_up.folder, set_up.port):
        for name, comes_in in (("kept", True), ("gone", False)):
            with client(set_up, issued[name].username, issued[name].password) as device:
                assert (device.refused is None) is comes_in, name


def test_more_collectors_get_users_too(set_up: SetUp) -> None:
    set_up.done("--collector", "collector-1", "--collector", "collector-2")
    assert "nothing was written" in set_up.done("--collector", "collector-2")
    with mosquitto_on(set_up.folder, set_up.port):
        for name in ("collector-1", "collector-2"):
            with client(set_up, name, set_up.variables[COLLECTOR_VARIABLE]) as collector:
                assert collector.refused is None


@pytest.mark.parametrize("value", [None, "", "short", "long-enough-but/with@signs", "x" * 16 + "\n"])
@pytest.mark.parametrize("variable", [ADMIN_VARIABLE, COLLECTOR_VARIABLE])
def test_a_password_that_will_not_do_is_refused_before_anything_is_written(
    set_up: SetUp, variable: str, value: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, good in set_up.variables.items():
        monkeypatch.setenv(name, good)
    if value is None:
        monkeypatch.delenv(variable)
    else:
        monkeypatch.setenv(variable, value)
    assert cli.run(["broker-setup", str(set_up.folder)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"pilotbed: {variable} {'has' if value else 'is not set'}")
    assert said.count("\n") == 1
    assert not value or value not in said
    assert not set_up.folder.exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [("listen", "1883"), ("listen", "0.0.0.0:99999"), ("listen", "a b:1"), ("collector", ADMIN), ("collector", "#")],
)
def test_wrong_use_is_one_line(
    set_up: SetUp, option: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, good in set_up.variables.items():
        monkeypatch.setenv(name, good)
    assert cli.run(["broker-setup", str(set_up.folder), f"--{option}", value]) == 2
    said = capsys.readouterr().err
    assert repr(value) in said
    assert said.count("\n") == 1
    assert not set_up.folder.exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"clients": [], "roles": {}}', '{"clients": ["a"], "roles": []}'])
def test_a_damaged_users_file_is_told_and_left(set_up: SetUp, text: str) -> None:
    prepare(set_up)
    set_up.users.write_text(text)
    with pytest.raises(EnvironmentProblem, match=f"{set_up.users} is damaged"):
        prepare(set_up)
    assert set_up.users.read_text() == text


def test_a_folder_of_somebody_else_is_told(set_up: SetUp) -> None:
    account = child_account()
    if account is None:
        pytest.skip("only root may become another user")
    folder = set_up.folder
    folder.mkdir(mode=0o755)
    with (
        acting_as(account),
        pytest.raises(EnvironmentProblem, match=f"{folder} cannot be written by the user {account.uid}"),
    ):
        prepare(set_up)
    os.chown(folder, account.uid, account.gid)
    with acting_as(account):
        assert prepare(set_up).anything
    assert {path.stat().st_uid for path in folder.rglob("*")} == {account.uid}


@contextmanager
def acting_as(account: Account) -> Iterator[None]:
    os.seteuid(account.uid)
    try:
        yield
    finally:
        os.seteuid(0)


def prepare(set_up: SetUp) -> Prepared:
    return BrokerFolder(set_up.folder).prepare(
        listen=("127.0.0.1", set_up.port), plugin=set_up.plugin, admin_secret="a" * 16, collector_secrets={}
    )


def test_it_listens_by_tls_besides(set_up: SetUp, tmp_path: Path) -> None:
    ca = Authority(tmp_path / "ca")
    pair, secure = ca.signed("server"), free_port()
    renewed = ca.signed("renewed")
    for name, path in (("CERTIFICATE", pair.certificate), ("KEY", pair.key)):
        set_up.variables[f"PILOTBED_BROKER_{name}"] = str(path)
    options = ("--listen-tls", f"127.0.0.1:{secure}")
    assert "certificate and key" in set_up.done(*options)
    assert "nothing was written" in set_up.done(*options)
    trusting = client_context(Settings(mqtt_ca=ca.file))
    with mosquitto_on(set_up.folder, set_up.port):
        with client(set_up, ADMIN, set_up.variables[ADMIN_VARIABLE]) as plain:
            assert plain.refused is None
        with (
            socket.create_connection(("127.0.0.1", secure), timeout=10) as raw,
            trusting.wrap_socket(raw, server_hostname="localhost") as wrapped,
        ):
            assert wrapped.version() in ("TLSv1.2", "TLSv1.3")
    pair.certificate.write_bytes(renewed.certificate.read_bytes())
    pair.key.write_bytes(renewed.key.read_bytes())
    assert set_up.done(*options).startswith(f"Written to {set_up.folder}: certificate and key.")


def test_tls_without_a_certificate_is_refused(set_up: SetUp) -> None:
    done = set_up("--listen-tls", "127.0.0.1:8883")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "PILOTBED_BROKER_CERTIFICATE" in done.stderr
    assert not set_up.users.exists()


def test_the_pipe_for_what_the_broker_says_stays(set_up: SetUp) -> None:
    set_up.done("--log-pipe")
    pipe = set_up.folder / "state" / "log.pipe"
    before = pipe.stat()
    assert S_ISFIFO(before.st_mode) and before.st_mode & 0o077 == 0
    assert "nothing was written" in set_up.done("--log-pipe")
    assert pipe.stat().st_ino == before.st_ino, "broker and reader may have it open"

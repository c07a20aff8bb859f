"""TLS at the embedded broker, and client certificates: by real certificates, at a real Mosquitto."""

from __future__ import annotations

import os
import shutil
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from core.errors import BrokerAway, EnvironmentProblem, PermanentError
from core.settings import Settings, settings
from core.tls import client_context
from devices.access import BrokerUser
from devices.broker import Broker
from devices.credentials import password_record
from pilotbed.stack.broker_tls import Tls, tls_of
from pilotbed.stack.mosquitto import ADMIN, Mosquitto
from tests.certificates import Authority, Pair
from tests.conftest import missing

pytestmark = [
    pytest.mark.timeout(90),
    # paho leaves the socket of a failed handshake to the garbage collector.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning"),
]

OWN = "pilots/p/s/readings"


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def server(ca: Authority) -> Pair:
    return ca.signed("server")


@contextmanager
def encrypted(folder: Path, server: Pair, client_ca: Path | None = None) -> Iterator[Mosquitto]:
    broker = Mosquitto(
        folder / "mosquitto", tls=Tls(certificate=server.certificate, key=server.key, client_ca=client_ca)
    )
    broker.write_users([BrokerUser(username="p.s", password=password_record("pw"), publish=(OWN,), subscribe=())])
    try:
        broker.start()
    except EnvironmentProblem as problem:
        missing(str(problem))
    try:
        yield broker
    finally:
        broker.stop()


def context(ca: Path | None, pair: Pair | None = None) -> ssl.SSLContext:
    return client_context(
        Settings(
            mqtt_ca=ca,
            mqtt_certificate=None if pair is None else pair.certificate,
            mqtt_key=None if pair is None else pair.key,
        )
    )


class Device:
    """A client that says what became of its log-in: a reason code, or that there was no answer."""

    def __init__(
        self, broker: Mosquitto, tls: ssl.SSLContext | None, *, password: str = "pw", host: str = "127.0.0.1"
    ) -> None:
        self.answers: list[int] = []
        self.gone: list[Any] = []
        self.codes: list[int] = []
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id="p.s", protocol=mqtt.MQTTv5, reconnect_on_failure=False
        )
        self.client.username_pw_set("p.s", password)
        self.client.on_connect = lambda _c, _d, _f, code, _p: self.answers.append(code.value)
        self.client.on_disconnect = lambda *found: self.gone.append(found)
        self.client.on_publish = lambda _c, _d, _m, code, _p: self.codes.append(code.value)
        if tls is not None:
            self.client.tls_set_context(tls)
        self.client.connect(host, broker.port)
        self.client.loop_start()
        end = time.monotonic() + 10
        while not self.answers and not self.gone and time.monotonic() < end:
            time.sleep(0.01)

    def published(self) -> int:
        """The broker's answer to a message."""
        before = len(self.codes)
        self.client.publish(OWN, b"{}", qos=1)
        end = time.monotonic() + 10
        while len(self.codes) == before and time.monotonic() < end:
            time.sleep(0.01)
        return self.codes[before]

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def test_a_device_speaks_by_tls_and_in_no_other_way(stack_folder: Path, ca: Authority, server: Pair) -> None:
    with encrypted(stack_folder, server) as broker:
        assert broker.url == f"mqtts://127.0.0.1:{broker.port}"
        with Device(broker, context(ca.file)) as device:
            assert device.answers == [0]
            assert device.published() in (0, 0x10)
        with Device(broker, context(ca.file), password="wrong") as device:
            assert device.answers == [0x87]
        with Device(broker, None) as device:
            assert device.answers == []
        with pytest.raises(ssl.SSLCertVerificationError):
            Device(broker, context(None))  # one that knows the system's CAs only
        # Our own processes go by the inner listener, which is this machine's alone.
        with Broker(broker.admin_url) as control:
            assert "p.s" in control.users()


def test_a_broker_under_another_name_is_not_believed(stack_folder: Path, ca: Authority) -> None:
    with (
        encrypted(stack_folder, ca.signed("elsewhere", names="DNS:broker.example")) as broker,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        Device(broker, context(ca.file))


def test_with_a_client_ca_a_device_needs_a_certificate_and_its_secret(
    stack_folder: Path, ca: Authority, server: Pair, tmp_path: Path
) -> None:
    known, stranger = ca.signed("device-1"), Authority(tmp_path / "other", "other").signed("device-1")
    with encrypted(stack_folder, server, ca.file) as broker:
        with Device(broker, context(ca.file, known)) as device:
            assert device.answers == [0]
            assert device.published() in (0, 0x10)
        # The certificate lets nobody in by itself, and names nobody.
        with Device(broker, context(ca.file, known), password="wrong") as device:
            assert device.answers == [0x87]
        for pair in (None, stranger):
            try:
                with Device(broker, context(ca.file, pair)) as device:
                    assert device.answers == []  # with TLS 1.3 a client hears of the refusal only afterwards
            except (ssl.SSLError, ConnectionError):
                pass
        with Broker(broker.admin_url) as control:
            assert control.users()["p.s"].enabled


def test_the_registry_reaches_a_broker_by_tls_as_the_settings_say(
    stack_folder: Path, ca: Authority, server: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = ca.signed("work")
    with encrypted(stack_folder, server, ca.file) as broker:
        url = broker.url_of(ADMIN, broker.secret(ADMIN))
        assert url.startswith("mqtts://")
        for given, refused in (
            ({"CA": ca.file, "CERTIFICATE": pair.certificate, "KEY": pair.key}, None),
            ({"CA": ca.file}, BrokerAway),
            ({}, BrokerAway),
        ):
            for name in ("CA", "CERTIFICATE", "KEY"):
                monkeypatch.delenv(f"PILOTBED_MQTT_{name}", raising=False)
            for name, path in given.items():
                monkeypatch.setenv(f"PILOTBED_MQTT_{name}", str(path))
            settings.cache_clear()
            try:
                if refused is None:
                    with Broker(url) as control:
                        assert "p.s" in control.users()
                else:
                    with pytest.raises(refused), Broker(url, timeout_s=5):
                        pytest.fail("it let us in")
            finally:
                settings.cache_clear()


def test_a_renewed_certificate_is_taken_and_nobody_is_cut_off(
    stack_folder: Path, ca: Authority, tmp_path: Path
) -> None:
    live = Pair(tmp_path / "live.pem", tmp_path / "live.key")

    def renew(name: str) -> bytes:
        pair = ca.signed(name)
        shutil.copy(pair.certificate, live.certificate)
        shutil.copy(pair.key, live.key)
        os.utime(live.certificate, ns=(time.time_ns(), time.time_ns()))
        return ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())

    def shown(broker: Mosquitto) -> bytes:
        return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", broker.port), timeout=10))

    first = renew("first")
    with encrypted(stack_folder, live) as broker, Device(broker, context(ca.file)) as device:
        assert shown(broker) == first
        second = renew("second")
        end = time.monotonic() + 20
        while shown(broker) != second:
            assert time.monotonic() < end
            broker.tend()
            time.sleep(0.1)
        assert device.gone == []
        assert device.published() in (0, 0x10)
        # One that is none is not taken.
        live.certificate.write_text("no certificate")
        end = time.monotonic() + 2
        while time.monotonic() < end:
            broker.tend()
            time.sleep(0.1)
        assert shown(broker) == second
        broker.stop()
        broker.start()  # nor does a broker stay away for it that had a good one
        assert shown(broker) == second
        assert (broker.folder / "state" / "tls" / "key.pem").stat().st_mode & 0o777 == 0o600


def test_files_that_do_not_fit_are_named_before_anything_starts(ca: Authority, server: Pair, tmp_path: Path) -> None:
    another, nothing = ca.signed("another"), tmp_path / "nothing.pem"
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    for tls, named in (
        (Tls(certificate=server.certificate, key=another.key), "PILOTBED_BROKER_KEY .*mismatch"),
        (Tls(certificate=nothing, key=server.key), "PILOTBED_BROKER_CERTIFICATE .*No such file"),
        (Tls(certificate=server.certificate, key=server.key, client_ca=empty), "PILOTBED_BROKER_CLIENT_CA"),
        (
            Tls(certificate=server.certificate, key=server.key, client_ca=nothing),
            "PILOTBED_BROKER_CLIENT_CA.*No such file",
        ),
    ):
        with pytest.raises(EnvironmentProblem, match=named):
            tls.require_usable()


@pytest.mark.parametrize("given", [{"broker_certificate": "a"}, {"broker_key": "a"}, {"broker_client_ca": "a"}])
def test_half_of_the_brokers_settings_is_refused(given: dict[str, Any]) -> None:
    assert tls_of(Settings()) is None
    with pytest.raises(EnvironmentProblem, match="PILOTBED_BROKER_CERTIFICATE and PILOTBED_BROKER_KEY"):
        tls_of(Settings(**given))


def test_our_own_files_that_do_not_fit_are_named(ca: Authority, server: Pair, tmp_path: Path) -> None:
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"mqtt_ca": tmp_path / "none"}, "PILOTBED_MQTT_CA .*No such file"),
        ({"mqtt_ca": server.key}, "PILOTBED_MQTT_CA"),
        ({"mqtt_certificate": server.certificate}, "PILOTBED_MQTT_KEY is not"),
        ({"mqtt_key": server.key}, "PILOTBED_MQTT_CERTIFICATE is not"),
        ({"mqtt_certificate": server.certificate, "mqtt_key": ca.signed("other").key}, "PILOTBED_MQTT_KEY .*mismatch"),
    )
    for given, named in cases:
        with pytest.raises(PermanentError, match=named):
            client_context(Settings(**given))

"""``pilotbed up`` as a person meets it: one line for each thing that is wrong, and everything gone at the end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pilotbed.stack.account import temporary_folder
from pilotbed.stack.child import command_of
from pilotbed.stack.data_directory import LAYOUT
from pilotbed.stack.ports import free_port
from tests.certificates import Authority
from tests.collecting import plan_bytes

pytestmark = pytest.mark.timeout(180)

ROOT = Path(__file__).parents[2]


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def environment(directory: Path, **more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PILOTBED_")}
    ours = {"PILOTBED_DATA_DIR": str(directory), "PILOTBED_WEB_PORT": "0", "PILOTBED_MQTT_PORT": "0"}
    return kept | ours | more


def pilotbed(directory: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pilotbed", *arguments],
        cwd=ROOT, env=environment(directory, **more), capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip


def script(directory: Path, text: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", text],
        cwd=ROOT, env=environment(directory, **more), capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip


@dataclass
class Up:
    process: subprocess.Popen[str]
    directory: Path
    output: Path

    @property
    def running(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.directory / "run.json").read_text())
        return document

    def said(self) -> str:
        return self.output.read_text()

    def children(self) -> dict[str, int]:
        """The servers of the stack by name."""
        postmaster = (self.directory / "postgres/data/postmaster.pid").read_text().split()[0]
        broker = (self.directory / "mosquitto/state/mosquitto.pid").read_text()
        return {"postgres": int(postmaster), "mosquitto": int(broker)}

    def gone(self) -> bool:
        return not any(str(self.directory) in (command_of(pid) or "") for pid in self.pids)

    pids: tuple[int, ...] = ()


@contextmanager
def up(directory: Path, **more: str) -> Iterator[Up]:
    output = directory.with_name("output")
    with output.open("w") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "pilotbed", "up"],
            cwd=ROOT, env=environment(directory, **more), stdout=sink, stderr=sink, text=True,
        )  # fmt: skip
    running = Up(process, directory, output)
    try:
        assert within(60, lambda: process.poll() is not None or "until Ctrl-C" in running.said())
        assert process.poll() is None, running.said()
        running.pids = tuple(running.children().values())
        yield running
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        try:
            process.wait(90)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def directory(stack_folder: Path) -> Path:
    return stack_folder / "data"


def one_line(text: str) -> str:
    assert text.count("\n") == 1, text
    return text


@pytest.fixture(scope="module")
def stack() -> Iterator[Up]:
    """One running stack for the tests that leave it running."""
    with temporary_folder("pilotbed-test-") as folder, up(folder / "data") as running:
        yield running


def test_up_tells_what_it_found(stack: Up) -> None:
    assert re.search(r"^Database: (plain PostgreSQL|TimescaleDB) \d+", stack.said(), re.MULTILINE)
    assert stack.running["pid"] == stack.process.pid


def test_its_run_file_holds_no_secret(stack: Up) -> None:
    file = stack.directory / "run.json"
    assert file.stat().st_mode & 0o777 == 0o600
    for secret in [Path(stack.running["database_secret"]), *map(Path, stack.running["mqtt_secrets"].values())]:
        assert secret.read_text().strip() not in file.read_text()
        assert secret.stat().st_mode & 0o777 == 0o600


def test_a_second_start_on_the_directory_names_the_first(stack: Up) -> None:
    second = pilotbed(stack.directory, "up")
    assert second.returncode == 2
    assert f"in use by process {stack.process.pid} " in one_line(second.stderr)
    assert stack.process.poll() is None


def test_commands_attach_to_the_running_stack(stack: Up) -> None:
    answer = script(
        stack.directory,
        "from core.database import connected\n"
        "from pilotbed.stack.attach import attached_broker_url, attached_database\n"
        "with attached_database() as url, connected(url) as connection:\n"
        "    print(connection.execute('SELECT inet_server_port() AS port').fetchone()['port'])\n"
        "print(attached_broker_url('collector-1'))\n",
    )
    assert answer.returncode == 0, answer.stderr
    port, broker = answer.stdout.split()
    assert stack.running["database_url"].endswith(f":{port}/pilotbed")
    secret = Path(stack.running["mqtt_secrets"]["collector-1"]).read_text().strip()
    assert broker == stack.running["mqtt_inner_url"].replace("mqtt://", f"mqtt://collector-1:{secret}@")


@pytest.mark.parametrize("victim", ["mosquitto", "postgres"])
def test_a_killed_server_is_started_again_on_its_port_and_said(stack: Up, victim: str) -> None:
    name = {"mosquitto": "Mosquitto", "postgres": "PostgreSQL"}[victim]
    before = stack.running
    os.kill(stack.children()[victim], signal.SIGKILL)
    assert within(60, lambda: f"{name} runs again." in stack.said()), stack.said()
    assert f"{name} ended unasked (killed by SIGKILL" in stack.said()
    assert stack.running == before
    url = before["mqtt_url" if victim == "mosquitto" else "database_url"]
    with socket.create_connection(("127.0.0.1", int(re.findall(r":(\d+)", url)[0])), timeout=5):
        pass


@pytest.mark.parametrize("stopping", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_all_of_it(directory: Path, stopping: signal.Signals) -> None:
    with up(directory) as own:
        own.process.send_signal(stopping)
        assert own.process.wait(90) == 0, own.said()
        assert within(5, own.gone)
    assert not (directory / "run.json").exists()
    assert not (directory / "postgres/data/postmaster.pid").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_killed_outright_it_leaves_nothing_and_starts_again(directory: Path) -> None:
    with up(directory) as stack:
        stack.process.kill()
        stack.process.wait()
        assert within(20, stack.gone), stack.pids
    assert (directory / "run.json").exists(), "the killed one could not remove it"
    refused = script(directory, "from pilotbed.stack.attach import attached_broker_url; attached_broker_url()")
    assert "No stack runs on" in refused.stderr
    with up(directory) as again:
        assert again.process.poll() is None


def test_a_busy_port_is_named_before_anything_starts(directory: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = pilotbed(directory, "up", PILOTBED_MQTT_PORT=port)
    assert refused.returncode == 2
    assert f"Port {port} on 127.0.0.1, wanted for the MQTT broker, is in use" in one_line(refused.stderr)
    assert not (directory / "postgres").exists()


@pytest.mark.parametrize(
    ("setting", "what"), [("PILOTBED_WEB_PORT", "the web server"), ("PILOTBED_MQTT_PORT", "the MQTT broker")]
)
def test_a_port_that_was_taken_meanwhile_is_not_believed_to_be_ours(directory: Path, setting: str, what: str) -> None:
    """The port was free when it was looked at; while PostgreSQL starts, somebody else begins to answer there."""
    port = free_port()
    output = directory.with_name("output")
    with (
        output.open("w") as sink,
        subprocess.Popen(
            [sys.executable, "-m", "pilotbed", "up"],
            cwd=ROOT, env=environment(directory, **{setting: str(port)}), stdout=sink, stderr=sink, text=True,
        ) as second,
    ):  # fmt: skip
        try:
            assert within(60, lambda: (directory / "postgres/data").exists() or second.poll() is not None)
            with socket.create_server(("127.0.0.1", port)):
                second.wait(60)
        finally:
            second.kill()
    assert second.returncode == 2, output.read_text()
    said = output.read_text().splitlines()
    assert f"Port {port} on 127.0.0.1, wanted for {what}, is in use by another program" in said[-1]
    assert setting in said[-1]
    assert "runs again" not in output.read_text()
    assert not (directory / "run.json").exists()
    assert not (directory / "postgres/data/postmaster.pid").exists()


def test_of_two_started_at_once_on_one_web_port_one_runs_and_one_says_why_not(stack_folder: Path) -> None:
    port = str(free_port())
    folders = [stack_folder / "one" / "data", stack_folder / "two" / "data"]
    for folder in folders:
        folder.parent.mkdir(mode=0o711)
    outputs = [folder.with_name("output") for folder in folders]
    both = []

    def said() -> str:
        return "\n\n".join(output.read_text() for output in outputs)

    for folder, output in zip(folders, outputs, strict=True):
        with output.open("w") as sink:
            both.append(
                subprocess.Popen(
                    [sys.executable, "-m", "pilotbed", "up"],
                    cwd=ROOT, env=environment(folder, PILOTBED_WEB_PORT=port), stdout=sink, stderr=sink, text=True,
                )
            )  # fmt: skip
    try:
        assert within(90, lambda: any("until Ctrl-C" in output.read_text() for output in outputs)), said()
        assert within(60, lambda: any(process.poll() is not None for process in both)), said()
        [ended] = [index for index, process in enumerate(both) if process.poll() is not None]
        assert both[ended].returncode == 2
        why = outputs[ended].read_text().splitlines()[-1]
        assert port in why and "in use" in why
        time.sleep(2)
        assert both[1 - ended].poll() is None
        assert "ended unasked" not in outputs[1 - ended].read_text()
    finally:
        for process in both:
            process.send_signal(signal.SIGINT)
        for process in both:
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def test_a_directory_of_a_newer_version_is_left_alone(directory: Path) -> None:
    directory.mkdir(mode=0o711)
    (directory / "version").write_text(f"{LAYOUT + 1}\n")
    refused = pilotbed(directory, "up")
    assert refused.returncode == 2
    assert f"has layout '{LAYOUT + 1}', this version of Pilotbed knows {LAYOUT}: run the newer" in one_line(
        refused.stderr
    )
    assert sorted(path.name for path in directory.iterdir()) == ["lock", "version"]


def test_a_nearly_full_disk_is_named_before_anything_starts(directory: Path) -> None:
    directory.mkdir(mode=0o711)
    mount = ["mount", "-t", "tmpfs", "-o", "size=100m,mode=0711", "tmpfs", str(directory)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small disk cannot be mounted here")
    try:
        refused = pilotbed(directory, "up")
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)
    assert refused.returncode == 2
    assert re.search(r"Only \d+ MB are free on the disk of .*: free some", one_line(refused.stderr))


@pytest.mark.parametrize("variables", [{"PATH": ""}])
def test_without_mosquitto_it_says_how_to_get_it(directory: Path, variables: Mapping[str, str]) -> None:
    refused = pilotbed(directory, "up", **variables)
    assert refused.returncode == 2
    assert "Mosquitto, the MQTT broker, is not installed: " in one_line(refused.stderr)


def test_a_wrong_setting_is_named(directory: Path) -> None:
    refused = pilotbed(directory, "up", PILOTBED_MQTT_PORT="many")
    assert refused.returncode == 2
    assert "PILOTBED_MQTT_PORT" in one_line(refused.stderr)


_HOLD = (
    "import sys, time\n"
    "from core.database import connected\n"
    "from pilotbed.stack.attach import attached_database\n"
    "with attached_database() as url, connected(url) as connection:\n"
    "    print(connection.execute('SELECT count(*) AS n FROM migration').fetchone()['n'], flush=True)\n"
    "    time.sleep(float(sys.argv[1]))\n"
)


def test_without_a_stack_a_command_has_postgres_for_its_own_duration(directory: Path) -> None:
    alone = subprocess.run(
        [sys.executable, "-c", _HOLD, "0"],
        cwd=ROOT, env=environment(directory), capture_output=True, text=True, timeout=90, check=True,
    )  # fmt: skip
    assert int(alone.stdout) > 0
    assert not (directory / "postgres/data/postmaster.pid").exists()


def test_a_second_such_command_waits_for_the_first(directory: Path) -> None:
    def start(seconds: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", _HOLD, seconds],
            cwd=ROOT, env=environment(directory), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    with start("2") as first:
        assert first.stdout is not None
        assert int(first.stdout.readline()) > 0
        with start("0") as second:
            answer, complaint = second.communicate(timeout=60)
    assert second.returncode == 0
    assert int(answer) > 0
    assert f"in use by process {first.pid}" in complaint
    assert "Waiting for it" in complaint


def test_without_a_stack_there_is_no_broker(directory: Path) -> None:
    refused = script(
        directory,
        "from pilotbed.stack.attach import attached_broker_url\n"
        "from core.errors import BrokerAway\n"
        "try: attached_broker_url()\n"
        "except BrokerAway as problem: print(problem)\n",
    )
    assert "start `pilotbed up`, or set PILOTBED_MQTT_URL" in one_line(refused.stdout)


def test_servers_that_the_settings_name_are_used(directory: Path, database_url: str) -> None:
    asked = script(
        directory,
        "from pilotbed.stack.attach import attached_broker_url, attached_database\n"
        "with attached_database() as url: print(url)\n"
        "print(attached_broker_url())\n",
        PILOTBED_DATABASE_URL=database_url,
        PILOTBED_MQTT_URL="mqtt://somebody:secret@broker.example:1883",
    )
    assert asked.stdout.split() == [database_url, "mqtt://somebody:secret@broker.example:1883"]
    assert not directory.exists()


def test_with_a_certificate_devices_come_by_tls_and_our_own_processes_as_before(
    directory: Path, stack_folder: Path
) -> None:
    ca = Authority(stack_folder / "ca")
    pair = ca.signed("server")
    variables = {
        "PILOTBED_BROKER_CERTIFICATE": str(pair.certificate),
        "PILOTBED_BROKER_KEY": str(pair.key),
        "PILOTBED_MQTT_CA": str(ca.file),
    }
    with up(directory, **variables) as running:
        address = running.running["mqtt_url"]
        assert address.startswith("mqtts://127.0.0.1:")
        assert running.running["mqtt_inner_url"].startswith("mqtt://127.0.0.1:")
        plan = stack_folder / "plan.yaml"
        plan.write_bytes(plan_bytes("encrypted"))
        applied = pilotbed(directory, "plan", "apply", str(plan), "--json", **variables)
        assert applied.returncode == 0, applied.stderr
        assert json.loads(applied.stdout)["broker"] == address
        shown = pilotbed(directory, "device", "credentials", "encrypted", "s1", "--example", "python", **variables)
        program = shown.stdout[shown.stdout.index("# Python") :]
        assert f'ca_certs="{ca.file.name}"' in program
        done = subprocess.run(
            [sys.executable, "-"], input=program, cwd=ca.folder, capture_output=True, text=True, timeout=30, check=False
        )
        assert done.stdout == "connected: Success\npublished: Success\n", done.stderr
        stored = (
            "from core.database import connected\n"
            "from pilotbed.stack.attach import attached_database\n"
            "with attached_database() as url, connected(url) as connection:\n"
            "    print(connection.execute('SELECT count(*) AS n FROM reading').fetchone()['n'],"
            " connection.execute('SELECT count(*) AS n FROM contact').fetchone()['n'])\n"
        )
        # Three channels; and the registry's user, the collector and the device were seen at the broker.
        assert within(30, lambda: script(directory, stored).stdout.split() == ["3", "3"])


def test_a_certificate_that_is_not_usable_is_named_before_anything_starts(directory: Path) -> None:
    refused = pilotbed(
        directory, "up", PILOTBED_BROKER_CERTIFICATE="/nowhere/a.pem", PILOTBED_BROKER_KEY="/nowhere/b.pem"
    )
    assert refused.returncode == 2
    assert "PILOTBED_BROKER_CERTIFICATE (/nowhere/a.pem)" in one_line(refused.stderr)
    assert not (directory / "postgres").exists()

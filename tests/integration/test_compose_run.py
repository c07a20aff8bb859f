"""The services of compose.yaml run together: as plain processes with its commands and variables, or in containers."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from core.database import Connection, connected
from core.errors import EnvironmentProblem
from devices.journal import denials
from pilotbed.stack import pulse
from pilotbed.stack.account import child_account
from pilotbed.stack.child import start_child
from pilotbed.stack.mosquitto_binaries import find_broker, find_program
from pilotbed.stack.ports import answers, free_port
from telemetry.happenings import beat
from tests.collecting import count, device, now_ms, plan_bytes, wait_for
from tests.composed import (
    FILE,
    PILOTBED,
    ROOT,
    environment,
    process_environment,
    run,
    services,
    some_secrets,
)
from tests.conftest import missing

pytestmark = pytest.mark.timeout(120)

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FIRST_PASSWORD = re.compile(r"First administrator: admin, password (\S+) \(shown this once\)\.")


# --- migrate ---------------------------------------------------------------------------------------------------------


def test_migrate_says_what_it_did_and_the_first_password_once(empty_database_url: str, stack_folder: Path) -> None:
    variables = {"PILOTBED_DATABASE_URL": empty_database_url, "PILOTBED_DATA_DIR": str(stack_folder)}
    first = run("migrate", variables=variables)
    assert first.returncode == 0, first.stderr
    assert "Applied: 0001_foundation.sql, 0002_registry.sql" in first.stdout
    assert re.search(r"^Engine: (plain PostgreSQL|TimescaleDB) \d", first.stdout, re.MULTILINE)
    password = FIRST_PASSWORD.search(first.stdout)
    assert password is not None
    assert "`pilotbed user password admin`" in first.stdout  # because this output is not a terminal
    again = run("migrate", variables=variables)
    assert "nothing was applied" in again.stdout
    assert FIRST_PASSWORD.search(again.stdout) is None
    with connected(empty_database_url) as connection:
        row = connection.execute("SELECT who FROM audit WHERE object = 'person admin'").fetchone()
        assert row is not None and row["who"] == "system:migrate"
        assert count(connection, "audit", f"after::text LIKE '%{password[1]}%'") == 0


def test_migrate_may_leave_people_alone(empty_database_url: str, stack_folder: Path) -> None:
    variables = {"PILOTBED_DATABASE_URL": empty_database_url, "PILOTBED_DATA_DIR": str(stack_folder)}
    assert FIRST_PASSWORD.search(run("migrate", "--no-admin", variables=variables).stdout) is None
    with connected(empty_database_url) as connection:
        assert count(connection, "person") == 0


def test_migrate_refuses_a_database_of_a_newer_version(connection: Connection, database_url: str) -> None:
    connection.execute("INSERT INTO migration (name, sha256) VALUES ('9999_later.sql', '')")
    done = run("migrate", variables={"PILOTBED_DATABASE_URL": database_url})
    assert (done.returncode, done.stdout) == (2, "")
    assert "9999_later.sql" in done.stderr


def test_migrate_without_a_named_database_takes_the_embedded_one(stack_folder: Path) -> None:
    variables = {"PILOTBED_DATA_DIR": str(stack_folder / "data")}
    first = run("migrate", variables=variables, timeout_s=100)
    assert "Applied: 0001_foundation.sql" in first.stdout, first.stderr
    assert FIRST_PASSWORD.search(first.stdout) is not None


# --- health ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ago_s", "code"), [(0.0, 0), (pulse.RECENT_S + 5, 1), (None, 1)])
def test_a_process_is_healthy_while_its_heart_beats(
    connection: Connection, database_url: str, ago_s: float | None, code: int
) -> None:
    for started_s in (86_400.0, 3_600.0) if ago_s is not None else ():
        beat(connection, "collector-1", datetime.now(UTC) - timedelta(seconds=started_s))
    beat(connection, "another", datetime.now(UTC))
    if ago_s is not None:
        connection.execute("UPDATE heartbeat SET at = at - make_interval(secs => %s)", [ago_s])
    asked = healthy("collector-1", {"PILOTBED_DATABASE_URL": database_url})
    assert asked.returncode == code, asked.stdout


def test_no_process_is_healthy_where_nobody_can_tell(database_url: str) -> None:
    gone = urlsplit(database_url)._replace(netloc=f"pilotbed:x@127.0.0.1:{free_port()}").geturl()
    for variables in ({"PILOTBED_DATABASE_URL": gone}, {}):
        asked = healthy("collector-1", variables)
        assert (asked.returncode, asked.stderr, asked.stdout.count("\n")) == (1, "", 1)


def healthy(process: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    [test] = [
        s["healthcheck"]["test"] for s in services().values() if process in s.get("healthcheck", {}).get("test", ())
    ]
    return asked(test, variables)


def asked(test: list[str], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A container's own question about its health."""
    assert test[:2] == ["CMD", "python"]
    return subprocess.run(
        [sys.executable, *test[2:]],
        env=process_environment(variables), capture_output=True, text=True, timeout=30, check=False, cwd="/",
    )  # fmt: skip


# --- all of it, as processes -----------------------------------------------------------------------------------------


@dataclass
class Rehearsal:
    """compose.yaml's services of ours as processes: another database, another broker's address, other ports."""

    database_url: str
    folder: Path
    broker_port: int = field(default_factory=free_port)
    web_port: int = field(default_factory=free_port)
    given: dict[str, str] = field(default_factory=some_secrets)

    @property
    def broker(self) -> Path:
        return self.folder / "broker"

    def variables(self, service: str) -> dict[str, str]:
        found = environment(services()[service], self.given)
        assert found["PILOTBED_DATABASE_URL"].endswith("@database:5432/pilotbed")
        # Nobody may need a place of their own but those who have a volume.
        own = any(volume.endswith(":/var/lib/pilotbed") for volume in services()[service].get("volumes", ()))
        place = self.folder / "data" if own else Path("/proc/read-only")
        found |= {"PILOTBED_DATABASE_URL": self.database_url, "PILOTBED_DATA_DIR": str(place)}
        found = {name: self.here(value) for name, value in found.items()}
        if "PILOTBED_WEB_PORT" in found:
            found |= {"PILOTBED_HOST": "127.0.0.1", "PILOTBED_WEB_PORT": str(self.web_port)}
        if "PILOTBED_MQTT_URL" in found:
            found["PILOTBED_MQTT_URL"] = found["PILOTBED_MQTT_URL"].replace("@broker:1883", f"@{self.broker_address}")
        return found

    def here(self, text: str) -> str:
        """A path of the volumes as it is here."""
        return text.replace("/mosquitto/data", str(self.broker)).replace("/mosquitto/log", str(self.folder / "log"))

    @contextmanager
    def broker_running(self) -> Iterator[None]:
        """The broker and the reader of what it says, by their own commands."""
        (self.folder / "log").mkdir()
        keeper, broker = services()["broker-log"], services()["broker"]
        assert keeper["entrypoint"][0] == "python"
        [shell, flag, text] = broker["command"]
        text = self.here(text).replace("/usr/sbin/mosquitto", str(find_program()))
        started = [
            start_child("broker-log", [sys.executable, *keeper["entrypoint"][1:], *map(self.here, keeper["command"])],
                        output=self.folder / "broker-log.log"),
            start_child("broker", [shell, flag, text], account=child_account(), output=self.folder / "broker.log"),
        ]  # fmt: skip
        try:
            wait_for(lambda: answers("127.0.0.1", self.broker_port), what="the broker to listen")
            health = [self.here(word) for word in keeper["healthcheck"]["test"][1:]]
            assert subprocess.run(health, check=False, timeout=10).returncode == 0
            yield
        finally:
            for child in reversed(started):
                child.stop()
        assert "mosquitto version" in (self.folder / "broker-log.log").read_text(), "it is echoed"

    @property
    def broker_address(self) -> str:
        return f"127.0.0.1:{self.broker_port}"

    def once(self, service: str, *further: str) -> str:
        """Run a service that ends by itself."""
        command = [self.here(word) for word in services()[service]["command"]]
        done = run(*(further if service == "cli" else (*command, *further)), variables=self.variables(service))
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def lasting(self, service: str) -> Iterator[Callable[[], bool]]:
        """Run a service that lasts; gives the question whether it is healthy. It must end well when it is asked to."""
        log = self.folder / f"{service}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*PILOTBED, *services()[service]["command"]],
                env=process_environment(self.variables(service)), stdout=output, stderr=output, cwd="/",
            )  # fmt: skip
        test = [word.replace(":8400", f":{self.web_port}") for word in services()[service]["healthcheck"]["test"]]
        try:
            yield lambda: process.poll() is None and asked(test, self.variables(service)).returncode == 0
            process.terminate()
            patience_s = int(services()[service]["stop_grace_period"].removesuffix("s"))
            ended = process.wait(patience_s)
            # uvicorn ends by the signal that asked it to.
            assert ended in (0, -15), log.read_text(encoding="utf-8")
        finally:
            process.kill()
            process.wait()


def test_the_services_of_the_file_run_together(empty_database_url: str, stack_folder: Path, pilot: str) -> None:
    try:
        plugin = find_broker().plugin
    except EnvironmentProblem as problem:
        missing(str(problem))
    rehearsal = Rehearsal(empty_database_url, stack_folder)
    setting_up = ("--listen", rehearsal.broker_address, "--plugin", str(plugin))
    assert FIRST_PASSWORD.search(rehearsal.once("migrate")) is not None
    assert "the users pilotbed-admin, collector-1" in rehearsal.once("broker-setup", *setting_up)
    with ExitStack() as running:
        running.enter_context(rehearsal.broker_running())
        for service in ("collect", "work", "serve"):
            is_healthy = running.enter_context(rehearsal.lasting(service))
            wait_for(is_healthy, what=f"{service} to be healthy", within_s=40)
        plan = stack_folder / "plan.yaml"
        plan.write_bytes(plan_bytes(pilot))
        applied = json.loads(rehearsal.once("cli", "plan", "apply", str(plan), "--json"))
        [issued] = applied["credentials"]
        with device(f"mqtt://{issued['username']}:{issued['password']}@{rehearsal.broker_address}") as sender:
            sender.say(f"pilots/{pilot}/s1/readings", {"ts": now_ms(), "values": {"pm25": 21.5, "temp": 20.0}})
            sender.say("elsewhere", {})
            sender.finish(2)
        with connected(empty_database_url) as connection:
            wait_for(lambda: count(connection, "reading") == 2, what="the readings to be stored")
            wait_for(
                lambda: [row["topic"] for row in denials(connection, pilot, since=LONG_AGO)] == ["elsewhere"],
                what="the denial to be told",
            )
    assert "nothing was written" in rehearsal.once("broker-setup", *setting_up)


# --- Grafana's role --------------------------------------------------------------------------------------------------


def test_the_guides_role_for_grafana_sees_readings_and_no_secrets(connection: Connection) -> None:
    guide = (ROOT / "docs" / "compose.md").read_text(encoding="utf-8")
    [statements] = re.findall(r"```sql\n(CREATE ROLE.*?)```", guide, re.DOTALL)
    with connection.transaction(force_rollback=True):
        connection.execute(statements)
        connection.execute("SET LOCAL ROLE grafana")
        connection.execute("SELECT value FROM reading JOIN channel USING (channel_id) JOIN slot USING (slot_id)")
        for statement in (
            "SELECT password FROM person",
            "SELECT password FROM connection",
            "INSERT INTO reading DEFAULT VALUES",
            "DELETE FROM event",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement)


# --- in containers ---------------------------------------------------------------------------------------------------


@pytest.mark.timeout(1200)
def test_the_containers_come_up_and_are_healthy(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if docker is None:
        pytest.skip("there is no docker here")
    for question in (["info"], ["compose", "version"]):
        told = subprocess.run([docker, *question], capture_output=True, text=True, timeout=60, check=False)
        if told.returncode:
            said = (told.stderr or told.stdout).strip().splitlines()
            pytest.skip(f"`docker {' '.join(question)}`: {said[-1] if said else 'failed'}")
    given = some_secrets() | {
        name: f"127.0.0.1:{free_port()}" for name in ("PILOTBED_WEB_LISTEN", "PILOTBED_MQTT_LISTEN", "GRAFANA_LISTEN")
    }
    file = tmp_path / "env"
    file.write_text("".join(f"{name}={value}\n" for name, value in given.items()), encoding="utf-8")
    base = [
        docker,
        "compose",
        "--project-name",
        f"pilotbed-test-{os.getpid()}",
        "--file",
        str(FILE),
        "--env-file",
        str(file),
    ]
    try:
        subprocess.run([*base, "up", "--detach"], check=True, timeout=900)
        lasting = {name for name, service in services().items() if "healthcheck" in service}

        def all_healthy() -> bool:
            listed = subprocess.run(
                [*base, "ps", "--format", "{{.Service}} {{.Health}}"], capture_output=True, text=True, check=True
            )
            return {f"{name} healthy" for name in lasting} <= set(listed.stdout.splitlines())

        wait_for(all_healthy, what="all services to be healthy", within_s=180)
        logs = subprocess.run([*base, "logs", "migrate"], capture_output=True, text=True, check=True).stdout
        assert FIRST_PASSWORD.search(logs) is not None
        assert "Engine: TimescaleDB" in logs
    finally:
        subprocess.run([*base, "down", "--volumes", "--timeout", "60"], check=False, timeout=200)

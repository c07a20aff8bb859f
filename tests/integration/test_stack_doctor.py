"""``pilotbed doctor`` on this machine, and on one that lacks something."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def doctor(directory: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PILOTBED_")}
    ours = {"PILOTBED_DATA_DIR": str(directory), "PILOTBED_WEB_PORT": "0", "PILOTBED_MQTT_PORT": "0"}
    return subprocess.run(
        [sys.executable, "-m", "pilotbed", "doctor", *arguments],
        cwd=ROOT, env=kept | ours | more, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_on_a_sound_machine_it_is_content(stack_folder: Path) -> None:
    seen = doctor(stack_folder)
    assert seen.returncode == 0, seen.stdout
    assert "✕" not in seen.stdout
    assert "✓ PostgreSQL" in seen.stdout


def test_without_mosquitto_it_says_how_to_get_it(stack_folder: Path) -> None:
    seen = doctor(stack_folder, PATH="")
    assert seen.returncode == 2
    line = next(line for line in seen.stdout.splitlines() if "Mosquitto" in line)
    assert line.startswith("✕ Mosquitto")
    assert "install mosquitto" in line


def test_json_is_one_object(stack_folder: Path) -> None:
    seen = json.loads(doctor(stack_folder, "--json").stdout)
    assert {one["outcome"] for one in seen["findings"]} <= {"ok", "warning", "missing"}
    assert "Mosquitto" in {one["subject"] for one in seen["findings"]}


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_no_secret_is_shown(stack_folder: Path, as_json: tuple[str, ...], database_url: str) -> None:
    seen = doctor(
        stack_folder,
        *as_json,
        PILOTBED_DATABASE_URL=database_url,
        PILOTBED_SESSION_KEY="hush-hush",
        PILOTBED_MQTT_URL="mqtt://me:hush-hush@h:1",
    )
    assert seen.returncode == 0, seen.stdout
    assert "hush-hush" not in seen.stdout + seen.stderr
    assert database_url.split(":")[2].split("@")[0] not in seen.stdout + seen.stderr
    assert "Database" in seen.stdout


def test_a_database_that_does_not_answer_is_missing(stack_folder: Path) -> None:
    seen = doctor(stack_folder, PILOTBED_DATABASE_URL="postgresql://a:hush-hush@127.0.0.1:1/x")
    assert seen.returncode == 2
    assert "✕ Database" in seen.stdout
    assert "hush-hush" not in seen.stdout + seen.stderr


def test_a_closed_data_directory_is_named(stack_folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root runs the servers as another user")
    closed = stack_folder / "closed"
    closed.mkdir(mode=0o700)
    seen = doctor(closed / "data")
    assert seen.returncode == 2
    assert f"{closed} is closed to the user" in seen.stdout


def test_it_says_whether_anybody_reads_the_brokers_log(stack_folder: Path, database_url: str) -> None:
    def line(**variables: str) -> str:
        seen = doctor(stack_folder, **variables)
        assert seen.returncode == 0, seen.stdout
        return next(line for line in seen.stdout.splitlines() if "Broker's log" in line)

    assert line().startswith("✓ Broker's log") and "`pilotbed up`" in line()
    elsewhere = {"PILOTBED_DATABASE_URL": database_url, "PILOTBED_MQTT_URL": "mqtt://a:b@127.0.0.1:1"}
    assert line(**elsewhere).startswith("▲ Broker's log")
    assert "nobody reads it" in line(**elsewhere) and "PILOTBED_BROKER_LOG" in line(**elsewhere)
    log = stack_folder / "mosquitto.log"
    assert "No such file" in line(**elsewhere, PILOTBED_BROKER_LOG=str(log))
    log.write_text("")
    assert line(**elsewhere, PILOTBED_BROKER_LOG=str(log)).startswith("✓ Broker's log")


def test_certificates_that_are_not_usable_are_named(stack_folder: Path) -> None:
    assert re.search(r"^✓ TLS to the broker +no", doctor(stack_folder).stdout, re.MULTILINE)
    seen = doctor(stack_folder, PILOTBED_BROKER_CERTIFICATE=str(stack_folder / "none.pem"))
    assert seen.returncode == 2
    line = next(line for line in seen.stdout.splitlines() if "TLS to the broker" in line)
    assert line.startswith("✕ TLS to the broker") and "PILOTBED_BROKER_KEY" in line

"""The registry's commands, on a real database and a real broker."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.settings import settings
from devices.plan.credential_file import read_credentials
from pilotbed.stack.mosquitto import Mosquitto
from tests.commanding import Command, command_line

PLANS = Path(__file__).parents[2] / "examples" / "plans"


@pytest.fixture
def file(tmp_path: Path, pilot: str) -> Path:
    """The office's plan as a pilot of the test's own."""
    text = (PLANS / "office-temperature.yaml").read_text(encoding="utf-8")
    path = tmp_path / "plan.yaml"
    path.write_text(text.replace("pilot: office-temperature", f"pilot: {pilot}"), encoding="utf-8")
    return path


@pytest.fixture
def pilotbed(
    database_url: str, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """Runs a command line; gives its exit code, its stdout and its stderr."""
    with command_line(
        monkeypatch, capsys, PILOTBED_DATABASE_URL=database_url, PILOTBED_MQTT_URL=broker.admin_url, COLUMNS="200"
    ) as command:
        yield command


def edited(file: Path, old: str, new: str) -> Path:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    return file


def test_a_plan_is_applied_and_its_secrets_handed_over_once(
    pilotbed: Command, file: Path, pilot: str, tmp_path: Path, broker: Mosquitto
) -> None:
    credentials = tmp_path / "credentials.json"
    code, out, err = pilotbed("plan", "apply", file, "--credentials", credentials)
    assert (code, err) == (0, "")
    assert f"{pilot}: version 1 applied" in out
    handed = read_credentials(credentials)
    assert stat.S_IMODE(credentials.stat().st_mode) == 0o600
    assert (handed.pilot, handed.broker) == (pilot, f"mqtt://{broker.admin_url.split('@')[1]}")
    assert handed.of_slot("office").username == f"{pilot}.office"
    assert handed.of_slot("office").password not in out

    code, out, _ = pilotbed("plan", "apply", file)
    assert (code, out.strip()) == (0, f"{file} is version 1 of {pilot} already: nothing changed.")
    code, _, err = pilotbed("plan", "apply", file, "--credentials", credentials)
    assert code == 2
    assert "never overwritten" in err
    assert read_credentials(credentials) == handed


def test_without_a_file_the_secrets_are_shown(pilotbed: Command, file: Path, pilot: str) -> None:
    code, out, _ = pilotbed("plan", "apply", file, "--json")
    shown = json.loads(out)
    assert (code, shown["applied"], shown["version"]) == (0, True, 1)
    assert len(shown["credentials"][0]["password"]) >= 24
    code, out, _ = pilotbed("device", "credentials", pilot, "office")
    assert code == 0
    renewed = re.search(r"password (\S+)", out)
    assert renewed is not None
    assert renewed[1] != shown["credentials"][0]["password"]


def test_a_plan_that_may_not_follow_is_refused_with_every_reason(pilotbed: Command, file: Path, pilot: str) -> None:
    assert pilotbed("plan", "apply", file)[0] == 0
    edited(file, "18..26 degC", "15..30 degC")
    edited(file, "unit: degC", "unit: K")
    code, out, err = pilotbed("plan", "apply", file, "--lang", "en")
    assert (code, out) == (1, "")
    assert [line.split("  ")[1].split(":")[0] for line in err.splitlines()] == [
        "slots.office.channels.temperature.unit",
        "kpis.comfort.target",
        "kpis.comfort.target",
    ]
    code, out, _ = pilotbed("plan", "diff", pilot, file, "--json")
    seen: dict[str, Any] = json.loads(out)
    assert code == 0
    assert [(change["path"], change["effect"]) for change in seen["changes"]] == [
        ("slots.office.channels.temperature.unit", "registry"),
        ("kpis.comfort.target", "contract"),
    ]
    assert [item["code"] for item in seen["refused"]] == ["unit-changed", "amendment-needed", "window-seen"]
    assert json.loads(pilotbed("plan", "show", pilot, "--json")[1])["version"] == 1


def test_a_bad_plan_lists_its_problems_with_file_and_line(pilotbed: Command, file: Path) -> None:
    edited(file, "weight: 60", "weight: 600")
    code, out, _ = pilotbed("plan", "check", file, "--lang", "en")
    assert code == 1
    assert re.fullmatch(rf"{re.escape(str(file))}:\d+  kpis.comfort.weight: found '600' — the most is 100\n", out)
    code, out, _ = pilotbed("plan", "check", file, "--json")
    assert (code, json.loads(out)["valid"]) == (1, False)
    code, out, err = pilotbed("plan", "apply", file)
    assert (code, out) == (1, "")
    assert "최댓값" in err


def test_the_file_comes_back_to_the_byte(pilotbed: Command, file: Path, pilot: str) -> None:
    assert pilotbed("plan", "apply", file)[0] == 0
    assert pilotbed("plan", "show", pilot, "--source")[1].encode() == file.read_bytes()


def test_devices_are_listed_replaced_and_withdrawn(pilotbed: Command, file: Path, pilot: str) -> None:
    assert pilotbed("plan", "apply", file)[0] == 0
    assert pilotbed("device", "replace", pilot, "office", "--serial", "OT-2", "--firmware", "1.10")[0] == 0
    [row] = json.loads(pilotbed("device", "list", pilot, "--json")[1])["devices"]
    assert (row["serial"], row["firmware"], row["state"]) == ("OT-2", "1.10", "active")
    assert len(json.loads(pilotbed("device", "list", pilot, "--all", "--json")[1])["devices"]) == 2
    assert "is cut off" in pilotbed("device", "withdraw", pilot, "office")[1]
    assert "nothing changed" in pilotbed("device", "withdraw", pilot, "office")[1]
    assert "connection withdrawn" in pilotbed("device", "list", pilot)[1]
    code, _, err = pilotbed("device", "withdraw", pilot, "offce")
    assert (code, err.count("\n")) == (2, 1)
    assert "it has: office" in err


def test_the_audit_log_is_shown(pilotbed: Command, file: Path, pilot: str) -> None:
    assert pilotbed("plan", "apply", file)[0] == 0
    assert pilotbed("device", "replace", pilot, "office", "--serial", "OT-2")[0] == 0
    code, out, _ = pilotbed("audit", "--pilot", pilot, "--json")
    lines = json.loads(out)["entries"]
    assert code == 0
    assert [line["what"] for line in lines[:2]] == ["credential.issue", "device.replace"]
    assert lines[1]["who"].startswith("cli:")
    assert (lines[1]["before"]["serial"], lines[1]["after"]["serial"]) == ("OT-1", "OT-2")
    code, out, _ = pilotbed("audit", "--pilot", pilot)
    assert code == 0
    assert "serial: OT-1 → OT-2" in out
    assert pilotbed("audit", "--pilot", "nobody")[0] == 2


def test_a_broker_that_is_away_is_one_line_and_nothing_changed(
    pilotbed: Command, file: Path, pilot: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILOTBED_MQTT_URL", "mqtt://pilotbed-admin:hush@127.0.0.1:9")
    settings.cache_clear()
    code, out, err = pilotbed("plan", "apply", file)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "No broker answers at 127.0.0.1:9" in err
    assert "hush" not in err
    assert pilotbed("plan", "show", pilot)[0] == 2


def test_a_plan_is_shown(pilotbed: Command, file: Path, pilot: str) -> None:
    assert pilotbed("plan", "apply", file)[0] == 0
    code, out, _ = pilotbed("plan", "show", pilot)
    assert code == 0
    for part in ("version 1 of 1", "에어타이트", "18 to 26 °C", "office (json)", "cli:"):
        assert part in out
    assert pilotbed("plan", "show", pilot, "--version", "2")[0] == 2

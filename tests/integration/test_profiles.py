"""Plans with device templates in the registry, in bundles, and through the broker."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.canonical import sha256
from core.database import Connection
from devices.plan.problem import PlanProblems
from devices.plan.reader import read_plan
from devices.registry import Applied, apply_plan, bindings, plan_of, plan_source
from ingest.registry import load
from kpi.bundle.verify import verify
from kpi.bundle.write import bundle
from pilotbed.stack.mosquitto import Mosquitto
from telemetry.channels import channels
from telemetry.seals import signing
from telemetry.seals.close import Sealer
from telemetry.seals.heads import Heads
from tests.bundled import since_days
from tests.collecting import collecting, plan_bytes, wait_for
from tests.commanding import command_line
from tests.evaluated import PLAN, Site, hours
from tests.speaking import applied, connected

pytestmark = pytest.mark.timeout(180)
NOW = datetime(2025, 1, 1, tzinfo=UTC)
ACME = """\
title: Acme CA-200
channels:
  temp: {unit: degC, source: t.f, source_unit: degF, period: 1 h}
  fan:
    kind: state
    states: [stopped, running, fault]
    source_states: {0: stopped, 1: running}
    reporting: on_change
"""
NAME = "./profiles/acme.yaml"
KPIS = '  mean: {name: m, measure: {statistic: {channel: temp, stat: mean}}, target: "<= 30 degC", weight: 100}'
SLOTS = """\
  a: {profile: ./profiles/acme.yaml, device: {serial: "1"}}
  b: {profile: ./profiles/acme.yaml, device: {serial: "2"}, without: [fan]}
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A plan's file, with a template of the company's own beside it."""
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "acme.yaml").write_text(ACME, encoding="utf-8")
    text = PLAN.format(
        start="2025-03-01", end="2025-12-01", zone="Asia/Seoul", interim="2025-06-01", until="2025-11-01", slots=SLOTS,
        kpis=KPIS,
    )  # fmt: skip
    (tmp_path / "plan.yaml").write_text(text, encoding="utf-8")
    return tmp_path / "plan.yaml"


def again(connection: Connection, plan: Path, acme: str, *, days: int = 1, amended: bool = False) -> Applied:
    """Apply the plan with another text of its template."""
    (plan.parent / "profiles" / "acme.yaml").write_text(acme, encoding="utf-8")
    if amended:
        text = plan.read_text(encoding="utf-8")
        plan.write_text(
            text + "amendment: {parties: [S, C, T], reason: 주기 변경, date: 2025-01-20}\n", encoding="utf-8"
        )
    return apply_plan(connection, read_plan(plan), who="cli:test", now=NOW + timedelta(days=days))


def rows(connection: Connection, query: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in connection.execute(query)]


def test_what_was_applied_stays_whatever_becomes_of_the_file(connection: Connection, plan: Path) -> None:
    first = apply_plan(connection, read_plan(plan), who="cli:test", now=NOW)
    (plan.parent / "profiles" / "acme.yaml").unlink()

    kept, version, digest = plan_of(connection, "hall")
    assert (version, digest) == (1, sha256(plan.read_bytes())) == (first.version, first.sha256)
    assert plan_source(connection, "hall")[0] == plan.read_bytes()
    assert [(one.name, one.source) for one in kept.profiles] == [(NAME, ACME.encode())]
    assert [list(slot.channels) for slot in kept.slots.values()] == [["temp", "fan"], ["temp"]]
    stored = rows(connection, "SELECT profiles FROM plan_version")
    assert stored == [({NAME: {"sha256": sha256(ACME.encode()), "source": ACME}},)]
    [audited] = rows(connection, "SELECT after FROM audit WHERE what = 'plan.apply'")
    assert audited[0]["profiles"] == {NAME: sha256(ACME.encode())}


def test_the_same_plan_with_the_same_template_changes_nothing(connection: Connection, plan: Path) -> None:
    apply_plan(connection, read_plan(plan), who="cli:test", now=NOW)
    assert again(connection, plan, ACME).changed is False


def test_a_changed_template_is_the_next_version_and_revises_what_it_changes(connection: Connection, plan: Path) -> None:
    apply_plan(connection, read_plan(plan), who="cli:test", now=NOW)
    done = again(connection, plan, ACME.replace("1: running}", "1: running, ERR: fault}"))

    assert (done.version, done.changed) == (2, True)
    assert {(one.path, one.effect) for one in done.diff} == {
        ("slots.a.channels.fan.source_states.ERR", "registry"), (f"profiles.{NAME}", "registry"),
    }  # fmt: skip
    assert rows(connection, "SELECT version, sha256 = min(sha256) OVER () FROM plan_version") == [(1, True), (2, True)]
    assert rows(connection, "SELECT name, revision FROM channel ORDER BY slot_id, name, revision") == [
        ("fan", 1), ("fan", 2), ("temp", 1), ("temp", 1),
    ]  # fmt: skip
    assert plan_of(connection, "hall", 1)[0].slots["a"].channels["fan"].source_states == {
        "0": "stopped",
        "1": "running",
    }
    assert load(connection)[0].slots[0].channels[1].states == {"0": 0, "1": 1, "ERR": 2}


def test_a_comment_in_a_template_is_a_version_and_revises_nothing(connection: Connection, plan: Path) -> None:
    apply_plan(connection, read_plan(plan), who="cli:test", now=NOW)
    done = again(connection, plan, f"# v2\n{ACME}")
    assert (done.version, [one.path for one in done.diff]) == (2, [f"profiles.{NAME}"])
    assert rows(connection, "SELECT DISTINCT revision FROM channel") == [(1,)]


def test_what_counts_in_a_template_changes_by_amendment_alone(connection: Connection, plan: Path) -> None:
    apply_plan(connection, read_plan(plan), who="cli:test", now=NOW)
    with pytest.raises(PlanProblems, match="amendment") as caught:
        again(connection, plan, ACME.replace("period: 1 h", "period: 2 h"))
    assert {one.profile for one in caught.value.problems} == {f"{NAME}:3:{ACME.splitlines()[2].index('period') + 1}"}
    assert again(connection, plan, ACME.replace("period: 1 h", "period: 2 h"), amended=True).version == 2


def test_a_bundle_proves_it_without_the_file(connection: Connection, plan: Path, tmp_path: Path) -> None:
    apply_plan(connection, read_plan(plan), who="cli:test", now=NOW)
    again(connection, plan, ACME.replace("period: 1 h", "period: 2 h"), amended=True)
    (plan.parent / "profiles" / "acme.yaml").unlink()
    site = Site(
        connection=connection,
        slots={row["name"]: row["slot_id"] for row in connection.execute("SELECT name, slot_id FROM slot")},
        channels={(one.slot, one.name): one.channel_ids[-1] for one in channels(connection, "hall")},
    )
    at = hours(date(2025, 3, 1), date(2025, 4, 1), step_h=2)
    for slot in ("a", "b"):
        site.heard(slot, "temp", at, np.full(len(at), 21.5))
    site.summarised()
    since_days(connection, 1)
    key_file = tmp_path / "seal.key"
    sealer = Sealer(key=signing.make_key(connection, key_file), heads=Heads(key_file))
    bundle(connection, "hall", tmp_path / "b.zip", month="2025-03", sealer=sealer, who="cli:test")

    found = verify(tmp_path / "b.zip", keys=tmp_path / "seal-keys.json")
    assert found.faults == []
    told = [line.en for line in found.lines if line.about == "plan" and "template" in line.en]
    second = ACME.replace("period: 1 h", "period: 2 h")
    assert told == [
        f"plan/v1.yaml: with the device template {NAME} ({sha256(ACME.encode())})",
        f"plan/v2.yaml: with the device template {NAME} ({sha256(second.encode())})",
    ]
    assert len([line for line in found.lines if line.about == "kpi"]) == 1


def test_the_command_line_shows_it(
    connection: Connection,
    database_url: str,
    plan: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    apply_plan(connection, read_plan(plan), who="cli:test", now=NOW)
    digest = sha256(ACME.encode())
    with command_line(monkeypatch, capsys, PILOTBED_DATABASE_URL=database_url) as run:
        assert json.loads(run("plan", "show", "hall", "--json")[1])["profiles"] == {NAME: digest}
        assert f"device template {NAME}, SHA-256 {digest}" in run("plan", "show", "hall")[1]
        assert run("plan", "show", "hall", "--source")[1] == plan.read_text(encoding="utf-8")
        assert json.loads(run("plan", "check", plan, "--json", "--no-chances")[1])["profiles"] == {NAME: digest}
        assert run("plan", "show", "hall", "--profile", "other")[0] == 2
        listed = json.loads(run("plan", "profiles", "--json")[1])["profiles"]
        assert listed["power-meter"]["channels"]["energy"]["unit"] == "kWh"
        assert "power-meter" in run("plan", "profiles")[1]


def test_a_shipped_template_hears_its_device_through_the_broker(
    connection: Connection, database_url: str, broker: Mosquitto, pilot: str
) -> None:
    slots = f"  s1: {{profile: power-meter, device: {{serial: {pilot}}}}}\n"
    text = plan_bytes(pilot, slots=slots).replace(b"channel: pm25", b"channel: power").replace(b"35 ug/m^3", b"3 kW")
    credential = applied(connection, broker, read_plan(text))["s1"]
    assert credential.topics[-2:] == (f"tele/{pilot}/SENSOR", f"tele/{pilot}/LWT")
    assert bindings(connection)[-1].options["time"] == {"path": "Time", "format": "iso", "zone": "Asia/Seoul"}
    with (
        collecting(database_url, broker.collector_url("collector-1"), "collector-1"),
        connected(broker, credential.username, credential.password) as client,
    ):
        local = (datetime.now(UTC) + timedelta(hours=9)).replace(microsecond=0, tzinfo=None).isoformat()
        payload = {
            "Time": local,
            "ENERGY": {"Total": 1.5, "Power": 236, "Factor": 0.94, "Voltage": 221, "Current": 1.1},
        }
        assert client.publish(f"tele/{pilot}/SENSOR", json.dumps(payload).encode()) == 0
        client.publish(f"tele/{pilot}/LWT", b"Online")

        def taken() -> bool:
            return len(rows(connection, "SELECT 1 FROM reading")) == 5 and rows(
                connection, "SELECT state FROM link_state"
            ) == [("online",)]

        wait_for(taken, what="readings and the link's state")
    assert rows(
        connection, "SELECT c.name, c.unit, r.value FROM reading r JOIN channel c USING (channel_id) ORDER BY c.name"
    ) == [
        ("current", "A", 1.1), ("energy", "kWh", 1.5), ("power", "W", 236), ("power_factor", "1", 0.94), ("voltage", "V", 221),
    ]  # fmt: skip

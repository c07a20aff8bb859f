"""The registry on a real PostgreSQL: what an apply does, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from core.audit import entries
from core.database import Connection
from core.errors import BrokerAway, NotFound
from core.window import EPOCH
from devices.access import Access
from devices.credentials import PasswordRecord, matches
from devices.plan.problem import PlanProblems
from devices.plan.reader import PlanFile, read_plan
from devices.registry import (
    apply_plan,
    bindings,
    desired_access,
    desired_clients,
    devices,
    issue_credential,
    pilot,
    pilots,
    plan_of,
    plan_source,
    replace_device,
    stamp,
    withdraw_connection,
)

PLANS = Path(__file__).parents[2] / "examples" / "plans"
NOW = datetime(2026, 2, 1, 3, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=10)


def subway(*replacements: tuple[str, str]) -> PlanFile:
    """The subway's plan, with some of its text replaced; each text must be there."""
    text = (PLANS / "subway-air.yaml").read_text(encoding="utf-8")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return read_plan(text.encode())


def one(connection: Connection, query: Any, *parameters: Any) -> Any:
    row = connection.execute(query, parameters).fetchone()
    assert row is not None
    return next(iter(row.values()))


def test_a_first_apply_registers_everything(connection: Connection) -> None:
    file = subway()
    applied = apply_plan(connection, file, who="cli:test", now=NOW)

    assert (applied.version, applied.changed, applied.sha256) == (1, True, file.sha256)
    [credential] = applied.credentials
    assert credential.username == "cityhall-air-2026.gw-1"
    assert credential.slots == ("platform-1", "platform-2", "concourse")
    assert len(credential.password) >= 24
    assert "pilots/cityhall-air-2026/concourse/readings" in credential.topics
    assert len(credential.topics) == 9

    [bound] = bindings(connection)
    assert (bound.pilot, bound.protocol, bound.name) == ("cityhall-air-2026", "json", "gw-1")
    assert bound.options["time"] == {"path": "ts", "format": "ms"}
    assert [slot.name for slot in bound.slots] == ["platform-1", "platform-2", "concourse"]
    assert [channel.name for channel in bound.slots[0].channels] == [
        "pm25",
        "co2",
        "temperature",
        "humidity",
        "fan_power",
    ]
    fan = bound.slots[0].channels[4]
    assert (fan.unit, fan.options["source_unit"], fan.options["source"]) == ("W", "kW", "fan.kw")
    assert (fan.period_s, fan.max_hold_s, fan.revision, fan.valid_from) == (60, 180, 1, EPOCH)
    # 2026-03-01 and 2027-03-01 of Seoul begin at 15:00 UTC of the day before.
    assert bound.window.start == datetime(2026, 2, 28, 15, tzinfo=UTC)
    assert bound.window.end == datetime(2027, 2, 28, 15, tzinfo=UTC)

    assert [row["slot_id"] for row in connection.execute("SELECT slot_id FROM predicate ORDER BY slot_id")] == [
        bound.slots[0].slot_id,
        bound.slots[1].slot_id,
    ]
    assert one(connection, "SELECT DISTINCT high FROM predicate") == 35


def test_the_file_is_kept_to_the_byte(connection: Connection) -> None:
    file = subway()
    apply_plan(connection, file, who="cli:test", now=NOW)
    source, version, digest = plan_source(connection, "cityhall-air-2026")
    assert (source, version, digest) == (file.source, 1, file.sha256)
    assert plan_of(connection, "cityhall-air-2026")[0] == file.plan


def test_applying_the_same_file_again_changes_nothing(connection: Connection) -> None:
    apply_plan(connection, subway(), who="cli:test", now=NOW)
    audited = one(connection, "SELECT count(*) FROM audit")
    again = apply_plan(connection, subway(), who="cli:test", now=LATER)
    assert (again.changed, again.version, again.credentials, again.diff) == (False, 1, (), ())
    assert one(connection, "SELECT count(*) FROM audit") == audited


def test_no_secret_is_stored(connection: Connection) -> None:
    [credential] = apply_plan(connection, subway(), who="cli:test", now=NOW).credentials
    for table in ("connection", "audit", "plan_version"):
        assert credential.password not in str(connection.execute(f"SELECT * FROM {table}").fetchall())
    stored = one(connection, "SELECT password FROM connection")
    assert matches(credential.password, PasswordRecord(**stored))
    assert not matches("something else", PasswordRecord(**stored))
    [user] = desired_clients(connection)
    assert (user.username, user.password) == (credential.username, PasswordRecord(**stored))


def test_a_changed_source_unit_makes_a_new_revision(connection: Connection) -> None:
    apply_plan(connection, subway(), who="cli:test", now=NOW)
    before = {channel.name: channel for channel in bindings(connection)[0].slots[0].channels}
    file = subway(("source: air.temp,", "source: air.temp, source_unit: degF,"))
    applied = apply_plan(connection, file, who="cli:test", now=LATER)
    after = {channel.name: channel for channel in bindings(connection)[0].slots[0].channels}

    assert applied.version == 2
    assert {change.effect for change in applied.diff} == {"registry"}
    assert after["temperature"].revision == 2
    assert after["temperature"].valid_from == LATER
    assert after["temperature"].channel_id != before["temperature"].channel_id
    assert after["pm25"] == before["pm25"]
    closed = one(connection, "SELECT valid_to FROM channel WHERE channel_id = %s", before["temperature"].channel_id)
    assert closed == LATER
    [line] = [line for line in entries(connection) if line["object"] == "channel platform-1/temperature"][:1]
    assert line["what"] == "channel.revise"
    assert "source_unit" not in line["before"]["options"]
    assert line["after"]["options"]["source_unit"] == "degF"


def test_a_changed_name_is_no_revision(connection: Connection) -> None:
    apply_plan(connection, subway(), who="cli:test", now=NOW)
    apply_plan(connection, subway(("name: 기온", "name: 온도")), who="cli:test", now=LATER)
    temperature = bindings(connection)[0].slots[0].channels[2]
    assert (temperature.revision, temperature.options["name"]) == (1, "온도")


def test_a_canonical_unit_never_changes(connection: Connection) -> None:
    apply_plan(connection, subway(), who="cli:test", now=NOW)
    with pytest.raises(PlanProblems) as caught:
        apply_plan(connection, subway(("unit: W,", "unit: kW,")), who="cli:test", now=LATER)
    assert [(item.code, item.path) for item in caught.value.problems] == [
        ("unit-changed", "slots.platform-1.channels.fan_power.unit")
    ]


def test_a_unit_stays_even_of_a_channel_that_a_version_dropped(connection: Connection) -> None:
    line = "      fan_power: {name: 환기팬 전력, unit: W, source: fan.kw, source_unit: kW, period: 60 s, range: [0, 5000]}\n"
    amendment = (
        "kind: rnd\n",
        "kind: rnd\namendment: {parties: [a, b, c], reason: 팬 전력 제외, date: 2026-02-05}\n",
    )
    apply_plan(connection, subway(), who="cli:test", now=NOW)
    apply_plan(connection, subway((line, ""), amendment), who="cli:test", now=LATER)
    assert one(connection, "SELECT count(*) FROM channel WHERE valid_to IS NULL") == 12
    back = (amendment[0], amendment[1].replace("팬 전력 제외", "팬 전력 복원"))
    with pytest.raises(PlanProblems, match="canonical unit never changes"):
        apply_plan(connection, subway(("unit: W,", "unit: kW,"), back), who="cli:test", now=LATER)
    apply_plan(connection, subway(back), who="cli:test", now=LATER)
    assert bindings(connection)[0].slots[0].channels[-1].revision == 2


def test_a_changed_target_needs_an_amendment(connection: Connection) -> None:
    apply_plan(connection, subway(), who="cli:test", now=NOW)
    softer = ('target: ">= 95 %"', 'target: ">= 90 %"')
    with pytest.raises(PlanProblems) as caught:
        apply_plan(connection, subway(softer), who="cli:test", now=LATER)
    [problem] = caught.value.problems
    assert (problem.code, problem.path, problem.value) == ("amendment-needed", "kpis.pm25-limit.target", ">= 90 %")
    assert problem.line == 1 + subway(softer).source.decode().splitlines().index('    target: ">= 90 %"')
    assert pilot(connection, "cityhall-air-2026").version == 1

    agreed = ("kind: rnd\n", "kind: rnd\namendment: {parties: [a, b, c], reason: 설비 지연, date: 2026-02-05}\n")
    applied = apply_plan(connection, subway(softer, agreed), who="cli:test", now=LATER)
    assert applied.version == 2
    [change] = applied.diff
    assert (change.path, change.before, change.after, change.effect) == (
        "kpis.pm25-limit.target",
        ">= 95 %",
        ">= 90 %",
        "contract",
    )
    # The same amendment does not cover another change.
    with pytest.raises(PlanProblems, match="amendment"):
        apply_plan(connection, subway((softer[0], softer[1].replace("90", "85")), agreed), who="cli:test", now=LATER)


def test_what_was_judged_does_not_change_even_by_amendment(connection: Connection) -> None:
    apply_plan(connection, subway(), who="cli:test", now=NOW)
    softer = subway(
        ('target: ">= 95 %"', 'target: ">= 90 %"'),
        ("kind: rnd\n", "kind: rnd\namendment: {parties: [a, b, c], reason: 늦음, date: 2026-09-02}\n"),
    )
    after_interim = datetime(2026, 8, 31, 15, 0, tzinfo=UTC)  # 1 September in Seoul
    with pytest.raises(PlanProblems) as caught:
        apply_plan(connection, softer, who="cli:test", now=after_interim)
    assert [item.code for item in caught.value.problems] == ["window-seen"]
    apply_plan(connection, softer, who="cli:test", now=after_interim - timedelta(microseconds=1))


def test_another_serial_is_another_installation(connection: Connection) -> None:
    apply_plan(connection, subway(), who="cli:test", now=NOW)
    during = datetime(2026, 5, 1, tzinfo=UTC)
    apply_plan(connection, subway(('"CA-0002"', '"CA-0099"')), who="cli:test", now=during)
    rows = [row for row in devices(connection, "cityhall-air-2026") if row.slot == "platform-2"]
    assert [(row.serial, row.removed_at) for row in rows] == [("CA-0002", during), ("CA-0099", None)]
    assert rows[0].installed_at == datetime(2026, 2, 28, 15, tzinfo=UTC)
    assert rows[1].installed_at == during


def test_a_replacement_by_hand_stands_until_the_plan_says_otherwise(connection: Connection) -> None:
    apply_plan(connection, subway(), who="cli:test", now=NOW)
    during = datetime(2026, 5, 1, tzinfo=UTC)
    replace_device(connection, "cityhall-air-2026", "concourse", serial="CA-7", firmware="2.0", who="cli:x", now=during)
    apply_plan(connection, subway(("name: 기온", "name: 온도")), who="cli:test", now=during + timedelta(days=1))
    rows = [row for row in devices(connection, "cityhall-air-2026") if row.slot == "concourse"]
    assert [(row.serial, row.model, row.firmware) for row in rows] == [
        ("CA-0003", "CA-200", "1.4.2"),
        ("CA-7", "CA-200", "2.0"),
    ]
    with pytest.raises(NotFound, match="platform-1"):
        replace_device(connection, "cityhall-air-2026", "nowhere", serial="x", who="cli:x")


def test_a_slot_that_the_plan_drops_is_withdrawn_not_deleted(connection: Connection) -> None:
    apply_plan(connection, subway(), who="cli:test", now=NOW)
    text = subway().source.decode()
    start, end = text.index("  concourse:"), text.index("kpis:")
    agreed = ("kind: rnd\n", "kind: rnd\namendment: {parties: [a, b, c], reason: 철거, date: 2026-02-05}\n")
    smaller = read_plan((text[:start] + text[end:]).replace(*agreed).encode())
    known = stamp(connection)
    apply_plan(connection, smaller, who="cli:test", now=LATER)
    assert stamp(connection) != known
    assert [slot.name for slot in bindings(connection)[0].slots] == ["platform-1", "platform-2"]
    assert one(connection, "SELECT withdrawn_at FROM slot WHERE name = 'concourse'") == LATER
    assert one(connection, "SELECT count(*) FROM channel WHERE valid_to = %s", LATER) == 5
    assert "pilots/cityhall-air-2026/concourse/readings" not in bindings(connection)[0].topics


def test_dropping_a_slot_that_a_kpi_is_about_needs_an_amendment(connection: Connection) -> None:
    apply_plan(connection, subway(), who="cli:test", now=NOW)
    text = subway().source.decode()
    smaller = read_plan((text[: text.index("  concourse:")] + text[text.index("kpis:") :]).encode())
    with pytest.raises(PlanProblems) as caught:
        apply_plan(connection, smaller, who="cli:test", now=LATER)
    # pm25-limit names its slots, and concourse is not among them.
    assert {item.path.split(".")[1] for item in caught.value.problems} == {"co2-mean", "capture", "availability"}


FILTERED = """
pilot: {pilot}
title: t
kind: rnd
company: {{id: c, name: c}}
site: {{id: s, name: s}}
period: {{start: 2026-03-01, end: 2027-03-01}}
evaluation: {{data_until: 2027-02-01, meeting: 2027-02-10}}
product: {{name: p}}
connections:
  gw: {{topics: ["{topic}"]}}
slots:
  a: {{connection: gw, device: {{serial: "1"}}, channels: {{t: {{unit: degC, period: 1 h}}}}}}
kpis:
  k: {{name: k, measure: {{capture: {{}}}}, target: ">= 90 %"}}
"""


def filtered(name: str, topic: str) -> PlanFile:
    return read_plan(FILTERED.format(pilot=name, topic=topic).encode())


def test_a_filter_that_overlaps_another_pilots_is_refused(connection: Connection) -> None:
    apply_plan(connection, filtered("one", "tele/+/SENSOR"), who="cli:test", now=NOW)
    with pytest.raises(PlanProblems) as caught:
        apply_plan(connection, filtered("two", "tele/kitchen/#"), who="cli:test", now=NOW)
    [problem] = caught.value.problems
    assert (problem.code, problem.path, problem.value) == (
        "topic-foreign",
        "connections.gw.topics[0]",
        "tele/kitchen/#",
    )
    assert "tele/+/SENSOR of the connection gw of pilot one" in problem.rule
    assert [item.name for item in pilots(connection)] == ["one"]
    # Once the other is withdrawn, the topics are free.
    withdraw_connection(connection, "one", "gw", who="cli:test", broker=None)
    apply_plan(connection, filtered("two", "tele/kitchen/#"), who="cli:test", now=NOW)


def test_a_connection_withdrawn_by_hand_stays_so(connection: Connection) -> None:
    apply_plan(connection, subway(), who="cli:test", now=NOW)
    assert withdraw_connection(connection, "cityhall-air-2026", "gw-1", who="cli:test", broker=None, now=NOW)
    assert not withdraw_connection(connection, "cityhall-air-2026", "gw-1", who="cli:test", broker=None)
    applied = apply_plan(connection, subway(("name: 기온", "name: 온도")), who="cli:test", now=LATER)
    assert applied.credentials == ()
    assert bindings(connection) == []
    assert desired_access(connection) == {"cityhall-air-2026.gw-1": None}
    fresh = issue_credential(connection, "cityhall-air-2026", "gw-1", who="cli:test", broker=None)
    [bound] = bindings(connection)
    assert fresh.topics == bound.topics


class AwayBroker:
    """A broker that goes away at the worst moment."""

    def grant(self, access: Access, password: str | None) -> None:  # noqa: ARG002
        raise BrokerAway("The broker at mqtt://x does not answer.")

    def withdraw(self, username: str) -> None:  # noqa: ARG002
        raise BrokerAway("The broker at mqtt://x does not answer.")


def test_nothing_changes_while_the_broker_is_away(connection: Connection) -> None:
    with pytest.raises(BrokerAway):
        apply_plan(connection, subway(), who="cli:test", now=NOW, broker=AwayBroker())
    assert pilots(connection) == []
    assert one(connection, "SELECT count(*) FROM audit") == 0


def test_each_change_is_audited(connection: Connection) -> None:
    apply_plan(connection, filtered("one", "x/1"), who="cli:kim", now=NOW)
    lines = entries(connection, pilot="one")
    assert {line["who"] for line in lines} == {"cli:kim"}
    assert sorted((line["what"], line["object"]) for line in lines) == [
        ("channel.create", "channel a/t"),
        ("connection.create", "connection gw"),
        ("device.install", "slot a"),
        ("plan.apply", "plan version 1"),
        ("slot.create", "slot a"),
    ]


@pytest.mark.parametrize("statement", ["UPDATE audit SET who = 'x'", "DELETE FROM audit", "TRUNCATE audit"])
def test_the_database_refuses_changes_of_the_audit_log(connection: Connection, statement: Any) -> None:
    apply_plan(connection, subway(), who="cli:test", now=NOW)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
        connection.execute(statement)


@pytest.mark.parametrize("statement", ["UPDATE plan_version SET source = ''", "DELETE FROM plan_version"])
def test_the_database_refuses_changes_of_an_applied_plan(connection: Connection, statement: Any) -> None:
    apply_plan(connection, subway(), who="cli:test", now=NOW)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
        connection.execute(statement)


def test_a_pilot_that_is_not_there_is_named_with_close_ones(connection: Connection) -> None:
    with pytest.raises(NotFound, match="plan apply"):
        pilot(connection, "cityhall")
    apply_plan(connection, subway(), who="cli:test", now=NOW)
    with pytest.raises(NotFound, match="close to it: cityhall-air-2026"):
        plan_of(connection, "cityhall-air-2025")
    with pytest.raises(NotFound, match="version 7; there are: 1"):
        plan_of(connection, "cityhall-air-2026", 7)


def test_a_new_condition_has_its_hours_summarised_again(connection: Connection) -> None:
    apply_plan(connection, subway(), who="cli:test", now=NOW)
    pm25 = bindings(connection)[0].slots[0].channels[0]
    connection.execute(
        "INSERT INTO summary VALUES (%(id)s, %(hour)s, 1, 1, 0, 0, 0, 0, %(hour)s, 0, %(hour)s, 0, 0, 0, 0, 0, %(hour)s)",
        {"id": pm25.channel_id, "hour": NOW},
    )
    amended = subway(
        ("<= 35 ug/m^3", "<= 30 ug/m^3"),
        ("kind: rnd\n", "kind: rnd\namendment: {parties: [a, b, c], reason: 강화, date: 2026-02-05}\n"),
    )
    apply_plan(connection, amended, who="cli:test", now=LATER)
    assert connection.execute("SELECT channel_id, hour FROM dirty_hour").fetchall() == [
        {"channel_id": pm25.channel_id, "hour": NOW}
    ]


def test_an_apply_that_fails_midway_leaves_nothing(connection: Connection) -> None:
    # The conditions of shares are written last.
    connection.execute("ALTER TABLE predicate ADD CHECK (high IS NULL)")
    with pytest.raises(psycopg.errors.CheckViolation):
        apply_plan(connection, subway(), who="cli:test", now=NOW)
    assert one(connection, "SELECT count(*) FROM pilot") == 0

"""Every change of state is in the audit log: each command and each route is tried, and whatever changes a table leaves a line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from psycopg import sql

import core.migrate
from core import audit
from core.audit import Wanted, entries
from core.database import Connection, connected
from core.migrate import migrate
from core.settings import settings
from core.version import VERSION
from core.window import Window
from pilotbed.cli import COMMANDS, _loaded, run
from pilotbed.jobs import tasks
from pilotbed.stack.mosquitto import Mosquitto
from telemetry import load, platform_record
from telemetry.platform_record import Entry
from telemetry.platform_runs import life
from tests.arriving import arrive
from tests.collecting import now_ms
from tests.commanding import command_line
from tests.web import PASSWORD, apply, feed, form_token, judge_month, log_in, people, plan_text, web

pytestmark = pytest.mark.timeout(300)

NO_STATE = ("audit", "heartbeat", "horizon", "migration")
"""Tables that say nothing which anybody decided: the log itself, a pulse, the clock, and what was applied."""

READ = {
    "plan check", "plan show", "plan diff", "plan schema", "plan profiles", "user list", "device list", "intake day", "quality",
    "quarantine list", "quarantine show", "outage list", "exclusion list", "report opinion", "seal list", "seal check",
    "export", "verify", "audit", "simulate list", "doctor", "exclusion requests", "label list", "label sample", "label pairs",
    "manual list", "manual document", "baseline list", "baseline show", "protocol try",
}  # fmt: skip
ELSEWHERE = {
    "demo", "up", "serve", "collect", "work",  # processes: what they do is tried as jobs, routes and commands
    "broker-setup",  # writes files only
    "migrate",  # tried on a database of its own
    "simulate replay", "simulate air", "simulate drone", "simulate robot", "simulate park",  # speak to a broker, as devices do
    "gallery",  # makes a store of its own
    "label add", "label import", "label withdraw",  # tried in test_label_file.py
    "manual add", "manual import", "manual withdraw",  # in test_manual.py
    "baseline import",  # in test_change.py
    "bench ingest", "bench chaos", "bench verdicts", "bench decode", "bench evaluate", "bench store",  # make stores of their own
}  # fmt: skip


def commands() -> set[str]:
    """Every command that there is, as it is typed."""
    found: set[str] = set()

    def walk(command: Any, path: tuple[str, ...]) -> None:
        below = getattr(command, "commands", None)
        if not below:
            found.add(" ".join(path))
        for name, one in (below or {}).items():
            walk(one, (*path, name))

    for name, (module, _, _) in COMMANDS.items():
        if find_spec(module) is not None:
            walk(_loaded(name), (name,))
    return found


def state(connection: Connection) -> dict[str, str]:
    """A fingerprint of every table that keeps state."""
    names = connection.execute(
        "SELECT c.relname AS name FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
        " AND c.relname NOT LIKE 'procrastinate%%' ORDER BY 1"
    ).fetchall()
    found = {}
    for row in names:
        if row["name"] in NO_STATE:
            continue
        statement = sql.SQL(
            "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) AS digest FROM {} AS t"
        )
        digest = connection.execute(statement.format(sql.Identifier(row["name"]))).fetchone()
        assert digest is not None
        found[row["name"]] = digest["digest"]
    return found


def lines(connection: Connection) -> list[dict[str, Any]]:
    return entries(connection, most=100_000)


class Watch:
    """Compares the state before and after something, and requires a line where it differs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.tried: set[str] = set()

    def __call__(self, name: str, act: Callable[[], Any], *, what: str | None = None) -> Any:
        """:param what: the line that is expected; None: nothing may change."""
        before, known = state(self._connection), len(lines(self._connection))
        returned = act()
        after = state(self._connection)
        said = [line["what"] for line in lines(self._connection)[: len(lines(self._connection)) - known]]
        changed = sorted(table for table in after if after[table] != before.get(table))
        assert not changed or said, f"{name} changed {changed} and says nothing of it"
        if what is None:
            assert not changed, f"{name} only reads, but changed {changed}"
        else:
            assert what in said, (name, said, changed)
        self.tried.add(name)
        return returned


@pytest.fixture
def pilotbed(
    database_url: str,
    broker: Mosquitto,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Callable[..., str]]:
    """Runs a command line that must succeed; gives its stdout."""
    given = {
        "PILOTBED_DATABASE_URL": database_url,
        "PILOTBED_MQTT_URL": broker.admin_url,
        "PILOTBED_DATA_DIR": str(tmp_path),
    }
    with command_line(monkeypatch, capsys, **given) as command:

        def succeeding(*arguments: object, fails: bool = False) -> str:
            code, out, err = command(*arguments)
            assert (code != 0) if fails else (code == 0), (arguments, code, err)
            return out

        yield succeeding


def test_every_command_is_tried_here_or_has_a_reason_not_to_be() -> None:
    assert commands() - READ - ELSEWHERE == {name for name, _ in WRITES}


def test_every_command_that_writes_says_so(
    connection: Connection, pilotbed: Callable[..., str], tmp_path: Path, pilot: str
) -> None:
    watch = Watch(connection)
    plan = tmp_path / "plan.yaml"
    plan.write_text(plan_text(pilot, days=75), encoding="utf-8")
    for name, (arguments, what) in WRITES:
        if name == "quarantine replay":
            # A message that only the plan to come can read.
            topic = f"pilots/{pilot}/platform-1/readings"
            arrive(connection, (topic, json.dumps({"ts": now_ms(-90), "values": {"air": {"pm25": 1}}}).encode()))
            connection.execute("UPDATE slot SET name = 'other'")
            arrive(connection, (topic, json.dumps({"ts": now_ms(-60), "values": {"air": {"pm25": 2}}}).encode()))
            connection.execute("UPDATE slot SET name = 'platform-1'")
        if name == "intake retain":
            connection.execute(
                "INSERT INTO message (pilot_id, received_at, connections, n, body)"
                " SELECT pilot_id, clock_timestamp() - interval '31 days', '{}', 5, '' FROM pilot"
            )
        given = [one.format(pilot=pilot, plan=plan, folder=tmp_path, **_values(connection)) for one in arguments]
        watch(name, partial(pilotbed, *given), what=what)
    for name in sorted(READ):
        given = [one.format(pilot=pilot, plan=plan, folder=tmp_path, **_values(connection)) for one in READS[name]]
        watch(name, partial(run, given))
    assert watch.tried == {name for name, _ in WRITES} | READ


def _values(connection: Connection) -> dict[str, Any]:
    def newest(table: str) -> int:
        row = connection.execute(f"SELECT max({table}_id) AS id FROM {table}").fetchone()
        return 0 if row is None or row["id"] is None else int(row["id"])

    now = datetime.now(UTC)
    return {
        "month": ((now + timedelta(hours=9)).replace(day=1) - timedelta(days=1)).strftime("%Y-%m"),
        "today": (now + timedelta(hours=9)).date().isoformat(),
        "hour_ago": (now - timedelta(hours=1)).isoformat(timespec="seconds"), "now": now.isoformat(timespec="seconds"),
        "day_ago": (now - timedelta(days=1)).isoformat(timespec="seconds"), "outage": newest("outage"),
        "exclusion": newest("exclusion"), "quarantined": newest("quarantine"),
    }  # fmt: skip


WRITES: list[tuple[str, tuple[list[str], str]]] = [
    ("plan apply", (["plan", "apply", "{plan}", "--credentials", "{folder}/secrets"], "plan.apply")),
    ("user add", (["user", "add", "kim", "--role", "admin"], "person.add")),
    ("user password", (["user", "password", "kim"], "person.password")),
    ("user disable", (["user", "disable", "kim"], "person.disable")),
    ("device credentials", (["device", "credentials", "{pilot}", "platform-1"], "credential.issue")),
    ("device replace", (["device", "replace", "{pilot}", "platform-1", "--serial", "new-1"], "device.replace")),
    (
        "outage add",
        (
            ["outage", "add", "{pilot}", "--from", "{day_ago}", "--to", "{hour_ago}", "--cause", "site", "--agreed-by", "S, C",
             "--note", "n"],
            "outage.add",
        ),
    ),
    ("outage withdraw", (["outage", "withdraw", "{outage}", "--why", "w"], "outage.withdraw")),
    (
        "exclusion add",
        (
            ["exclusion", "add", "{pilot}", "--slot", "platform-1", "--from", "{hour_ago}", "--to", "{now}", "--reason",
             "construction", "--asked-on", "{today}", "--asked-by", "C", "--agreed-site", "S", "--agreed-team", "T", "--note",
             "n"],
            "exclusion.add",
        ),
    ),
    ("exclusion withdraw", (["exclusion", "withdraw", "{exclusion}", "--why", "w"], "exclusion.withdraw")),
    ("quarantine replay", (["quarantine", "replay", "{pilot}"], "quarantine.replay")),
    ("intake redecode", (["intake", "redecode", "{pilot}", "--from", "{hour_ago}", "--to", "2099-01-01"], "intake.redecode")),
    ("evaluate", (["evaluate", "{pilot}", "--month", "{month}", "--json"], "result.store")),
    ("seal keygen", (["seal", "keygen"], "seal.make_key")),
    # What is not sealed yet is sealed for it.
    ("bundle", (["bundle", "{pilot}", "--month", "{month}", "-o", "{folder}/bundle.zip"], "seal.now")),
    ("seal now", (["seal", "now", "{pilot}"], "seal.now")),
    ("device withdraw", (["device", "withdraw", "{pilot}", "platform-1"], "connection.withdraw")),
    ("intake retain", (["intake", "retain"], "retention.raw")),
]  # fmt: skip
READS: dict[str, list[str]] = {
    "plan check": ["plan", "check", "{plan}"],
    "plan show": ["plan", "show", "{pilot}"],
    "plan diff": ["plan", "diff", "{pilot}", "{plan}"],
    "plan schema": ["plan", "schema"],
    "plan profiles": ["plan", "profiles"],
    "user list": ["user", "list"],
    "device list": ["device", "list", "{pilot}"],
    "intake day": ["intake", "{pilot}"],
    "quality": ["quality", "{pilot}"],
    "quarantine list": ["quarantine", "list", "{pilot}"],
    "quarantine show": ["quarantine", "show", "{quarantined}"],
    "outage list": ["outage", "list", "{pilot}"],
    "exclusion list": ["exclusion", "list", "{pilot}"],
    "report opinion": ["report", "opinion", "{pilot}", "--month", "{month}", "-o", "{folder}/opinion.json"],
    "seal list": ["seal", "list", "{pilot}"],
    "seal check": ["seal", "check", "{pilot}"],
    "export": ["export", "{pilot}", "--format", "csv", "-o", "{folder}/out.csv"],
    "verify": ["verify", "{folder}/bundle.zip"],
    "audit": ["audit"],
    "simulate list": ["simulate", "list"],
    "doctor": ["doctor"],
    "exclusion requests": ["exclusion", "requests", "{pilot}"],
    "label list": ["label", "list", "{pilot}"],
    "label sample": ["label", "sample", "{pilot}", "pm25-limit"],
    "label pairs": ["label", "pairs", "{pilot}", "pm25-limit", "--final", "-o", "{folder}/pairs.csv"],
    "manual list": ["manual", "list", "{pilot}"],
    "manual document": ["manual", "document", "{pilot}", "0", "-o", "{folder}/document"],
    "baseline list": ["baseline", "list", "{pilot}"],
    "baseline show": ["baseline", "show", "{pilot}", "1"],
    "protocol try": ["protocol", "try", "{plan}", "--protocol", "json"],
}


def test_every_route_that_writes_says_so(connection: Connection, database_url: str) -> None:
    apply(connection, plan_text("air"))
    feed(connection, "air", hours=3)
    month = judge_month(connection, "air")
    people(connection)
    watch = Watch(connection)
    values = {"pilot": "air", "slot": "platform-1", "name": "pm25", "channel": "pm25", "month": month, "kpi": "pm25-limit",
              "day": datetime.now(UTC).date().isoformat(), "number": 1, "language": "en"}  # fmt: skip
    with web(database_url) as site:
        routes = [
            (method, route.path)
            for route in _routes(site.app)
            for method in sorted(route.methods or ())
            if method not in ("HEAD", "OPTIONS")
        ]
        with site.visitor() as browser:
            watch("POST /login fails", lambda: log_in(browser, "officer", "wrong"), what="person.login_failed")
            watch("POST /login", lambda: log_in(browser, "officer", PASSWORD), what="person.login")
            watch("?lang", lambda: browser.get("/?lang=en"), what="person.language")
            for method, path in routes:
                if method == "GET":
                    asked = re.sub(r"{(\w+)(:\w+)?}", lambda found: str(values.get(found[1], "1")), path)
                    what = OPENED.get(path)
                    answer = watch(f"GET {path}", partial(browser.get, asked), what=what)
                    assert answer.status_code < 500, (path, answer.text)
            token = form_token(browser.get("/").text)
            watch("POST /logout", lambda: browser.post("/logout", data={"form_token": token}), what="person.logout")
    # A route that writes and is not tried here would not be noticed: name it above.
    assert {f"{method} {path}" for method, path in routes} <= watch.tried


OPENED = {"/pilots/{pilot}/opinions/{month}.pdf": "opinion.open"}
"""Routes that only show, and say who looked."""


def _routes(app: Any) -> list[APIRoute]:
    return [route for route in app.routes if isinstance(route, APIRoute)]


def test_jobs_say_what_they_did(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(connection, plan_text("air", days=40))
    watch = Watch(connection)
    arrive(connection, ("pilots/air/platform-1/readings", b'{"ts": %d, "values": {"air": {"pm25": 1}}}' % now_ms(-60)))
    watch("judge", lambda: tasks.judge(connection), what="result.store")
    connection.execute("INSERT INTO message (pilot_id, received_at, connections, n, body)"
                       " SELECT pilot_id, clock_timestamp() - interval '31 days', '{}', 5, '' FROM pilot")  # fmt: skip
    watch("prune", lambda: tasks.prune(connection), what="retention.raw")
    monkeypatch.setenv("PILOTBED_JUDGE_MINUTES", "7")
    monkeypatch.setenv("PILOTBED_SESSION_KEY", "do-not-print-me")
    settings.cache_clear()
    try:
        watch("settings", lambda: tasks.note_settings(connection), what="settings.change")
        watch("settings again", lambda: tasks.note_settings(connection))
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    assert "do-not-print-me" not in str(lines(connection))


def test_an_upgrade_of_the_database_is_in_it(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = core.migrate._own_files
    monkeypatch.setattr(core.migrate, "_own_files", lambda: {k: v for k, v in files().items() if k < "0012"})
    migrate(empty_database_url)
    monkeypatch.undo()
    migrate(empty_database_url)
    migrate(empty_database_url)
    with connected(empty_database_url) as connection:
        [line] = [one for one in lines(connection) if one["what"] == "database.migrate"]
    assert "0012_storage.sql" in line["after"]["applied"]


def test_loaded_history_is_in_it(connection: Connection) -> None:
    apply(connection, plan_text("air").replace("simulated: false", "simulated: true"))
    now = datetime.now(UTC)
    load.record_alive(connection, "air", Window(start=now - timedelta(hours=2), end=now))
    assert lines(connection)[0]["what"] == "history.load"


def test_lines_are_found_by_who_what_which_and_when(connection: Connection, pilotbed: Callable[..., str]) -> None:
    apply(connection, plan_text("air"))
    connection.execute("DELETE FROM dirty_hour")
    begun = datetime.now(UTC)
    for who, what, named in (
        ("kim", "outage.add", "outage 1"), ("cli:kim", "outage.withdraw", "outage 1"), ("system:work", "result.store", "Result X")
    ):  # fmt: skip
        audit.record(connection, who=who, what=what, pilot="air", object=named, after={"n": 1})

    def found(**given: Any) -> list[str]:
        return [line["what"] for line in entries(connection, Wanted(since=begun, **given))]

    assert found() == ["result.store", "outage.withdraw", "outage.add"]
    assert found(who="kim") == ["outage.withdraw", "outage.add"]
    assert found(who="cli:kim") == ["outage.withdraw"]
    assert found(what="outage") == ["outage.withdraw", "outage.add"]
    assert found(what="outage.add") == ["outage.add"]
    assert found(what="out") == []
    assert found(object="result x") == ["result.store"]
    assert found(until=begun) == [] and found(pilot="other") == []
    told = json.loads(pilotbed("audit", "--from", begun.isoformat(), "--limit", "2", "--json"))
    assert [line["what"] for line in told["entries"]] == ["result.store", "outage.withdraw"]
    rest = json.loads(pilotbed("audit", "--from", begun.isoformat(), "--cursor", told["cursor"], "--json"))
    assert [line["what"] for line in rest["entries"]] == ["outage.add"] and rest["cursor"] is None
    assert "outage.withdraw" in pilotbed(
        "audit", "--who", "kim", "--pilot", "air", "--what", "outage", "--object", "OUTAGE"
    )
    for wrong in (["--from", "soon"], ["--from", "2026-01-02", "--to", "2026-01-01"], ["--platform", "--who", "kim"]):
        pilotbed("audit", *wrong, fails=True)


def test_the_platforms_own_life(connection: Connection, pilotbed: Callable[..., str]) -> None:
    now = datetime.now(UTC).timestamp()

    def said(process: str, run: str, start: float, end: float, *, goes_on: bool) -> None:
        platform_record.record(
            connection, process, run, Entry(span=(start, end), heard=((start, end),), goes_on=goes_on)
        )

    said("collector-1", "a", now - 9000, now - 8000, goes_on=True)
    said("collector-1", "a", now - 8000, now - 7000, goes_on=True)  # and then no word more
    said("collector-1", "b", now - 6000, now - 3000, goes_on=False)
    said("collector-1", "c", now - 3000, now - 10, goes_on=True)
    said("work", "d", now - 5000, now - 10, goes_on=True)
    at = datetime.fromtimestamp(now, UTC)
    found = life(connection, Window(start=at - timedelta(days=1), end=at), at)
    assert [(one.process, one.state, round(one.at_work_s)) for one in found.runs] == [
        ("collector-1", "runs", 2990), ("work", "runs", 4990), ("collector-1", "ended", 3000), ("collector-1", "broke_off", 2000)
    ]  # fmt: skip
    assert found.restarts == {"collector-1": 2, "work": 0}
    assert [version for _, version in found.versions] == [VERSION]
    assert [round(one.seconds) for one in found.outages] == [1000, 10]
    told = json.loads(pilotbed("audit", "--platform", "--json"))
    assert (len(told["runs"]), round(told["outages"][0]["seconds"])) == (4, 1000)
    text = pilotbed("audit", "--platform")
    assert "broke off without a word" in text and "Restarts: collector-1 2, work 0." in text and "0:16:40" in text
    assert len(json.loads(pilotbed("audit", "--platform", "--what", "work", "--json"))["runs"]) == 1

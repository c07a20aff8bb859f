"""``pilotbed intake``: the account on the terminal and as JSON, its exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from core.database import Connection
from core.settings import settings
from core.window import HOUR_US, instant, micros
from devices.plan.reader import read_plan
from devices.registry import apply_plan
from pilotbed import cli
from telemetry.batch import Batch, Readings
from telemetry.commit import Committer
from tests.accounted import DAY, START, aside, commit, readings, refused
from tests.registered import Registered, register
from tests.web import plan_text


@pytest.fixture
def served(connection: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    monkeypatch.setenv("PILOTBED_DATABASE_URL", database_url)
    settings.cache_clear()
    yield connection
    settings.cache_clear()


def planned(connection: Connection) -> Registered:
    """A pilot that the command finds: one with a plan."""
    registered = register(connection)
    connection.execute(
        "INSERT INTO plan_version (pilot_id, version, sha256, source, recorded_by) VALUES (%s, 1, %s, %s, 'test')",
        [registered.pilot_id, "0" * 64, b""],
    )
    return registered


def test_the_command_prints_the_account_of_today_as_json(
    served: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    apply_plan(served, read_plan(plan_text("air").encode()), who="cli:test")
    row = served.execute(
        "SELECT slot_id, connection_id, channel_id FROM slot JOIN channel USING (slot_id) LIMIT 1"
    ).fetchone()
    assert row is not None
    now = micros(datetime.now(UTC))
    Committer().commit(
        served,
        Batch(
            readings=Readings(channel_id=[row["channel_id"]], observed_us=[now - 2_000_000], value=[1.0], flags=[0]),
            delivered={row["connection_id"]: 1},
        ),
    )
    assert cli.run(["intake", "air", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["pilot"], told["totals"]["stored"], told["balanced"], told["over"]) == ("air", 1, True, False)
    assert 2 <= told["totals"]["delay"]["p50_s"] < 60
    assert told["day"] == instant(now + 9 * HOUR_US).date().isoformat()
    assert cli.run(["intake", "air", "--days", "3", "--json"]) == 0
    several = json.loads(capsys.readouterr().out)
    assert [one["totals"]["stored"] for one in several["days"]] == [0, 0, 1]
    assert several["days"][2]["day"] == told["day"]


@pytest.mark.parametrize(
    ("language", "words"),
    [("ko", ("✓ 수지 일치", "자료획득률", "모의 자료")), ("en", ("✓ the account balances", "completeness"))],
)
def test_the_command_prints_tables_with_units(
    served: Connection, capsys: pytest.CaptureFixture[str], language: str, words: tuple[str, ...]
) -> None:
    registered = planned(served)
    served.execute("UPDATE pilot SET simulated = true")
    sender = registered.connection_id
    commit(served, START + timedelta(hours=1), delivered={sender: 3}, payload_bytes={sender: 2500},
           readings=readings(registered.channel_ids["a"], [0.0, 60.0]), rejected=[refused(registered, "in_future")],
           quarantined=[aside(registered, b"x")], sequences=[(sender, "b1", 3)])  # fmt: skip
    assert cli.run(["intake", "p1", "--day", f"{DAY}", "--lang", language]) == 0
    out = capsys.readouterr().out
    for word in (*words, "2.5 kB", "b1: 2 (1–2)", "Asia/Seoul"):
        assert word in out, out


def test_the_command_refuses_in_one_line(served: Connection, capsys: pytest.CaptureFixture[str]) -> None:
    planned(served)
    for arguments, word in (
        (["intake", "p1", "--day", "yesterday"], "YYYY-MM-DD"),
        (["intake", "p1", "--day", "2999-01-01"], "lies ahead"),
        (["intake", "nobody"], "nobody"),
        (["intake", "p1", "--days", "0"], "--days"),
        (["intake", "p1", "--lang", "fr"], "fr"),
    ):
        assert cli.run(arguments) == 2
        out, err = capsys.readouterr()
        assert out == "" and word in err and err.count("\n") == 1, err


def test_a_sum_that_does_not_hold_is_a_negative_answer(served: Connection, capsys: pytest.CaptureFixture[str]) -> None:
    registered = planned(served)
    commit(served, START + timedelta(hours=1), readings=readings(registered.channel_ids["a"], [0.0]))
    served.execute("DELETE FROM reading")
    assert cli.run(["intake", "p1", "--day", f"{DAY}", "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["balanced"] is False
    assert "stored = found in the store (s1)" in err

"""Completeness day by day, by hand-made days; and what the command line shows of it and of findings."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.database import Connection
from core.errors import NotFound
from core.window import HOUR_US, Window, instant, micros
from pilotbed.cli import run
from telemetry.horizon import close_past
from telemetry.platform_record import record_history
from telemetry.quality.completeness import completeness_calendar
from telemetry.quality.judge import judge_all
from telemetry.summarise import summarise_all
from tests.registered import register

DAY = timedelta(days=1)
START = datetime(2026, 3, 1, 15, tzinfo=UTC)
"""Midnight in Seoul: the day begins of which the calendar says 2026-03-02."""
WINDOW = Window(start=START, end=START + 4 * DAY)
ON_CHANGE = {"kind": "state", "unit": "state", "reporting": "on_change", "period_s": None, "max_hold_s": None}


def at(days: float) -> datetime:
    return START + days * DAY


def store(connection: Connection, channel_id: int, observed_us: NDArray[np.int64], value: float = 20.0) -> None:
    with connection.cursor().copy("COPY reading (observed_at, received_at, value, channel_id) FROM STDIN") as stream:
        for us in observed_us.tolist():
            stream.write_row((instant(us).isoformat(), instant(us).isoformat(), value + us % 7 / 10, channel_id))
    connection.cursor().executemany(
        "INSERT INTO dirty_hour (channel_id, hour) VALUES (%s, %s)",
        [(channel_id, instant(us)) for us in np.unique(observed_us // HOUR_US * HOUR_US).tolist()],
    )
    summarise_all(connection)


def minutes(*spans: tuple[float, float]) -> NDArray[np.int64]:
    """An instant a minute in the middle of it, over spans of days."""
    return np.concatenate(
        [micros(START) + 30_000_000 + np.arange(round(a * 1440), round(b * 1440)) * 60_000_000 for a, b in spans]
    )


def outage(connection: Connection, pilot_id: int, start: datetime, end: datetime) -> int:
    close_past(connection)
    row = connection.execute(
        "INSERT INTO outage (pilot_id, start_at, end_at, cause, charged_to, agreed_by, note, recorded_at, recorded_by)"
        " VALUES (%s, %s, %s, 'site-power', 'site', 'both', 'n', clock_timestamp(), 'x') RETURNING outage_id",
        [pilot_id, start, end],
    ).fetchone()
    assert row is not None
    return int(row["outage_id"])


def calendar(connection: Connection, as_of: datetime | None = None) -> dict[str, Any]:
    return completeness_calendar(connection, "p1", WINDOW, as_of)


def test_each_day_is_counted_in_the_pilots_zone(connection: Connection) -> None:
    ids = register(connection).channel_ids
    store(connection, ids["a"], minutes((0, 1), (1, 1.25), (1.5, 2), (3, 3.5)))
    found = calendar(connection)
    assert found["days"] == ["2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05"]
    [slot] = found["slots"]
    [channel] = slot["channels"]
    assert (channel["channel"], channel["basis"]) == ("a", "readings")
    assert channel["expected"] == [1440] * 4
    assert channel["missing"] == [0, 360, 1440, 720]
    assert channel["share"] == slot["share"] == found["share"] == [1.0, 0.75, 0.0, 0.5]
    json.dumps(found, allow_nan=False)


def test_what_was_agreed_is_told_apart_from_what_nobody_explains(connection: Connection) -> None:
    registered = register(connection)
    store(connection, registered.channel_ids["a"], minutes((0, 0.5), (0.75, 2), (3, 4)))
    before = calendar(connection)
    number = outage(connection, registered.pilot_id, at(0.5), at(0.75))
    outage(connection, registered.pilot_id, at(2), at(3))
    known = close_past(connection)
    found = calendar(connection)
    [channel] = found["slots"][0]["channels"]
    assert found["slots"][0]["left_out_s"] == [21_600, 0, 86_400, 0]
    assert channel["required"] == [1080, 1440, 0, 1440]
    assert (channel["missing"], channel["unexplained"]) == ([360, 0, 1440, 0], [0, 0, 0, 0])
    assert channel["captured"] == [0.75, 1.0, 0.0, 1.0]
    assert found["share"] == [1.0, 1.0, None, 1.0]
    assert before["share"] == [0.75, 1.0, 0.0, 1.0]
    connection.execute(
        "UPDATE outage SET superseded_at = clock_timestamp(), superseded_by = 'x', superseded_why = 'w' WHERE outage_id = %s",
        [number],
    )
    assert calendar(connection)["share"] == [0.75, 1.0, None, 1.0]
    assert calendar(connection, known)["share"] == [1.0, 1.0, None, 1.0]


def test_outages_of_the_platform_are_left_out_by_its_own_record(connection: Connection) -> None:
    ids = register(connection).channel_ids
    for start, end in ((0.0, 1.5), (1.75, 4.0)):
        record_history(connection, "collector-1", Window(start=at(start), end=at(end)), "test")
    store(connection, ids["a"], minutes((0, 1.25), (1.75, 4)))
    [slot] = calendar(connection)["slots"]
    assert slot["left_out_s"] == [0, 21_600, 0, 0]
    assert slot["channels"][0]["required"] == [1440, 1080, 1440, 1440]
    assert slot["channels"][0]["unexplained"] == [0, 360, 0, 0]


def test_a_channel_on_change_is_counted_in_seconds_while_its_link_lasts(connection: Connection) -> None:
    registered = register(connection, channels={"a": {}, "m": {**ON_CHANGE, "options": {"states": ["x", "y"]}}})
    store(connection, registered.channel_ids["a"], minutes((0, 4)))
    store(connection, registered.channel_ids["m"], np.array([micros(START), micros(at(2.5))]), value=0)
    connection.execute(
        "INSERT INTO link_state (slot_id, at, received_at, state, origin) VALUES (%s, %s, %s, 'offline', 'will')",
        [registered.slot_id, at(1.5), at(1.5)],
    )
    [slot] = calendar(connection)["slots"]
    state = slot["channels"][1]
    assert (state["basis"], state["missing"]) == ("seconds", [0, 43_200, 43_200, 0])
    assert slot["share"] == [1.0, 0.75, 0.75, 1.0]


def test_days_are_cut_at_the_period_and_at_now(connection: Connection) -> None:
    ids = register(connection).channel_ids
    store(connection, ids["a"], minutes((0, 0.5)))
    early = completeness_calendar(connection, "p1", WINDOW, at(0.5))
    assert early["days"] == ["2026-03-02"]
    assert early["slots"][0]["channels"][0]["expected"] == [720]
    assert early["share"] == [1.0]
    beyond = Window(start=START - 1000 * DAY, end=START - 900 * DAY)
    assert completeness_calendar(connection, "p1", beyond)["days"] == []
    with pytest.raises(NotFound, match="no pilot 'nobody'"):
        completeness_calendar(connection, "nobody")


def test_the_command_line_shows_findings_and_the_calendar(
    connection: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    registered = register(connection)
    source = b"kind: test"
    connection.execute(
        "INSERT INTO plan_version (pilot_id, version, sha256, source, recorded_by) VALUES (%s, 1, repeat('0', 64), %s, 'x')",
        [registered.pilot_id, source],
    )
    store(connection, registered.channel_ids["a"], minutes((0, 1), (1, 1.25), (1.5, 2), (3, 3.5)))
    judge_all(connection, now=at(5))
    monkeypatch.setenv("PILOTBED_DATABASE_URL", database_url)
    span = ["--from", "2026-03-02", "--to", "2026-03-06"]
    assert run(["quality", "p1", *span, "--code", "gap", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["findings"]
    gaps = [(one["start"], one["detail"]["missing"], one["flag"]) for one in found[1:3]]
    assert [missing for _, missing, _ in gaps] == [360, 1440]
    assert {flag for _, _, flag in gaps} == {9}
    assert run(["quality", "p1", *span]) == 0
    text = capsys.readouterr().out
    assert "missing 360" in text
    assert "silence" in text
    assert run(["quality", "p1", *span, "--calendar"]) == 0
    lines = capsys.readouterr().out.splitlines()
    row = next(line for line in lines if line.startswith("2026-03"))
    assert row[10:14] == "█▒x░"
    assert row.endswith("56.25 %")
    assert run(["quality", "p1", *span, "--calendar", "--json", "--slot", "s1"]) == 0
    assert json.loads(capsys.readouterr().out)["share"] == [1.0, 0.75, 0.0, 0.5]
    assert run(["quality", "p1", "--code", "noise"]) == 2
    assert "choose of: gap" in capsys.readouterr().err
    assert run(["quality", "p1", "--from", "2026-03-02", "--to", "2026-03-02"]) == 2
    assert "is not after" in capsys.readouterr().err

"""What an evaluation costs, measured small: that it runs, says what it promises, and leaves nothing behind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.database import Connection
from core.errors import PermanentError
from core.window import Window
from pilotbed.bench import year
from pilotbed.bench.summarising import summary_rate
from pilotbed.bench.year import Size
from pilotbed.cli import run
from tests.benched import databases_of, role_of_its_own


@pytest.fixture
def measured(
    database_server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[dict[str, Any], str]:
    with role_of_its_own(database_server) as server:
        monkeypatch.setenv("PILOTBED_BENCH_DATABASE_URL", server)
        assert run(["bench", "evaluate", "--share", "0.008", "--days", "21", "--repeat", "1", "--json"]) == 0
        assert not databases_of(server), "its databases are dropped"
    said = capsys.readouterr()
    return json.loads(said.out), said.err


def test_bench_evaluate_counts_what_each_plan_reads(measured: tuple[dict[str, Any], str], database_server: str) -> None:
    report, progress = measured
    whole, tenth = report["runs"]
    assert report["ratio_of_readings"] == pytest.approx(10, rel=0.05)
    assert whole["readings"] == pytest.approx(0.008 * 86_400 * 21 * year.ALL_CHANNELS, rel=0.02)
    assert whole["hours"] == tenth["hours"] == 21 * 24 * year.ALL_CHANNELS
    by_plan = {(one["plan"], one["kind"]): one for one in whole["evaluations"]}
    of_tenth = {(one["plan"], one["kind"]): one for one in tenth["evaluations"]}
    for kind in ("month", "final"):
        ours, other = by_plan["summaries", kind], of_tenth["summaries", kind]
        assert ours["summaries"] == other["summaries"] == 21 * 24 * year.CHANNELS
        assert 0 < ours["shares"] == other["shares"]
        assert ours["readings"] < 0.01 * whole["readings"], "only beside the windows' edges and the silences"
        assert by_plan["percentile", kind]["readings"] > 0.95 * whole["readings"] / year.ALL_CHANNELS
        cut = by_plan["cut hours", kind]["readings"] / (whole["readings"] / year.ALL_CHANNELS)
        assert 2 * 2 / 24 < cut < 2 * 3 / 24, "two hours a day are cut, for each of two KPIs"
        assert ours["first_s"] > 0 and ours["median_s"] > 0
    assert report["machine"]["cores"] >= 1 and report["machine"]["database"]
    assert database_server.rpartition("@")[2] not in json.dumps(report)
    assert "readings written at" in progress and "summaries, final" in progress


def test_the_same_year_is_made_every_time(connection: Connection) -> None:
    size = Size.of(0.001, days=7)
    found = year.fill(connection, size, by_column=False, progress=lambda _done: None)
    row = connection.execute(
        "SELECT count(*) AS n, count(DISTINCT (channel_id, date_trunc('hour', observed_at))) AS hours,"
        " min(observed_at) AS first, max(observed_at) AS last, bool_and(received_at > observed_at) AS later FROM reading"
    ).fetchone()
    assert row is not None
    window = Window(start=row["first"], end=row["last"])
    assert (found.readings, found.hours) == (row["n"], row["hours"]) and row["later"]
    assert 6.9 * 86_400 < window.seconds < 7 * 86_400
    rows = year.rows(size, [("temp", 1), ("meter", 2)], 3)
    assert rows == year.rows(size, [("temp", 1), ("meter", 2)], 3) != year.rows(size, [("temp", 1), ("meter", 2)], 4)


def test_the_summarisers_rate_is_measured_beside_a_bare_read(connection: Connection) -> None:
    found = summary_rate(connection, days=1, share=0.02, repeat=2)
    assert found.hours == 24 * year.ALL_CHANNELS
    assert found.readings == pytest.approx(0.02 * 86_400 * year.ALL_CHANNELS, rel=0.05)
    assert 0 < found.ratio_to_read < 3
    assert found.readings_per_s == found.readings / found.took_s < 1e9
    with pytest.raises(PermanentError, match="empty database"):
        summary_rate(connection, days=1, share=0.02)


def test_a_server_that_is_not_there_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PILOTBED_BENCH_DATABASE_URL", "postgresql://u:sesame@127.0.0.1:1/postgres")
    assert run(["bench", "evaluate", "--share", "0.001"]) == 2
    said = capsys.readouterr().err
    assert "127.0.0.1:1" in said and "sesame" not in said and "embedded" in said

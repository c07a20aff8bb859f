"""The store's measurement, small: that every figure is there, on either engine, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import core
from core.database import Connection
from pilotbed.bench import store_series
from pilotbed.cli import run
from tests.benched import databases_of, role_of_its_own


@pytest.fixture
def measured(
    database_server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[dict[str, Any], str]:
    with role_of_its_own(database_server) as server:
        monkeypatch.setenv("PILOTBED_BENCH_DATABASE_URL", server)
        assert run(["bench", "store", "--readings", "5e4", "--json"]) == 0
        assert not databases_of(server), "its databases are dropped"
    said = capsys.readouterr()
    return json.loads(said.out), said.err


def test_bench_store_says_bytes_rates_and_latency(measured: tuple[dict[str, Any], str], database_server: str) -> None:
    report, progress = measured
    [level] = report["levels"]
    n = level["readings"]
    assert n == pytest.approx(50_000, rel=0.02)
    assert 80 < level["bytes_rows"]["total"] < 200 and level["bytes_rows"]["indexes"] > 20
    for name in ("fill", "summarised", "judged", "sealed_rows", "committer"):
        assert level[name]["per_s"] > 0 and level[name]["readings"] > 0, name
    for name in ("judged", "sealed_rows", "committer"):
        one = level[name]
        assert one["ratio"] == pytest.approx(one["per_s"] / one["limit_per_s"], rel=0.01), name
    assert level["summarised"]["readings"] == n and level["judged"]["left_hours"] == 0
    assert level["judged"]["readings"] >= n, "every reading is judged"
    assert level["sealed_rows"]["readings"] == pytest.approx(n, rel=0.001), "all but what came after midnight"
    assert {(one["span"], one["way"], one["rows"] > 0) for one in level["latency_rows"]} == {
        (span, way, True) for span in ("hour", "day") for way in ("statistics", "readings")
    }
    assert all(0 < one["p50_ms"] <= one["p95_ms"] for one in level["latency_rows"])
    assert report["summary"]["per_s"] > 0 and report["summary"]["ratio"] > 0
    assert report["machine"]["cores"] >= 1 and report["server"]["fsync"] in ("on", "off")
    assert database_server.rpartition("@")[2] not in json.dumps(report)
    assert "GB of disk are needed for 50,000 readings" in progress.splitlines()[0]
    if report["timescaledb"]:
        _by_column(level)
    else:
        assert "plain" in report["machine"]["database"] and "columns" not in level and "latency_columns" not in level


def _by_column(level: dict[str, Any]) -> None:
    columns = level["columns"]
    assert columns["bytes"]["total"] < level["bytes_rows"]["total"] / 4
    kinds = {one["kind"]: one for one in columns["kinds"]}
    assert set(kinds) == set(store_series.KINDS)
    assert sum(one["readings"] for one in kinds.values()) == level["readings"]
    told = sum(one["total"] * one["readings"] for one in kinds.values()) / level["readings"]
    assert told == pytest.approx(columns["bytes"]["total"], rel=1e-6), "the parts add up to what the table takes"
    assert kinds["temp"]["observed_at"] < 0.2 < 1.5 < kinds["temp_ms"]["observed_at"]
    assert kinds["temp"]["value"] < kinds["temp_noisy"]["value"]
    assert level["sealed_columns"]["leaves"] == level["sealed_rows"]["leaves"]
    rows = {(one["span"], one["way"]): one["rows"] for one in level["latency_rows"]}
    assert rows == {(one["span"], one["way"]): one["rows"] for one in level["latency_columns"]}


def test_ctrl_c_leaves_no_database_behind(database_server: str) -> None:
    with role_of_its_own(database_server) as server:
        process = subprocess.Popen(
            [sys.executable, "-m", "pilotbed", "bench", "store", "--readings", "1e7"],
            env={**os.environ, "PILOTBED_BENCH_DATABASE_URL": server},
            cwd=Path(core.__file__).parent.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            # Whoever is started in the background of a shell's script, as tests may be, ignores it and hands that down.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        try:
            deadline = time.monotonic() + 60
            while not databases_of(server):
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.1)
            time.sleep(2)  # in the midst of writing
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(10)
            assert process.stderr is not None
            process.stderr.close()
        assert process.returncode != 0, said
        assert not databases_of(server)


def test_readings_have_no_index_but_the_key_and_that_by_receipt(connection: Connection) -> None:
    """One on ``observed_at`` alone, which TimescaleDB makes by itself, costs a third of the bytes and misleads the planner."""
    rows = connection.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'reading'").fetchall()
    assert {row["indexname"] for row in rows} == {"reading_pkey", "reading_received"}


def test_a_number_that_cannot_be_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "store", "--readings", "1e3"]) == 2
    assert "30,000" in capsys.readouterr().err

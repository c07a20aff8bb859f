"""Versions of results: immutable, and each says what changed and why."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
import pytest

from core.audit import entries
from core.canonical import canonical_json, sha256
from core.database import Connection
from core.errors import NotFound
from kpi.evaluate import evaluate
from kpi.results import newest, store, versions
from tests.commanding import Command, command_line
from tests.evaluated import Site, hours, made_site

SEOUL = ZoneInfo("Asia/Seoul")
KPIS = """
mean: {name: 평균 온도, measure: {statistic: {channel: temp, stat: mean}}, target: "20..26 degC"}
capture: {name: 자료획득률, measure: {capture: {}}, target: ">= 90 %"}
"""


@pytest.fixture
def site(connection: Connection) -> Site:
    """March is there but for its last 31 readings; April and May are whole."""
    made = made_site(connection, KPIS)
    at_us = hours(date(2025, 3, 1), date(2025, 6, 1))
    keep = np.ones(len(at_us), dtype=bool)
    keep[713:744] = False
    made.heard("a", "temp", at_us[keep], np.full(keep.sum(), 22.0))
    made.summarised()
    return made


def late(made: Site) -> None:
    at_us = hours(date(2025, 3, 1), date(2025, 4, 1))[713:]
    made.heard("a", "temp", at_us, np.full(len(at_us), 30.0))


def test_the_same_result_is_no_new_version(site: Site, connection: Connection) -> None:
    assert store(connection, evaluate(connection, "hall", month="2025-03"), "cli:test") == 1
    assert store(connection, evaluate(connection, "hall", month="2025-03"), "cli:test") == 1
    assert len([row for row in entries(connection, pilot="hall") if row["what"] == "result.store"]) == 1


@pytest.mark.parametrize("summarised", [True, False])
def test_late_data_make_a_new_version_that_names_them(site: Site, connection: Connection, summarised: bool) -> None:
    first = evaluate(connection, "hall", month="2025-03")
    store(connection, first, "cli:test")
    late(site)
    if summarised:
        site.summarised()
    assert store(connection, evaluate(connection, "hall", month="2025-03"), "cli:test") == 2
    found = newest(connection, "hall", "month", "2025-03")
    assert found is not None and found.difference is not None
    assert found.difference["from_version"] == 1
    assert found.difference["causes"] == [{"cause": "late_data", "readings": 31, "events": 0, "link_states": 0}]
    changed = {row["id"]: row["fields"] for row in found.difference["kpis"]}
    assert changed["mean"]["value"]["before"] == 22.0
    assert changed["mean"]["value"]["after"] == pytest.approx((713 * 22 + 31 * 30) / 744)
    assert changed["capture"]["value"] == {"before": 100 * 713 / 744, "after": 100.0}
    assert "status" not in changed["mean"]
    # The version before is as it was, and can be had again.
    again = evaluate(connection, "hall", month="2025-03", as_of=first.as_of)
    old = versions(connection, "hall", "month", "2025-03")[0]
    assert canonical_json(again.document) == canonical_json(old.document)
    assert old.sha256 == first.sha256
    assert sha256(canonical_json({k: v for k, v in old.document.items() if k != "as_of"})) == old.sha256


def test_a_month_that_became_final_says_so(site: Site, connection: Connection) -> None:
    before = evaluate(connection, "hall", month="2025-03", as_of=datetime(2025, 4, 5, tzinfo=UTC))
    after = evaluate(connection, "hall", month="2025-03", as_of=datetime(2025, 4, 12, tzinfo=UTC))
    store(connection, before, "cli:test")
    assert store(connection, after, "cli:test") == 2
    found = newest(connection, "hall", "month", "2025-03")
    assert found is not None and found.difference is not None
    assert found.difference == {"from_version": 1, "causes": [{"cause": "final"}], "kpis": []}


def test_results_cannot_be_changed(site: Site, connection: Connection) -> None:
    store(connection, evaluate(connection, "hall", month="2025-03"), "cli:test")
    for statement in ("UPDATE result SET version = 9", "DELETE FROM result"):
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
            connection.execute(statement)


def test_results_are_of_a_pilot(site: Site, connection: Connection) -> None:
    found = evaluate(connection, "hall", month="2025-03")
    store(connection, found, "cli:test")
    store(connection, evaluate(connection, "hall", at=date(2025, 6, 1)), "cli:test")
    assert [(row.kind, row.label, row.version) for row in versions(connection, "hall")] == [
        ("date", "2025-06-01", 1),
        ("month", "2025-03", 1),
    ]
    assert newest(connection, "hall", "month", "2025-04") is None
    connection.execute("UPDATE pilot SET name = 'other'")
    with pytest.raises(NotFound, match="hall"):
        store(connection, found, "cli:test")


# --- The command


@pytest.fixture
def pilotbed(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """Runs a command line; gives its exit code, its stdout and its stderr."""
    with command_line(monkeypatch, capsys, PILOTBED_DATABASE_URL=database_url, COLUMNS="400") as command:
        yield command


def test_evaluate_prints_one_json_object(site: Site, connection: Connection, pilotbed: Command) -> None:
    code, out, err = pilotbed("evaluate", "hall", "--month", "2025-03", "--json")
    assert (code, err) == (0, "")
    document: dict[str, Any] = json.loads(out)
    assert set(document) >= {"pilot", "plan", "window", "as_of", "kpis"}
    assert set(document["plan"]) == {"version", "sha256"}
    for entry in document["kpis"]:
        assert set(entry) >= {"id", "value", "unit", "n", "completeness", "interval", "status", "why"}
    assert newest(connection, "hall", "month", "2025-03") is not None
    code, again, _ = pilotbed("evaluate", "hall", "--month", "2025-03", "--json", "--as-of", document["as_of"])
    assert (code, again) == (0, out)


def test_evaluate_prints_a_table(site: Site, pilotbed: Command) -> None:
    code, out, _ = pilotbed("evaluate", "hall", "--at", "2025-06-01")
    assert code == 0
    assert "22.0 °C" in out and "20 ~ 26 °C" in out and "✓ 달성" in out and "제1판" in out
    assert re.search(r"기준일시 \d{4}\. \d+\. \d+\.\(.\) \d\d:\d\d:\d\d \(Asia/Seoul\)", out)
    code, out, _ = pilotbed("evaluate", "hall", "--month", "2025-04", "--lang", "en")
    assert "✓ On track" in out or "✓ on track" in out.lower()


def test_without_a_question_the_newest_month_is_shown(site: Site, pilotbed: Command) -> None:
    code, out, _ = pilotbed("evaluate", "hall", "--json")
    assert code == 0
    assert json.loads(out)["label"] == "2025-11"


def test_a_past_or_a_wish_not_to_is_not_recorded(site: Site, connection: Connection, pilotbed: Command) -> None:
    as_of = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    assert pilotbed("evaluate", "hall", "--month", "2025-03", "--as-of", as_of)[0] == 0
    assert pilotbed("evaluate", "hall", "--month", "2025-03", "--no-record")[0] == 0
    assert versions(connection, "hall") == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere", "--month", "2025-03"), "no pilot 'nowhere'"),
        (("hall", "--month", "2025-13"), "runs from 2025-03 to 2025-11"),
        (("hall", "--month", "March"), "runs from 2025-03 to 2025-11"),
        (("hall", "--at", "2025-06-02"), "2025-06-01, 2025-11-01"),
        (("hall", "--at", "yesterday"), "YYYY-MM-DD"),
        (("hall", "--month", "2025-03", "--final"), "one of the three"),
        (("hall", "--month", "2025-03", "--as-of", "2025-05-01T09:00"), "no zone"),
        (("hall", "--month", "2025-03", "--as-of", "soon"), "no instant"),
        (("hall", "--month", "2025-03", "--as-of", "2100-01-01T00:00Z"), "future"),
        (("hall", "--month", "2025-03", "--lang", "fr"), "ko, en"),
    ],
)
def test_wrong_use_is_told_in_one_line(site: Site, pilotbed: Command, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = pilotbed("evaluate", *arguments)
    assert (code, out) == (2, "")
    assert said in err and err.count("\n") == 1

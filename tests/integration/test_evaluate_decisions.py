"""Guard bands, groups of slots and 목표달성도 on plans and readings in a real database, against numpy on the same readings."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import numpy as np
import pytest

from core.canonical import canonical_json
from core.database import Connection
from core.settings import settings
from kpi.evaluate import Result, evaluate
from kpi.reports.gather import opinion_data
from kpi.reports.opinion import opinion_json
from kpi.results import newest, store
from pilotbed.cli import run
from tests.evaluated import Site, hours, made_site

Make = Callable[..., Site]

SLOT = """
  {name}:
    device: {{serial: "{name}-1"}}
    channels:
      temp: {{unit: degC, period: 1 h, range: [-40, 60]}}
      pm25: {{unit: ug/m^3, period: 1 h, uncertainty: {{relative: 5 %, certificate: KTL-2026-0113}}}}
      co2: {{unit: ppm, period: 1 h}}
    events:
      mission: {{}}
"""
OVERALL = """
overall: {{rule: weighted, cap: 120, open: 30, pass: 80, formula: {{range: distance}}}}
"""
KPIS = """
dust: {name: 먼지 유지율, measure: {share: {while: {channel: pm25, value: "<= 40 ug/m^3"}}}, target: ">= 90 %", decision: guarded, weight: 40}
warm: {name: 평균 온도, measure: {statistic: {channel: temp, stat: mean}}, target: ">= 20 degC", decision: guarded, required: true, weight: 40}
air: {name: 이산화탄소, measure: {statistic: {channel: co2, stat: mean}}, target: "<= 1000 ppm", decision: guarded, weight: 20}
"""  # noqa: E501 - plan text


@pytest.fixture
def site(connection: Connection) -> Make:
    return partial(made_site, connection)


def entry(result: Result, name: str) -> dict[str, Any]:
    canonical_json(result.document)
    return next(kpi for kpi in result.document["kpis"] if kpi["id"] == name)


def told(made: Site, slot: str = "a", *, dust: float = 38.0, warm: float = 20.5) -> dict[str, np.ndarray[Any, Any]]:
    """Three months, hourly, and all of it heard."""
    rng = np.random.default_rng(3)
    at_us = hours(date(2025, 3, 1), date(2025, 6, 1))
    values = {
        "pm25": rng.normal(dust, 2.0, len(at_us)),
        "temp": rng.normal(warm, 1.0, len(at_us)),
        "co2": rng.normal(800, 50, len(at_us)),
    }
    for name, series in values.items():
        made.heard(slot, name, at_us, series)
    return values


@pytest.mark.parametrize("summarised", [True, False])
def test_a_guarded_share_counts_by_limits_moved_by_the_uncertainty(
    site: Make, connection: Connection, summarised: bool
) -> None:
    """5 % at 40 µg/m³ are 2: the share below 38 must reach the target for *met*, that below 42 stay under it for *not met*."""
    made = site(KPIS, slot=SLOT)
    values = told(made, dust=36.0)["pm25"]
    made.alive(datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC))
    if summarised:
        made.summarised()
    found = entry(evaluate(connection, "hall", at=date(2025, 6, 1)), "dust")
    assert found["value"] == pytest.approx(100 * (values <= 40).mean(), abs=0.1)
    strict, lenient = 100 * (values <= 38).mean(), 100 * (values <= 42).mean()
    assert found["uncertainty"]["against"] == pytest.approx(
        max(found["value"] - strict, lenient - found["value"]), abs=0.1
    )
    assert strict < 90 < found["value"]
    assert (found["verdict"], found["reason"]) == ("inconclusive", "guard_open")
    assert found["uncertainty"]["certificate"] == "KTL-2026-0113" and "KTL-2026-0113" in found["why"]["en"]


def test_the_conditions_of_a_guarded_share_are_summarised_beforehand(site: Make, connection: Connection) -> None:
    site(KPIS, slot=SLOT)
    rows = connection.execute("SELECT high FROM predicate WHERE high IS NOT NULL ORDER BY high").fetchall()
    assert [row["high"] for row in rows] == [38.0, 40.0, 42.0]


def test_class_defaults_count_against_the_claimant_only(site: Make, connection: Connection) -> None:
    """20.3 °C against ≥ 20 °C: class B is off by up to 0.30 + 0.005 · 20.3 = 0.40 °C."""
    made = site(KPIS, slot=SLOT)
    told(made, warm=20.3)
    found = entry(evaluate(connection, "hall", at=date(2025, 6, 1)), "warm")
    assert found["uncertainty"]["against"] == pytest.approx(0.3 + 0.005 * found["value"])
    assert found["uncertainty"]["in_favour"] == 0.0
    assert (found["verdict"], found["reason"]) == ("inconclusive", "guard_open")
    assert "IEC 60751" in found["why"]["ko"]
    unknown = entry(evaluate(connection, "hall", at=date(2025, 6, 1)), "air")
    assert (unknown["verdict"], unknown["reason"]) == ("inconclusive", "no_uncertainty")


def test_groups_by_mean_and_sum(site: Make, connection: Connection) -> None:
    measure = "measure: {statistic: {channel: temp, stat: mean}}"
    made = site(
        f"""
mean: {{name: 평균, {measure}, target: "<= 26 degC", group: mean}}
sum: {{name: 합, {measure}, target: "<= 50 degC", group: sum}}
worst: {{name: 최악, {measure}, target: "<= 26 degC", group: worst}}
""",
        slots=("a", "b"),
        slot=SLOT,
    )
    at_us = hours(date(2025, 3, 1), date(2025, 6, 1))
    made.heard("a", "temp", at_us, np.full(len(at_us), 20.0))
    made.heard("b", "temp", at_us[: len(at_us) * 4 // 5], np.full(len(at_us) * 4 // 5, 28.0))
    found = evaluate(connection, "hall", at=date(2025, 6, 1))
    assert entry(found, "mean")["value"] == pytest.approx(24.0)
    assert entry(found, "sum")["value"] == pytest.approx(48.0)
    assert (entry(found, "worst")["slot"], entry(found, "worst")["value"]) == ("b", pytest.approx(28.0))


def test_the_answer_over_all_kpis_is_part_of_the_result(site: Make, connection: Connection) -> None:
    made = site(KPIS, slot=SLOT + OVERALL)
    told(made, dust=33.0, warm=21.0)
    result = evaluate(connection, "hall", at=date(2025, 6, 1))
    overall = result.document["overall"]
    assert overall["rule"] == "weighted"
    assert [(part["id"], part["verdict"]) for part in overall["parts"]] == [
        ("dust", "met"), ("warm", "met"), ("air", "inconclusive"),
    ]  # fmt: skip
    dust, warm = entry(result, "dust")["value"], entry(result, "warm")["value"]
    scores = [min(100 * dust / 90, 120), min(100 * warm / 20, 120), 30]
    assert [part["score"] for part in overall["parts"]] == pytest.approx(scores)
    assert overall["score"] == pytest.approx(0.4 * scores[0] + 0.4 * scores[1] + 0.2 * scores[2])
    assert overall["verdict"] == "met"
    assert "overall" not in evaluate(connection, "hall", month="2025-05").document
    again = evaluate(connection, "hall", at=date(2025, 6, 1), as_of=result.as_of)
    assert canonical_json(again.document) == canonical_json(result.document)


def test_without_a_rule_in_the_plan_every_required_kpi_must_be_met(site: Make, connection: Connection) -> None:
    made = site(KPIS, slot=SLOT)
    told(made, dust=33.0, warm=21.0)
    overall = evaluate(connection, "hall", at=date(2025, 6, 1)).document["overall"]
    assert (overall["rule"], overall["verdict"]) == ("all_required", "met")  # the open one is not required
    assert "필수 지표 1개를 모두 달성했습니다" in overall["why"]["ko"]


def test_the_command_and_the_opinion_show_it(
    site: Make,
    connection: Connection,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = site(KPIS, slot=SLOT + OVERALL)
    told(made, dust=33.0, warm=21.0)
    monkeypatch.setenv("PILOTBED_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "500")
    settings.cache_clear()
    try:
        assert run(["evaluate", "hall", "--at", "2025-06-01"]) == 0
        seen = capsys.readouterr().out
        assert "목표달성도: ✓ 달성" in seen and "통과 기준 80점 이상이므로" in seen and "먼지 유지율" in seen
        assert run(["evaluate", "hall", "--at", "2025-06-01", "--json", "--lang", "en"]) == 0
        assert json.loads(capsys.readouterr().out)["overall"]["verdict"] == "met"
    finally:
        settings.cache_clear()
    store(connection, evaluate(connection, "hall", month="2025-05"), "cli:test")
    month = newest(connection, "hall", "month", "2025-05")
    assert month is not None
    opinion = json.loads(opinion_json(opinion_data(connection, month)))["opinion"]
    assert [kpi["rule"] for kpi in opinion["kpis"]] == ["guarded"] * 3

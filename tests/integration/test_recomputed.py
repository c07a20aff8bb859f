"""Every figure and verdict, recomputed with pandas, numpy and scipy from the exported files alone, by code that knows no other.

The demo's pilots as they are, and a pilot of every measure kind with gaps, late data, outages, exclusions and a swap.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from core.database import Connection, connected
from core.window import months
from devices.plan.reader import read_plan
from devices.registry import apply_plan, plan_of
from kpi.evaluate import evaluate
from kpi.results import store
from pilotbed.loader import load_history
from simulators.demo import DEMO_SCENARIOS, demo_plans
from simulators.site import Site
from telemetry.export import Ask, export
from telemetry.load import tell_planner
from telemetry.summarise import summarise
from tests.audited import PILOT, made_pilot
from tests.conftest import _new_database
from tests.evaluated import hours, made_site
from tests.recomputation.compare import differences, recomputed
from tests.recomputation.folder import Folder

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def store_of_all(database_server: str, template_database: str) -> Iterator[Connection]:
    """One database for the module: what takes long is loaded once."""
    name = f"pilotbed_test_{secrets.token_hex(6)}"
    with _new_database(database_server, name, template_database) as url, connected(url) as connection:
        yield connection


def exported(connection: Connection, pilot: str, folder: Path) -> Folder:
    export(connection, Ask(pilot=pilot, format="parquet"), folder)
    return Folder(folder)


def judge(connection: Connection, pilot: str, **asked: Any) -> None:
    store(connection, evaluate(connection, pilot, **asked), who="cli:test")


# --- the demo


@pytest.fixture(scope="module")
def demo(store_of_all: Connection, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Folder]:
    """The demo's pilots with their ninety days, judged month by month and at the date that has passed."""
    now, connection = datetime.now(UTC), store_of_all
    for name, text in demo_plans(now.date()).items():
        apply_plan(connection, read_plan(text.encode()), who="cli:test")
        plan, _, _ = plan_of(connection, name)
        load_history(connection, plan, Site(DEMO_SCENARIOS[name]), now, lambda _: None)
    tell_planner(connection)
    while summarise(connection):
        pass
    tell_planner(connection)
    found = {}
    for name in DEMO_SCENARIOS:
        plan, _, _ = plan_of(connection, name)
        judge(connection, name, at=plan.evaluation.interim[0])
        for month in months(plan.period.start, now.astimezone(plan.zone).date()):
            judge(connection, name, month=month)
        found[name] = exported(connection, name, tmp_path_factory.mktemp("export") / name)
    return found


@pytest.mark.parametrize("pilot", DEMO_SCENARIOS)
def test_the_demos_pilots_come_out_the_same(demo: dict[str, Folder], pilot: str) -> None:
    folder = demo[pilot]
    results = folder.results()
    assert [kind for kind, _, _ in results].count("date") == 1
    assert [kind for kind, _, _ in results].count("month") >= 3
    assert {key: differences(folder, *key) for key in results} == {key: [] for key in results}


def test_a_changed_reading_would_be_noticed(demo: dict[str, Folder]) -> None:
    folder = Folder(demo["demo-park"].path)
    key = next(key for key in folder.results() if key[0] == "date")
    values = folder.readings("bench-1", "voltage").value
    values[len(values) // 2] += 0.1
    assert [line.split(" ")[:2] for line in differences(folder, *key)] == [
        ["voltage-mean:", name] for name in ("value", "interval", "interval")
    ]


# --- every measure kind


@pytest.fixture(scope="module")
def every(store_of_all: Connection, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The pilot of every kind: as it was known early, and with all that came and was agreed later."""
    made_pilot(store_of_all)
    for asked in RESULTS.values():
        judge(store_of_all, PILOT, **asked)
    return exported(store_of_all, PILOT, tmp_path_factory.mktemp("export") / PILOT)


RESULTS: dict[tuple[str, str, int], dict[str, Any]] = {
    ("month", "2023-10", 1): {"month": "2023-10", "as_of": datetime(2023, 10, 25, 6, 13, tzinfo=UTC)},
    ("date", "2023-11-20", 1): {"at": date(2023, 11, 20)},
    ("month", "2023-12", 1): {"month": "2023-12"},
    ("final", "2024-08-20", 1): {"final": True},
}


def kinds_of(folder: Folder) -> set[str]:
    _, plan = folder.plan(2**62)
    parts = [part for kpi in plan["kpis"].values() for part in kpi.get("all", [kpi])]
    return {kind for part in parts for kind in part["measure"]}


@pytest.mark.parametrize("key", RESULTS, ids=lambda key: "-".join(map(str, key)))
def test_every_measure_kind_comes_out_the_same(every: Folder, key: tuple[str, str, int]) -> None:
    assert differences(every, *key) == []


def test_the_pilot_has_every_kind_and_every_answer(every: Folder) -> None:
    assert kinds_of(every) == {
        "statistic", "share", "capture", "availability", "integral", "increase", "event_ratio", "count", "event_rate",
        "event_duration", "mtbf",
    }  # fmt: skip
    final = every.results()["final", "2024-08-20", 1]
    assert {kpi["verdict"] for kpi in final["kpis"]} == {"met", "not_met", "inconclusive", "insufficient"}
    assert "exclusion_turns" in {kpi["reason"] for kpi in final["kpis"]}
    assert any(kpi["reason"].startswith("escape") for kpi in final["kpis"])
    methods = {kpi["interval"]["method"] for kpi in final["kpis"] if kpi["interval"]}
    assert methods >= {
        "none", "gaps", "weekly_means", "weekly_shares", "effective_sample", "clopper_pearson", "dispersed", "poisson",
        "chi_square", "mover",
    }  # fmt: skip


def test_the_overall_answer_comes_out_the_same(every: Folder) -> None:
    stored = every.results()["final", "2024-08-20", 1]["overall"]
    mine = recomputed(every, "final", "2024-08-20", 1)["overall"]
    assert mine["verdict"] == stored["verdict"]
    assert [mine[name] for name in ("score", "low", "high")] == pytest.approx(
        [stored[name] for name in ("score", "low", "high")], rel=1e-9
    )


def test_a_longer_silence_is_no_more_energy(connection: Connection) -> None:
    """100 W, heard each hour until six and not until the evening: required until eight, the two hours are a gap."""
    slot = '\n  {name}:\n    device: {{serial: "1"}}\n    channels: {{power: {{unit: W, period: 1 h}}}}\n'
    kpi = 'e: {name: e, measure: {integral: {channel: power, hours: "00:00-08:00"}}, target: ">= 1 Wh"}'
    site = made_site(connection, kpi, slots=("a", "b"), slot=slot)
    day = hours(date(2025, 3, 1), date(2025, 3, 2))
    hour = (day - day[0]) // 3_600_000_000
    for name, back in (("a", 10), ("b", 20)):
        at_us = day[(hour <= 6) | (hour >= back)]
        site.heard(name, "power", at_us, [100.0] * len(at_us))
    site.alive(datetime(2025, 2, 1, tzinfo=UTC), datetime(2025, 12, 5, tzinfo=UTC))
    found = evaluate(connection, "hall", month="2025-03").document["kpis"][0]["slots"]
    assert [row["value"] for row in found] == pytest.approx([600.0, 600.0])


def test_a_slots_certified_instrument_decides_about_its_own_share(connection: Connection) -> None:
    """Slot a, certified to 1 %, keeps its limit for 89 of 100 hours, and 90 are promised: slot b's instrument changes nothing."""
    slot = """
  {name}:
    device: {{serial: "{name}"}}
    channels: {{dust: {{unit: ug/m^3, period: 1 h, uncertainty: {{relative: 1 %, certificate: K-{name}}}}}}}
"""
    kpi = (
        'k: {name: k, group: worst, decision: guarded, measure: {share: {while: {channel: dust, value: "<= 35 ug/m^3"}}},'
        ' target: ">= 90 %"}'
    )
    plan = {"a": slot, "b": slot.replace(", certificate: K-{name}", "")}
    site = made_site(connection, kpi, slots=("a",), slot=plan["a"] + plan["b"].replace("{name}", "b"))
    at_us = hours(date(2025, 3, 1), date(2025, 6, 1))
    site.heard("a", "dust", at_us, [40.0 if i % 100 < 11 else 10.0 for i in range(len(at_us))])
    site.heard("b", "dust", at_us, [10.0] * len(at_us))
    site.alive(datetime(2025, 2, 1, tzinfo=UTC), datetime(2025, 12, 5, tzinfo=UTC))
    [found] = evaluate(connection, "hall", at=date(2025, 6, 1)).document["kpis"]
    assert (found["slot"], round(found["value"]), found["verdict"]) == ("a", 89, "not_met")

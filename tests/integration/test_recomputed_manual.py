"""Figures of what people entered, recomputed with pandas and scipy from the exported files alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from core.database import Connection
from kpi.evaluate import evaluate
from kpi.records.documents import paper
from kpi.records.exclusions import add_exclusion
from kpi.records.manual import add_manual, withdraw_manual
from kpi.records.manual_rules import Given, of_scores
from kpi.results import store
from telemetry.export import Ask, export
from tests.evaluated import made_site
from tests.integration.test_manual import MORE, at, complaint, survey
from tests.recomputation.compare import differences
from tests.recomputation.folder import Folder

KPIS = """
rate: {name: 발생률, measure: {event_rate: {manual: complaints, per: {manual: resident-days}}},
  target: "<= 1 건/(1000 resident-day)", scope: capability}
rare: {name: 독립, measure: {manual: {of: complaints, stat: rate, independent: true}},
  target: "<= 0.0004 건/resident-day", scope: capability}
total: {name: 민원, measure: {manual: {of: complaints, stat: sum}}, target: "<= 30 건", scope: capability}
happened: {name: 민원, measure: {manual: {of: complaints, stat: sum}}, target: "<= 20 건"}
happy: {name: 만족도, measure: {manual: {of: satisfaction, stat: mean, n_min: 100}}, target: ">= 4.0 점", scope: capability}
many: {name: 만족도, measure: {manual: {of: satisfaction, stat: mean, n_min: 1000}}, target: ">= 4.0 점", scope: capability}
worst: {name: 검침, measure: {manual: {of: meter, stat: last}}, target: "<= 900 kWh", group: worst}
mean: {name: 검침, measure: {manual: {of: meter, stat: mean}}, target: "<= 900 kWh", group: mean}
used: {name: 사용량, measure: {manual: {of: used, stat: sum, slots: [a]}}, target: "<= 900 kWh"}
"""
USED = "  used: {name: 사용량, kind: value, unit: kWh, slots: [a, b]}\n"


def test_what_people_entered_comes_out_the_same(connection: Connection, tmp_path: Path) -> None:
    made = made_site(connection, KPIS, slots=("a", "b"), more=MORE + USED)
    made.alive(datetime(2025, 2, 1, tzinfo=UTC), datetime(2025, 12, 5, tzinfo=UTC))
    judged(connection, month="2025-03")  # nothing was entered yet
    enter(connection, complaint(3, 12), complaint(4, 2, exposure=8_000.0), survey(4.2, 60, 0.9, 4))
    judged(connection, month="2025-03")
    judged(connection, month="2025-04")
    usual: dict[str, Any] = {"measured_by": "김", "quantity": "meter"}
    enter(
        connection,
        complaint(5, 11, start=at(5), end=at(5, 20)),
        complaint(5, 3, start=at(5, 20), end=at(6)),
        complaint(6, 9),
        of_scores(survey(0, 1, None, 5), [5, 4, 4, 3, 5, 4, 5, 5, 4, 2] * 7),
        Given(slot="a", start=at(4), end=at(4), value=400, **usual),
        Given(slot="a", start=at(5), end=at(5), value=700, **usual),
        Given(slot="b", start=at(5), end=at(5), value=950, **usual),
        *(
            Given(quantity="used", slot="a", start=at(month), end=at(month + 1), value=50.5 * month, measured_by="김")
            for month in (3, 4, 5)
        ),
    )  # fmt: skip
    start = at(5) - timedelta(hours=1)
    add_exclusion(
        connection, "hall", slot="b", start=start, end=start + timedelta(hours=26), reason="construction",
        asked_on=date(2025, 5, 2), asked_by="C", agreed_site="S", agreed_team="T", note="n", who="cli:test",
    )  # fmt: skip
    for asked in ({"month": "2025-05"}, {"month": "2025-06"}, {"at": date(2025, 6, 1)}, {"final": True}):
        judged(connection, **asked)
    withdraw_manual(connection, 2, why="잘못 셈", who="cli:test")
    for asked in ({"month": "2025-04"}, {"at": date(2025, 6, 1)}):
        judged(connection, **asked)
    export(connection, Ask(pilot="hall", format="parquet"), tmp_path / "hall")
    folder = Folder(tmp_path / "hall")
    results = folder.results()
    assert len(results) >= 8
    answers = {kpi["id"]: kpi["verdict"] for kpi in results["date", "2025-06-01", 1]["kpis"]}
    assert set(answers.values()) == {"met", "not_met", "inconclusive", "insufficient"}, answers
    assert {key: differences(folder, *key) for key in results} == {key: [] for key in results}


def test_answers_that_are_all_alike_have_the_bounds_of_the_rule_of_three(
    connection: Connection, tmp_path: Path
) -> None:
    made_site(connection, KPIS, slots=("a", "b"), more=MORE + USED)
    enter(connection, survey(5.0, 100, 0.0, 4))
    [happy] = [one for one in judged(connection, at=date(2025, 6, 1))["kpis"] if one["id"] == "happy"]
    assert happy["verdict"] == "met" and 4.8 < happy["interval"]["low"] < 4.9 and happy["interval"]["high"] == 5.0
    export(connection, Ask(pilot="hall", format="parquet"), tmp_path / "hall")
    assert differences(Folder(tmp_path / "hall"), "date", "2025-06-01", 1) == []


def enter(connection: Connection, *given: Given) -> None:
    add_manual(connection, "hall", given, paper("a.pdf", b"proof"), who="cli:test")


def judged(connection: Connection, **asked: Any) -> Any:
    result = evaluate(connection, "hall", **asked)
    store(connection, result, "cli:test")
    return result.document

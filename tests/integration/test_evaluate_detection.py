"""Detections in a real database: alerts against labels, what counts of them, and what other KPIs take from the pairs."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from core.database import Connection
from core.window import instant
from devices.plan.detection_measures import TruthSample
from kpi.evaluate import evaluate
from kpi.measures.truth_sample import windows_drawn
from kpi.pair_list import pairs_of
from kpi.records.exclusions import add_exclusion
from kpi.records.labels import labels, withdraw_label
from kpi.records.outages import add_outage
from kpi.reports.gather import opinion_data
from kpi.reports.opinion import opinion_pdf
from kpi.results import newest, store
from tests.detecting import SAMPLE, alerted, at, cameras, detection, heard, label, labelled, seconds, us

T0 = at("2025-03-05 10:00:00")


def entry(connection: Connection, key: str, **asked: Any) -> dict[str, Any]:
    result = evaluate(connection, "hall", **(asked or {"at": at("2025-06-01").date()}))
    found: dict[str, Any] = next(one for one in result.document["kpis"] if one["id"] == key)
    return found


def day(number: int) -> Any:
    return T0 + timedelta(days=number)


def test_recall_precision_and_f1_of_the_same_pairs(connection: Connection) -> None:
    kpis = "\n".join(
        f'{stat}: {{name: {stat}, measure: {detection(stat)}, target: "{target}", completeness: 1}}'
        for stat, target in (
            ("recall", ">= 0.7"),
            ("precision", ">= 70 %"),
            ("f1", ">= 0.70"),
            ("false_rate", "<= 30 %"),
        )
    )
    site = cameras(connection, kpis)
    labelled(site, *(label("a", day(i)) for i in range(10)))
    alerted(site, "a", *(day(i) + seconds(3) for i in range(8)), day(20), day(21))
    found = {stat: entry(connection, stat) for stat in ("recall", "precision", "f1", "false_rate")}
    assert {stat: one["value"] for stat, one in found.items()} == {
        "recall": 0.8, "precision": 80.0, "f1": 0.8, "false_rate": 20.0,
    }  # fmt: skip
    assert found["f1"]["unit"] == "" and found["precision"]["unit"] == "%"
    facts = found["f1"]["facts"]
    assert (facts["matched"], facts["missed"], facts["false_alarm"], found["f1"]["n"]) == (8, 2, 2, 12)


RECALL = f'recall: {{name: 재현율, measure: {detection()}, target: ">= 70 %", completeness: 1, decision: estimate}}'


def test_a_label_that_is_not_blind_or_of_the_wrong_side_does_not_count_and_is_said(connection: Connection) -> None:
    site = cameras(connection, RECALL)
    labelled(
        site,
        *(label("a", day(i)) for i in range(3)),
        label("a", day(4), blind=False),
        label("a", day(5), side="company", labeller="박참여"),
        label("a", day(6), side="team"),
    )
    alerted(site, "a", day(0), day(1), day(2))
    found = entry(connection, "recall")
    assert (found["value"], found["n"]) == (100.0, 3)
    assert (found["facts"]["not_blind"], found["facts"]["wrong_side"]) == (1, 2)
    assert "정해진 측이 아니어서 세지 않은 라벨 2건" in found["why"]["ko"]
    assert "1 labels not counted, made seeing the alerts" in found["why"]["en"]


def test_the_connection_that_spoke_is_the_side_of_a_label(connection: Connection) -> None:
    """The camera's own connection is the company's: whatever its message says, it is no label of the site."""
    site = cameras(connection, RECALL)
    said = {"blind": True, "labeller": "x", "by": "site", "side": "site"}
    site.happened("a", [(1, "", day(0), said)], kind="fall-truth")
    site.happened("desk", [(i, "", day(i), {"blind": True, "slot": "a"}) for i in (2, 3)], kind="fall-truth")
    site.happened("desk", [(9, "", day(9), {"slot": "a"})], kind="fall-truth")
    alerted(site, "a", day(2))
    found = entry(connection, "recall")
    assert (found["value"], found["n"]) == (50.0, 2)
    assert (found["facts"]["wrong_side"], found["facts"]["not_blind"]) == (1, 1)
    rows = found["matching"]["rows"]
    assert [(row["outcome"], row["label"]) for row in rows] == [("matched", ["desk/m2"]), ("missed", ["desk/m3"])]


SAMPLED = f"""
f1: {{name: F1, measure: {detection("f1", truth="by: site, " + SAMPLE)}, target: ">= 0.5", completeness: 1, decision: estimate}}
missed: {{name: 미탐지, measure: {{count: {{match: f1, outcome: missed}}}}, target: "<= 100", completeness: 1}}
false: {{name: 오경보, measure: {{event_rate: {{match: f1, outcome: false_alarm, per: 1 device-day}}}}, target: "<= 3 / device-day", completeness: 1}}
time: {{name: 시간, measure: {{event_duration: {{match: f1, missed: infinite, stat: p50}}}}, target: "<= 5 s", completeness: 1}}
"""  # noqa: E501 - plan text


def test_only_windows_that_were_drawn_and_labelled_count(connection: Connection) -> None:
    site = cameras(connection, SAMPLED)
    sample = TruthSample(window="10 min", fraction="50 %", seed=7)
    start, end = us(at("2025-03-01")), us(at("2025-06-01"))
    drawn = list(windows_drawn(sample, "a", ((start, end),)))
    first = [instant(one) for one, _ in drawn[:40]]
    labelled(
        site,
        *(label("a", one + seconds(100)) for one in first[:10]),  # a fall in each
        *(label("a", one, outcome="empty") for one in first[10:30]),  # nothing, as an instant in it
        label("a", first[30], end=first[30] + timedelta(minutes=10), outcome="empty"),
        label("a", outside(drawn, start)),
    )
    alerted(site, "a", *(one + seconds(102) for one in first[:8]), first[12] + seconds(50), first[35] + seconds(5))
    found = entry(connection, "f1")
    assert found["value"] == pytest.approx(2 * 8 / (2 * 8 + 1 + 2))
    facts = found["facts"]
    assert (facts["matched"], facts["missed"], facts["false_alarm"]) == (8, 2, 1)
    assert facts["outside_sample"] == 1
    assert facts["windows"] == len(drawn)
    assert facts["unlabelled_windows"] == len(drawn) - 31
    assert found["completeness"] == pytest.approx(31 / len(drawn))
    required_s = (end - start) / 1e6
    assert entry(connection, "missed")["value"] == pytest.approx(2 * required_s / (31 * 600))
    assert entry(connection, "false")["value"] == pytest.approx(1 / (31 * 600 / 86_400))
    assert entry(connection, "time")["value"] == 2.0


def outside(drawn: list[tuple[int, int]], start_us: int) -> Any:
    starts = {one for one, _ in drawn}
    at_us = next(one for one in range(start_us, start_us + 10**11, 600_000_000) if one not in starts)
    return instant(at_us) + seconds(300)


def test_a_device_that_was_down_missed_it_and_an_outage_of_ours_is_left_out(connection: Connection) -> None:
    """The camera is silent on two days: one is its own fault, the other one that of the platform, as agreed later."""
    site = cameras(connection, RECALL, up=False)
    for start, end in ((1, 6), (8, 32)):
        heard(site, "a", day(0).date().replace(day=start), day(0).date() + timedelta(days=end - 5))
    labelled(site, *(label("a", day(i)) for i in range(4)))
    alerted(site, "a", day(0))
    found = entry(connection, "recall")
    assert (found["value"], found["n"], found["facts"]["missed_down"]) == (25.0, 4, 2)
    assert "장비 정지 중 미탐지 2건" in found["why"]["ko"]
    add_outage(
        connection, "hall", start=day(2) - timedelta(hours=1), end=day(2) + timedelta(hours=1), cause="platform",
        agreed_by="둘 다", note="교체", who="cli:test",
    )  # fmt: skip
    add_exclusion(
        connection, "hall", slot="a", start=day(3) - timedelta(hours=1), end=day(3) + timedelta(hours=1), reason="disaster",
        asked_on=day(3).date(), asked_by="c", agreed_site="s", agreed_team="t", note="n", who="cli:test",
    )  # fmt: skip
    found = entry(connection, "recall")
    assert (found["value"], found["n"]) == (50.0, 2)


def test_two_readers_that_differ_leave_both_numbers(connection: Connection) -> None:
    kpis = RECALL.replace("by: site", "by: site, double: 50 %")
    site = cameras(connection, kpis)
    labelled(
        site,
        *(label("a", day(i)) for i in range(4)),
        label("a", day(0) + seconds(1), reader=2, labeller="이둘째"),
        label("a", day(1) + seconds(1), reader=2, labeller="이둘째", outcome="negative"),
    )
    alerted(site, "a", day(0), day(2))
    found = entry(connection, "recall")
    assert found["value"] == 50.0
    facts = found["facts"]
    assert (facts["doubled"], facts["disagreed"], facts["double_lack"]) == (2, 1, 0)
    assert found["interval"]["low"] <= 50.0
    assert found["reason"] == "value_not_met" or "이중" in found["why"]["ko"]
    assert "이중 라벨 불일치 1건" in found["why"]["ko"]


def test_without_anything_that_happened_there_is_no_recall_and_the_reason_is_told(connection: Connection) -> None:
    site = cameras(connection, RECALL)
    alerted(site, "a", day(0), day(2))
    found = entry(connection, "recall")
    assert (found["value"], found["verdict"], found["reason"]) == (None, "insufficient", "no_value")
    assert "실제로 일어났다는 유효한 정답 기록이 없어" in found["why"]["ko"]
    labelled(site, label("a", day(0), end=day(0) + timedelta(hours=1), outcome="empty"))
    assert entry(connection, "recall")["value"] is None


def test_labels_without_alerts_are_all_missed(connection: Connection) -> None:
    site = cameras(connection, RECALL)
    labelled(site, *(label("a", day(i)) for i in range(4)))
    found = entry(connection, "recall")
    assert (found["value"], found["verdict"]) == (0.0, "not_met")


def test_a_label_counts_from_when_it_was_recorded_until_it_is_withdrawn(connection: Connection) -> None:
    site = cameras(connection, RECALL)
    alerted(site, "a", day(0))
    before = evaluate(connection, "hall", at=at("2025-06-01").date()).as_of
    labelled(site, label("a", day(0)), label("a", day(1)))
    between = evaluate(connection, "hall", at=at("2025-06-01").date()).as_of
    withdraw_label(connection, labels(connection, "hall")[1].label_id, why="잘못 봄", who="cli:test")
    values = [
        entry(connection, "recall", at=at("2025-06-01").date(), as_of=one)["value"] for one in (before, between, None)
    ]
    assert values == [None, 50.0, 100.0]


def test_what_was_missed_while_nobody_knows_whether_the_device_was_up_is_both_ends(connection: Connection) -> None:
    site = cameras(connection, RECALL, up=False, alive=False)
    site.alive(at("2025-03-08"), at("2025-12-02"))
    for start, end in ((1, 6), (8, 32)):
        heard(site, "a", day(0).date().replace(day=start), day(0).date() + timedelta(days=end - 5))
    labelled(site, *(label("a", day(i)) for i in (0, 1, 3)))
    alerted(site, "a", day(0))
    found = entry(connection, "recall")
    assert found["facts"]["uncharged"] == 1
    assert (found["value"], found["n"]) == (50.0, 2)
    assert found["matching"]["rows"][1]["uncharged"] is True


def test_the_same_pairs_whatever_arrived_first(connection: Connection) -> None:
    site = cameras(connection, RECALL)
    alerted(site, "a", *(day(i) for i in (3, 1)), first=50)
    labelled(site, label("a", day(2)))
    alerted(site, "a", day(2) + seconds(9), day(2) - seconds(4), first=10)
    labelled(site, label("a", day(1)), label("a", day(3) - seconds(10)))
    found = entry(connection, "recall")
    assert [(row["outcome"], row["after_s"]) for row in found["matching"]["rows"] if row["label"]] == [
        ("matched", 0.0), ("matched", -4.0), ("matched", 10.0),
    ]  # fmt: skip


def test_the_whole_list_has_the_hash_of_the_result(connection: Connection) -> None:
    site = cameras(connection, RECALL)
    labelled(site, *(label("a", day(i % 20) + timedelta(minutes=i)) for i in range(250)))
    alerted(site, "a", *(day(i % 20) + timedelta(minutes=i) for i in range(0, 250, 2)))
    found = entry(connection, "recall")
    assert (found["matching"]["n"], len(found["matching"]["rows"])) == (250, 200)
    assert sum(row["outcome"] == "missed" for row in found["matching"]["rows"]) == 125
    whole = pairs_of(connection, "hall", "recall", at=at("2025-06-01").date())
    assert (len(whole.rows), whole.sha256) == (250, found["matching"]["sha256"])


def test_a_month_s_opinion_has_the_pairs_in_its_annex(connection: Connection) -> None:
    site = cameras(connection, RECALL)
    labelled(site, *(label("a", day(i)) for i in range(3)), label("a", day(0) + seconds(1), reader=2, labeller="둘째"))
    alerted(site, "a", day(0) + seconds(4), day(9))
    store(connection, evaluate(connection, "hall", month="2025-03"), who="cli:test")
    stored = newest(connection, "hall", "month", "2025-03")
    assert stored is not None
    data = opinion_data(connection, stored)
    for language, words in (
        ("ko", ("경보와 정답의 대조", "미탐지", "4.00 s")),
        ("en", ("Alerts against the truth", "missed")),
    ):
        pages = PdfReader(BytesIO(opinion_pdf(data, language))).pages
        text = "".join("".join(page.extract_text() for page in pages).split())
        for word in words:
            assert "".join(word.split()) in text, word


ODD = f"""
mean: {{name: 평균, measure: {detection()}, target: ">= 70 %", group: mean}}
sum: {{name: 합, measure: {detection("f1")}, target: ">= 0.7", group: sum}}
guarded: {{name: 보호대역, measure: {detection("precision")}, target: ">= 70 %", decision: guarded}}
period: {{name: 실적, measure: {detection()}, target: ">= 70 %", scope: period}}
both: {{name: 둘 다, all: [{{measure: {detection()}, target: ">= 70 %"}}, {{measure: {detection("false_rate")}, target: "< 5 %"}}]}}
hours: {{name: 밤, measure: {detection(more=', hours: "22:00-24:00", days: [sat]')}, target: ">= 70 %"}}
km: {{name: 거리당 오경보, measure: {{event_rate: {{match: sampled, outcome: false_alarm, per: {{increase: odometer}}}}}}, target: "<= 1 / km"}}
both-match: {{name: 둘의 미탐지, measure: {{count: {{match: both, outcome: missed}}}}, target: "== 0"}}
sampled: {{name: 표본, measure: {detection("f1", truth="by: site, " + SAMPLE)}, target: ">= 0.9", group: worst}}
"""  # noqa: E501 - plan text


@pytest.mark.parametrize("labels_too", [False, True])
@pytest.mark.parametrize("alerts_too", [False, True])
def test_whatever_a_plan_combines_gives_a_result_or_a_stated_reason(
    connection: Connection, labels_too: bool, alerts_too: bool
) -> None:
    site = cameras(connection, ODD, slots=("a", "b"))
    if labels_too:
        labelled(site, *(label(slot, day(i), end=day(i) + seconds(30)) for slot in "ab" for i in range(4)))
        labelled(site, label("a", day(5), outcome="empty", end=day(6)), label("b", day(5), reader=2))
    if alerts_too:
        alerted(site, "a", *(day(i) + seconds(40) for i in range(3)), day(5))
    for asked in ({"month": "2025-03"}, {"at": at("2025-06-01").date()}):
        result = evaluate(connection, "hall", **asked)
        store(connection, result, who="cli:test")
        for one in result.document["kpis"]:
            assert one["why"]["ko"] and one["why"]["en"]
            assert one["value"] is not None or one["reason"] in ("no_value", "month_incomplete"), one
    found = entry(connection, "mean")
    if labels_too:
        assert found["value"] == (37.5 if alerts_too else 0.0)

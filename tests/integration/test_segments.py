"""Devices that were swapped, firmware that changed, targets that were amended: shown, each with its own number."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from core.database import Connection
from core.window import micros, midnight
from devices.plan.problem import PlanProblems
from devices.plan.reader import read_plan
from devices.registry import apply_plan, replace_device
from kpi.evaluate import Result, evaluate
from kpi.results import newest, store
from tests.evaluated import PLAN, SLOT, Site, hours, made_site

SEOUL = ZoneInfo("Asia/Seoul")
KPIS = """
mean: {name: 평균, measure: {statistic: {channel: temp, stat: mean}}, target: "<= 26 degC"}
p90: {name: 90백분위, measure: {statistic: {channel: temp, stat: p90}}, target: "<= 40 degC"}
cool: {name: 적정 온도, measure: {share: {while: {channel: temp, value: "<= 25 degC"}}}, target: ">= 90 %"}
up: {name: 가동률, group: worst, measure: {availability: {}}, target: ">= 90 %"}
"""
OUT, BACK, FLASHED = (midnight(date(2025, 3, day), SEOUL) for day in (11, 13, 21))


@pytest.fixture
def site(connection: Connection) -> Site:
    """Slot a: a device until the 11th, another from the 13th on, other firmware from the 21st on. Slot b: one device."""
    made = made_site(connection, KPIS, slots=("a", "b"))
    at_us = hours(date(2025, 3, 1), date(2025, 4, 1))
    values = np.random.default_rng(4).normal(22, 4, len(at_us))
    there = (at_us < micros(OUT)) | (at_us >= micros(BACK))
    made.heard("a", "temp", at_us[there], values[there])
    made.heard("b", "temp", at_us, np.full(len(at_us), 20.0))
    made.alive(datetime(2025, 2, 1, tzinfo=UTC), datetime(2025, 12, 5, tzinfo=UTC))
    for serial, firmware, until, since in (("a-2", "1", OUT, BACK), ("a-2", "2", FLASHED, FLASHED)):
        slot = made.slots["a"]
        connection.execute(
            "UPDATE installation SET removed_at = %s WHERE slot_id = %s AND removed_at IS NULL", [until, slot]
        )
        connection.execute(
            "INSERT INTO installation (slot_id, serial, firmware, installed_at) VALUES (%s, %s, %s, %s)",
            [slot, serial, firmware, since],
        )
    return made


def entry(result: Result, name: str) -> dict[str, Any]:
    return next(kpi for kpi in result.document["kpis"] if kpi["id"] == name)


def test_each_segment_has_its_own_number_and_the_whole_keeps_its(site: Site, connection: Connection) -> None:
    found = evaluate(connection, "hall", month="2025-03")
    at_us = hours(date(2025, 3, 1), date(2025, 4, 1))
    values = np.random.default_rng(4).normal(22, 4, len(at_us))
    spans = [(0, micros(OUT)), (micros(BACK), micros(FLASHED)), (micros(FLASHED), 2**62)]
    parts = [values[(at_us >= start) & (at_us < end)] for start, end in spans]
    mean, p90 = entry(found, "mean"), entry(found, "p90")
    assert [row["n"] for row in mean["segments"]] == [len(part) for part in parts]
    assert [row["value"] for row in mean["segments"]] == pytest.approx([part.mean() for part in parts], rel=1e-12)
    assert [row["value"] for row in p90["segments"]] == pytest.approx(
        [float(np.percentile(part, 90)) for part in parts], rel=1e-12
    )
    assert [(row["slot"], row["cause"], row["device"]["serial"], row["device"]["firmware"]) for row in mean["segments"]] == [
        ("a", None, "a-1", None), ("a", "device", "a-2", "1"), ("a", "firmware", "a-2", "2"),
    ]  # fmt: skip
    assert mean["segments"][1]["start"] == "2025-03-12T15:00:00.000000Z"
    assert all(row["completeness"] == 1.0 for row in mean["segments"])
    # Every slot's last segment together, weighted by time: 11 days of a, 31 days of b.
    assert mean["last_segment"]["value"] == pytest.approx((11 * parts[2].mean() + 31 * 20.0) / 42, rel=1e-12)
    everything = np.concatenate(parts)
    assert mean["value"] == pytest.approx((everything.mean() + 20.0) / 2, rel=1e-12)


def test_a_swaps_time_belongs_to_no_segment_and_counts_as_down_in_the_whole(site: Site, connection: Connection) -> None:
    up = entry(evaluate(connection, "hall", month="2025-03"), "up")
    assert (up["slot"], up["value"]) == ("a", pytest.approx(100 * 29 / 31, rel=1e-12))
    assert [row["value"] for row in up["segments"]] == [100.0, 100.0, 100.0]
    assert up["last_segment"]["value"] == 100.0


def test_a_pilot_whose_devices_stayed_has_no_segments(connection: Connection) -> None:
    made = made_site(connection, KPIS)
    at_us = hours(date(2025, 3, 1), date(2025, 4, 1))
    made.heard("a", "temp", at_us, np.full(len(at_us), 20.0))
    for kpi in evaluate(connection, "hall", month="2025-03").document["kpis"]:
        assert kpi["segments"] == [] and kpi["last_segment"] is None


def test_a_swap_recorded_later_is_a_cause_of_the_new_version(site: Site, connection: Connection) -> None:
    first = evaluate(connection, "hall", month="2025-03")
    store(connection, first, "cli:test")
    replace_device(
        connection,
        "hall",
        "b",
        serial="b-2",
        at=midnight(date(2025, 3, 20), SEOUL),
        who="cli:test",
        keep_credentials=True,
    )
    assert evaluate(connection, "hall", month="2025-03", as_of=first.as_of).document == first.document
    assert store(connection, evaluate(connection, "hall", month="2025-03"), "cli:test") == 2
    found = newest(connection, "hall", "month", "2025-03")
    assert found is not None and found.difference is not None
    assert found.difference["causes"] == [{"cause": "swap", "slots": ["b"]}]
    assert len(entry(evaluate(connection, "hall", month="2025-03"), "mean")["segments"]) == 5


# --- Whether segments may be taken together


def pair(change: str, after: str, uncertainty: str = "0.3 degC", channel: str = "temp") -> str:
    return (
        f"  - {{slot: a, channel: {channel}, change: {change}, date: {change}, certificate: KTL-{change[-2:]}, "
        f"before: {{value: 20.0 degC, uncertainty: {uncertainty}}}, after: {{value: {after}, uncertainty: 0.4 degC}}}}\n"
    )


def paired(connection: Connection, *pairs: str) -> None:
    """Two changes, on the 13th and on the 21st of March, and what is agreed of them in May."""
    text = plan_text().replace(SLOT.format(name="a"), SLOT.format(name="a") + SLOT.format(name="b"))
    text += "calibrations:\n" + "".join(pairs) + "amendment: {parties: [S, C, T], reason: 교정, date: 2025-05-20}\n"
    apply_plan(connection, read_plan(text.encode()), who="cli:test", now=datetime(2025, 5, 20, 3, tzinfo=UTC))


def test_without_a_pair_nothing_lets_segments_be_pooled(site: Site, connection: Connection) -> None:
    found = evaluate(connection, "hall", month="2025-03")
    mean = entry(found, "mean")
    assert mean["pooling"]["pooled"] is False
    assert [(row["slot"], row["day"], row["agrees"], row["pair"]) for row in mean["pooling"]["changes"]] == [
        ("a", "2025-03-13", False, None), ("a", "2025-03-21", False, None),
    ]  # fmt: skip
    assert "구간을 합칠 근거가 없음(a 2025. 3. 13. 교체: 비교·교정 자료가 없음 외 1건)" in mean["why"]["ko"]
    assert "(a, change of 13 Mar 2025: no collocation or calibration pair, and 1 more)" in mean["why"]["en"]
    # The platform counts up time itself: no instrument has a part in it.
    assert entry(found, "up")["pooling"] is None and "합칠" not in entry(found, "up")["why"]["ko"]


def test_pairs_that_agree_let_segments_be_pooled(site: Site, connection: Connection) -> None:
    # 2 · √(0.15² + 0.2²) = 0.5, in °C as in °F.
    paired(connection, pair("2025-03-12", "19.5 degC"), pair("2025-03-21", "68.54 degF"))
    found = evaluate(connection, "hall", month="2025-03")
    for name in ("mean", "p90", "cool"):
        pooling = entry(found, name)["pooling"]
        assert (pooling["pooled"], pooling["channel"], pooling["unit"]) == (True, "temp", "degC")
        assert [row["pair"]["difference"] for row in pooling["changes"]] == pytest.approx([-0.5, 0.3])
        assert [row["pair"]["limit"] for row in pooling["changes"]] == pytest.approx([0.5, 0.5])
        assert [row["pair"]["certificate"] for row in pooling["changes"]] == ["KTL-12", "KTL-21"]
    why = entry(found, "mean")["why"]
    assert "구간을 합친 근거는 |Δ| 0.5 ≤ 2·√(u₁² + u₂²) = 0.5 °C, KTL-12" in why["ko"]
    assert "the segments are pooled, for |Δ| 0.5 ≤ 2·√(u₁² + u₂²) = 0.5 °C, KTL-12" in why["en"]
    assert len(entry(found, "mean")["segments"]) == 3 and entry(found, "mean")["last_segment"] is not None


@pytest.mark.parametrize(
    ("pairs", "agrees", "said"),
    [
        ([pair("2025-03-12", "19.5 degC")], [True, False], "2025. 3. 21. 교체: 비교·교정 자료가 없음"),
        ([pair("2025-03-13", "19.4 degC"), pair("2025-03-21", "20 degC")], [False, True],
         "2025. 3. 13. 교체: |Δ| 0.600 > 2·√(u₁² + u₂²) = 0.500 °C, KTL-13"),
        ([pair("2025-03-13", "19.49999999 degC"), pair("2025-03-21", "20 degC")], [False, True],
         "|Δ| 0.50000001 > 2·√(u₁² + u₂²) = 0.5 °C"),
        # Of another day than the change, so of no change.
        ([pair("2025-03-14", "20 degC"), pair("2025-03-20", "20 degC")], [False, False], "외 1건"),
        # Two pairs of one change, one of which disagrees.
        ([pair("2025-03-11", "20 degC"), pair("2025-03-13", "22 degC"), pair("2025-03-21", "20 degC")],
         [True, False, True], "KTL-13"),
    ],
    ids=["one is missing", "too far apart", "by a hair", "of other days", "one of two"],
)  # fmt: skip
def test_one_change_without_agreement_keeps_segments_apart(
    site: Site, connection: Connection, pairs: list[str], agrees: list[bool], said: str
) -> None:
    paired(connection, *pairs)
    mean = entry(evaluate(connection, "hall", month="2025-03"), "mean")
    assert mean["pooling"]["pooled"] is False
    assert [row["agrees"] for row in mean["pooling"]["changes"]] == agrees
    assert "구간을 합칠 근거가 없음" in mean["why"]["ko"] and said in mean["why"]["ko"]


def test_what_was_judged_before_a_pair_was_agreed_stays_so_as_of_then(site: Site, connection: Connection) -> None:
    first = evaluate(connection, "hall", month="2025-03", as_of=datetime(2025, 5, 1, tzinfo=UTC))
    paired(connection, pair("2025-03-12", "20 degC"), pair("2025-03-21", "20 degC"))
    again = evaluate(connection, "hall", month="2025-03", as_of=first.as_of)
    assert again.document == first.document
    now = evaluate(connection, "hall", month="2025-03")
    assert entry(now, "mean")["pooling"]["pooled"] is True
    assert [kpi["targets"][-1]["plan_version"] for kpi in now.document["kpis"]] == [1] * 4


# --- Targets


def amended(text: str, *replacements: tuple[str, str]) -> bytes:
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return (text + '\namendment: {parties: [S, C, T], reason: "여름철 기준", date: 2025-05-20}\n').encode()


def plan_text(**dates: str) -> str:
    return PLAN.format(
        **{"start": "2025-03-01", "end": "2025-12-01", "zone": "Asia/Seoul", "interim": "2025-06-01", "until": "2025-11-01"}
        | dates,
        slots=SLOT.format(name="a"),
        kpis="\n".join(f"  {line}" for line in KPIS.strip().splitlines()),
    )  # fmt: skip


def test_a_target_that_was_amended_is_shown_beside_the_one_in_force(connection: Connection) -> None:
    made_site(connection, KPIS)
    before = evaluate(connection, "hall", month="2025-03", as_of=datetime(2025, 4, 15, tzinfo=UTC))
    agreed_at = datetime(2025, 5, 20, 3, tzinfo=UTC)
    apply_plan(
        connection, read_plan(amended(plan_text(), ('"<= 26 degC"', '"<= 28 degC"'))), who="cli:test", now=agreed_at
    )
    after = evaluate(connection, "hall", month="2025-03", as_of=datetime(2025, 5, 21, tzinfo=UTC))
    targets = entry(after, "mean")["targets"]
    assert [(row["target"], row["plan_version"], row["agreed_on"], row["why"]) for row in targets] == [
        ("<= 26 degC", 1, None, None), ("<= 28 degC", 2, "2025-05-20", "여름철 기준"),
    ]  # fmt: skip
    assert targets[1]["from"] == "2025-05-20T03:00:00.000000Z" and "28" in targets[1]["ko"]
    assert entry(after, "mean")["target"]["text"] == "<= 28 degC"
    assert [row["target"] for row in entry(after, "cool")["targets"]] == [">= 90 %"]
    assert len(entry(before, "mean")["targets"]) == 1
    again = evaluate(connection, "hall", month="2025-03", as_of=before.as_of)
    assert again.document == before.document
    store(connection, before, "cli:test")
    store(connection, after, "cli:test")
    found = newest(connection, "hall", "month", "2025-03")
    assert found is not None and found.difference is not None
    assert found.difference["causes"][0] == {
        "cause": "amendment", "plan_version": 2, "date": "2025-05-20", "reason": "여름철 기준",
    }  # fmt: skip


def test_no_target_changes_for_a_window_already_seen(connection: Connection) -> None:
    made_site(connection, KPIS)
    later = read_plan(amended(plan_text(), ('"<= 26 degC"', '"<= 28 degC"')))
    with pytest.raises(PlanProblems) as refused:
        apply_plan(connection, later, who="cli:test", now=midnight(date(2025, 6, 1), SEOUL))
    assert [problem.code for problem in refused.value.problems] == ["window-seen"]
    unsigned = read_plan(plan_text().replace('"<= 26 degC"', '"<= 28 degC"').encode())
    with pytest.raises(PlanProblems) as refused:
        apply_plan(connection, unsigned, who="cli:test", now=midnight(date(2025, 5, 31), SEOUL))
    assert [problem.code for problem in refused.value.problems] == ["amendment-needed"]

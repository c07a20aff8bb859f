"""A channel beside a reference: from readings in the store to a verdict, with whatever may be wrong of either side."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pypdf import PdfReader
from scipy import stats

from core.database import Connection
from core.window import micros
from devices.plan.problem import PlanProblems
from devices.registry import replace_device
from kpi.bundle.verify import verify
from kpi.bundle.write import bundle
from kpi.evaluate import evaluate
from kpi.records.outages import add_outage
from kpi.reports.gather import opinion_data
from kpi.reports.opinion import opinion_json, opinion_pdf
from kpi.results import newest, store
from telemetry.seals import signing
from telemetry.seals.close import Sealer
from telemetry.seals.heads import Heads
from tests.agreeing import DEVICE, REFERENCE, START, UNTIL, agreement, beside, heard_whole, judged, truth
from tests.bundled import since_days
from tests.evaluated import Site, hours

N = len(hours(START, UNTIL))
HOUR = 3_600_000_000
ALL = (
    ("relative_error", "> 80 %"), ("mape", "< 20 %"), ("mae", "<= 5 ug/m^3"), ("rmse", "<= 0.005 mg/m^3"),
    ("bias", "-5..5 ug/m^3"), ("r2", "> 0.8"), ("p95", "<= 12 ug/m^3"), ("drift", "-5..5 %"),
)  # fmt: skip


def every(more: str = "", rest: str = "") -> str:
    """One KPI a statistic, each with its own name."""
    return "\n".join(agreement(stat, target, name=stat.replace("_", "-"), more=more, rest=rest) for stat, target in ALL)


def entries(connection: Connection, **asked: Any) -> dict[str, dict[str, Any]]:
    document = evaluate(connection, "hall", **(asked or {"final": True})).document
    return {one["id"]: one for one in document["kpis"]}


def test_hourly_pairs_come_to_what_numpy_and_scipy_say(connection: Connection) -> None:
    site = beside(connection, every())
    r = truth(N)
    x = np.round(r * 1.05 + 1 + np.random.default_rng(2).normal(0, 2, N), 1)
    heard_whole(site, x, r)
    site.summarised()
    off, line = x - r, stats.linregress(r, x)
    first, last = slice(0, 14 * 24), slice(N - 14 * 24, N)
    expected = {
        "relative-error": 100 * (1 - np.mean(np.abs(off) / r)),
        "mape": 100 * np.mean(np.abs(off) / r),
        "mae": np.mean(np.abs(off)),
        "rmse": np.sqrt(np.mean(off**2)) / 1000,
        "bias": off.mean(),
        "r2": line.rvalue**2,
        "p95": np.percentile(np.abs(off), 95),
        "drift": 100 * (off[last].sum() / r[last].sum() - off[first].sum() / r[first].sum()),
    }
    found = entries(connection)
    for name, value in expected.items():
        assert found[name]["value"] == pytest.approx(value, rel=1e-9), name
        assert (found[name]["n"], found[name]["completeness"], found[name]["verdict"]) == (N, 1.0, "met")
    told = found["mae"]["agreement"]
    assert (told["slope"], told["intercept"]) == pytest.approx((line.slope, line.intercept), rel=1e-9)
    [row] = found["mae"]["references"]
    assert row["slot"] == "bam" and row["owner"] == "team" and row["certificate"]["number"] == "KTL-2025-7"
    assert (row["certificate_expired"], row["changes"], row["calibrations"]) == (False, [], [])


def test_summaries_and_readings_come_to_the_same_to_the_last_bit(connection: Connection) -> None:
    """Every ten seconds against every hour: from readings alone, and once all hours are summarised."""
    device = DEVICE.replace("period: 1 h", "period: 10 min")
    site = beside(connection, every(), device=device)
    days = hours(date(2025, 3, 1), date(2025, 4, 10), step_h=1 / 6)
    rng = np.random.default_rng(5)
    kept = np.sort(rng.choice(len(days), int(0.9 * len(days)), replace=False))
    site.heard("a", "pm25", days[kept], np.round(rng.gamma(4, 6, len(kept)), 2))
    whole = hours(date(2025, 3, 1), date(2025, 4, 10))
    site.heard("bam", "pm25", whole, np.round(rng.gamma(4, 0.006, len(whole)), 4))
    as_of = datetime.now(UTC)
    raw = entries(connection, month="2025-03", as_of=as_of)
    site.summarised()
    assert entries(connection, month="2025-03", as_of=as_of) == raw
    assert raw["mae"]["n"] > 500


def test_a_silent_reference_is_nobodys_fault_and_is_told(connection: Connection) -> None:
    site = beside(connection, agreement("mae", "<= 5 ug/m^3"))
    r = truth(N)
    at_us = hours(START, UNTIL)
    heard = np.ones(N, dtype=bool)
    heard[1000:1500] = False
    site.heard("a", "pm25", at_us, r + 2)
    site.heard("bam", "pm25", at_us[heard], np.round(r[heard] / 1000, 6))
    found = judged(connection)
    assert (found["value"], found["n"], found["completeness"]) == (pytest.approx(2), N - 500, 1.0)
    assert found["facts"]["no_reference"] == 500 and found["facts"]["company_s"] == 0
    assert "기준측정값이 없어 뺀 값 500개" in found["why"]["ko"]
    assert "500 left out for want of a reference" in found["why"]["en"]


def test_a_silent_device_lacks_pairs_and_is_charged(connection: Connection) -> None:
    site = beside(connection, agreement("mae", "<= 5 ug/m^3"))
    r, at_us = truth(N), hours(START, UNTIL)
    heard = np.ones(N, dtype=bool)
    heard[1000:1588] = False
    site.heard("a", "pm25", at_us[heard], r[heard] + 2)
    site.heard("bam", "pm25", at_us, np.round(r / 1000, 6))
    found = judged(connection)
    assert found["completeness"] == pytest.approx(1 - 588 / N)
    assert found["facts"]["company_s"] > 580 * 3600
    # … but not where there was nothing to compare with.
    assert found["facts"]["no_reference"] == 0


def test_an_outage_of_the_site_is_left_out(connection: Connection) -> None:
    site = beside(connection, agreement("mae", "<= 5 ug/m^3"))
    r, at_us = truth(N), hours(START, UNTIL)
    heard = np.ones(N, dtype=bool)
    heard[1000:1100] = False
    site.heard("a", "pm25", at_us[heard], r[heard] + 2)
    site.heard("bam", "pm25", at_us, np.round(r / 1000, 6))
    start, end = (datetime.fromtimestamp(int(us) / 1e6, UTC) for us in (at_us[1000], at_us[1100]))
    add_outage(
        connection,
        "hall",
        start=start,
        end=end,
        cause="site-network",
        slots=("a",),
        agreed_by="S, C, T",
        note="n",
        who="cli:t",
    )
    found = judged(connection)
    assert (found["completeness"], found["facts"]["pairs_left_out"]) == (1.0, 100)
    assert found["without"]["outages"]["completeness"] == pytest.approx(1 - 100 / N)


def test_a_reference_that_reads_zero_has_no_relative_error(connection: Connection) -> None:
    site = beside(connection, every())
    r = truth(N)
    r[100:150] = 0.0
    heard_whole(site, r + 2, r)
    found = entries(connection)
    assert found["relative-error"]["facts"]["zero_reference"] == 50
    assert found["relative-error"]["n"] == N - 50
    assert found["relative-error"]["value"] == pytest.approx(100 * (1 - np.mean(2 / r[r > 0])))
    assert found["mae"]["n"] == N
    assert "기준측정값이 0이라 뺀 값 50개" in found["relative-error"]["why"]["ko"]


def test_where_the_reference_is_always_zero_there_is_a_stated_reason(connection: Connection) -> None:
    site = beside(connection, every())
    heard_whole(site, np.full(N, 3.0), np.zeros(N))
    found = entries(connection)
    assert (found["mape"]["value"], found["mape"]["verdict"]) == (None, "insufficient")
    assert "0이 아닌 기준측정값과 짝을 이룬 값이 없어" in found["mape"]["why"]["ko"]
    assert (found["r2"]["value"], found["r2"]["verdict"]) == (None, "insufficient")
    assert "기준측정값과 함께 변하는 값이 없어" in found["r2"]["why"]["ko"]
    assert found["mae"]["value"] == 3.0


def test_which_pairs_count_is_said_by_the_reference(connection: Connection) -> None:
    site = beside(connection, agreement("mape", "< 20 %", more=', where_reference: ">= 20 ug/m^3"'))
    r = truth(N)
    heard_whole(site, r + 2, r)
    found = judged(connection)
    assert found["value"] == pytest.approx(100 * np.mean(2 / r[r >= 20]))
    assert found["facts"]["outside_reference"] == int((r < 20).sum())


@pytest.mark.parametrize("said", ["nothing", "device", "reference", "one pair", "constant"])
def test_whatever_is_lacking_is_a_result_or_a_stated_reason(connection: Connection, said: str) -> None:
    site = beside(connection, every(rest=", scope: capability"))
    at_us, r = hours(START, UNTIL), truth(N)
    if said in ("device", "one pair", "constant"):
        mine = {"device": slice(None), "one pair": slice(40, 41), "constant": slice(None)}[said]
        site.heard("a", "pm25", at_us[mine], np.full(N, 7.0)[mine] if said == "constant" else r[mine])
    if said in ("reference", "one pair", "constant"):
        site.heard("bam", "pm25", at_us, np.round(r / 1000, 6))
    for asked in ({"final": True}, {"month": "2025-05"}):
        for name, one in entries(connection, **asked).items():
            answer = one.get("verdict") or one.get("status")
            if said == "constant":
                assert (one["value"] is None) == (name == "r2")
            else:
                assert answer == "insufficient"
            assert one["why"]["ko"] and one["why"]["en"]


def test_a_swap_begins_a_segment_and_one_of_the_reference_is_named(connection: Connection) -> None:
    site = beside(connection, agreement("bias", "-5..5 ug/m^3"))
    r, at_us = truth(N), hours(START, UNTIL)
    x = r + np.where(np.arange(N) < 2000, 1.0, 3.0)
    heard_whole(site, x, r)
    swapped, other = (datetime.fromtimestamp(int(at_us[i]) / 1e6, UTC) for i in (2000, 3000))
    replace_device(connection, "hall", "a", serial="a-2", at=swapped, who="cli:test")
    replace_device(connection, "hall", "bam", serial="BAM-2", at=other, who="cli:test")
    found = judged(connection)
    assert [row["value"] for row in found["segments"]] == pytest.approx([1.0, 3.0])
    assert found["last_segment"]["value"] == pytest.approx(3.0)
    [row] = found["references"]
    assert [(one["serial"], one["cause"]) for one in row["changes"]] == [("BAM-2", "device")]
    assert "기준측정기(bam)가 기간 중 1번 교체·교정됨" in found["why"]["ko"]
    assert "changes or calibrations of the reference (bam) in this time: 1" in found["why"]["en"]


def test_a_certificate_that_has_run_out_is_told(connection: Connection) -> None:
    reference = REFERENCE.replace("valid_until: 2026-01-09", "valid_until: 2025-09-30")
    site = beside(connection, agreement("mae", "<= 5 ug/m^3"), reference=reference)
    heard_whole(site, truth(N) + 1, truth(N))
    found = judged(connection)
    assert found["references"][0]["certificate_expired"] is True
    assert "교정성적서 KTL-2025-7" in found["why"]["ko"]


def test_the_references_uncertainty_is_the_guard_band(connection: Connection) -> None:
    site = beside(connection, every(rest=", decision: guarded"))
    r = truth(N)
    heard_whole(site, r + 2, r)
    found = entries(connection)
    assert found["mae"]["uncertainty"]["basis"] == "certificate"
    assert found["mae"]["uncertainty"]["certificate"] == "KTL-2025-7"
    assert found["mae"]["uncertainty"]["against"] == pytest.approx(0.05 * r.mean())
    assert found["relative-error"]["uncertainty"]["against"] == pytest.approx(5 * np.mean((r + 2) / r))
    assert found["r2"]["uncertainty"]["against"] == 0


def test_several_devices_weigh_by_time_and_the_worst_decides(connection: Connection) -> None:
    kpis = "\n".join(
        agreement("mae", "<= 2 ug/m^3", name=group, rest=f", group: {group}") for group in ("pooled", "worst", "mean")
    )
    site = beside(connection, kpis, slots=("a", "b"))
    r = truth(N)
    heard_whole(site, r + 1, r)
    at_us = hours(START, UNTIL)
    site.heard("b", "pm25", at_us[: N - 400], r[: N - 400] + 3)
    found = entries(connection)
    assert found["pooled"]["value"] == pytest.approx(2.0) == found["mean"]["value"]
    assert (found["worst"]["slot"], found["worst"]["value"], found["worst"]["verdict"]) == (
        "b",
        pytest.approx(3),
        "not_met",
    )
    assert [row["slot"] for row in found["pooled"]["slots"]] == ["a", "b"]


def test_a_reference_is_no_slot_of_the_companys(connection: Connection) -> None:
    """All slots that have the channel: the company's, of which the reference is none, whatever it sent."""
    kpis = """
a1: {name: n, measure: {availability: {}}, target: ">= 90 %"}
a2: {name: n, measure: {capture: {}}, target: ">= 90 %"}
a3: {name: n, measure: {statistic: {channel: pm25, stat: mean}}, target: "<= 50 ug/m^3"}
a4: {name: n, measure: {share: {while: {channel: pm25, value: "<= 35 ug/m^3"}}}, target: ">= 1 %"}
"""
    site = beside(connection, kpis)
    heard_whole(site, truth(N), np.empty(0))
    for one in entries(connection).values():
        assert [row["slot"] for row in one["slots"]] == ["a"]
        assert one["completeness"] == pytest.approx(1.0, abs=1e-3)
    with pytest.raises(PlanProblems, match="it is not the company's"):
        beside(connection, 'x: {name: n, measure: {capture: {slots: [bam]}}, target: ">= 90 %"}')


def _staged(connection: Connection, stat: str, target: str, more: str = "") -> Site:
    device = """
  {name}:
    device: {{serial: "{name}-1"}}
    channels:
      spo2: {{unit: "%", period: 10 s}}
"""
    reference = """
  bam:
    owner: outside
    device: {serial: R-1}
    channels:
      spo2: {unit: "%", period: 1 s}
"""
    sides = "channel: spo2, reference: {slot: bam, channel: spo2}"
    measure = f"agreement: {{{sides}, within: 2 s, stat: {stat}, designed: true{more}}}"
    line = f'a: {{name: n, measure: {{{measure}}}, target: "{target}", scope: capability, completeness: 50, hours: X}}'
    return beside(connection, line.replace(", hours: X", ""), device=device, reference=reference)


def test_staged_pairs_of_nearest_readings(connection: Connection) -> None:
    """A session of ten minutes: every ten seconds beside every second, with clocks a little apart, and six readings lost."""
    site = _staged(connection, "mae", "<= 2 %p")
    start = micros(datetime(2025, 3, 5, 1, tzinfo=UTC))
    their_us = start + np.arange(600, dtype=np.int64) * 1_000_000
    r = np.round(96 + np.sin(np.arange(600) / 40), 1)
    our_us = start + 400_000 + np.arange(60, dtype=np.int64) * 10_000_000
    kept = np.ones(60, dtype=bool)
    kept[20:26] = False
    x = r[::10] + np.random.default_rng(3).choice([-1.0, 1.0, 0.5], 60)
    site.heard("bam", "spo2", their_us, r)
    site.heard("a", "spo2", our_us[kept], x[kept])
    found = judged(connection)
    off = np.abs(x - r[::10])[kept]
    assert (found["unit"], found["n"]) == ("%p", 54)
    assert found["value"] == pytest.approx(off.mean())
    # The device has a period and was silent all of the year but for ten minutes: only where the reference was there it owed one.
    assert found["facts"]["pairs_expected"] == 60
    assert (
        found["sampling"]["method"] == "trials_gamma"
        and found["sampling"]["low"] < found["value"] < found["sampling"]["high"]
    )


def test_counts_are_increases_and_sums(connection: Connection) -> None:
    """A counter beside counts made by hand every five minutes; both of vehicles."""
    device = """
  {name}:
    device: {{serial: "{name}-1"}}
    channels:
      cars: {{unit: 대, kind: counter, period: 1 min}}
"""
    reference = """
  bam:
    owner: site
    device: {serial: R-1}
    channels:
      cars: {unit: 대, period: 5 min}
"""
    measure = (
        "agreement: {channel: cars, reference: {slot: bam, channel: cars, stamped: end}, average: 5 min, take: sum, "
        "stat: relative_error}"
    )
    site = beside(
        connection, f'a: {{name: n, measure: {{{measure}}}, target: ">= 95 %"}}', device=device, reference=reference
    )
    start = int(hours(date(2025, 3, 1), date(2025, 3, 2))[0])
    minutes = start + np.arange(1441, dtype=np.int64) * 60_000_000
    rng = np.random.default_rng(1)
    each = rng.poisson(4, 1440)
    total = np.concatenate([[0], np.cumsum(each)]).astype(float)
    total[700:] -= total[700]  # it began anew
    site.heard("a", "cars", minutes, total)
    real = each.reshape(-1, 5).sum(axis=1)
    counted = np.maximum(real + rng.choice([-1, 0, 1], 288), 1)
    site.heard("bam", "cars", minutes[5::5], counted)
    found = judged(connection)
    seen = real.astype(float)
    restart = each[699]  # of the minute in which it began anew nothing is proven
    seen[699 // 5] -= restart
    assert found["n"] == 288
    assert found["value"] == pytest.approx(100 * (1 - np.mean(np.abs(seen - counted) / counted)))


def test_a_bundle_judges_the_same_as_the_store(connection: Connection, tmp_path: Path) -> None:
    """The reference's readings are in it, hourly averages and nearest pairs alike, and so is what changed of the reference."""
    nearest = "agreement: {channel: pm25, reference: {slot: bam, channel: pm25}, within: 2 s, stat: mae}"
    kpis = every(rest=", decision: guarded") + f'\nnear: {{name: n, measure: {{{nearest}}}, target: "<= 5 ug/m^3"}}'
    site = beside(connection, kpis)
    n = 24 * 31
    r = truth(n)
    heard_whole(site, np.round(r * 1.05, 1), r)
    site.summarised()
    other = datetime.fromtimestamp(int(hours(START, UNTIL)[300]) / 1e6, UTC)
    replace_device(connection, "hall", "bam", serial="BAM-2", at=other, who="cli:test")
    since_days(connection, 1)
    key = tmp_path / "seal.key"
    sealer = Sealer(key=signing.make_key(connection, key), heads=Heads(key))
    bundle(connection, "hall", tmp_path / "b.zip", sealer=sealer, who="cli:test", month="2025-03")
    found = verify(tmp_path / "b.zip", keys=tmp_path / "seal-keys.json")
    assert found.faults == []
    assert sum(line.about == "kpi" for line in found.lines) == 9


def test_the_opinion_shows_the_pairs(connection: Connection) -> None:
    site = beside(connection, agreement("relative_error", "> 80 %"))
    r = truth(N)
    heard_whole(site, np.round(r * 1.1, 1), r)
    store(connection, evaluate(connection, "hall", month="2025-05"), who="cli:test")
    stored = newest(connection, "hall", "month", "2025-05")
    assert stored is not None
    data = opinion_data(connection, stored)
    assert data.kpis[0].compared is not None and json.loads(opinion_json(data))
    shown = "".join(page.extract_text() for page in PdfReader(io.BytesIO(opinion_pdf(data))).pages)
    assert "기준과의 차이" in shown and "같은 값" in shown
    in_english = "".join(page.extract_text() for page in PdfReader(io.BytesIO(opinion_pdf(data, "en"))).pages)
    assert "Difference from the reference" in in_english

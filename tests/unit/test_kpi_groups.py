"""Several slots brought together by the mean or the sum of their own values."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from core.window import date_window
from devices.plan.model import Kpi
from kpi.asked import Asked
from kpi.entry import entry_of
from kpi.gathered import arranged
from kpi.intervals import clopper_pearson
from kpi.measures.event_ratio import EventPart, Outcome
from kpi.measures.integral import IntegralPart
from kpi.measures.statistic import NO_MOMENTS, Moments, StatisticPart
from kpi.spans import Spans, spans

SEOUL = ZoneInfo("Asia/Seoul")
FIRST = date(2026, 1, 1)
MEAN = {"statistic": {"channel": "temp", "stat": "mean"}}
RATIO = {"event_ratio": {"event": "mission", "success": {"ok": True}, "designed": True}}


def asked(measure: dict[str, Any], target: str, *, unit: str = "%", days: int = 70, **kpi: Any) -> Asked:
    whole = date_window(FIRST, FIRST + timedelta(days=days), SEOUL)
    return Asked(
        id="k",
        kpi=Kpi.model_validate({"name": "지표", "measure": measure, "target": target, **kpi}),
        channel_unit=unit,
        alpha=0.05,
        zone=SEOUL,
        spans=spans(whole, None, SEOUL),
    )


def readings(cut: Spans, weekly: list[float], hours: float = 168, lost: float = 0) -> list[StatisticPart]:
    """One slot, given its weekly means; each week has ``hours`` readings and as many hours of required time."""

    def part(values: list[float]) -> StatisticPart:
        n = len(values) * int(hours)
        mean = float(np.mean(values))
        moments = Moments(n=n, mean=mean, m2=0.0, min=mean, max=mean, last_us=0, last=mean)
        expected = n + lost * len(values)
        return StatisticPart(moments=moments, required_s=3600.0 * n, obtained=n, expected=expected)

    return [part(weekly), *[part(weekly)] * len(cut.quarters), *(part([value]) for value in weekly)]


def silent(cut: Spans) -> list[StatisticPart]:
    part = StatisticPart(moments=NO_MOMENTS, required_s=3600.0, obtained=0, expected=100)
    return [part] * len(cut.all)


def events(cut: Spans, successes: int, trials: int) -> list[EventPart]:
    outcomes = tuple((FIRST, Outcome(at_us=i, success=i < successes)) for i in range(trials))
    return [EventPart(outcomes=outcomes, connected_us=100, required_us=100, numbered=True)] * len(cut.all)


def test_each_slot_counts_as_one_whatever_its_time() -> None:
    kpi = asked(MEAN, "<= 26 degC", unit="degC", group="mean")
    units = [readings(kpi.spans, [20.0] * 10, hours=168), readings(kpi.spans, [26.0] * 10, hours=24)]
    assert entry_of(kpi, arranged(["a", "b"], kpi.spans, units))["value"] == pytest.approx(23.0)
    pooled = asked(MEAN, "<= 26 degC", unit="degC")
    assert entry_of(pooled, arranged(["a", "b"], kpi.spans, units))["value"] == pytest.approx(20.75)


def test_a_sum_of_slots() -> None:
    kpi = asked(MEAN, "<= 50 degC", unit="degC", group="sum")
    units = [readings(kpi.spans, [20.0] * 10), readings(kpi.spans, [26.0] * 10), readings(kpi.spans, [10.0] * 10)]
    entry = entry_of(kpi, arranged(["a", "b", "c"], kpi.spans, units))
    assert (entry["value"], entry["verdict"]) == (pytest.approx(56.0), "not_met")
    assert [row["value"] for row in entry["slots"]] == [20.0, 26.0, 10.0]


@pytest.mark.parametrize("group", ["mean", "sum"])
def test_a_slot_without_data_leaves_the_whole_without_a_value(group: str) -> None:
    """Left out, a slot that never reported would flatter the mean and lower the sum."""
    kpi = asked(MEAN, "<= 50 degC", unit="degC", group=group, completeness=1)
    units = [readings(kpi.spans, [20.0] * 10), silent(kpi.spans)]
    entry = entry_of(kpi, arranged(["a", "b"], kpi.spans, units))
    assert (entry["value"], entry["verdict"], entry["reason"]) == (None, "insufficient", "no_value")


def test_a_slot_at_which_nothing_happened_is_no_part_of_the_mean() -> None:
    kpi = asked(RATIO, ">= 90 %", group="mean", scope="capability")
    units = [events(kpi.spans, 95, 100), events(kpi.spans, 0, 0)]
    assert entry_of(kpi, arranged(["a", "b"], kpi.spans, units))["value"] == 95.0


def test_a_bad_week_of_all_slots_counts_once() -> None:
    """Slots that move together tell no more than one of them: the interval of their mean is that of one."""
    weekly = [20.0, 21.0, 19.0, 22.0, 20.0, 18.0, 21.0, 20.0, 19.0, 20.0]
    kpi = asked(MEAN, "<= 26 degC", unit="degC", group="mean", scope="capability")
    alone = entry_of(kpi, arranged(["a"], kpi.spans, [readings(kpi.spans, weekly)]))
    units = [readings(kpi.spans, [value + 2 * i for value in weekly]) for i in range(4)]
    together = entry_of(kpi, arranged(["a", "b", "c", "d"], kpi.spans, units))
    assert together["value"] == pytest.approx(alone["value"] + 3)
    width = [entry["interval"]["high"] - entry["interval"]["low"] for entry in (alone, together)]
    assert width[1] == pytest.approx(width[0])
    summed = asked(MEAN, "<= 99 degC", unit="degC", group="sum", scope="capability")
    found = entry_of(summed, arranged(["a", "b", "c", "d"], kpi.spans, units))
    assert found["interval"]["high"] - found["interval"]["low"] == pytest.approx(4 * width[0])


def test_proportions_add_their_distances_in_quadrature() -> None:
    """MOVER: √((0.95 − l₁)² + (0.80 − l₂)²) / 2 below the mean, by hand from Clopper–Pearson's bounds."""
    kpi = asked(RATIO, ">= 85 %", group="mean", scope="capability")
    units = [events(kpi.spans, 190, 200), events(kpi.spans, 80, 100)]
    entry = entry_of(kpi, arranged(["a", "b"], kpi.spans, units))
    (l1, h1), (l2, h2) = clopper_pearson(190, 200, 0.05), clopper_pearson(80, 100, 0.05)
    below = ((0.95 - l1) ** 2 + (0.80 - l2) ** 2) ** 0.5 / 2
    above = ((h1 - 0.95) ** 2 + (h2 - 0.80) ** 2) ** 0.5 / 2
    assert entry["value"] == pytest.approx(87.5)
    assert entry["interval"]["low"] == pytest.approx(87.5 - 100 * below)
    assert entry["interval"]["high"] == pytest.approx(87.5 + 100 * above)
    assert entry["interval"]["method"] == "mover"
    assert entry["verdict"] == "inconclusive"


def test_the_mean_of_ratios_passes_falsely_at_most_seven_percent() -> None:
    rng = np.random.default_rng(11)
    kpi = asked(RATIO, ">= 90 %", group="mean", scope="capability")
    runs, met = 500, 0
    for _ in range(runs):
        units = [events(kpi.spans, int(rng.binomial(150, share)), 150) for share in (0.95, 0.90, 0.85)]
        met += entry_of(kpi, arranged(["a", "b", "c"], kpi.spans, units))["verdict"] == "met"
    assert met / runs <= 0.07


def test_a_sum_has_no_interval_where_its_slots_have_none() -> None:
    kpi = asked({"integral": "power"}, "<= 100 kWh", unit="(W)*s", group="sum", scope="capability")
    part = IntegralPart(integral=40 * 3_600_000.0, covered_s=1e6, required_s=1e6, n=10, obtained=10, expected=10)
    entry = entry_of(kpi, arranged(["a", "b"], kpi.spans, [[part] * len(kpi.spans.all)] * 2))
    assert entry["value"] == pytest.approx(80.0)
    assert (entry["verdict"], entry["reason"], entry["interval"]) == ("inconclusive", "no_interval", None)

"""KPIs judged from hand-made parts: groups, percentiles, escapes, and the entry that results keep."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from core.canonical import canonical_json, plain
from core.window import date_window
from devices.plan.model import Kpi
from kpi.decision import Guard, verdict
from kpi.entry import entry_of
from kpi.evidence import evidence_of
from kpi.gathered import Gathered, arranged
from kpi.intervals import clopper_pearson
from kpi.judge import Asked
from kpi.measurement import Counts, Measurement
from kpi.measures.availability import AvailabilityPart, States
from kpi.measures.event_ratio import EventPart, Outcome
from kpi.measures.share import SharePart
from kpi.measures.statistic import NO_MOMENTS, Moments, StatisticPart
from kpi.spans import Spans, spans

SEOUL = ZoneInfo("Asia/Seoul")
FIRST = date(2026, 1, 1)
DAY_US = 86_400_000_000


def asked(
    measure: dict[str, Any], target: str, *, days: int = 364, month: bool = False, unit: str = "%", **kpi: Any
) -> Asked:
    whole = date_window(FIRST, FIRST + timedelta(days=days), SEOUL)
    last = date_window(FIRST + timedelta(days=days - 30), FIRST + timedelta(days=days), SEOUL)
    row = {"name": "지표", "measure": measure, "target": target, **kpi}
    return Asked(
        id="k",
        kpi=Kpi.model_validate(row),
        channel_unit=unit,
        alpha=0.05,
        zone=SEOUL,
        spans=spans(whole, last if month else None, SEOUL),
    )


def events(
    cut: Spans, successes: int, trials: int, a_day: int = 1, numbered: bool = True, connected: int = 100
) -> list[EventPart]:
    """One slot's events, the failures spread evenly, the same in every window."""
    failed = set(np.linspace(0, trials - 1, trials - successes).round().astype(int).tolist())
    outcomes = tuple(
        (FIRST + timedelta(days=i // a_day), Outcome(at_us=i, success=i not in failed)) for i in range(trials)
    )
    part = EventPart(outcomes=outcomes, connected_us=connected, required_us=100, numbered=numbered)
    return [part] * len(cut.all)


RATIO = {"event_ratio": {"event": "mission", "success": {"ok": True}, "designed": True}}


@pytest.mark.parametrize(
    ("successes", "trials", "verdict"),
    [(59, 59, "met"), (58, 58, "inconclusive"), (270, 300, "not_met")],
)
def test_designed_trials(successes: int, trials: int, verdict: str) -> None:
    kpi = asked(RATIO, ">= 95 %", scope="capability")
    entry = entry_of(kpi, arranged(["a"], kpi.spans, [events(kpi.spans, successes, trials)]))
    assert entry["verdict"] == verdict
    low, high = clopper_pearson(successes, trials, 0.05)
    assert (entry["interval"]["low"], entry["interval"]["high"]) == pytest.approx((100 * low, 100 * high))


def test_events_of_daily_operation_tell_less() -> None:
    measure = {"event_ratio": {"event": "mission", "success": {"ok": True}}}
    kpi = asked(measure, ">= 95 %", scope="capability")
    entry = entry_of(kpi, arranged(["a"], kpi.spans, [events(kpi.spans, 59, 59, a_day=20)]))
    assert entry["verdict"] == "inconclusive"
    assert entry["interval"]["size"] < 20


@pytest.mark.parametrize(("group", "verdict"), [("pooled", "met"), ("worst", "not_met")])
def test_the_worst_slot_is_not_hidden_by_the_others(group: str, verdict: str) -> None:
    kpi = asked(RATIO, ">= 90 %", scope="capability", group=group)
    units = [events(kpi.spans, 1000, 1000), events(kpi.spans, 80, 100), events(kpi.spans, 1000, 1000)]
    entry = entry_of(kpi, arranged(["a", "b", "c"], kpi.spans, units))
    assert entry["verdict"] == verdict
    assert [row["value"] for row in entry["slots"]] == [100.0, 80.0, 100.0]
    if group == "worst":
        assert (entry["slot"], entry["value"]) == ("b", 80.0)
        assert entry["why"]["ko"].startswith("b: ")


def test_the_worst_of_many_is_not_met_only_beyond_chance() -> None:
    """83 of 100 against 90 %: alone the upper bound lies below; as the worst of twenty it must at 5 %/20."""
    high, high_of_twenty = (100 * clopper_pearson(83, 100, alpha)[1] for alpha in (0.05, 0.05 / 20))
    assert high < 90 < high_of_twenty
    kpi = asked(RATIO, ">= 90 %", scope="capability", group="worst")
    alone = entry_of(kpi, arranged(["a"], kpi.spans, [events(kpi.spans, 83, 100)]))
    units = [events(kpi.spans, 83, 100)] + [events(kpi.spans, 100, 100)] * 19
    among = entry_of(kpi, arranged([f"s{i}" for i in range(20)], kpi.spans, units))
    assert (alone["verdict"], among["verdict"]) == ("not_met", "inconclusive")


def test_numbered_events_escape_where_the_connection_did_not_hold() -> None:
    """Their numbers tell how many were missed, so too little connection changes nothing; unnumbered ones cannot say."""
    kpi = asked(RATIO, ">= 95 %", scope="capability")
    found = [
        entry_of(kpi, arranged(["a"], kpi.spans, [events(kpi.spans, 300, 300, numbered=numbered, connected=50)]))[
            "verdict"
        ]
        for numbered in (True, False)
    ]
    assert found == ["met", "insufficient"]


# --- Percentiles


def series(cut: Spans, values: np.ndarray[Any, Any], missing: int = 0) -> list[StatisticPart]:
    """One slot's readings, cut evenly into weeks."""

    def part(some: np.ndarray[Any, Any], lost: int = 0) -> StatisticPart:
        found = Moments(
            n=len(some), mean=float(some.mean()), m2=float(((some - some.mean()) ** 2).sum()), min=float(some.min()),
            max=float(some.max()), last_us=0, last=float(some[-1]),
        )  # fmt: skip
        return StatisticPart(
            moments=found, required_s=3600.0 * len(some), obtained=len(some), expected=len(some) + lost, values=some
        )

    weeks = [part(week) for week in np.array_split(values, len(cut.weeks))]
    months = [] if cut.month is None else [part(values[-720:])]
    return [part(values, missing), *months, *[part(values)] * len(cut.quarters), *weeks]


P95 = {"statistic": {"channel": "delay", "stat": "p95"}}


@pytest.mark.parametrize(("limit", "verdict"), [(4.0, "met"), (3.05, "inconclusive"), (2.5, "not_met")])
def test_a_percentile_of_a_year_is_judged_as_a_share(limit: float, verdict: str) -> None:
    kpi = asked(P95, f"<= {limit} s", days=365, unit="s", scope="capability")
    values = np.random.default_rng(1).exponential(1.0, 8760)
    entry = entry_of(kpi, arranged(["a"], kpi.spans, [series(kpi.spans, values)]))
    assert entry["value"] == pytest.approx(np.percentile(values, 95))
    assert entry["verdict"] == verdict
    assert entry["as_share"]["share"] == pytest.approx((values <= limit).mean())
    assert "%" in entry["why"]["en"]


def test_a_percentile_of_less_than_a_year_has_no_confident_verdict() -> None:
    kpi = asked(P95, "<= 100 s", days=364, unit="s", scope="capability")
    entry = entry_of(kpi, arranged(["a"], kpi.spans, [series(kpi.spans, np.ones(8736))]))
    assert (entry["verdict"], entry["reason"]) == ("inconclusive", "under_a_year")
    plain_rule = replace(kpi, kpi=kpi.kpi.model_copy(update={"decision": "estimate"}))
    assert entry_of(plain_rule, arranged(["a"], kpi.spans, [series(kpi.spans, np.ones(8736))]))["verdict"] == "met"


@pytest.mark.parametrize(("good", "verdict"), [(1.0, "insufficient"), (0.1, "not_met")])
def test_a_percentile_escapes_where_what_is_missing_cannot_change_it(good: float, verdict: str) -> None:
    kpi = asked(P95, "<= 5 s", unit="s")
    values = np.where(np.arange(1000) < good * 1000, 1.0, 9.0)
    entry = entry_of(kpi, arranged(["a"], kpi.spans, [series(kpi.spans, values, missing=500)]))
    assert entry["completeness"] == pytest.approx(2 / 3)
    assert entry["verdict"] == verdict


def test_a_mean_with_a_physical_range_escapes() -> None:
    measure = {"statistic": {"channel": "temp", "stat": "mean"}}
    kpi = asked(measure, "<= 40 degC", unit="degC")
    parts = [replace(p, physical=(-40.0, 60.0)) for p in series(kpi.spans, np.full(1000, 20.0), missing=500)]
    entry = entry_of(kpi, arranged(["a"], kpi.spans, [parts]))
    assert (entry["verdict"], entry["reason"]) == ("met", "escape_met_incomplete")
    assert "33.3 °C" in entry["why"]["ko"]
    unbounded = entry_of(kpi, arranged(["a"], kpi.spans, [series(kpi.spans, np.full(1000, 20.0), missing=500)]))
    assert unbounded["verdict"] == "insufficient"


# --- The entry


def shares(cut: Spans, true: float, *, nobody: float = 0.0) -> list[SharePart]:
    covered = 1.0 - nobody
    return [
        SharePart(
            true_us=round(true * DAY_US), covered_us=round(covered * DAY_US), company_us=0, platform_us=0,
            nobody_us=round(nobody * DAY_US), n=100, obtained=covered * 100, expected=100,
        )
    ] * len(cut.all)  # fmt: skip


SHARE = {"share": {"of": "time", "while": {"channel": "pm25", "value": "<= 35 ug/m^3"}}}


def test_a_month_shows_itself_and_the_cumulative_value() -> None:
    kpi = asked(SHARE, ">= 95 %", days=90, month=True)
    parts = shares(kpi.spans, 0.97)
    parts[1] = replace(parts[1], true_us=round(0.9 * DAY_US))
    entry = entry_of(kpi, arranged(["a"], kpi.spans, [parts]))
    assert (entry["value"], entry["cumulative"]["value"], entry["month"]["value"]) == (97.0, 97.0, 90.0)
    assert entry["status"] == "on_track" and "verdict" not in entry
    assert entry["interval"] == {"low": 97.0, "high": 97.0, "alpha": None, "method": "none", "size": None}


def test_the_scope_decides_which_interval_counts() -> None:
    period = asked(SHARE, ">= 0.965", days=90)
    capability = asked(SHARE, ">= 0.965", days=90, scope="capability")
    parts = arranged(["a"], period.spans, [shares(period.spans, 0.97, nobody=0.01)])
    one, other = entry_of(period, parts), entry_of(capability, parts)
    assert one["unit"] == other["unit"] == ""
    assert one["interval"]["low"] == pytest.approx(0.97) and one["interval"]["high"] == pytest.approx(0.98)
    assert other["interval"]["low"] < one["interval"]["low"]
    assert one["sampling"] == other["sampling"]
    assert (one["verdict"], other["verdict"]) == ("met", "inconclusive")


def test_what_stays_open_goes_where_the_plan_says() -> None:
    kpi = asked(SHARE, ">= 95 %", days=90, scope="capability", if_inconclusive="extend")
    entry = entry_of(kpi, arranged(["a"], kpi.spans, [shares(kpi.spans, 0.96)]))
    assert (entry["verdict"], entry["if_inconclusive"]) == ("inconclusive", "extend")


def test_an_entry_is_json() -> None:
    for target, measure, unit, parts in (
        (">= 95 %", SHARE, "%", shares),
        ("< 30 degC", {"statistic": {"channel": "temp", "stat": "std"}}, "degC", None),
    ):
        for month in (False, True):
            kpi = asked(measure, target, month=month, unit=unit, scope="capability")
            made: list[Any] = series(kpi.spans, np.full(10_000, 7.0)) if parts is None else parts(kpi.spans, 1.0)
            gathered: Gathered[Any] = arranged(["a"], kpi.spans, [made])
            entry = entry_of(kpi, gathered)
            canonical_json(entry)
            assert plain(entry)["target"]["high"] is None or math.isfinite(entry["target"]["high"])


SLOT_AVAILABLE: dict[str, Any] = {"availability": {}}


def availability_entry(up_us: int, down_us: int, unknown_us: int, **terms: Any) -> dict[str, Any]:
    kpi = asked(SLOT_AVAILABLE, ">= 99.5 %", month=True, **terms)
    cuts = np.cumsum([0, up_us, down_us, unknown_us]).tolist()
    up, down, unknown = (((start, end),) if end > start else () for start, end in pairwise(cuts))
    part = AvailabilityPart(states=States(up=up, down=down, left_out=(), unknown=unknown), n=1)
    return entry_of(kpi, arranged(["a"], kpi.spans, [[part] * len(kpi.spans.all)]))


def test_microseconds_charged_to_nobody_are_no_gap() -> None:
    entry = availability_entry(997 * DAY_US, 3 * DAY_US, 40)
    assert entry["value"] == 99.7
    for figure in (entry, entry["month"]):
        assert figure["interval"] == {"low": 99.7, "high": 99.7, "alpha": None, "method": "none", "size": None}
        assert figure["completeness"] == 1.0
    assert entry["reason"] == "value_holds"
    assert "귀책" not in entry["why"]["ko"].replace("참여기업 귀책", "")


def test_a_gap_that_does_not_show_in_print_is_no_range_but_still_told() -> None:
    entry = availability_entry(997 * DAY_US, 3 * DAY_US, 3_600_000_000)  # an hour of 1,000 days
    assert entry["interval"]["method"] == "none" and entry["interval"]["low"] == entry["interval"]["high"]
    assert entry["reason"] == "value_holds" and "귀책 불명 1시간" in entry["why"]["ko"]
    assert entry["completeness"] < 1.0


def test_a_gap_that_shows_in_print_is_a_range() -> None:
    entry = availability_entry(997 * DAY_US, 3 * DAY_US, 3 * DAY_US)
    assert entry["interval"]["method"] == "gaps" and entry["reason"] == "gaps_miss"


# --- What no number should come of


NOTHING = StatisticPart(moments=NO_MOMENTS, required_s=3600.0, obtained=0, expected=100, values=np.zeros(0))
RULES = ("estimate", "confident", "guarded")


def sound(entry: dict[str, Any]) -> None:
    """A result or a stated reason, in words and as JSON."""
    canonical_json(entry)
    assert entry["verdict"] in ("met", "not_met", "inconclusive", "insufficient")
    for text in entry["why"].values():
        assert text.endswith(".") and "nan" not in text.lower() and "None" not in text and "inf" not in text.split()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("scope", ["period", "capability"])
@pytest.mark.parametrize("group", ["pooled", "worst", "mean", "sum"])
@pytest.mark.parametrize("stat", ["mean", "std", "max", "last", "p95"])
@pytest.mark.parametrize("values", [[], [21.0], [21.0] * 500, [math.nan] * 3], ids=["none", "one", "constant", "nan"])
def test_bad_input_gets_a_result_or_a_reason(rule: str, scope: str, group: str, stat: str, values: list[float]) -> None:
    kpi = asked(
        {"statistic": {"channel": "t", "stat": stat}},
        "<= 26 degC",
        unit="degC",
        scope=scope,
        decision=rule,
        group=group,
    )
    good = series(kpi.spans, np.full(500, 20.0))
    bad = [NOTHING] * len(kpi.spans.all)
    if len(values) >= len(kpi.spans.weeks):
        bad = series(kpi.spans, np.array(values))
    elif values:
        one = Moments(n=len(values), mean=values[0], m2=0.0, min=values[0], max=values[0], last_us=0, last=values[0])
        bad = [
            StatisticPart(moments=one, required_s=3600.0, obtained=1, expected=1, values=np.array(values))
        ] * len(kpi.spans.all)  # fmt: skip
    sound(entry_of(kpi, arranged(["a"], kpi.spans, [bad])))
    sound(entry_of(kpi, arranged(["a", "b"], kpi.spans, [good, bad])))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("trials", [0, 1])
def test_no_event_and_one_event(rule: str, trials: int) -> None:
    kpi = asked(RATIO, ">= 95 %", scope="capability", decision=rule)
    entry = entry_of(kpi, arranged(["a"], kpi.spans, [events(kpi.spans, trials, trials)]))
    sound(entry)
    assert entry["verdict"] == ("insufficient" if not trials else "met" if rule == "estimate" else "inconclusive")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("rule", RULES)
def test_a_value_that_is_no_number_meets_nothing(value: float, rule: str) -> None:
    kpi = asked(SHARE, ">= 95 %", decision=rule)
    found = Measurement(value=value, unit="%", n=1, completeness=1.0, low=value, high=value)
    evidence, terms = evidence_of(kpi, found, guard=Guard())
    answer = verdict(evidence, terms).answer
    assert answer == ("insufficient" if math.isnan(value) else "met" if value > 0 else "not_met")


@pytest.mark.parametrize(
    ("target", "estimate", "confident"),
    [(">= 95 %", "met", "inconclusive"), ("> 95 %", "not_met", "inconclusive"), ("<= 95 %", "met", "inconclusive")],
)
def test_a_target_exactly_on_the_value(target: str, estimate: str, confident: str) -> None:
    for rule, expected in (("estimate", estimate), ("confident", confident)):
        kpi = asked(RATIO, target, scope="capability", decision=rule)
        entry = entry_of(kpi, arranged(["a"], kpi.spans, [events(kpi.spans, 95, 100)]))
        assert (entry["value"], entry["verdict"]) == (95.0, expected)


def test_a_target_exactly_on_the_bound_is_met() -> None:
    """The bound of 59 of 59 is 0.05^(1/59): a target of just that is met, one float above it is not."""
    low = 100 * clopper_pearson(59, 59, 0.05)[0]
    for target, expected in ((low, "met"), (math.nextafter(low, 100), "inconclusive")):
        kpi = asked(RATIO, f">= {target!r} %", scope="capability")
        entry = entry_of(kpi, arranged(["a"], kpi.spans, [events(kpi.spans, 59, 59)]))
        assert entry["verdict"] == expected


def test_events_that_may_count_widen_the_upper_bound() -> None:
    """Three heard, two more of which nobody knows: the upper bound is that of five."""
    counts = Counts(count=3, most=5, exposure=1.0, days=((3, 1.0),), independent=True)
    found = Measurement(
        value=3, unit="건", n=3, completeness=1.0, low=3, high=5, counts=counts, open_by="events"
    )  # fmt: skip
    kpi = asked({"count": {"event": "incident", "independent": True}}, "<= 11 건", unit="건", scope="capability")
    evidence, terms = evidence_of(kpi, found)
    assert evidence.chance is not None
    assert 5 + evidence.chance.above == pytest.approx(10.513, abs=1e-3)  # Garwood's bound of 5
    assert 3 - evidence.chance.below == pytest.approx(0.818, abs=1e-3)
    assert verdict(evidence, terms).answer == "met"

"""The guard band: what an instrument may have done to a value, with and without a certificate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from core.window import date_window
from devices.plan.instrument import class_default, instrument_of, moved, together
from devices.plan.measures import Share
from devices.plan.model import Channel, Kpi
from kpi.asked import Asked
from kpi.decision import Chance, Ends, Evidence, Guard, Terms, Verdict, status, verdict
from kpi.entry import entry_of
from kpi.gathered import arranged
from kpi.guard import MovedLimits, moved_kpis
from kpi.measures.integral import IntegralPart
from kpi.measures.share import SharePart
from kpi.measures.statistic import Moments, StatisticPart
from kpi.spans import Spans, spans

SEOUL = ZoneInfo("Asia/Seoul")
FIRST = date(2026, 1, 1)
CERTIFIED = {"absolute": "0.5 degC", "certificate": "KTL-2026-0113"}


def channel(unit: str, **uncertainty: Any) -> Channel:
    return Channel.model_validate(
        {"unit": unit, "period": "1 h", **({"uncertainty": uncertainty} if uncertainty else {})}
    )


# --- What is known of an instrument


def test_a_certificate_counts_both_ways_at_k_2() -> None:
    found = instrument_of(channel("degC", absolute="0.75 degC", k=3, certificate="KTL-1"))
    assert found.basis == "certificate" and found.against == found.in_favour
    assert found.against is not None and found.against.at(20.0, "degC") == pytest.approx(0.5)
    assert found.against.at(68.0, "degF") == pytest.approx(0.9)  # a difference: scaled, never shifted


def test_without_a_certificate_the_class_counts_against_and_nothing_in_favour() -> None:
    found = instrument_of(channel("degC"))
    assert (found.basis, found.in_favour) == ("class", None)
    assert found.against is not None
    assert found.against.at(100.0, "degC") == pytest.approx(0.8)  # IEC 60751, class B, at 100 °C
    assert found.against.at(0.0, "degC") == pytest.approx(0.3)


def test_a_claim_without_a_certificate_cannot_make_it_smaller_but_larger() -> None:
    small, large = (instrument_of(channel("ug/m^3", relative=share)) for share in ("1 %", "80 %"))
    assert small.against is not None and small.against.at(40.0, "ug/m^3") == pytest.approx(20.0)
    assert large.against is not None and large.against.at(40.0, "ug/m^3") == pytest.approx(32.0)
    assert small.in_favour is None and large.in_favour is None


@pytest.mark.parametrize("unit", ["ppm", "lx", "m", "km/h", "%RH"])
def test_a_quantity_without_a_class_is_unknown(unit: str) -> None:
    assert class_default(unit) is None
    assert instrument_of(channel(unit)).basis == "unknown"


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [("mg/m^3", 0.04, 0.02), ("kW", 3.0, 0.105), ("Wh", 500.0, 17.5), ("dB(A)", 65.0, 2.0), ("l", 100.0, 5.0),
     ("K", 298.15, 0.425)],
)  # fmt: skip
def test_class_defaults_hold_in_every_unit_of_their_quantity(unit: str, value: float, expected: float) -> None:
    found = instrument_of(channel(unit)).against
    assert found is not None and found.at(value, unit) == pytest.approx(expected)


def test_several_instruments_are_the_least_favourable_and_never_averaged() -> None:
    good, poor, none = (
        instrument_of(channel("degC", absolute="0.1 degC", certificate="A")),
        instrument_of(channel("degC", absolute="0.4 degC", certificate="B")),
        instrument_of(channel("degC")),
    )
    both = together([good, poor])
    assert both is not None and both.against is not None and both.in_favour is not None
    assert both.against.at(20.0, "degC") == both.in_favour.at(20.0, "degC") == pytest.approx(0.4)
    assert both.certificate == "A, B"
    mixed = together([good, none, poor])
    assert mixed is not None and mixed.basis == "class" and mixed.in_favour is None
    assert mixed.against is not None and mixed.against.at(20.0, "degC") == pytest.approx(0.4)
    unknown = together([good, instrument_of(channel("ppm"))])
    assert unknown is not None and unknown.basis == "unknown"
    assert together([]) is None


# --- The decision


def terms(target: str = ">= 20 degC", scope: str = "period") -> Terms:
    from devices.plan.target import parse_bounds

    return Terms(target=parse_bounds(target), scope=scope, rule="guarded", completeness=0.75)  # type: ignore[arg-type]


def found(value: float, guard: Guard | None, chance: Chance | None = None) -> Evidence:
    ends = Ends(low=value, high=value)
    return Evidence(value=value, gaps=ends, filled=ends, chance=chance, completeness=1.0, guard=guard)


U = Guard(below=0.5, above=0.5, below_missed=0.5, above_missed=0.5)
CLASS = Guard(below=0.5, above=0.5)


@pytest.mark.parametrize(
    ("value", "guard", "answer", "reason"),
    [
        (20.5, U, Verdict.MET, "guard_met"),
        (20.49, U, Verdict.INCONCLUSIVE, "guard_open"),
        (19.51, U, Verdict.INCONCLUSIVE, "guard_open"),
        (19.49, U, Verdict.NOT_MET, "guard_not_met"),
        (20.49, CLASS, Verdict.INCONCLUSIVE, "guard_open"),
        (19.99, CLASS, Verdict.NOT_MET, "guard_not_met"),
        (20.0, Guard(), Verdict.MET, "guard_met"),
        (99.0, None, Verdict.INCONCLUSIVE, "no_uncertainty"),
        (-99.0, None, Verdict.INCONCLUSIVE, "no_uncertainty"),
    ],
)
def test_the_guard_band_of_a_period_is_the_expanded_uncertainty(
    value: float, guard: Guard | None, answer: Verdict, reason: str
) -> None:
    decision = verdict(found(value, guard), terms())
    assert (decision.answer, decision.reason) == (answer, reason)


def test_chance_and_instrument_are_combined_in_quadrature() -> None:
    chance = Chance(below=1.2, above=1.2, below_missed=1.2, above_missed=1.2)
    capability = terms(scope="capability")
    assert math.hypot(0.5, 1.2) == pytest.approx(1.3)
    assert verdict(found(21.31, U, chance), capability).answer == Verdict.MET
    assert verdict(found(21.29, U, chance), capability).answer == Verdict.INCONCLUSIVE
    assert verdict(found(18.69, U, chance), capability).answer == Verdict.NOT_MET
    assert verdict(found(18.79, CLASS, chance), capability).answer == Verdict.NOT_MET  # chance alone
    assert verdict(found(18.81, CLASS, chance), capability).answer == Verdict.INCONCLUSIVE
    without = replace(found(21.31, U), no_chance="few_weeks")
    assert verdict(without, capability).reason == "few_weeks"


def test_a_month_of_a_guarded_kpi_watches_until_the_band_holds() -> None:
    def answer(value: float, guard: Guard | None) -> str:
        return status(found(value, guard), terms(), month_completeness=1.0).reason

    assert answer(20.6, U) == "guard_holds"
    assert answer(20.4, U) == "guard_misses"
    assert answer(19.9, U) == "value_misses"
    assert answer(20.6, None) == "watch_no_uncertainty"


# --- From measurements


def asked(
    measure: dict[str, Any], target: str, channels: Mapping[str, Channel], *, days: int = 364, **kpi: Any
) -> Asked:
    unit = next(iter(channels.values())).canonical_unit
    row = {"name": "지표", "measure": measure, "target": target, "decision": "guarded", **kpi}
    given = "%" if "share" in measure else f"({unit})*s" if "integral" in measure else unit
    return Asked(
        id="k",
        kpi=Kpi.model_validate(row),
        channel_unit=given,
        alpha=0.05,
        zone=SEOUL,
        spans=spans(date_window(FIRST, FIRST + timedelta(days=days), SEOUL), None, SEOUL),
        instruments={slot: instrument_of(one) for slot, one in channels.items()},
        instrument_unit=unit,
    )


def readings(cut: Spans, values: np.ndarray[Any, Any]) -> list[StatisticPart]:
    def part(some: np.ndarray[Any, Any]) -> StatisticPart:
        moments = Moments(
            n=len(some), mean=float(some.mean()), m2=float(((some - some.mean()) ** 2).sum()), min=float(some.min()),
            max=float(some.max()), last_us=0, last=float(some[-1]),
        )  # fmt: skip
        return StatisticPart(
            moments=moments, required_s=3600.0 * len(some), obtained=len(some), expected=len(some), values=some
        )

    weeks = [part(week) for week in np.array_split(values, len(cut.weeks))]
    return [part(values), *[part(values)] * len(cut.quarters), *weeks]


MEAN = {"statistic": {"channel": "temp", "stat": "mean"}}


@pytest.mark.parametrize("n", [100, 100_000])
def test_the_systematic_part_is_never_divided_by_the_root_of_n(n: int) -> None:
    kpi = asked(MEAN, ">= 20 degC", {"a": channel("degC", **CERTIFIED)}, days=364)
    entry = entry_of(kpi, arranged(["a"], kpi.spans, [readings(kpi.spans, np.full(n, 20.4))]))
    assert entry["uncertainty"]["against"] == pytest.approx(0.5)
    assert (entry["verdict"], entry["reason"]) == ("inconclusive", "guard_open")
    assert "KTL-2026-0113" in entry["why"]["ko"] and "19.9" in entry["why"]["ko"]


def test_the_band_is_in_the_unit_of_the_target() -> None:
    kpi = asked(MEAN, "<= 80 degF", {"a": channel("degC", **CERTIFIED)})
    entry = entry_of(kpi, arranged(["a"], kpi.spans, [readings(kpi.spans, np.full(1000, 26.0))]))
    assert entry["value"] == pytest.approx(78.8)
    assert entry["uncertainty"]["against"] == pytest.approx(0.9)
    assert entry["verdict"] == "met"  # 79.7 °F; 26.2 °C would be 80.06


@pytest.mark.parametrize(
    ("stat", "band"),
    [("mean", 0.5), ("min", 0.5), ("max", 0.5), ("last", 0.5), ("p95", 0.5), ("sum", 500.0), ("std", 0.0)],
)
def test_what_moves_every_reading_moves_the_statistic(stat: str, band: float) -> None:
    """A constant error drops out of a deviation; a sum of 1,000 readings has it a thousand times."""
    kpi = asked({"statistic": {"channel": "temp", "stat": stat}}, "<= 9999 degC", {"a": channel("degC", **CERTIFIED)})
    values = np.random.default_rng(1).normal(20, 2, 1000)
    entry = entry_of(kpi, arranged(["a"], kpi.spans, [readings(kpi.spans, values)]))
    assert entry["uncertainty"]["against"] == pytest.approx(band)
    direct, shifted = values, values + 0.5
    by_numpy: dict[str, Any] = {
        "sum": np.sum,
        "std": np.std,
        "p95": lambda x: np.percentile(x, 95),
        "last": lambda x: x[-1],
    }
    of = by_numpy.get(stat) or getattr(np, stat)
    assert of(shifted) - of(direct) == pytest.approx(band, abs=1e-9)


def test_an_integral_takes_its_relative_part_from_itself() -> None:
    kpi = asked({"integral": "power"}, "<= 100 kWh", {"a": channel("W")})
    part = IntegralPart(integral=99.0 * 3_600_000, covered_s=86_400, required_s=86_400, n=24, obtained=24, expected=24)
    entry = entry_of(kpi, arranged(["a"], kpi.spans, [[part] * len(kpi.spans.all)]))
    assert entry["value"] == pytest.approx(99.0)
    assert entry["uncertainty"]["against"] == pytest.approx(3.465)  # class A in use: 3.5 %
    assert entry["uncertainty"]["class"]["source"].startswith("Directive 2014/32/EU, Annex V")
    assert entry["verdict"] == "inconclusive"
    missed = replace(part, integral=100.1 * 3_600_000)
    entry = entry_of(kpi, arranged(["a"], kpi.spans, [[missed] * len(kpi.spans.all)]))
    assert entry["verdict"] == "not_met"  # nothing counts in its favour


SHARE = {"share": {"while": {"channel": "pm25", "value": "<= 40 ug/m^3"}}}


def share_parts(cut: Spans, share: float) -> list[SharePart]:
    part = SharePart(
        true_us=round(share * 1e9), covered_us=10**9, company_us=0, platform_us=0, nobody_us=0, n=100, obtained=100,
        expected=100,
    )  # fmt: skip
    return [part] * len(cut.all)


def test_a_guarded_share_is_that_with_its_limits_moved() -> None:
    certified = channel("ug/m^3", relative="5 %", certificate="KTL-1")
    kpi = asked(SHARE, ">= 95 %", {"a": certified})
    kpis = moved_kpis(kpi.kpi, {"a": certified}, list(kpi.instruments.values()))
    assert kpis is not None and kpis[0] is not None
    limits = [one.measure.share.while_.bounds.high for one in kpis if one is not None and one.measure.share is not None]  # type: ignore[union-attr]
    assert limits == [38.0, 42.0]

    def judged(value: float, closer: float, wider: float, instruments: Asked = kpi) -> str:
        def gathered(share: float) -> Any:
            return arranged(["a"], kpi.spans, [share_parts(kpi.spans, share)])

        limits = MovedLimits(closer=gathered(closer), wider=gathered(wider))
        return str(entry_of(instruments, gathered(value), {None: limits})["verdict"])

    assert judged(0.97, 0.95, 0.99) == "met"
    assert judged(0.97, 0.94, 0.99) == "inconclusive"
    assert judged(0.93, 0.90, 0.949) == "not_met"
    assert judged(0.93, 0.90, 0.951) == "inconclusive"
    without = replace(kpi, instruments={"a": instrument_of(channel("ug/m^3"))})
    assert judged(0.93, 0.90, 0.99, without) == "not_met"


def test_limits_that_meet_leave_nothing_between_them() -> None:
    band = instrument_of(channel("degC", absolute="2 degC", certificate="K")).against
    assert band is not None
    share = Share.model_validate({"while": {"channel": "temp", "value": "20..23 degC"}})
    closer, wider = moved(share, [channel("degC")], band)
    assert closer is None
    assert wider.while_.bounds is not None and (wider.while_.bounds.low, wider.while_.bounds.high) == (18.0, 25.0)


def test_what_the_platform_counts_has_no_guard_band() -> None:
    kpi = asked(SHARE, ">= 95 %", {"a": channel("ug/m^3")})
    counted = replace(
        kpi,
        instruments={},
        kpi=Kpi.model_validate(
            {"name": "n", "measure": {"availability": {}}, "target": ">= 95 %", "decision": "guarded"}
        ),
    )
    from kpi.measures.availability import AvailabilityPart, States

    part = AvailabilityPart(states=States(up=((0, 96),), down=((96, 100),), left_out=(), unknown=()), n=1)
    entry = entry_of(counted, arranged(["a"], kpi.spans, [[part] * len(kpi.spans.all)]))
    assert (entry["verdict"], entry["uncertainty"]) == ("met", None)
    assert "계측기 불확도 없음" in entry["why"]["ko"]


def test_a_percentile_of_a_year_is_guarded_as_a_share() -> None:
    """The limit moves by the uncertainty, and with it the share that keeps it."""
    certified = {"a": channel("ms", absolute="500 ms", certificate="K")}
    kpi = asked({"statistic": {"channel": "delay", "stat": "p95"}}, "<= 4 s", certified, days=366, scope="capability")
    values = np.random.default_rng(2).exponential(1000.0, 8784)
    entry = entry_of(kpi, arranged(["a"], kpi.spans, [readings(kpi.spans, values)]))
    assert entry["verdict"] == "met"
    assert entry["uncertainty"]["against"] == pytest.approx(0.5)
    tight = asked(
        {"statistic": {"channel": "delay", "stat": "p95"}}, "<= 3.3 s", certified, days=366, scope="capability"
    )
    assert (values <= 3300).mean() > 0.955 > 0.95 > (values <= 2800).mean()
    assert entry_of(tight, arranged(["a"], kpi.spans, [readings(kpi.spans, values)]))["verdict"] == "inconclusive"
    confident = replace(tight, kpi=tight.kpi.model_copy(update={"decision": "confident"}))
    assert entry_of(confident, arranged(["a"], kpi.spans, [readings(kpi.spans, values)]))["verdict"] == "met"


def test_means_of_slots_carry_the_mean_of_their_bands() -> None:
    """Errors of two instruments may point the same way: never √2 smaller."""
    certified = channel("degC", **CERTIFIED)
    kpi = asked(MEAN, ">= 20 degC", {"a": certified, "b": certified}, group="mean")
    units = [readings(kpi.spans, np.full(1000, value)) for value in (20.0, 21.2)]
    entry = entry_of(kpi, arranged(["a", "b"], kpi.spans, units))
    assert entry["value"] == pytest.approx(20.6)
    assert entry["uncertainty"]["against"] == pytest.approx(0.5)
    assert entry["verdict"] == "met"

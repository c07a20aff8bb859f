"""Intervals against published numbers, and against simulation where only chance can tell."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import signal, stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.rates import confint_poisson

from kpi.intervals import (
    Block,
    clopper_pearson,
    clustered_mean,
    dispersion,
    effective_sample,
    mean_interval,
    poisson_mean,
    share_interval,
    wilson,
)
from kpi.measurement import AsShare, Counts, Measurement
from kpi.sampling import YEAR_S, lacking, sampling_interval, share_form_interval

WEEK_S = 604_800.0


@pytest.mark.parametrize(("successes", "trials"), [(0, 7), (3, 7), (7, 7), (484, 500)])
def test_clopper_pearson_is_scipys(successes: int, trials: int) -> None:
    other = stats.binomtest(successes, trials).proportion_ci(confidence_level=0.9, method="exact")
    assert clopper_pearson(successes, trials, 0.05) == pytest.approx((other.low, other.high), abs=1e-12)


@pytest.mark.parametrize(("successes", "trials"), [(0, 9), (1, 29), (59, 59), (81, 263), (484, 500), (999, 1000)])
@pytest.mark.parametrize("alpha", [0.05, 0.025, 0.05 / 12])
def test_proportions_are_those_of_statsmodels(successes: int, trials: int, alpha: float) -> None:
    for ours, method in ((clopper_pearson, "beta"), (wilson, "wilson")):
        theirs = proportion_confint(successes, trials, alpha=2 * alpha, method=method)
        assert ours(successes, trials, alpha) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("count", [0, 1, 4, 37, 2190])
@pytest.mark.parametrize("alpha", [0.05, 0.0125])
def test_counts_are_those_of_statsmodels(count: int, alpha: float) -> None:
    theirs = confint_poisson(count, 1.0, method="exact-c", alpha=2 * alpha)
    low, high = (
        max(float(end), 0.0) if np.isfinite(end) else 0.0 for end in theirs
    )  # its lower end of 0 is not a number
    assert poisson_mean(count, alpha) == pytest.approx((low, high), rel=1e-10)


@pytest.mark.parametrize(("failures", "low_h"), [(0, 2003.0), (1, 1264.8), (5, 570.8)])
def test_the_mean_time_between_failures_has_chi_square_bounds(failures: int, low_h: float) -> None:
    """6,000 h: hours/2.996 without a failure; else 2T / χ²(0.95; 2r + 2), as IEC 60605-4 has it."""
    counts = Counts(count=failures, most=failures, exposure=6000.0, days=(), independent=True, per_event=True)
    value = 6000.0 / failures if failures else None
    found = sampling_interval(
        Measurement(value=value, unit="h", n=failures, completeness=1.0, counts=counts), 0.05, window_s=1e7
    )
    assert found is not None
    assert found.low == pytest.approx(12_000 / stats.chi2.ppf(0.95, 2 * failures + 2), rel=1e-12)
    assert found.low == pytest.approx(low_h, rel=1e-3)
    assert found.high == (np.inf if not failures else pytest.approx(12_000 / stats.chi2.ppf(0.05, 2 * failures)))


def test_what_the_confident_rule_means_at_planning() -> None:
    """T = 95 %, a true 97 %, n = 300: met in 45 % of cases, open in the other 55 %."""
    counts = np.arange(301)
    chance = stats.binom.pmf(counts, 300, 0.97)
    ends = [clopper_pearson(int(k), 300, 0.05) for k in counts]
    met = sum(p for p, (low, _) in zip(chance, ends, strict=True) if low >= 0.95)
    not_met = sum(p for p, (_, high) in zip(chance, ends, strict=True) if high < 0.95)
    assert met == pytest.approx(0.45, abs=0.01)
    assert 1 - met - not_met == pytest.approx(0.55, abs=0.01)


@pytest.mark.parametrize(("n", "target"), [(100, 0.95), (300, 0.95), (1000, 0.95), (500, 0.99)])
def test_clopper_pearson_never_passes_more_than_five_percent_falsely(n: int, target: float) -> None:
    counts = np.arange(n + 1)
    passed = np.array([clopper_pearson(int(k), n, 0.05)[0] >= target for k in counts])
    assert float(stats.binom.pmf(counts, n, target)[passed].sum()) <= 0.05


def test_wilson_would_pass_more() -> None:
    """Why it is for display only: 6.9 % false passes at T = 95 %."""
    counts = np.arange(53)
    passed = np.array([wilson(int(k), 52, 0.05)[0] >= 0.95 for k in counts])
    assert float(stats.binom.pmf(counts, 52, 0.95)[passed].sum()) == pytest.approx(0.069, abs=0.001)


def test_poisson_bounds_are_the_definition() -> None:
    low, high = poisson_mean(4, 0.05)
    assert stats.poisson.sf(3, low) == pytest.approx(0.05, abs=1e-9)
    assert stats.poisson.cdf(4, high) == pytest.approx(0.05, abs=1e-9)
    assert poisson_mean(0, 0.05) == (0.0, pytest.approx(2.9957, abs=1e-4))


# --- Events that cluster by day


def _days(seed: int, days: int, a_day: int, correlation: float, share: float, runs: int) -> NDArray[np.int64]:
    """Successes of each day, beta-binomial: correlated within a day, independent between days."""
    rng = np.random.default_rng(seed)
    if correlation == 0:
        return rng.binomial(a_day, share, size=(runs, days))
    spread = 1 / correlation - 1
    return rng.binomial(a_day, rng.beta(share * spread, (1 - share) * spread, size=(runs, days)))


def _passes(successes: NDArray[np.int64], a_day: int, *, clustered: bool, target: float = 0.95) -> float:
    met = 0
    for run in successes:
        trials = float(a_day * len(run))
        size = effective_sample([(int(k), a_day) for k in run], 0.05).trials if clustered else trials
        met += clopper_pearson(run.sum() / trials * size, size, 0.05)[0] >= target
    return met / len(successes)


def test_counting_clustered_events_as_independent_passes_falsely() -> None:
    """Twenty missions a day, intraclass correlation 0.1, a product exactly at 95 %: 16 % instead of 5 %."""
    assert _passes(_days(1, 60, 20, 0.1, 0.95, 1500), 20, clustered=False) == pytest.approx(0.16, abs=0.03)


@pytest.mark.parametrize(
    ("days", "a_day", "correlation"),
    [(60, 20, 0.1), (60, 20, 0.3), (30, 20, 0.3), (90, 5, 0.3), (10, 20, 0.3), (60, 20, 0.0)],
)
def test_the_effective_sample_keeps_false_passes_below_seven_percent(days: int, a_day: int, correlation: float) -> None:
    runs = 600
    rate = _passes(_days(2, days, a_day, correlation, 0.95, runs), a_day, clustered=True)
    assert rate <= 0.07 + 2 * (0.07 * 0.93 / runs) ** 0.5


def test_the_effective_sample_still_passes_what_is_good() -> None:
    assert _passes(_days(3, 90, 20, 0.05, 0.985, 300), 20, clustered=True) > 0.9


def test_one_event_a_day_does_not_cluster() -> None:
    found = effective_sample([(1, 1)] * 95 + [(0, 1)] * 5, 0.05)
    assert found.design_effect == 1
    assert found.trials == pytest.approx(100)


@pytest.mark.parametrize("days", [[(1, 1)], [(0, 1)], [(5, 5)], [(0, 5)], [(3, 5)], [(1, 1), (0, 1)]])
def test_few_events_give_a_sample_of_at_most_themselves(days: list[tuple[int, int]]) -> None:
    found = effective_sample(days, 0.05)
    assert 0 < found.trials <= sum(n for _, n in days)
    assert np.isfinite(found.trials)


# --- Series whose neighbours correlate


def _hourly(seed: int, weeks: int, phi: float, runs: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((runs, weeks * 168)) * (1 - phi**2) ** 0.5
    noise[:, 0] = rng.standard_normal(runs)
    found: NDArray[np.float64] = signal.lfilter([1], [1, -phi], noise, axis=1)
    return found


def _blocks(values: NDArray[np.float64]) -> list[Block]:
    return [Block(at_s=(i + 0.5) * WEEK_S, weight=1, value=float(v)) for i, v in enumerate(values)]


def test_a_naive_interval_covers_a_third() -> None:
    """φ = 0.9, n = 720: t over hourly readings covers 35 % of the time instead of 95 %, daily means 88 %."""
    series = _hourly(4, 5, 0.9, 1500)[:, :720]

    def covered(values: NDArray[np.float64]) -> float:
        n = values.shape[1]
        half = stats.t.isf(0.025, n - 1) * values.std(axis=1, ddof=1) / n**0.5
        return float((np.abs(values.mean(axis=1)) <= half).mean())

    assert covered(series) == pytest.approx(0.35, abs=0.04)
    assert covered(series.reshape(-1, 30, 24).mean(axis=2)) == pytest.approx(0.88, abs=0.03)


@pytest.mark.parametrize(("weeks", "phi"), [(8, 0.9), (13, 0.95), (52, 0.95)])
def test_weekly_means_pass_falsely_at_most_seven_percent(weeks: int, phi: float) -> None:
    runs = 400
    series = _hourly(5, weeks, phi, runs).reshape(runs, weeks, 168).mean(axis=2)
    passed = 0
    for run in series:
        found = mean_interval(float(run.mean()), _blocks(run), 0.05, window_s=weeks * WEEK_S)
        assert found is not None
        passed += found.low >= 0
    assert passed / runs <= 0.07 + 2 * (0.07 * 0.93 / runs) ** 0.5


@pytest.mark.parametrize(("weeks", "target"), [(8, 0.95), (13, 0.99), (52, 0.95), (52, 0.99)])
def test_weekly_shares_pass_falsely_at_most_seven_percent(weeks: int, target: float) -> None:
    """A plain t interval over the same weeks passes 15 to 30 % falsely at 99 %."""
    runs = 400
    held = _hourly(6, weeks, 0.95, runs) <= stats.norm.ppf(target)
    passed = 0
    for run in held.reshape(runs, weeks, 168).mean(axis=2):
        found = share_interval(float(run.mean()), _blocks(run), 0.05, window_s=weeks * WEEK_S)
        assert found is not None
        passed += found.low >= target
    assert passed / runs <= 0.07 + 2 * (0.07 * 0.93 / runs) ** 0.5


def test_the_yearly_swing_is_no_chance() -> None:
    rng = np.random.default_rng(7)
    phase = (np.arange(52) + 0.5) * 2 * np.pi * 7 / 365.2425
    blocks = _blocks(20 + 10 * np.cos(phase) + rng.standard_normal(52))
    found = mean_interval(20.0, blocks, 0.05, window_s=52 * WEEK_S)
    naive = mean_interval(20.0, blocks, 0.05, window_s=10 * WEEK_S)
    assert found is not None and naive is not None
    assert found.high - found.low < 0.6
    assert naive.high - naive.low > 3


@pytest.mark.parametrize("weeks", [8, 20, 25])
def test_weekly_means_are_scipys_t_interval(weeks: int) -> None:
    value = np.random.default_rng(8).normal(20, 3, weeks)
    found = mean_interval(float(value.mean()), _blocks(value), 0.05, window_s=weeks * WEEK_S)
    theirs = stats.t.interval(0.9, weeks - 1, loc=value.mean(), scale=stats.sem(value))
    assert found is not None
    assert (found.low, found.high) == pytest.approx(theirs, rel=1e-12)


def test_the_annual_harmonic_is_that_of_least_squares() -> None:
    """The residual spread of statsmodels' regression on one annual harmonic, over 52 weeks."""
    weeks = 52
    at_s = (np.arange(weeks) + 0.5) * WEEK_S
    phase = at_s * 2 * np.pi / (365.2425 * 86_400)
    value = 20 + 8 * np.cos(phase - 1) + np.random.default_rng(9).normal(0, 2, weeks)
    fitted = sm.OLS(value, sm.add_constant(np.column_stack([np.cos(phase), np.sin(phase)]))).fit()
    half = stats.t.isf(0.05, weeks - 3) * np.sqrt(fitted.scale / weeks)
    found = mean_interval(float(value.mean()), _blocks(value), 0.05, window_s=weeks * WEEK_S)
    assert found is not None
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=1e-9)


def test_the_dispersion_of_daily_counts_is_pearsons() -> None:
    """Against statsmodels' Poisson regression with exposure; the prior has the weight of three days."""
    rng = np.random.default_rng(10)
    exposure = rng.uniform(10, 24, 60)
    events = rng.negative_binomial(4, 0.5, 60)
    fitted = sm.GLM(events, np.ones(60), family=sm.families.Poisson(), exposure=exposure).fit()
    telling = int((events > 0).sum())
    expected = (telling * fitted.pearson_chi2 / 59 + 3 * 2.0) / (telling + 3)
    days = list(zip(events.tolist(), exposure.tolist(), strict=True))
    assert dispersion(days, 0.05).factor == pytest.approx(expected, rel=1e-6)
    count = int(events.sum())
    low, high = clustered_mean(count, days, 0.05)
    exact_low, exact_high = poisson_mean(count, 0.05)
    assert low < exact_low and high > exact_high


def test_a_percentile_of_less_than_a_year_has_no_interval_and_says_so() -> None:
    blocks = tuple(_blocks(np.linspace(0.94, 0.99, 52)))
    form = AsShare(share=0.965, at_least=0.95, fill_low=0.965, fill_high=0.965, blocks=blocks)
    found = Measurement(value=4.0, unit="s", n=9, completeness=1.0, as_share=form)
    assert share_form_interval(found, 0.05, window_s=YEAR_S) is not None
    assert share_form_interval(found, 0.05, window_s=YEAR_S - 1) is None
    assert lacking(found, window_s=YEAR_S - 1) == "under_a_year"


@pytest.mark.parametrize("weeks", [0, 1, 7])
def test_fewer_than_eight_weeks_have_no_interval(weeks: int) -> None:
    blocks = _blocks(np.linspace(0.9, 1, weeks))
    assert mean_interval(0.95, blocks, 0.05, window_s=weeks * WEEK_S) is None
    assert share_interval(0.95, blocks, 0.05, window_s=weeks * WEEK_S) is None


def test_weeks_without_data_are_no_weeks() -> None:
    blocks = [*_blocks(np.linspace(0.9, 1, 7)), Block(at_s=0.0, weight=0.0, value=0.0)]
    assert mean_interval(0.95, blocks, 0.05, window_s=8 * WEEK_S) is None


@pytest.mark.parametrize("value", [0.0, 1.0, 0.5])
def test_constant_weeks_have_a_finite_interval(value: float) -> None:
    found = share_interval(value, _blocks(np.full(30, value)), 0.05, window_s=30 * WEEK_S)
    assert found is not None
    assert 0 <= found.low <= value <= found.high <= 1
    assert found.low < found.high

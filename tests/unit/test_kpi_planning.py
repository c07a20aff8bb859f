"""Planning help: chances against sums by hand, published minimal samples, and what a plan is warned of."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from core.canonical import canonical_json
from devices.plan.problem import PlanProblems
from devices.plan.reader import read_plan
from kpi.planning import Outlook, Planning, assumptions, plain, planning, told, warnings
from kpi.planning.texts import ASSUMED, CAUTIONS
from pilotbed.cli import run

PLAN = """
pilot: hall
title: 시험
kind: rnd
company: {{id: c, name: C}}
site: {{id: s, name: S}}
period: {{start: 2026-03-01, end: {end}, timezone: Asia/Seoul}}
evaluation: {{interim: [{interim}], data_until: {end}, meeting: {end}}}
product: {{name: P}}
{more}
slots:
  a: &slot
    device: {{serial: A-1}}
    channels:
      temp: {{unit: degC, period: 60 s, {uncertainty}}}
      co2: {{unit: ppm, period: 60 s}}
      delay: {{unit: ms, period: 60 s}}
      odo: {{kind: counter, unit: km, period: 60 s}}
    events:
      mission: {{numbered: true, phased: true}}
      incident: {{}}
  b: {{<<slot>>}}
kpis:
{kpis}
"""
TRIALS = "measure: {event_ratio: {event: mission, success: {ok: true}, designed: true}}"
DAILY = "measure: {event_ratio: {event: mission, success: {ok: true}}}"


def source(kpis: str, *, end: str = "2027-03-01", interim: str = "", more: str = "", uncertainty: str = "") -> bytes:
    lines = "\n".join(f"  {line}" for line in kpis.strip().splitlines())
    text = PLAN.format(kpis=lines, end=end, interim=interim, more=more, uncertainty=uncertainty)
    return text.replace("  b: {<<slot>>}\n", "").encode()


def looked(kpis: str, **changes: Any) -> Planning:
    return planning(read_plan(source(kpis, **changes)).plan)


def one(kpi: str, **changes: Any) -> Outlook:
    (found,) = looked(f"k: {{name: 지표, {kpi}}}", **changes).outlooks
    return found


def codes(found: Outlook) -> list[str]:
    return [caution.code for caution in found.warnings]


def chances(found: Outlook, name: str) -> tuple[float, float, float]:
    level = next(level for level in found.levels if level.name == name)
    return level.chances.met, level.chances.open, level.chances.not_met


# --- Exact


def test_the_catalogues_example() -> None:
    """T = 95 %, a true 97 %, n = 300: confident meets in 45 % of cases and leaves 55 % open."""
    found = one(f'{TRIALS}, target: ">= 95 %", scope: capability, planned: {{n: 300}}')
    assert found.method == "exact"
    assert [level.value for level in found.levels] == [97.0, 95.0, 93.0]
    met, open_, not_met = chances(found, "better")
    assert met == pytest.approx(0.45, abs=0.01)
    assert open_ == pytest.approx(0.55, abs=0.01)
    assert met + open_ + not_met == pytest.approx(1)
    assert chances(found, "at")[0] <= 0.05
    assert codes(found) == []


def test_estimate_passes_a_product_at_its_target_in_about_half() -> None:
    found = one(f'{TRIALS}, target: ">= 95 %", planned: {{n: 300}}')
    assert chances(found, "at")[0] == pytest.approx(stats.binom.sf(284, 300, 0.95), abs=1e-9)
    assert chances(found, "at")[0] == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize(("target", "least"), [(90, 29), (95, 59), (99, 299), (99.9, 2995)])
def test_a_sample_too_small_to_show_anything_is_warned_of(target: float, least: int) -> None:
    """Worked numbers from outside, 4: the smallest samples that show a target without a failure."""
    kpi = f'{TRIALS}, target: ">= {target:g} %", scope: capability, planned: {{n: {{n}}}}'
    enough, short = (one(kpi.replace("{n}", str(n))) for n in (least, least - 1))
    assert codes(enough) == []
    assert codes(short) == ["cannot_show_least"]
    assert short.warnings[0].values["least"] == least
    assert f"{least:,}" in told(short.warnings[0], "ko", short)
    assert all(chances(short, level.name)[0] == 0 for level in short.levels)


def test_with_interim_looks_it_takes_more() -> None:
    """Two looks are made at 2.5 % each: log 0.025 / log 0.95 is 71.9."""
    kpi = f'{TRIALS}, target: ">= 95 %", scope: capability, planned: {{n: 59}}'
    found = one(kpi, interim="2026-09-01")
    assert codes(found) == ["cannot_show_least"]
    assert found.warnings[0].values["least"] == 72


def test_without_a_number_of_events_there_are_no_chances() -> None:
    found = one(f'{TRIALS}, target: ">= 95 %", scope: capability')
    assert (found.method, found.levels) == ("none", ())
    assert codes(found) == ["no_n_least"]
    assert "59" in told(found.warnings[0], "en", found)


def test_failures_by_the_poisson_sum() -> None:
    """8,760 h: without a failure L = 8760/2.996 = 2,924 h; with one, 1,847 h. So 2,000 h needs none."""
    found = one('measure: {mtbf: {event: incident}}, target: ">= 2000 h"')
    assert found.n == pytest.approx(8760)
    for level in found.levels:
        assert level.chances.met == pytest.approx(stats.poisson.pmf(0, 8760 / level.value), abs=1e-9)
    short = one('measure: {mtbf: {event: incident}}, target: ">= 3000 h"')
    assert codes(short) == ["cannot_show"]


def test_rates_by_the_poisson_sum() -> None:
    kpi = "measure: {event_rate: {event: incident, per: 1 d, independent: true}}, target: '<= 0.1 건/d', scope: capability"
    found = one(kpi)
    allowed = max(k for k in range(40) if stats.chi2.ppf(0.95, 2 * k + 2) / 2 <= 36.5)
    better = found.levels[0]
    assert better.value == pytest.approx(0.06)
    assert better.chances.met == pytest.approx(stats.poisson.cdf(allowed, 0.06 * 365), abs=1e-9)


def test_the_worst_of_two_slots_must_both_meet() -> None:
    plan = source(
        f'k: {{name: n, {TRIALS}, target: ">= 95 %", scope: capability, group: worst, planned: {{n: 600}}}}'
    ).decode()
    second = plan[plan.index("  a: &slot") : plan.index("kpis:")].replace("  a: &slot", "  b:").replace("A-1", "B-1")
    (both,) = planning(read_plan(plan.replace("kpis:", second + "kpis:").encode()).plan).outlooks
    alone = one(f'{TRIALS}, target: ">= 95 %", scope: capability, planned: {{n: 300}}')
    assert chances(both, "better")[0] == pytest.approx(chances(alone, "better")[0] ** 2)


# --- Simulated


def test_a_simulation_agrees_with_the_sum_where_events_do_not_cluster() -> None:
    kpi = 'target: ">= 95 %", scope: capability, planned: {n: 600, days: 300, correlation: 0}'
    simulated = one(f"{DAILY}, {kpi}")
    exact = one(f'{TRIALS}, target: ">= 95 %", scope: capability, planned: {{n: 600}}')
    assert simulated.method == "simulated"
    assert chances(simulated, "worse")[2] == pytest.approx(chances(exact, "worse")[2], abs=0.12)
    assert chances(simulated, "at")[0] <= 0.09


def test_clusters_cost_power() -> None:
    kpi = f'{DAILY}, target: ">= 95 %", scope: capability, planned: {{n: 3000, days: 150, correlation: {{icc}}}}'
    loose, alike = (one(kpi.replace("{icc}", str(icc))) for icc in (0.02, 0.3))
    assert chances(loose, "better")[0] > chances(alike, "better")[0] + 0.2


def test_the_same_plan_has_the_same_chances() -> None:
    kpis = f'k: {{name: 지표, {DAILY}, target: ">= 95 %", scope: capability, planned: {{n: 600}}}}'
    assert canonical_json(plain(looked(kpis))) == canonical_json(plain(looked(kpis)))


@pytest.mark.parametrize(
    ("measure", "target"),
    [
        ('{share: {while: {channel: temp, value: "<= 26 degC"}}}', ">= 95 %"),
        ("{availability: {}}", ">= 99 %"),
        ("{statistic: {channel: temp, stat: mean}}", "<= 26 degC"),
        ("{statistic: {channel: delay, stat: p95}}", "<= 5 s"),
    ],
)
def test_series_over_a_year(measure: str, target: str) -> None:
    found = one(f'measure: {measure}, target: "{target}", scope: capability')
    assert found.method == "simulated"
    assert chances(found, "better")[0] > 0.25
    assert chances(found, "at")[0] <= 0.10
    assert chances(found, "worse")[0] <= 0.01
    assert assumptions(found, "ko") and assumptions(found, "en")


def test_what_happened_is_judged_without_chance() -> None:
    found = one('measure: {statistic: {channel: temp, stat: max}}, target: "<= 40 degC"')
    assert [chances(found, name)[0] for name in ("better", "at", "worse")] == [1, 1, 0]


def test_levels_may_be_written_in_the_plan() -> None:
    kpi = f'{TRIALS}, target: ">= 95 %", scope: capability, planned: {{n: 300, better: 99 %, worse: 0.9}}'
    found = one(kpi)
    assert [level.value for level in found.levels] == [99.0, 95.0, 90.0]
    assert chances(found, "better")[0] > 0.95
    other = one('measure: {statistic: {channel: temp, stat: max}}, target: "<= 40 degC", planned: {better: 5 km}')
    assert codes(other) == ["planned_unit"]
    assert other.levels[0].value == 36.0


# --- Warnings


@pytest.mark.parametrize(
    ("measure", "target", "end", "code"),
    [
        ("{statistic: {channel: temp, stat: max}}", "<= 40 degC", "2027-03-01", "cannot_show_no_interval"),
        ("{statistic: {channel: delay, stat: p95}}", "<= 5 s", "2027-02-01", "cannot_show_under_a_year"),
        ("{statistic: {channel: temp, stat: mean}}", "<= 26 degC", "2026-04-10", "cannot_show_few_weeks"),
        ("{availability: {}}", ">= 99 %", "2026-04-10", "cannot_show_few_weeks"),
        ("{availability: {}}", ">= 99.9 %", "2027-03-01", "cannot_show"),
        ("{count: {event: incident, independent: true}}", "== 0 건", "2027-03-01", "cannot_show"),
    ],
)
def test_what_no_sample_of_this_plan_can_show(measure: str, target: str, end: str, code: str) -> None:
    found = one(f'measure: {measure}, target: "{target}", scope: capability', end=end)
    assert codes(found) == [code]
    assert all(level.chances.met == 0 for level in found.levels)
    decided = one(f'measure: {measure}, target: "{target}", decision: estimate', end=end)
    assert codes(decided) == []


def test_an_unknown_instrument_decides_nothing() -> None:
    found = one('measure: {statistic: {channel: co2, stat: mean}}, target: "<= 1000 ppm", decision: guarded')
    assert codes(found) == ["cannot_show_no_uncertainty"]
    assert all(level.chances.open == 1 for level in found.levels)


def test_uncertainty_that_swallows_the_margin() -> None:
    mean = "measure: {statistic: {channel: temp, stat: mean}}"
    certified = "uncertainty: {absolute: 3 degC, certificate: K}"
    guarded = one(f'{mean}, target: "<= 26 degC", decision: guarded', uncertainty=certified)
    assert codes(guarded) == ["uncertainty_swallows"]
    assert "3.00 °C" in told(guarded.warnings[0], "ko", guarded)
    unseen = one(f'{mean}, target: "<= 26 degC"', uncertainty=certified)
    assert codes(unseen) == ["uncertainty_unseen"]
    narrow = one(f'{mean}, target: "20..22 degC", decision: guarded', uncertainty=certified)
    assert codes(narrow) == ["cannot_show_guard", "uncertainty_swallows"]
    fine = one(
        f'{mean}, target: "<= 26 degC", decision: guarded',
        uncertainty="uncertainty: {absolute: 0.1 degC, certificate: K}",
    )
    assert codes(fine) == []
    wide = one(f'{mean}, target: "<= 26 degC", decision: guarded, planned: {{better: 20 degC}}', uncertainty=certified)
    assert codes(wide) == []


def test_weights_that_do_not_come_to_100_are_warned_of() -> None:
    partly = f'k: {{name: n, {TRIALS}, target: ">= 95 %", planned: {{n: 300}}, weight: 90}}'
    for more in ("", "overall: {rule: weighted}"):
        (caution,) = looked(partly, more=more).warnings
        assert caution.code == "weights"
        assert (
            told(caution, "en") == "The weights come to 90: they should come to 100. Scores are divided by their sum."
        )
        assert told(caution, "ko") == "가중치의 합이 90입니다: 100이 되게 쓰십시오. 점수는 합으로 나누어 냅니다."


def test_more_than_two_percent_left_out_is_warned_of() -> None:
    kpi = f'k: {{name: n, {TRIALS}, target: ">= 95 %", planned: {{n: 300}}}}'
    (caution,) = looked(kpi, more="exclusions: {most: 5}").warnings
    assert caution.code == "exclusions_most" and "5 %" in told(caution, "ko") and "7 to 48 %" in told(caution, "en")
    assert looked(kpi, more="exclusions: {most: 2, ask_within: 3}").warnings == ()


def test_a_plan_without_weights_cannot_be_scored() -> None:
    with pytest.raises(PlanProblems) as refused:
        looked(f'k: {{name: n, {TRIALS}, target: ">= 95 %", planned: {{n: 300}}}}', more="overall: {rule: weighted}")
    (problem,) = refused.value.problems
    assert (problem.code, problem.path) == ("weights-none", "overall.rule")
    whole = f'k: {{name: n, {TRIALS}, target: ">= 95 %", planned: {{n: 300}}, weight: 100}}'
    assert looked(whole, more="overall: {rule: weighted}").warnings == ()
    assert [c.code for c in looked(whole, more="overall: {rule: all_required}").warnings] == ["none_required"]


def test_a_ratio_of_temperatures_is_warned_of() -> None:
    kpi = 'k: {name: n, measure: {statistic: {channel: temp, stat: max}}, target: "<= 40 degC", weight: 100}'
    assert [c.code for c in looked(kpi, more="overall: {rule: weighted}").warnings] == ["score_of_temperature"]
    assert looked(kpi, more="overall: {rule: weighted, formula: {smaller: met}}").warnings == ()


def test_every_promise_of_a_kpi_is_looked_at() -> None:
    kpis = """
safety: {name: 안전, scope: capability, planned: {n: 5}, all: [{measure: {event_rate: {event: incident, per: {increase: odo}, independent: true}}, target: "<= 1 / (1000 km)"}, {measure: {count: {event: incident, independent: true}}, target: "<= 3 건"}]}
"""  # noqa: E501 - plan text
    found = looked(kpis)
    assert [(o.id, o.part) for o in found.outlooks] == [("safety", 0), ("safety", 1)]
    # Five collisions are expected at the target, so it is about 5,000 km: of one the upper bound is 4.74, of two 6.30.
    assert chances(found.outlooks[0], "better")[0] == pytest.approx(stats.poisson.cdf(1, 3.0), abs=1e-9)


@pytest.mark.parametrize("code", CAUTIONS)
def test_every_caution_is_told_in_both_languages(code: str) -> None:
    from kpi.planning import Caution

    outlook = one(f'{TRIALS}, target: ">= 95 %", scope: capability, planned: {{n: 50}}')
    values = {"found": "5 km", "least": 59, "n": 50, "bound": 94.2, "in_share": False, "band": 1.0, "margin": 0.5,
              "sum": 90.0, "kpis": "a", "most": 5.0, "usual": 2.0, "kpi": "a", "slot": "b",
              "until": "2026-05-01", "data_until": "2026-06-01"}  # fmt: skip
    for language in ("ko", "en"):
        text = told(Caution(code=code, values=values), language, replace(outlook))
        assert text.endswith(".") and "{band}" not in text and "None" not in text and "nan" not in text.lower()


def test_every_assumption_is_told_in_both_languages() -> None:
    assert all(len(texts) == 2 and all(texts) for texts in ASSUMED.values())


# --- The command


def test_the_command_shows_it_and_the_plan_stays_valid(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "plan.yaml"
    kpis = f'k: {{name: 탐지율, {TRIALS}, target: ">= 95 %", scope: capability, planned: {{n: 50}}}}'
    file.write_bytes(source(kpis))
    assert run(["plan", "check", str(file), "--lang", "ko"]) == 0
    seen = capsys.readouterr()
    assert "is valid" in seen.out and "97.0 %: 0 / 100 / 0" in seen.out and "최소 59건" in seen.out
    assert run(["plan", "check", str(file), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["valid"] is True and document["problems"] == []
    assert [(row["kpi"], row["code"]) for row in document["warnings"]] == [("k", "cannot_show_least")]
    levels = document["planning"]["kpis"][0]["levels"]
    assert [row["level"] for row in levels] == ["better", "at", "worse"]
    assert all(row["met"] + row["open"] + row["not_met"] == pytest.approx(1) for row in levels)
    assert run(["plan", "check", str(file), "--json", "--no-chances"]) == 0
    assert "planning" not in json.loads(capsys.readouterr().out)


def test_the_command_warns_of_weights_and_the_plan_stays_valid(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "plan.yaml"
    file.write_bytes(source(f'k: {{name: 탐지율, {TRIALS}, target: ">= 95 %", weight: 90, planned: {{n: 500}}}}'))
    for chances in ([], ["--no-chances"]):
        assert run(["plan", "check", str(file), "--lang", "ko", *chances]) == 0
        seen = capsys.readouterr().out
        assert "is valid" in seen and "주의: 가중치의 합이 90입니다" in seen
        assert run(["plan", "check", str(file), "--json", *chances]) == 0
        document = json.loads(capsys.readouterr().out)
        assert document["valid"] is True
        assert [(row["kpi"], row["code"]) for row in document["warnings"]] == [(None, "weights")]


def test_a_kpi_takes_about_a_second() -> None:
    kpis = """
share: {name: n, measure: {share: {while: {channel: temp, value: "<= 26 degC"}}}, target: ">= 95 %", scope: capability}
p95: {name: n, measure: {statistic: {channel: delay, stat: p95}}, target: "<= 5 s", scope: capability}
daily: {name: n, measure: {event_ratio: {event: mission, success: {ok: true}}}, target: ">= 95 %", scope: capability, planned: {n: 7000}}
many: {name: n, measure: {event_ratio: {event: mission, success: {ok: true}, designed: true}}, target: ">= 95 %", scope: capability, planned: {n: 100000}}
"""  # noqa: E501 - plan text
    plan = read_plan(source(kpis)).plan
    spent = time.process_time()
    planning(plan)
    assert (time.process_time() - spent) / len(plan.kpis) < 3  # a second where the machine is free


def test_warnings_say_which_kpi() -> None:
    found = looked(f'k: {{name: n, {TRIALS}, target: ">= 95 %", scope: capability, planned: {{n: 5}}}}')
    (row,) = warnings(found)
    assert row["kpi"] == "k" and row["ko"] and row["en"]
    assert np.isfinite(found.outlooks[0].levels[0].value)

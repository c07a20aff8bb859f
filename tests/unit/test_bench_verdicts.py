"""False passes at the target, in the simulations behind the table of docs/kpi.md: a smaller run of each kind."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pilotbed.bench.verdicts import LIMIT, Passed, bench_verdicts, cases, table
from pilotbed.cli import run

ROOT = Path(__file__).parents[2]
SEEDS = 400


@pytest.mark.parametrize(
    ("only", "naive_at_least"),
    [
        ("300 trials, 95 %", 0.0),
        ("10 events expected", 0.0),
        ("20 a day × 30 days, ICC 0.1, 95 %", 0.10),
        ("20 a day × 90 days, ICC 0.3, 95 %", 0.20),
        ("3 events a day × 90 days, dispersion 3", 0.12),
        ("mean, 52 weeks, φ 0.95", 0.25),
        ("share of time, 52 weeks, φ 0.95, 99 %", 0.25),
        ("p95, 53 weeks", 0.25),
        ("accuracy by relative error, 26 weeks", 0.25),
        ("r², 13 weeks", 0.25),
        ("drift, 26 weeks", 0.25),
        ("root mean square error, 20 pairs", 0.08),
    ],
)
def test_a_product_at_its_target_passes_falsely_no_more_often_than_it_may(only: str, naive_at_least: float) -> None:
    """Counting everything as independent breaks the same bound, so the simulation can tell."""
    found = bench_verdicts(SEEDS, only=only)
    assert found
    for one in found:
        error = 2 * (LIMIT[one.kind] * (1 - LIMIT[one.kind]) / SEEDS) ** 0.5
        assert one.judged <= LIMIT[one.kind] + error, one
        assert one.naive >= naive_at_least, one


def test_the_same_seeds_pass_the_same() -> None:
    assert bench_verdicts(100, only="59 trials") == bench_verdicts(100, only="59 trials")


def test_every_required_kind_is_simulated() -> None:
    names = [case.name for case in cases()]
    assert {case.kind for case in cases()} == set(LIMIT)
    assert any("ICC 0.3" in name for name in names)
    assert any(re.search(r"mean, 5\d weeks, φ 0\.95$", name) for name in names)


def test_too_many_false_passes_are_said() -> None:
    one = Passed(kind="weeks", name="x", seeds=2000, judged=0.08, naive=0.4, limit=0.07)
    assert not one.held and "exceeded" in table([one])


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "verdicts", "--seeds", "100", "--only", "29 trials", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["passed"] is True
    assert [(row["kind"], row["seeds"]) for row in document["cases"]] == [("independent", 100)]
    assert run(["bench", "verdicts", "--seeds", "100", "--only", "29 trials"]) == 0
    assert capsys.readouterr().out.startswith("| product exactly at its target |")


def test_the_documentation_has_a_row_for_every_case() -> None:
    text = (ROOT / "docs/kpi.md").read_text(encoding="utf-8")
    assert "pilotbed bench verdicts --seeds 2000" in text
    missing = [case.name for case in cases() if f": {case.name} |" not in text]
    assert missing == []

"""Degree days against an independent library: OpenDSM's daily model on its own sample buildings, within 1 percentage point."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from devices.plan.model import Kpi
from kpi.measured import measured
from kpi.measures.change_parts import Before, Beside, Cell, ChangePart
from kpi.measures.degree_days import fitted
from kpi.measures.integral import IntegralPart

FOLDER = Path(__file__).parents[1] / "opendsm"
SAMPLES = sorted(FOLDER.glob("*.csv"))
PYTHON = os.environ.get("PILOTBED_OPENDSM_PYTHON")
SCRIPT = """
import json, sys, warnings
warnings.filterwarnings("ignore")
import pandas as pd
from opendsm import eemeter as em
found = {}
for path in sys.argv[1:]:
    table = pd.read_csv(path)
    table.index = pd.to_datetime(table["day"]).dt.tz_localize("UTC")
    frame = table[["energy", "temperature_f"]].rename(columns={"energy": "observed", "temperature_f": "temperature"})
    rows = {}
    for model in ("current", "legacy"):
        before = em.DailyBaselineData(frame[table["window"] == "before"], is_electricity_data=True)
        after = em.DailyReportingData(frame[table["window"] == "after"], is_electricity_data=True)
        fit = em.DailyModel(model=model).fit(before, ignore_disqualification=True)
        use = fit.predict(after, ignore_disqualification=True).dropna(subset=["observed", "predicted"])
        rows[model] = 100 * (use["observed"].sum() / use["predicted"].sum() - 1)
    found[path.rsplit("/", 1)[-1]] = rows
print(json.dumps(found))
"""
CHANGE = {
    "of": {"integral": "meter"}, "baseline": {"window": ["2015-12-27", "2016-12-26"]},
    "normalise": {"degree_days": "fitted", "weather": {"slot": "a", "channel": "t"}, "cv_rmse": "60 %", "r2": 0.5},
}  # fmt: skip


def _rows(path: Path) -> list[tuple[date, float, float, bool]]:
    with path.open() as file:
        return [
            (
                date.fromisoformat(row["day"]),
                float(row["energy"]),
                (float(row["temperature_f"]) - 32) / 1.8,
                row["window"] == "before",
            )
            for row in csv.DictReader(file)
        ]


def _cell(energy: list[float]) -> Cell:
    s = 86_400.0 * len(energy)
    part = IntegralPart(
        integral=sum(energy) * 3600, covered_s=s, required_s=s, n=24 * len(energy), obtained=1, expected=1
    )
    return Cell(part=part, seconds=s, required_s=s)


def _by_the_measure(path: Path) -> Any:
    rows = _rows(path)
    kpi = Kpi.model_validate({"name": "k", "measure": {"change": CHANGE}, "target": "<= -5 %", "scope": "capability"})
    before, after = ([row for row in rows if row[3] is first] for first in (True, False))
    days = {first: {row[0]: _cell([row[1]]) for row in some} for first, some in ((True, before), (False, after))}
    beside = Beside(
        window=(before[0][0], before[-1][0] + timedelta(days=1)), window_s=365 * 86_400.0,
        weather={row[0]: row[2] for row in rows}, inner_unit="(kW)*s", level_unit="(kW)*s/d",
    )  # fmt: skip
    part = ChangePart(
        after=_cell([row[1] for row in after]), days=days[False], beside=beside, window_s=365 * 86_400.0,
        before=Before(whole=_cell([row[1] for row in before]), weeks=(), days=days[True]),
    )  # fmt: skip
    return measured(kpi, "%", [part])


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("model", ["current", "legacy"])
def test_savings_agree_with_opendsm_within_a_percentage_point(path: Path, model: str) -> None:
    expected = json.loads((FOLDER / "expected.json").read_text())["savings"][path.name][model]
    found = _by_the_measure(path)
    assert found.value == pytest.approx(expected, abs=1.0)
    assert abs(found.value - expected) < 0.25  # which is how near they are
    assert found.n == 365


@pytest.mark.skipif(not PYTHON, reason="PILOTBED_OPENDSM_PYTHON names no interpreter with opendsm")
def test_opendsm_still_says_what_the_fixture_says() -> None:
    assert PYTHON is not None
    ran = subprocess.run(
        [PYTHON, "-c", SCRIPT, *map(str, SAMPLES)], capture_output=True, text=True, timeout=400, check=True
    )
    expected = json.loads((FOLDER / "expected.json").read_text())["savings"]
    found = json.loads(ran.stdout.strip().splitlines()[-1])
    for name, rows in expected.items():
        assert found[name] == pytest.approx(rows, abs=1e-3)


def test_the_model_is_that_of_statsmodels() -> None:
    """Ordinary least squares with covariances clustered by week, by another library."""
    import statsmodels.api as sm

    rows = [row for row in _rows(SAMPLES[0]) if row[3]]
    warmth, energy = np.array([row[2] for row in rows]), np.array([row[1] for row in rows])
    weeks = [row[0].isocalendar()[:2] for row in rows]
    found = fitted(warmth, energy, weeks, (12.0, 20.0))
    assert found is not None and (found.heating, found.cooling) == (12.0, 20.0)
    design = sm.add_constant(np.stack([np.maximum(12 - warmth, 0), np.maximum(warmth - 20, 0)], axis=1))
    groups = [100 * year + week for year, week in weeks]
    other = sm.OLS(energy, design).fit(cov_type="cluster", cov_kwds={"groups": np.array(groups)})
    assert found.coefficients == pytest.approx(other.params, rel=1e-9)
    assert np.array(found.covariance) == pytest.approx(other.cov_params(), rel=1e-6)
    assert found.r2 == pytest.approx(other.rsquared)
    assert found.cv_rmse == pytest.approx((other.mse_resid**0.5) / energy.mean())

"""Agreement recomputed from the exported files alone, with pandas and scipy, by code that knows no other."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from core.database import Connection
from kpi.evaluate import evaluate
from kpi.records.outages import add_outage
from kpi.results import store
from telemetry.export import Ask, export
from tests.agreeing import START, UNTIL, agreement, beside, truth
from tests.evaluated import hours
from tests.recomputation.compare import differences
from tests.recomputation.folder import Folder

N = len(hours(START, UNTIL))


@pytest.mark.parametrize("scope", ["period", "capability"])
def test_every_statistic_comes_out_the_same(connection: Connection, tmp_path: Path, scope: str) -> None:
    """With a silent device, a silent reference, zeros, an outage of the site and days that count."""
    stats = (
        ("relative_error", "> 80 %"), ("mape", "< 20 %"), ("mae", "<= 5 ug/m^3"), ("rmse", "<= 0.005 mg/m^3"),
        ("bias", "-5..5 ug/m^3"), ("r2", "> 0.8"), ("p95", "<= 12 ug/m^3"), ("drift", "-5..5 %"),
    )  # fmt: skip
    more = ', hours: "06:00-22:00", where_reference: ">= 10 ug/m^3"'
    kpis = "\n".join(
        agreement(stat, target, name=f"{stat.replace('_', '-')}{place}", more=how, rest=f", scope: {scope}")
        for stat, target in stats
        for place, how in (("", ""), ("-b", more))
    )
    site = beside(connection, kpis)
    r, at_us = truth(N), hours(START, UNTIL)
    r[300:310] = 0.0
    x = np.round(r * 1.08 + np.random.default_rng(3).normal(0, 2, N), 1)
    mine, its = np.ones(N, dtype=bool), np.ones(N, dtype=bool)
    mine[1000:1100] = mine[2000:2050] = its[3000:3200] = False
    site.heard("a", "pm25", at_us[mine], x[mine])
    site.heard("bam", "pm25", at_us[its], np.round(r[its] / 1000, 6))
    start, end = (datetime.fromtimestamp(int(us) / 1e6, UTC) for us in (at_us[2000], at_us[2040]))
    add_outage(
        connection, "hall", start=start, end=end, cause="site", slots=("a",), agreed_by="S", note="n", who="cli:t"
    )
    site.summarised()
    store(connection, evaluate(connection, "hall", final=True), who="cli:test")
    store(connection, evaluate(connection, "hall", month="2025-06"), who="cli:test")
    export(connection, Ask(pilot="hall", format="parquet"), tmp_path / "out")
    folder = Folder(tmp_path / "out")
    assert differences(folder, "final", "2025-11-01", 1) == []
    assert differences(folder, "month", "2025-06", 1) == []

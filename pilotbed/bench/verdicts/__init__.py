"""Simulated pilots whose product is exactly at its target: how often they pass."""

from __future__ import annotations

from pilotbed.bench.verdicts.case import LIMIT
from pilotbed.bench.verdicts.run import Passed, bench_verdicts, cases, plain, table

__all__ = ["LIMIT", "Passed", "bench_verdicts", "cases", "plain", "table"]

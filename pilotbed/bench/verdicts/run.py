"""How often a product that is exactly at its target passes: simulated pilots, judged by the code that judges real ones.

A target that is met with 95 % confidence may be passed falsely in one case of twenty, whatever the data are like. Each seed
is one pilot; beside what is judged stands what passes if events, or readings, are counted as if they were independent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from kpi.decision import verdict
from kpi.evidence import evidence_of
from pilotbed.bench.verdicts import agreement, change, detection, readings, usual
from pilotbed.bench.verdicts.case import LIMIT, Case


def cases() -> list[Case]:
    """All cases, in the order of the table."""
    return [case for part in (usual, agreement, change, detection, readings) for case in part.cases()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """How often it passed."""

    kind: str
    name: str
    seeds: int
    judged: float
    """The share of pilots that are *met*."""
    naive: float
    """The same, with everything counted as independent."""
    limit: float

    @property
    def held(self) -> bool:
        return self.judged <= self.limit


def bench_verdicts(seeds: int, say: Callable[[str], None] = lambda _: None, only: str = "") -> list[Passed]:
    """Simulate every case with so many seeds.

    :param only: cases whose kind or name contains this.
    """
    found = []
    for number, case in enumerate(cases()):
        if only in case.kind or only in case.name:
            found.append(_simulated(case, number, seeds))
            say(f"{case.kind}, {case.name}: {100 * found[-1].judged:.1f} % passed")
    return found


def _simulated(case: Case, number: int, seeds: int) -> Passed:
    met = naive = 0
    for seed in range(seeds):
        measured, passes = case.pilot(np.random.default_rng([number, seed]))
        evidence, terms = evidence_of(case.asked, measured)
        met += verdict(evidence, terms).answer == "met"
        naive += passes
    limit = LIMIT[case.kind]
    if case.kind == "independent":
        limit += 2 * math.sqrt(limit * (1 - limit) / seeds)
    return Passed(kind=case.kind, name=case.name, seeds=seeds, judged=met / seeds, naive=naive / seeds, limit=limit)


# --- The table


_KINDS: Final = {
    "independent": "independent",
    "clustered": "events of daily operation",
    "weeks": "series, by weeks",
    "staged": "staged pairs",
}


def table(found: Sequence[Passed]) -> str:
    """The table of the documentation, as Markdown."""
    lines = ["| product exactly at its target | passes | counted as independent | at most |", "|---|---|---|---|"]
    for one in found:
        limit = f"{100 * one.limit:.1f} %" + ("" if one.held else " **exceeded**")
        lines.append(
            f"| {_KINDS[one.kind]}: {one.name} | {100 * one.judged:.1f} % | {100 * one.naive:.1f} % | {limit} |"
        )
    return "\n".join(lines)


def plain(found: Sequence[Passed]) -> dict[str, Any]:
    """As JSON."""
    return {
        "passed": all(one.held for one in found),
        "cases": [
            {
                "kind": one.kind,
                "case": one.name,
                "seeds": one.seeds,
                "false_passes": one.judged,
                "counted_as_independent": one.naive,
                "limit": one.limit,
                "held": one.held,
            }
            for one in found
        ],
    }

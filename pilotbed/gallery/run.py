"""Running an example: registered, loaded, judged, compared."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from core.database import Connection
from devices.registry import apply_plan
from kpi.evaluate import evaluate
from kpi.records.baselines import add_baseline, baseline_files
from kpi.records.documents import Paper
from kpi.records.manual import add_manual
from kpi.records.manual_table import given_of
from kpi.results import store
from pilotbed.gallery.example import Answer, Example
from pilotbed.loader import load_history
from simulators.gallery import STORIES
from telemetry.summarise import summarise

WHO: Final = "system:gallery"
_EXACT: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What an example came to."""

    example: Example
    entry: Mapping[str, Any]
    """The KPI's entry in the final evaluation."""
    differs: tuple[str, ...]
    """What is not as it was worked out; nothing if all is."""


def run(connection: Connection, example: Example) -> Ran:
    """Judge an example in a database that does not have it yet.

    :raises PermanentError: the plan, or what its site sent, is not taken.
    """
    plan = example.plan.plan
    apply_plan(connection, example.plan, who=WHO)
    load_history(connection, plan, STORIES[example.name](plan), datetime.now(UTC), lambda _: None)
    _hand_in(connection, example)
    while summarise(connection):
        pass
    result = evaluate(connection, plan.pilot, final=True)
    store(connection, result, who=WHO)
    entry = next(one for one in result.document["kpis"] if one["id"] == example.answer.kpi)
    return Ran(example=example, entry=entry, differs=_differences(entry, example.answer))


def _hand_in(connection: Connection, example: Example) -> None:
    """The baselines and what people observed, from the files beside the plan."""
    plan = example.plan.plan
    for kpi, wanted in baseline_files(plan):
        for name in dict.fromkeys(str(one.file) for one in wanted):
            add_baseline(connection, plan.pilot, kpi, name, (example.path.parent / name).read_bytes(), who=WHO)
    observed = example.path.with_suffix(".manual.csv")
    if observed.exists():
        content = observed.read_bytes()
        paper = Paper(name=observed.name, content=content)
        add_manual(connection, plan.pilot, given_of(content, plan), paper, who=WHO)


def _differences(entry: Mapping[str, Any], answer: Answer) -> tuple[str, ...]:
    found = []
    if entry["verdict"] != answer.verdict:
        found.append(f"verdict {entry['verdict']}, worked out {answer.verdict}")
    if entry["unit"] != answer.unit:
        found.append(f"unit {entry['unit']}, worked out {answer.unit}")
    if not _same(entry["value"], answer.value):
        found.append(f"value {entry['value']}, worked out {answer.value}")
    interval = entry["sampling"] or {}
    for end in ("low", "high"):
        wanted = getattr(answer, end)
        if wanted is not None and not _as_written(interval.get(end), wanted):
            found.append(f"{end} {interval.get(end)}, worked out {wanted}")
    return tuple(found)


def _same(value: float | None, wanted: float | None) -> bool:
    if value is None or wanted is None:
        return value is wanted
    return math.isclose(value, wanted, rel_tol=_EXACT, abs_tol=_EXACT)


def _as_written(value: float | None, wanted: float) -> bool:
    """Whether a bound, rounded to the digits that are written, is the one that was worked out."""
    digits = len(repr(wanted).partition(".")[2])
    return value is not None and round(value, digits) == wanted

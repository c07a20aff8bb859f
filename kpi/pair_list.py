"""The whole list of pairs behind one result, worked out again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from core.database import Connection
from core.errors import NotFound
from core.window import Window
from devices.plan.detection import detections
from devices.registry.queries import plan_of
from kpi.evaluate import evaluate
from kpi.inputs.reader import Reader
from kpi.judging import Judging
from kpi.pairs import digest, rows_of
from kpi.records.exclusions import Applied, exclusions
from kpi.records.outages import outages
from kpi.spans import spans
from telemetry.windows import snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class PairList:
    """Every pair, and the hash by which a result names them."""

    rows: Sequence[dict[str, Any]]
    sha256: str


def pairs_of(
    connection: Connection,
    pilot: str,
    key: str,
    *,
    month: str | None = None,
    at: date | None = None,
    final: bool = False,
    as_of: datetime | None = None,
) -> PairList:
    """The pairs that a result of these windows rests on, as :func:`kpi.evaluate.evaluate` judges them.

    :raises NotFound: no such pilot, or no such KPI with a detection.
    :raises PermanentError: the window is not one of the plan's, or is not over.
    """
    result = evaluate(connection, pilot, month=month, at=at, final=final, as_of=as_of)
    plan, _, _ = plan_of(connection, pilot, as_of=result.as_of)
    if key not in detections(plan.kpis):
        there = ", ".join(detections(plan.kpis)) or "none"
        raise NotFound(f"The plan of pilot {pilot} has no KPI {key!r} with a detection; it has: {there}.")
    whole = _window(result.document["window"])
    cut = spans(whole, None if result.document["month"] is None else _window(result.document["month"]), plan.zone)
    with snapshot(connection):
        counts = {one["exclusion_id"]: bool(one["counts"]) for one in result.document["exclusions"]}
        found = exclusions(connection, pilot, window=whole, as_of=result.as_of)
        reader = Reader(
            connection,
            pilot,
            whole,
            result.as_of,
            agreed=outages(connection, pilot, window=whole, as_of=result.as_of),
            exclusions=[Applied(exclusion=one, counts=counts[one.exclusion_id]) for one in found],
        )
        judging = Judging(reader, plan, cut, result.document["alpha"])
        part = next(one for one in plan.kpis[key].parts if one.measure.detection is not None)
        rows = rows_of(judging.gathered(part))
    return PairList(rows=rows, sha256=digest(rows))


def _window(written: dict[str, str]) -> Window:
    return Window(start=datetime.fromisoformat(written["start"]), end=datetime.fromisoformat(written["end"]))

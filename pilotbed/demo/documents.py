"""What the demo writes when it runs to its end: evaluations and opinions, as people get them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from core.database import Connection
from core.files import write_whole
from devices.plan.model import Plan
from kpi.evaluate import evaluate
from kpi.reports.gather import last_whole_month, opinion_data
from kpi.reports.opinion import opinion_pdf
from kpi.results import newest, store
from pilotbed.demo.pilots import WHO


def write_documents(connection: Connection, plan: Plan, folder: Path, say: Callable[[str], None]) -> None:
    """``evaluation.json`` of the interim date that has passed, and the last whole month's opinion."""
    folder.mkdir(parents=True, exist_ok=True)
    judged = evaluate(connection, plan.pilot, at=plan.evaluation.interim[0])
    store(connection, judged, who=WHO)
    text = json.dumps(judged.document, ensure_ascii=False, indent=1) + "\n"
    write_whole(folder / "evaluation.json", text.encode())
    month = last_whole_month(plan, datetime.now(UTC))
    store(connection, evaluate(connection, plan.pilot, month=month), who=WHO)
    result = newest(connection, plan.pilot, "month", month)
    assert result is not None
    write_whole(folder / f"opinion-{month}.pdf", opinion_pdf(opinion_data(connection, result)))
    verdicts = ", ".join(f"{kpi['id']} {kpi['verdict']}" for kpi in judged.document["kpis"])
    say(f"{plan.pilot}: {verdicts}")

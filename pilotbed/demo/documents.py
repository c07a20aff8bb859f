"""What the demo writes when it runs to its end: evaluations, opinions and evidence, as people get them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from core.database import Connection
from core.errors import NegativeAnswer
from core.files import write_whole
from devices.plan.model import Plan
from kpi.bundle.verify import verify
from kpi.bundle.write import bundle
from kpi.evaluate import evaluate
from kpi.reports.gather import last_whole_month, opinion_data
from kpi.reports.opinion import opinion_pdf
from kpi.results import newest, store
from pilotbed.demo.pilots import WHO
from telemetry.seals.close import Sealer
from telemetry.seals.signing import keys_file


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


def write_bundle(connection: Connection, plan: Plan, folder: Path, sealer: Sealer, say: Callable[[str], None]) -> None:
    """``bundle.zip``: what proves these results; and verify it, as whoever gets it does.

    :raises NegativeAnswer: something in it differs.
    """
    done = bundle(connection, plan.pilot, folder / "bundle.zip", sealer=sealer, who=WHO)
    found = verify(done.path, keys=keys_file(sealer.heads.path))
    if not found.sound:
        raise NegativeAnswer(f"The bundle {done.path} does not verify: {found.faults[0].en}")
    kpis = sum(line.about == "kpi" for line in found.lines)
    say(
        f"{plan.pilot}: bundle.zip verified: {kpis} KPI results recomputed from {done.rows:,} readings under {done.seals} seals,"
        f" head {done.head[:16]}…"
    )

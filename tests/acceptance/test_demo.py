"""The demo runs to its end without a person: three pilots, one that meets its targets, one that fails, one with too little."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader

from core.errors import EnvironmentProblem
from pilotbed.stack.mosquitto_binaries import find_broker
from tests.conftest import missing


@pytest.mark.timeout(400)
def test_the_demo_runs_to_its_end(tmp_path: Path) -> None:
    try:
        find_broker()
    except EnvironmentProblem as problem:
        missing(str(problem))
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-m", "pilotbed", "demo", "--once", str(out)],
        env={name: value for name, value in os.environ.items() if not name.startswith("PILOTBED_")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=380,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Database: " in done.stderr
    assert "Traceback" not in done.stderr
    verdicts = {}
    for pilot in ("demo-air", "demo-robot", "demo-park"):
        document = json.loads((out / pilot / "evaluation.json").read_text(encoding="utf-8"))
        assert document["pilot"] == pilot
        assert document["simulated"] is True
        assert re.fullmatch("[0-9a-f]{64}", document["plan"]["sha256"])
        verdicts[pilot] = {kpi["id"]: kpi["verdict"] for kpi in document["kpis"]}
        [opinion] = (out / pilot).glob("opinion-*.pdf")
        assert re.fullmatch(r"opinion-\d{4}-\d\d\.pdf", opinion.name)
        pages = [page.extract_text() for page in PdfReader(opinion).pages]
        assert "모니터링 의견서" in pages[0]
        assert all("모의 자료" in page for page in pages)
        assert f"{pilot}: bundle.zip verified: " in done.stderr
        assert (out / pilot / "bundle.zip").stat().st_size > 100_000
    assert set(verdicts["demo-air"].values()) == {"met"}
    assert verdicts["demo-robot"]["mission-success"] == "not_met"
    assert set(verdicts["demo-park"].values()) == {"insufficient"}

"""The demo runs to its end without a person: a pilot that meets its targets, one that fails, one open, one with too little."""

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
    came = {
        pilot: (protocol, int(readings.replace(",", "")))
        for pilot, protocol, readings in re.findall(
            r"(demo-\w+): the last [0-9.]+ h came over (\w+) through the broker: ([0-9,]+) readings", done.stderr
        )
    }
    silent = set(re.findall(r"(demo-\w+): its link is down since", done.stderr))
    protocols = {"demo-air": "sparkplug", "demo-robot": "vda5050", "demo-drone": "mavlink", "demo-park": "json"}
    assert {pilot: protocol for pilot, (protocol, _) in came.items()} == {
        pilot: protocol for pilot, protocol in protocols.items() if pilot not in silent
    }
    assert silent <= {"demo-park"}
    assert all(readings > (0 if pilot == "demo-park" else 50) for pilot, (_, readings) in came.items())
    for pilot in protocols:
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
    assert verdicts["demo-drone"]["flight-success"] == "inconclusive"
    assert {verdict for kpi, verdict in verdicts["demo-drone"].items() if kpi != "flight-success"} == {"met"}
    assert set(verdicts["demo-park"].values()) == {"insufficient"}

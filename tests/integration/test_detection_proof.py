"""Detections without the database: computed anew from the exported files, and judged again from a bundle."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest

from core.database import Connection
from core.window import instant
from devices.plan.detection_measures import TruthSample
from kpi.bundle.verify import verify
from kpi.bundle.write import bundle
from kpi.evaluate import evaluate
from kpi.measures.truth_sample import windows_drawn
from kpi.records.exclusions import add_exclusion
from kpi.records.labels import labels, withdraw_label
from kpi.results import store
from telemetry.export import Ask, export
from telemetry.seals import signing
from telemetry.seals.close import Sealer
from telemetry.seals.heads import Heads
from tests.bundled import since_days
from tests.detecting import alerted, at, cameras, detection, label, labelled, seconds, us
from tests.recomputation.compare import differences
from tests.recomputation.folder import Folder

pytestmark = pytest.mark.timeout(600)

SAMPLE = "sample: {window: 10 min, fraction: 4 %, seed: 11}"
SAMPLED = "by: site, double: 10 %, " + SAMPLE
KPIS = f"""
recall: {{name: 재현율, measure: {detection("recall", truth="by: [site, team], double: 20 %")}, target: ">= 70 %", completeness: 1}}
precision: {{name: 정밀도, measure: {detection("precision", more=", same: [kind]")}, target: ">= 0.7", completeness: 1, decision: estimate}}
wide: {{name: 넓은 균열, measure: {detection("recall", truth="by: site, where: {width: '>= 0.3'}")}, target: ">= 50 %", completeness: 1, group: worst}}
staged: {{name: 시험, measure: {detection("false_rate", truth="by: team", more=", designed: true")}, target: "< 5 %", completeness: 1}}
f1: {{name: F1, measure: {detection("f1", truth=SAMPLED)}, target: ">= 0.90", completeness: 1}}
night: {{name: 밤, measure: {detection("f1", truth=SAMPLED, more=', hours: "18:00-24:00"')}, target: ">= 0.2", completeness: 1}}
missed: {{name: 미탐지, measure: {{count: {{match: recall, outcome: missed, independent: true}}}}, target: "== 0", completeness: 1}}
sampled: {{name: 표본 오경보, measure: {{count: {{match: f1, outcome: false_alarm, independent: true}}}}, target: "<= 900 건", completeness: 1, scope: capability}}
time: {{name: 시간, measure: {{event_duration: {{match: recall, missed: infinite, stat: p50}}}}, target: "<= 5 s", completeness: 1, scope: capability}}
"""  # noqa: E501 - plan text


def judged(connection: Connection) -> None:
    """Two cameras in March; falls, alerts, labels of all sorts, some of them recorded late, one withdrawn."""
    site = cameras(connection, KPIS, slots=("a", "b"))
    rng = random.Random(5)
    start, end = us(at("2025-03-01")), us(at("2025-04-01"))
    truth = TruthSample(window="10 min", fraction="4 %", seed=11)
    given, n = [], 0
    for slot in "ab":
        windows = list(windows_drawn(truth, slot, ((start, end),)))
        for first, _ in windows[: len(windows) - 9]:
            begun = instant(first)
            falls = rng.choice((0, 0, 1, 2)) if slot == "a" else rng.choice((0, 1))
            times = [begun + seconds(rng.randrange(20, 580)) for _ in range(falls)]
            kinds = [rng.choice(("fall", "sit")) for _ in times]
            said = [{"attributes": {"kind": kind, "width": rng.choice((0.1, 0.3, 0.5))}} for kind in kinds]
            given += [label(slot, one, **more) for one, more in zip(times, said, strict=True)]
            if not times:
                given.append(label(slot, begun, end=begun + timedelta(minutes=10), outcome="empty"))
            if rng.random() < 0.15:
                given += [
                    label(slot, one + seconds(2), reader=2, labeller="이둘째", **more)
                    for one, more in zip(times, said, strict=True)
                ][:1]
                given.append(label(slot, begun + seconds(1), reader=2, labeller="이둘째", outcome="empty"))
            for one, kind in zip(times, kinds, strict=True):
                if rng.random() < 0.8:
                    n += 1
                    alerted(site, slot, one + seconds(rng.uniform(-4, 9)), first=n, kind=kind)
            if rng.random() < 0.2:
                n += 1
                alerted(site, slot, begun + seconds(rng.uniform(0, 600)), first=n, kind="fall")
    given += [
        label("a", at("2025-03-10 10:00:00") + timedelta(hours=i), side="team", attributes={"kind": "fall"})
        for i in range(9)
    ]
    given += [
        label("a", at("2025-03-11 10:00:00") + timedelta(hours=i), side="team", outcome="negative") for i in range(6)
    ]
    given += [label("b", at("2025-03-11 10:00:00"), blind=False), label("b", at("2025-03-12 10:00:00"), side="company")]
    labelled(site, *given[::2])
    alerted(site, "a", *(at("2025-03-10 10:00:03") + timedelta(hours=i) for i in range(8)), first=10_000, kind="fall")
    alerted(site, "a", at("2025-03-11 12:00:03"), first=20_000, kind="fall")
    site.happened("desk", [(1, "", at("2025-03-13 10:00:00"), {"blind": True, "slot": "b"})], kind="fall-truth")
    store(connection, evaluate(connection, "hall", month="2025-03"), "cli:test")
    labelled(site, *given[1::2])
    withdraw_label(connection, labels(connection, "hall")[0].label_id, why="다른 지점", who="cli:test")
    add_exclusion(
        connection, "hall", slot="a", start=at("2025-03-20"), end=at("2025-03-21"), reason="disaster",
        asked_on=at("2025-03-20").date(), asked_by="c", agreed_site="s", agreed_team="t", note="n", who="cli:test",
    )  # fmt: skip
    store(connection, evaluate(connection, "hall", month="2025-03"), "cli:test")
    store(connection, evaluate(connection, "hall", at=at("2025-06-01").date()), "cli:test")


def test_the_figures_are_the_same_from_the_files_and_from_the_bundle(connection: Connection, tmp_path: Path) -> None:
    judged(connection)
    export(connection, Ask(pilot="hall", format="parquet"), tmp_path / "hall")
    folder = Folder(tmp_path / "hall")
    results = folder.results()
    assert len(results) == 3
    assert {key: differences(folder, *key) for key in results} == {key: [] for key in results}
    values = {entry["id"]: entry["value"] for entry in results["date", "2025-06-01", 1]["kpis"]}
    assert len({repr(value) for value in values.values()}) >= 8, values
    # Were a label another's, it would be noticed.
    folder = Folder(tmp_path / "hall")
    folder.labels.loc[folder.labels["side"] == "team", "side"] = "company"
    assert differences(folder, "date", "2025-06-01", 1)

    since_days(connection, 2)
    key_file = tmp_path / "seal.key"
    sealer = Sealer(key=signing.make_key(connection, key_file), heads=Heads(key_file))
    bundle(connection, "hall", tmp_path / "bundle.zip", sealer=sealer, who="cli:test")
    found = verify(tmp_path / "bundle.zip", keys=tmp_path / "seal-keys.json")
    assert [line.en for line in found.faults] == []

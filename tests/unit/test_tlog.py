"""Telemetry logs of ground stations: each frame with its receipt, whatever stands between them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.tlog import logged
from pilotbed.cli import run
from tests.mavlinking import AT_S, Vehicle

US = AT_S * 1_000_000


def log(n: int, version: int = 2) -> list[bytes]:
    v = Vehicle(version=version)
    return [
        (US + place * 1_000).to_bytes(8, "big") + v.position(10_000 + place, 37.5, 127.0, place / 10)
        for place in range(n)
    ]


@pytest.mark.parametrize("version", [1, 2])
def test_every_frame_comes_with_its_receipt(version: int) -> None:
    entries = log(20_000, version)  # more than is read at once
    found = list(logged(io.BytesIO(b"".join(entries))))
    assert [(at, frame) for at, frame, _ in found] == [(int.from_bytes(one[:8], "big"), one[8:]) for one in entries]
    assert found[-1][2] == sum(map(len, entries))


def test_what_is_no_entry_is_passed_over() -> None:
    entries = log(6)
    data = (
        b"junk" + entries[0] + entries[1] + b"\x00\xfe\xfd" * 5 + entries[2] + entries[3][:15] + entries[4] + entries[5]
    )
    at = [one for one, _, _ in logged(io.BytesIO(data))]
    assert {US, US + 1_000, US + 2_000, US + 5_000} <= set(at) and at == sorted(at)


@given(st.binary(max_size=2_000))
@settings(max_examples=200, deadline=None)
def test_no_bytes_raise(data: bytes) -> None:
    for at, frame, end in logged(io.BytesIO(data)):
        assert 10**15 <= at < 4 * 10**15 and frame in data and end <= len(data)


PLAN = """\
pilot: demo
title: t
kind: rnd
company: {id: c, name: C}
site: {id: s, name: S}
period: {start: 2026-03-01, end: 2027-03-01}
evaluation: {data_until: 2027-02-01, meeting: 2027-02-10}
product: {name: P}
connections: {sky: {protocol: mavlink}}
slots:
  drone-1:
    device: {serial: D-1}
    connection: sky
    channels: {height: {unit: m, period: 1 s, source: relative_altitude}}
    events: {flight: {phased: true}}
kpis: {k: {name: n, measure: {capture: {}}, target: ">= 90 %", weight: 100}}
"""


def test_a_log_is_tried_with_a_plan_and_without(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    v = Vehicle()
    frames = [v.system_time(US, 10_000), v.beat(), v.beat(armed=True), v.position(10_500, 37.5, 127.0, 12.5), v.beat()]
    file, plan = tmp_path / "flight.tlog", tmp_path / "plan.yaml"
    file.write_bytes(b"".join((US + place).to_bytes(8, "big") + one for place, one in enumerate(frames)))
    plan.write_text(PLAN)
    assert run(["protocol", "try", str(file), "--plan", str(plan), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["count"], told["readings"], told["events"], told["link_states"]) == (5, 1, 2, 1)
    assert told["messages"][3]["readings"][0] == {
        "slot": "drone-1", "channel": "height", "observed_at": "2026-06-01T03:00:00.500000Z", "value": 12.5, "state": None,
        "unit": "m",
    }  # fmt: skip
    assert run(["protocol", "try", str(file), "--protocol", "mavlink", "--json"]) == 0
    names = {one["name"]: (one["value"], one["unit"]) for one in json.loads(capsys.readouterr().out)["names"]}
    assert names["relative_altitude"] == names["GLOBAL_POSITION_INT.relative_alt"] == ("12500", "mm")
    assert names["mode"] == ("AUTO", "") and names["HEARTBEAT.system_status"] == ("4 (ACTIVE)", "")
    raw = tmp_path / "frames.bin"
    raw.write_bytes(b"".join(frames))
    assert run(["protocol", "try", str(raw), "--plan", str(plan), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["count"], told["readings"], told["events"]) == (1, 1, 2)

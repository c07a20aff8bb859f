"""``pilotbed protocol try``: recorded messages, with a plan and without, and no database."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pilotbed.cli import run

PLAN = """\
pilot: demo
title: t
kind: rnd
company: {id: c, name: C}
site: {id: s, name: S}
period: {start: 2026-03-01, end: 2027-03-01}
evaluation: {data_until: 2027-02-01, meeting: 2027-02-10}
product: {name: P}
connections:
  ws: {topics: [stations/+/data], time: {path: Time, format: iso, zone: Asia/Seoul}}
slots:
  roof:
    device: {serial: WS-9}
    connection: ws
    channels:
      temperature: {unit: degC, source: t_f, source_unit: degF, period: 60 s}
      battery: {unit: "%", period: 60 s}
kpis:
  k: {name: n, measure: {capture: {}}, target: ">= 90 %", weight: 100}
"""
GOOD = {"Time": "2026-06-01T11:59:59", "t_f": 32, "battery": "98.50"}


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    return path


Tried = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tried(capsys: pytest.CaptureFixture[str]) -> Tried:
    """Runs the command; gives its exit code, its stdout and its stderr."""

    def command(*arguments: object) -> tuple[int, str, str]:
        code = run(["protocol", "try", *map(str, arguments)])
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    return command


def test_what_mosquitto_sub_wrote_is_read_by_the_plan_line_by_line(tried: Tried, plan: Path, tmp_path: Path) -> None:
    lines = [
        {"tst": "2026-06-01T12:00:00.000000+0900", "topic": "stations/9/data", "qos": 1, "retain": 0,
         "payload": json.dumps(GOOD)},
        {"topic": "stations/9/data", "payload": {**GOOD, "t_f": "x"}},
        {"topic": "elsewhere", "payload_hex": "00ff"},
    ]  # fmt: skip
    file = tmp_path / "recorded.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)) + "\n")
    code, out, error = tried(file, "--plan", plan, "--json")
    assert code == 1
    told = json.loads(out)
    assert (told["count"], told["readings"], told["refused"], told["set_aside"]) == (3, 3, 1, 1)
    first, second, third = told["messages"]
    assert [(one["channel"], one["value"], one["unit"]) for one in first["readings"]] == [
        ("temperature", 0, "degC"), ("battery", 98.5, "%"),
    ]  # fmt: skip
    assert first["readings"][0]["observed_at"].startswith("2026-06-01T02:59:59")
    assert second["refused"][0]["reason"] == "not_a_number"
    assert third["set_aside"]["reason"] == "no_binding"
    assert "2 items of 3 messages" in error


def test_a_file_of_one_message_has_the_topic_of_the_plans_only_connection(
    tried: Tried, plan: Path, tmp_path: Path
) -> None:
    file = tmp_path / "one.json"
    file.write_text(json.dumps(GOOD))
    code, out, error = tried(file, "--plan", plan, "--lang", "en")
    assert code == 0, error
    assert "✓ roof.temperature  2026-06-01T02:59:59+00:00  0 °C" in out


def test_without_a_plan_the_names_are_told_that_a_plan_can_map(tried: Tried, tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    file.write_text('[{"bn":"urn:x:","bt":1780282800,"n":"a","u":"Cel","v":20.5},{"n":"b","s":7,"u":"W"}]')
    _, out, _ = tried(file, "--protocol", "senml", "--json")
    assert json.loads(out)["names"] == [
        {"name": "urn:x:a", "value": "20.5", "unit": "Cel"}, {"name": "sum(urn:x:b)", "value": "7", "unit": "W·s"},
    ]  # fmt: skip
    file.write_text(json.dumps({"a": {"b": [1, 2]}}))
    assert "a.b.1" in tried(file, "--protocol", "json")[1]


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ('{"a": 1}', ("--protocol", "nope"), "none of json, senml"),
        ('{"a": 1}', (), "name one of them"),
        ("no json", ("--protocol", "json"), "are not json: message 1: not_json"),
        ('{"topic": "x", "payload": 1}\nbroken\n', ("--protocol", "json"), "Line 2 of"),
        ('{"topic": "x", "payload_hex": "0"}\n', ("--protocol", "json"), "Line 1 of"),
        ('{"topic": "x", "payload": 1, "tst": "2026-06-01T12:00"}\n', ("--protocol", "json"), "has no zone"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    tried: Tried, tmp_path: Path, text: str, arguments: tuple[str, ...], said: str
) -> None:
    file = tmp_path / "file"
    file.write_text(text)
    code, _, error = tried(file, *arguments)
    assert code in (1, 2)
    assert said in error
    assert len(error.strip().splitlines()) == 1


def test_a_file_that_is_not_there_is_said_in_one_line(tried: Tried, tmp_path: Path) -> None:
    code, _, error = tried(tmp_path / "none", "--protocol", "json")
    assert code == 2
    assert "cannot be read" in error

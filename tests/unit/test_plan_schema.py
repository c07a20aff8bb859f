"""The published JSON Schema: current, valid, and in agreement with the reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from devices.plan.schema import schema_text
from devices.plan.written import resolved
from devices.plan.yaml_tree import read_tree

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "docs" / "plan.schema.json"
PLANS = sorted((ROOT / "examples" / "plans").glob("*.yaml"))


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def loaded(text: bytes) -> Any:
    """A plan as an editor sees it."""
    return resolved(read_tree(text).root)


def test_the_published_schema_is_current() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == schema_text(), "run `pilotbed plan schema > docs/plan.schema.json`"


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_the_example_plans_follow_it(path: Path, validator: Draft202012Validator) -> None:
    assert not list(validator.iter_errors(loaded(path.read_bytes())))


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("kind: opportunity", "kind: gift", ["kind"]),
        ("weight: 60", "weight: 160", ["kpis", "comfort", "weight"]),
        ("stat: mean", "stat: mode", ["kpis", "comfort", "measure", "statistic", "stat"]),
        ("{capture: {}}", "{}", ["kpis", "capture", "measure"]),
        ("{capture: {}}", "{capture: {}, availability: {}}", ["kpis", "capture", "measure"]),
        ("  office:\n", "  Office 1:\n", ["slots"]),
        ("place: 사무실", "plaice: 사무실", ["slots", "office"]),
        ("period: 1 h", "period: [1]", ["slots", "office", "channels", "temperature", "period"]),
    ],
)
def test_what_the_reader_refuses_it_refuses(
    old: str, new: str, path: list[str], validator: Draft202012Validator
) -> None:
    text = (ROOT / "examples" / "plans" / "office-temperature.yaml").read_text(encoding="utf-8")
    assert old in text
    errors = list(validator.iter_errors(loaded(text.replace(old, new, 1).encode())))
    assert path in [list(error.absolute_path)[: len(path)] for error in errors]


def test_the_example_of_the_reference_is_the_file() -> None:
    reference = (ROOT / "docs" / "plan.md").read_text(encoding="utf-8")
    example = (ROOT / "examples" / "plans" / "office-temperature.yaml").read_text(encoding="utf-8")
    assert f"```yaml\n{example}```" in reference

"""The plan's language as JSON Schema, for editors: what one value can show; the rest only ``plan check`` sees."""

from __future__ import annotations

import json
from typing import Any, Final

from devices.plan.model import Plan

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


_LIMITS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def plan_schema() -> dict[str, Any]:
    """The schema of a plan file."""
    made = Plan.model_json_schema(by_alias=True)
    _tidy(made)
    return {
        "$schema": DIALECT,
        "title": "Pilotbed plan",
        "description": "실증계획: contract, device registry and KPI definition of one pilot. `pilotbed plan check` says more.",
        **{key: value for key, value in made.items() if key not in ("title", "description")},
    }


def _tidy(part: Any) -> None:
    """Say what pydantic leaves out, and leave out what helps no editor."""
    if isinstance(part, list):
        for below in part:
            _tidy(below)
    if not isinstance(part, dict):
        return
    if "patternProperties" in part:
        part["additionalProperties"] = False  # a key that is no name is wrong, not merely unknown
    options = part.get("anyOf", ())
    if len(options) == 2 and options[1] == {"type": "null"}:
        # An optional entry is left out rather than null; without the alternative, editors name the real fault.
        del part["anyOf"]
        part.pop("default", None)
        part.update({key: value for key, value in options[0].items() if key not in part})
    for ours, standard in _LIMITS.items():
        # Behind a validator of ours pydantic writes the limit under its own name, which no editor knows.
        if isinstance(part.get(ours), int | float):
            part[standard] = part.pop(ours)
    for below in part.values():
        _tidy(below)


def schema_text() -> str:
    """The schema as it is published, in ``docs/plan.schema.json``."""
    return json.dumps(plan_schema(), indent=2, ensure_ascii=False) + "\n"

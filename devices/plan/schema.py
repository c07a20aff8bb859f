"""The plan's language as JSON Schema, for editors: what one value can show; the rest only ``plan check`` sees."""

from __future__ import annotations

import json
from typing import Any, Final

from pydantic import BaseModel

from devices.plan.model import Plan
from devices.plan.profile import Profile

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


_LIMITS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def plan_schema() -> dict[str, Any]:
    """The schema of a plan file."""
    said = "실증계획: contract, device registry and KPI definition of one pilot. `pilotbed plan check` says more."
    return _schema(Plan, "Pilotbed plan", said)


def profile_schema() -> dict[str, Any]:
    """The schema of a device template."""
    said = "장비 서식: what one model of device says and how, for plans to name. `pilotbed plan check` of such a plan says more."
    return _schema(Profile, "Pilotbed device template", said)


def _schema(model: type[BaseModel], title: str, said: str) -> dict[str, Any]:
    made = model.model_json_schema(by_alias=True)
    _tidy(made)
    rest = {key: value for key, value in made.items() if key not in ("title", "description")}
    return {"$schema": DIALECT, "title": title, "description": said, **rest}


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
    if part.get("type") == "object" and isinstance(part.get("minLength"), int):
        part["minProperties"] = part.pop("minLength")
    for below in part.values():
        _tidy(below)


def schema_text(*, profile: bool = False) -> str:
    """The schema as it is published, in ``docs/plan.schema.json``; or that of templates, in ``docs/profile.schema.json``."""
    return json.dumps(profile_schema() if profile else plan_schema(), indent=2, ensure_ascii=False) + "\n"

"""The measure kind ``manual``: of what people enter, a mean, a sum, a rate or the last value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from devices.plan.measure_parts import Common
from devices.plan.rules import broken
from devices.plan.written import Text, Truth, Whole

ManualStat = Literal["mean", "sum", "rate", "last"]

STATS: Final[Mapping[str, tuple[str, ...]]] = {
    "count": ("sum", "rate"),
    "sample": ("mean",),
    "value": ("mean", "sum", "last"),
}
"""Which statistics a kind of quantity has."""


class Manual(Common):
    """What people entered of one of the plan's ``manual`` quantities."""

    of: Text = Field(description="A name of the plan's `manual`.")
    stat: ManualStat = Field(description="mean of a sample or of values; sum and rate of a count; last of values.")
    per: Text | None = Field(None, description="rate: the name of the exposure, if the plan gives it one.")
    n_min: Whole | None = Field(None, ge=1, description="The least n for a verdict: answers of a sample, else entries.")
    independent: Truth = Field(
        False,
        description="Counts of independent events; otherwise their dispersion over the entries widens the interval.",
    )

    @model_validator(mode="after")
    def _whole_entries(self) -> Manual:
        """An entry has a window of its own: it is never cut by hours or days."""
        if self.hours is not None or self.days is not None:
            raise broken("manual-hours")
        if self.per is not None and self.stat != "rate":
            raise broken("manual-per-rate")
        return self


class OrManual:
    """In the schema of ``event_rate``: the rate of what people entered may stand there too."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        text = {"type": "string", "minLength": 1}
        entered = {
            "type": "object",
            "additionalProperties": False,
            "required": ["manual"],
            "properties": {
                "manual": {**text, "description": "A count of the plan's `manual`."},
                "per": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["manual"],
                    "properties": {"manual": {**text, "description": "The id of its exposure."}},
                },
                "slots": {"type": "array", "minItems": 1, "items": text},
                "n_min": {"type": "integer", "minimum": 1},
                "independent": {"type": "boolean"},
            },
        }
        return {"anyOf": [handler(core), entered]}


def rate_as_manual(measure: Mapping[str, Any]) -> dict[str, Any]:
    """``event_rate: {manual: complaints, per: {manual: resident-days}}`` as the rate of what people entered.

    >>> rate_as_manual({"event_rate": {"manual": "complaints", "per": {"manual": "resident-days"}, "slots": ["a"]}})
    {'manual': {'of': 'complaints', 'stat': 'rate', 'per': 'resident-days', 'slots': ['a']}}
    >>> rate_as_manual({"event_rate": {"event": "alarm", "per": "1 d"}})
    {'event_rate': {'event': 'alarm', 'per': '1 d'}}
    """
    given = measure.get("event_rate")
    if not isinstance(given, Mapping) or "manual" not in given:
        return dict(measure)
    rest = {key: value for key, value in given.items() if key not in ("manual", "per")}
    per = given.get("per")
    if isinstance(per, Mapping) and set(per) == {"manual"}:
        per = per["manual"]
    own = {"of": given["manual"], "stat": "rate"} | ({} if per is None else {"per": per}) | rest
    return {key: value for key, value in measure.items() if key != "event_rate"} | {"manual": own}

"""Which readings a measure leaves out: those that findings of the quality tests are about, where the plan says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from devices.plan.measure_parts import Common, Piece
from devices.plan.problem import guess
from devices.plan.rules import broken
from devices.plan.written import Text, resolved

Level = Literal["suspect", "fail"]

TESTS: Final = ("stuck", "range", "spike", "rate")
"""The tests that flag single readings. What a plan names none of leaves out what any of these finds."""
NAMED: Final = (*TESTS, "jump")
"""A shift of the level flags the two hours around it, and has to be named."""


def _test(text: str) -> str:
    if text in ("gap", "clock"):
        raise broken(f"leave-out-{text}")
    if text not in NAMED:
        raise broken("leave-out-unknown", known=", ".join(NAMED), guess=guess(text, NAMED))
    return text


def _some(tests: tuple[str, ...]) -> tuple[str, ...]:
    # Pydantic's own min_length complains once more of a list with one wrong item.
    if not tests:
        raise broken("at-least", least=1)
    return tests


Test = Annotated[Text, Field(json_schema_extra={"enum": list(NAMED)}), AfterValidator(_test)]


class ReadingQuality(Piece):
    """Readings within findings of these tests, at least as grave as ``from``, do not count."""

    leave_out: Annotated[tuple[Test, ...], AfterValidator(_some)] | None = Field(
        None,
        description="Findings of which tests: stuck, range, spike, rate if left out; jump is named.",
        json_schema_extra={"minItems": 1},
    )
    from_: Level = Field("fail", alias="from", description="fail: only what cannot be; suspect: what hardly can, too.")

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        plain = resolved(value)
        if isinstance(plain, Mapping):
            return value
        if plain not in ("suspect", "fail"):
            raise broken("leave-out")
        return {"from": plain}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        short = {"enum": ["suspect", "fail"], "description": "Of stuck, range, spike and rate, from this level on."}
        return {"anyOf": [short, handler(core)]}

    @property
    def tests(self) -> tuple[str, ...]:
        """The kinds of findings by which readings are left out."""
        return self.leave_out or TESTS


class OfValues(Common):
    """What a measure kind takes that goes by the values of readings."""

    quality: ReadingQuality | None = Field(None, description="Which readings do not count; all count if left out.")


def quality_of(measure_of: Common) -> ReadingQuality | None:
    """What a measure, or the one that it tells the change of, leaves out; None: nothing."""
    if isinstance(measure_of, OfValues):
        return measure_of.quality
    inner = getattr(measure_of, "inner", None)
    return None if inner is None else quality_of(inner.of)

"""도입 전 기준값: what a change is measured against. A file, a window of the pilot's own data, or a value with its source.

A file is named with its SHA-256, so that what was agreed before the pilot cannot be exchanged afterwards; which of its columns
are read, in which unit and zone, stands beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from core.units import UnitError, parse_quantity, seconds
from devices.plan.agreement_measures import Span
from devices.plan.measure_parts import Piece
from devices.plan.parts import Unit, Zone
from devices.plan.rules import broken
from devices.plan.written import Day, Number, Text, Whole, resolved

Rows = Literal["value", "amount", "counter"]


def _sha256(text: str) -> str:
    if re.fullmatch(r"[0-9a-f]{64}", text) is None:
        raise broken("baseline-sha256")
    return text


def _columns(value: Any) -> Any:
    """One column for all slots together, or one a slot."""
    value = resolved(value) if isinstance(value, Mapping) else value
    given = list(value.values()) if isinstance(value, Mapping) else [value]
    if not given or not all(isinstance(one, str) and one for one in given):
        raise broken("text")
    return dict(value) if isinstance(value, Mapping) else value


Columns = Annotated[Any, BeforeValidator(_columns)]


class Baseline(Piece):
    """기준값: exactly one of a ``file`` (with its window), a ``window`` of the own channel, or a ``value`` with its source."""

    file: Text | None = Field(None, description="The name of the file; `pilotbed baseline import` takes it.")
    sha256: Annotated[Text, AfterValidator(_sha256)] | None = Field(None, description="SHA-256 of the file's bytes.")
    window: tuple[Day, Day] | None = Field(None, description="[first day, day after the last].")
    time: Text = Field("time", description="file: the column of instants; a row is what lasts from there on.")
    value: Columns | None = Field(
        None, description="file: a column, or one a slot ({slot: column}); without a file: a number with its unit."
    )
    unit: Unit | None = Field(None, description="file: of the values.")
    zone: Zone | None = Field(None, description="file: of times that have none.")
    rows: Rows | None = Field(
        None, description="file: what a row is: a value, the amount of its interval (kWh), or the stand of a counter."
    )
    period: Span | None = Field(None, description="file: how far apart its rows are; found out if left out.")
    temperature: Text | None = Field(None, description="file: the column of the outdoor temperature, for degree days.")
    temperature_unit: Unit = "degC"
    source: Text | None = Field(None, description="Where it is from; a value needs one.")
    completeness: Number | None = Field(
        None, gt=0, le=100, description="The least of it that must be there, in %: 90 of energy and counters, else 75."
    )
    min_days: Whole | None = Field(None, ge=1, description="The least days of it with data.")

    @model_validator(mode="after")
    def _one_form(self) -> Baseline:
        if self.file is not None:
            if self.sha256 is None or self.window is None or self.unit is None or self.value is None:
                raise broken("baseline-file")
        elif self.window is not None:
            if self._has_columns or self.value is not None:
                raise broken("baseline-columns")
        elif self.value is not None:
            if self._has_columns or self.source is None:
                raise broken("baseline-source")
            self._quantity()
        else:
            raise broken("baseline-one")
        if self.window is not None and not self.window[0] < self.window[1]:
            raise broken("baseline-order")
        return self

    @property
    def _has_columns(self) -> bool:
        return any(one is not None for one in (self.sha256, self.unit, self.zone, self.rows, self.temperature))

    def _quantity(self) -> tuple[float, str]:
        try:
            return parse_quantity(self.value) if isinstance(self.value, str) else parse_quantity("")
        except (UnitError, ValueError):
            raise broken("quantity") from None

    @property
    def form(self) -> Literal["file", "window", "value"]:
        """Which of the three it is."""
        return "file" if self.file is not None else "window" if self.window is not None else "value"

    @property
    def quantity(self) -> tuple[float, str]:
        """The value with its unit, where it is one."""
        return self._quantity()

    @property
    def columns(self) -> Mapping[str, str]:
        """Slot → column; under an empty name that of all slots together."""
        return dict(self.value) if isinstance(self.value, Mapping) else {"": str(self.value)}

    @property
    def period_s(self) -> float | None:
        return None if self.period is None else seconds(self.period)

    @property
    def days(self) -> tuple[date, date]:
        """Its window, where it has one."""
        assert self.window is not None
        return self.window

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        made = handler(core)
        text = {"type": "string", "minLength": 1}
        shown = handler.resolve_ref_schema(made)["properties"]["value"]
        shown["anyOf"] = [text, {"type": "object", "additionalProperties": text, "minProperties": 1}]
        return made

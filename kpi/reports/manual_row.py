"""What people entered, as a document's record has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from devices.plan.model import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualRow:
    """One entry that a result knew of."""

    number: int
    name: str
    """Of its quantity."""
    place: str
    start: datetime
    end: datetime
    value: float
    unit: str
    exposure: float | None
    exposure_unit: str | None
    n: int | None
    sd: float | None
    measured_by: str
    recorded_by: str
    recorded_at: datetime
    document: str
    sha256: str
    note: str


def manual_of(document: Mapping[str, Any], plan: Plan) -> tuple[ManualRow, ...]:
    """The entries that stand in a result, in the order of time."""
    return tuple(_row(one, plan) for one in document.get("manual", ()))


def _row(one: Mapping[str, Any], plan: Plan) -> ManualRow:
    quantity = plan.manual.get(one["quantity"])
    place = (
        ""
        if one["slot"] is None
        else (plan.slots[one["slot"]].place if one["slot"] in plan.slots else None) or one["slot"]
    )
    own = (
        "value", "unit", "exposure", "exposure_unit", "n", "sd", "measured_by", "recorded_by", "document", "sha256", "note",
    )  # fmt: skip
    return ManualRow(
        number=one["manual_id"],
        name=one["quantity"] if quantity is None else quantity.name,
        place=place,
        start=datetime.fromisoformat(one["start_at"]),
        end=datetime.fromisoformat(one["end_at"]),
        recorded_at=datetime.fromisoformat(one["recorded_at"]),
        **{name: one[name] for name in own},
    )

"""Both sides of a change: the measure's level after and before, and what keeps them from being compared. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from devices.plan.measures import Change
from kpi.measurement import Measurement, Refused
from kpi.measures.change_parts import Before, Cell, ChangePart, Inner


class Sides:
    """The parts of one window, with what they are compared with."""

    def __init__(
        self,
        parts: Sequence[ChangePart],
        weeks: Sequence[tuple[float, Sequence[ChangePart]]],
        of: Inner,
        change: Change,
        per_s: float,
        unit: str,
    ) -> None:
        self.parts, self.weeks, self.of, self.change, self.per_s, self.unit = parts, weeks, of, change, per_s, unit
        self.ratio = change.as_ == "ratio"
        self.whole = of([part.after.part for part in parts]) if parts else None

    def level(self, cells: Sequence[Cell]) -> float | None:
        """The measure over several slots; of a sum what it comes to by ``per``."""
        if not self.change.summed:
            return self.of([cell.part for cell in cells]).value
        found = [self.of([cell.part]).value for cell in cells]
        if any(value is None or cell.seconds <= 0 for value, cell in zip(found, cells, strict=True)):
            return None
        return math.fsum((value or 0) / cell.seconds * self.per_s for value, cell in zip(found, cells, strict=True))

    def there(self, cell: Cell) -> float | None:
        """The share of what a stretch should have that is there; None where it should have nothing."""
        if cell.required_s <= 0:
            return None
        return self.share_there(cell, self.of([cell.part]))

    def share_there(self, cell: Cell, found: Measurement) -> float:
        """The same of a stretch that was measured already; what is left out for an outage is not there either."""
        complete = found.completeness
        return 0.0 if complete is None else complete * (1 - min(cell.left_out_s / cell.required_s, 1.0))

    def befores(self) -> list[Before]:
        """One a slot, or the one of all of them together."""
        found = [part.before for part in self.parts if part.before is not None]
        return found[:1] if self.parts[0].beside.among else found

    def none(self, refused: Refused | None = None) -> Measurement:
        whole = self.whole
        return Measurement(
            value=None,
            unit=self.unit,
            n=0 if whole is None else whole.n,
            completeness=None if whole is None else whole.completeness,
            refused=refused,
            difference=not self.ratio,
            compared=dict(self.parts[0].beside.shown) if self.parts else {},
        )

    def changed(self, after: float, before: float) -> float:
        return 100 * (after / before - 1) if self.ratio else after - before

    def lacking(self, completeness: float | None) -> Refused | None:
        least = self.change.least_complete
        if completeness is None or completeness <= 0:
            return Refused(code="baseline_none")
        if completeness < least:
            return Refused(code="baseline_short", values={"completeness": completeness, "least": least})
        return None

    def shown_levels(self, after: float, before: float) -> dict[str, Any]:
        beside = self.parts[0].beside
        levels = {"after": after * beside.scale, "before": before * beside.scale}
        return {**beside.shown, "unit": beside.level_unit, "as": self.change.as_, **levels}

"""The parts of one KPI, by window: what its measure computes with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from kpi.spans import Spans, middle_s

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered(Generic[Part]):
    """The parts of one KPI. Every list has one part a unit, in the order of ``slots``."""

    slots: tuple[str, ...]
    """The slot of each unit; of several channels of a slot, as often."""
    whole: list[Part]
    month: list[Part] | None
    quarters: list[list[Part]]
    weeks: list[tuple[float, list[Part]]]

    def of_slot(self, slot: str) -> Gathered[Part]:
        """The parts of one slot alone."""
        index = [i for i, name in enumerate(self.slots) if name == slot]

        def only(parts: list[Part]) -> list[Part]:
            return [parts[i] for i in index]

        return Gathered(
            slots=tuple(self.slots[i] for i in index),
            whole=only(self.whole),
            month=None if self.month is None else only(self.month),
            quarters=[only(parts) for parts in self.quarters],
            weeks=[(at_s, only(parts)) for at_s, parts in self.weeks],
        )


def arranged(slots: Sequence[str], spans: Spans, units: Sequence[Sequence[Part]]) -> Gathered[Part]:
    """Parts given by unit, then window (in the order of ``spans.all``), by window, then unit."""
    by_window = [[unit[index] for unit in units] for index in range(len(spans.all))]
    month = 0 if spans.month is None else 1
    quarters = 1 + month + len(spans.quarters)
    return Gathered(
        slots=tuple(slots),
        whole=by_window[0],
        month=by_window[1] if month else None,
        quarters=by_window[1 + month : quarters],
        weeks=[(middle_s(week), parts) for week, parts in zip(spans.weeks, by_window[quarters:], strict=True)],
    )

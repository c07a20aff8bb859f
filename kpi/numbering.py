"""Whether it is known how many events there were while nobody listened: only then what is missing of them can be bounded.

A kind of events that is numbered tells it of a silence that lies between two numbers heard: what is missing between them failed,
and no more than that. Of a silence that no number follows, or before the first number, or over which the numbers began anew,
nothing is known: the device may have had any number of events. The parts that are gathered say ``numbered`` of what holds for
the silence in question, not of the kind alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from devices.plan.measures import Count, EventDuration, EventRate, EventRatio, Mtbf
from devices.plan.model import Kpi
from kpi.inputs.gather_detection import Exposure
from kpi.inputs.gather_events import EventGatherer
from kpi.measures.counting import CountPart
from kpi.measures.event_duration import DurationPart
from kpi.measures.event_ratio import EventPart
from kpi.measures.happenings import gathered, numbers_tell
from kpi.stretches import difference

Part = TypeVar("Part", EventPart, DurationPart, CountPart)


class NumberingGatherer(EventGatherer):
    """Gathers with what the numbers tell of each window's silence."""

    def _event_ratio(self, kpi: Kpi, of: EventRatio, slot: str) -> list[EventPart]:
        return self._told(kpi, of.event, slot, super()._event_ratio(kpi, of, slot))

    def _lasted(self, kpi: Kpi, of: EventDuration, slot: str) -> list[DurationPart]:
        return self._told(kpi, of.event, slot, super()._lasted(kpi, of, slot))

    def _counted(
        self, kpi: Kpi, of: Count | EventRate | Mtbf, slot: str, exposures: Sequence[Exposure]
    ) -> list[CountPart]:
        return self._told(kpi, of.event, slot, super()._counted(kpi, of, slot, exposures))

    def _told(self, kpi: Kpi, event: str, slot: str, parts: list[Part]) -> list[Part]:
        if not any(part.numbered for part in parts):
            return parts
        heard = gathered(self._happenings(slot, event))
        up = self.reader.states(slot).up
        return [
            replace(part, numbered=part.numbered and numbers_tell(heard, difference(window, up), window))
            for part, window in zip(parts, self._required(kpi, slot), strict=True)
        ]

"""The parts of what is counted by events: how many, how often, how long, how long between them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from core.window import instant, micros
from devices.plan.measures import Count, EventDuration, EventRate, Mtbf
from devices.plan.model import Kpi
from devices.plan.predicate import slots_in_effect
from kpi.calendar import by_day
from kpi.gathered import Gathered, arranged
from kpi.inputs.gather_detection import DetectionGatherer, Exposure
from kpi.inputs.gather_sums import SumGatherer
from kpi.measures import counting, event_duration
from kpi.measures.availability import States
from kpi.measures.counting import CountPart, Sighting
from kpi.measures.event_duration import DurationPart
from kpi.measures.happenings import GRACE_US, Happening
from kpi.stretches import Stretches, contains, total_us, union


class EventGatherer(SumGatherer, DetectionGatherer):
    """Gathers events besides; with it every measure kind has its method."""

    def count(self, kpi: Kpi, of: Count) -> Gathered[CountPart]:
        slots = slots_in_effect(self.plan, kpi)
        found = [self._of_kind(kpi, of, slot, self._up(self._exposed(kpi, of, slot), slot)) for slot in slots]
        return arranged(slots, self.spans, found)

    def event_rate(self, kpi: Kpi, of: EventRate) -> Gathered[CountPart]:
        slots = slots_in_effect(self.plan, kpi)
        found = []
        for slot in slots:
            windows = self._exposed(kpi, of, slot)
            exposure = self._up(windows, slot) if of.per.time is not None else self._measured(of, slot, windows)
            found.append(self._of_kind(kpi, of, slot, exposure))
        return arranged(slots, self.spans, found)

    def mtbf(self, kpi: Kpi, of: Mtbf) -> Gathered[CountPart]:
        slots = slots_in_effect(self.plan, kpi)
        found = []
        for slot in slots:
            exposure = self._up(self._required(kpi, slot), slot, whole=of.operating == "whole")
            found.append(self._counted(kpi, of, slot, exposure))
        return arranged(slots, self.spans, found)

    def event_duration(self, kpi: Kpi, of: EventDuration) -> Gathered[DurationPart]:
        slots = slots_in_effect(self.plan, kpi)
        lasted = self._lasted if of.match is None else self.match_lasted
        return arranged(slots, self.spans, [lasted(kpi, of, slot) for slot in slots])

    def _exposed(self, kpi: Kpi, of: Count | EventRate, slot: str) -> list[Stretches]:
        """The time in which there were the events that are counted, in each window."""
        return self._required(kpi, slot) if of.match is None else self.match_windows(kpi, slot)

    def _of_kind(self, kpi: Kpi, of: Count | EventRate, slot: str, exposures: Sequence[Exposure]) -> list[CountPart]:
        return (self._counted if of.match is None else self.match_counted)(kpi, of, slot, exposures)

    def _until(self) -> datetime:
        """Up to when the messages of events are looked at: the window's end and a day, or now."""
        return min(self.spans.whole.end + timedelta(microseconds=GRACE_US), self.reader.as_of)

    def _happenings(self, slot: str, event: str) -> list[Happening]:
        return self.reader.happenings(slot, event, self._until())

    def _day(self, at_us: int) -> date:
        return instant(at_us).astimezone(self.plan.zone).date()

    def _counted(
        self, kpi: Kpi, of: Count | EventRate | Mtbf, slot: str, exposures: Sequence[Exposure]
    ) -> list[CountPart]:
        kind = self.plan.slots[slot].events[of.event]
        seen = counting.sightings(self._happenings(slot, of.event), numbered=kind.numbered, where=of.where)
        dated: list[tuple[date, Sighting]] = [(self._day(one.at_us), one) for one in seen]
        parts = []
        for window, (exposure, doubtful, days) in zip(self._required(kpi, slot), exposures, strict=True):
            states = self.reader.states(slot).within(window)
            connected_us, required_us = self._connected(slot, window)
            parts.append(
                CountPart(
                    sightings=tuple((day, one) for day, one in dated if contains(window, one.at_us)),
                    exposure=exposure,
                    doubtful=doubtful,
                    days=days,
                    connected_us=connected_us,
                    required_us=required_us,
                    numbered=kind.numbered,
                    company_us=total_us(states.down),
                    platform_us=total_us(states.left_out) - total_us(states.site),
                    site_us=total_us(states.site),
                    nobody_us=total_us(states.unknown),
                )
            )
        return parts

    def _up(self, windows: Sequence[Stretches], slot: str, *, whole: bool = False) -> list[Exposure]:
        """The time in µs in which a slot was up, in each window; or all of the required time, outages left out."""
        found: list[Exposure] = []
        for window in windows:
            states = self.reader.states(slot).within(window)
            up = union(states.up, states.down) if whole else states.up
            days = tuple((day, float(total_us(part))) for day, part in by_day(up, self.plan.zone).items())
            found.append((total_us(up), total_us(states.unknown), days))
        return found

    def _measured(self, of: EventRate, slot: str, windows: Sequence[Stretches]) -> list[Exposure]:
        """What a counter or an integral came to, in each window."""
        by = of.per.increase or of.per.integral
        assert by is not None
        daily = [by_day(window, self.plan.zone) for window in windows]
        pieces: list[Stretches] = list(dict.fromkeys(part for days in daily for part in days.values()))
        known = dict(zip(pieces, self.exposures(slot, by, pieces), strict=True))
        return [
            (sure, doubtful, tuple((day, known[part][0]) for day, part in days.items()))
            for (sure, doubtful), days in zip(self.exposures(slot, by, list(windows)), daily, strict=True)
        ]

    def _lasted(self, kpi: Kpi, of: EventDuration, slot: str) -> list[DurationPart]:
        kind = self.plan.slots[slot].events[of.event]
        found = event_duration.durations(
            self._happenings(slot, of.event), numbered=kind.numbered, where=of.where, until_us=micros(self._until())
        )
        dated = [(self._day(one.at_us), one) for one in found]
        parts = []
        for window in self._required(kpi, slot):
            states: States = self.reader.states(slot).within(window)
            connected_us, required_us = self._connected(slot, window)
            parts.append(
                DurationPart(
                    lasted=tuple((day, one) for day, one in dated if contains(window, one.at_us)),
                    connected_us=connected_us,
                    required_us=required_us,
                    numbered=kind.numbered,
                    company_us=total_us(states.down),
                    platform_us=total_us(states.left_out) - total_us(states.site),
                    site_us=total_us(states.site),
                    nobody_us=total_us(states.unknown),
                )
            )
        return parts

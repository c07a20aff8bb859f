"""The parts of a detection: what became of alerts and labels at each slot, in each window; and what others take from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from core.window import instant
from devices.plan.detection import detection_behind
from devices.plan.detection_measures import Detection
from devices.plan.event_measures import Count, EventDuration, EventRate
from devices.plan.model import Kpi, Plan
from devices.plan.predicate import slots_in_effect
from kpi.gathered import Gathered, arranged
from kpi.inputs.gather import Gatherer
from kpi.inputs.labelled import said_of
from kpi.inputs.reader import Reader
from kpi.inputs.truth import SlotTruth, slot_truth
from kpi.measures.attributes import holds
from kpi.measures.counting import CountPart, Sighting
from kpi.measures.detection import Dated, DetectionPart, Judged
from kpi.measures.event_duration import DurationPart, Lasted
from kpi.measures.happenings import GRACE_US, by_id
from kpi.measures.matching import Mark
from kpi.measures.truth_sample import windows_drawn
from kpi.spans import Spans
from kpi.stretches import Stretches, contains, difference, intersection, joined, total_us

Exposure = tuple[float, float, tuple[tuple[date, float], ...]]
"""For sure, how much more it may have been, and that of each day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What of a slot's truth lies in one window."""

    required: Stretches
    """Without outages that are nobody's fault at the slot."""
    labelled: Stretches
    """Of it: where an outcome counts."""
    outcomes: tuple[Dated, ...]
    otherwise: tuple[Dated, ...] | None
    complete_us: tuple[int, int]
    """Labelled and drawn time; without a sample, connected and required time."""


class DetectionGatherer(Gatherer):
    """Gathers alerts and labels."""

    def __init__(self, reader: Reader, plan: Plan, spans: Spans) -> None:
        super().__init__(reader, plan, spans)
        self._truths: dict[tuple[str, str], SlotTruth] = {}

    def detection(self, kpi: Kpi, of: Detection) -> Gathered[DetectionPart]:
        slots = slots_in_effect(self.plan, kpi)
        return arranged(slots, self.spans, [self._detected(kpi, of, slot) for slot in slots])

    def _detected(self, kpi: Kpi, of: Detection, slot: str) -> list[DetectionPart]:
        truth = self._truth(kpi, of, slot)
        parts = []
        for window, found in zip(self._required(kpi, slot), self._stretches(kpi, of, slot), strict=True):
            states = self.reader.states(slot).within(window)
            parts.append(
                DetectionPart(
                    outcomes=found.outcomes,
                    otherwise=found.otherwise,
                    readings=tuple(both for at_us, both in truth.readings if contains(found.required, at_us)),
                    once=sum(contains(found.required, at_us) for at_us in truth.once),
                    required_us=total_us(found.required),
                    labelled_us=total_us(found.labelled),
                    obtained=found.complete_us[0],
                    expected=found.complete_us[1],
                    sampled=of.truth.sample is not None,
                    complete=of.truth.sample is None,
                    notes=_notes(truth, window, found.required),
                    company_us=total_us(states.down),
                    platform_us=total_us(states.left_out) - total_us(states.site),
                    site_us=total_us(states.site),
                    nobody_us=total_us(states.unknown),
                )
            )
        return parts

    def _truth(self, kpi: Kpi, of: Detection, slot: str) -> SlotTruth:
        """The alerts of a slot held against its labels, over the whole window and what may belong to its end."""
        key = slot, repr((of, kpi.measure))
        if key not in self._truths:
            self._truths[key] = self._compared(kpi, of, slot)
        return self._truths[key]

    def _compared(self, kpi: Kpi, of: Detection, slot: str) -> SlotTruth:
        until = min(self.spans.whole.end + timedelta(microseconds=GRACE_US), self.reader.as_of)
        alerts = [
            Mark(
                start_us=event.at_us,
                end_us=max(event.at_us, event.at_us if event.end_us is None else event.end_us),
                ids=(number,),
                attributes=event.attributes,
            )
            for number, event in by_id(self.reader.happenings(slot, of.alerts, until))
            if holds(of.where, event.attributes) is not False
        ]
        drawn = None
        if of.truth.sample is not None:
            drawn = tuple(windows_drawn(of.truth.sample, slot, self.before_conditions(kpi, slot)))
        return slot_truth(of, alerts, said_of(self.reader, of.truth.labels, slot), drawn)

    def _stretches(self, kpi: Kpi, of: Detection, slot: str) -> list[Stretch]:
        """What of it lies in each window of a KPI: the detection's own, or one that takes its pairs."""
        truth, states = self._truth(kpi, of, slot), self.reader.states(slot)
        drawn = None if truth.drawn is None else joined(truth.drawn)
        labelled = None if truth.labelled is None else joined(truth.labelled)
        found = []
        for window in self._required(kpi, slot):
            required = difference(window, states.within(window).left_out)
            counts = required if labelled is None else intersection(labelled, required)

            def dated(outcomes: Sequence[Judged], counts: Stretches = counts) -> tuple[Dated, ...]:
                return tuple(
                    (instant(one.at_us).astimezone(self.plan.zone).date(), self._whose(one, slot))
                    for one in outcomes
                    if contains(counts, one.at_us)
                )

            complete_us = self._connected(slot, window)
            if drawn is not None:
                complete_us = total_us(counts), total_us(intersection(drawn, required))
            found.append(
                Stretch(
                    required=required,
                    labelled=counts,
                    outcomes=dated(truth.outcomes),
                    otherwise=None if truth.otherwise is None else dated(truth.otherwise),
                    complete_us=complete_us,
                )
            )
        return found

    def _whose(self, one: Judged, slot: str) -> Judged:
        """Missed while the device was down: the company's. While nobody knows whether it was: nobody's."""
        if one.outcome != "missed":
            return one
        states = self.reader.states(slot)
        if contains(states.down, one.at_us):
            return replace(one, down=True)
        return replace(one, doubtful=True) if contains(states.unknown, one.at_us) else one

    # --- What other kinds take from a match

    def match_windows(self, kpi: Kpi, slot: str) -> list[Stretches]:
        """Where an outcome of the match counts, in each window."""
        return [one.labelled for one in self._stretches(kpi, self._behind(kpi), slot)]

    def match_counted(
        self, kpi: Kpi, of: Count | EventRate, slot: str, exposures: Sequence[Exposure]
    ) -> list[CountPart]:
        """The outcomes that are counted."""
        parts = []
        found = self._stretches(kpi, self._behind(kpi), slot)
        for one, (exposure, doubtful, days) in zip(found, exposures, strict=True):
            states = self.reader.states(slot).within(one.required)
            parts.append(
                CountPart(
                    sightings=tuple(
                        (day, Sighting(at_us=judged.at_us, certain=not judged.doubtful))
                        for day, judged in one.outcomes
                        if judged.outcome == of.outcome
                    ),
                    exposure=exposure,
                    doubtful=doubtful,
                    days=days,
                    connected_us=one.complete_us[0],
                    required_us=one.complete_us[1],
                    # What was not heard of is missed, and counted so; of a false alarm nobody knows it.
                    numbered=of.outcome != "false_alarm",
                    share=_share(one),
                    required_time_us=total_us(one.required),
                    company_us=total_us(states.down),
                    nobody_us=total_us(states.unknown),
                )
            )
        return parts

    def match_lasted(self, kpi: Kpi, of: EventDuration, slot: str) -> list[DurationPart]:
        """From the start of each label to that of its alert; a missed one for ever."""
        del of
        parts = []
        for one in self._stretches(kpi, self._behind(kpi), slot):
            states = self.reader.states(slot).within(one.required)
            parts.append(
                DurationPart(
                    lasted=tuple(
                        (day, _lasted(judged)) for day, judged in one.outcomes if judged.outcome != "false_alarm"
                    ),
                    connected_us=one.complete_us[0],
                    required_us=one.complete_us[1],
                    numbered=True,
                    company_us=total_us(states.down),
                    nobody_us=total_us(states.unknown),
                )
            )
        return parts

    def _behind(self, kpi: Kpi) -> Detection:
        found = detection_behind(self.plan.kpis, kpi.measure)
        assert found is not None, "the plan was checked"
        return found


def _lasted(one: Judged) -> Lasted:
    if one.alert is None:
        return Lasted(at_us=one.at_us, duration_us=None, ending="missed", doubtful=one.doubtful)
    # An alert that comes before the label's start, within the tolerance, took no time.
    return Lasted(at_us=one.at_us, duration_us=max(one.alert.start_us - one.at_us, 0), doubtful=one.doubtful)


def _share(one: Stretch) -> float:
    """How much of the required time the outcomes are of."""
    required, labelled = total_us(one.required), total_us(one.labelled)
    return 1.0 if labelled == required or not required else labelled / required


def _notes(truth: SlotTruth, window: Stretches, required: Stretches) -> dict[str, int]:
    found = Counter(name for at_us, name in truth.notes if contains(window, at_us))
    if truth.drawn is not None and truth.labelled is not None:
        drawn = [one for one in truth.drawn if intersection((one,), required)]
        with_label = set(truth.labelled)
        found["windows"] = len(drawn)
        found["unlabelled_windows"] = sum(one not in with_label for one in drawn)
    return dict(found)

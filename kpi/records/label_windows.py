"""The windows that labellers are to look at, by the plan alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.errors import NotFound
from core.window import Window
from devices.plan.detection import detections
from devices.plan.model import Kpi, Plan
from devices.plan.predicate import slots_in_effect
from kpi.calendar import required
from kpi.measures.truth_sample import windows_drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleWindow:
    """A window of a slot that is to be labelled."""

    slot: str
    start_us: int
    end_us: int
    within_us: int

    @property
    def times(self) -> Mapping[str, int]:
        """Its ends, and from when to when there is to be looked: an alert inside may belong to something just outside."""
        return {
            "start": self.start_us, "end": self.end_us, "look_from": self.start_us - self.within_us,
            "look_until": self.end_us + self.within_us,
        }  # fmt: skip


def sample_windows(plan: Plan, key: str, window: Window) -> Iterator[SampleWindow]:
    """The windows of a KPI's sample in a stretch of time, slot by slot.

    :raises NotFound: the plan has no such KPI with a detection, or its truth is not sampled.
    """
    of = detections(plan.kpis).get(key)
    if of is None:
        there = ", ".join(detections(plan.kpis)) or "none"
        raise NotFound(f"The plan of pilot {plan.pilot} has no KPI {key!r} with a detection; it has: {there}.")
    if of.truth.sample is None:
        raise NotFound(f"KPI {key!r} of pilot {plan.pilot} has no sample: all of its time is to be labelled.")
    time = required(window, plan.zone, hours=of.hours_minutes, weekdays=of.days, holidays=of.holidays)
    for slot in slots_in_effect(plan, _part(plan.kpis[key])):
        for start_us, end_us in windows_drawn(of.truth.sample, slot, time):
            yield SampleWindow(slot=slot, start_us=start_us, end_us=end_us, within_us=of.within_us)


def _part(kpi: Kpi) -> Kpi:
    """The promise that has the detection."""
    return next(part for part in kpi.parts if part.measure.detection is not None)

"""The detection that another KPI of a plan takes its pairs from."""

from __future__ import annotations

from collections.abc import Mapping

from devices.plan.detection_measures import Detection
from devices.plan.event_measures import OfEventsOrMatch
from devices.plan.measures import Measure
from devices.plan.model import Kpi, Slot


def detections(kpis: Mapping[str, Kpi]) -> dict[str, Detection]:
    """The KPIs that match alerts with labels, each with its detection; of several promises the first that does."""
    found: dict[str, Detection] = {}
    for name, kpi in kpis.items():
        for part in kpi.parts:
            of = part.measure.of
            if isinstance(of, Detection):
                found.setdefault(name, of)
    return found


def detection_behind(kpis: Mapping[str, Kpi], measure: Measure) -> Detection | None:
    """The detection that a measure is computed from: its own, or that of the KPI it names; None where there is none."""
    match measure.of:
        case Detection() as of:
            return of
        case OfEventsOrMatch(match=str(name)):
            return detections(kpis).get(name)
        case _:
            return None


def about(slot: Slot, of: Detection) -> bool:
    """Whether a slot has both alerts and labels of them."""
    labels = slot.events.get(of.truth.labels)
    return of.alerts in slot.events and labels is not None and labels.truth

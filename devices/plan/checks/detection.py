"""Detections: alerts and labels that there are, labels that are declared as truth; matches that there are."""

from __future__ import annotations

from collections.abc import Iterator

from devices.plan.checks.fault import Fault, fault
from devices.plan.checks.kpis import event_named, measures
from devices.plan.detection_measures import Detection
from devices.plan.draft import Draft
from devices.plan.event_measures import OfEventsOrMatch
from devices.plan.measures import Measure
from devices.plan.problem import Way, guess, known


def truths(plan: Draft) -> Iterator[Fault]:
    """Alerts and labels are kinds of events of the same slots, and the labels are declared as truth there."""
    for way, measure in measures(plan):
        if isinstance(measure.of, Detection):
            yield from _truth(plan, way, measure, measure.of)


def _truth(plan: Draft, way: Way, measure: Measure, of: Detection) -> Iterator[Fault]:
    yield from event_named(plan, (*way, "alerts"), measure, of.alerts)
    labels, at = of.truth.labels, (*way, "truth", "labels")
    if labels == of.alerts:
        yield fault(at, "truth-alerts")
        return
    missing = list(event_named(plan, at, measure, labels))
    yield from missing
    alerting = [name for name in of.slots or plan.slots if name in plan.slots and of.alerts in plan.slots[name].events]
    declared = [name for name in alerting if _is_truth(plan, name, labels)]
    if not missing and alerting and (not declared or (of.slots is not None and len(declared) < len(alerting))):
        yield fault(at, "truth-kind", event=labels)


def _is_truth(plan: Draft, slot: str, event: str) -> bool:
    kind = plan.slots[slot].events.get(event)
    # One that cannot be read is told of already.
    return event in plan.slots[slot].events and (kind is None or kind.truth)


def scopes(plan: Draft) -> Iterator[Fault]:
    """A sample of the truth is of a capability: what happened is not known from it for sure."""
    sampled = {name for name, kpi in plan.kpis.items() if any(_sampled(one.measure) for one in kpi.promises)}
    for name, kpi in plan.kpis.items():
        if name in sampled and kpi.scope == "period":
            yield fault(("kpis", name, "scope"), "truth-sampled")
        taken = {
            one.measure.of.match for one in kpi.promises if one.measure and isinstance(one.measure.of, OfEventsOrMatch)
        }
        if taken & sampled and kpi.scope != "capability" and kpi.decision in ("confident", "guarded"):
            yield fault(("kpis", name, "decision"), "truth-sampled")


def _sampled(measure: Measure | None) -> bool:
    of = None if measure is None else measure.of
    return isinstance(of, Detection) and of.truth.sample is not None


def matches(plan: Draft) -> Iterator[Fault]:
    """A match is of a KPI that has one."""
    there = [
        name
        for name, kpi in plan.kpis.items()
        if any(one.measure is not None and isinstance(one.measure.of, Detection) for one in kpi.promises)
    ]
    for way, measure in measures(plan):
        of = measure.of
        if isinstance(of, OfEventsOrMatch) and of.match is not None and of.match not in there:
            yield fault((*way, "match"), "match-unknown", known=known(there), guess=guess(of.match, there))


CHECKS = (truths, scopes, matches)

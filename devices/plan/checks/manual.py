"""What people enter: measures speak of quantities that the plan declares, and ask of them what they have."""

from __future__ import annotations

from collections.abc import Iterator

from devices.plan.checks.fault import Fault, fault
from devices.plan.checks.kpis import measures
from devices.plan.draft import Draft
from devices.plan.manual import ManualQuantity
from devices.plan.manual_measures import STATS, Manual
from devices.plan.problem import Way, guess, known


def quantities(plan: Draft) -> Iterator[Fault]:
    """The slots that entries are of exist."""
    for name, quantity in plan.manual.items():
        for position, slot in enumerate(() if quantity is None else quantity.slots or ()):
            if slot not in plan.slots:
                there = list(plan.slots)
                way = ("manual", name, "slots", position)
                yield fault(way, "slot-unknown", known=known(there), guess=guess(slot, there))


def measured(plan: Draft) -> Iterator[Fault]:
    """A measure of what people enter names a quantity, and a statistic that its kind has."""
    for way, measure in measures(plan):
        of = measure.of
        if not isinstance(of, Manual):
            continue
        if of.of not in plan.manual:
            there = list(plan.manual)
            yield fault((*way, "of"), "manual-unknown", known=known(there) or "–", guess=guess(of.of, there))
            continue
        quantity = plan.manual[of.of]
        if quantity is not None:
            yield from _statistic(way, of, quantity)
            yield from _slots(way, of, quantity)


def _statistic(way: Way, of: Manual, quantity: ManualQuantity) -> Iterator[Fault]:
    if of.stat not in STATS[quantity.kind]:
        has = ", ".join(STATS[quantity.kind])
        yield fault((*way, "stat"), "manual-stat", quantity=of.of, kind=quantity.kind, known=has)
    elif of.stat == "rate" and quantity.exposure is None:
        yield fault((*way, "stat"), "manual-no-exposure", quantity=of.of)
    elif of.per is not None and quantity.exposure is not None and of.per != quantity.exposure.id:
        yield fault((*way, "per"), "manual-per", quantity=of.of, known=quantity.exposure.id or "–")


def _slots(way: Way, of: Manual, quantity: ManualQuantity) -> Iterator[Fault]:
    for position, slot in enumerate(of.slots or ()):
        if quantity.slots is None or slot not in quantity.slots:
            yield fault(
                (*way, "slots", position), "manual-slot", quantity=of.of, known=known(quantity.slots or ()) or "–"
            )


CHECKS = (quantities, measured)

"""What takes more than one value to see: each check is a small pure function over whatever parts could be read."""

from __future__ import annotations

from collections.abc import Iterator

from devices.plan.checks import (
    agreement,
    calibrations,
    change,
    channels,
    connections,
    dates,
    detection,
    kpis,
    leaving_out,
    manual,
    quality,
    readings,
    stated,
    targets,
)
from devices.plan.checks.fault import Fault
from devices.plan.draft import Draft

__all__ = ["Fault", "faults"]

_CHECKS = (
    *dates.CHECKS,
    *channels.CHECKS,
    *stated.CHECKS,
    *quality.CHECKS,
    *connections.CHECKS,
    *kpis.CHECKS,
    *leaving_out.CHECKS,
    *targets.CHECKS,
    *calibrations.CHECKS,
    *change.CHECKS,
    *agreement.CHECKS,
    *manual.CHECKS,
    *readings.CHECKS,
    *detection.CHECKS,
)


def faults(plan: Draft) -> Iterator[Fault]:
    """Everything that the checks find."""
    for check in _CHECKS:
        yield from check(plan)

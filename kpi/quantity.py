"""Exact conversion of results: a value that is exactly on its bound in one unit is so in the other.

95 × 0.01 is 0.9500000000000001 in floating point, and a product that reaches its target exactly would miss it. So results
are converted through fractions and rounded once.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache

import pint

from core.units import UnitError, counted, registry, same_dimension, unit_of
from devices.plan.target import Bounds


@cache
def _line(source: str, target: str) -> tuple[Fraction, Fraction]:
    start, end = unit_of(source), unit_of(target)
    try:
        zero = registry().Quantity(Fraction(0), start).to(end).magnitude
        one = registry().Quantity(Fraction(1), start).to(end).magnitude
    except pint.errors.PintError as error:
        raise UnitError(f"{source!r} cannot become {target!r}. Use units of the same dimension.") from error
    return Fraction(one) - Fraction(zero), Fraction(zero)


def converted(value: float, source: str, target: str, *, difference: bool = False) -> float:
    """A value in another unit, rounded once.

    :param difference: a difference of values (a standard deviation): scaled, never shifted.
    :raises UnitError: the units measure different things.

    >>> converted(95.0, "%", "")
    0.95
    >>> converted(71.6, "degF", "degC"), converted(1.8, "degF", "degC", difference=True)
    (22.0, 1.0)
    """
    if source == target or math.isinf(value):
        return value
    scale, offset = _line(source, target)
    # The shortest decimal that names the float is the number that was meant.
    exact = Fraction(repr(float(value))) * scale
    return float(exact if difference else exact + offset)


def unit_for(bounds: Bounds, measured: str) -> str:
    """The unit in which a result is compared and shown: the target's, or the measure's where the target has none.

    Where events are counted, a target's bare number is one of events:

    >>> from devices.plan.target import parse_bounds
    >>> unit_for(parse_bounds("<= 1 / (1000 km)"), "건/km"), unit_for(parse_bounds("== 0"), "건")
    ('건/(1000 km)', '건')
    """
    if same_dimension(bounds.unit, measured):
        return bounds.unit
    if bounds.unit == "":
        return measured
    return counted(bounds.unit) if same_dimension(counted(bounds.unit), measured) else bounds.unit

"""What *somewhat better* and *somewhat worse* than a target means, unless the plan says it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from core.units import UnitError, conversion, parse_quantity, same_dimension
from devices.plan.agreed import Planned
from devices.plan.target import Bounds

BETTER, WORSE = 0.6, 1.4
"""Of what a product gets wrong: of a share the part that fails, of a rate or a time between failures how often it happens.

A target of 95 % is thus looked at with products of 97 %, 95 % and 93 %."""

MARGIN = 0.1
"""Of a value, as a share of its target."""

SPREAD = 0.2
"""Standard deviation of single readings, as a share of the target."""

Kind = Literal["share", "rate", "between", "value"]
Which = Literal["better", "at", "worse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truths:
    """What a product truly does, in the unit of the target; None where there is no such product."""

    better: float | None
    at: float
    worse: float | None


def truths(target: Bounds, kind: Kind, planned: Planned | None, *, spread: float) -> Truths:
    """The three products that a KPI is looked at with.

    :param target: in the unit that is shown; of a share in %, or in parts of one.
    :param spread: the standard deviation of single readings, in the same unit.

    >>> from devices.plan.target import parse_bounds
    >>> truths(parse_bounds(">= 95 %"), "share", None, spread=0)
    Truths(better=97.0, at=95.0, worse=93.0)
    >>> truths(parse_bounds("20..26 degC"), "value", None, spread=1)
    Truths(better=23.0, at=20.0, worse=18.8)
    """
    found = _usual(target, kind, spread)
    if planned is None:
        return found
    return Truths(
        better=found.better if planned.better is None else _in_unit(planned.better, target.unit),
        at=found.at,
        worse=found.worse if planned.worse is None else _in_unit(planned.worse, target.unit),
    )


def _usual(target: Bounds, kind: Kind, spread: float) -> Truths:
    if target.one_sided is None:
        return _of_range(target, kind, spread)
    low = target.one_sided == "low"
    end = target.low if low else target.high
    match kind:
        case "share":
            return _of_share(end, 100.0 if target.unit == "%" else 1.0, low=low)
        case "rate" if end > 0:
            better, worse = (end / BETTER, end / WORSE) if low else (end * BETTER, end * WORSE)
            return Truths(better=_tidy(better), at=end, worse=_tidy(worse))
        case "between" if end > 0:
            return Truths(better=_tidy(end / BETTER), at=end, worse=_tidy(end / WORSE))
        case "rate" | "between":
            return Truths(better=None, at=0.0, worse=1.0)
        case _:
            margin = (MARGIN * abs(end) or spread / 2 or 1.0) * (1 if low else -1)
            return Truths(better=_tidy(end + margin), at=end, worse=_tidy(end - margin))


def _of_share(end: float, whole: float, *, low: bool) -> Truths:
    failing = whole - end if low else end
    if failing <= 0:
        # Nothing is better than faultless; worse is a product that fails one time in a hundred.
        worse = whole / 100
        return Truths(better=None, at=end, worse=whole - worse if low else worse)
    better, worse = failing * BETTER, min(failing * WORSE, whole)
    return Truths(better=_tidy(whole - better if low else better), at=end, worse=_tidy(whole - worse if low else worse))


def _of_range(target: Bounds, kind: Kind, spread: float) -> Truths:
    width = target.high - target.low
    if width == 0:
        if kind == "rate":
            return Truths(better=None, at=target.low, worse=target.low + 1)
        step = MARGIN * abs(target.low) or spread / 2 or 1.0
        return Truths(better=None, at=target.low, worse=target.low + step)
    return Truths(
        better=_tidy((target.low + target.high) / 2), at=target.low, worse=_tidy(target.low - (1 - BETTER) * width / 2)
    )


def _tidy(value: float) -> float:
    """Without what floating point adds: 97, and not 97.00000000000001."""
    return float(f"{value:.12g}")


def _in_unit(text: str, unit: str) -> float:
    value, written = parse_quantity(text)
    return value if written == unit else conversion(written, unit)(value)


def unreadable(planned: Planned | None, unit: str) -> str | None:
    """A level of the plan that is in another dimension than the target, as it was written."""
    for text in (planned.better, planned.worse) if planned is not None else ():
        if text is None:
            continue
        try:
            if not same_dimension(parse_quantity(text)[1], unit):
                return text
        except UnitError:
            return text
    return None


def spread_of(planned: Planned | None, target: Bounds, *, offset: bool) -> float:
    """The standard deviation of single readings, in the unit of the target.

    :param offset: the unit has a zero of its own (°C), so that a share of the target means nothing: 3 of it then.
    """
    if planned is not None and planned.spread is not None:
        value, written = parse_quantity(planned.spread)
        return value * abs(conversion(written, target.unit).scale)
    ends = [abs(end) for end in (target.low, target.high) if math.isfinite(end)]
    return 3.0 if offset else SPREAD * max(ends) or 1.0

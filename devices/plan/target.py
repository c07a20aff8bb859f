"""Targets and value conditions: ``>= 95 %``, ``<= 35 ug/m^3``, ``20..26 degC``, ``== 0``; always compared unrounded.

The grammar of targets: ``>=`` 이상, ``>`` 초과, ``<=`` 이하, ``<`` 미만, ``a..b`` 범위 (both ends belong to it), ``== 0``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from core.errors import PermanentError
from core.numbers import written
from core.units import UnitError, conversion, parse_quantity, registry, shown_unit, unit_of


class TargetError(PermanentError):
    """A target or condition that the grammar does not know."""


_COMPARISON = re.compile(r"\s*(>=|<=|==|>|<)\s*(.+)", re.DOTALL)
_RANGE = re.compile(r"\s*([-+]?[0-9][0-9.,_eE]*?)\s*\.\.\s*([-+]?[0-9].*)", re.DOTALL)
_RATE = re.compile(r"([-+]?[0-9.]+)\s*/\s*\(\s*([0-9.,]+)\s*([^)]*)\)\s*")
_KOREAN = {">=": "이상", ">": "초과", "<=": "이하", "<": "미만", "==": "일치"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The values that satisfy a condition: between ``low`` and ``high``, each end in or out of it.

    ``unit`` is the unit both ends are written in; ``text`` is what stood in the plan.
    """

    low: float
    high: float
    low_closed: bool
    high_closed: bool
    unit: str
    text: str

    def __contains__(self, value: float) -> bool:
        above = value >= self.low if self.low_closed else value > self.low
        below = value <= self.high if self.high_closed else value < self.high
        return above and below

    def to(self, unit: str) -> Bounds:
        """The same condition in another unit of the same dimension.

        A bare number takes the unit asked for: ``> 0`` on a channel in W is 0 W.

        :raises UnitError: another dimension.
        """
        if self.unit == "" and unit_of(unit) != unit_of(""):
            if {self.low, self.high} <= {0.0, -math.inf, math.inf} or unit_of(unit) == registry().Unit("state_code"):
                return Bounds(low=self.low, high=self.high, low_closed=self.low_closed, high_closed=self.high_closed,
                              unit=unit, text=self.text)  # fmt: skip
            raise UnitError(f"{self.text!r} has no unit, where {unit!r} is needed: write the unit beside the number.")
        change = conversion(self.unit, unit)
        return Bounds(
            low=change(self.low) if math.isfinite(self.low) else self.low,
            high=change(self.high) if math.isfinite(self.high) else self.high,
            low_closed=self.low_closed,
            high_closed=self.high_closed,
            unit=unit,
            text=self.text,
        )

    @property
    def one_sided(self) -> str | None:
        """``"low"`` for ≥ and >, ``"high"`` for ≤ and <, ``None`` for a range or an equality."""
        if math.isinf(self.high) and math.isfinite(self.low):
            return "low"
        if math.isinf(self.low) and math.isfinite(self.high):
            return "high"
        return None

    def shown(self, language: str) -> str:
        """As people read it: ``95 % 이상`` / ``≥ 95 %``."""
        unit = shown_unit(self.unit)
        tail = f" {unit}" if unit else ""
        if self.one_sided is None:
            low, high = written(self.low), written(self.high)
            if self.low == self.high:
                return f"{low}{tail}" if language == "ko" else f"= {low}{tail}"
            return f"{low} ~ {high}{tail}" if language == "ko" else f"{low} to {high}{tail}"
        if self.one_sided == "low":
            number, sign = self.low, ">=" if self.low_closed else ">"
        else:
            number, sign = self.high, "<=" if self.high_closed else "<"
        if language == "ko":
            return f"{written(number)}{tail} {_KOREAN[sign]}"
        return f"{sign.replace('>=', '≥').replace('<=', '≤')} {written(number)}{tail}"


def parse_bounds(text: str) -> Bounds:
    """Read a target or a condition on values.

    >>> parse_bounds(">= 95 %").shown("ko"), parse_bounds("<= 1000 ppm").shown("en")
    ('95 % 이상', '≤ 1,000 ppm')
    >>> 26.0 in parse_bounds("20..26 degC")
    True

    :raises TargetError: the text follows none of the forms.
    :raises UnitError: its unit is unknown.
    """
    if match := _RANGE.fullmatch(text):
        low = float(match[1].replace(",", "").replace("_", ""))
        high, unit = parse_quantity(match[2])
        if low > high:
            raise TargetError(f"{text!r} is an empty range: its lower end is above its upper end. Swap them.")
        return Bounds(low=low, high=high, low_closed=True, high_closed=True, unit=unit, text=text)
    match = _COMPARISON.fullmatch(text)
    if match is None:
        raise TargetError(
            f"{text!r} is no target: write >=, >, <=, <, == or a range, as in '>= 95 %' or '20..26 degC'."
        )
    sign = match[1]
    if rate := _RATE.fullmatch(match[2]):  # "1 / (1000 km)": one per thousand kilometres
        number, unit = float(rate[1]) / float(rate[2].replace(",", "")), f"1/{rate[3].strip()}"
        unit_of(unit)
    else:
        number, unit = parse_quantity(match[2])
    return Bounds(
        low=number if sign in (">=", ">", "==") else -math.inf,
        high=number if sign in ("<=", "<", "==") else math.inf,
        low_closed=sign in (">=", "=="),
        high_closed=sign in ("<=", "=="),
        unit=unit,
        text=text,
    )

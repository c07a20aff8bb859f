"""Targets and value conditions: ``>= 95 %``, ``<= 35 ug/m^3``, ``20..26 degC``, ``== 0``; always compared unrounded.

The grammar of targets, in signs or in Korean words:

| signs | words | |
|---|---|---|
| ``>= 95 %``, ``≥ 95 %`` | ``95 % 이상`` | the end belongs to it |
| ``> 95 %`` | ``95 % 초과`` | it does not |
| ``<= 5 s``, ``≤ 5 s`` | ``5 s 이하`` | it does |
| ``< 5 s`` | ``5 s 미만`` | it does not |
| ``20..26 degC`` | ``20 ~ 26 °C``, ``20 °C 이상 26 °C 미만`` | 범위; both ends belong to it, or as the words say |
| ``== 0`` | ``0건 일치`` | that value alone |

A rate is written ``<= 1 / (1000 km)``, ``<= 3 건/camera-day`` or ``1000 km당 1건 이하``; a bare number of it counts events.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from core.errors import PermanentError
from core.language import with_unit
from core.numbers import written
from core.units import UnitError, conversion, counted, parse_quantity, registry, same_dimension, unit_of


class TargetError(PermanentError):
    """A target or condition that the grammar does not know."""


_NUMBER = r"[-+]?[0-9][0-9,_]*(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
_SIGNED = re.compile(r"(>=|<=|==|=|≥|≤|>|<)\s*(.+)", re.DOTALL)
_WORDED = re.compile(r"(.+?)\s*(이상|초과|이하|미만|일치)", re.DOTALL)
_BETWEEN = re.compile(r"(.+?)\s*(이상|초과)\s*,?\s*(.+?)\s*(이하|미만)", re.DOTALL)
_RANGE = re.compile(rf"({_NUMBER})\s*(\D*?)\s*(?:\.\.|~|～|\bto\b)\s*({_NUMBER}.*?)\s*(?:범위)?", re.DOTALL)
_RATE = re.compile(rf"({_NUMBER})\s*/\s*(.+)", re.DOTALL)
_PER = re.compile(rf"(.+?)당\s*({_NUMBER})\s*(건|회|번)?", re.DOTALL)
_WORDS = {"이상": ">=", "초과": ">", "이하": "<=", "미만": "<", "일치": "=="}
_KOREAN = {sign: word for word, sign in _WORDS.items()}
_SIGNS = {"≥": ">=", "≤": "<=", "=": "=="}


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
        # Where there is no end, what never came to an end satisfies it too: an infinite value is above 5.
        above = self.low == -math.inf or (value >= self.low if self.low_closed else value > self.low)
        below = self.high == math.inf or (value <= self.high if self.high_closed else value < self.high)
        return above and below

    def to(self, unit: str, *, difference: bool = False) -> Bounds:
        """The same condition in another unit of the same dimension.

        A bare number takes the unit asked for where that cannot be mistaken: ``> 0`` on a channel in W is 0 W, and where
        events are counted any number is one of events, ``1 / (1000 km)`` too.

        :param difference: of differences of values: 9 °F of them are 5 °C.
        :raises UnitError: another dimension.
        """
        if not same_dimension(self.unit, unit) and same_dimension(counted(self.unit), unit):
            return replace(self, unit=counted(self.unit)).to(unit, difference=difference)
        if self.unit == "" and unit_of(unit) != unit_of(""):
            if {self.low, self.high} <= {0.0, -math.inf, math.inf} or unit_of(unit) == registry().Unit("state_code"):
                return replace(self, unit=unit)
            raise UnitError(f"{self.text!r} has no unit, where {unit!r} is needed: write the unit beside the number.")
        change = conversion(self.unit, unit)
        if difference:
            change = replace(change, offset=0.0)
        return replace(
            self,
            low=change(self.low) if math.isfinite(self.low) else self.low,
            high=change(self.high) if math.isfinite(self.high) else self.high,
            unit=unit,
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
        low, high = (with_unit(written(end), self.unit, language) for end in (self.low, self.high))
        if self.one_sided is None:
            return self._shown_range(low, high, language)
        shown, sign = (low, ">=" if self.low_closed else ">") if self.one_sided == "low" else (
            high, "<=" if self.high_closed else "<"
        )  # fmt: skip
        return f"{shown} {_KOREAN[sign]}" if language == "ko" else f"{_pretty(sign)} {shown}"

    def _shown_range(self, low: str, high: str, language: str) -> str:
        korean = language == "ko"
        if self.low == self.high:
            return f"{low} 일치" if korean else f"= {low}"
        above, below = ">=" if self.low_closed else ">", "<=" if self.high_closed else "<"
        if self.low_closed and self.high_closed:
            return f"{written(self.low)} ~ {high}" if korean else f"{written(self.low)} to {high}"
        if korean:
            return f"{low} {_KOREAN[above]} {high} {_KOREAN[below]}"
        return f"{_pretty(above)} {low} and {_pretty(below)} {high}"


def _pretty(sign: str) -> str:
    return sign.replace(">=", "≥").replace("<=", "≤")


def parse_bounds(text: str) -> Bounds:
    """Read a target or a condition on values.

    >>> parse_bounds(">= 95 %").shown("ko"), parse_bounds("1,000 ppm 이하").shown("en")
    ('95 % 이상', '≤ 1,000 ppm')
    >>> 26.0 in parse_bounds("20..26 degC"), 26.0 in parse_bounds("20 °C 이상 26 °C 미만")
    (True, False)
    >>> parse_bounds("<= 1 / (1000 km)").shown("en"), parse_bounds("1000 km당 1건 이하").shown("ko")
    ('≤ 1 /1,000 km', '1건/1,000 km 이하')

    :raises TargetError: the text follows none of the forms.
    :raises UnitError: its unit is unknown.
    """
    told = text.strip()
    if match := _BETWEEN.fullmatch(told):
        low, high = _quantity(match[1]), _quantity(match[3])
        return _range(text, low, high, low_closed=match[2] == "이상", high_closed=match[4] == "이하")
    if match := _SIGNED.fullmatch(told):
        return _one(text, _SIGNS.get(match[1], match[1]), *_quantity(match[2]))
    if match := _WORDED.fullmatch(told):
        return _one(text, _WORDS[match[2]], *_quantity(match[1]))
    if match := _RANGE.fullmatch(told):
        high = _quantity(match[3])
        low = _quantity(f"{match[1]} {match[2] or high[1]}")
        return _range(text, low, high, low_closed=True, high_closed=True)
    raise TargetError(
        f"{text!r} is no target: write >=, >, <=, <, == or a range, as in '>= 95 %', '95 % 이상' or '20..26 degC'."
    )


def _one(text: str, sign: str, number: float, unit: str) -> Bounds:
    return Bounds(
        low=number if sign in (">=", ">", "==") else -math.inf,
        high=number if sign in ("<=", "<", "==") else math.inf,
        low_closed=sign in (">=", "=="),
        high_closed=sign in ("<=", "=="),
        unit=unit,
        text=text,
    )


def _range(
    text: str, low: tuple[float, str], high: tuple[float, str], *, low_closed: bool, high_closed: bool
) -> Bounds:
    if low[1] != high[1] and unit_of(low[1]) != unit_of(high[1]) and (low[1] or low[0]):
        raise TargetError(f"{text!r} has two units: write both ends in one.")
    if low[0] > high[0] or (low[0] == high[0] and not (low_closed and high_closed)):
        raise TargetError(f"{text!r} is an empty range: its lower end is above its upper end. Swap them.")
    return Bounds(low=low[0], high=high[0], low_closed=low_closed, high_closed=high_closed, unit=high[1], text=text)


def _quantity(text: str) -> tuple[float, str]:
    """A number with its unit; ``1 / (1000 km)`` and ``1000 km당 1건`` have the units ``1/(1000 km)`` and ``건/(1000 km)``."""
    told = text.strip()
    if match := _PER.fullmatch(told):
        span = match[1].strip()
        below = f"({span})" if re.match(r"\d", span) else span
        number, unit = _float(match[2]), f"{'건' if match[3] else '1'}/{below}"
    elif match := _RATE.fullmatch(told):
        number, unit = _float(match[1]), f"1/{match[2].strip()}"
    else:
        number, unit = parse_quantity(told)
    unit_of(unit)
    if not math.isfinite(number):
        raise TargetError(f"{text!r} is no number that can be reached.")
    return number, unit


def _float(text: str) -> float:
    return float(text.replace(",", "").replace("_", ""))

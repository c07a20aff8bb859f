"""Units and targets of a plan, read with pint and exact fractions."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import pint

_PINT: Any = pint.UnitRegistry(non_int_type=Fraction, autoconvert_offset_to_baseunit=True)
for _definition in (
    "case = [case]",
    "device = [device]",
    "sound = [sound]",
    "state = [state]",
    "resident = [resident]",
    "point_ = [score]",
    "ppm_ = 1e-6",
):
    _PINT.define(_definition)

_OURS = {
    "건": "case", "점": "point_", "resident-day": "resident*day", "device-day": "device*day", "camera-day": "device*day",
    "카메라·일": "device*day", "대·일": "device*day",
    "device-hour": "device*hour", "°C": "degC", "ppm": "ppm_", "dBA": "sound", "dB": "sound", "%": "percent", "%RH": "percent",
    "시간": "hour", "일": "day", "분": "minute", "초": "second", "lx": "lux", "d": "day", "h": "hour", "min": "minute",
    "ug/m^3": "microgram/meter**3", "m^3": "meter**3", "mg/m^3": "milligram/meter**3",
}  # fmt: skip
_KNOWN = re.compile("|".join(sorted(map(re.escape, _OURS), key=len, reverse=True)))
_WORD = re.compile(r"[^\s()*/·0-9.,]+(?:-[^\s()*/·0-9.,]+)*")


@cache
def _quantity(unit: str) -> Any:
    """One of a unit, as pint has it."""
    text = unit.strip()
    if text in ("", "1"):
        return _PINT.Quantity(Fraction(1), "dimensionless")
    if text in ("degC", "degF", "°C", "°F"):
        return _PINT.Quantity(Fraction(1), text.replace("°", "deg"))
    if text in _OURS:
        return _PINT.Quantity(Fraction(1), _OURS[text])
    told = _WORD.sub(lambda match: f"({_OURS.get(match[0], match[0])})", text.replace("·", "*"))
    told = re.sub(r"(\d)\s+\(", r"\1*(", told)
    told = re.sub(r"(\d),(\d)", r"\1\2", told).replace("(degC)", "(delta_degC)")
    found = _PINT.parse_expression(told)
    return found if hasattr(found, "units") else _PINT.Quantity(Fraction(found), "dimensionless")


def alike(one: str, other: str) -> bool:
    """Whether two units measure the same."""
    return bool(_quantity(one).dimensionality == _quantity(other).dimensionality)


@cache
def line(source: str, target: str) -> tuple[Fraction, Fraction]:
    """Scale and offset from one unit to another."""
    one, other = _quantity(source), _quantity(target)
    ratio = Fraction(one.magnitude) / Fraction(other.magnitude)
    zero = Fraction(_PINT.Quantity(Fraction(0), one.units).to(other.units).magnitude)
    unit = Fraction(_PINT.Quantity(Fraction(1), one.units).to(other.units).magnitude)
    return (unit - zero) * ratio, zero


def convert(value: float, source: str, target: str, *, difference: bool = False) -> float:
    """A value in another unit, rounded once."""
    if source == target or not math.isfinite(value):
        return value
    scale, offset = line(source, target)
    return float(Fraction(repr(float(value))) * scale + (0 if difference else offset))


@dataclass(frozen=True, kw_only=True)
class Target:
    """The values between two ends."""

    low: float = -math.inf
    high: float = math.inf
    low_in: bool = True
    high_in: bool = True
    unit: str = ""

    def holds(self, value: float) -> bool:
        above = self.low == -math.inf or value > self.low or (self.low_in and value == self.low)
        below = self.high == math.inf or value < self.high or (self.high_in and value == self.high)
        return above and below

    @property
    def side(self) -> str:
        """``low`` if only a lower end is asked for, ``high`` if only an upper one, else ``both``."""
        if math.isinf(self.low) == math.isinf(self.high):
            return "both"
        return "high" if math.isinf(self.low) else "low"

    def to(self, unit: str) -> Target:
        """In another unit; a bare number takes any unit, and counts events where events are counted."""
        own = self.unit
        if not alike(own, unit):
            own = unit if own == "" else f"건/{own.partition('/')[2]}"
        return Target(
            low=convert(self.low, own, unit),
            high=convert(self.high, own, unit),
            low_in=self.low_in,
            high_in=self.high_in,
            unit=unit,
        )


_NUMBER = r"[-+]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?"
_SIGNS = {"이상": ">=", "초과": ">", "이하": "<=", "미만": "<", "일치": "==", "≥": ">=", "≤": "<=", "=": "=="}


def number_and_unit(text: str) -> tuple[float, str]:
    """``35 ug/m^3``, ``1 / (1000 km)``, ``1000 km당 1건``."""
    told = text.strip()
    if match := re.fullmatch(rf"(.+?)당\s*({_NUMBER})\s*(건|회)?", told):
        below = match[1].strip()
        return _float(match[2]), f"건/({below})" if below[0].isdigit() else f"건/{below}"
    match = re.fullmatch(rf"({_NUMBER})\s*(.*)", told, re.DOTALL)
    if match is None:
        raise ValueError(f"no quantity: {text!r}")
    unit = match[2].strip()
    return _float(match[1]), f"1/{unit[1:].strip()}" if unit.startswith("/") else unit


def _float(text: str) -> float:
    return float(text.replace(",", ""))


def target(text: str) -> Target:
    """A target or a condition as the plan writes it."""
    told = text.strip()
    if match := re.fullmatch(r"(.+?)\s*(이상|초과)\s*,?\s*(.+?)\s*(이하|미만)", told):
        low, high = number_and_unit(match[1]), number_and_unit(match[3])
        return Target(
            low=low[0], high=high[0], low_in=match[2] == "이상", high_in=match[4] == "이하", unit=high[1]
        )  # fmt: skip
    if match := re.fullmatch(r"(>=|<=|==|=|≥|≤|>|<)\s*(.+)", told):
        sign, told = match[1], match[2]
    elif match := re.fullmatch(r"(.+?)\s*(이상|초과|이하|미만|일치)", told):
        sign, told = match[2], match[1]
    else:
        match = re.fullmatch(rf"({_NUMBER})\s*(\D*?)\s*(?:\.\.|~)\s*({_NUMBER}.*)", told)
        if match is None:
            raise ValueError(f"no target: {text!r}")
        high = number_and_unit(match[3])
        return Target(low=_float(match[1]), high=high[0], unit=high[1])
    sign = _SIGNS.get(sign, sign)
    number, unit = number_and_unit(told)
    return Target(
        low=number if sign in (">=", ">", "==") else -math.inf,
        high=number if sign in ("<=", "<", "==") else math.inf,
        low_in=sign != ">",
        high_in=sign != "<",
        unit=unit,
    )


def seconds(text: str) -> float:
    """A duration in seconds."""
    value, unit = number_and_unit(text)
    return convert(value, unit, "s")

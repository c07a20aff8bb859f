"""Units: one pint registry, one explicit table of symbols, conversions worked out once.

A raw symbol handed to pint goes wrong silently (``pH`` is a picohenry to it, ``%RH`` a percent·ronnahenry), so what devices
and plans write is looked up in :data:`SYMBOLS` first, and only plain SI expressions go to pint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from hashlib import sha256
from types import MappingProxyType
from typing import Any

import pint
from pint.facets.plain import ScaleConverter, UnitDefinition

from core.errors import PermanentError
from core.unit_text import NoExpressionError, in_words_of_pint


class UnitError(PermanentError):
    """A unit is unknown, or of another dimension than what it is compared with."""


SYMBOLS: Mapping[str, str] = MappingProxyType(
    {
        # Fractions and points
        "": "dimensionless", "1": "dimensionless", "/": "dimensionless",
        "%": "percent", "％": "percent", "%p": "percentage_point", "%RH": "percent", "ppm": "ppm", "ppb": "ppb",
        "점": "score_point", "point": "score_point", "건": "case", "case": "case", "회": "case", "명": "person",
        "개": "case", "person": "person", "대": "device", "device": "device", "camera": "device",
        "device-day": "device * day", "camera-day": "device * day", "대·일": "device * day", "카메라·일": "device * day",
        "device-hour": "device * hour", "camera-hour": "device * hour", "대·시간": "device * hour",
        "카메라·시간": "device * hour",
        # What complaints are counted by: residents times days, no person and no device
        "resident": "resident", "주민": "resident", "resident-day": "resident * day", "주민·일": "resident * day",
        # Temperature: pint's own names are kept apart from coulomb and farad
        "Cel": "degC", "°C": "degC", "℃": "degC", "degC": "degC", "°F": "degF", "℉": "degF", "degF": "degF",
        "cdegC": "centidegC", "K": "kelvin",
        # Concentration, area, volume, speed, acceleration
        "ug/m3": "microgram / meter ** 3", "ug/m^3": "microgram / meter ** 3", "µg/m³": "microgram / meter ** 3",
        "㎍/㎥": "microgram / meter ** 3", "mg/m3": "milligram / meter ** 3", "mg/m^3": "milligram / meter ** 3",
        "mg/m³": "milligram / meter ** 3", "m2": "meter ** 2", "m²": "meter ** 2", "m3": "meter ** 3", "m³": "meter ** 3",
        "m/s": "meter / second", "m/s2": "meter / second ** 2", "km/h": "kilometer / hour", "kph": "kilometer / hour",
        "mph": "mile / hour", "m³/h": "meter ** 3 / hour",
        # Electricity, light, sound, radio, chemistry, body
        "mW": "milliwatt", "W": "watt", "kW": "kilowatt", "MW": "megawatt", "Wh": "watt * hour", "kWh": "kilowatt * hour",
        "MWh": "megawatt * hour", "J": "joule", "kJ": "kilojoule", "MJ": "megajoule", "V": "volt", "mV": "millivolt",
        "A": "ampere", "mA": "milliampere", "cA": "centiampere", "VA": "volt * ampere", "var": "volt * ampere",
        "Hz": "hertz", "lx": "lux", "dB": "decibel_level", "dBA": "decibel_level", "dB(A)": "decibel_level",
        "dBm": "decibel_milliwatt_level", "dBW": "decibel_watt_level", "Bspl": "bel_level", "NTU": "turbidity_unit",
        "pH": "ph_scale", "bpm": "beat / minute",
        # Pressure, force, mass, angle, length, time
        "Pa": "pascal", "hPa": "hectopascal", "kPa": "kilopascal", "bar": "bar", "N": "newton", "g": "gram",
        "kg": "kilogram", "rad": "radian", "deg": "degree", "°": "degree", "degE7": "1e-7 degree", "lat": "degree",
        "lon": "degree", "m": "meter", "cm": "centimeter", "mm": "millimeter", "km": "kilometer", "l": "liter",
        "L": "liter", "s": "second", "ms": "millisecond", "us": "microsecond", "µs": "microsecond", "ns": "nanosecond",
        "min": "minute", "h": "hour", "d": "day", "day": "day", "week": "week",
        "hour": "hour", "minute": "minute", "second": "second",
        "초": "second", "분": "minute", "시간": "hour", "일": "day", "주": "week",
        # Data
        "B": "byte", "bit": "bit", "bit/s": "bit / second",
        # States have no unit
        "state": "state_code",
    }
)  # fmt: skip

_DEFINITIONS = (
    # One percentage point is its own dimension: a difference of shares is not a share.
    "ppb = 1e-9",
    "percentage_point = [percentage_point]",
    "score_point = [score]",
    "case = [case]",
    "person = [person]",
    "device = [device]",
    "resident = [resident]",
    "beat = [beat]",
    "state_code = [state]",
    "ph_scale = [ph]",
    # Levels are kept as they are: a mean of decibels is a mean of numbers, and is called so.
    "decibel_level = [sound_level]",
    "bel_level = 10 * decibel_level",
    "decibel_milliwatt_level = [radio_level]",
    "decibel_watt_level = decibel_milliwatt_level; offset: 30",
    "turbidity_unit = [turbidity]",
    "centidegC = 0.01 * kelvin; offset: 273.15",
)

_SHOWN = {
    "ug/m^3": "µg/m³", "ug/m3": "µg/m³", "mg/m^3": "mg/m³", "mg/m3": "mg/m³", "degC": "°C", "Cel": "°C", "degF": "°F",
    "m2": "m²", "m3": "m³", "m/s2": "m/s²", "deg": "°", "degree": "°", "degrees": "°", "lat": "°",
    "lon": "°", "state": "", "case": "건", "person": "명", "point": "점",
    "device-day": "대·일", "camera-day": "카메라·일", "device-hour": "대·시간", "camera-hour": "카메라·시간",
    "resident-day": "주민·일", "resident": "주민",
    "1": "", "/": "",
}  # fmt: skip


@cache
def registry() -> pint.UnitRegistry[Fraction]:
    """The one registry of the process."""
    # Exact fractions: with floats 0 °F becomes −17.777777777777743 °C, wrong in the fifteenth digit.
    made: pint.UnitRegistry[Fraction] = pint.UnitRegistry(
        non_int_type=Fraction, autoconvert_offset_to_baseunit=True, cache_folder=None
    )
    for definition in _DEFINITIONS:
        made.define(definition)
    return made


@cache
def unit_of(symbol: str) -> pint.Unit:
    """The pint unit of a symbol of the table, or of an expression of symbols, full SI names and numbers.

    Symbols that the table does not have are not let through to pint: that is where the wrong guesses are.

    :raises UnitError: the symbol is not known. It is never guessed.
    """
    text = symbol.strip()
    try:
        written = SYMBOLS[text] if text in SYMBOLS else in_words_of_pint(text, SYMBOLS)
        quantity: pint.Quantity[Fraction] = registry().Quantity(registry().parse_expression(written))
        return registry().Unit(quantity.units) if quantity.magnitude == 1 else _scaled(quantity)
    except NoExpressionError:
        raise UnitError(
            f"Unknown unit {symbol!r}: it is not in the table of units (core/units.py). Write one of the table's."
        ) from None
    except (pint.errors.PintError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise UnitError(f"Unknown unit {symbol!r} ({error}). Write one of the table in core/units.py.") from error


def _scaled(quantity: pint.Quantity[Fraction]) -> pint.Unit:
    """A unit that is so many of another, as 1/(1000 km): pint keeps a factor only in a quantity."""
    factor = Fraction(quantity.magnitude)
    if factor <= 0:
        raise ValueError("a unit is a positive number of others")
    name = f"scaled_{factor.numerator}_{factor.denominator}_{sha256(str(quantity.units).encode()).hexdigest()[:16]}"
    if name not in registry():
        # As text the factor would become a float; pint's own types know strings and floats only, though both work.
        exact: Any = ScaleConverter(factor)  # type: ignore[arg-type]
        made: Any = UnitDefinition(name, None, (), exact, registry().Unit(quantity.units)._units)
        registry().define(made)
    return registry().Unit(name)


_PER = re.compile(r"(.*?)\s*/\s*\(\s*(\d[\d,]*)\s*([^()]+)\)")


def shown_unit(symbol: str) -> str:
    """How a unit is printed beside a number on pages and documents.

    >>> shown_unit("ug/m^3"), shown_unit("건/(1000 km)"), shown_unit("건/device-day"), shown_unit("(W)*s"), shown_unit("1/km")
    ('µg/m³', '건/1,000 km', '건/대·일', 'W·s', '/km')
    """
    text = symbol.strip()
    if text in _SHOWN:
        return _SHOWN[text]
    if text in SYMBOLS:
        return text
    if match := _PER.fullmatch(text):
        many = int(match[2].replace(",", ""))
        return f"{shown_unit(match[1])}/" + (f"{many:,} " if many != 1 else "") + shown_unit(match[3])
    if match := re.fullmatch(r"\(([^()]+)\)\s*\*\s*([^()]+)", text):
        return f"{shown_unit(match[1])}·{shown_unit(match[2])}"
    above, slash, below = text.rpartition("/")
    return f"{shown_unit(above)}/{shown_unit(below)}" if slash and below in SYMBOLS else text


def counted(symbol: str) -> str:
    """The unit of events in the place of a bare number: ``1/(1000 km)`` → ``건/(1000 km)``.

    >>> counted("1/(1000 km)"), counted(""), counted("건/d")
    ('건/(1000 km)', '건', '건/d')
    """
    text = symbol.strip()
    above, slash, below = text.partition("/")
    return text if above.strip() not in ("", "1") else f"건{slash}{below}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """``canonical = value × scale + offset``, worked out once and applied at decode."""

    scale: float
    offset: float

    def __call__(self, value: float) -> float:
        return value * self.scale + self.offset


def _dimension(unit: pint.Unit) -> str:
    """A unit's dimension in words; pint's own formatter stumbles over exponents that are fractions."""
    named = [f"{name}^{power!s}" if power != 1 else str(name) for name, power in unit.dimensionality.items()]
    return " · ".join(named) or "a pure number"


@cache
def conversion(source: str, target: str) -> Conversion:
    """How values in the unit ``source`` become values in ``target``.

    :raises UnitError: a unit is unknown or the two measure different things.
    """
    if source == target:
        unit_of(source)
        return Conversion(scale=1.0, offset=0.0)
    start, end = unit_of(source), unit_of(target)
    try:
        at_zero = registry().Quantity(Fraction(0), start).to(end).magnitude
        at_one = registry().Quantity(Fraction(1), start).to(end).magnitude
    except pint.errors.PintError as error:
        raise UnitError(
            f"{source!r} cannot become {target!r}: {_dimension(start)} is not {_dimension(end)}."
            " Use units of the same dimension."
        ) from error
    return Conversion(scale=float(at_one - at_zero), offset=float(at_zero))


def same_dimension(one: str, other: str) -> bool:
    """Whether two unit symbols measure the same thing.

    :raises UnitError: one of them is unknown.
    """
    return bool(unit_of(one).dimensionality == unit_of(other).dimensionality)


_QUANTITY = re.compile(r"([-+]?[0-9][0-9_,]*(?:\.[0-9]+)?(?:[eE][-+]?\d+)?)\s*(.*)", re.DOTALL)


def parse_quantity(text: str) -> tuple[float, str]:
    """``"35 ug/m^3"`` → ``(35.0, "ug/m^3")``; a bare number has the unit ``""``.

    :raises UnitError: no number, or a unit that is not known.
    """
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise UnitError(f"{text!r} is no quantity: write a number and a unit, as in '35 ug/m^3'.")
    unit = match[2].strip()
    unit_of(unit)
    return float(match[1].replace(",", "").replace("_", "")), unit


def seconds(text: str) -> float:
    """``"10 s"``, ``"1 h"``, ``"30 d"`` → seconds.

    :raises UnitError: the text is no duration.
    """
    value, unit = parse_quantity(text)
    return conversion(unit, "s")(value)

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
from types import MappingProxyType

import pint

from core.errors import PermanentError


class UnitError(PermanentError):
    """A unit is unknown, or of another dimension than what it is compared with."""


SYMBOLS: Mapping[str, str] = MappingProxyType(
    {
        # Fractions and points
        "": "dimensionless", "1": "dimensionless", "/": "dimensionless",
        "%": "percent", "％": "percent", "%p": "percentage_point", "%RH": "percent", "ppm": "ppm", "ppb": "ppb",
        "점": "score_point", "point": "score_point", "건": "case", "case": "case", "회": "case", "명": "person",
        "person": "person", "대": "device", "device": "device", "device-day": "device * day", "대·일": "device * day",
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
        "W": "watt", "kW": "kilowatt", "Wh": "watt * hour", "kWh": "kilowatt * hour", "V": "volt", "mV": "millivolt",
        "A": "ampere", "mA": "milliampere", "cA": "centiampere", "VA": "volt * ampere", "var": "volt * ampere",
        "Hz": "hertz", "lx": "lux", "dB": "decibel_level", "dBA": "decibel_level", "dB(A)": "decibel_level",
        "dBm": "decibel_milliwatt_level", "pH": "ph_scale", "bpm": "beat / minute",
        # Pressure, force, mass, angle, length, time
        "Pa": "pascal", "hPa": "hectopascal", "kPa": "kilopascal", "bar": "bar", "N": "newton", "g": "gram",
        "kg": "kilogram", "rad": "radian", "deg": "degree", "°": "degree", "degE7": "1e-7 degree", "lat": "degree",
        "lon": "degree", "m": "meter", "cm": "centimeter", "mm": "millimeter", "km": "kilometer", "l": "liter",
        "L": "liter", "s": "second", "ms": "millisecond", "us": "microsecond", "µs": "microsecond", "ns": "nanosecond",
        "min": "minute", "h": "hour", "d": "day", "day": "day", "week": "week",
        "hour": "hour", "minute": "minute", "second": "second",
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
    "beat = [beat]",
    "state_code = [state]",
    "ph_scale = [ph]",
    # Levels are kept as they are: a mean of decibels is a mean of numbers, and is called so.
    "decibel_level = [sound_level]",
    "decibel_milliwatt_level = [radio_level]",
    "centidegC = 0.01 * kelvin; offset: 273.15",
)

_SHOWN = {
    "ug/m^3": "µg/m³", "ug/m3": "µg/m³", "mg/m^3": "mg/m³", "mg/m3": "mg/m³", "degC": "°C", "Cel": "°C", "degF": "°F",
    "m2": "m²", "m3": "m³", "m/s2": "m/s²", "deg": "°", "state": "", "case": "건", "person": "명", "point": "점",
    "device-day": "대·일", "1": "", "/": "",
}  # fmt: skip

# What may go to pint without standing in the table: names joined by * / ** and numbers, all of which pint must know by
# their full names. Symbols of one or two letters are not let through: that is where the wrong guesses are.
_EXPRESSION = re.compile(r"[A-Za-z_]{3,}(\s*(\*\*|\^|\*|/)\s*([A-Za-z_]{3,}|-?\d+))*")


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
    """The pint unit of a symbol of the table, of symbols joined by ``/`` or ``*``, or of full SI names.

    :raises UnitError: the symbol is not known. It is never guessed.
    """
    text = symbol.strip()
    written = SYMBOLS.get(text)
    if written is None:
        parts = re.split(r"([*/·])", text)
        names = [part.strip() for part in parts[::2]]
        if len(parts) > 1 and all(name in SYMBOLS for name in names):
            joined = (f"({SYMBOLS[part.strip()]})" if i % 2 == 0 else part for i, part in enumerate(parts))
            written = "".join(joined).replace("·", "*")
        elif _EXPRESSION.fullmatch(text):
            written = text
        else:
            raise UnitError(
                f"Unknown unit {symbol!r}: it is not in the table of units (core/units.py). Write one of the table's."
            )
    try:
        # pint's parser keeps a factor such as 1e-7 only in a quantity.
        quantity = registry().Quantity(1, written) if not written[0].isdigit() else registry().Quantity(written)
        if quantity.magnitude != 1:
            name = f"scaled_{abs(hash(written))}"
            registry().define(f"{name} = {written}")
            return registry().Unit(name)
        return registry().Unit(quantity.units)
    except (pint.errors.PintError, TypeError, ValueError, AttributeError) as error:
        raise UnitError(f"Unknown unit {symbol!r} ({error}). Write one of the table in core/units.py.") from error


def shown_unit(symbol: str) -> str:
    """How a unit is printed beside a number on pages and documents."""
    return _SHOWN.get(symbol.strip(), symbol.strip())


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

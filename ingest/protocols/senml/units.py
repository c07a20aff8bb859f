"""SenML's units, each with the symbol by which ``core/units.py`` knows it. Nothing else is taken for a unit.

Source: the IANA registry "SenML Units" (RFC 8428, section 12.1, and later additions) and its secondary units (RFC 8798).
A symbol that has no place here, such as a position in the range 0 to 2π, is unknown: it is refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # RFC 8428
        "m": "m", "kg": "kg", "g": "g", "s": "s", "A": "A", "K": "K", "cd": "candela", "mol": "mole", "Hz": "Hz",
        "rad": "rad", "sr": "steradian", "N": "N", "Pa": "Pa", "J": "J", "W": "W", "C": "coulomb", "V": "V", "F": "farad",
        "Ohm": "ohm", "S": "siemens", "Wb": "weber", "T": "tesla", "H": "henry", "Cel": "Cel", "lm": "lumen", "lx": "lx",
        "Bq": "becquerel", "Gy": "gray", "Sv": "sievert", "kat": "katal", "m2": "m2", "m3": "m3", "l": "l", "m/s": "m/s",
        "m/s2": "m/s2", "m3/s": "meter ** 3 / second", "l/s": "liter / second", "W/m2": "watt / meter ** 2",
        "cd/m2": "candela / meter ** 2", "bit": "bit", "bit/s": "bit/s", "lat": "lat", "lon": "lon", "pH": "pH", "dB": "dB",
        "dBW": "dBW", "Bspl": "Bspl", "count": "1", "/": "1", "%": "%", "%RH": "%RH", "%EL": "%", "EL": "s", "1/s": "1/s",
        "1/min": "1/min", "beat/min": "bpm", "beats": "beat", "S/m": "siemens / meter",
        # Later additions
        "B": "B", "VA": "VA", "VAs": "volt * ampere * second", "var": "var", "vars": "volt * ampere * second",
        "J/m": "joule / meter", "kg/m3": "kilogram / meter ** 3", "deg": "deg", "NTU": "NTU",
        # Secondary units, RFC 8798
        "ms": "ms", "min": "min", "h": "h", "MHz": "megahertz", "kW": "kW", "kVA": "kilovolt * ampere",
        "kvar": "kilovolt * ampere", "Ah": "ampere * hour", "Wh": "Wh", "kWh": "kWh",
        "varh": "volt * ampere * hour", "kvarh": "kilovolt * ampere * hour", "kVAh": "kilovolt * ampere * hour",
        "Wh/km": "watt * hour / kilometer", "KiB": "kibibyte", "GB": "gigabyte", "Mbit/s": "megabit / second",
        "B/s": "byte / second", "MB/s": "megabyte / second", "mV": "mV", "mA": "mA", "dBm": "dBm",
        "ug/m3": "ug/m3", "mm/h": "millimeter / hour", "m/h": "meter / hour", "ppm": "ppm", "/100": "%",
        "/1000": "permille", "hPa": "hPa", "mm": "mm", "cm": "cm", "km": "km", "km/h": "km/h",
        "ppb": "ppb", "ppt": "ppt", "VAh": "volt * ampere * hour", "mg/l": "milligram / liter",
        "ug/l": "microgram / liter", "g/l": "gram / liter",
    }
)  # fmt: skip

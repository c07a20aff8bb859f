"""The units that MAVLink's dialect gives its fields, each with the symbol by which ``core/units.py`` knows it.

Source: the ``units`` attributes of message definitions (mavlink.io, "Common message set"). Nothing else is taken for a unit: a
field of another one has none, and its channel's is the plan's.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # Angles, positions
        "deg": "deg", "cdeg": "deg/100", "degE5": "deg/100000", "degE7": "degE7", "deg/2": "deg*2", "rad": "rad",
        "deg/s": "deg/s", "ddeg/s": "deg/s/10", "rad/s": "rad/s", "mrad/s": "rad/s/1000",
        # Lengths, areas, volumes, masses
        "mm": "mm", "cm": "cm", "dm": "m/10", "m": "m", "dam": "m*10", "cm^2": "cm^2", "cm^3": "cm^3",
        "cm^3/min": "cm^3/min", "l": "l", "g": "g", "kg": "kg",
        # Speeds, accelerations
        "m/s": "m/s", "dm/s": "m/s/10", "cm/s": "cm/s", "mm/s": "mm/s", "m/s*5": "m/s/5", "m/s/s": "m/s2",
        "mG": "standard_gravity/1000",
        # Electricity, magnetism
        "V": "V", "cV": "V/100", "mV": "mV", "A": "A", "cA": "cA", "mA": "mA", "mAh": "mA*h", "W": "W", "hJ": "J*100",
        "gauss": "tesla/10000", "mgauss": "tesla/10000000",
        # Temperature, pressure
        "degC": "degC", "cdegC": "cdegC", "Pa": "Pa", "hPa": "hPa", "kPa": "kPa", "mbar": "hPa",
        # Times
        "s": "s", "ds": "s/10", "cs": "s/100", "ms": "ms", "us": "us", "ns": "ns", "Hz": "Hz", "rpm": "1/min",
        # Shares, counts, data
        "%": "%", "d%": "%/10", "c%": "%/100", "dB": "dB", "pix": "1", "bytes": "B", "MiB": "mebibyte",
        "KiB/s": "kibibyte/s", "MiB/s": "mebibyte/s", "bits/s": "bit/s",
    }
)  # fmt: skip

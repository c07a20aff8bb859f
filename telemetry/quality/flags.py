"""The flags of quality tests, in the scheme of QARTOD as ioos_qc has it, and the types of their columns."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

GOOD: Final = 1
UNKNOWN: Final = 2
"""Not evaluated: there is no threshold, or no neighbour to compare with."""
SUSPECT: Final = 3
FAIL: Final = 4
MISSING: Final = 9

NAMES: Final[Mapping[int, str]] = MappingProxyType(
    {GOOD: "good", UNKNOWN: "unknown", SUSPECT: "suspect", FAIL: "fail", MISSING: "missing"}
)

Flags: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float64]
Micros: TypeAlias = NDArray[np.int64]
Booleans: TypeAlias = NDArray[np.bool_]


def flags(n: int, flag: int = GOOD) -> Flags:
    """So many readings, all with the same flag."""
    return np.full(n, flag, dtype=np.uint8)


def follows(observed_us: Micros, hold_us: int | None) -> Booleans:
    """Whether each reading but the first comes no later than one stands: only then are the two compared.

    >>> follows(np.array([0, 10, 50]), 30)
    array([ True, False])
    """
    apart_us = np.diff(observed_us)
    return apart_us > 0 if hold_us is None else (apart_us > 0) & (apart_us <= hold_us)


def exceeds(size: Floats, suspect: float | None, fail: float | None) -> Flags:
    """A flag for each size: above ``suspect``, above ``fail``; NaN is not evaluated.

    >>> exceeds(np.array([1.0, 3.0, 5.0, np.nan]), 2.0, 4.0)
    array([1, 3, 4, 2], dtype=uint8)
    """
    found = flags(len(size))
    if suspect is not None:
        found[size > suspect] = SUSPECT
    if fail is not None:
        found[size > fail] = FAIL
    found[np.isnan(size)] = UNKNOWN
    return found

"""The printing rule, as far as two ends of a value are told apart by it."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal

from tests.recomputation.units import Target

_SHARES, _WHOLE = ("%", "%RH"), ("건", "회", "명", "대")


def printed(value: float, unit: str, target: Target) -> str:
    """Half up, to the usual digits, and as many more as it takes to stay on the value's side of the target."""
    digits = _usual(value, unit, target)
    share = unit in _SHARES and value not in (0, 100)
    if share:
        for more in range(digits, max(digits, 4) + 1):
            rounded = _rounded(value, more)
            if rounded not in (0, 100) and target.holds(float(rounded)) == target.holds(value):
                return str(rounded)
    while target.holds(float(_rounded(value, digits))) != target.holds(value):
        digits += 1
    return str(_rounded(value, digits))


def _usual(value: float, unit: str, target: Target) -> int:
    if unit in (*_SHARES, "%p"):
        usual = 1
    elif unit in _WHOLE and value == int(value):
        usual = 0
    elif value == 0:
        usual = 1
    else:
        usual = min(max(0, 2 - math.floor(math.log10(abs(value)))), 6)
    written = [_decimals(end) for end in (target.low, target.high) if math.isfinite(end)]
    return max([usual, *(min(one, 4) for one in written)])


def _decimals(number: float) -> int:
    exponent = Decimal(repr(number)).normalize().as_tuple().exponent
    return max(0, -int(exponent))


def _rounded(value: float, digits: int) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)

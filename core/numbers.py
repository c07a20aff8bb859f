"""How a number is printed: one rule, the same on every page and in every document.

**The rule.** A number is rounded half up to the digits that are usual for its unit and size (:func:`usual_decimals`).
If the rounded number would stand on another side of its target than the number itself, it gets one more digit, and so
on until both agree: 94.96 % against *at least 95 %* is printed as 94.96, never as 95.0. A share that is not whole is
never printed as 0 % or 100 % either, as far as four decimals can tell (the ends of an interval may be). What is not
there is printed as ``–``.

Only print is rounded: verdicts are decided, and the JSON forms kept, unrounded.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Protocol

MISSING = "–"
"""What stands where there is no number. The reason stands beside it."""

_SHARES = frozenset({"%", "％", "%RH"})
_WHOLE = frozenset({"건", "회", "명", "대", "case", "person", "device"})
_MOST_TARGET_DECIMALS = 4
_MOST_EDGE_DECIMALS = 4
_MOST_ANGLE_DECIMALS = 5
_EXACT = Context(prec=800)  # a float has at most 767 significant digits


class Target(Protocol):
    """The numbers that satisfy a target: those between two ends, each of which may be infinite."""

    @property
    def low(self) -> float: ...

    @property
    def high(self) -> float: ...

    def __contains__(self, value: float, /) -> bool: ...


def decimals_of(number: float) -> int:
    """How many decimals a number is written with.

    >>> decimals_of(99.95), decimals_of(95.0), decimals_of(1e-4)
    (2, 0, 4)
    """
    exponent = Decimal(repr(number)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def usual_decimals(value: float, unit: str = "", target: Target | None = None) -> int:
    """The digits that are usual: one decimal for shares, none for whole counts, else three significant digits.

    Never fewer decimals than the target is written with.

    >>> usual_decimals(97.123, "%"), usual_decimals(12, "건"), usual_decimals(2.345, "s"), usual_decimals(8123.4, "h")
    (1, 0, 2, 0)
    """
    if unit.strip() in _SHARES or unit.strip() == "%p":
        usual = 1
    elif value == int(value) and unit.strip() in _WHOLE:
        usual = 0
    elif value == 0:
        usual = 1
    else:
        usual = min(max(0, 2 - math.floor(math.log10(abs(value)))), 6)
    ends = [] if target is None else [end for end in (target.low, target.high) if math.isfinite(end)]
    return max([usual, *(min(decimals_of(end), _MOST_TARGET_DECIMALS) for end in ends)])


def printed(value: float | None, unit: str = "", target: Target | None = None) -> str:
    """A number as people read it, with thousands commas, without its unit; ``–`` where there is none.

    ``target`` is in the number's own unit.

    >>> printed(23.43562, "degC"), printed(7267, "건"), printed(12345.6, "h"), printed(99.99, "%"), printed(None)
    ('23.4', '7,267', '12,346', '99.99', '–')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    if unit.strip() in _SHARES and value not in (0, 100):
        usual = usual_decimals(value, unit, target)
        for decimals in range(usual, max(usual, _MOST_EDGE_DECIMALS) + 1):
            rounded = _rounded(value, decimals)
            if rounded not in (0, 100) and _agree(value, rounded, target):
                return _text(rounded)
    return _text(_agreeing(value, unit, target, 0))


def printed_angle(value: float | None) -> str:
    """Degrees as finely as they came, with five decimals at the most: on the ground that is a metre.

    >>> printed_angle(37.5663512), printed_angle(127.0), printed_angle(90.1), printed_angle(None)
    ('37.56635', '127', '90.1', '–')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    return _text(_rounded(value, min(decimals_of(value), _MOST_ANGLE_DECIMALS)))


def written(number: float) -> str:
    """A number that a person wrote, as a target's, with its own digits and thousands commas.

    >>> written(1000), written(0.05), written(99.95), written(-0.0)
    ('1,000', '0.05', '99.95', '0')
    """
    # Ten digits: what the conversion between units adds beyond them nobody wrote.
    return _text(Decimal(f"{number:.10g}")) if number else "0"


def _agreeing(value: float, unit: str, target: Target | None, least: int) -> Decimal:
    decimals = max(least, usual_decimals(value, unit, target))
    while not _agree(value, rounded := _rounded(value, decimals), target):
        decimals += 1
    return rounded


def _text(rounded: Decimal) -> str:
    return f"{rounded:,f}" if rounded else f"{abs(rounded):f}"  # never -0.0


def _rounded(value: float, decimals: int) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP, context=_EXACT)


def _agree(value: float, rounded: Decimal, target: Target | None) -> bool:
    return target is None or (float(rounded) in target) == (value in target)


def printed_interval(low: float | None, high: float | None, unit: str = "", target: Target | None = None) -> str:
    """Both ends of an interval, printed by the rule with equally many decimals; one alone where the other is open.

    >>> printed_interval(96.23, 97.88, "%"), printed_interval(-1.5, 0.25, "degC"), printed_interval(96.2, None, "%")
    ('96.2–97.9', '-1.500 ~ 0.250', '≥ 96.2')
    """
    ends = [end for end in (low, high) if end is not None and math.isfinite(end)]
    if not ends:
        return MISSING
    least = max(-int(_agreeing(end, unit, target, 0).as_tuple().exponent) for end in ends)
    texts = [_text(_agreeing(end, unit, target, least)) for end in ends]
    if len(texts) == 1:
        return f"≤ {texts[0]}" if low is None or not math.isfinite(low) else f"≥ {texts[0]}"
    # A dash between negative numbers reads as a sign.
    return " ~ ".join(texts) if "-" in "".join(texts) else "–".join(texts)


def printed_difference(now: str, before: str) -> str | None:
    """The signed difference of two printed numbers, so that whoever reads both finds the same; None if one is missing.

    >>> printed_difference("97.1", "96.54"), printed_difference("1,200", "1,300"), printed_difference("5.0", "5.0")
    ('+0.56', '-100', '±0.0')
    """
    if MISSING in (now, before):
        return None
    change = Decimal(now.replace(",", "")) - Decimal(before.replace(",", ""))
    return f"{change:+,f}" if change else f"±{abs(change):f}"

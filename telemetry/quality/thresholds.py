"""By what a channel's readings are judged: what its plan says, else defaults from kind, period, range and unit.

A default stands only where it is sound for everything that may be measured in that unit: a switch, a set point, a battery at
rest, a lamp at night are no errors. Of most quantities nothing is assumed; of those in :data:`_RESTLESS`, which never stand
still nor leap, more. docs/quality.md has the table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from core.units import UnitError, conversion, parse_quantity, same_dimension, seconds
from telemetry.channels import ChannelInfo
from telemetry.quality.ranges import Span

Pair = tuple[float | None, float | None]
"""Above which a size is suspect, and fails."""

_HOUR_S: Final = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """How long a value may rest."""

    suspect_s: float
    fail_s: float | None
    tolerance: float = 0.0
    rests: tuple[float, ...] = ()
    """Where it may rest for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """What is tested of one channel, in its canonical unit. None: it is not."""

    period_s: float | None = None
    """Of a periodic channel."""
    hold_us: int | None = None
    counter: bool = False
    states: int | None = None
    gap_s: float | None = None
    stuck: Resting | None = None
    fail: Span | None = None
    suspect: Span | None = None
    """Of a counter: about its increments."""
    spike: Pair | None = None
    rate: Pair | None = None
    """Per second."""
    jump: float | None = None
    by_plan: frozenset[str] = field(default_factory=frozenset)
    """The tests whose thresholds the plan gives; the others go by defaults."""

    def origin(self, kind: str) -> str:
        return "plan" if kind in self.by_plan else "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quantity:
    """What is assumed of a quantity that never stands still nor leaps; sizes in ``unit``."""

    unit: str
    spike: tuple[float, float] | None
    rate: float | None
    """Per second."""
    jump: float


_RESTLESS: Final = (
    _Quantity(unit="K", spike=(5.0, 15.0), rate=1.0, jump=3.0),
    _Quantity(unit="hPa", spike=(5.0, 20.0), rate=2.0, jump=5.0),
    _Quantity(unit="ug/m^3", spike=None, rate=None, jump=20.0),
    _Quantity(unit="dB", spike=None, rate=None, jump=6.0),
    _Quantity(unit="pH", spike=(1.0, 3.0), rate=0.5, jump=0.5),
)
_STEADY: Final = ("", "deg", "case", "person", "device", "point", "%p", "state", "B", "s")
"""Counts, shares, angles and times may rest as long as they like."""
_POSSIBLE: Final = (
    ("lat", -90.0, 90.0),
    ("lon", -180.0, 180.0),
    ("pH", -2.0, 16.0),
    ("K", 0.0, math.inf),
)
"""What is possible at all, where the plan gives no range."""


def thresholds(channel: ChannelInfo) -> Thresholds:
    """What is tested of a channel, and by what."""
    said = {key: value for key, value in (channel.options.get("quality") or {}).items() if value is not None}
    periodic = channel.reporting == "periodic" and channel.period_s is not None
    given = _given(said, channel.unit)
    gauge = channel.kind == "gauge"
    defaults: dict[str, Any] = {"fail": _possible(channel)}
    if periodic:
        assert channel.period_s is not None
        defaults["gap_s"] = max(channel.max_hold_s or 0.0, 1.5 * channel.period_s)
    if periodic and gauge:
        defaults |= _of_quantity(channel)
    if not periodic:
        given = {key: value for key, value in given.items() if key not in ("gap_s", "stuck")}
    if channel.kind == "state":
        return Thresholds(
            hold_us=channel.hold_us, states=len(channel.states) or None, period_s=channel.period_s if periodic else None,
            gap_s=given.get("gap_s", defaults.get("gap_s")), by_plan=frozenset(said),
        )  # fmt: skip
    return Thresholds(
        period_s=channel.period_s if periodic else None,
        hold_us=channel.hold_us,
        counter=channel.kind == "counter",
        by_plan=frozenset(said),
        **(defaults | given),
    )


def change(text: str, unit: str) -> float:
    """A difference in the unit of a channel: ``"9 degF"`` of a channel in °C is 5.

    :raises UnitError: it measures something else.

    >>> round(change("9 degF", "degC"), 9)
    5.0
    """
    number, of = parse_quantity(text)
    return number * (1.0 if of == "" else conversion(of, unit).scale)


def speed(text: str, unit: str) -> float:
    """A change in the unit of a channel per second.

    :raises UnitError: it is none, or of something else.

    >>> round(speed("3 degC/min", "degC"), 9)
    0.05
    """
    above, slash, per = text.rpartition("/")
    if not slash:
        raise UnitError(f"{text!r} is no rate: write a change and a unit of time, as in '3 degC/min'.")
    return change(above, unit) / seconds(f"1 {per.strip()}")


def _given(said: Mapping[str, Any], unit: str) -> dict[str, Any]:
    """What the plan says. ``false`` switches a test off; of two values the first is suspect, the second fails."""
    found: dict[str, Any] = {}
    for key, value in said.items():
        name = {"gap": "gap_s", "range": "suspect"}.get(key, key)
        if value is False:
            found[name] = None
        elif key == "gap":
            found[name] = seconds(value)
        elif key == "stuck":
            found[name] = _resting(value, unit)
        elif key == "range":
            found[name] = (float(value[0]), float(value[1]))
        elif key == "spike":
            found[name] = tuple(change(one, unit) for one in _pair(value))
        elif key == "rate":
            found[name] = tuple(speed(one, unit) for one in _pair(value))
        elif key == "jump":
            found[name] = change(value, unit)
    for name in ("spike", "rate"):
        if found.get(name) and len(found[name]) == 1:
            found[name] = (found[name][0], None)
    return found


def _pair(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _resting(value: Any, unit: str) -> Resting:
    if isinstance(value, Mapping):
        fail = value.get("fail")
        return Resting(
            suspect_s=seconds(value["after"]),
            fail_s=None if fail is None else seconds(fail),
            tolerance=0.0 if value.get("tolerance") is None else change(value["tolerance"], unit),
        )
    after = _pair(value)
    return Resting(suspect_s=seconds(after[0]), fail_s=seconds(after[1]) if len(after) > 1 else None)


def _possible(channel: ChannelInfo) -> Span | None:
    span = channel.options.get("range")
    if span is not None:
        return float(span[0]), float(span[1])
    if channel.kind != "gauge":
        return None
    for unit, low, high in _POSSIBLE:
        if unit in ("lat", "lon"):
            if channel.unit == unit:
                return low, high
        elif same_dimension(channel.unit, unit):
            to = conversion(unit, channel.unit)
            return to(low), to(high)
    return None


def _of_quantity(channel: ChannelInfo) -> dict[str, Any]:
    assert channel.period_s is not None
    long = channel.period_s
    known = next((one for one in _RESTLESS if same_dimension(one.unit, channel.unit)), None)
    span = channel.options.get("range")
    wide = None if span is None or not span[1] > span[0] else float(span[1]) - float(span[0])
    if known is None:
        if any(same_dimension(one, channel.unit) for one in _STEADY):
            return {}
        ends = () if span is None else (float(span[0]), float(span[1]))
        resting = Resting(
            suspect_s=max(24 * _HOUR_S, 120 * long), fail_s=max(72 * _HOUR_S, 360 * long), rests=(0.0, *ends)
        )
        return {"stuck": resting}
    scale = conversion(known.unit, channel.unit).scale
    spike: Pair | None = None
    if known.spike is not None:
        spike = (known.spike[0] * scale, known.spike[1] * scale)
    elif wide is not None:
        spike = (wide / 4, wide / 2)
    return {
        "stuck": Resting(suspect_s=max(6 * _HOUR_S, 30 * long), fail_s=max(24 * _HOUR_S, 120 * long)),
        "spike": spike,
        "rate": None if known.rate is None else (known.rate * scale, None),
        "jump": known.jump * scale,
    }

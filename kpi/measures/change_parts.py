"""What a change is computed from: cells of another measure, by slot, week and day, before and after. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any, Protocol

from kpi.measurement import Measurement, Refused

MIN_DAY = 0.75
"""What a day must have of its data to be compared."""


class Inner(Protocol):
    """The measure that the change is of."""

    def __call__(self, parts: Sequence[Any], weeks: Sequence[tuple[float, Sequence[Any]]] = ..., /) -> Measurement: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One slot in one stretch of time, as the measure itself takes it."""

    part: Any
    seconds: float
    """By which a sum is told: what an integral covers, the required time of a counter, the connected time of events."""
    required_s: float
    left_out_s: float = 0.0
    """Of it, while the platform or the site was down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """One slot, or all of them together, in the baseline's window."""

    whole: Cell
    weeks: tuple[tuple[float, Cell], ...]
    days: Mapping[date, Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What all slots are compared with."""

    window: tuple[date, date] | None = None
    """The baseline's first day, and the day after its last."""
    window_s: float = 0.0
    refused: Refused | None = None
    given: float | None = None
    """The baseline itself, where it is one value."""
    among: int = 0
    """How many slots the baseline is of together; 0: each has its own."""
    control: tuple[tuple[Mapping[date, Cell], Before], ...] = ()
    """Each control's days of the judged window, and its baseline."""
    weather: Mapping[date, float] = field(default_factory=lambda: MappingProxyType({}))
    """The mean temperature of each day, in °C."""
    holidays: frozenset[date] = frozenset()
    shown: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """What an entry says of the baseline."""
    inner_unit: str = ""
    """Of what the measure itself gives."""
    level_unit: str = ""
    """In which the levels are shown …"""
    scale: float = 1.0
    """… and by what they are multiplied for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePart:
    """One slot in one stretch of the judged time."""

    after: Cell
    days: Mapping[date, Cell]
    """The days of the stretch, where days are compared."""
    before: Before | None
    beside: Beside
    window_s: float

"""What a measure emits: a value with everything that a decision about it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from kpi.intervals import Block, Interval

Number = float | int
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Events that succeeded or not."""

    successes: int
    trials: int
    days: tuple[tuple[int, int], ...]
    """(successes, trials) of each calendar day that had any."""
    designed: bool
    """Independent designed trials; otherwise events of daily operation, which cluster by day."""
    share: float | None = None
    """Where the trials do not weigh alike, or the share is not theirs alone: what it is, 0 to 1 …"""
    weighing: float = 1.0
    """… and by how much unequal weights widen its variance."""
    form: Literal["share", "f1"] = "share"
    """What the value is of that share: itself, or 2·share / (1 + share)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Events that were counted while something went on: the value is ``count / exposure``, or the reverse of it."""

    count: int
    most: int
    """With those of which it is not known whether they count."""
    exposure: float
    """In the unit of the value; 1 where the events are only counted."""
    days: tuple[tuple[int, float], ...]
    """(events, exposure) of each calendar day and slot that had any exposure."""
    independent: bool
    """Independent events; otherwise those of daily operation, which come in clusters."""
    per_event: bool = False
    """The value is ``exposure / count``, as of a mean time between failures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Answers that were sampled: the value is their mean."""

    n: int
    mean: float
    sd: float | None
    """With n − 1 in its denominator; None of a single answer."""
    low: float
    """The least that an answer can be …"""
    high: float
    """… and the most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsShare:
    """A percentile's promise in another form: ``p95 ≤ T`` is ``share(≤ T) ≥ 95 %``. Shares are 0 to 1."""

    share: float
    at_least: float
    fill_low: float | None
    """The share if every missing reading broke the promise; None where nothing says how many are missing."""
    fill_high: float | None
    blocks: tuple[Block, ...]
    trials: Trials | None = None
    """Of a percentile over events: those that kept the promise. It has an interval of its own, without weeks or a year."""
    low: float | None = None
    """The share with everything broken of which nobody knows whether it counts; None where that is the share …"""
    high: float | None = None
    """… and with all of it kept."""


class OwnInterval(Protocol):
    """What chance may have done to a value, by a rule of its measure's own."""

    def interval(self, value: float, alpha: float, *, window_s: float) -> Interval | None: ...

    def lacking(self) -> str:
        """Why there is no interval: as ``lacking`` in ``kpi/sampling.py``."""


class Pairs(Protocol):
    """What a channel and its reference say, each pair with its weight."""

    @property
    def channel(self) -> Floats: ...
    @property
    def reference(self) -> Floats: ...
    @property
    def weight(self) -> Floats: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why something is not computed."""

    code: str
    """A key of ``kpi/change_words.py``."""
    values: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One measure over one window. ``value`` is None where there is nothing to compute it from; it is never NaN.

    It is infinite where something that never came counts as infinitely late (``event_duration``): such a value is judged as it
    is, and shown in words.
    """

    value: float | None
    unit: str
    n: int
    """Readings or events behind the value."""
    completeness: float | None
    """Share of the expected readings (of the required time, for events and availability) that is there, 0 to 1."""
    low: float | None = None
    """The value if every gap that is charged to nobody went against it in one direction …"""
    high: float | None = None
    """… and in the other. Both equal ``value`` where every gap is charged."""
    fill_low: float | None = None
    """The value if everything missing took the lowest it physically can; None where that is not known."""
    fill_high: float | None = None
    blocks: tuple[Block, ...] = ()
    bounded: bool = False
    """A share in %: it lies between 0 and 100."""
    difference: bool = False
    """A difference of values (a standard deviation): another unit scales it and never shifts it."""
    trials: Trials | None = None
    counts: Counts | None = None
    answers: Answers | None = None
    as_share: AsShare | None = None
    refused: Refused | None = None
    """Why there is no value, where it is not for want of what the measure itself is computed from."""
    compared: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Of a change: its levels, its baseline and its days, as plain data."""
    open_by: Literal["silence", "events", "restarts", "labels"] = "silence"
    """What keeps ``low`` and ``high`` apart: silence that nobody is charged with, events that nobody knows enough of,
    restarts of a counter, or labels on which two readers disagree."""
    least_n: int | None = None
    """The least ``n`` that the plan asks for: below it nothing is decided."""
    own: OwnInterval | None = None
    """What its interval is computed from, where none of the fields above says it."""
    lacks: str = ""
    """What is lacking for a value, where it is not what the measure is computed from; a key of ``kpi/reasons.py``'s WHAT."""
    pairs: Pairs | None = field(default=None, compare=False, repr=False)
    """Of an agreement: what is compared, so that the reference's uncertainty can be carried through."""
    beside: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """What else is said of the value, as plain data."""
    members: tuple[Measurement, ...] = ()
    """Those of the slots, where the value is their mean or sum …"""
    scale: float = 1.0
    """… and how much each of them counts in it."""
    facts: Mapping[str, Number] = field(default_factory=lambda: MappingProxyType({}))
    """The numbers behind it, for sentences: seconds charged, numbers missing …"""


def ratio(part: int, whole: int) -> float:
    """A share in %, exact where it is exact: 95 of 100 are 95.0, never 94.99999999999999.

    >>> ratio(95, 100), ratio(57, 100)
    (95.0, 57.0)
    """
    return 100 * part / whole


def completeness(obtained: Sequence[float], expected: Sequence[float]) -> float | None:
    """What there is out of what there should be, 0 to 1; None where nothing is expected."""
    whole = sum(expected)
    return None if whole <= 0 else min(max(sum(obtained) / whole, 0.0), 1.0)

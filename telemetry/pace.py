"""What an hour's receipts say of a device's clock: pure arithmetic over hours, no I/O.

Receipt minus device time is the time on the way plus what the clock is slow. The way only ever adds. So an hour's *least* delay
bounds the clock from one side, whatever was buffered or held up: it is slow by at most that, or fast by at least that (then the
delay is negative). What has to be told apart is a slow clock from data that came late:

- receipt *kept pace* in the hour if its readings did not wait for one another: median − least ≤ 10 s + a quarter of the time that
  they span. A whole hour uploaded at once waits half its span; a backlog drained twice as fast as it arose a quarter;
- two hours *agree* if their least delays differ by at most 10 s + 0.5 % of the time between them, the error of the worst
  resonators. A backlog drained in whole hours falls by up to 3,600 s an hour.

An hour's offset counts if it kept pace and agrees with one of its neighbours within three hours (or has none). It is *fast* or
*slow* if it is beyond the threshold and such a neighbour on the same side bears it out; slow only if that still holds with the
time taken off for which a device may gather its readings: as those of T seconds at a spacing p, sent together, have
median − least = (T − p) / 2, that is twice the waiting and, where it is more than 10 s, the spacing. A constant delay and a slow
clock cannot be told apart by times alone: ``slow`` says one of the two.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from core.window import HOUR_US

RESOLUTION_S: Final = 1.0
"""An offset is not known better: the least time on the way and to the commit is in it, 0.1 to 1 s."""
JITTER_S: Final = 10.0
RATE: Final = 0.005
REACH_H: Final = 3
BRIDGE_H: Final = 24
"""So many hours of which nothing is known do not end a stretch."""
DRIFT_HOURS: Final = 24
"""A drift rests on no fewer hours."""
DAY_S: Final = 86_400.0

State = Literal["fine", "fast", "slow", "late", "gathered", "alone", "none"]
"""``fine``, ``fast`` and ``slow`` are known. ``late``: receipt kept no pace, or no neighbour agrees. ``gathered``: beyond the
threshold, but no further than the device may gather readings. ``alone``: beyond, and no neighbour bears it out. ``none``: nothing
came live."""
KNOWN: Final = frozenset({"fine", "fast", "slow"})
BEYOND: Final = frozenset({"fast", "slow"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """What is known of one slot in one hour."""

    hour_us: int
    least_s: float | None = None
    """The least delay of its live readings; None: there are none."""
    median_s: float | None = None
    span_s: float = 0.0
    """From the first to the last of them, by their own time."""
    spacing_s: float = 0.0
    """From one to the next on the average, of the channel that reports most often."""
    taken: int = 0
    """Readings that were taken."""
    refused: int = 0
    """Readings that were refused for their time, of those that were looked at."""
    refused_s: float | None = None
    """Their median delay: very negative for a clock far ahead, decades for one that was reset."""

    @property
    def waiting_s(self) -> float:
        """How long readings wait for one another."""
        return 0.0 if self.median_s is None or self.least_s is None else self.median_s - self.least_s

    @property
    def gathered_s(self) -> float:
        """For how long the device may gather readings that it sends together."""
        return 2 * self.waiting_s + (self.spacing_s if self.waiting_s > JITTER_S else 0.0)

    @property
    def kept_pace(self) -> bool:
        return self.least_s is not None and self.waiting_s <= JITTER_S + self.span_s / 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One hour with what it says."""

    hour_us: int
    state: State
    offset_s: float | None = None
    """Receipt minus device time: positive for a slow clock. None: not known."""
    refused: bool = False
    """Told by refused readings: none, or fewer, were taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Hours in which a clock was beyond the threshold on one side, none of them known to be fine, each agreeing with the last."""

    hours: tuple[Judged, ...]

    @property
    def start_us(self) -> int:
        return self.hours[0].hour_us

    @property
    def end_us(self) -> int:
        return self.hours[-1].hour_us + HOUR_US

    @property
    def fast(self) -> bool:
        return self.hours[0].state == "fast"

    @property
    def refused(self) -> bool:
        return self.hours[-1].refused


def agree(one_s: float, other_s: float, apart_us: int) -> bool:
    """Whether two offsets so far apart can be the same clock's, undisturbed."""
    return abs(one_s - other_s) <= JITTER_S + RATE * abs(apart_us) / 1e6


def judged(hours: Sequence[Hour], threshold_s: float) -> list[Judged]:
    """Each hour with its state.

    :param hours: in the order of time, at most one an hour.
    """
    by_hour = {hour.hour_us: hour for hour in hours if hour.least_s is not None}
    return [_judge(hour, by_hour, threshold_s) for hour in hours]


def _judge(hour: Hour, by_hour: Mapping[int, Hour], threshold_s: float) -> Judged:
    if hour.refused > hour.taken and hour.refused_s is not None:
        state: State = "fast" if hour.refused_s < 0 else "slow"
        return Judged(hour_us=hour.hour_us, state=state, offset_s=hour.refused_s, refused=True)
    if hour.least_s is None:
        return Judged(hour_us=hour.hour_us, state="none")
    if abs(hour.least_s) <= RESOLUTION_S:  # as good as can be known, whatever the neighbours say
        return Judged(hour_us=hour.hour_us, state="fine", offset_s=hour.least_s)
    near = [
        by_hour[hour.hour_us + step * HOUR_US]
        for step in range(-REACH_H, REACH_H + 1)
        if step and hour.hour_us + step * HOUR_US in by_hour
    ]
    alike = [
        one for one in near if one.least_s is not None and agree(hour.least_s, one.least_s, one.hour_us - hour.hour_us)
    ]
    state = _state(hour, near, alike, threshold_s)
    return Judged(hour_us=hour.hour_us, state=state, offset_s=hour.least_s if state in KNOWN else None)


def _state(hour: Hour, near: Sequence[Hour], alike: Sequence[Hour], threshold_s: float) -> State:
    least_s = hour.least_s
    assert least_s is not None
    if least_s < -threshold_s:
        return "fast" if any((one.least_s or 0.0) < -threshold_s for one in alike) else "alone"
    if not hour.kept_pace or (near and not any(one.kept_pace for one in alike)):
        return "late"
    if least_s <= threshold_s:
        return "fine"
    if not _surely_slow(hour, threshold_s):
        return "gathered"
    return "slow" if any(one.kept_pace and _surely_slow(one, threshold_s) for one in alike) else "alone"


def _surely_slow(hour: Hour, threshold_s: float) -> bool:
    return hour.least_s is not None and hour.least_s - hour.gathered_s > threshold_s


def stretches(hours: Sequence[Judged]) -> list[Stretch]:
    """The stretches beyond the threshold, in the order of time."""
    found: list[list[Judged]] = []
    running = False
    for hour in hours:
        if hour.state not in BEYOND:
            running = running and hour.state not in KNOWN
            continue
        last = found[-1][-1] if running else None
        if last is not None and _goes_on(last, hour):
            found[-1].append(hour)
        else:
            found.append([hour])
        running = True
    return [Stretch(hours=tuple(run)) for run in found]


def _goes_on(last: Judged, hour: Judged) -> bool:
    apart_us = hour.hour_us - last.hour_us
    if last.state != hour.state or apart_us > (BRIDGE_H + 1) * HOUR_US:
        return False
    return agree(last.offset_s or 0.0, hour.offset_s or 0.0, apart_us)


def since_step(hours: Sequence[Judged]) -> list[Judged]:
    """The hours with a known offset since the clock was last set.

    A step is where the medians of three hours before and after differ, beyond what the drift explains, by more than
    :data:`RESOLUTION_S` and six times the noise; or where neighbours do not agree.
    """
    known = [hour for hour in hours if hour.offset_s is not None]
    if len(known) < 2:
        return known
    y = np.array([hour.offset_s for hour in known], dtype=np.float64)
    each = np.diff(y)
    usual = float(np.median(each))
    noise = 1.4826 * float(np.median(np.abs(each - usual)))
    least_s = max(RESOLUTION_S, 6 * noise)
    stepped = _jumps(y, usual) > least_s
    for place in range(len(known) - 1, 0, -1):
        apart_us = known[place].hour_us - known[place - 1].hour_us
        if not agree(float(y[place - 1]), float(y[place]), apart_us):
            return known[place:]
        if stepped[place]:
            # Its neighbours see the step too: it is where the change from one hour to the next is the largest.
            first = place
            while stepped[first - 1]:
                first -= 1
            return known[first + int(np.abs(each[first - 1 : place] - usual).argmax()) :]
    return known


def _jumps(y: NDArray[np.float64], usual: float) -> NDArray[np.float64]:
    """How far three hours from each place on lie from the three before it, without the usual change; 0 near the ends."""
    found = np.zeros(len(y))
    if len(y) >= 6:
        threes = np.median(np.lib.stride_tricks.sliding_window_view(y, 3), axis=1)
        found[3:-2] = np.abs(threes[3:] - threes[:-3] - 3 * usual)
    return found


def drift(hours: Sequence[Judged]) -> float | None:
    """The change of the offset in s a day: positive for a clock that loses time. None: too few hours.

    Theil–Sen: the median of the slopes of all pairs, which a quarter of the hours being wrong does not move (Sen 1968,
    doi:10.1080/01621459.1968.10480934).

    >>> round(drift([Judged(hour_us=h * HOUR_US, state="fine", offset_s=0.3 + 0.072 * h) for h in range(48)]), 6)
    1.728
    """
    known = [hour for hour in hours if hour.offset_s is not None]
    if len(known) < DRIFT_HOURS:
        return None
    at_days = np.array([hour.hour_us for hour in known], dtype=np.float64) / (DAY_S * 1e6)
    return theil_sen(at_days, np.array([hour.offset_s for hour in known], dtype=np.float64))


def theil_sen(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """The median slope of all pairs with different ``x``; NaN for none."""
    first, second = np.triu_indices(len(x), k=1)
    run = x[second] - x[first]
    apart = run != 0
    slopes = (y[second] - y[first])[apart] / run[apart]
    return float(np.median(slopes)) if len(slopes) else math.nan

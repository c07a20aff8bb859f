"""Radio delivery (전송 성공률): frame numbers that arrived, each once, out of those that were sent, in %.

A sender counts its frames; what is missing between two numbers was sent and lost. Formula: unique numbers heard / (heard +
lost), over the frames dated in the required time.

**Numberings.** Frames are taken in the order of observation. A step of up to 16,384 forward goes on (MAX_FCNT_GAP of LoRaWAN
1.0.2, 4.3.1.5), over the wrap too; of a periodic channel only as far as twice its period and ten frames have room for. A
number up to 10 below the highest is a **late** frame and fills its hole; the same number again is a **repetition**, counted
once: heard more than 15 times (NbTrans has four bits) it is no repetition any more, and what is above counts as sent and
lost, for a counter that hangs tells nothing. Any other step begins a new numbering. After a **rejoin** (a fall below half of
the highest; or the event that the plan names) it began at ``first``, and the numbers from there to the first one heard are
lost.

**Silence.** Lost frames are dated: spread evenly between their neighbours. Before the first frame, after the last one, and
between two numberings numbers tell nothing; there a periodic channel has lost what was due by its period (for good: up to
the window's end). Each lost frame is charged by its date: the company's are lost, those of platform and site outages are
left out, nobody's make the lower end.

Interval: n/DEFF from daily counts, for losses cluster; from eight weeks on also that of weekly shares, for a bad spell may
outlast a day: the wider end of both. Unit: %. Source: docs/kpi.md, the table of measures and "Frames".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kpi.intervals import Block, Interval, clopper_pearson, effective_sample, share_interval
from kpi.measurement import Measurement, completeness, ratio

Micros = NDArray[np.int64]
Floats = NDArray[np.float64]

AHEAD: Final = 16_384
LATE: Final = 10
REPEATED: Final = 15
_MOST: Final = 2.0**53
"""From here on a float does not tell one whole number from the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the plan says of the numbers."""

    wrap: int | None
    first: int
    period_us: float | None
    by_fall: bool
    """Whether a fall below half is a rejoin; otherwise only the instants that are told are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """Every frame of a slot in the order of time."""

    heard_us: Micros
    lost_us: Micros
    repeated_us: Micros
    late_us: Micros
    unclear_us: Micros
    """Values that are no frame numbers: negative, fractional, beyond the wrap."""
    rejoined_us: Micros
    jumped_us: Micros
    """Numberings that began without a rejoin: a number far above, or a fall that is none."""


@dataclass(slots=True)
class _Numbering:
    """One run of numbers: from which frame on, and what began it."""

    start: int
    rejoin: bool
    unwrapped: list[int]


def frames(
    at_us: Micros, values: Floats, rules: Rules, *, since_us: int, until_us: int, begun_us: Sequence[int] = ()
) -> Frames:
    """Which frames were heard and lost.

    :param at_us: instants of observation, ascending.
    :param since_us: from when on frames are due, and until when.
    :param begun_us: when a numbering began anew, as told by events or by another device.

    Of 65,530 to 3 over the wrap, 65,534 and 1 are missing; 65,533 came twice:

    >>> rules = Rules(wrap=65_536, first=0, period_us=None, by_fall=True)
    >>> numbers = np.array([65_530.0, 65_531, 65_532, 65_533, 65_533, 65_535, 0, 2, 3])
    >>> found = frames(np.arange(9) * 10, numbers, rules, since_us=0, until_us=100)
    >>> len(found.heard_us), found.lost_us.tolist(), found.repeated_us.tolist()
    (8, [40, 65], [40])
    """
    good = (values >= 0) & (values == np.floor(values)) & (values < (_MOST if rules.wrap is None else rules.wrap))
    unclear = at_us[~good]
    at, numbers = at_us[good], values[good].astype(np.int64)
    parts = [_of_numbering(at, run) for run in _numberings(at, numbers, rules, begun_us)]
    heard = [part.heard_us for part in parts]
    lost = [part.lost_us for part in parts]
    lost += _silences(at, parts, rules, since_us, until_us)
    none = np.empty(0, dtype=np.int64)
    return Frames(
        heard_us=np.sort(np.concatenate([none, *heard])),
        lost_us=np.sort(np.concatenate([none, *lost])),
        repeated_us=np.concatenate([none, *(part.repeated_us for part in parts)]),
        late_us=np.concatenate([none, *(part.late_us for part in parts)]),
        unclear_us=unclear,
        rejoined_us=np.array([part.from_us for part in parts[1:] if part.rejoin], dtype=np.int64),
        jumped_us=np.array([part.from_us for part in parts[1:] if not part.rejoin], dtype=np.int64),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What one numbering comes to."""

    from_us: int
    to_us: int
    rejoin: bool
    start: int
    heard_us: Micros
    lost_us: Micros
    repeated_us: Micros
    late_us: Micros


def _numberings(at: Micros, numbers: NDArray[np.int64], rules: Rules, begun_us: Sequence[int]) -> list[_Numbering]:
    """Cut the frames into numberings, each with its numbers as if they never wrapped."""
    if not len(at):
        return []
    steps = np.diff(numbers)
    if rules.wrap is not None:
        steps = steps % rules.wrap
        steps = np.where(steps > rules.wrap // 2, steps - rules.wrap, steps)
    told = set(np.searchsorted(at, np.array(sorted(begun_us), dtype=np.int64)).tolist())
    room = np.full(len(steps), float(AHEAD))
    if rules.period_us is not None:
        room = np.minimum(room, 2 * np.diff(at) / rules.period_us + LATE)
    most = room.tolist()
    known, raw = steps.tolist(), numbers.tolist()
    here = raw[0]
    high = here
    found = [_Numbering(start=0, rejoin=False, unwrapped=[here])]
    for place, step in enumerate(known, start=1):
        number = raw[place]
        reached = here + step
        if place in told:
            found.append(_Numbering(start=place, rejoin=True, unwrapped=[]))
            here = high = number
        elif step > most[place - 1] or reached < high - LATE:
            rejoin = rules.by_fall and number < raw[place - 1] / 2
            found.append(_Numbering(start=place, rejoin=rejoin, unwrapped=[]))
            here = high = number
        else:
            here = reached
            high = max(high, here)
        found[-1].unwrapped.append(here)
    return found


def _of_numbering(at: Micros, run: _Numbering) -> _Part:
    there = at[run.start : run.start + len(run.unwrapped)]
    numbers = np.array(run.unwrapped, dtype=np.int64)
    unique, index, times = np.unique(numbers, return_index=True, return_counts=True)
    heard = there[index]
    again = np.ones(len(numbers), dtype=np.bool_)
    again[index] = False
    high = np.maximum.accumulate(numbers)
    late = ~again & (numbers < high)
    holes = np.diff(unique) - 1
    lost = [_spread(int(heard[i]), int(heard[i + 1]), int(holes[i])) for i in np.flatnonzero(holes > 0).tolist()]
    for number in unique[times > REPEATED].tolist():
        lost.append(there[numbers == number][REPEATED:])
    return _Part(
        from_us=int(there[0]),
        to_us=int(there[-1]),
        rejoin=run.rejoin,
        start=int(numbers[0]),
        heard_us=heard,
        lost_us=np.concatenate([np.empty(0, dtype=np.int64), *lost]),
        repeated_us=there[again],
        late_us=there[late],
    )


def _spread(start_us: int, end_us: int, count: int) -> Micros:
    """So many instants, evenly between two others."""
    return start_us + (end_us - start_us) * np.arange(1, count + 1, dtype=np.int64) // (count + 1)


def _silences(at: Micros, parts: Sequence[_Part], rules: Rules, since_us: int, until_us: int) -> list[Micros]:
    """What was lost where no number tells: before the first frame, between numberings, after the last frame."""
    period = rules.period_us
    if not len(at):
        if period is None or until_us <= since_us:
            return []
        return [_spread(since_us, until_us, round((until_us - since_us) / period))]
    found = []
    if period is not None:
        before, after = (max(int(us / period - 0.5), 0) for us in (int(at[0]) - since_us, until_us - int(at[-1])))
        found.append(int(at[0]) - np.rint(np.arange(before, 0, -1) * period).astype(np.int64))
        found.append(int(at[-1]) + np.rint(np.arange(1, after + 1) * period).astype(np.int64))
    for one, other in pairwise(parts):
        by_period = 0 if period is None else max(round((other.from_us - one.to_us) / period) - 1, 0)
        by_number = other.start - rules.first if other.rejoin else 0
        count = max(by_period, by_number if 0 < by_number <= AHEAD else 0)
        found.append(_spread(one.to_us, other.from_us, count))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SequencePart:
    """One slot in one stretch of required time."""

    heard: int
    lost: int
    """The company's."""
    doubtful: int
    """Lost while nobody knows whether the platform was up."""
    left_out: int
    """Lost in an outage of the platform or of the site."""
    days: tuple[tuple[date, int, int], ...]
    """(day, heard, lost) of each calendar day that had any."""
    repeated: int
    late: int
    unclear: int
    rejoined: int
    jumped: int
    periodic: bool
    connected_us: int
    required_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Frames that came or not, by day and by week."""

    heard: int
    sent: int
    days: tuple[tuple[int, int], ...]
    weeks: tuple[Block, ...]

    def interval(self, value: float, alpha: float, *, window_s: float) -> Interval | None:
        """The wider end of both, in %.

        :param value: in %.
        """
        size = effective_sample(self.days, alpha).trials
        low, high = clopper_pearson(self.heard / self.sent * size, size, alpha)
        by_week = share_interval(value / 100, self.weeks, alpha, window_s=window_s)
        if by_week is not None:
            low, high, size = min(low, by_week.low), max(high, by_week.high), min(size, by_week.size)
        return Interval(low=100 * low, high=100 * high, alpha=alpha, method="effective_sample", size=size)

    def lacking(self) -> str:
        return "no_value"


def measure(parts: Sequence[SequencePart], weeks: Sequence[tuple[float, Sequence[SequencePart]]] = ()) -> Measurement:
    """The delivery over all slots together; each frame counts as one.

    :param parts: one a slot.
    :param weeks: (middle in seconds since the epoch, parts) of each weekly block, for the interval.

    >>> day = SequencePart(heard=141, lost=3, doubtful=6, left_out=0, days=((date(2026, 3, 1), 141, 3),), repeated=2, late=0,
    ...                    unclear=0, rejoined=0, jumped=0, periodic=True, connected_us=1, required_us=1)
    >>> found = measure([day])
    >>> round(found.value, 3), found.low, round(found.high, 3)
    (97.917, 94.0, 97.917)
    """
    heard, lost = sum(part.heard for part in parts), sum(part.lost for part in parts)
    doubtful = sum(part.doubtful for part in parts)
    sent, most = heard + lost, heard + lost + doubtful
    periodic = all(part.periodic for part in parts)
    low = ratio(heard, most) if most else None
    high = ratio(heard, sent) if sent else None if most == 0 else 100.0
    value = ratio(heard, sent) if sent else None
    return Measurement(
        value=value,
        unit="%",
        n=sent,
        completeness=_complete(parts, periodic=periodic),
        low=low if value is not None else None,
        high=high if value is not None else None,
        # Without a period nobody knows how many frames a silence had.
        fill_low=low if periodic else None,
        fill_high=high if periodic else None,
        bounded=True,
        own=None if value is None else Delivery(heard=heard, sent=sent, days=_daily(parts), weeks=_blocks(weeks)),
        facts={
            "missing": lost,
            "expected": sent,
            "doubtful": doubtful,
            "left_out_frames": sum(part.left_out for part in parts),
            "repeated": sum(part.repeated for part in parts),
            "late": sum(part.late for part in parts),
            "no_number": sum(part.unclear for part in parts),
            "rejoins": sum(part.rejoined for part in parts),
            "jumps": sum(part.jumped for part in parts),
        },
    )


def _blocks(weeks: Sequence[tuple[float, Sequence[SequencePart]]]) -> tuple[Block, ...]:
    found = []
    for at_s, parts in weeks:
        heard, sent = sum(part.heard for part in parts), sum(part.heard + part.lost for part in parts)
        found.append(Block(at_s=at_s, weight=float(sent), value=heard / sent if sent else 0.0))
    return tuple(found)


def _daily(parts: Sequence[SequencePart]) -> tuple[tuple[int, int], ...]:
    """(heard, sent) of each slot-day: slots fail by themselves, and each has its bad days."""
    return tuple((heard, heard + lost) for part in parts for _, heard, lost in part.days if heard + lost)


def _complete(parts: Sequence[SequencePart], *, periodic: bool) -> float | None:
    """Of how many frames it is known what became of them; without a period, the connected share of the required time."""
    if not periodic:
        return completeness([part.connected_us for part in parts], [part.required_us for part in parts])
    known = [part.heard + part.lost for part in parts]
    return completeness(known, [one + part.doubtful for one, part in zip(known, parts, strict=True)])

"""The readings of a bundle by channel and time: never more of them in memory than was asked for, and some row groups.

Leaves lie in the order of receipt. So while they are checked it is written down which hours of observation each row group has;
late data are found by that wherever they lie.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.window import HOUR_US
from telemetry.evidence.drawn import Key
from telemetry.evidence.rows_read import Group, RowsReader
from telemetry.predicates import Condition
from telemetry.statistics import Neighbour, Pieces, Rules, concatenated, pieces_of, within

Micros = NDArray[np.int64]
Floats = NDArray[np.float64]
Keep = Callable[[Key, Micros], NDArray[np.bool_]]
"""Which readings of a revision count, by when they were received."""

_KEPT: Final = 8
"""Row groups that are held."""
_AT_ONCE: Final = 65_536
"""Readings that are summed up in one go."""
_AROUND: Final = 24
"""Hours that are looked through at once for the nearest reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """What a row group has of a channel."""

    place: tuple[int, int]
    key: Key
    hour_us: Micros
    n: Micros
    """Readings of each of these hours."""


class _Index:
    """Where a channel's hours lie."""

    def __init__(self, places: list[_Place]) -> None:
        self.places = places
        self.first_us = np.array([one.hour_us[0] for one in places], dtype=np.int64)
        self.last_us = np.array([one.hour_us[-1] for one in places], dtype=np.int64)
        if not places:
            self.hour_us = self.n = np.empty(0, dtype=np.int64)
            return
        self.hour_us, index = np.unique(np.concatenate([one.hour_us for one in places]), return_inverse=True)
        self.n = np.bincount(index, weights=np.concatenate([one.n for one in places])).astype(np.int64)

    def touching(self, start_us: int, end_us: int) -> Iterator[_Place]:
        """The row groups with readings of the hours that a range touches."""
        first = start_us // HOUR_US * HOUR_US
        for index in np.flatnonzero((self.last_us >= first) & (self.first_us < end_us)).tolist():
            place = self.places[index]
            low, high = np.searchsorted(place.hour_us, [first, end_us]).tolist()
            if low < high:
                yield place


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    key: Key
    observed_us: Micros
    received_us: Micros
    value: Floats
    flags: NDArray[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hourly:
    """The readings of each hour of a channel, summed up."""

    hour_us: Micros
    pieces: Pieces
    falls: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class HourlyShares:
    """Of each hour the seconds in which a condition held, and those in which any reading stood."""

    hour_us: Micros
    true_s: Floats
    covered_s: Floats


class Series:
    """All channels of a bundle."""

    def __init__(self, reader: RowsReader) -> None:
        self._reader = reader
        self._places: dict[tuple[str, str], list[_Place]] = {}
        self._held: OrderedDict[tuple[int, int], _Held] = OrderedDict()
        self._indexes: dict[tuple[str, str], _Index] = {}

    def know(self, group: Group) -> None:
        """Write down what a row group has."""
        hours, n = np.unique(group.rows.observed_us // HOUR_US * HOUR_US, return_counts=True)
        place = _Place(place=group.place, key=group.key, hour_us=hours, n=n.astype(np.int64))
        self._places.setdefault(group.key[:2], []).append(place)
        self._indexes.pop(group.key[:2], None)

    def _index(self, slot: str, channel: str) -> _Index:
        if (slot, channel) not in self._indexes:
            self._indexes[slot, channel] = _Index(self._places.get((slot, channel), []))
        return self._indexes[slot, channel]

    def columns(self, slot: str, channel: str, start_us: int, end_us: int, keep: Keep) -> tuple[Micros, Floats]:
        """Instants and values of the readings observed in ``[start, end)`` that count, in the order of time."""
        observed: list[Micros] = []
        value: list[Floats] = []
        for place in self._index(slot, channel).touching(start_us, end_us):
            held = self._load(place.place)
            a, b = np.searchsorted(held.observed_us, [start_us, end_us]).tolist()
            kept = keep(held.key, held.received_us[a:b])
            observed.append(held.observed_us[a:b][kept])
            value.append(held.value[a:b][kept])
        if not observed:
            return np.empty(0, dtype=np.int64), np.empty(0)
        at, stood = np.concatenate(observed), np.concatenate(value)
        if len(observed) > 1:
            order = np.argsort(at, kind="stable")
            at, stood = at[order], stood[order]
        return at, stood

    def receipts(
        self, slot: str, channel: str, start_us: int, end_us: int, keep: Keep
    ) -> Iterator[tuple[Micros, Micros, NDArray[np.int16]]]:
        """When readings observed in ``[start, end)`` were observed and received, and their flags, a row group at a time."""
        for place in self._index(slot, channel).touching(start_us, end_us):
            held = self._load(place.place)
            a, b = np.searchsorted(held.observed_us, [start_us, end_us]).tolist()
            kept = keep(held.key, held.received_us[a:b])
            yield held.observed_us[a:b][kept], held.received_us[a:b][kept], held.flags[a:b][kept]

    def any(self, key: Key, start_us: int, end_us: int, keep: Keep) -> bool:
        """Whether any reading of a revision observed in ``[start, end)`` counts."""
        for place in self._index(*key[:2]).touching(start_us, end_us):
            if place.key == key:
                held = self._load(place.place)
                a, b = np.searchsorted(held.observed_us, [start_us, end_us]).tolist()
                if keep(key, held.received_us[a:b]).any():
                    return True
        return False

    def before(self, slot: str, channel: str, at_us: int, hold_us: int | None, keep: Keep) -> Neighbour | None:
        """The last reading before an instant that may still stand."""
        least = None if hold_us is None else at_us - hold_us
        hours = self._index(slot, channel).hour_us
        high = int(np.searchsorted(hours, at_us))
        while high > 0:
            low = max(0, high - _AROUND)
            start = int(hours[low])
            observed, value = self.columns(slot, channel, start, min(at_us, int(hours[high - 1]) + HOUR_US), keep)
            if len(observed):
                found = Neighbour(us=int(observed[-1]), value=float(value[-1]))
                return found if least is None or found.us >= least else None
            if least is not None and start < least:
                return None
            high = low
        return None

    def after(self, slot: str, channel: str, at_us: int, hold_us: int | None, keep: Keep) -> Neighbour | None:
        """The first reading from an instant on that an earlier one may reach."""
        most = None if hold_us is None else at_us + hold_us
        hours = self._index(slot, channel).hour_us
        low = int(np.searchsorted(hours, at_us // HOUR_US * HOUR_US))
        while low < len(hours):
            high = min(len(hours), low + _AROUND)
            end = int(hours[high - 1]) + HOUR_US
            observed, value = self.columns(slot, channel, max(at_us, int(hours[low])), end, keep)
            if len(observed):
                found = Neighbour(us=int(observed[0]), value=float(value[0]))
                return found if most is None or found.us <= most else None
            if most is not None and end > most:
                return None
            low = high
        return None

    def hourly(self, slot: str, channel: str, rules: Rules, keep: Keep) -> Hourly:
        """Every hour of a channel, by the arithmetic that makes the store's summaries."""
        hours: list[Micros] = [np.empty(0, dtype=np.int64)]
        falls: list[Micros] = [np.empty(0, dtype=np.int64)]
        pieces: list[Pieces] = []
        for observed, value, starts in self._stretches(slot, channel, keep):
            pieces.append(pieces_of(observed, value, starts, rules))
            hours.append(observed[starts] // HOUR_US * HOUR_US)
            ends = np.append(starts[1:], len(value))
            falls.append(within((value[1:] < value[:-1]).astype(np.int64), starts, ends - 1))
        return Hourly(hour_us=np.concatenate(hours), pieces=concatenated(pieces), falls=np.concatenate(falls))

    def shares(self, slot: str, channel: str, hold_us: int, condition: Condition, keep: Keep) -> HourlyShares:
        """Every hour of a channel whose readings stand for ``hold`` at the most, cut at the end of the hour."""
        hours: list[Micros] = [np.empty(0, dtype=np.int64)]
        true: list[Floats] = [np.empty(0)]
        covered: list[Floats] = [np.empty(0)]
        for observed, value, starts in self._stretches(slot, channel, keep):
            ends = np.append(starts[1:], len(value))
            hour = observed[starts] // HOUR_US * HOUR_US
            following = np.append(observed[1:], 0)
            following[ends - 1] = hour + HOUR_US
            stands_us = np.minimum(following - observed, hold_us)
            hours.append(hour)
            true.append(within(np.where(condition(value), stands_us, 0), starts, ends) / 1e6)
            covered.append(within(stands_us, starts, ends) / 1e6)
        return HourlyShares(
            hour_us=np.concatenate(hours), true_s=np.concatenate(true), covered_s=np.concatenate(covered)
        )

    def _stretches(self, slot: str, channel: str, keep: Keep) -> Iterator[tuple[Micros, Floats, Micros]]:
        """A channel's readings, some whole hours at a time, with the index of each hour's first one."""
        known = self._index(slot, channel)
        hours, n, low = known.hour_us, known.n, 0
        while low < len(hours):
            total = np.cumsum(n[low:])
            high = low + max(1, int(np.searchsorted(total, _AT_ONCE, side="right")))
            end = int(hours[min(high, len(hours)) - 1]) + HOUR_US
            observed, value = self.columns(slot, channel, int(hours[low]), end, keep)
            if len(observed):
                starts = np.flatnonzero(np.diff(observed // HOUR_US, prepend=-(2**62)) != 0).astype(np.int64)
                yield observed, value, starts
            low = high

    def _load(self, place: tuple[int, int]) -> _Held:
        held = self._held.get(place)
        if held is None:
            group = self._reader.group(place)
            order = np.argsort(group.rows.observed_us, kind="stable")
            held = _Held(
                key=group.key,
                observed_us=group.rows.observed_us[order],
                received_us=group.rows.received_us[order],
                value=group.rows.value[order],
                flags=group.rows.flags[order],
            )
            self._held[place] = held
            if len(self._held) > _KEPT:
                self._held.popitem(last=False)
        else:
            self._held.move_to_end(place)
        return held

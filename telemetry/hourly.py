"""The rows of a channel's hours from their readings: pure arithmetic, the same that reads windows raw.

A summary and its readings therefore give the same numbers to the last digit, whoever adds them up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.window import HOUR_US
from telemetry import packed
from telemetry.batch import Flag
from telemetry.predicates import Condition
from telemetry.statistics import Rules, pieces_of, within

Micros = NDArray[np.int64]
Seconds = NDArray[np.float64]

_WITHOUT: Final = np.int16(Flag.ARRIVAL_TIME | Flag.RETAINED | Flag.LOADED | Flag.REPLAYED)
"""Readings whose time from device to receipt says nothing about the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a channel's readings are summarised by."""

    channel_id: int
    rules: Rules
    counter: bool
    conditions: Mapping[int, Condition]
    """The conditions whose time is counted, by their number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Readings of some hours of one channel, hour after hour, in the order of time within each."""

    hour_us: Micros
    starts: Micros
    """The index of each hour's first reading."""
    observed_us: Micros
    received_us: Micros
    value: NDArray[np.float64]
    flags: NDArray[np.int16]


def summaries(facts: Facts, hours: Hours) -> bytes:
    """The rows of ``summary`` for its binary COPY, in the order of ``telemetry/summarise.sql``."""
    p = pieces_of(hours.observed_us, hours.value, hours.starts, facts.rules)
    channel_id = np.full(len(p), facts.channel_id)
    least, median, most, live = _delays(hours)
    return packed.rows(
        [
            packed.wholes(channel_id), packed.instants(hours.hour_us), packed.wholes(p.n), packed.wholes(p.n),
            packed.floats(p.mean), packed.floats(p.m2), packed.floats(p.min), packed.floats(p.max),
            packed.instants(p.first_us), packed.floats(p.first_value),
            packed.instants(p.last_us), packed.floats(p.last_value),
            packed.floats(p.integral), packed.floats(p.covered_s), packed.floats(p.longest_gap_s),
            packed.wholes(p.missing), packed.instants(np.maximum.reduceat(hours.received_us, hours.starts)),
            packed.floats(least, live), packed.floats(median, live), packed.floats(most, live),
            packed.wholes(_falls(hours), np.full(len(p), facts.counter)),
        ]
    )  # fmt: skip


def shares(facts: Facts, hours: Hours) -> bytes:
    """The rows of ``summary_share``: a reading stands until the next one, its hold or the end of its hour.

    None for a channel whose readings stand until their link is lost, which no hour knows.
    """
    if facts.rules.hold_us is None:
        return b""
    ends = _ends(hours)
    following = np.append(hours.observed_us[1:], 0)
    following[ends - 1] = hours.hour_us + HOUR_US
    stands_us = np.minimum(following, hours.observed_us + facts.rules.hold_us) - hours.observed_us
    covered = within(stands_us, hours.starts, ends) / 1e6
    found = []
    for predicate_id, condition in facts.conditions.items():
        true = within(np.where(condition(hours.value), stands_us, 0), hours.starts, ends) / 1e6
        channel_id, predicate = (np.full(len(true), one) for one in (facts.channel_id, predicate_id))
        found.append(
            packed.rows(
                [
                    packed.wholes(channel_id), packed.instants(hours.hour_us), packed.wholes(predicate),
                    packed.floats(true), packed.floats(covered),
                ]
            )
        )  # fmt: skip
    return b"".join(found)


def _ends(hours: Hours) -> Micros:
    return np.append(hours.starts[1:], len(hours.value))


def _falls(hours: Hours) -> Micros:
    """Steps down inside each hour."""
    down = (hours.value[1:] < hours.value[:-1]).astype(np.int64)
    return within(down, hours.starts, _ends(hours) - 1)


def _delays(hours: Hours) -> tuple[Seconds, Seconds, Seconds, NDArray[np.bool_]]:
    """The least, the median and the largest delay of each hour's live readings, and whether it has any."""
    delay = hours.received_us - hours.observed_us
    live = (hours.flags & _WITHOUT) == 0
    if not live.all():
        delay = delay[live]
    last = np.cumsum(within(live.astype(np.int64), hours.starts, _ends(hours)))
    found = np.zeros((len(last), 3))
    first = 0
    for index, end in enumerate(last.tolist()):
        if end > first:
            known = delay[first:end]
            low, high = (end - first - 1) // 2, (end - first) // 2
            known = np.partition(known, (low, high)) if end - first > 2 else np.sort(known)
            found[index] = (
                int(known[: low + 1].min()),
                (int(known[low]) + int(known[high])) / 2,
                int(known[high:].max()),
            )
        first = end
    found /= 1e6
    return found[:, 0], found[:, 1], found[:, 2], np.diff(last, prepend=0) > 0

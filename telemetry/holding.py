"""While a condition on a channel held, while it did not, and while no reading tells: the stretches, not only their length.

An hour whose least and greatest reading say the same of the condition, and that has no gap inside, is answered by its summary;
the others (a fan that was switched, a temperature that crossed its limit) are read raw. So a year of an ambient temperature costs
some hundred hours of readings.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.window import HOUR_US, Window, instant
from telemetry import raw, standing
from telemetry.beside import neighbours
from telemetry.channels import ChannelInfo
from telemetry.predicates import Condition
from telemetry.summaries import Summaries

Spans = list[tuple[int, int]]
"""``[from, to)`` in µs, in the order of time; neighbours may touch."""


def holding(
    connection: Connection, channel: ChannelInfo, condition: Condition, window: Window, as_of: datetime | None
) -> tuple[Spans, Spans]:
    """While a reading stands in a window that satisfies a condition, and while one stands that does not.

    What lies in neither is known to nobody.
    """
    [(before, _)] = neighbours(connection, channel, [window], as_of)
    if channel.hold_us is None:
        observed, value = raw.readings(connection, channel, window, as_of)
        first, last, true = observed, observed, condition(value)
    else:
        first, last, true = _runs(connection, channel, condition, window, as_of)
    if before is not None:
        first, last = (np.concatenate([[before.us], one]).astype(np.int64) for one in (first, last))
        true = np.concatenate([condition(np.array([before.value])), true])
    if not len(first):
        return [], []
    lost = np.empty(0, dtype=np.int64)
    if channel.hold_us is None:
        lost = raw.links_lost(connection, channel, Window(start=instant(int(first[0])), end=window.end), as_of)
    until = np.minimum(standing.stands_until(last, channel.hold_us, lost), np.append(first[1:], standing.FOREVER_US))
    begins, ends = np.clip(first, window.start_us, window.end_us), np.clip(until, window.start_us, window.end_us)
    there = begins < ends
    return _spans(begins, ends, there & true), _spans(begins, ends, there & ~true)


def _spans(begins: NDArray[np.int64], ends: NDArray[np.int64], which: NDArray[np.bool_]) -> Spans:
    return list(zip(begins[which].tolist(), ends[which].tolist(), strict=True))


def _runs(
    connection: Connection, channel: ChannelInfo, condition: Condition, window: Window, as_of: datetime | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Runs of readings without a gap that all say the same: their first and last instants, and what they say."""
    found = Summaries.load(connection, channel, window)
    low, high = condition(found.pieces.min), condition(found.pieces.max)
    # Between two values that satisfy a range lie only such; codes of states have no order.
    alike = (low & high) if condition.codes is None else (found.pieces.min == found.pieces.max)
    alike = alike | _beyond(condition, found.pieces.min, found.pieces.max)
    serves = found.fit(as_of) & alike & ~np.isin(found.hour_us, found.dirty_us)
    serves &= found.pieces.longest_gap_s <= (channel.max_hold_s or 0.0)
    serves &= (found.hour_us >= window.start_us) & (found.hour_us + HOUR_US <= window.end_us)
    others = np.union1d(found.hour_us[~serves], found.dirty_us)
    observed, value = raw.readings_of_hours(connection, channel, others, as_of)
    inside = (observed >= window.start_us) & (observed < window.end_us)
    observed, value = observed[inside], value[inside]
    pieces = found.take(np.flatnonzero(serves))
    first = np.concatenate([pieces.first_us, observed])
    order = np.argsort(first, kind="stable")
    return (
        first[order],
        np.concatenate([pieces.last_us, observed])[order],
        np.concatenate([condition(pieces.min), condition(value)])[order],
    )


def _beyond(condition: Condition, least: NDArray[np.float64], most: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether all values lie on one side of a range, outside of it."""
    found = np.zeros(least.shape, dtype=np.bool_)
    if condition.codes is not None:
        return found
    if condition.low is not None:
        found |= most < condition.low if condition.low_closed else most <= condition.low
    if condition.high is not None:
        found |= least > condition.high if condition.high_closed else least >= condition.high
    return found

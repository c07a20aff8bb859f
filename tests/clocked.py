"""Made-up devices: when each reading was observed by a clock that may be wrong, and when it was received."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.window import HOUR_US, micros
from telemetry.pace import Hour

START = datetime(2026, 3, 2, tzinfo=UTC)
Seconds = NDArray[np.float64]


class Device:
    """Readings at a period from :data:`START` on, by true time; its clock's error and the way to us are given.

    :param ahead_s: device time minus true time, by true seconds since the start.
    :param arrives_s: when what was measured at those seconds is received, both in true seconds since the start.
    """

    def __init__(
        self,
        *,
        hours: float = 48,
        period_s: float = 20,
        ahead_s: Callable[[Seconds], Seconds | float] = lambda _: 0.0,
        arrives_s: Callable[[Seconds], Seconds] = lambda at: at,
        seed: int = 1,
    ) -> None:
        rng = np.random.default_rng(seed)
        at = np.arange(0, hours * 3600, period_s) + rng.uniform(0, period_s / 2)
        on_way = 0.1 + rng.exponential(0.15, len(at))
        self.observed_us: NDArray[np.int64] = micros(START) + np.round((at + ahead_s(at)) * 1e6).astype(np.int64)
        self.received_us: NDArray[np.int64] = micros(START) + np.round((arrives_s(at) + on_way) * 1e6).astype(np.int64)

    def hours(self) -> list[Hour]:
        """What an hourly summary says, computed here on its own."""
        found = []
        hour_us = self.observed_us // HOUR_US * HOUR_US
        for hour in np.unique(hour_us):
            own = hour_us == hour
            delay_s = (self.received_us - self.observed_us)[own] / 1e6
            observed = self.observed_us[own]
            found.append(
                Hour(
                    hour_us=int(hour),
                    least_s=float(delay_s.min()),
                    median_s=float(np.median(delay_s)),
                    span_s=float(observed.max() - observed.min()) / 1e6,
                    spacing_s=float(observed.max() - observed.min()) / 1e6 / max(1, int(own.sum()) - 1),
                    taken=int(own.sum()),
                )
            )
        return found

    def store(self, connection: Connection, channel_id: int, flags: int = 0) -> None:
        """Write the readings with their receipt times, and mark their hours."""
        with connection.cursor().copy(
            "COPY reading (observed_at, received_at, value, channel_id, flags) FROM STDIN"
        ) as stream:
            for observed, received in zip(self.observed_us.tolist(), self.received_us.tolist(), strict=True):
                stream.write_row((_at(observed), _at(received), 1.0, channel_id, flags))
        connection.execute(
            "INSERT INTO dirty_hour SELECT DISTINCT channel_id, date_trunc('hour', observed_at, 'UTC') FROM reading"
            " WHERE channel_id = %s",
            [channel_id],
        )


def _at(us: int) -> str:
    return datetime.fromtimestamp(us // 1_000_000, UTC).replace(microsecond=us % 1_000_000).isoformat()


def buffered(start_h: float, end_h: float, *, times_as_fast: float = 360.0) -> Callable[[Seconds], Seconds]:
    """Nothing is sent in these hours; afterwards the backlog is sent so many times as fast as it arose, news behind it."""

    def arrives(at: Seconds) -> Seconds:
        start, end = start_h * 3600, end_h * 3600
        sent = end + (at - start) / times_as_fast
        return np.where((at >= start) & (sent > at), sent, at)

    return arrives


def gathered(every_s: float, lag_s: float = 0.0) -> Callable[[Seconds], Seconds]:
    """Readings are gathered and sent together every so often, some time after."""
    return lambda at: (np.floor(at / every_s) + 1) * every_s + lag_s


def constant(ahead_s: float) -> Callable[[Seconds], float]:
    """A clock that is always ahead by as much; negative: behind."""
    return lambda _: ahead_s


def drifting(ppm: float, first_s: float = 0.0) -> Callable[[Seconds], Seconds]:
    """A clock that gains so many parts per million."""
    return lambda at: first_s + at * ppm * 1e-6


def set_at(
    hour: float, before: Callable[[Seconds], Any], after: Callable[[Seconds], Any]
) -> Callable[[Seconds], Seconds]:
    """A clock that is set at an hour."""
    return lambda at: np.where(at < hour * 3600, before(at), after(at))

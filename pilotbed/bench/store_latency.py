"""How long it takes to ask for one channel's hour, day or month: by the hours' summaries, and reading by reading."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from core.database import Connection
from core.window import Window
from pilotbed.bench import store_series as series
from pilotbed.bench.store_series import Shape
from telemetry.channels import ChannelInfo, channels
from telemetry.rows_read import counted
from telemetry.windows import snapshot, statistics, values

SPANS: Final = {"hour": (1 / 24, 60), "day": (1.0, 60), "month": (30.0, 20)}
"""Days, and how often it is asked."""

_Ask = Callable[[Connection, ChannelInfo, Window], Any]


def _by_summaries(connection: Connection, channel: ChannelInfo, window: Window) -> Any:
    return statistics(connection, channel, [window])


WAYS: Final[dict[str, _Ask]] = {"statistics": _by_summaries, "readings": values}


def latencies(connection: Connection, shape: Shape, progress: Callable[[float], None]) -> list[dict[str, Any]]:
    """Of channels and windows drawn at random, the same every time; each question in a view of its own.

    Spans that are longer than what there is are left out.
    """
    gauges = [one for one in channels(connection, series.PILOT) if one.name in series.GAUGES]
    found = []
    fitting = {name: given for name, given in SPANS.items() if given[0] <= shape.days}
    for place, (span, (days, times)) in enumerate(fitting.items()):
        for way, ask in WAYS.items():
            rng = np.random.default_rng([7, place])
            took, rows = [], 0
            for _ in range(times):
                channel = gauges[int(rng.integers(len(gauges)))]
                window = _window(rng, shape, days)
                with counted() as read:
                    begun = time.perf_counter()
                    with snapshot(connection):
                        ask(connection, channel, window)
                    took.append((time.perf_counter() - begun) * 1e3)
                rows += read.readings + read.summaries
            p50, p95 = np.percentile(took, [50, 95]).tolist()
            found.append(
                {"span": span, "way": way, "times": times, "rows": round(rows / times), "p50_ms": p50, "p95_ms": p95}
            )
        progress((place + 1) / len(fitting))
    return found


def _window(rng: np.random.Generator, shape: Shape, days: float) -> Window:
    """Whole hours; whole days from a day on."""
    if days < 1:
        first = series.begin(int(rng.integers(shape.days)))
        hour = int(rng.integers(24))
        start = first.replace(hour=hour)
        return Window(start=start, end=start + (series.begin(1) - series.begin(0)) / 24)
    whole = int(days)
    return series.window(int(rng.integers(shape.days - whole + 1)), whole)

"""Integrals and counters from the store, over any arrival order and window edges: the same as from the readings themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from core.database import Connection
from core.window import Window, instant, micros
from kpi.inputs.gather_sums import went
from kpi.measures.increase import step
from telemetry.batch import Batch, Readings
from telemetry.commit import commit
from telemetry.summarise import summarise
from telemetry.sums import integrals, runs
from tests.registered import info, register

START = micros(datetime(2026, 3, 1, tzinfo=UTC))
MINUTE = 60_000_000
HOLD = 30 * MINUTE
SPAN = 4 * 1440 * MINUTE


def told(
    connection: Connection,
    channel_id: int,
    at_us: NDArray[np.int64],
    value: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    """In random order, with summaries made in between: late readings dirty the hours that they fall into."""
    order = rng.permutation(len(at_us)) if rng.random() < 0.5 else np.arange(len(at_us))
    for chunk in np.array_split(order, 5):
        readings = Readings(
            channel_id=[channel_id] * len(chunk),
            observed_us=at_us[chunk].tolist(),
            value=value[chunk].tolist(),
            flags=[0] * len(chunk),
        )
        commit(connection, Batch(readings=readings))
        while rng.random() < 0.7 and summarise(connection):
            pass


def windows(rng: np.random.Generator) -> list[Window]:
    """Any edges: whole hours, the middle of hours, less than a period."""
    edges = np.concatenate([rng.integers(0, SPAN, 20), rng.integers(0, 96, 20) * 60 * MINUTE]) + START
    pairs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    found = [Window(start=instant(min(a, b)), end=instant(max(a, b) + 1)) for a, b in pairs]
    return [
        *found,
        Window(start=instant(START), end=instant(START + SPAN)),
        Window(start=instant(START), end=instant(START + MINUTE)),
    ]


def trapezoids(at_us: NDArray[np.int64], value: NDArray[np.float64], window: Window) -> tuple[float, float]:
    """Straight lines between neighbours no further apart than one stands; the first and last one of all up to an edge as near."""
    integral = covered = 0.0
    edges = [*at_us.tolist()]
    lines = list(zip(edges, edges[1:], value.tolist(), value[1:].tolist(), strict=False))
    if window.start_us <= edges[0] < window.end_us:
        lines.append((window.start_us, edges[0], value[0], value[0]))
    if edges[-1] < window.end_us:
        lines.append((edges[-1], window.end_us, value[-1], value[-1]))
    for t0, t1, v0, v1 in lines:
        a, b = max(t0, window.start_us), min(t1, window.end_us)
        if t1 - t0 <= HOLD and a < b:
            va, vb = (v0 + (v1 - v0) * (t - t0) / (t1 - t0) for t in (a, b))
            integral += (va + vb) / 2 * (b - a) / 1e6
            covered += (b - a) / 1e6
    return integral, covered


def counter(at_us: Sequence[int], value: Sequence[float], window: Window, wrap: float | None) -> tuple[float, float]:
    """Every step that lies in the window, those over its edges by their part of the time, unless they are longer than a hold."""
    proven = from_zero = 0.0
    for (t0, v0), (t1, v1) in pairwise(zip(at_us, value, strict=True)):
        a, b = max(t0, window.start_us), min(t1, window.end_us)
        # A reading at the very end of a window lies after it.
        inside = t0 >= window.start_us and t1 < window.end_us
        if a >= b or not (inside or t1 - t0 <= HOLD):
            continue
        part = 1.0 if inside else (b - a) / (t1 - t0)
        found = step(v0, v1, wrap)
        proven, from_zero = proven + found.proven * part, from_zero + found.from_zero * part
    return proven, from_zero


@pytest.mark.parametrize("seed", range(6))
def test_sums_are_those_of_the_readings(connection: Connection, seed: int) -> None:
    rng = np.random.default_rng(seed)
    kinds = {"power": {"unit": "kW"}, "odometer": {"kind": "counter", "unit": "km"}}
    made = register(
        connection,
        channels={name: {"period_s": 600.0, "max_hold_s": HOLD / 1e6} | one for name, one in kinds.items()},
    )
    at_us = START + np.arange(0, SPAN, 10 * MINUTE, dtype=np.int64) + rng.integers(0, 5 * MINUTE, SPAN // (10 * MINUTE))
    kept = rng.random(len(at_us)) > 0.15
    gap = int(rng.integers(0, 400))
    kept[gap : gap + 60] = False
    at_us = at_us[kept]
    power = rng.uniform(-1, 2, len(at_us))
    climbing = rng.integers(0, 20, len(at_us)).cumsum().astype(float) + 300
    for place in rng.integers(1, len(at_us), 4):  # restarts at zero, and small falls
        climbing[place:] -= climbing[place] - rng.choice([0.0, 2.0, max(climbing[place - 1] - 1, 0.0)])
    wrap = 1000.0 if seed % 2 else None
    if wrap is not None:
        climbing %= wrap
    told(connection, made.channel_ids["power"], at_us, power, rng)
    told(connection, made.channel_ids["odometer"], at_us, climbing, rng)
    looked = windows(rng)
    for summarised in (False, True):
        while summarised and summarise(connection):
            pass
        for window, found in zip(looked, integrals(connection, info(connection, "power"), looked), strict=True):
            integral, covered = trapezoids(at_us, power, window)
            assert found.covered_s == pytest.approx(covered, rel=1e-12, abs=1e-9), window
            assert found.integral == pytest.approx(integral, rel=1e-9, abs=1e-6), window
        for window, run in zip(looked, runs(connection, info(connection, "odometer"), looked), strict=True):
            proven, from_zero = counter(at_us.tolist(), climbing.tolist(), window, wrap)
            total = went(run, wrap)
            assert total.proven == pytest.approx(proven, rel=1e-12, abs=1e-9), window
            assert total.from_zero == pytest.approx(from_zero, rel=1e-12, abs=1e-9), window


def test_windows_of_nothing(connection: Connection) -> None:
    register(connection, channels={"power": {"unit": "kW"}, "odometer": {"kind": "counter", "unit": "km"}})
    window = Window(start=instant(START), end=instant(START + SPAN))
    [found] = integrals(connection, info(connection, "power"), [window])
    assert (found.integral, found.covered_s) == (0, 0)
    [run] = runs(connection, info(connection, "odometer"), [window])
    assert (run.n, run.climbed, run.falls, run.edges) == (0, 0, (), ())
    assert (
        integrals(connection, info(connection, "power"), []) == runs(connection, info(connection, "odometer"), []) == []
    )

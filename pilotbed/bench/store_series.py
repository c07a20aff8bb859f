"""Readings as devices send them: gauges every 10 s, counters every second, states when they change; the same every time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.window import Window, date_window, micros
from devices.plan.reader import read_plan
from devices.registry import apply_plan
from telemetry.batch import Flag
from telemetry.channels import channels
from telemetry.load import record_alive
from telemetry.rows import Columns

PILOT: Final = "store"
START: Final = date(2025, 1, 2)
"""A Thursday: with days of UTC the weekly chunks of TimescaleDB begin where the readings do, and none is cut."""
DAYS: Final = 35
GAUGES: Final = ("temp", "temp_ms", "temp_noisy")
KINDS: Final = {
    "temp": "gauge, 10 s, to 0.1 °C, moves slowly; instants in whole seconds",
    "temp_ms": "the same; instants in milliseconds, sampled some ms late",
    "temp_noisy": "the same, and three of four readings differ from the one before",
    "meter": "counter, 1 Hz, to 0.001 kWh; instants in whole seconds",
    "mode": "state, sent when it changes, every ten minutes or so",
}
"""Channels of a slot, and what each is like. Not every slot has a meter."""

_STEP_US: Final = 10_000_000
_STEPS: Final = 8_640
_DAY_US: Final = 86_400_000_000
_DWELL_S: Final = 600
_LOST: Final = 0.0005
_BATCH_US: Final = 100_000
"""A batch: all that a collector gathers in its time has one receipt."""

_PLAN: Final = """\
pilot: {pilot}
title: bench
kind: rnd
simulated: true
company: {{id: c, name: c}}
site: {{id: s, name: s}}
period: {{start: {start}, end: {after}, timezone: UTC}}
evaluation: {{data_until: {end}, meeting: {meeting}}}
product: {{name: bench}}
slots:
{slots}kpis:
  mean: {{name: mean, measure: {{statistic: {{channel: temp, stat: mean}}}}, target: "<= 30 degC", weight: 100}}
"""
_SLOT: Final = """\
  s{slot}:
    device: {{serial: 'store-{slot}'}}
    channels:
      temp: {{unit: degC, period: 10 s, range: [-40, 60]}}
      temp_ms: {{unit: degC, period: 10 s, range: [-40, 60]}}
      temp_noisy: {{unit: degC, period: 10 s, range: [-40, 60]}}
      mode: {{kind: state, states: [idle, auto, manual], reporting: on_change}}
"""
_METER: Final = """\
      meter: {kind: counter, unit: kWh, period: 1 s}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How many readings are made, and of what: about seven in ten of gauges."""

    days: int
    slots: int
    meters: int
    """Slots that have a meter …"""
    meter_s: int
    """… which reports in the last so many seconds."""

    @classmethod
    def of(cls, readings: int) -> Shape:
        """The nearest that can be made; five weeks from a million readings on."""
        a_slot = len(GAUGES) * _STEPS
        days = max(1, min(DAYS, int(0.95 * readings / a_slot)))
        slots = max(1, int(0.7 * readings / (a_slot * days)))
        rest = max(readings - slots * days * (a_slot + 86_400 // _DWELL_S), 3_600)
        meters = min(math.ceil(rest / (86_400 * days)), slots)
        return cls(days=days, slots=slots, meters=meters, meter_s=min(rest // meters, 86_400 * days))

    @property
    def readings(self) -> int:
        """But for those that are lost, and those of states, which change when they do."""
        a_slot = len(GAUGES) * _STEPS + 86_400 // _DWELL_S
        return self.slots * self.days * a_slot + self.meters * self.meter_s

    @property
    def end(self) -> date:
        return START + timedelta(days=self.days)


def begin(day: int) -> datetime:
    """The first instant of a day."""
    return datetime(START.year, START.month, START.day, tzinfo=UTC) + timedelta(days=day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A channel that readings are made for."""

    name: str
    channel_id: int


def register(connection: Connection, shape: Shape) -> list[Written]:
    """The pilot, with some days more than the shape has: for what is written later."""
    slots = "".join(_SLOT.format(slot=slot) + (_METER if slot < shape.meters else "") for slot in range(shape.slots))
    text = _PLAN.format(
        pilot=PILOT, start=START, end=shape.end, after=shape.end + timedelta(days=60),
        meeting=shape.end + timedelta(days=30), slots=slots,
    )  # fmt: skip
    apply_plan(connection, read_plan(text.encode()), who="system:bench", now=datetime(2024, 12, 1, tzinfo=UTC))
    record_alive(connection, PILOT, date_window(START, shape.end, ZoneInfo("UTC")))
    return [Written(name=one.name, channel_id=one.channel_ids[-1]) for one in channels(connection, PILOT)]


def day(shape: Shape, written: list[Written], number: int) -> tuple[Columns, NDArray[np.int64]]:
    """The readings of one day with their receipts, in the order in which a collector would have written them."""
    rng = np.random.default_rng([2025, number])
    commit_us = rng.integers(2_000, 40_000, _DAY_US // _BATCH_US)
    parts = []
    for one in written:
        observed, sent, value = _series(one.name, shape, number, rng)
        kept = rng.random(len(value)) >= _LOST
        arrived = (sent + 20_000 + rng.lognormal(9.5, 0.6, len(value))).astype(np.int64)[kept]
        batch = arrived // _BATCH_US
        received = (batch + 1) * _BATCH_US + commit_us[batch % len(commit_us)]
        parts.append((np.full(len(received), one.channel_id, dtype=np.int32), observed[kept], value[kept], received))
    channel_id, observed_us, values, received_us = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((observed_us, channel_id, received_us))
    made = Columns(
        channel_id=channel_id[order],
        observed_us=observed_us[order],
        value=values[order],
        flags=np.full(len(order), int(Flag.LOADED), dtype=np.int16),
    )
    return made, received_us[order]


def batches(columns: Columns, n: int, most: int) -> Iterator[Columns]:
    """The first so many readings in batches of ``n``."""
    for first in range(0, min(most, len(columns.value)), n):
        part = slice(first, min(first + n, most))
        yield Columns(columns.channel_id[part], columns.observed_us[part], columns.value[part], columns.flags[part])


def window(first: int, days: int) -> Window:
    """So many days from one on."""
    return Window(start=begin(first), end=begin(first + days))


_Series = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
"""Instants that the device says, instants at which it sends, values."""


def _series(name: str, shape: Shape, number: int, rng: np.random.Generator) -> _Series:
    start_us = micros(begin(number))
    match name:
        case "meter":
            return _meter(start_us, shape, number, rng)
        case "mode":
            return _mode(start_us, rng)
    due = start_us + np.arange(_STEPS, dtype=np.int64) * _STEP_US
    late = np.abs(rng.normal(0, 3, _STEPS)).round().astype(np.int64) * 1_000
    sent = due + late
    noisy = name == "temp_noisy"
    # A walk that comes back by midnight, so that days join.
    walk = np.cumsum(rng.normal(0, 0.03 if noisy else 0.01, _STEPS))
    walk -= np.linspace(0, walk[-1], _STEPS)
    daily = 2.5 * np.sin(2 * np.pi * (np.arange(_STEPS) / _STEPS - 0.3))
    value = 21 + daily + walk + (rng.normal(0, 0.1, _STEPS) if noisy else 0)
    return (due if name == "temp" else sent), sent, value.round(1)


def _meter(start_us: int, shape: Shape, number: int, rng: np.random.Generator) -> _Series:
    first = max(shape.days * 86_400 - shape.meter_s - number * 86_400, 0)
    seconds = np.arange(86_400, dtype=np.int64)
    power_kw = 2 + 1.5 * np.sin(2 * np.pi * (seconds / 86_400 - 0.3)) + np.abs(rng.normal(0, 0.3, 86_400))
    risen = np.cumsum(power_kw)
    value = np.floor((4_321.5 + 48 * number + 48 * risen / risen[-1]) * 1_000) / 1_000
    due = start_us + seconds * 1_000_000
    return due[first:], due[first:], value[first:]


def _mode(start_us: int, rng: np.random.Generator) -> _Series:
    dwell_s = 1 + rng.exponential(_DWELL_S, 4 * 86_400 // _DWELL_S)
    at = start_us + (np.cumsum(dwell_s) * 1e3).astype(np.int64) * 1_000
    at = at[at < start_us + _DAY_US]
    code = np.cumsum(rng.integers(1, 3, len(at))) % 3
    return at, at, code.astype(np.float64)

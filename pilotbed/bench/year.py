"""A year of readings, made directly in the store: 20 channels at so many readings a second, the same every time.

Three pilots: one of 20 channels whose KPIs the hours' summaries answer, and two of one channel each whose KPIs need readings:
a percentile, and hours that begin in the middle of one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.sql import load
from core.window import Window, date_window, micros, midnight
from devices.plan.reader import read_plan
from devices.registry import apply_plan
from telemetry import binary, packed
from telemetry.batch import Flag
from telemetry.channels import channels
from telemetry.load import record_alive
from telemetry.summarise import summarise

_SQL = load("pilotbed.bench", "year.sql")
_COMMIT = load("telemetry", "commit.sql")

ZONE: Final = ZoneInfo("Asia/Seoul")
START: Final = date(2025, 1, 1)
DAYS: Final = 365
SLOTS: Final = 4
CHANNELS: Final = 20
"""Of the pilot whose KPIs the summaries answer."""
SUMMARIES, PERCENTILE, CUT_HOURS = "year", "year-percentile", "year-cut-hours"
PILOTS: Final = (SUMMARIES, PERCENTILE, CUT_HOURS)
ALL_CHANNELS: Final = CHANNELS + 2

_BATCH: Final = 10
"""So many readings of a channel lie side by side in the table: a collector writes several times in ten seconds."""
_DELAY_US: Final = 350_000
_LOST: Final = 0.0005
"""Of all readings, one by one."""
_SILENT_S: Final = (40_000, 41_500)
"""Once a week one slot says nothing for 25 minutes: seconds after its midnight."""

_FULL_CHUNKS: Final = """\
SELECT format('%%I.%%I', chunk_schema, chunk_name) AS chunk
FROM timescaledb_information.chunks
WHERE hypertable_name = 'reading' AND NOT is_compressed AND range_end <= %(until)s
ORDER BY range_start
"""
"""Chunks that nothing is written into any more and that do not lie by column yet. Not in year.sql, whose blocks every server
must know."""

_PLAN: Final = """\
pilot: {name}
title: bench
kind: rnd
simulated: true
company: {{id: c, name: c}}
site: {{id: s, name: s}}
period: {{start: {start}, end: {after}, timezone: {zone}}}
evaluation: {{data_until: {end}, meeting: {meeting}}}
product: {{name: bench}}
slots:
{slots}kpis:
{kpis}"""
_CHANNELS: Final = """\
      temp: {{unit: degC, period: {period}, range: [-40, 60]}}
      humidity: {{unit: "%RH", period: {period}, range: [0, 100]}}
      power: {{unit: kW, period: {period}, range: [0, 20]}}
      meter: {{kind: counter, unit: kWh, period: {period}}}
      mode: {{kind: state, states: [idle, auto, manual], reporting: periodic, period: {period}}}
"""
_TEMP: Final = """\
      temp: {{unit: degC, period: {period}, range: [-40, 60]}}
"""
_KPIS: Final = {
    SUMMARIES: """\
  mean: {name: mean, measure: {statistic: {channel: temp, stat: mean}}, target: "<= 30 degC", weight: 10}
  highest: {name: highest, measure: {statistic: {channel: humidity, stat: max}}, target: "<= 100 %RH", weight: 10}
  spread: {name: spread, measure: {statistic: {channel: temp, stat: std}}, target: "<= 30 degC", weight: 10}
  comfort: {name: comfort, measure: {share: {of: time, while: {channel: temp, value: "18..26 degC"}, hours: "05:00-24:00"}},
            target: ">= 10 %", weight: 10}
  auto: {name: auto, measure: {share: {of: time, while: {channel: mode, in: [auto]}}}, target: ">= 10 %", weight: 10}
  energy: {name: energy, measure: {integral: power}, target: "<= 800 MWh", weight: 10}
  metered: {name: metered, measure: {increase: meter}, target: "<= 800 MWh", weight: 10}
  capture: {name: capture, measure: {capture: {}}, target: ">= 90 %", weight: 15}
  up: {name: up, measure: {availability: {}}, target: ">= 90 %", weight: 15}
""",
    PERCENTILE: """\
  hot: {name: hot, measure: {statistic: {channel: temp, stat: p95}}, target: "<= 30 degC", weight: 100}
""",
    CUT_HOURS: """\
  day: {name: day, measure: {statistic: {channel: temp, stat: mean, hours: "05:30-23:30"}}, target: "<= 30 degC", weight: 50}
  comfort: {name: comfort, measure: {share: {of: time, while: {channel: temp, value: "18..26 degC"}, hours: "05:30-23:30"}},
            target: ">= 10 %", weight: 50}
""",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of a year at 1 Hz is made: all of its hours, by a longer period."""

    steps_a_day: int
    days: int

    @classmethod
    def of(cls, share: float, days: int = DAYS) -> Size:
        """The nearest that can be made; at least a reading every two hours and a half."""
        return cls(steps_a_day=max(round(86_400 * share / _BATCH), 1) * _BATCH, days=days)

    @property
    def period_us(self) -> float:
        return 86_400e6 / self.steps_a_day

    @property
    def share(self) -> float:
        return self.steps_a_day / 86_400

    @property
    def readings(self) -> int:
        """But for those that are lost."""
        return self.steps_a_day * self.days * ALL_CHANNELS

    @property
    def end(self) -> date:
        return START + timedelta(days=self.days)

    @property
    def month(self) -> str:
        """The last one, ``YYYY-MM``."""
        return (self.end - timedelta(days=1)).strftime("%Y-%m")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What was made, and how long it took."""

    readings: int
    hours: int
    """Channel-hours summarised."""
    fill_s: float
    summarise_s: float
    compress_s: float


Written = list[tuple[str, int]]
"""Channels in the order in which they are written: the kind of each, and its number."""

Progress = Callable[[float], None]
"""Called with the share that is done, 0 to 1."""


def register(connection: Connection, size: Size) -> Written:
    """The three pilots."""
    period = f"{size.period_us / 1e6:.6f} s"
    found = []
    for name in PILOTS:
        number = SLOTS if name == SUMMARIES else 1
        body = (_CHANNELS if name == SUMMARIES else _TEMP).format(period=period)
        slots = "".join(
            f"  s{slot}:\n    device: {{serial: '{name}-{slot}'}}\n    channels:\n{body}" for slot in range(number)
        )
        text = _PLAN.format(
            name=name, start=START, end=size.end, after=size.end + timedelta(days=60), meeting=size.end + timedelta(days=30),
            zone=ZONE.key, slots=slots, kpis=_KPIS[name],
        )  # fmt: skip
        before = datetime(START.year - 1, 12, 1, tzinfo=UTC)
        apply_plan(connection, read_plan(text.encode()), who="system:bench", now=before)
        record_alive(connection, name, date_window(START, size.end, ZONE))
        found += [(info.name, info.channel_ids[-1]) for info in channels(connection, name)]
    return found


def fill(connection: Connection, size: Size, *, by_column: bool, progress: Progress) -> Filled:
    """Register the pilots and write their year, with the summaries as the summariser makes them.

    :param by_column: compress the chunks that are full, where the server has TimescaleDB.
    """
    written = register(connection, size)
    took = {"fill": 0.0, "summarise": 0.0, "compress": 0.0}
    readings = hours = 0
    for day in range(size.days):
        begun = time.perf_counter()
        readings += write_day(connection, size, written, day)
        took["fill"] += time.perf_counter() - begun
        if day % 7 == 6 or day == size.days - 1:
            begun = time.perf_counter()
            while made := summarise(connection):
                hours += made
            took["summarise"] += time.perf_counter() - begun
            begun = time.perf_counter()
            if by_column:
                _compress(connection, _day(day + (8 if day == size.days - 1 else 1)))
            took["compress"] += time.perf_counter() - begun
        progress((day + 1) / size.days)
    connection.execute(_SQL["analyze"])
    return Filled(
        readings=readings,
        hours=hours,
        fill_s=took["fill"],
        summarise_s=took["summarise"],
        compress_s=took["compress"],
    )


def write_day(connection: Connection, size: Size, written: Written, day: int) -> int:
    """The readings of one day, and marks for the summariser.

    :returns: how many.
    """
    made, count = rows(size, written, day)
    with connection.transaction():
        binary.copy(connection, _COMMIT["copy_readings"], made)
        mark(connection, [one for _, one in written], Window(start=_day(day), end=_day(day + 1)))
    return count


def mark(connection: Connection, channel_ids: Sequence[int], window: Window) -> None:
    """Have the summaries of a window made anew."""
    connection.execute(_SQL["mark"], {"channels": list(channel_ids), "start": window.start, "end": window.end})


def _day(number: int) -> datetime:
    return midnight(START + timedelta(days=number), ZONE)


def _compress(connection: Connection, until: datetime) -> None:
    for row in connection.execute(_FULL_CHUNKS, {"until": until}).fetchall():
        connection.execute("SELECT compress_chunk(%(chunk)s::text::regclass, true)", row)


def rows(size: Size, written: Written, day: int) -> tuple[bytes, int]:
    """The rows of one day for the COPY into ``reading``, in the order in which a collector would have written them."""
    shape = (len(written), size.steps_a_day)
    rng = np.random.default_rng([2025, day])
    due = np.arange(size.steps_a_day).astype(np.float64) * size.period_us
    jitter = rng.uniform(0, min(0.02 * size.period_us, 50_000), shape)
    observed = (micros(_day(day)) + due + jitter).astype(np.int64)
    value = np.empty(shape)
    for place, (kind, _) in enumerate(written):
        value[place] = _values(kind, day, due / 86_400e6, rng)
    kept = rng.random(shape) >= _LOST
    if day % 7 == 3:
        silent = (due >= _SILENT_S[0] * 1e6) & (due < _SILENT_S[1] * 1e6)
        kept[:5, silent] = False
    channel_id = np.repeat(np.array([one for _, one in written])[:, None], size.steps_a_day, axis=1)
    order = _in_batches(kept)
    columns = [
        packed.instants(observed.ravel()[order]),
        packed.instants((observed + _DELAY_US).ravel()[order]),
        packed.floats(value.ravel()[order]),
        packed.wholes(channel_id.ravel()[order]),
        packed.Column(np.full(len(order), int(Flag.LOADED)), ">i2"),
    ]
    return packed.rows(columns), len(order)


def _in_batches(kept: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Indices of what is kept: batch by batch, in each channel by channel."""
    channels_, steps = kept.shape
    index = np.arange(kept.size).reshape(channels_, steps // _BATCH, _BATCH).transpose(1, 0, 2).ravel()
    return np.asarray(index[kept.ravel()[index]])


def _values(kind: str, day: int, part: NDArray[Any], rng: np.random.Generator) -> NDArray[np.float64]:
    """One channel's day, to the resolution of its instrument.

    :param part: of the day, 0 to 1.
    """
    daily = np.sin(2 * np.pi * (part - 0.3))
    yearly = -np.cos(2 * np.pi * (day + part) / DAYS)
    noise = rng.normal(0, 1, len(part))
    found: NDArray[np.float64]
    match kind:
        case "temp":
            found = (20 + 6 * yearly + 3 * daily + 0.2 * noise).round(1)
        case "humidity":
            found = (55 + 10 * yearly - 8 * daily + noise).round(1)
        case "power":
            found = (2 + 1.5 * daily + 0.3 * noise).clip(min=0).round(2)
        case "meter":
            found = (48 * (day + part)).round(3)
        case _:
            found = np.floor(3 * ((part * 24 * 1.7 + day * 0.37) % 1))
    return found

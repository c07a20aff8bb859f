"""Windows of a channel some of whose stretches are spoilt, beside what plain loops over the readings say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from core.database import Connection
from core.window import HOUR_US, Window, instant, micros
from telemetry.channels import ChannelInfo, channels
from telemetry.predicates import Condition
from telemetry.spoilt import Spoilt
from telemetry.sums import integrals, runs
from telemetry.windows import gaps, snapshot, statistics, time_share, values
from tests.evaluated import hours, made_site

SLOT = """
  {name}:
    device: {{serial: "{name}-1"}}
    channels:
      power: {{unit: W, period: 10 min}}
      meter: {{unit: kWh, kind: counter, period: 10 min}}
      mode: {{kind: state, states: [idle, auto, manual], reporting: on_change}}
"""
KPIS = "high: {name: h, measure: {share: {while: {channel: power, value: '>= 50 W'}}}, target: '>= 10 %'}"
HIGH = Condition(low=50.0, low_closed=True, high=None, high_closed=True, codes=None)
AUTO = Condition(low=None, low_closed=True, high=None, high_closed=True, codes=(1,))
START = hours(date(2025, 3, 1), date(2025, 3, 2))[0]
Spans = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Plain:
    """Readings in the order of time, and stretches in which they do not count."""

    readings: list[tuple[int, float]]
    hold_us: int | None
    spans: Spans

    @property
    def good(self) -> list[tuple[int, float]]:
        return [(at, value) for at, value in self.readings if not any(a <= at < b for a, b in self.spans)]

    def parted(self, start: int, end: int) -> bool:
        return any(a < end and b > start for a, b in self.spans)

    def standing(self) -> Iterator[tuple[int, int, float]]:
        ends = [at for at, _ in self.good[1:]] + [2**61]
        for (at, value), following in zip(self.good, ends, strict=True):
            end = min(following, 2**61 if self.hold_us is None else at + self.hold_us)
            yield at, min([end, *(a for a, _ in self.spans if a > at)]), value

    def joined(self) -> Iterator[tuple[tuple[int, float], tuple[int, float]]]:
        for one, other in pairwise(self.good):
            if (self.hold_us is None or other[0] - one[0] <= self.hold_us) and not self.parted(one[0], other[0]):
                yield one, other

    def share(self, condition: Condition, start: int, end: int) -> tuple[float, float]:
        true = covered = 0
        for a, b, value in self.standing():
            inside = max(min(b, end) - max(a, start), 0)
            covered += inside
            true += inside if bool(condition(np.array([value]))[0]) else 0
        return true / 1e6, covered / 1e6

    def gaps(self, start: int, end: int) -> Spans:
        found, at = [], start
        for a, b, _ in self.standing():
            if a > at and at < end:
                found.append((at, min(a, end)))
            at = max(at, b) if b > start else at
        return [*found, (at, end)] if at < end else found

    def integral(self, start: int, end: int) -> float:
        total = 0.0
        for (a, v), (b, w) in self.joined():
            low, high = max(a, start), min(b, end)
            if low < high:
                middle = v + (w - v) * ((low + high) / 2 - a) / (b - a)
                total += middle * (high - low) / 1e6
        return total


def spoilt_spans(rng: np.random.Generator, at: list[int]) -> Spans:
    """From one reading to another, and some that end as a reading stands; disjoint."""
    spans: list[tuple[int, int]] = []
    place = int(rng.integers(0, 6))
    while place < len(at) - 1:
        end = min(place + int(rng.integers(1, 9)), len(at) - 1)
        spans.append((at[place], min(at[end], at[end - 1] + 30 * 60_000_000)))
        place = end + int(rng.integers(2, 60))
    return spans


def windows(rng: np.random.Generator, end: int) -> list[Window]:
    found = [
        Window(start=instant(int(START)), end=instant(end)),
        Window(start=instant(int(START) + 7 * HOUR_US), end=instant(end)),
    ]
    for _ in range(20):
        a, b = sorted(rng.integers(int(START), end, 2).tolist())
        if b - a > 1000:
            found.append(Window(start=instant(a), end=instant(b)))
            found.append(Window(start=instant(a // HOUR_US * HOUR_US), end=instant(b // HOUR_US * HOUR_US + HOUR_US)))
    return found


def told(connection: Connection, name: str, seed: int, *, on_change: bool = False) -> tuple[ChannelInfo, Plain, Window]:
    rng = np.random.default_rng(seed)
    site = made_site(connection, KPIS, slot=SLOT)
    at = hours(date(2025, 3, 1), date(2025, 3, 4), step_h=1 / 6)
    at = at + rng.integers(0, 20_000_000, len(at))
    kept = rng.random(len(at)) > (0.8 if on_change else 0.1)
    at = at[kept]
    value = rng.integers(0, 3, len(at)).astype(float) if on_change else np.round(rng.uniform(0, 100, len(at)), 1)
    if name == "meter":
        value = np.cumsum(value)
        value[len(value) // 2 :] -= value[len(value) // 2]  # it began anew
    site.heard("a", name, at, value)
    if seed % 2:
        site.summarised()
    [info] = [one for one in channels(connection, "hall") if one.name == name]
    spans = spoilt_spans(rng, at.tolist())
    plain = Plain(list(zip(at.tolist(), value.tolist(), strict=True)), info.hold_us, spans)
    end = micros(instant(int(START)) + timedelta(days=3))
    return info, plain, Window(start=instant(int(START)), end=instant(end))


@pytest.mark.parametrize("seed", range(4))
def test_statistics_shares_gaps_and_integrals_are_those_of_plain_loops(connection: Connection, seed: int) -> None:
    info, plain, whole = told(connection, "power", seed)
    info = replace(info, spoilt=Spoilt(plain.spans))
    rng = np.random.default_rng(seed + 100)
    asked = windows(rng, whole.end_us)
    first, last = plain.readings[0][0], plain.readings[-1][0]
    with snapshot(connection):
        for window, read, shared, summed in zip(
            asked, statistics(connection, info, asked), time_share(connection, info, HIGH, asked),
            integrals(connection, info, asked), strict=True,
        ):  # fmt: skip
            start, end = window.start_us, window.end_us
            inside = [value for at, value in plain.good if start <= at < end]
            assert read.n == len(inside)
            if inside:
                assert read.mean == pytest.approx(np.mean(inside))
                assert (read.min, read.max) == (min(inside), max(inside))
            assert (shared.true_s, shared.covered_s) == pytest.approx(plain.share(HIGH, start, end))
            if first < start and end < last:  # at the first and last reading ever it reaches to the edge
                assert summed.integral == pytest.approx(plain.integral(start, end))
            silent = gaps(connection, info, window)
            assert [(one.start_us, one.end_us) for one in silent] == plain.gaps(start, end)
        assert values(connection, info, whole)[0].tolist() == [at for at, _ in plain.good]


@pytest.mark.parametrize("seed", range(2))
def test_a_state_reported_on_change_stands_up_to_what_is_spoilt(connection: Connection, seed: int) -> None:
    info, plain, whole = told(connection, "mode", seed, on_change=True)
    info = replace(info, spoilt=Spoilt(plain.spans))
    asked = windows(np.random.default_rng(seed + 100), whole.end_us)
    with snapshot(connection):
        for window, shared in zip(asked, time_share(connection, info, AUTO, asked), strict=True):
            expected = plain.share(AUTO, window.start_us, window.end_us)
            assert (shared.true_s, shared.covered_s) == pytest.approx(expected)
            silent = gaps(connection, info, window)
            assert [(one.start_us, one.end_us) for one in silent] == plain.gaps(window.start_us, window.end_us)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("false_steps", [True, False])
def test_a_counter_goes_on_over_what_is_spoilt_unless_the_step_is_false(
    connection: Connection, seed: int, false_steps: bool
) -> None:
    info, plain, whole = told(connection, "meter", seed)
    spoilt = Spoilt(plain.spans, steps=Spoilt(plain.spans) if false_steps else None)
    with snapshot(connection):
        [found] = runs(connection, replace(info, spoilt=spoilt), [whole])
    climbed, falls = 0.0, 0
    for (a, v), (b, w) in pairwise(plain.good):
        if false_steps and plain.parted(a, b):
            continue
        climbed += max(w - v, 0.0)
        falls += w < v
    assert found.climbed == pytest.approx(climbed)
    assert len(found.falls) == falls


def test_no_first_reading_reaches_back_over_what_is_spoilt(connection: Connection) -> None:
    site = made_site(connection, KPIS, slot=SLOT)
    at = [int(START) + minute * 60_000_000 for minute in (0, 10, 20, 30)]
    site.heard("a", "power", at, [900.0, 10.0, 10.0, 10.0])
    [info] = [one for one in channels(connection, "hall") if one.name == "power"]
    window = Window(start=instant(int(START) - 60_000_000), end=instant(at[-1] + 60_000_000))
    [whole] = integrals(connection, info, [window])
    assert whole.covered_s == 32 * 60
    spoilt = replace(info, spoilt=Spoilt([(at[0], at[1])]))
    [found] = integrals(connection, spoilt, [window])
    assert (found.covered_s, found.integral) == (21 * 60, 210 * 60)
    # Of the last minute the last good reading is all there is; where it does not count nothing is.
    tail = Window(start=instant(at[-1] + 1), end=window.end)
    assert integrals(connection, spoilt, [tail])[0].covered_s == pytest.approx(60, abs=1e-3)
    gone = replace(info, spoilt=Spoilt([(at[-1], at[-1] + 90_000_000)]))
    assert integrals(connection, gone, [tail])[0].covered_s == 0

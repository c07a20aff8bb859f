"""Changes as the product judges them, against ``tests/recomputation/changes.py``, which shares no code with it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import holidays as library
import numpy as np
import pandas as pd
import pytest

from core.database import Connection
from kpi.evaluate import evaluate
from kpi.records.baselines import add_baseline
from tests.changing import METER, SEOUL, noise, sha256
from tests.evaluated import Site, hours, made_site
from tests.recomputation import changes

START, END = date(2025, 3, 1), date(2025, 11, 1)
BEFORE = (date(2024, 3, 1), date(2025, 3, 1))
ALPHA = 0.025  # two looks
FEASTS = set(library.country_holidays("KR", years=[2024, 2025]))


def _days(start: date, end: date) -> list[date]:
    return [start + timedelta(days=place) for place in range((end - start).days)]


def _daily(seed: int, start: date, end: date, level: float) -> pd.Series:
    days = _days(start, end)
    week = np.array([1.0, 1.02, 0.98, 1.03, 1.06, 0.85, 0.8])
    values = level * np.array([week[day.weekday()] for day in days]) * (1 + noise(seed, len(days), 0.06, 0.6))
    return pd.Series(np.round(values, 3), index=days)


def _file(columns: dict[str, pd.Series]) -> bytes:
    """A row an hour, each hour the day's value."""
    rows = ["time," + ",".join(columns)]
    for day in next(iter(columns.values())).index:
        for hour in range(24):
            rows.append(f"{day} {hour:02}:00," + ",".join(repr(float(one[day])) for one in columns.values()))
    return ("\n".join(rows) + "\n").encode()


def _heard(site: Site, slot: str, channel: str, daily: pd.Series) -> None:
    at_us = hours(daily.index[0], daily.index[-1] + timedelta(days=1), SEOUL)
    site.heard(slot, channel, at_us, np.repeat(daily.to_numpy(), 24))


def _found(connection: Connection) -> dict[str, Any]:
    found: dict[str, Any] = evaluate(connection, "hall", final=True).document["kpis"][0]
    return found


def _kpi(content: bytes, of: str, value: str, rest: str, unit: str = "s", more: str = "") -> str:
    baseline = (
        f"{{file: m.csv, sha256: {sha256(content)}, window: [2024-03-01, 2025-03-01], value: {value}, unit: {unit},"
        f" zone: Asia/Seoul{more}}}"
    )
    change = f"{{of: {of}, baseline: {baseline}, {rest}}}"
    return f'k: {{name: K, scope: capability, target: "<= -5 %", measure: {{change: {change}}}}}'


def _alike(found: dict[str, Any], expected: changes.Changed) -> None:
    assert found["value"] == pytest.approx(expected.value, rel=1e-9)
    assert found["n"] == expected.n
    assert found["sampling"]["low"] == pytest.approx(expected.low, rel=1e-9)
    assert found["sampling"]["high"] == pytest.approx(expected.high, rel=1e-9)


def test_pairs_of_days_with_a_control(connection: Connection) -> None:
    series = {name: _daily(seed, *span, level) for seed, (name, span, level) in enumerate((
        ("a", BEFORE, 600.0), ("b", BEFORE, 300.0), ("a-after", (START, END), 510.0), ("b-after", (START, END), 285.0),
    ))}  # fmt: skip
    content = _file({"a": series["a"], "b": series["b"]})
    text = _kpi(
        content, "{statistic: {channel: trip, stat: mean, slots: [a]}}", "{a: a, b: b}",
        "pair: {weekday: true, holidays: KR}, control: [b]",
    )  # fmt: skip
    site = made_site(connection, text, slots=("a", "b"), slot=METER)
    add_baseline(connection, "hall", "k", "m.csv", content, who="cli:test")
    for slot in ("a", "b"):
        _heard(site, slot, "trip", series[f"{slot}-after"])
    control = series["b-after"], series["b"]
    _alike(_found(connection), changes.paired(series["a-after"], series["a"], START, ALPHA, FEASTS, control))


def test_pairs_of_days_alone(connection: Connection) -> None:
    before, after = _daily(1, *BEFORE, 600.0), _daily(2, START, END, 520.0)
    content = _file({"x": before})
    text = _kpi(content, "{statistic: {channel: trip, stat: mean}}", "x", "pair: {weekday: true, holidays: KR}")
    site = made_site(connection, text, slot=METER)
    add_baseline(connection, "hall", "k", "m.csv", content, who="cli:test")
    _heard(site, "a", "trip", after)
    _alike(_found(connection), changes.paired(after, before, START, ALPHA, FEASTS))


def test_a_control_alone(connection: Connection) -> None:
    text = (
        'k: {name: K, scope: capability, target: "<= -5 %", measure: {change: {of: {statistic: {channel: trip, stat: mean,'
        " slots: [a]}}, baseline: {window: [2025-03-01, 2025-05-31]}, control: [b]}}}"
    )
    site = made_site(connection, text, slots=("a", "b"), slot=METER)
    cut = date(2025, 5, 31)
    whole = {slot: _daily(seed, START, END, level) for slot, seed, level in (("a", 5, 600.0), ("b", 6, 300.0))}
    for slot in ("a", "b"):
        _heard(site, slot, "trip", whole[slot])
    sides = {slot: (one[one.index >= cut], one[one.index < cut]) for slot, one in whole.items()}
    _alike(_found(connection), changes.unpaired(*sides["a"], START, ALPHA, sides["b"]))


def test_energy_by_degree_days(connection: Connection) -> None:
    def season(days: list[date], seed: int) -> pd.Series:
        swing = np.array([12 - 14 * np.cos((day.timetuple().tm_yday - 15) / 365.25 * 2 * np.pi) for day in days])
        return pd.Series(np.round(swing + noise(seed, len(days), 2.5, 0.7), 2), index=days)

    frames = {}
    for name, span, times, seed in (("before", BEFORE, 1.0, 11), ("after", (START, END), 0.8, 12)):
        days = _days(*span)
        warmth = season(days, seed)
        demand = 10 + 0.9 * np.maximum(18 - warmth, 0) + 1.2 * np.maximum(warmth - 24, 0)
        energy = times * demand * (1 + noise(seed + 10, len(days), 0.06, 0.5))
        frames[name] = pd.DataFrame({"energy": np.round(energy, 4), "warmth": warmth})
    content = _file({"x": frames["before"]["energy"], "t": frames["before"]["warmth"]})
    rest = "normalise: {degree_days: [18 degC, 24 degC], weather: {slot: a, channel: outside}}"
    text = _kpi(content, "{statistic: {channel: power, stat: mean}}", "x", rest, "kW", ", temperature: t")
    site = made_site(connection, text, slot=METER)
    add_baseline(connection, "hall", "k", "m.csv", content, who="cli:test")
    _heard(site, "a", "power", frames["after"]["energy"])
    _heard(site, "a", "outside", frames["after"]["warmth"])
    _alike(_found(connection), changes.normalised(frames["after"], frames["before"], START, ALPHA, (18.0, 24.0)))

"""Baselines as files and readings beside them: for tests of changes. The numbers are made here, never by what is tested."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

SEOUL = ZoneInfo("Asia/Seoul")

METER = """
  {name}:
    device: {{serial: "{name}-1"}}
    channels:
      power: {{unit: kW, period: 1 h}}
      outside: {{unit: degC, period: 1 h}}
      trip: {{unit: s, period: 1 h}}
      total: {{unit: kWh, kind: counter, period: 1 h}}
    events:
      stop: {{}}
"""


def hourly_file(
    start: date,
    end: date,
    value: Callable[[datetime], float],
    *,
    head: str = "time,kWh",
    zone: bool = False,
    step_h: int = 1,
) -> bytes:
    """A table with a row every so many hours, of wall times of Seoul."""
    rows, at = [head], datetime(start.year, start.month, start.day, tzinfo=SEOUL)
    until = datetime(end.year, end.month, end.day, tzinfo=SEOUL)
    while at < until:
        told = at.isoformat() if zone else at.strftime("%Y-%m-%d %H:%M")
        rows.append(f"{told},{value(at)!r}")
        at += timedelta(hours=step_h)
    return ("\n".join(rows) + "\n").encode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def noise(seed: int, n: int, sd: float = 1.0, phi: float = 0.0) -> np.ndarray:
    """A series whose neighbours correlate by ``phi``, of standard deviation ``sd``."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, sd * (1 - phi**2) ** 0.5, n)
    found = np.empty(n)
    last = rng.normal(0, sd)
    for place in range(n):
        last = phi * last + steps[place]
        found[place] = last
    return found

"""A device beside a reference that is not the company's: the pilot of the tests of agreement."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from kpi.evaluate import evaluate
from tests.evaluated import Site, hours, made_site

START, UNTIL = date(2025, 3, 1), date(2025, 11, 1)
NOW = datetime(2025, 12, 1, tzinfo=UTC)

DEVICE = """
  {name}:
    device: {{serial: "{name}-1"}}
    channels:
      pm25: {{unit: ug/m^3, period: 1 h, range: [0, 1000]}}
"""
REFERENCE = """
  bam:
    owner: team
    certificate: {number: KTL-2025-7, date: 2025-01-10, valid_until: 2026-01-09, by: KTL}
    device: {serial: BAM-1}
    channels:
      pm25: {unit: mg/m^3, period: 1 h, uncertainty: {relative: 5 %}}
"""


def agreement(stat: str, target: str, *, more: str = "", name: str = "acc", rest: str = "") -> str:
    """The line of one KPI: hourly averages beside the reference."""
    measure = f"agreement: {{channel: pm25, reference: {{slot: bam, channel: pm25}}, average: 1 h, stat: {stat}{more}}}"
    return f'{name}: {{name: {name}, measure: {{{measure}}}, target: "{target}"{rest}}}'


def beside(
    connection: Connection,
    kpis: str,
    *,
    device: str = DEVICE,
    reference: str = REFERENCE,
    slots: tuple[str, ...] = ("a",),
) -> Site:
    """Devices and the reference in the registry; nothing was heard yet, and our own record has no hole."""
    text = "".join(device.format(name=name) for name in slots) + reference
    site = made_site(connection, kpis, slots=("",), slot=text.replace("{", "{{").replace("}", "}}"))
    site.alive(datetime(2025, 2, 1, tzinfo=UTC), NOW)
    return site


def truth(n: int, seed: int = 1) -> NDArray[np.float64]:
    """Hourly dust, in µg/m³, rounded as instruments do."""
    rng = np.random.default_rng(seed)
    level = np.empty(n)
    level[0] = 0.0
    for i in range(1, n):
        level[i] = 0.95 * level[i - 1] + rng.standard_normal() * 0.3122
    return np.round(25 * np.exp(0.5 * level), 1)


def heard_whole(site: Site, said: Any, referred: Any, slot: str = "a") -> NDArray[np.int64]:
    """Both sides, each hour from the pilot's start up to the final date; the reference in mg/m³."""
    at_us = hours(START, UNTIL)[: len(said)]
    site.heard(slot, "pm25", at_us, said)
    site.heard("bam", "pm25", at_us[: len(referred)], np.round(np.asarray(referred) / 1000, 6))
    return at_us


def judged(connection: Connection, **asked: Any) -> dict[str, Any]:
    """The first entry of the final result, or of another."""
    document = evaluate(connection, "hall", **(asked or {"final": True})).document
    found: dict[str, Any] = document["kpis"][0]
    return found

"""A small pilot with cameras that raise alerts, and people who label what happened: for tests of detections."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from core.database import Connection
from core.window import micros
from kpi.records.labels import Given, add_labels
from tests.evaluated import SEOUL, Site, hours, made_site

SLOT = """
  {name}:
    device: {{serial: "{name}-1"}}
    channels:
      fps: {{unit: Hz, period: 10 min, max_hold: 30 min}}
      odometer: {{kind: counter, unit: km, period: 10 min}}
    events:
      fall: {{}}
      fall-truth: {{truth: true}}
"""
DESK = """
  desk:
    device: {serial: PC-1}
    connection: site-desk
    events:
      fall-truth: {truth: true}
"""
CONNECTIONS = """
connections:
  site-desk: {side: site}
"""
SAMPLE = "sample: {window: 10 min, fraction: 50 %, seed: 7}"


def detection(stat: str = "recall", *, truth: str = "by: site", more: str = "") -> str:
    """The text of a measure."""
    of = f"alerts: fall, merge: 30 s, within: 10 s, truth: {{labels: fall-truth, {truth}}}, stat: {stat}{more}"
    return f"{{detection: {{{of}}}}}"


def cameras(
    connection: Connection, kpis: str, *, slots: Sequence[str] = ("a",), up: bool = True, alive: bool = True
) -> Site:
    """March to November 2025, with a desk of the site's besides; the cameras are up in March, by their own word."""
    # The text of each slot is whole already: its braces are to survive.
    text = "".join([*(SLOT.format(name=name) for name in slots), DESK]).replace("{", "{{").replace("}", "}}")
    site = made_site(connection, kpis, slots=("all",), slot=text, more=CONNECTIONS)
    if alive:
        site.alive(at("2025-02-28"), at("2025-12-02"))
    if up:
        for slot in slots:
            heard(site, slot, date(2025, 2, 28), date(2025, 4, 2))
    return site


def heard(site: Site, slot: str, start: date, end: date) -> None:
    """The camera was up from one midnight to another."""
    at_us = hours(start, end, step_h=1 / 6)
    site.heard(slot, "fps", at_us, [15.0] * len(at_us))


def at(text: str) -> datetime:
    """``2025-03-05 10:00:00`` in Seoul."""
    return datetime.fromisoformat(text).replace(tzinfo=SEOUL)


def alerted(site: Site, slot: str, *times: datetime, first: int = 1, **attributes: Any) -> None:
    site.happened(slot, [(first + i, "", one, attributes) for i, one in enumerate(times)], kind="fall")


def label(slot: str, start: datetime, **more: Any) -> Given:
    """A blind label of the site's, of an instant."""
    said: dict[str, Any] = {"outcome": "positive", "labeller": "김관제", "side": "site", "blind": True} | more
    return Given(slot=slot, start=start, end=said.pop("end", start), **said)


def labelled(site: Site, *given: Given) -> None:
    add_labels(site.connection, "hall", "fall-truth", given, who="cli:test", now=datetime(2025, 12, 31, tzinfo=UTC))


def seconds(n: float) -> timedelta:
    return timedelta(seconds=n)


def us(one: datetime) -> int:
    return micros(one)

"""Stretches of time as bands of timelines and charts: what people agreed on, and what was noticed about the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.database import Connection
from core.language import N_
from core.window import Window
from dashboards.access import VisiblePilot
from dashboards.found_words import KIND_WORDS
from kpi.records.exclusions import exclusions
from kpi.records.outages import outages
from telemetry.findings import Finding, findings

NAMES = {"exclusion": N_("평가 제외 %(n)s호"), "agreed": N_("합의한 장애 %(n)s호")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """One stretch that people agreed on, as it stands now."""

    kind: Literal["exclusion", "agreed"]
    number: int
    slots: tuple[str, ...] | None
    """None: all of them."""
    window: Window

    def of(self, slot: str) -> bool:
        return self.slots is None or slot in self.slots

    @property
    def name(self) -> str:
        """With a place for its number."""
        return NAMES[self.kind]


def agreed_of(connection: Connection, pilot: VisiblePilot, window: Window) -> list[Agreed]:
    """What touches a window and was not withdrawn, in the order of time."""
    found = [
        Agreed(kind="exclusion", number=one.exclusion_id, slots=(one.slot,), window=one.window)
        for one in exclusions(connection, pilot.name, window=window)
    ]
    found += [
        Agreed(kind="agreed", number=one.outage_id, slots=one.slots, window=one.window)
        for one in outages(connection, pilot.name, window=window)
    ]
    return sorted(found, key=lambda one: (one.window.start, one.number))


_SEEN = ("gap", "summary")
"""A gap is drawn as a gap; a summary that was made anew says nothing about the values."""


def noticed(connection: Connection, pilot: str, slot: str, channel: str, window: Window) -> list[tuple[str, Finding]]:
    """What stands of a channel, and of its slot as a whole, in a window: what it is called, and the finding."""
    return [
        (KIND_WORDS[one.kind], one)
        for one in findings(connection, pilot, window)
        if one.slot == slot and one.channel in (channel, None) and one.kind not in _SEEN
    ]

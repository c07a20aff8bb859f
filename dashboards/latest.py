"""The newest reading of each channel, as a table shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from core.database import Connection
from core.numbers import printed_angle
from dashboards.access import VisiblePilot
from dashboards.wording import Wording
from telemetry import intake
from telemetry.batch import Flag
from telemetry.channels import channels

_PERIODS: Final = 5
"""A value is no longer the present one after so many periods, but not before :data:`_LEAST_S`."""
_LEAST_S: Final = 900.0
DEGREES: Final = "°"


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """One channel and its newest reading, if it has one."""

    slot: str
    channel: str
    title: str
    kind: str
    number: str
    """As printed; the name of a state. Degrees have their sign with them."""
    unit: str
    observed_at: datetime | None
    received_at: datetime | None
    delay_s: float | None
    """None where its time is that of the receipt."""
    has_clock: bool
    """Whether the device has a clock, by the plan: it may still say something without a time."""
    present: bool
    """Whether it still says how things are: a value that came when something changed does, an old periodic one does not."""


def latest_of(connection: Connection, pilot: VisiblePilot, words: Wording, now: datetime | None = None) -> list[Latest]:
    """Of every channel of a pilot that the person sees, in the order of registration."""
    now = now or datetime.now(UTC)
    periods = {
        (one.slot, one.name): one.period_s for one in channels(connection, pilot.name) if one.reporting == "periodic"
    }
    return [
        _latest(row, words, _still(row["observed_at"], periods.get((row["slot"], row["channel"])), now))
        for row in intake.latest_readings(connection, pilot.name)
    ]


def _still(observed: datetime | None, period_s: float | None, now: datetime) -> bool:
    if observed is None or not period_s:
        return observed is not None
    return now - observed <= timedelta(seconds=max(_PERIODS * period_s, _LEAST_S))


def _latest(row: intake.Row, words: Wording, present: bool) -> Latest:
    unit = "" if row["kind"] == "state" else words.unit(row["unit"])
    number = _shown(row, row["value"], words)
    observed, received = row["observed_at"], row["received_at"]
    own_clock = observed is not None and not row["flags"] & Flag.ARRIVAL_TIME
    return Latest(
        slot=row["slot"],
        channel=row["channel"],
        title=str(row["options"].get("name") or row["channel"]),
        kind=row["kind"],
        number=f"{number}{unit}" if unit == DEGREES and row["value"] is not None else number,
        unit="" if unit == DEGREES else unit,
        observed_at=observed,
        received_at=received,
        delay_s=(received - observed).total_seconds() if own_clock and received is not None else None,
        has_clock=row["has_clock"],
        present=present,
    )


def _shown(row: intake.Row, value: float | None, words: Wording) -> str:
    states = row["options"].get("states") or []
    if row["kind"] == "state" and value is not None and 0 <= int(value) < len(states):
        return str(states[int(value)])
    if words.unit(row["unit"]) == DEGREES:
        return printed_angle(value)
    return words.number(value, row["unit"])

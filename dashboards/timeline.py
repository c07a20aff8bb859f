"""When each slot was heard: one lane a slot, its outages, the platform's own, its swaps. The same division that availability
is computed from (``kpi.measures.availability``), so that the picture and the number agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from core.database import Connection
from core.language import N_
from core.window import Window, instant, micros, midnight
from dashboards.access import VisiblePilot
from dashboards.bands import Agreed, agreed_of
from dashboards.slots import SlotRow, slots_of
from dashboards.spans import Span, window_and_step
from dashboards.users import Person
from kpi.inputs.reader import Reader
from kpi.measures.availability import States
from kpi.stretches import Stretches, difference
from telemetry.windows import snapshot

_MOST_OUTAGES: Final = 30
_LEAST_LISTED_S: Final = 10.0
_WHOLE: Final = 100.0
_LEAST_BAND: Final = 0.5
"""A band that is there is seen, however short: per cent of the lane."""

Kind = Literal["up", "down", "ours", "site", "open"]
CHARGED: Final[dict[Kind, str]] = {
    "up": N_("수신"),
    "down": N_("장비 신호 없음"),
    "ours": N_("플랫폼 중단"),
    "site": N_("수요처 중단(합의)"),
    "open": N_("기록 없음"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One stretch in a lane: where it begins and how wide it is, in per cent of the lane."""

    kind: Kind
    x: float
    width: float
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class BandBar:
    """A stretch that people agreed on, over a lane."""

    agreed: Agreed
    x: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One slot."""

    slot: str
    place: str
    bars: tuple[Bar, ...]
    swaps: tuple[float, ...]
    bands: tuple[BandBar, ...]
    up_share: float | None
    """Of the time that anybody knows about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A mark on the axis of time."""

    x: float
    day: date | None
    """Of a midnight among days; None: an hour."""
    label: str
    """Of an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A stretch without a signal."""

    slot: str
    window: Window
    seconds: float
    kind: Kind
    lasting: bool
    """Still so at the end of the window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """All lanes over one window, and the longest outages as a table."""

    window: Window
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    outages: tuple[Outage, ...]
    more: int
    """Outages beyond those listed."""
    short: int = 0
    """Outages too short to be listed."""
    agreed: tuple[Agreed, ...] = ()
    """What people agreed on in it, in the order of time."""


def timeline_of(connection: Connection, person: Person, pilot: VisiblePilot, span: Span) -> Timeline:
    """The link history of a pilot that the person sees."""
    now = datetime.now(UTC)
    window, _ = window_and_step(span, pilot, now)
    window = window.intersection(pilot.window).intersection(
        Window(start=min(pilot.start_at, now), end=max(now, pilot.start_at))
    )
    slots = slots_of(connection, person, pilot)
    if window.seconds <= 0:
        return Timeline(window=window, lanes=(), ticks=(), outages=(), more=0)
    with snapshot(connection):
        reader = Reader(connection, pilot.name, window, now)
        states = {slot.name: reader.states(slot.name) for slot in slots}
    agreed = agreed_of(connection, pilot, window)
    every = [one for slot in slots for one in _outages(slot.name, states[slot.name], window)]
    outages = sorted(
        (one for one in every if one.seconds >= _LEAST_LISTED_S),
        key=lambda one: (one.window.start, one.slot),
        reverse=True,
    )
    return Timeline(
        window=window,
        lanes=tuple(_lane(slot, states[slot.name], agreed, window) for slot in slots),
        ticks=tuple(_ticks(window, pilot.zone_info)),
        outages=tuple(outages[:_MOST_OUTAGES]),
        more=max(0, len(outages) - _MOST_OUTAGES),
        short=len(every) - len(outages),
        agreed=tuple(agreed),
    )


def _parts(states: States) -> list[tuple[Kind, Stretches]]:
    ours = difference(states.left_out, states.site)
    return [
        ("up", states.up),
        ("open", states.unknown),
        ("ours", ours),
        ("site", states.site),
        ("down", states.down),
    ]


def _lane(slot: SlotRow, states: States, agreed: Sequence[Agreed], window: Window) -> Lane:
    scale = _WHOLE / (window.end_us - window.start_us)
    bars = []
    for kind, stretches in _parts(states):
        for start, end in stretches:
            x, width = (start - window.start_us) * scale, (end - start) * scale
            bars.append(
                Bar(
                    kind=kind,
                    x=round(x, 3),
                    width=round(width, 3),
                    window=Window(start=instant(start), end=instant(end)),
                )
            )
    up, known = _length(states.up), _length(states.up) + _length(states.down)
    return Lane(
        slot=slot.name,
        place=slot.place,
        bars=tuple(bars),
        swaps=tuple(
            round((micros(one.installed_at) - window.start_us) * scale, 2)
            for one in slot.installations[1:]
            if one.installed_at in window
        ),
        bands=tuple(_band(one, window) for one in agreed if one.of(slot.name)),
        up_share=up / known if known else None,
    )


def _band(one: Agreed, window: Window) -> BandBar:
    seen = one.window.intersection(window)
    scale = _WHOLE / (window.end_us - window.start_us)
    width = max((seen.end_us - seen.start_us) * scale, _LEAST_BAND)
    x = min((seen.start_us - window.start_us) * scale, _WHOLE - width)
    return BandBar(agreed=one, x=round(x, 3), width=round(width, 3))


def _length(stretches: Stretches) -> int:
    return sum(end - start for start, end in stretches)


def _outages(slot: str, states: States, window: Window) -> list[Outage]:
    return [
        Outage(
            slot=slot,
            window=Window(start=instant(start), end=instant(end)),
            seconds=(end - start) / 1e6,
            kind=kind,
            lasting=end >= window.end_us,
        )
        for kind, stretches in _parts(states)
        if kind != "up"
        for start, end in stretches
    ]


def _ticks(window: Window, zone: ZoneInfo) -> list[Tick]:
    """Midnights where the window has few, else each n-th of them; hours within a day or two."""
    scale = _WHOLE / (window.end_us - window.start_us)
    marks: list[tuple[datetime, date | None, str]] = []
    if window.seconds <= 2 * 86_400:
        step = timedelta(hours=3 if window.seconds > 6 * 3600 else 1)
        first = window.start.astimezone(zone).replace(minute=0, second=0, microsecond=0)
        first -= timedelta(hours=first.hour % (step.seconds // 3600))
        while first < window.end:
            marks.append((first, None, f"{first:%H:%M}"))
            first = (first.astimezone(UTC) + step).astimezone(zone)
    else:
        day = window.start.astimezone(zone).date()
        every = max(1, round(window.seconds / 86_400 / 8))
        while midnight(day, zone) < window.end:
            marks.append((midnight(day, zone), day, ""))
            day += timedelta(days=every)
    return [
        Tick(x=round((micros(at) - window.start_us) * scale, 2), day=day, label=label)
        for at, day, label in marks
        if window.start <= at and micros(at) < window.end_us - (window.end_us - window.start_us) // 40
    ]

"""The frame of a scenario: which instants a slot reports at, what is lost on the way, and in which unit it is written."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

import numpy as np

from core.errors import PermanentError
from core.units import conversion
from core.window import instant, micros, midnight
from devices.plan.model import Channel, Plan
from simulators.scenario.noise import SECOND_US, Floats, Micros, draws, generator
from simulators.scenario.outage import Outages, inside
from simulators.scenario.records import Event, Link, Readings

_JITTER_S = 0.4
"""A device reports so much after its tick at the most."""

_CALM_US = 150 * SECOND_US
"""Two reports of a device that speaks once a minute lie within it."""

_RARE = Outages(block_s=5 * 86_400, chance=0.8, least_s=300, most_s=2_400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """Something that a scenario can tell: its unit there, and how finely the sensor writes it."""

    unit: str = ""
    decimals: int = 0
    states: tuple[str, ...] | None = None
    """For a state: what the codes 0, 1, 2 … of the scenario mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """What a scenario needs to know of a plan's slot."""

    pilot: str
    slot: str
    index: int
    """The slot's position in the plan: slots of one pilot differ by it."""
    zone: ZoneInfo
    start: date
    start_us: int
    look_us: int
    """The first evaluation date: shares that are asked for hold from the start to there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario(ABC):
    """A site whose every value is a pure function of seed, slot and instant. Its fields are its knobs.

    Any window may be asked for, in any order, in any pieces: the readings of two neighbouring windows are those of the
    window over both.
    """

    name: ClassVar[str]
    title_ko: ClassVar[str]
    title: ClassVar[str]
    quantities: ClassVar[Mapping[str, Quantity]]
    """By channel name of the plan."""
    longest: ClassVar[timedelta] = timedelta(0)
    """Something that has a start ends within so long."""

    seed: int = 1
    loss: float = 0.005
    """Share of the messages that never arrive, one by one."""
    outages: Outages = _RARE

    def readings(
        self,
        plan: Plan,
        slot: str,
        start: datetime,
        end: datetime,
        *,
        period_s: float | None = None,
        also_us: Sequence[int] = (),
    ) -> Readings:
        """What the slot's periodic channels report in ``[start, end)``, within the pilot's period.

        :param period_s: in place of each channel's own period.
        :param also_us: instants of the window at which they are told besides.
        """
        start, end = max(start, plan.window.start), min(end, plan.window.end)
        groups: dict[float, dict[str, Channel]] = {}
        for name, channel in plan.slots[slot].channels.items():
            if name in self.quantities and channel.period_s is not None:
                groups.setdefault(period_s or channel.period_s, {})[name] = channel
        where = location(plan, slot)
        return Readings.joined(
            [
                self._group(where, channels, period, (micros(start), max(micros(start), micros(end))), also_us)
                for period, channels in groups.items()
            ]
        )

    def events(self, plan: Plan, slot: str, start: datetime, end: datetime) -> list[Event]:
        """What happened at the slot in ``[start, end)`` and arrived, in the order of time: of the kinds that the plan has."""
        kinds = plan.slots[slot].events
        return [event for event in self.events_of(plan, slot, start, end) if event.kind in kinds]

    def events_of(self, plan: Plan, slot: str, start: datetime, end: datetime) -> list[Event]:
        """The same of all kinds: what others are made of."""
        start, end = max(start, plan.window.start), min(end, plan.window.end)
        return self.happenings(location(plan, slot), micros(start), max(micros(start), micros(end)))

    def links(self, plan: Plan, slot: str, start: datetime, end: datetime) -> list[Link]:
        """When the slot's link went down and came up in ``[start, end)``."""
        start_us, end_us = micros(max(start, plan.window.start)), micros(min(end, plan.window.end))
        changes: list[Link] = []
        for down_us, up_us in self.down(location(plan, slot), start_us, max(start_us, end_us)):
            changes += [Link(at_us=down_us, state="offline"), Link(at_us=up_us, state="online")]
        return [change for change in changes if start_us <= change.at_us < end_us]

    def is_online(self, plan: Plan, slot: str, at: datetime) -> bool:
        """Whether the slot's link is up at an instant."""
        at_us = micros(at)
        return not self.down(location(plan, slot), at_us, at_us + 1)

    def down(self, where: Location, start_us: int, end_us: int) -> list[tuple[int, int]]:
        """When the slot's link is down, whole stretches that touch ``[start, end)``, in order."""
        return self.outages.between(self._key(where), start_us, end_us)

    def quiet(self, plan: Plan, before: datetime) -> datetime:
        """The latest instant up to ``before`` at which nothing is under way at any slot, nor begins soon: who begins there is
        heard while nothing is, and then sees all of what begins.
        """
        at_us = micros(before)
        while True:
            under_way = [
                span for slot in plan.slots for span in self.spans(location(plan, slot), at_us, at_us + _CALM_US)
            ]
            if not under_way:
                return instant(at_us)
            at_us = min(start_us for start_us, _ in under_way) - _CALM_US

    def last_begun(self, plan: Plan, before: datetime, within: timedelta = timedelta(days=1)) -> datetime:
        """When the last thing that was over by ``before`` began, at each slot; ``before`` where nothing was."""
        end_us, start_us = micros(before), micros(before - within)
        begun = [
            max(
                (start for start, end in self.spans(location(plan, slot), start_us, end_us) if end < end_us),
                default=end_us,
            )
            for slot in plan.slots
        ]
        return instant(min(begun))

    @abstractmethod
    def sample(self, where: Location, at_us: Micros) -> Mapping[str, Floats]:
        """The value of every quantity at the instants, each in its unit of :attr:`quantities`."""

    def happenings(self, where: Location, start_us: int, end_us: int) -> list[Event]:  # noqa: ARG002 (most have none)
        """The events in ``[start, end)`` that arrived, in the order of time."""
        return []

    def spans(self, where: Location, start_us: int, end_us: int) -> list[tuple[int, int]]:  # noqa: ARG002 (as above)
        """From when to when what has a start and an end was under way, as far as it touches ``[start, end)``."""
        return []

    def check(self, plan: Plan) -> list[str]:
        """What of the plan this scenario cannot tell, as ``slot.channel``.

        :raises PermanentError: it can tell nothing at all.
        """
        asked = [(slot, name) for slot, definition in plan.slots.items() for name in definition.channels]
        unknown = [f"{slot}.{name}" for slot, name in asked if name not in self.quantities]
        if len(unknown) == len(asked):
            raise PermanentError(
                f"Scenario {self.name!r} knows no channel of pilot {plan.pilot!r}: the plan has"
                f" {', '.join(sorted({name for _, name in asked})) or 'none'}, the scenario {', '.join(self.quantities)}."
                " Choose another scenario (pilotbed simulate list) or name the channels so."
            )
        return unknown

    def _key(self, where: Location) -> tuple[str | int, ...]:
        return (self.seed, where.pilot, where.slot)

    def _group(
        self,
        where: Location,
        channels: Mapping[str, Channel],
        period_s: float,
        window_us: tuple[int, int],
        also_us: Sequence[int],
    ) -> Readings:
        """The readings of the channels that are reported together, every ``period_s``."""
        at_us = self._instants(where, period_s, *window_us)
        if also_us:
            at_us = np.union1d(at_us, np.asarray(also_us, dtype=np.int64))
        values = self.sample(where, at_us)
        written = [_written(values[name], self.quantities[name], channel) for name, channel in channels.items()]
        return Readings(
            channels=tuple(channels),
            channel=np.repeat(np.arange(len(channels), dtype=np.int32), at_us.size),
            observed_us=np.tile(at_us, len(channels)),
            value=np.concatenate([canonical for canonical, _ in written]),
            sent=np.concatenate([sent for _, sent in written]),
        )

    def _instants(self, where: Location, period_s: float, start_us: int, end_us: int) -> Micros:
        """When the slot reports: a tick each period, some jitter after it; without what is lost and without outages."""
        key = (*self._key(where), "ticks", repr(period_s))
        period_us = round(period_s * SECOND_US)
        jitter_us = min(_JITTER_S * SECOND_US, 0.05 * period_us)
        phase_us = int(generator(*key, "phase").random() * 0.9 * period_us)
        first, last = (start_us - phase_us - int(jitter_us)) // period_us, (end_us - phase_us) // period_us
        late, lost = draws(key, first, last, 2).T
        at_us = np.arange(first, last + 1) * period_us + phase_us + (late * jitter_us).astype(np.int64)
        at_us -= at_us % 1000  # device clocks write milliseconds
        down = inside(at_us, self.down(where, start_us, max(start_us + 1, end_us)))
        kept: Micros = at_us[(start_us <= at_us) & (at_us < end_us) & (lost >= self.loss) & ~down]
        return kept


def location(plan: Plan, slot: str) -> Location:
    """The slot as a scenario sees it."""
    looks = [*plan.evaluation.interim, plan.evaluation.data_until]
    return Location(
        pilot=plan.pilot,
        slot=slot,
        index=list(plan.slots).index(slot),
        zone=plan.zone,
        start=plan.period.start,
        start_us=micros(plan.window.start),
        look_us=micros(midnight(min(looks), plan.zone)),
    )


def _written(values: Floats, quantity: Quantity, channel: Channel) -> tuple[Floats, Floats]:
    """Canonical and sent values of what the scenario tells.

    The canonical value is worked out from the sent one by the same two operations as at the intake, not from the model's:
    history that is loaded and the same instant sent live then agree to the last bit.
    """
    if quantity.states is not None:
        assert channel.states is not None
        codes = np.array([channel.states.index(state) for state in quantity.states], dtype=np.float64)
        chosen = codes[values.astype(np.intp)]
        return chosen, chosen
    source_unit = channel.source_unit or channel.canonical_unit
    to_source = conversion(quantity.unit, source_unit)
    # The second rounding takes off what the conversion adds in the sixteenth digit: sensors write short numbers.
    sent = np.round(np.round(values, quantity.decimals) * to_source.scale + to_source.offset, 9)
    to_canonical = conversion(source_unit, channel.canonical_unit)
    return sent * to_canonical.scale + to_canonical.offset, sent

"""Who wants what of a sender's messages: for each message, its fields → channels."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from core.window import instant
from ingest.binding import FUTURE_US, ConnectionBinding, SlotBinding
from ingest.message import Decoded, Message
from ingest.protocols.columns import WHOLE
from ingest.protocols.counted import require_counted
from ingest.protocols.mavlink import modes
from ingest.protocols.mavlink.dialect import BOOT_MS, NUMBERS, SYSTEM_TIME, Kind, states
from ingest.protocols.mavlink.vocabulary import COUNTERS, Place, located, place
from ingest.protocols.sources import Sources
from ingest.reasons import Refused

HEARTBEAT: Final = NUMBERS["HEARTBEAT"]
NO_AUTOPILOT: Final = 8
ARMED: Final = 128
FIRST_STATION: Final = 250
"""Systems from here on, and component 190, are ground stations: a slot that selects none does not mean them."""
_STATION: Final = 190

_Plain = tuple[int, float | None, bool, int, float | None, float, float]
"""Place, value that means that there is none, whether it is part of a position, channel, scale, divisor and offset."""


class Wanted(NamedTuple):
    """A value that some slot's channel is mapped to."""

    sources: Sources
    source: str
    place: Place
    chosen: bool
    """Whether the slot selects its component: if not, a heartbeat must be an autopilot's."""


class Speaks:
    """One slot, and which senders are its."""

    __slots__ = ("component", "slot", "sources", "system")

    def __init__(self, slot: SlotBinding) -> None:
        self.slot = slot
        self.sources = Sources(slot)
        self.system = _number(slot.select.get("system"))
        self.component = _number(slot.select.get("component"))

    def means(self, system: int, component: int) -> bool:
        """Whether a sender is this slot's."""
        if self.system is None:
            if is_station(system, component) and self.component is None:
                return False
        elif self.system != system:
            return False
        return self.component is None or self.component == component


def is_station(system: int, component: int) -> bool:
    """Whether a sender is a ground station, by its numbers."""
    return system >= FIRST_STATION or component == _STATION


class Taker:
    """Takes one message of one sender for all slots that mean it."""

    __slots__ = (
        "_all",
        "_ids",
        "_located",
        "_plain",
        "_slow",
        "boot_at",
        "clock",
        "clock_at",
        "counters",
        "kind",
        "wanted",
    )

    def __init__(self, of: Kind, slots: list[Speaks]) -> None:
        self.kind = of
        self.clock, self.clock_at = of.clock, of.clock_at
        self.boot_at = of.clock_at if of.clock in (BOOT_MS, SYSTEM_TIME) else -1
        self._plain: list[_Plain] = []
        self._slow: list[Wanted] = []
        self._all: list[Wanted] = []
        self._located = located(of)
        self.counters: list[tuple[Sources, str]] = []
        for slot in slots:
            for source in slot.sources.names():
                found = place(source)
                if found is not None and found.kind is of:
                    self._add(Wanted(slot.sources, source, found, slot.component is not None))
                elif of.number == HEARTBEAT and source in COUNTERS:
                    self.counters.append((slot.sources, source))
        self._ids = [one[3] for one in self._plain]
        self.wanted = bool(self._all)

    def _add(self, wanted: Wanted) -> None:
        self._all.append(wanted)
        found = wanted.place
        ways = None if found.word or found.field.is_text else wanted.sources.conversions(wanted.source, found.unit)
        if ways is None or found.instance is not None or (found.kind.number == HEARTBEAT and not wanted.chosen):
            self._slow.append(wanted)
        else:
            for channel_id, scale, offset in ways:
                scale, divisor = _exactly(scale)
                self._plain.append((found.at, found.field.invalid, found.needs_fix, channel_id, scale, divisor, offset))

    def take(
        self, values: tuple[Any, ...], at_us: int, flags: int, message: Message, binding: ConnectionBinding, out: Decoded
    ) -> None:  # fmt: skip
        """Take what is wanted of a message, all at one instant."""
        if not binding.start_us <= at_us < binding.end_us or at_us > message.received_us + FUTURE_US:
            self._refuse(values, at_us, message, binding, out)
            return
        lost = self._located is not None and not values[self._located[0]] and not values[self._located[1]]
        if self._plain:
            taken: list[float] = []
            for at, invalid, _, _, scale, divisor, offset in self._plain:
                value = values[at]
                if value == invalid or not -WHOLE < value < WHOLE:
                    break
                taken.append(value if scale is None else value * scale / divisor + offset)
            if len(taken) == len(self._ids) and not lost:
                out.channel_id += self._ids
                out.observed_us += [at_us] * len(taken)
                out.value += taken
                out.flags += [flags] * len(taken)
            else:
                self._take_some(values, at_us, flags, out, lost=lost)
        for one in self._slow:
            raw = _raw(one, values, lost=lost)
            if raw is not None:
                one.sources.take(one.source, raw, at_us, flags, message, out, one.place.unit)

    def _take_some(self, values: tuple[Any, ...], at_us: int, flags: int, out: Decoded, *, lost: bool) -> None:
        """Take those of the plain numbers that are known."""
        for at, invalid, needs_fix, channel_id, scale, divisor, offset in self._plain:
            value = values[at]
            # That there is none is said by NaN, too; nothing measures infinity.
            if value == invalid or (lost and needs_fix) or value - value != 0:
                continue
            out.channel_id.append(channel_id)
            out.observed_us.append(at_us)
            out.value.append(float(value) if scale is None else value * scale / divisor + offset)
            out.flags.append(flags)

    def _refuse(
        self, values: tuple[Any, ...], at_us: int, message: Message, binding: ConnectionBinding, out: Decoded
    ) -> None:
        """Keep every value that is wanted, with the reason why its time does not count."""
        try:
            require_counted(at_us, binding, message)
        except Refused as why:
            for one in self._all:
                raw = _raw(one, values, lost=False)
                if raw is not None:
                    one.sources.refuse_named(one.source, instant(at_us).isoformat(), raw, why, message, out)


def _exactly(scale: float | None) -> tuple[float | None, float]:
    """A scale as one to multiply by, and one to divide by: 1e-7 is no double, 10,000,000 is, and a latitude keeps its digits.

    >>> _exactly(1e-7), _exactly(3.6)
    ((1.0, 10000000.0), (3.6, 1.0))
    """
    if scale is not None and 0 < scale < 1:
        divisor = round(1 / scale)
        if 1 / divisor == scale:
            return 1.0, float(divisor)
    return scale, 1.0


def _raw(wanted: Wanted, values: tuple[Any, ...], *, lost: bool) -> Any:
    """What stands there, as a channel takes it; None where that is nothing, or another sensor's."""
    found = wanted.place
    of, field, raw = found.kind, found.field, values[found.at]
    if (lost and found.needs_fix) or raw == field.invalid:
        return None
    if found.instance is not None and of.instance is not None:
        sensor = values[of.instance.place]
        if (text(sensor) if of.instance.is_text else str(sensor)) != found.instance:
            return None
    if of.number == HEARTBEAT and not wanted.chosen and values[of.fields["autopilot"].place] == NO_AUTOPILOT:
        return None
    if found.word == "mode":
        return modes.mode(
            *(values[of.fields[name].place] for name in ("autopilot", "type", "base_mode", "custom_mode"))
        )
    if found.word == "armed":
        return "armed" if raw & ARMED else "disarmed"
    if field.is_text:
        return text(raw)
    if field.is_float:
        return raw if raw - raw == 0 else None
    return _named(wanted, raw)


def _named(wanted: Wanted, raw: int) -> Any:
    """A state by its name, where it is mapped to a channel of states; a number stays one."""
    enum = wanted.place.field.enum
    if enum is None or wanted.sources.conversions(wanted.source, wanted.place.unit) is not None:
        return raw
    return states(enum).get(raw, str(raw))


def text(raw: bytes) -> str:
    """A text up to its first NUL."""
    return raw.split(b"\0", 1)[0].decode("utf-8", "replace")


def _number(raw: Any) -> int | None:
    """What a plan selects; -1, which nobody is, where it is no number."""
    if raw is None:
        return None
    try:
        return int(str(raw))
    except ValueError:
        return -1

"""The channels of one slot, read out of an object of values: the usual objects the short way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ingest.binding import IDENTITY, ChannelBinding, SlotBinding
from ingest.message import ARRIVAL, Decoded
from ingest.protocols.columns import AS_IT_STANDS, WHOLE
from ingest.protocols.json import document, values
from ingest.protocols.json.paths import ABSENT, getter

_PLAIN_NUMBERS: Final = frozenset({int, float})
_MOST_SHAPES: Final = 128
_LONGEST_SHAPE: Final = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Names that came together before, those of known channels all plain numbers: the usual case, kept short."""

    names: tuple[str, ...] | None
    """Those that are read, in the plan's order; None where that is all of them as they come."""
    channel_ids: list[int]
    factors: list[tuple[float, float]] | None
    """Scale and offset of each; None where all are in the canonical unit already."""


class SlotReader:
    """The channels of one slot, ready to be read out of an object of values."""

    def __init__(self, slot: SlotBinding, *, strict: bool) -> None:
        """:param strict: every name in the object must be a channel's; otherwise what is not mapped is passed over."""
        self.slot = slot
        self.strict = strict
        self._readers = {channel.name: _reader(channel) for channel in slot.channels}
        self._select = [(getter(path), document.shown(wanted)) for path, wanted in slot.select.items()]
        nested = [channel for channel in slot.channels if "." in channel.source]
        self._nested = [(channel, getter(channel.source)) for channel in nested]
        self._roots = {channel.source.split(".")[0] for channel in nested} | {channel.source for channel in nested}
        self._direct: dict[str, list[ChannelBinding]] = {}
        for channel in slot.channels:
            if "." not in channel.source:
                self._direct.setdefault(channel.source, []).append(channel)
        self._shapes: dict[tuple[str, ...], Shape | None] = {}
        """By the names of an object; None where they are to be read one by one."""

    def selected(self, element: Any) -> bool:
        """Whether the plan's ``select`` makes this piece of a message the slot's."""
        return not self._select or all(_is(find(element), wanted) for find, wanted in self._select)

    def read_plain(self, found: dict[str, Any], observed_us: int, flags: int, out: Decoded) -> bool:
        """Take the object if it is of a known shape and holds plain numbers only.

        :returns: whether it was taken; if not, nothing was.
        """
        shape = self._shapes.get(tuple(found))
        if shape is None:
            return False
        if len(shape.channel_ids) == 1:
            return _read_single(shape, found, observed_us, flags, out)
        raw = list(found.values()) if shape.names is None else [found[name] for name in shape.names]
        if not _PLAIN_NUMBERS.issuperset(map(type, raw)) or not _small(raw):
            return False
        if shape.factors is not None:
            # A few finite factors on numbers below 2**53 cannot leave the range of doubles: see _plain().
            raw = [value * scale + offset for value, (scale, offset) in zip(raw, shape.factors, strict=True)]
        n = len(raw)
        if flags & ARRIVAL:
            out.arrivals.extend(range(len(out.channel_id), len(out.channel_id) + n))
        out.channel_id.extend(shape.channel_ids)
        out.observed_us.extend([observed_us] * n)
        out.value.extend(raw)
        out.flags.extend([flags] * n)
        return True

    def pairs(self, found: dict[str, Any]) -> tuple[list[tuple[ChannelBinding, Any]], list[tuple[str, Any]]]:
        """What is there of each channel, in the plan's order, and what is there that no channel maps."""
        known = [
            (channel, found[source])
            for source, channels in self._direct.items()
            if source in found
            for channel in channels
        ]
        unknown: list[tuple[str, Any]] = []
        if self.strict:
            unknown = [item for item in found.items() if item[0] not in self._direct and item[0] not in self._roots]
        for channel, find in self._nested:
            raw = find(found)
            if raw is not ABSENT:
                known.append((channel, raw))
        return known, unknown

    def value(self, channel: ChannelBinding, raw: Any) -> float:
        """:raises Refused: with its reason."""
        return self._readers[channel.name](raw)

    def remember(self, found: dict[str, Any]) -> None:
        """Keep the shape of an object whose values were all taken, if they are of the plain kind."""
        names = tuple(found)
        if names not in self._shapes and len(self._shapes) < _MOST_SHAPES and len("".join(names)) <= _LONGEST_SHAPE:
            self._shapes[names] = self._shape(names)

    def shape(self, names: tuple[str, ...]) -> Shape | None:
        """What was kept of objects with these names; None where they are to be read one by one."""
        return self._shapes.get(names)

    def _shape(self, names: tuple[str, ...]) -> Shape | None:
        read = tuple(name for name in self._direct if name in names)
        mapped = [self._direct.get(name, []) for name in read]
        if self._nested or not read or not all(len(of) == 1 and _plain(of[0]) for of in mapped):
            return None
        channels = [of[0] for of in mapped]
        same = all(channel.conversion == IDENTITY for channel in channels)
        factors = [_factors(channel) for channel in channels]
        return Shape(
            names=None if read == names else read,
            channel_ids=[channel.channel_id for channel in channels],
            factors=None if same else factors,
        )


def _small(raw: list[float]) -> bool:
    """Whether all of them are numbers below 2**53. By their sum, since NaN hides from min() and max()."""
    try:
        return sum(map(abs, raw)) < WHOLE
    except OverflowError:  # an integer beyond all doubles among fractions
        return False


def _read_single(shape: Shape, found: dict[str, Any], observed_us: int, flags: int, out: Decoded) -> bool:
    """The one value of most messages."""
    if shape.names is None:
        (raw,) = found.values()
    else:
        raw = found[shape.names[0]]
    if (type(raw) is not float and type(raw) is not int) or not -WHOLE < raw < WHOLE:
        return False
    if shape.factors is not None:
        raw = raw * shape.factors[0][0] + shape.factors[0][1]
    if flags & ARRIVAL:
        out.arrivals.append(len(out.channel_id))
    out.channel_id.append(shape.channel_ids[0])
    out.observed_us.append(observed_us)
    out.value.append(raw)
    out.flags.append(flags)
    return True


def _is(found: Any, wanted: str) -> bool:
    return found is not ABSENT and document.shown(found) == wanted


def _reader(channel: ChannelBinding) -> values.Reader:
    return values.number_reader(channel.conversion) if channel.states is None else values.state_reader(channel.states)


def _factors(channel: ChannelBinding) -> tuple[float, float]:
    return AS_IT_STANDS if channel.conversion == IDENTITY else (channel.conversion.scale, channel.conversion.offset)


def _plain(channel: ChannelBinding) -> bool:
    return channel.states is None and max(abs(channel.conversion.scale), abs(channel.conversion.offset)) < 1e200

"""Readings out of JSON: ``{"ts": …, "values": {…}}``, lists of these, and whatever form a plan describes by paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from ingest import reasons
from ingest.binding import FUTURE_US, IDENTITY, ChannelBinding, ConnectionBinding, SlotBinding
from ingest.message import ARRIVAL, RETAINED, Decoded, Message
from ingest.protocols.json import document, times, values
from ingest.protocols.json.paths import ABSENT, Getter, getter
from ingest.reasons import Refused

_PLAIN_NUMBERS: Final = frozenset({int, float})
_MOST_SHAPES: Final = 128
_WHOLE: Final = 2.0**53


class Timing:
    """When a piece of a message counts: by its own time, or by its arrival."""

    def __init__(self, path: str | None, form: str, zone: ZoneInfo | None) -> None:
        """:param path: where the time stands; None or empty for a device without a clock."""
        self._find: Getter | None = getter(path) if path else None
        self._read = times.reader(form, zone)
        self.plain_key = path if path and "." not in path and form in ("auto", "ms") else None
        """Where the time stands at the top of a message, if milliseconds are taken there."""

    def raw(self, element: Any) -> Any:
        """What stands where the time belongs; None where nothing does."""
        if self._find is None:
            return None
        found = self._find(element)
        return None if found is ABSENT else found

    def of(self, raw: Any, message: Message) -> tuple[int, int]:
        """The instant and the flags.

        :raises Refused: unreadable, or a retained message without a time of its own.
        """
        if raw is None:
            if message.flags & RETAINED:
                raise Refused(reasons.TIME_MISSING, "retain=1 time=null")
            return message.received_us, message.flags | ARRIVAL
        try:
            return self._read(raw), message.flags
        except times.TimeUnreadable as error:
            raise Refused(reasons.TIME_UNREADABLE, str(error)) from None


def outside(binding: ConnectionBinding, observed_us: int, received_us: int) -> tuple[str, str] | None:
    """Why an instant does not count for this pilot: reason and detail. None if it does."""
    if observed_us > received_us + FUTURE_US:
        return reasons.IN_FUTURE, f"time = received + {(observed_us - received_us) / 1e6:.0f} s"
    if observed_us < binding.start_us:
        return reasons.BEFORE_PILOT, f"time = start - {(binding.start_us - observed_us) / 1e6:.0f} s"
    if observed_us >= binding.end_us:
        return reasons.AFTER_PILOT, f"time = end + {(observed_us - binding.end_us) / 1e6:.0f} s"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """Names that came together before, all of them plain numbers of known channels: the usual case, kept short."""

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
        self._select = [(getter(path), str(wanted)) for path, wanted in slot.select.items()]
        nested = [channel for channel in slot.channels if "." in channel.source]
        self._nested = [(channel, getter(channel.source)) for channel in nested]
        self._roots = {channel.source.split(".")[0] for channel in nested} | {channel.source for channel in nested}
        self._direct: dict[str, list[ChannelBinding]] = {}
        for channel in slot.channels:
            if "." not in channel.source:
                self._direct.setdefault(channel.source, []).append(channel)
        self._shapes: dict[tuple[str, ...], _Shape] = {}

    def selected(self, element: Any) -> bool:
        """Whether the plan's ``select`` makes this piece of a message the slot's."""
        return all(document.shown(find(element)) == wanted for find, wanted in self._select)

    def read_plain(self, found: dict[str, Any], observed_us: int, flags: int, out: Decoded) -> bool:
        """Take the object if it is of a known shape and holds plain numbers only.

        :returns: whether it was taken; if not, nothing was.
        """
        shape = self._shapes.get(tuple(found))
        if shape is None:
            return False
        raw = list(found.values())
        if not _PLAIN_NUMBERS.issuperset(map(type, raw)) or not (min(raw) > -_WHOLE and max(raw) < _WHOLE):
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
        """What is there of each channel, and what is there that no channel maps."""
        known: list[tuple[ChannelBinding, Any]] = []
        unknown: list[tuple[str, Any]] = []
        if not self.strict:
            for source, channels in self._direct.items():
                if source in found:
                    known.extend((channel, found[source]) for channel in channels)
        else:
            for name, raw in found.items():
                if name in self._direct:
                    known.extend((channel, raw) for channel in self._direct[name])
                elif name not in self._roots:
                    unknown.append((name, raw))
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
        channels = [self._direct.get(name, []) for name in found]
        if self._nested or not found or len(self._shapes) >= _MOST_SHAPES:
            return
        if all(len(mapped) == 1 and _plain(mapped[0]) for mapped in channels):
            flat = [mapped[0] for mapped in channels]
            same = all(channel.conversion == IDENTITY for channel in flat)
            factors = [(channel.conversion.scale, channel.conversion.offset) for channel in flat]
            self._shapes[tuple(found)] = _Shape(
                channel_ids=[channel.channel_id for channel in flat], factors=None if same else factors
            )


def _reader(channel: ChannelBinding) -> values.Reader:
    return values.number_reader(channel.conversion) if channel.states is None else values.state_reader(channel.states)


def _plain(channel: ChannelBinding) -> bool:
    return channel.states is None and max(abs(channel.conversion.scale), abs(channel.conversion.offset)) < 1e200


class ReadingsDecoder:
    """The readings of one topic, for one slot (native) or those of the connection that the plan maps."""

    def __init__(
        self,
        binding: ConnectionBinding,
        slots: Sequence[SlotReader],
        timing: Timing,
        values_path: str | None,
    ) -> None:
        """:param values_path: where the object of values stands; None: in ``values``, or where there is none (and the
        slots are not strict) the piece itself."""
        self._binding = binding
        self._slots = tuple(slots)
        self._timing = timing
        self._find = getter("values" if values_path is None else values_path)
        self._flat_too = values_path is None and not any(slot.strict for slot in slots)
        self._where = "values" if values_path is None else values_path or "message"
        self._values_key = "values" if values_path is None else values_path
        only = self._slots[0] if len(self._slots) == 1 and not self._slots[0].slot.select else None
        self._only = only if timing.plain_key is not None and "." not in self._values_key else None
        """The slot, where messages of the usual form can be read the short way."""

    def decode(self, message: Message, out: Decoded) -> None:
        """See :class:`ingest.message.Decoder`."""
        try:
            found = document.read(message.payload)
        except Refused as error:
            out.quarantine(message, self._binding.connection_id, error.reason, error.detail)
            return
        self.take(found, message, out)

    def take(self, found: Any, message: Message, out: Decoded) -> None:
        """The same for a document that was read already."""
        accepted, refused, selected = out.accepted(), len(out.rejected), False
        elements = found if type(found) is list else [found]
        for place, element in enumerate(elements):
            if self._only is not None and self._usual(self._only, element, message, out):
                continue
            holder = self._find(element)
            if holder is ABSENT and self._flat_too:
                holder = element
            for slot in self._slots:
                if slot.selected(element):
                    selected = True
                    if type(holder) is dict:
                        self._element(slot, element, holder, message, out)
                    else:
                        self._shapeless(slot, element, place, message, out)
        if out.accepted() == accepted:
            self._nothing_usable(message, out, refused, selected=selected)

    def _usual(self, slot: SlotReader, element: Any, message: Message, out: Decoded) -> bool:
        """Take a piece of the usual form: milliseconds, and an object of plain numbers that came in this shape before.

        :returns: whether it was taken; everything else goes the long way, which comes to the same.
        """
        if type(element) is not dict:
            return False
        holder, raw_time = element.get(self._values_key), element.get(self._timing.plain_key)
        if type(holder) is not dict or type(raw_time) is not int or not 10**11 <= raw_time < 10**14:
            return False
        observed_us = raw_time * 1000
        if not self._binding.start_us <= observed_us < self._binding.end_us:
            return False
        if observed_us > message.received_us + FUTURE_US:
            return False
        return slot.read_plain(holder, observed_us, message.flags, out)

    def _element(self, slot: SlotReader, element: Any, holder: dict[str, Any], message: Message, out: Decoded) -> None:
        raw_time = self._timing.raw(element)
        why: tuple[str, str] | None
        try:
            observed_us, flags = self._timing.of(raw_time, message)
        except Refused as refusal:
            observed_us = flags = 0
            why = refusal.reason, refusal.detail
        else:
            why = outside(self._binding, observed_us, message.received_us)
        if why is None and slot.read_plain(holder, observed_us, flags, out):
            return
        known, unknown = slot.pairs(holder)
        refused = len(out.rejected)
        for channel, raw in known:
            if why is not None:
                self._reject(slot, message, out, channel.name, raw_time, raw, *why)
                continue
            try:
                value = slot.value(channel, raw)
            except Refused as refusal:
                self._reject(slot, message, out, channel.name, raw_time, raw, refusal.reason, refusal.detail)
            else:
                out.reading(channel.channel_id, observed_us, value, flags)
        for name, raw in unknown:
            detail = f"source={document.named(name)} slot={slot.slot.name}"
            self._reject(slot, message, out, name, raw_time, raw, reasons.UNKNOWN_CHANNEL, detail)
        if len(out.rejected) == refused:
            slot.remember(holder)

    def _shapeless(self, slot: SlotReader, element: Any, place: int, message: Message, out: Decoded) -> None:
        detail = f"{self._where} != {{…}}"
        self._reject(slot, message, out, f"element {place}", None, element, reasons.BAD_SHAPE, detail)

    def _reject(
        self, slot: SlotReader, message: Message, out: Decoded, item: str, time: Any, raw: Any, reason: str, detail: str
    ) -> None:
        out.reject(
            slot_id=slot.slot.slot_id,
            topic=message.topic,
            item=item,
            observed="" if time is None else document.shown(time),
            value=document.shown(raw),
            reason=reason,
            detail=detail,
        )

    def _nothing_usable(self, message: Message, out: Decoded, refused: int, *, selected: bool) -> None:
        """Not one reading was taken: set the message aside whole if the plan can cure that, else leave the refusals."""
        connection_id = self._binding.connection_id
        refusals = out.rejected[refused:]
        if not refusals:
            if selected:
                names = sorted(channel.source for slot in self._slots for channel in slot.slot.channels)
                detail = f"{self._where}: sources={','.join(names) or '-'}"
                out.quarantine(message, connection_id, reasons.NO_KNOWN_VALUE, detail)
            else:
                out.quarantine(
                    message,
                    connection_id,
                    reasons.NO_SLOT,
                    "select="
                    + (",".join(f"{k}:{v}" for slot in self._slots for k, v in slot.slot.select.items()) or "-"),
                )
        elif all(reasons.curable(refusal.reason) for refusal in refusals):
            del out.rejected[refused:]
            first = refusals[0]
            out.quarantine(message, connection_id, first.reason, f"{first.item}: {first.detail}")

"""The channels of one slot by the names that a protocol's messages have for their values."""

from __future__ import annotations

from typing import Any, Final

from core.units import UnitError, conversion
from core.window import instant
from ingest import reasons
from ingest.binding import IDENTITY, ChannelBinding, SlotBinding
from ingest.message import Decoded, Message
from ingest.protocols.json import document, values
from ingest.reasons import Refused

_MOST_UNITS: Final = 256
_LARGEST_FACTOR: Final = 1e80


class Sources:
    """Takes values under their names. What the plan does not map is passed over."""

    def __init__(self, slot: SlotBinding) -> None:
        self.slot = slot
        self._channels: dict[str, list[tuple[ChannelBinding, values.Reader]]] = {}
        for channel in slot.channels:
            self._channels.setdefault(channel.source, []).append((channel, _reader(channel)))
        self._converting: dict[tuple[int, str], values.Reader] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._channels

    def names(self) -> list[str]:
        """What is mapped."""
        return sorted(self._channels)

    def take(
        self,
        name: str,
        raw: Any,
        observed_us: int,
        flags: int,
        message: Message,
        out: Decoded,
        unit: str | None = None,
    ) -> None:
        """Take one value for every channel that is mapped to its name; refuse it where it is none of that channel's.

        :param unit: the one that the message itself states, a symbol of ``core/units.py``; it goes before the plan's.
        """
        for channel, read in self._channels.get(name, ()):
            try:
                if unit is not None and channel.states is None:
                    read = self._in_unit(channel, unit)
                value = read(raw)
            except Refused as refusal:
                self.refuse(channel.name, instant(observed_us).isoformat(), raw, refusal, message, out)
            else:
                out.reading(channel.channel_id, observed_us, value, flags)

    def conversions(self, name: str, unit: str | None) -> list[tuple[int, float | None, float]] | None:
        """Channel, scale (None: as it stands) and offset for plain numbers under a name, to be taken without a call each.

        :param unit: as in :meth:`take`.
        :returns: None where that is not enough: a state, a unit of something else, a conversion to numbers beyond any quantity.
        """
        found: list[tuple[int, float | None, float]] = []
        for channel, _ in self._channels.get(name, ()):
            try:
                way = channel.conversion if unit is None else conversion(unit, channel.unit)
            except UnitError:
                return None
            if channel.states is not None or max(abs(way.scale), abs(way.offset)) > _LARGEST_FACTOR:
                return None
            same = way == IDENTITY
            found.append((channel.channel_id, None if same else way.scale, way.offset))
        return found

    def refuse(self, item: str, observed: object, raw: Any, why: Refused, message: Message, out: Decoded) -> None:
        """Keep a value with the reason why it is not taken."""
        out.reject(
            slot_id=self.slot.slot_id,
            topic=message.topic,
            item=item,
            observed="" if observed is None else str(observed),
            value=document.shown(raw),
            reason=why.reason,
            detail=why.detail,
        )

    def refuse_named(self, name: str, observed: object, raw: Any, why: Refused, message: Message, out: Decoded) -> None:
        """The same for every channel that is mapped to a name."""
        for channel, _ in self._channels.get(name, ()):
            self.refuse(channel.name, observed, raw, why, message, out)

    def _in_unit(self, channel: ChannelBinding, unit: str) -> values.Reader:
        key = channel.channel_id, unit
        found = self._converting.get(key)
        if found is None:
            try:
                found = values.number_reader(conversion(unit, channel.unit))
            except UnitError:
                raise Refused(reasons.OTHER_UNIT, f"unit={unit} channel={channel.unit}") from None
            if len(self._converting) < _MOST_UNITS:
                self._converting[key] = found
        return found


def _reader(channel: ChannelBinding) -> values.Reader:
    return values.number_reader(channel.conversion) if channel.states is None else values.state_reader(channel.states)

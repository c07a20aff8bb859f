"""Readings out of JSON: ``{"ts": …, "values": {…}}``, lists of these, and whatever form a plan describes by paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ingest import reasons
from ingest.binding import FUTURE_US, ConnectionBinding
from ingest.message import Decoded, Message
from ingest.protocols.counted import set_aside_if_curable
from ingest.protocols.json import document
from ingest.protocols.json.paths import ABSENT, getter
from ingest.protocols.json.quick import Fits, Quick
from ingest.protocols.json.repeated import Repeated, sure
from ingest.protocols.json.slot_reader import SlotReader
from ingest.protocols.json.timing import Timing
from ingest.reasons import Refused


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
        self._first_us, self._last_us = binding.start_us, binding.end_us - 1

    def quick(self, *, numbered: bool, fits: Fits = lambda _: True) -> Quick | None:
        """The short way of this topic; None where its messages need a closer look.

        :param numbered: ``seq`` and ``boot`` at the top number a message.
        :param fits: whether a message of these keys speaks of readings at all.
        """
        if self._only is None or self._timing.plain_key is None or not self._values_key:
            return None
        return Quick(
            self._binding,
            self._only,
            time=self._timing.plain_key,
            values=self._values_key,
            flat_too=self._flat_too,
            numbered=numbered,
            fits=fits,
        )

    def take(self, found: Any, message: Message, out: Decoded) -> None:
        """Put what a document says into ``out``."""
        only, flags = self._only, message.flags
        latest_us = message.received_us + FUTURE_US
        if latest_us > self._last_us:
            latest_us = self._last_us
        if only is not None and type(found) is dict:
            if self._usual(only, found, latest_us, flags, out):
                return
            only = None
        accepted, refused, selected = out.accepted(), len(out.rejected), False
        for place, element in enumerate(found if type(found) is list else [found]):
            if only is not None and self._usual(only, element, latest_us, flags, out):
                continue
            holder = self._find(element)
            if holder is ABSENT and self._flat_too:
                holder = element
            known = sure(element)
            for slot in self._slots:
                if slot.selected(known):
                    selected = True
                    if type(holder) is dict:
                        self._element(slot, element, holder, message, out)
                    else:
                        self._shapeless(slot, holder, element, place, message, out)
        if out.accepted() == accepted:
            self._nothing_usable(message, out, refused, selected=selected)

    def _usual(self, slot: SlotReader, element: Any, latest_us: int, flags: int, out: Decoded) -> bool:
        """Take a piece of the usual form: milliseconds, and an object of plain numbers that came in this shape before.

        :returns: whether it was taken; everything else goes the long way, which comes to the same.
        """
        if type(element) is not dict:
            return False
        holder, raw_time = element.get(self._values_key), element.get(self._timing.plain_key)
        if type(holder) is not dict or type(raw_time) is not int or not 10**11 <= raw_time < 10**14:
            return False
        observed_us = raw_time * 1000
        return self._first_us <= observed_us <= latest_us and slot.read_plain(holder, observed_us, flags, out)

    def _element(self, slot: SlotReader, element: Any, holder: dict[str, Any], message: Message, out: Decoded) -> None:
        raw_time = self._timing.raw(element)
        why: Refused | None = None
        observed_us = flags = 0
        try:
            observed_us, flags = self._timing.counted(raw_time, self._binding, message)
        except Refused as refusal:
            why = refusal
        if why is None and slot.read_plain(holder, observed_us, flags, out):
            return
        known, unknown = slot.pairs(holder)
        refused = len(out.rejected)
        for channel, raw in known:
            if why is not None:
                self._reject(slot, message, out, channel.name, raw_time, raw, why.reason, why.detail)
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

    def _shapeless(
        self, slot: SlotReader, holder: Any, element: Any, place: int, message: Message, out: Decoded
    ) -> None:
        reason, detail = reasons.BAD_SHAPE, f"{self._where} != {{…}}"
        if type(holder) is Repeated:
            reason, detail = reasons.REPEATED_KEY, holder.told()
        self._reject(slot, message, out, f"element {place}", None, element, reason, detail)

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
        if set_aside_if_curable(message, self._binding, out, refused):
            return
        if selected:
            names = sorted(channel.source for slot in self._slots for channel in slot.slot.channels)
            detail = f"{self._where}: sources={','.join(names) or '-'}"
            out.quarantine(message, connection_id, reasons.NO_KNOWN_VALUE, detail)
        else:
            out.quarantine(
                message,
                connection_id,
                reasons.NO_SLOT,
                "select=" + (",".join(f"{k}:{v}" for slot in self._slots for k, v in slot.slot.select.items()) or "-"),
            )

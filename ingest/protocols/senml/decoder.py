"""The SenML protocol: packs in JSON and CBOR on the topics that the plan names, or on a slot's native one."""

from __future__ import annotations

from typing import Any, Final

from ingest import reasons
from ingest.binding import FUTURE_US, ConnectionBinding, SlotBinding
from ingest.message import ARRIVAL, RETAINED, Decoded, Decoder, Message
from ingest.protocols.columns import WHOLE
from ingest.protocols.counted import require_counted, set_aside_if_curable
from ingest.protocols.json.decoder import JsonConnection
from ingest.protocols.native import mapped_slots, native_parts, native_slot
from ingest.protocols.senml import pack
from ingest.protocols.senml.units import UNITS
from ingest.protocols.sources import Sources
from ingest.reasons import Refused

RELATIVE_BELOW_S: Final = 2**28
"""Times below count from now (RFC 8428, 4.5.3). A clock that was reset to 1970 looks so too: they are flagged."""
_MOST_NAMES: Final = 10_000
_FARTHEST_S: Final = 2.0**40
_PLAIN, _BASED, _BASE_ALONE, _UNUSUAL = range(1, 5)


class SenmlConnection:
    """One connection that speaks SenML for its slots."""

    def __init__(self, binding: ConnectionBinding) -> None:
        self.binding = binding
        own = {topic for slot in binding.slots for topic in slot.topics}
        self.filters = tuple(sorted(own.union(binding.topics)))
        self._json = JsonConnection(binding)
        self._made: dict[tuple[str, ...], PackDecoder] = {}

    def decoder(self, topic: str) -> Decoder | None:
        """What reads the messages of a topic; None if it is not this connection's."""
        native = native_slot(self.binding, topic, "readings")
        slots = [native] if native is not None else mapped_slots(self.binding, topic)
        if not slots:
            # Events and the link's state, which SenML has no form for.
            return self._json.decoder(topic) if native_parts(topic) is not None else None
        key = tuple(slot.name for slot in slots)
        if key not in self._made:
            self._made[key] = PackDecoder(self.binding, slots)
        return self._made[key]


class PackDecoder:
    """Reads each message as one pack. See :class:`ingest.message.Decoder`."""

    def __init__(self, binding: ConnectionBinding, slots: list[SlotBinding]) -> None:
        self._binding = binding
        self._slots = [(str(slot.select.get("name", "")), Sources(slot)) for slot in slots]
        self._known: dict[str, list[tuple[Sources, str]]] = {}
        """By full name: where it is mapped, and what the plan calls it there."""
        self._shapes: dict[tuple[Any, ...], int] = {}
        """By the labels of a record."""
        self._direct: dict[tuple[str, str | None], list[tuple[int, float | None, float]]] = {}
        """By full name and unit, of what was taken before: its channels, with scale and offset where there is a conversion."""

    def decode(self, message: Message, out: Decoded) -> None:
        """See :class:`ingest.message.Decoder`."""
        if self._usual(message, out):
            return
        accepted, refused, mapped = out.accepted(), len(out.rejected), False
        marks = len(out.channel_id), len(out.arrivals), len(out.rejected)
        try:
            for found in pack.resolve(pack.read(message.payload)):
                for sources, name in self._owners(found.name):
                    mapped = True
                    if isinstance(found, pack.Unresolved):
                        sources.refuse_named(name, None, found.raw, found.why, message, out)
                    else:
                        self._take(found, sources, name, message, out)
        except Refused as why:
            # What stands before the fault is not taken either: what holds for all may be wrong for it.
            _undo(out, *marks)
            out.quarantine(message, self._binding.connection_id, why.reason, why.detail)
            return
        if out.accepted() == accepted and not set_aside_if_curable(message, self._binding, out, refused) and not mapped:
            names = sorted({name for _, sources in self._slots for name in sources.names()})
            detail = f"SenML: sources={','.join(names) or '-'}"
            out.quarantine(message, self._binding.connection_id, reasons.NO_KNOWN_VALUE, detail)

    def _usual(self, message: Message, out: Decoded) -> bool:
        """Take a pack of the usual form: plain numbers under names that came before, with times of their own.

        :returns: whether it was taken; if not, nothing was, and the long way comes to the same.
        """
        opened = pack.plain(message.payload)
        if opened is None:
            return False
        try:
            found = self._read_usual(*opened, message)
        except (TypeError, AttributeError, OverflowError):  # no record, no text, no number, or one beyond any float
            return False
        if found is None:
            return False
        ids, at, taken = found
        out.channel_id += ids
        out.observed_us += at
        out.value += taken
        out.flags += [message.flags] * len(ids)
        return True

    def _read_usual(
        self, records: list[Any], labels: pack.Labels, message: Message
    ) -> tuple[list[int], list[int], list[float]] | None:
        base_name_at, base_time_at, base_unit_at, name_at, unit_at, value_at, time_at = labels
        first_us, latest_us = self._binding.start_us, min(message.received_us + FUTURE_US, self._binding.end_us - 1)
        shapes, direct = self._shapes, self._direct
        base_name, base_time, base_unit = "", 0.0, None
        ids: list[int] = []
        at: list[int] = []
        taken: list[float] = []
        for record in records:
            shape = shapes.get(tuple(record)) or self._shape(tuple(record), labels)
            find = record.get
            if shape != _PLAIN:
                if shape == _UNUSUAL:
                    return None
                base_name = find(base_name_at, base_name)
                base_time = find(base_time_at, base_time)
                base_unit = find(base_unit_at, base_unit)
                if shape == _BASE_ALONE:
                    continue
            raw = find(value_at)
            known = direct.get((base_name + find(name_at, ""), find(unit_at, base_unit)))
            if known is None or (type(raw) is not float and type(raw) is not int) or not -WHOLE < raw < WHOLE:
                return None
            time_s = base_time + find(time_at, 0)
            if not RELATIVE_BELOW_S <= time_s < _FARTHEST_S:
                return None
            observed_us = round(time_s * 1_000_000)
            if not first_us <= observed_us <= latest_us:
                return None
            for channel_id, scale, offset in known:
                ids.append(channel_id)
                at.append(observed_us)
                taken.append(raw if scale is None else raw * scale + offset)
        return (ids, at, taken) if ids else None

    def _shape(self, labels_there: tuple[Any, ...], labels: pack.Labels) -> int:
        """How a record with these labels is to be read."""
        if not set(labels).issuperset(labels_there) or len(self._shapes) >= _MOST_NAMES:
            return _UNUSUAL
        based = not {labels.base_name, labels.base_time, labels.base_unit}.isdisjoint(labels_there)
        if labels.value in labels_there:
            found = _BASED if based else _PLAIN
        else:
            found = (
                _BASE_ALONE if based and not {labels.name, labels.unit, labels.time} & set(labels_there) else _UNUSUAL
            )
        self._shapes[labels_there] = found
        return found

    def _take(self, found: pack.Resolved, sources: Sources, name: str, message: Message, out: Decoded) -> None:
        try:
            observed_us, flags = self._instant(found.time_s, message)
            unit = _unit(found)
        except Refused as why:
            sources.refuse_named(name, found.time_s, found.raw, why, message, out)
        else:
            sources.take(name, found.raw, observed_us, flags, message, out, unit)
            if not found.summed:
                self._learn(found, unit)

    def _learn(self, found: pack.Resolved, unit: str | None) -> None:
        """Keep how a value is taken, if it is a number that its unit's conversion cannot carry out of range."""
        key = found.name, found.unit
        if key in self._direct or len(self._direct) >= _MOST_NAMES:
            return
        ways: list[tuple[int, float | None, float]] = []
        for sources, name in self._owners(found.name):
            conversions = sources.conversions(name, unit)
            if conversions is None:
                return
            ways += conversions
        self._direct[key] = ways

    def _instant(self, time_s: float, message: Message) -> tuple[int, int]:
        if time_s < RELATIVE_BELOW_S:
            if message.flags & RETAINED:
                raise Refused(reasons.TIME_MISSING, f"retain=1 t={time_s:g}")
            observed_us, flags = message.received_us + round(time_s * 1_000_000), message.flags | ARRIVAL
        else:
            observed_us, flags = round(time_s * 1_000_000), message.flags
        binding = self._binding
        if not binding.start_us <= observed_us < binding.end_us or observed_us > message.received_us + FUTURE_US:
            require_counted(observed_us, binding, message)
        return observed_us, flags

    def _owners(self, name: str) -> list[tuple[Sources, str]]:
        found = self._known.get(name)
        if found is None:
            bare, summed = (name[4:-1], True) if name.startswith("sum(") else (name, False)
            found = []
            for prefix, sources in self._slots:
                if bare.startswith(prefix):
                    local = bare[len(prefix) :]
                    local = f"sum({local})" if summed else local
                    if local in sources:
                        found.append((sources, local))
            if len(self._known) < _MOST_NAMES:
                self._known[name] = found
        return found


def _unit(found: pack.Resolved) -> str | None:
    if found.unit is None:
        return None
    symbol = UNITS.get(found.unit)
    if symbol is None:
        raise Refused(reasons.UNKNOWN_UNIT, f"SenML: u={found.unit[:40]!r}")
    return f"({symbol})*s" if found.summed else symbol


def _undo(out: Decoded, readings: int, arrivals: int, rejected: int) -> None:
    columns: tuple[list[Any], ...] = (out.channel_id, out.observed_us, out.value, out.flags)
    for column in columns:
        del column[readings:]
    del out.arrivals[arrivals:]
    del out.rejected[rejected:]

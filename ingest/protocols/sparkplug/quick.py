"""The short ways: plain numbers, in time and of their type, by what a birth says of them. The long way comes to the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from ingest.binding import FUTURE_US, ConnectionBinding
from ingest.message import Decoded, Message
from ingest.protocols.columns import WHOLE
from ingest.protocols.sources import Sources
from ingest.protocols.sparkplug import datatypes
from ingest.protocols.sparkplug.layout import Layout, places_in
from ingest.protocols.sparkplug.remembered import Table

_FLOAT, _DOUBLE, _INT, _LONG, _NONE = range(5)
_FIELDS: Final = ("float_value", "double_value", "int_value", "long_value")
_FIELD_OF: Final = {
    datatypes.FLOAT: _FLOAT, datatypes.DOUBLE: _DOUBLE, datatypes.INT64: _LONG, datatypes.UINT64: _LONG,
    **dict.fromkeys((datatypes.INT8, datatypes.INT16, datatypes.INT32), _INT),
    **dict.fromkeys((datatypes.UINT8, datatypes.UINT16, datatypes.UINT32), _INT),
}  # fmt: skip
_SIX_BYTES: Final = (2**35, 2**42)
"""Times in ms, of 1971 to 2109, that take six bytes."""
_TIMED: Final = 7
"""Bytes of a time with its tag."""


class Known(NamedTuple):
    """How a metric that is a plain number is taken without a closer look."""

    size: int
    """Bytes of a metric of alias, time and value, but for those of an integer value."""
    field: int
    """Which one its value stands in; _NONE: nobody wants it."""
    channel_id: int
    scale: float | None
    offset: float
    more: tuple[tuple[int, float | None, float], ...]
    """Channels that it is taken for besides."""
    top: int
    """Integers up to it stand for themselves."""
    wrap: int
    """What those above are less by; 0: a closer look is needed."""
    alias: int
    datatype: int


_LAYOUTS: Final = 16
"""So many lengths of messages are known at a time."""
_LESSONS: Final = 128
"""So many messages of a birth are looked at for their layout: a node that never says the same again is not looked at for good."""


class Quick:
    """What one birth says, worked out for one node's or device's slots."""

    def __init__(self, binding: ConnectionBinding, sources: list[Sources], table: Table) -> None:
        self.table = table
        self._first_us = max(binding.start_us, 1)
        self._last_us = binding.end_us - 1
        self._known: dict[bytes | int, Known] = {}
        self._layouts: dict[int, Layout] = {}
        self._lessons = _LESSONS
        if binding.options.get("clock") is False:
            return
        aliases: dict[str, list[int]] = {}
        for alias, name in table.aliases.items():
            aliases.setdefault(name, []).append(alias)
        for name, datatype in table.names.items():
            its = aliases.get(name, [])
            known = _plain(name, its[0] if its else 0, datatype, sources)
            if known is not None and len(its) <= 1 and "\ufffd" not in name:
                self._known[name.encode()] = known
                self._known.update(dict.fromkeys(its, known))

    def same(self, message: Message, seq: int, out: Decoded) -> int | None:
        """Take a message that has the layout of one before, and this number.

        :returns: its time in ms; None where it was not taken, and nothing of it was.
        """
        payload = message.payload
        layout = self._layouts.get(len(payload))
        if layout is None:
            return None
        first_ms = max(-(-self._first_us // 1000), _SIX_BYTES[0])
        last_ms = min((message.received_us + FUTURE_US) // 1000, self._last_us // 1000, _SIX_BYTES[1] - 1)
        found = layout.read(payload, seq, first_ms, last_ms)
        if found is None or found[0] < _SIX_BYTES[0]:
            return None
        _put(layout.ids, found[1], found[2], message, out)
        return found[0]

    def learn(self, payload: bytes, metrics: Any) -> None:
        """Look at the layout of a message that :meth:`lean` took."""
        if self._lessons <= 0:
            return
        self._lessons -= 1
        known = [self._known[metric.alias] for metric in metrics]
        places = places_in(payload) if all(one.field in (_FLOAT, _DOUBLE) for one in known) else None
        if places is None or not known:
            return
        if len(self._layouts) >= _LAYOUTS:
            self._layouts.clear()
        self._layouts[len(payload)] = Layout(payload, places, [(one[2:5], *one.more) for one in known])

    def lean(self, payload: Any, size: int, message: Message, out: Decoded) -> bool:
        """Take metrics of nothing but alias, time and value.

        That nothing else is there is not asked field by field: the bytes of what must be there add up to the payload's size.

        :returns: whether they were taken.
        """
        find, least, most = self._known.get, -WHOLE, WHOLE
        first_ms = max(-(-self._first_us // 1000), _SIX_BYTES[0])
        last_ms = min((message.received_us + FUTURE_US) // 1000, self._last_us // 1000, _SIX_BYTES[1] - 1)
        if not _SIX_BYTES[0] <= payload.timestamp < _SIX_BYTES[1]:
            return False
        size -= _TIMED + (2 if payload.seq < 128 else 3)
        ids: list[int] = []
        at: list[int] = []
        taken: list[float] = []
        value: float
        for metric in payload.metrics:
            alias = metric.alias
            known = find(alias)
            if known is None:
                return False
            its_size, field, channel_id, scale, offset, more, top, wrap, _, _ = known
            if field == 0:  # literals: a name would be looked up for each metric
                value = metric.float_value
            elif field == 1:
                value = metric.double_value
            elif field == 4:
                return False
            else:
                raw = metric.int_value if field == 2 else metric.long_value
                size -= (raw.bit_length() + 6) // 7 or 1
                if raw > top:
                    raw -= wrap
                    if not wrap:
                        return False
                value = raw
            said_ms = metric.timestamp
            if not first_ms <= said_ms <= last_ms or not least < value < most:
                return False
            if (not value and metric.WhichOneof("value") != _FIELDS[field]) or not (alias or metric.HasField("alias")):
                return False
            size -= its_size
            said_ms *= 1000
            ids.append(channel_id)
            at.append(said_ms)
            taken.append(value if scale is None else value * scale + offset)
            for channel_id, scale, offset in more:
                ids.append(channel_id)
                at.append(said_ms)
                taken.append(value if scale is None else value * scale + offset)
        if size:
            return False
        _put(ids, at, taken, message, out)
        self.learn(message.payload, payload.metrics)
        return True

    def named(self, payload: Any, message: Message, out: Decoded) -> bool:
        """The same of metrics that may have names and data types too, or are nobody's.

        :returns: whether they were taken.
        """
        find = self._known.get
        last_us = min(message.received_us + FUTURE_US, self._last_us)
        ids: list[int] = []
        at: list[int] = []
        taken: list[float] = []
        for metric in payload.metrics:
            alias, name = metric.alias, metric.name
            known = find(name or alias)
            if known is None:
                return False
            if (alias != known.alias) if alias else metric.HasField("alias") if name else not metric.HasField("alias"):
                return False
            if known.field == _NONE:
                continue
            value = getattr(metric, _FIELDS[known.field])
            if value > known.top and known.field >= _INT:
                value -= known.wrap
                if not known.wrap:
                    return False
            told = metric.datatype
            if (
                (not value and metric.WhichOneof("value") != _FIELDS[known.field])
                or metric.is_null
                or (told and told != known.datatype)
                or metric.HasField("properties")
            ):
                return False
            observed_us = metric.timestamp * 1000
            if not self._first_us <= observed_us <= last_us or not -WHOLE < value < WHOLE:
                return False
            for channel_id, scale, offset in (known[2:5], *known.more):
                ids.append(channel_id)
                at.append(observed_us)
                taken.append(value if scale is None else value * scale + offset)
        _put(ids, at, taken, message, out)
        return True


def _put(ids: list[int], at: list[int], taken: Sequence[float], message: Message, out: Decoded) -> None:
    out.channel_id += ids
    out.observed_us += at
    out.value += taken
    out.flags += [message.flags] * len(ids)


def _plain(name: str, alias: int, datatype: int, sources: list[Sources]) -> Known | None:
    """None where a metric needs a closer look."""
    if not any(name in one for one in sources):
        return Known(0, _NONE, 0, None, 0.0, (), 0, 0, alias, datatype)
    field = _FIELD_OF.get(datatype)
    channels: list[tuple[int, float | None, float]] = []
    for one in sources:
        found = one.conversions(name, None)
        if found is None:
            return None
        channels += found
    if field is None:
        return None
    top = wrap = 0
    if datatype in datatypes.UNSIGNED_BITS:
        top = (1 << datatypes.UNSIGNED_BITS[datatype]) - 1
    elif datatype in datatypes.SIGNED_BITS:
        bits = datatypes.SIGNED_BITS[datatype]
        top, wrap = (1 << bits - 1) - 1, 1 << bits if bits >= 32 else 0
    value_size = {_FLOAT: 5, _DOUBLE: 9}.get(field, 1)
    size = 2 + 1 + _varint(alias) + _TIMED + value_size
    return Known(size, field, *channels[0], tuple(channels[1:]), top, wrap, alias, datatype)


def _varint(number: int) -> int:
    """How many bytes a number takes."""
    return (number.bit_length() + 6) // 7 or 1

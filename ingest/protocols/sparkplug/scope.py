"""The slots that one node, or one device, speaks for: its metrics → readings."""

from __future__ import annotations

from typing import Any, Final

from core.window import instant
from ingest import reasons
from ingest.binding import ConnectionBinding, SlotBinding
from ingest.message import ARRIVAL, RETAINED, Decoded, Message
from ingest.protocols.counted import require_counted, set_aside_if_curable
from ingest.protocols.sources import Sources
from ingest.protocols.sparkplug import datatypes
from ingest.protocols.sparkplug.quick import Quick
from ingest.protocols.sparkplug.remembered import Table
from ingest.reasons import Refused

_LAST_US: Final = 2**62


class Scope:
    """Takes what a node or a device says of its metrics for every slot that it speaks for."""

    def __init__(self, binding: ConnectionBinding, slots: list[SlotBinding]) -> None:
        self.slots = slots
        self._binding = binding
        self._sources = [Sources(slot) for slot in slots]
        self._clock = binding.options.get("clock") is not False
        self._quick: Quick | None = None

    def is_certain(self, payload: Any) -> bool:
        """Whether a message can be read without a birth: each metric has a name, and needs no other word for its value."""
        return all(
            metric.name and (datatypes.is_told(metric) or not self._wanted(metric.name.decode("utf-8", "replace")))
            for metric in payload.metrics
        )

    def is_settled(self, payload: Any, table: Table | None) -> bool:
        """Whether a birth says what each metric is, as far as anybody wants to know."""
        if table is None:
            return self.is_certain(payload)
        return all(
            metric.alias in table.aliases
            if not metric.name
            else datatypes.is_told(metric)
            or (name := metric.name.decode("utf-8", "replace")) in table.names
            or not self._wanted(name)
            for metric in payload.metrics
        )

    def same(self, table: Table, message: Message, seq: int, out: Decoded) -> int | None:
        """Take a message that differs from one before in its times and values only, and has this number.

        :returns: its time in ms; None where it was not taken, and nothing of it was.
        """
        quick = self._quick
        return None if quick is None or quick.table is not table else quick.same(message, seq, out)

    def usual(self, payload: Any, size: int, table: Table, message: Message, out: Decoded) -> bool:
        """Take plain numbers by name or alias, in time and of their type.

        :param size: of the payload, in bytes.
        :returns: whether all were; if not, nothing was taken, and :meth:`take` comes to the same.
        """
        quick = self._quick
        if quick is None or quick.table is not table:
            quick = self._quick = Quick(self._binding, self._sources, table)
        return quick.lean(payload, size, message, out) or quick.named(payload, message, out)

    def _wanted(self, name: str) -> bool:
        return any(name in sources for sources in self._sources)

    def take(self, payload: Any, table: Table | None, message: Message, out: Decoded, *, birth: bool = False) -> None:
        """Take all metrics; those that are not taken are refused, each with its reason."""
        accepted, refused = out.accepted(), len(out.rejected)
        nameless: Refused | None = None
        for metric in payload.metrics:
            try:
                name = identified(metric, table)
            except Refused as why:
                nameless = nameless or why
                continue
            if self._wanted(name) and not (birth and metric.is_null):
                self._take(metric, name, table, payload, message, out)
        if nameless is not None and self._sources:
            self._sources[0].refuse("alias", None, None, nameless, message, out)
        if out.accepted() == accepted and not birth:
            set_aside_if_curable(message, self._binding, out, refused)

    def _take(self, metric: Any, name: str, table: Table | None, payload: Any, message: Message, out: Decoded) -> None:
        try:
            observed_us, flags = self._instant(metric, payload, message)
        except Refused as why:
            self._refuse(name, str(metric.timestamp or payload.timestamp), metric, why, message, out)
            return
        try:
            raw = datatypes.value(metric, _datatype(metric, name, table))
        except Refused as why:
            self._refuse(name, instant(observed_us).isoformat(), metric, why, message, out)
            return
        for sources in self._sources:
            sources.take(name, raw, observed_us, flags, message, out)

    def _refuse(self, name: str, at: str | None, metric: Any, why: Refused, message: Message, out: Decoded) -> None:
        for sources in self._sources:
            sources.refuse_named(name, at, datatypes.shown(metric), why, message, out)

    def _instant(self, metric: Any, payload: Any, message: Message) -> tuple[int, int]:
        if not self._clock:
            said = None
        elif metric.HasField("timestamp"):
            said = metric.timestamp
        else:
            said = payload.timestamp if payload.HasField("timestamp") else None
        if said is None:
            if message.flags & RETAINED:
                raise Refused(reasons.TIME_MISSING, "retain=1")
            require_counted(message.received_us, self._binding, message)
            return message.received_us, message.flags | ARRIVAL
        observed_us = min(said * 1000, _LAST_US)
        require_counted(observed_us, self._binding, message)
        return observed_us, message.flags

    def refuse_absent(self, table: Table, message: Message, out: Decoded) -> None:
        """Tell which of the plan's metrics a birth does not have."""
        for sources in self._sources:
            for name in sources.names():
                if name not in table.names:
                    why = Refused(reasons.NOT_IN_BIRTH, f"source={name}")
                    sources.refuse_named(name, None, None, why, message, out)


def identified(metric: Any, table: Table | None) -> str:
    """The name of a metric.

    :raises Refused: nothing says what it is, or two things do.
    """
    name: str = metric.name.decode("utf-8", "replace")
    if not metric.HasField("alias"):
        if not name:
            raise Refused(reasons.UNKNOWN_ALIAS, "name=- alias=-")
        return name
    meant = None if table is None else table.aliases.get(metric.alias)
    if name and (not meant or meant == name):
        return name
    if meant is None:
        raise Refused(reasons.UNKNOWN_ALIAS, f"alias={metric.alias}")
    if not meant:
        raise Refused(reasons.UNKNOWN_ALIAS, f"alias={metric.alias}: of two metrics")
    if name:
        raise Refused(reasons.UNKNOWN_ALIAS, f"alias={metric.alias}: {meant[:60]!r} != {name[:60]!r}")
    return meant


def _datatype(metric: Any, name: str, table: Table | None) -> int:
    """
    :raises Refused: the message and the birth say different ones.
    """
    told: int = metric.datatype
    born = 0 if table is None else table.names.get(name, 0)
    if (born and told and told != born) or born < 0:
        raise Refused(
            reasons.OTHER_TYPE, f"birth={datatypes.named(born) if born > 0 else '?'} data={datatypes.named(told)}"
        )
    return told or born

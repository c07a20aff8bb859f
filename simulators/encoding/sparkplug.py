"""An edge node of Sparkplug B 3.0: one a connection, a device for each slot that selects one.

Births, data and deaths at QoS 0, never retained; the will, its NDEATH, at QoS 1 (3.0.0, 6.4.17 ff.). Data carry aliases alone.
Events, for which Sparkplug has no word, go to the native topic in JSON.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from core.errors import PermanentError
from devices.plan.model import Channel, Plan
from simulators.encoding.native import NativeSlot
from simulators.encoding.reported import Reported
from simulators.encoding.said import Said, Utterance, Value
from simulators.encoding.sparkplug_schema import BOOLEAN, DOUBLE, INT64, STRING, DecodeError, Payload
from simulators.scenario.records import Event, Link

_REBIRTH: Final = "Node Control/Rebirth"
_MS: Final = 1_000


class SparkplugEncoder:
    """See :class:`simulators.encoding.said.Encoder`.

    :raises PermanentError: the plan's filters name no single node, or a slot is neither a device's nor the node's.
    """

    needs_connection = True
    means_nothing_ungreeted = True

    def __init__(self, plan: Plan, connection: str) -> None:
        self._group, self._node = _named(plan, connection)
        self.hears: str | None = f"spBv1.0/{self._group}/NCMD/{self._node}"
        self._devices = {slot: _device_of(plan, slot) for slot in plan.slots_of(connection)}
        self._metrics = _aliased(plan, self._devices)
        self._events = {slot: NativeSlot(_without_select(plan, slot), slot) for slot in self._devices}
        self._alive: set[str] = set()
        self._seq = 0
        # Over restarts too another one than the last: a death of the session before is told from one of this.
        self._bd_seq = int(time.time()) & 255

    def will(self) -> Said | None:
        """NDEATH, by which the birth that follows can be told."""
        self._bd_seq = (self._bd_seq + 1) & 255
        return self._death()

    def greeting(self, at_us: int, online: Mapping[str, bool]) -> Sequence[Said]:
        """NBIRTH, and a DBIRTH of each device that is there."""
        self._alive = {slot for slot in self._devices if online[slot]}
        return self._births(at_us)

    def say(self, utterance: Utterance) -> Sequence[Said]:
        slot, what, at_us = utterance.slot, utterance.what, utterance.at_us
        if isinstance(what, Event):
            native = self._events[slot]
            return [Said(topic=native.events_topic, payload=native.event(what))]
        if isinstance(what, Link):
            return self._link(slot, what)
        payload = Payload(timestamp=at_us // _MS)
        for channel, value in what.items():
            metric = self._metrics[slot, channel]
            metric.at_us, metric.value = at_us, value
            payload.metrics.add(alias=metric.alias, timestamp=at_us // _MS, **metric.field)
        return [self._counted("DATA", self._devices[slot], payload)]

    def answer(self, payload: bytes, at_us: int) -> Sequence[Said]:
        """All births again, if that is the command."""
        try:
            asked = Payload.FromString(payload)
        except DecodeError:
            return []
        if any(metric.name == _REBIRTH and metric.boolean_value for metric in asked.metrics):
            return self._births(at_us)
        return []

    def farewell(self, at_us: int) -> Sequence[Said]:  # noqa: ARG002 (a death has no time of its own: that of its birth tells)
        """NDEATH, which the broker says for those alone that leave without."""
        return [self._death()]

    def _link(self, slot: str, link: Link) -> list[Said]:
        """The device died or came up; the node itself does so with its connection alone."""
        device = self._devices[slot]
        if device is None:
            return []
        if link.state == "offline":
            self._alive.discard(slot)
            return [self._counted("DEATH", device, Payload(timestamp=link.at_us // _MS))]
        self._alive.add(slot)
        return [self._birth(slot, link.at_us)]

    def _births(self, at_us: int) -> list[Said]:
        self._seq = 0
        node = Payload(timestamp=at_us // _MS)
        node.metrics.add(name="bdSeq", datatype=INT64, long_value=self._bd_seq, timestamp=at_us // _MS)
        node.metrics.add(name=_REBIRTH, datatype=BOOLEAN, boolean_value=False, timestamp=at_us // _MS)
        for slot in self._devices:
            if self._devices[slot] is None:
                self._add_metrics(node, slot, at_us)
        devices = [slot for slot in self._devices if self._devices[slot] is not None and slot in self._alive]
        return [self._counted("BIRTH", None, node), *(self._birth(slot, at_us) for slot in devices)]

    def _birth(self, slot: str, at_us: int) -> Said:
        payload = Payload(timestamp=at_us // _MS)
        self._add_metrics(payload, slot, at_us)
        return self._counted("BIRTH", self._devices[slot], payload)

    def _add_metrics(self, payload: Any, slot: str, at_us: int) -> None:
        """Name, alias and type of each metric, with the value that it last had."""
        for (of, _), metric in self._metrics.items():
            if of == slot:
                at = at_us if metric.at_us is None else metric.at_us
                payload.metrics.add(
                    name=metric.name, alias=metric.alias, datatype=metric.datatype, timestamp=at // _MS, **metric.field
                )

    def _counted(self, kind: str, device: str | None, payload: Any) -> Said:
        payload.seq, self._seq = self._seq, (self._seq + 1) & 255
        topic = f"spBv1.0/{self._group}/{'N' if device is None else 'D'}{kind}/{self._node}"
        return Said(topic=topic if device is None else f"{topic}/{device}", payload=payload.SerializeToString(), qos=0)

    def _death(self) -> Said:
        payload = Payload(timestamp=int(time.time() * 1000))
        payload.metrics.add(name="bdSeq", datatype=INT64, long_value=self._bd_seq)
        return Said(topic=f"spBv1.0/{self._group}/NDEATH/{self._node}", payload=payload.SerializeToString())


class _Metric:
    """One metric, and what it said last."""

    def __init__(self, name: str, alias: int, channel: Channel) -> None:
        self.name, self.alias = name, alias
        self.datatype = DOUBLE if channel.states is None else STRING
        self.at_us: int | None = None
        self.value: Value | None = None

    @property
    def field(self) -> dict[str, Any]:
        """The value in the field of its type."""
        if self.value is None:
            return {"is_null": True}
        return {"double_value" if self.datatype == DOUBLE else "string_value": self.value}


ENCODER: Final = SparkplugEncoder
REPORTED: Final = Reported


def _named(plan: Plan, connection: str) -> tuple[str, str]:
    """The group and the node that the connection's filters name."""
    for topic in plan.topics_of(connection):
        levels = topic.split("/")
        if levels[0] == "spBv1.0" and len(levels) >= 4 and {"+", "#"}.isdisjoint((levels[1], levels[3])):
            return levels[1], levels[3]
    raise PermanentError(
        f"Connection {connection!r} of pilot {plan.pilot!r} has no filter that names one node: a simulated node has to know who"
        " it is. Give it topics as in spBv1.0/Group/+/Node and spBv1.0/Group/+/Node/+."
    )


def _device_of(plan: Plan, slot: str) -> str | None:
    """The device that a slot is; None: it is the node itself."""
    select = plan.slots[slot].select
    if "device" in select:
        return str(select["device"])
    if "node" in select:
        return None
    raise PermanentError(
        f"Slot {slot!r} of pilot {plan.pilot!r} does not say which device of its node it is: a simulated node has to know."
        " Give it select: {device: …}, or {node: …} for the node itself."
    )


def _aliased(plan: Plan, devices: Mapping[str, str | None]) -> dict[tuple[str, str], _Metric]:
    """A metric for each channel, by slot and channel; aliases count through the node, from 0."""
    names = [(slot, name, channel) for slot in devices for name, channel in plan.slots[slot].channels.items()]
    return {
        (slot, name): _Metric(channel.source or name, alias, channel)
        for alias, (slot, name, channel) in enumerate(names)
    }


def _without_select(plan: Plan, slot: str) -> Plan:
    """The plan as the native topics have it, where each slot speaks for itself."""
    return plan.model_copy(update={"slots": {slot: plan.slots[slot].model_copy(update={"select": {}})}})

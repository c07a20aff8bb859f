"""paho's MQTT client with a reader of its own for PUBLISH packets, and many acknowledgements in one write.

paho reads a packet with three system calls and builds a message with a properties object for each: 35 µs. Its documented
interface for external event loops lets us read instead: a whole buffer is taken from the socket at once, PUBLISH packets
are cut out of it, and every other packet is handed to paho as if it had read it. Connecting, subscribing, keep-alive,
disconnecting and the meaning of their answers stay paho's.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from typing import Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.exception import MalformedPacket
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

Item = tuple[bytes, bytes, int, int]
"""One delivered message as it came: topic, payload, packet id (0 at QoS 0), first byte of the packet's header."""

READ_BYTES: Final = 262_144
SESSION_EXPIRY_S: Final = 7 * 86_400
"""How long the broker keeps queueing for a collector that is away."""
RECEIVE_MAXIMUM: Final = 65_535
KEEPALIVE_S: Final = 30

_PUBLISH: Final = 0x30
_QOS: Final = 0x06
_RETAIN: Final = 0x01
_PUBACK: Final = struct.Struct("!BBH")


def retained(header: int) -> bool:
    """Whether the broker had kept the message."""
    return bool(header & _RETAIN)


def qos(header: int) -> int:
    """The quality of service it was delivered with."""
    return (header & _QOS) >> 1


class CollectorClient(mqtt.Client):
    """A client for one thread's event loop: ``loop_read``, ``loop_write``, ``loop_misc``; acknowledges only what it is told.

    ``deliver`` gets the messages of each read, in their order.
    """

    def __init__(self, client_id: str, deliver: Callable[[list[Item]], None]) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=mqtt.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        self.connect_timeout = 5.0
        self._deliver = deliver
        self._rest = b""

    def prepare(self, host: str, port: int) -> None:
        """Say where to connect to. The session is kept between connections, and outlives our absence."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        self.connect_async(host, port, KEEPALIVE_S, clean_start=False, properties=properties)

    def listen(self, filters: list[str]) -> None:
        """Subscribe at QoS 1; what is retained comes only with a filter that is new to the session."""
        options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
        self.subscribe([(wanted, options) for wanted in filters])

    def forget(self) -> None:
        """Disconnect for good: the broker ends the session, with what it holds for us."""
        properties = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0
        self.disconnect(properties=properties)

    def reconnect(self) -> MQTTErrorCode:
        """Connect anew; what was half read is forgotten with its connection."""
        self._rest = b""
        return super().reconnect()

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:  # noqa: ARG002 - paho's signature
        """Read what the socket holds and handle every whole packet of it.

        One read is enough over TLS too: it takes a whole record, and the next one is still the socket's, where select() sees it.
        """
        try:
            read = self._sock_recv(READ_BYTES)
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        except OSError:
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        if not read:
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        with self._msgtime_mutex:
            self._last_bytes_received = time.monotonic()
        items: list[Item] = []
        try:
            return self._cut(self._rest + read if self._rest else read, items)
        finally:
            if items:
                self._deliver(items)

    def _cut(self, data: bytes, items: list[Item]) -> MQTTErrorCode:
        """Take ``data`` apart: PUBLISH packets into ``items``, others to paho, the last, half one into ``_rest``."""
        start, end = 0, len(data)
        take = items.append
        while end - start >= 2:
            header, length, body = data[start], data[start + 1], start + 2
            if length >= 0x80:
                whole = _long_length(data, start + 1)
                if whole is None:
                    break
                length, body = whole
            stop = body + length
            if stop > end:
                break
            if header & 0xF0 == _PUBLISH:
                at = body + 2 + (data[body] << 8 | data[body + 1])
                topic = data[body + 2 : at]
                mid = 0
                if header & _QOS:
                    mid = data[at] << 8 | data[at + 1]
                    at += 2
                skipped = data[at]
                at += 1
                if skipped >= 0x80:
                    skipped, at = _long_length(data, at - 1) or (length, at)
                at += skipped
                if at > stop:
                    return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_PROTOCOL)
                take((topic, data[at:stop], mid, header))
            else:
                result = self._other(header, data[body:stop])
                if result or self._sock is None:
                    return result
            start = stop
        self._rest = data[start:]
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _other(self, header: int, body: bytes) -> MQTTErrorCode:
        """A packet that is no PUBLISH, handled by paho as if it had read it."""
        packet = self._in_packet
        packet["command"], packet["packet"], packet["pos"] = header, bytearray(body), 0
        packet["have_remaining"], packet["remaining_length"], packet["to_process"] = 1, len(body), 0
        try:
            result = self._packet_handle()
        except MalformedPacket:
            result = MQTTErrorCode.MQTT_ERR_PROTOCOL
        packet["command"], packet["packet"], packet["have_remaining"] = 0, bytearray(), 0
        return self._loop_rc_handle(result) if result > 0 else result

    def acknowledge(self, mids: list[int]) -> None:
        """Queue a PUBACK for each packet id, in one piece. Written by the thread of the event loop."""
        pack = _PUBACK.pack
        packets = b"".join([pack(0x40, 2, mid) for mid in mids])
        # To paho one long packet of a kind that it does not look into again.
        self._packet_queue(0x40, packets, mids[-1], 1)

    def ask(self) -> None:
        """Queue a ping. Packets are handled in their order: its answer says that what we wrote before was taken."""
        self._send_pingreq()

    @property
    def answered(self) -> bool:
        """Whether no ping awaits its answer."""
        return self._ping_t == 0


def _long_length(data: bytes, at: int) -> tuple[int, int] | None:
    """A variable byte integer of two bytes or more at ``at``, and where it ends. None: it is not whole yet."""
    value = shift = 0
    for place in range(at, min(at + 4, len(data))):
        value |= (data[place] & 0x7F) << shift
        shift += 7
        if data[place] < 0x80:
            return value, place + 1
    return None

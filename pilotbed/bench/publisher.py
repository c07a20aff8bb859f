"""Publishers as processes of their own: every packet is made beforehand, so that they cost as little as can be.

    python -m pilotbed.bench.publisher < instructions

The instructions are one JSON line: host, port, and for each connection its user, password, topic and how many messages. It
says ``ready`` when all packets are made and all connections stand, begins at the next line it gets, and says how long it took.
At QoS 1, at most ``window`` messages of a connection await the broker's acknowledgement. With a ``rate`` each connection sends
so many a second, otherwise as fast as the broker acknowledges.
"""

from __future__ import annotations

import json
import selectors
import socket
import struct
import sys
import time
from typing import Any

CHANNELS = 10
_TICK_S = 0.005
"""With a rate: how often it is looked at what is due."""


def payload(readings: int, number: int, start_ms: int) -> bytes:
    """The ``number``-th message of a slot: one value, or as many instants of ten channels as it takes."""
    if readings == 1:
        return b'{"ts":%d,"values":{"c0":%.1f}}' % (start_ms + number, 20 + number % 97 / 10)
    instants = readings // CHANNELS
    parts = []
    for place in range(instants):
        at = number * instants + place
        values = b",".join(b'"c%d":%.1f' % (channel, 20 + (at + channel) % 97 / 10) for channel in range(CHANNELS))
        parts.append(b'{"ts":%d,"values":{%s}}' % (start_ms + at, values))
    return parts[0] if instants == 1 else b"[%s]" % b",".join(parts)


def publish_packet(topic: bytes, mid: int, body: bytes) -> bytes:
    """A PUBLISH of MQTT 3.1.1 at QoS 1."""
    rest = struct.pack("!H", len(topic)) + topic + struct.pack("!H", mid) + body
    return b"\x32" + length(len(rest)) + rest


def connect_packet(username: str, password: str) -> bytes:
    """A CONNECT of MQTT 3.1.1 with a clean session; the user name is the client id too."""
    fields = b"".join(
        struct.pack("!H", len(part)) + part for part in (username.encode(), username.encode(), password.encode())
    )
    rest = b"\x00\x04MQTT\x04\xc2\x00\x3c" + fields
    return b"\x10" + length(len(rest)) + rest


def length(value: int) -> bytes:
    """A packet's remaining length, as MQTT writes it."""
    coded = bytearray()
    while True:
        value, digit = divmod(value, 128)
        coded.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(coded)


class _Sender:
    """One connection with its packets."""

    def __init__(self, told: dict[str, Any], whole: dict[str, Any]) -> None:
        topic = told["topic"].encode()
        self.packets = [
            publish_packet(topic, number % 65_535 + 1, payload(whole["readings"], number, whole["start_ms"]))
            for number in range(told["messages"])
        ]
        self.window: int = whole["window"]
        self.allowed = len(self.packets)
        """So many may be sent by now."""
        self.sent = self.acknowledged = 0
        self._half = b""
        self._answers = 0
        self.socket = socket.create_connection((whole["host"], whole["port"]), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(connect_packet(told["username"], told["password"]))
        answer = self.socket.recv(4)
        if answer != b"\x20\x02\x00\x00":
            raise ConnectionError(f"the broker refuses {told['username']}: {answer.hex()}")
        self.socket.setblocking(False)

    @property
    def done(self) -> bool:
        return self.acknowledged == len(self.packets)

    def wants(self) -> int:
        """Which readiness of the socket it waits for."""
        room = self.sent < self.allowed and self.sent - self.acknowledged < self.window
        return selectors.EVENT_READ | (selectors.EVENT_WRITE if room or self._half else 0)

    def read(self) -> None:
        """Count acknowledgements: four bytes each."""
        got = self.socket.recv(65_536)
        if not got:
            raise ConnectionError("the broker closed the connection")
        self._answers += len(got)
        self.acknowledged = self._answers // 4

    def write(self) -> None:
        """Send what the window allows."""
        if not self._half:
            end = min(self.acknowledged + self.window, self.allowed)
            self._half = b"".join(self.packets[self.sent : end])
            self.sent = end
        self._half = self._half[self.socket.send(self._half) :]


def _send(senders: list[_Sender], rate: float | None, begun: float) -> None:
    poll = selectors.DefaultSelector()
    for sender in senders:
        sender.allowed = len(sender.packets) if rate is None else 0
        poll.register(sender.socket, sender.wants(), sender)
    open_ = set(senders)
    while open_:
        for key, events in poll.select(30 if rate is None else _TICK_S):
            sender = key.data
            if events & selectors.EVENT_READ:
                sender.read()
            if events & selectors.EVENT_WRITE:
                sender.write()
            if sender.done:
                poll.unregister(sender.socket)
                sender.socket.send(b"\xe0\x00")
                sender.socket.close()
                open_.discard(sender)
            else:
                poll.modify(sender.socket, sender.wants(), sender)
        if rate is not None:
            due = int((time.monotonic() - begun) * rate)
            for sender in open_:
                sender.allowed = min(due, len(sender.packets))
                poll.modify(sender.socket, sender.wants(), sender)


def main() -> None:
    """Be one process of publishers."""
    told = json.loads(sys.stdin.readline())
    senders = [_Sender(one, told) for one in told["connections"]]
    print("ready", flush=True)
    sys.stdin.readline()
    begun = time.monotonic()
    _send(senders, told.get("rate"), begun)
    print(json.dumps({"took_s": time.monotonic() - begun}), flush=True)


if __name__ == "__main__":
    main()

"""One sender on the wire: MQTT 3.1.1 at QoS 1, connects again whenever it is cut off, goes by its :class:`Buffer`."""

from __future__ import annotations

import asyncio
import json
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from pilotbed.bench.chaos.buffer import Buffer
from pilotbed.bench.publisher import connect_packet, length, publish_packet

WINDOW: Final = 300
"""Messages that await the broker's acknowledgement."""
MOST_KEPT: Final = 30_000
"""A sender whose memory is full makes nothing new."""
_TICK_S: Final = 0.02
_LOOK_AGAIN_S: Final = 0.5
_PING_S: Final = 15.0
_ANSWER_S: Final = 5.0
_AGAIN_S: Final = 0.2
"""Between two attempts to connect: impatient, as the simplest devices are."""

_CONNACK, _PUBLISH, _PUBACK, _SUBACK = 0x20, 0x30, 0x40, 0x90


@dataclass(frozen=True, slots=True, kw_only=True)
class Instructions:
    """What one sender is told."""

    username: str
    password: str
    topic: str
    receipt_topic: str
    kind: str
    """``plain``; ``numbered``, which says ``seq`` and ``boot`` and does not wait for receipts; ``receipts``."""
    boot: str
    start_ms: int
    """The instant of message 0; each is a millisecond later."""
    rate: float
    """Messages a second."""


class Device:
    """Run :meth:`run` as a task; :attr:`making` says whether it makes new messages."""

    def __init__(self, told: Instructions, *, host: str, port: int) -> None:
        self.told = told
        self.buffer = Buffer(receipts=told.kind == "receipts", boot=told.boot)
        self.making = False
        self.connections = 0
        self.receipt: dict[str, Any] | None = None
        """The last one."""
        self._host, self._port = host, port
        self._due = 0.0
        self._made_at = 0.0
        self._ticked_at = 0.0

    async def run(self) -> None:
        """Send for ever."""
        maker = asyncio.create_task(self._make())
        try:
            while True:
                with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                    await self._connection()
                self.buffer.disconnected()
                await asyncio.sleep(_AGAIN_S)
        finally:
            maker.cancel()

    async def _make(self) -> None:
        """New messages at their rate, whether connected or not."""
        while True:
            now = time.monotonic()
            if self.making and self._made_at:
                self._due += (now - self._made_at) * self.told.rate
                count = int(self._due)
                self._due -= count
                self.buffer.make(min(count, MOST_KEPT - self.buffer.open))
            self._made_at = now
            if now - self._ticked_at >= _LOOK_AGAIN_S:
                self._ticked_at = now
                self.buffer.tick(now=now)
            await asyncio.sleep(_TICK_S)

    async def _connection(self) -> None:
        """One connection, until it breaks."""
        reader, writer = await asyncio.wait_for(asyncio.open_connection(self._host, self._port), _ANSWER_S)
        try:
            writer.write(connect_packet(self.told.username, self.told.password))
            answer = await asyncio.wait_for(reader.readexactly(4), _ANSWER_S)
            if answer[0] != _CONNACK or answer[3] != 0:
                raise ConnectionError(f"the broker refuses {self.told.username}: {answer.hex()}")
            self.connections += 1
            if self.buffer.receipts:
                writer.write(_subscribe_packet(self.told.receipt_topic.encode()))
            listener = asyncio.create_task(self._listen(reader, writer))
            try:
                await self._send(writer, listener)
            finally:
                listener.cancel()
                await asyncio.wait([listener])
                if not listener.cancelled():
                    listener.exception()  # looked at, so that it is not told of once more at the end
        finally:
            writer.close()

    async def _send(self, writer: asyncio.StreamWriter, listener: asyncio.Task[None]) -> None:
        topic = self.told.topic.encode()
        pinged_at = time.monotonic()
        while not listener.done():
            packets = []
            while self.buffer.in_flight < WINDOW and (message := self.buffer.next()) is not None:
                packets.append(publish_packet(topic, message[0], self._body(message[1])))
            if packets:
                writer.write(b"".join(packets))
                await writer.drain()
            now = time.monotonic()
            if now - pinged_at >= _PING_S:
                pinged_at = now
                writer.write(b"\xc0\x00")
            await asyncio.wait([listener], timeout=_TICK_S)
        listener.result()

    def _body(self, number: int) -> bytes:
        numbering = b"" if self.told.kind == "plain" else b',"seq":%d,"boot":"%s"' % (number, self.told.boot.encode())
        return b'{"ts":%d,"values":{"c0":%d}%s}' % (self.told.start_ms + number, number, numbering)

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        rest = b""
        while True:
            read = await asyncio.wait_for(reader.read(65_536), 2 * _PING_S)
            if not read:
                raise ConnectionError("the broker closed the connection")
            data = rest + read
            end = 0
            for head, body, end in _packets(data):  # noqa: B007 - where the last whole packet ends is needed below
                if head & 0xF0 == _PUBACK:
                    self.buffer.acknowledged(int.from_bytes(body[:2], "big"), now=time.monotonic())
                elif head & 0xF0 == _PUBLISH:
                    self._told(head, body, writer.write)
                elif head & 0xF0 == _SUBACK and body[-1] > 2:
                    raise ConnectionError(f"the broker refuses {self.told.username} its receipts")
            rest = data[end:]

    def _told(self, head: int, body: bytes, write: Callable[[bytes], None]) -> None:
        at = 2 + int.from_bytes(body[:2], "big")
        if head & 0x06:
            write(b"\x40\x02" + body[at : at + 2])
            at += 2
        said = json.loads(body[at:])
        self.receipt = said
        self.buffer.receipt(said)


def _packets(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """The whole packets that ``data`` begins with: header, body, and where each ends."""
    start = 0
    while start + 2 <= len(data):
        size, shift, at = 0, 0, start + 1
        while at < len(data):
            size |= (data[at] & 0x7F) << shift
            shift += 7
            at += 1
            if data[at - 1] < 0x80:
                break
        else:
            return
        if at + size > len(data):
            return
        yield data[start], data[at : at + size], at + size
        start = at + size


def _subscribe_packet(topic: bytes) -> bytes:
    rest = b"\x00\x01" + struct.pack("!H", len(topic)) + topic + b"\x01"
    return b"\x82" + length(len(rest)) + rest

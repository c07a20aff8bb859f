"""Packets cut out of what the socket gives, however it is cut into reads; against paho's own reading of them."""

from __future__ import annotations

import struct
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.client import CollectorClient, Item, qos, retained


def publish(topic: str, body: bytes, *, level: int, keep: bool, mid: int, user: str) -> bytes:
    """A PUBLISH of MQTT 5, its properties packed by paho."""
    properties: Any = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    if user:
        properties.UserProperty = ("key", user)
    name = topic.encode()
    rest = struct.pack("!H", len(name)) + name
    if level:
        rest += struct.pack("!H", mid)
    rest += properties.pack() + body
    length = bytearray()
    left = len(rest)
    while True:
        left, digit = divmod(left, 128)
        length.append(digit | (0x80 if left else 0))
        if not left:
            break
    return bytes([0x30 | level << 1 | keep]) + bytes(length) + rest


class Fed(CollectorClient):
    """A client that reads from a list instead of a socket."""

    def __init__(self, chunks: list[bytes]) -> None:
        self.taken: list[Item] = []
        super().__init__("test", self.taken.extend)
        self._chunks = chunks
        self._sock: Any = object()
        self.others: list[tuple[int, bytes]] = []

    def _sock_recv(self, bufsize: int) -> bytes:  # noqa: ARG002 - paho's signature
        return self._chunks.pop(0)

    def _other(self, header: int, body: bytes) -> MQTTErrorCode:
        self.others.append((header, body))
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def __del__(self) -> None:
        self._sock = None


messages = st.lists(
    st.tuples(
        st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=150),
        st.binary(max_size=300) | st.integers(0, 20_000).map(bytes),
        st.sampled_from([0, 1]),
        st.booleans(),
        st.integers(1, 65_535),
        st.text("xyz", max_size=200),
    ),
    max_size=6,
)


@given(messages, st.lists(st.integers(1, 400), max_size=30))
def test_every_message_comes_out_whole(told: list[Any], cuts: list[int]) -> None:
    stream = b""
    for topic, body, level, keep, mid, user in told:
        stream += publish(topic, body, level=level, keep=keep, mid=mid, user=user) + b"\xd0\x00"
    chunks = []
    for cut in cuts:
        chunks.append(stream[:cut])
        stream = stream[cut:]
    client = Fed([chunk for chunk in [*chunks, stream] if chunk])
    while client._chunks:
        assert client.loop_read() == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert [
        (topic.decode(), body, mid, qos(header), retained(header)) for topic, body, mid, header in client.taken
    ] == [(topic, body, mid if level else 0, level, keep) for topic, body, level, keep, mid, _ in told]
    assert client.others == [(0xD0, b"")] * len(told)


def test_acknowledgements_go_out_as_paho_would_write_them() -> None:
    client = CollectorClient("test", lambda _: None)
    client.on_socket_register_write = lambda *_: None
    client.acknowledge([1, 258])
    (packet,) = client._out_packet
    assert packet["packet"] == b"\x40\x02\x00\x01\x40\x02\x01\x02" and packet["to_process"] == 8

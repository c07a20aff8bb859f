"""The protocols that collectors understand: one folder each, one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

from ingest.binding import ConnectionBinding
from ingest.message import Decoder
from ingest.protocols.json.decoder import JsonConnection


class ProtocolConnection(Protocol):
    """A connection's part in its protocol."""

    @property
    def filters(self) -> tuple[str, ...]:
        """MQTT filters to subscribe to, beyond the native ones."""

    def decoder(self, topic: str) -> Decoder | None:
        """What reads the messages of a topic; None if it is not this connection's."""


PROTOCOLS: Final[Mapping[str, Callable[[ConnectionBinding], ProtocolConnection]]] = MappingProxyType(
    {
        "json": JsonConnection,
    }
)

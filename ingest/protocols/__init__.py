"""The protocols that collectors understand: one folder each, one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol, runtime_checkable

from ingest.binding import ConnectionBinding
from ingest.message import Decoded, Decoder
from ingest.protocols.json.decoder import JsonConnection


class ProtocolConnection(Protocol):
    """A connection's part in its protocol."""

    @property
    def filters(self) -> tuple[str, ...]:
        """MQTT filters to subscribe to, beyond the native ones."""

    def decoder(self, topic: str) -> Decoder | None:
        """What reads the messages of a topic; None if it is not this connection's."""


@runtime_checkable
class Waiting(Protocol):
    """A protocol that has something to do when nothing is said."""

    def wait(self, now_us: int, out: Decoded) -> None:
        """Look, about each second, whether something that was waited for did not come."""


PROTOCOLS: Final[Mapping[str, Callable[[ConnectionBinding], ProtocolConnection]]] = MappingProxyType(
    {
        "json": JsonConnection,
    }
)

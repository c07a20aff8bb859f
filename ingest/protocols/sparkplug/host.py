"""What we say as a host application: our state, and that a node should tell its births again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from ingest.protocols.sparkplug.datatypes import BOOLEAN
from ingest.protocols.sparkplug.schema import Payload

REBIRTH: Final = "Node Control/Rebirth"


def rebirth(group: str, node: str, now_us: int) -> tuple[str, bytes]:
    """Topic and payload of the command by which a node tells all its births again."""
    asked = Payload(timestamp=now_us // 1000)
    asked.metrics.add(name=REBIRTH.encode(), timestamp=now_us // 1000, datatype=BOOLEAN, boolean_value=True)
    return f"spBv1.0/{group}/NCMD/{node}", asked.SerializeToString()


@dataclass(frozen=True, slots=True, kw_only=True)
class HostState:
    """What one connection of ours to the broker says of a host application. All of it retained, at QoS 1.

    The will is given with CONNECT, the birth published once the subscriptions stand; both carry the same time. Whoever
    disconnects on purpose publishes the death before.
    """

    host: str
    connected_ms: int
    """When CONNECT was sent."""

    @property
    def topic(self) -> str:
        return f"spBv1.0/STATE/{self.host}"

    @property
    def will(self) -> bytes:
        return _state(online=False, at_ms=self.connected_ms)

    @property
    def birth(self) -> bytes:
        return _state(online=True, at_ms=self.connected_ms)

    def death(self, now_ms: int) -> bytes:
        """:param now_ms: when it is said."""
        return _state(online=False, at_ms=now_ms)


def _state(*, online: bool, at_ms: int) -> bytes:
    return json.dumps({"online": online, "timestamp": at_ms}).encode()

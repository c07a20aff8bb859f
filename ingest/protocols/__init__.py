"""The protocols that collectors understand: one folder each, one line here.

A folder is imported when a connection speaks its protocol: what only some need costs the others nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from ingest.announcing import Announcement
from ingest.binding import ConnectionBinding
from ingest.message import Decoded, Decoder

if TYPE_CHECKING:
    from pydantic import BaseModel


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

    def wait(self, now_us: int, out: Decoded, *, since_us: int = 0) -> None:
        """Look, about each second, whether something that was waited for did not come. Not asked while we hear nothing.

        :param now_us: up to when all that came was heard, and is known.
        :param since_us: since when, without a gap: silence before says nothing, since nobody listened.
        """


@runtime_checkable
class Announcing(Protocol):
    """A protocol whose devices look for their host."""

    def announcement(self, connected_ms: int) -> Announcement | None:
        """What is said of a connection of ours to the broker that began then; None if the plan wants nothing said."""


@dataclass(frozen=True, slots=True)
class Room:
    """A protocol's folder."""

    folder: str
    connection: str
    """The class in its ``decoder.py`` that makes a :class:`ProtocolConnection` of a binding."""
    takes_options: bool = False
    """Whether its ``options.py`` has a model ``Options``, of what stands under ``options:`` in the plan."""
    checks_select: bool = False
    """Whether its ``options.py`` has a model ``Select``, of what stands under ``select:`` of a slot; otherwise all is taken."""

    states_units: bool = False
    """Whether its ``vocabulary.py`` tells the unit of each source: then no plan may say another."""

    def __call__(self, binding: ConnectionBinding) -> ProtocolConnection:
        """The connection's part in this protocol."""
        made: ProtocolConnection = getattr(self._module("decoder"), self.connection)(binding)
        return made

    def options(self) -> type[BaseModel] | None:
        """The model of a connection's options; None where it takes none."""
        found: type[BaseModel] | None = self._module("options").Options if self.takes_options else None
        return found

    def select(self) -> type[BaseModel] | None:
        """The model of what its slots select by; None where anything is taken."""
        found: type[BaseModel] | None = self._module("options").Select if self.checks_select else None
        return found

    def unit_of(self) -> Callable[[str], str | None] | None:
        """The unit that the protocol itself states for a source (``devices/plan/protocols.py``); None: it states none."""
        # Asked only where a plan has such a connection: the folder is imported then.
        return (lambda source: self._module("vocabulary").unit_of(source)) if self.states_units else None

    def names(self, payload: bytes) -> Iterator[tuple[str, str, str]]:
        """What a message has to offer, before there is a plan: name, value and unit of each value that it holds.

        :raises Refused: it is none of this protocol.
        """
        found: Iterator[tuple[str, str, str]] = self._module("names").names(payload)
        return found

    def _module(self, name: str) -> Any:
        return import_module(f"{__name__}.{self.folder}.{name}")


PROTOCOLS: Final[Mapping[str, Room]] = MappingProxyType(
    {
        "json": Room("json", "JsonConnection", takes_options=True, checks_select=True),
        "senml": Room("senml", "SenmlConnection", checks_select=True),
        "sparkplug": Room("sparkplug", "SparkplugConnection", takes_options=True, checks_select=True),
        "vda5050": Room("vda5050", "Vda5050Connection", takes_options=True, checks_select=True, states_units=True),
        "onem2m": Room("onem2m", "OneM2mConnection", takes_options=True, checks_select=True),
        "mavlink": Room("mavlink", "MavlinkConnection", takes_options=True, checks_select=True, states_units=True),
    }
)

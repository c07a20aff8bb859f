"""Who a robot is: by the plan, and by its topics."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.binding import ConnectionBinding
from ingest.message import storable
from ingest.protocols.vda5050.remembered import key
from ingest.protocols.vda5050.scope import Scope
from ingest.protocols.vda5050.topics import Spoken


@dataclass(frozen=True, slots=True, kw_only=True)
class Robot:
    """What is fixed of a robot, by the plan and its topics."""

    binding: ConnectionBinding
    scope: Scope
    said: Spoken
    done: str
    """What is said of a mission that it finished."""

    def key(self, what: str) -> str:
        """Where something of this robot is remembered: whatever the version of its topics."""
        return key(what, self.said.interface, self.said.manufacturer, self.said.serial)

    @property
    def serial(self) -> str:
        """Short enough for ids."""
        return storable(self.said.serial, longest=40)

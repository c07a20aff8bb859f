"""Messages that came together, from their delivery to their acknowledgement."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.client import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Messages that came together: of one connection of ours to the broker, at one instant."""

    generation: int
    received_us: int
    items: list[Item]

    def size(self) -> int:
        """Bytes of payload."""
        return sum([len(item[1]) for item in self.items])

    def mids(self) -> list[int]:
        """The packet ids that an acknowledgement is owed for."""
        return [item[2] for item in self.items if item[2]]

    def split(self, place: int) -> tuple[Part, Part]:
        """The first so many messages, and the others."""
        return (
            Part(generation=self.generation, received_us=self.received_us, items=self.items[:place]),
            Part(generation=self.generation, received_us=self.received_us, items=self.items[place:]),
        )

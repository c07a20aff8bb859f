"""What a collector says of itself at the broker, where devices look for their host: retained, and with a last will."""

from __future__ import annotations

from typing import Protocol


class Announcement(Protocol):
    """Of one connection of ours to the broker."""

    @property
    def topic(self) -> str:
        """Where it stands, retained."""

    @property
    def will(self) -> bytes:
        """What the broker says once we are gone without a word."""

    @property
    def birth(self) -> bytes:
        """What we say once everything is heard."""

    def death(self, now_ms: int) -> bytes:
        """What we say before we leave."""

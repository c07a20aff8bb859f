"""Which messages come to this collector, where there are several.

Each connection has one collector, so its messages keep their order, and its subscriptions are ordinary ones: Mosquitto saves
those with the session. It does not save shared ones (``$share/…``): after a clean restart it acknowledges and drops whatever
comes before the first collector has subscribed again.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from core.errors import PermanentError
from core.settings import Settings
from ingest.binding import ConnectionBinding
from ingest.routing import Routes


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """One collector's part."""

    member: int
    """1 … members."""
    members: int
    group: str | None = None
    """Where the broker divides: shared subscriptions of this group."""

    def filters(self, routes: Routes) -> list[str]:
        """What this collector subscribes to."""
        if self.group is not None:
            return [f"$share/{self.group}/{wanted}" for wanted in routes.filters()]
        return routes.filters() if self.members == 1 else routes.filters_of(self.mine)

    def others(self, routes: Routes) -> list[str]:
        """What it may still be subscribed to from a time when it was one of more, or of fewer."""
        everything = {*routes.filters(), *routes.filters_of(lambda _: True)}
        return sorted(everything.difference(self.filters(routes)))

    def mine(self, binding: ConnectionBinding) -> bool:
        """Whether a connection is this collector's: by its name, so that every collector comes to the same answer."""
        return zlib.crc32(f"{binding.pilot}/{binding.name}".encode()) % self.members == self.member - 1


def division(settings: Settings) -> Division:
    """This collector's part by its settings.

    :raises PermanentError: it is to be one of several, and its name does not say which.
    """
    members = 1 if settings.shared_group is not None else settings.collectors
    if members == 1:
        return Division(member=1, members=1, group=settings.shared_group)
    number = re.search(r"-(\d{1,2})$", settings.collector)
    if number is None or not 1 <= int(number[1]) <= members:
        raise PermanentError(
            f"The collector {settings.collector!r} is to be one of {members} (PILOTBED_COLLECTORS), and its name"
            f" (PILOTBED_COLLECTOR) does not say which: name it collector-1 to collector-{members}."
        )
    return Division(member=int(number[1]), members=members)

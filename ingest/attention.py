"""Over which time we listened without a gap: whoever said nothing then was silent. Of any other time silence says nothing."""

from __future__ import annotations

from typing import Final, NamedTuple

PAUSE_S: Final = 3.0
"""The network thread looks twice a second. After a longer pause we were stopped, or the clock was set: who knows what went by."""


class Stretch(NamedTuple):
    """Wall-clock instants between which everything was heard."""

    since: float
    until: float


class Attention:
    """Kept by the network thread, which says at each of its turns how things are; read by any other."""

    def __init__(self) -> None:
        self.stretch: Stretch | None = None
        """The one that lasts; None while we do not hear everything."""

    def turn(self, now: float, *, hearing: bool) -> None:
        """What had come was read.

        :param hearing: whether we are connected, subscribed to everything, and read what comes.
        """
        last = self.stretch
        if not hearing:
            self.stretch = None
        elif last is None or not 0 <= now - last.until <= PAUSE_S:
            self.stretch = Stretch(now, now)
        else:
            self.stretch = Stretch(last.since, now)

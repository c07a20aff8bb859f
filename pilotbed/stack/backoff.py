"""When to start again what crashed. Pure: the clock is the caller's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FIRST_S: Final = 0.5
LONGEST_S: Final = 30.0
CALM_S: Final = 60.0
"""Having run for so long, a process is sound: its next crash counts as the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """What is known of one process's crashes.

    >>> first = Backoff().crashed(started_at=100.0, now=100.2)
    >>> first
    Backoff(crashes=1, restart_at=100.7)
    >>> first.crashed(started_at=100.7, now=101.0)
    Backoff(crashes=2, restart_at=102.0)
    """

    crashes: int = 0
    """In a row, without a calm time between them."""
    restart_at: float = 0.0

    def crashed(self, *, started_at: float, now: float) -> Backoff:
        """The state after a crash ``now`` of what was started at ``started_at``: each wait is twice the one before."""
        crashes = 1 if now - started_at >= CALM_S else self.crashes + 1
        # Beyond ten doublings the wait is at its longest anyway, and a float must not overflow.
        wait_s = min(FIRST_S * 2 ** min(crashes - 1, 10), LONGEST_S)
        return Backoff(crashes=crashes, restart_at=round(now + wait_s, 6))

"""How long to wait before trying again. Pure: the clock is the caller's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FIRST_S: Final = 0.1
LONGEST_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """What is known of attempts that failed in a row.

    >>> once = Backoff().failed(now=10.0)
    >>> once
    Backoff(failures=1, since=10.0, next_at=10.1)
    >>> once.failed(now=10.1)
    Backoff(failures=2, since=10.0, next_at=10.3)
    """

    failures: int = 0
    since: float = 0.0
    """When the first of them failed."""
    next_at: float = 0.0
    """When to try next."""

    def failed(self, *, now: float) -> Backoff:
        """The state after an attempt that failed ``now``: each wait is twice the one before, up to the longest."""
        wait_s = min(FIRST_S * 2 ** min(self.failures, 10), LONGEST_S)
        return Backoff(
            failures=self.failures + 1,
            since=self.since if self.failures else now,
            next_at=round(now + wait_s, 6),
        )

    def wait_s(self, *, now: float) -> float:
        """How long there is still to wait."""
        return max(0.0, self.next_at - now)

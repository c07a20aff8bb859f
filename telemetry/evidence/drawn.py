"""Which readings results draw on: one rule, by which a bundle is written and by which it is checked. Pure.

A reading is *used* if it may have been read for one of the results: received by its ``as_of``, not replaced by then by another
decoding of its message, and observed within the judged time or so near to it that it may reach into it (a channel's
``max_hold``; where a reading stands until its link is lost: at any distance). A leaf is in the bundle, whole, if its head does
not rule out that it has such a reading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.window import Window

_EVER: Final = 2**62

Key = tuple[str, str, int]
"""Slot, channel, revision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """Readings of a revision received in ``[start, end)`` do not stand since ``known``."""

    start_us: int
    end_us: int
    known_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one result looks at."""

    window: Window
    as_of_us: int
    reach: Mapping[tuple[str, str], int | None]
    """How far a reading of each channel reaches, in µs; None: at any distance. A channel that is not there is not looked at."""

    def span(self, key: Key) -> tuple[int, int] | None:
        """Between which instants of observation (both included) a reading may be read; None: none is."""
        if key[:2] not in self.reach:
            return None
        reach = self.reach[key[0], key[1]]
        if reach is None:
            return -_EVER, _EVER
        return self.window.start_us - reach, self.window.end_us + reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What all results of a bundle look at."""

    looks: tuple[Look, ...]
    replaced: Mapping[Key, Sequence[Replaced]]

    def leaf(self, key: Key, hour_us: int, first_us: int, last_us: int) -> bool:
        """Whether a leaf may have a reading that is used, by its head."""
        for look in self.looks:
            span = look.span(key)
            if span is not None and hour_us <= look.as_of_us and first_us <= span[1] and last_us >= span[0]:
                return True
        return False

    def used(self, key: Key, observed_us: NDArray[np.int64], received_us: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of a revision's readings are used."""
        found = np.zeros(len(observed_us), dtype=np.bool_)
        for look in self.looks:
            span = look.span(key)
            if span is not None:
                found |= (
                    (received_us <= look.as_of_us)
                    & (observed_us >= span[0])
                    & (observed_us <= span[1])
                    & self.stands(key, received_us, look.as_of_us)
                )
        return found

    def stands(self, key: Key, received_us: NDArray[np.int64], known_us: int) -> NDArray[np.bool_]:
        """Which of a revision's readings no other decoding had replaced by an instant."""
        return standing(self.replaced.get(key, ()), received_us, known_us)


def standing(replaced: Sequence[Replaced], received_us: NDArray[np.int64], known_us: int) -> NDArray[np.bool_]:
    """Which readings stand, by when they were received."""
    found = np.ones(len(received_us), dtype=np.bool_)
    for one in replaced:
        if one.known_us <= known_us:
            found &= (received_us < one.start_us) | (received_us >= one.end_us)
    return found

"""When a reading stands, and when none does: pure arithmetic behind shares of time and gaps.

A reading stands from its instant until the next one, at the most ``hold``, and never beyond the moment at which its link was
lost where the channel reports on change.

      ●━━━━━━━━━━━●━━━━━━━━━━━┄┄┄┄┄┄┄┄┄┄┄●━━━━━
      reading     │←  hold  →│    gap     │
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.window import Window, instant
from telemetry.predicates import Condition
from telemetry.spoilt import Spoilt

Floats = NDArray[np.float64]
Micros = NDArray[np.int64]
FOREVER_US = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeShare:
    """Seconds of a window during which a condition held, and seconds during which any reading stood."""

    true_s: float
    covered_s: float


def stands_until(observed_us: Micros, hold_us: int | None, lost_us: Micros, spoilt: Spoilt | None = None) -> Micros:
    """How long each reading stands if no other follows; ``lost_us`` are the instants at which the link was lost, sorted.

    :param spoilt: up to these stretches at the most; no reading lies in one.
    """
    if hold_us is not None:
        until = observed_us + hold_us
    else:
        until = np.append(lost_us, FOREVER_US)[np.searchsorted(lost_us, observed_us, side="right")]
    return until if spoilt is None else np.minimum(until, spoilt.cuts(observed_us))


def share(observed_us: Micros, value: Floats, until_us: Micros, condition: Condition, window: Window) -> TimeShare:
    """The share of one window; the readings may begin before it (the one that stands at its start) and end after it."""
    if not len(value):
        return TimeShare(true_s=0.0, covered_s=0.0)
    following = np.append(observed_us[1:], FOREVER_US)
    start = np.clip(observed_us, window.start_us, window.end_us)
    end = np.clip(np.minimum(until_us, following), window.start_us, window.end_us)
    standing = np.maximum(end - start, 0)
    # Whole microseconds add up exactly, in any order.
    return TimeShare(true_s=int(standing[condition(value)].sum()) / 1e6, covered_s=int(standing.sum()) / 1e6)


def gaps(first_us: Micros, last_us: Micros, until_us: Micros, window: Window) -> list[Window]:
    """The stretches of a window in which no reading stands.

    :param first_us, last_us: runs of readings that have no gap inside, in the order of time.
    :param until_us: until when the last of each run stands if nothing follows.
    """
    # Until when something has stood before each run, by the run before or by any of those before that.
    reached = np.concatenate([[window.start_us], np.maximum(last_us, np.minimum(until_us, window.end_us))])
    reached = np.maximum.accumulate(reached)
    begins = np.append(first_us, window.end_us)
    # The last one begins nowhere: it is the window's end.
    open_ = (begins > reached) & (reached < window.end_us)
    return [
        Window(start=instant(start), end=instant(end))
        for start, end in zip(reached[open_].tolist(), np.minimum(begins[open_], window.end_us).tolist(), strict=True)
    ]

"""What all answers rest on: the sealed lines, the readings, and the instant as of which one result was judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.window import micros
from kpi.bundle.known import Known
from telemetry.evidence.drawn import Key, Replaced, standing
from telemetry.evidence.series import Keep, Series

Asked = Mapping[str, Any]
"""The parameters of a block."""
Row = dict[str, Any]
Blocks = Mapping[str, Callable[[Asked], Sequence[Row]]]
"""The text of each block that a subject answers, with its answer."""


class Basis:
    """What is known of a pilot, numbered as a store would number it."""

    def __init__(self, known: Known, series: Series, as_of: datetime) -> None:
        self.known = known
        self.series = series
        self.as_of = as_of
        self.slots = known.slots()
        """Slot ids by name."""
        self.names = {number: name for name, number in self.slots.items()}
        rows = sorted(known.channels, key=lambda row: (self.slots[row["slot"]], row["channel"], row["revision"]))
        self.channels = dict(enumerate(rows, start=1))
        """Revisions by channel id."""
        self.replaced = replaced_of(known.redecodings)

    def channel(self, channel_ids: Sequence[int]) -> tuple[str, str]:
        """Slot and name of the channel whose revisions these are."""
        row = self.channels[channel_ids[0]]
        return row["slot"], row["channel"]

    def keep(self, as_of: datetime | None, known_at: datetime | None) -> Keep:
        """Which readings count: received by an instant, and not known by another to have been replaced."""
        as_of_us = micros(self.as_of if as_of is None else min(as_of, self.as_of))
        known_us = micros(self.as_of if known_at is None else known_at)

        def keep(key: Key, received_us: NDArray[np.int64]) -> NDArray[np.bool_]:
            return (received_us <= as_of_us) & standing(self.replaced.get(key, ()), received_us, known_us)

        return keep


def key_of(row: Mapping[str, Any]) -> Key:
    """Slot, channel and revision of a row."""
    return row["slot"], row["channel"], row["revision"]


def replaced_of(rows: Sequence[Mapping[str, Any]]) -> dict[Key, list[Replaced]]:
    """Which readings do not stand any more, by revision.

    :param rows: of the block ``replaced``.
    """
    found: dict[Key, list[Replaced]] = {}
    for row in rows:
        found.setdefault(key_of(row), []).append(
            Replaced(
                start_us=micros(row["received_from"]),
                end_us=micros(row["received_until"]),
                known_us=micros(row["recorded_at"]),
            )
        )
    return found

"""What a scenario yields: readings as columns, events, and what the link did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from simulators.scenario.noise import Floats, Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """Readings of one slot as columns of equal length, sorted by channel, then time."""

    channels: tuple[str, ...]
    """The names that ``channel`` counts through."""
    channel: NDArray[np.int32]
    """Which of ``channels``."""
    observed_us: Micros
    value: Floats
    """In the channel's canonical unit, to the last bit what the intake makes of ``sent``; a state's code."""
    sent: Floats
    """In the channel's source unit, as the device writes it; a state's code."""
    delay_us: Micros | None = None
    """From each one's instant to its receipt, where that is told; else it is the loader's to say."""

    def __len__(self) -> int:
        return int(self.observed_us.size)

    @staticmethod
    def joined(parts: Sequence[Readings]) -> Readings:
        """The readings of several parts, which have no channel in common, in their order."""
        shift = np.cumsum([0, *(len(part.channels) for part in parts)])
        return Readings(
            channels=tuple(name for part in parts for name in part.channels),
            channel=_concatenated([part.channel + shift[i] for i, part in enumerate(parts)], np.int32),
            observed_us=_concatenated([part.observed_us for part in parts], np.int64),
            value=_concatenated([part.value for part in parts], np.float64),
            sent=_concatenated([part.sent for part in parts], np.float64),
            delay_us=_delays(parts),
        )


def _delays(parts: Sequence[Readings]) -> Micros | None:
    told = [part.delay_us for part in parts if part.delay_us is not None]
    if told and len(told) < len(parts):
        raise ValueError(
            "Some parts tell when their readings were received, and some do not: let all of them, or none."
        )
    return np.concatenate(told) if told else None


def _concatenated(parts: Sequence[NDArray[Any]], kind: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(parts).astype(kind, copy=False) if parts else np.empty(0, dtype=kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened at a slot: one message on its events topic."""

    at_us: int
    kind: str
    id: str
    """The device's own; start and end of one thing share it."""
    phase: Literal["", "start", "end"] = ""
    number: int | None = None
    """For numbered kinds: 1, 2, 3 … from the pilot's start, without holes but for what was lost on the way."""
    attributes: Mapping[str, str | int | float | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The slot's link went down or came up."""

    at_us: int
    state: Literal["online", "offline"]

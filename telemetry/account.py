"""The account of one pilot and calendar day of receipt: what was sent, what came, what became of it, what never came.

Messages are accounted by connection, readings and events by slot. Three identities hold whatever happens:

    delivered = committed + quarantined                     messages, by connection
    sent      = distinct + missing                          message numbers, by connection and boot
    decoded   = stored + duplicate + conflict + rejected    readings and events, by slot

and a fourth says that nothing is counted that is not there: ``stored`` is the number of rows in the store that were received
that day. Nothing here touches the database; :mod:`telemetry.intake` fills these records.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from core.window import Window

Ranges = tuple[tuple[int, int], ...]
"""Numbers from the first to the second, both included."""

BEYOND_QUOTA = "beyond_quota"
"""Set aside beyond a connection's daily quota: counted and bound by a hash, their payload not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The numbers that one counting (``boot``) of a sender passed on the day. They are accounted to the day on which they
    were first passed, so a hole that is filled late becomes less on its own day."""

    boot: str
    """Empty where the sender names none."""
    first: int
    last: int
    sent: int
    distinct: int
    missing: int
    given_up: int
    """Of the missing, those that are no longer told one by one."""
    repeated: int
    missing_ranges: Ranges
    """The first of them."""
    last_received: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionDay:
    """The messages of one connection."""

    connection: str
    withdrawn: bool
    delivered: int
    committed: int
    quarantined: int
    redelivered: int
    payload_bytes: int
    last_received: datetime | None
    quarantined_by_reason: Mapping[str, int]
    numbers: tuple[Numbers, ...]
    denied: Mapping[str, int]
    """What the broker did not take, by reason: it was never delivered to us."""

    @property
    def sent(self) -> int | None:
        """None where the sender counts nothing."""
        return sum(one.sent for one in self.numbers) if self.numbers else None

    @property
    def missing(self) -> int | None:
        """Numbers that never came; None where the sender counts nothing, so nobody can know."""
        return sum(one.missing for one in self.numbers) if self.numbers else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """From the reading to its receipt, over the readings of the day that have a time of their own and came live.

    Percentiles are exact (linear between the two nearest, as PostgreSQL's ``percentile_cont``). Negative: the device's clock
    runs ahead. Readings without a device time, retained, replayed or loaded ones are left out.
    """

    n: int
    p50_s: float
    p95_s: float
    p99_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The longest stretch of the day, by observed time and with its edges, without a reading."""

    seconds: float
    window: Window
    channel: str
    """Whose gap it is, as slot/channel; the slot alone where no channel is periodic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What only the readings themselves tell."""

    delay: Delay | None
    gap: Gap | None
    completeness: float | None
    """Of the periodic channels, by observed time."""
    found: int
    """Readings and events in the store that were received that day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotDay:
    """The readings and events of one slot."""

    slot: str
    place: str
    connection: str
    expected: int
    """Readings that periodic channels send in the part of the day that lies in the pilot and is over, by observed time."""
    decoded: int
    stored: int
    duplicate: int
    conflict: int
    rejected: int
    rejected_by_reason: Mapping[str, int]
    last_received: datetime | None
    timing: Timing | None
    """None where it was not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A sum that must hold, and the objects for which it does not."""

    rule: str
    broken: tuple[str, ...]
    past_retention: bool = False
    """Not compared: the readings were deleted, because the pilot's period and retention are over."""

    @property
    def holds(self) -> bool:
        return not self.broken


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """All connections and slots together."""

    expected: int
    delivered: int
    committed: int
    quarantined: int
    redelivered: int
    payload_bytes: int
    sent: int | None
    distinct: int | None
    missing: int | None
    repeated: int | None
    denied: Mapping[str, int]
    quarantined_by_reason: Mapping[str, int]
    decoded: int
    stored: int
    duplicate: int
    conflict: int
    rejected: int
    rejected_by_reason: Mapping[str, int]
    timing: Timing | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Everything of one pilot and day."""

    pilot: str
    zone: str
    day: date
    window: Window
    at: datetime
    """When it was drawn up: a day that is not over goes on."""
    simulated: bool
    connections: tuple[ConnectionDay, ...]
    slots: tuple[SlotDay, ...]
    nobody: Mapping[str, int]
    """Messages on the pilot's native topics that belong to no connection, by reason: no sender's count has them."""
    denied_unattributed: Mapping[str, int]
    """What the broker did not take of nobody known, on the pilot's native topics."""
    delay: Delay | None
    """Over the readings of all slots."""
    past_retention_since: datetime | None = None
    """Since when the pilot's readings are deleted, because its period and retention are over; None: they are kept."""

    @property
    def over(self) -> bool:
        """Whether the day is over: what it received changes no more."""
        return self.at >= self.window.end

    @property
    def totals(self) -> Totals:
        numbers = [one for connection in self.connections for one in connection.numbers]
        return Totals(
            expected=sum(one.expected for one in self.slots),
            delivered=sum(one.delivered for one in self.connections),
            committed=sum(one.committed for one in self.connections),
            quarantined=sum(one.quarantined for one in self.connections),
            redelivered=sum(one.redelivered for one in self.connections),
            payload_bytes=sum(one.payload_bytes for one in self.connections),
            sent=sum(one.sent for one in numbers) if numbers else None,
            distinct=sum(one.distinct for one in numbers) if numbers else None,
            missing=sum(one.missing for one in numbers) if numbers else None,
            repeated=sum(one.repeated for one in numbers) if numbers else None,
            denied=summed(one.denied for one in self.connections),
            quarantined_by_reason=summed(one.quarantined_by_reason for one in self.connections),
            decoded=sum(one.decoded for one in self.slots),
            stored=sum(one.stored for one in self.slots),
            duplicate=sum(one.duplicate for one in self.slots),
            conflict=sum(one.conflict for one in self.slots),
            rejected=sum(one.rejected for one in self.slots),
            rejected_by_reason=summed(one.rejected_by_reason for one in self.slots),
            timing=self._timing(),
        )

    def _timing(self) -> Timing | None:
        timed = [(one, one.timing) for one in self.slots if one.timing is not None]
        if not timed:
            return None
        known = [(one.expected, timing.completeness) for one, timing in timed if timing.completeness is not None]
        expected = sum(n for n, _ in known)
        return Timing(
            delay=self.delay,
            gap=max((timing.gap for _, timing in timed if timing.gap), key=lambda gap: gap.seconds, default=None),
            completeness=sum(n * share for n, share in known) / expected if expected else None,
            found=sum(timing.found for _, timing in timed),
        )

    @property
    def identities(self) -> tuple[Identity, ...]:
        """Every sum that must hold, checked; the last only where the readings were looked at."""
        found = [
            Identity(
                rule="delivered = committed + quarantined",
                broken=tuple(
                    one.connection for one in self.connections
                    if one.delivered != one.committed + one.quarantined
                    or one.quarantined != sum(one.quarantined_by_reason.values())
                ),
            ),
            Identity(
                rule="sent = distinct + missing",
                broken=tuple(
                    f"{one.connection} {numbers.boot}".strip() for one in self.connections for numbers in one.numbers
                    if numbers.sent != numbers.distinct + numbers.missing
                ),
            ),
            Identity(
                rule="decoded = stored + duplicate + conflict + rejected",
                broken=tuple(
                    one.slot for one in self.slots
                    if one.decoded != one.stored + one.duplicate + one.conflict + one.rejected
                    or (self.past_retention_since is None and one.rejected != sum(one.rejected_by_reason.values()))
                ),
            ),
        ]  # fmt: skip
        if any(one.timing is not None for one in self.slots):
            gone = self.past_retention_since is not None
            found.append(
                Identity(
                    rule="stored = found in the store",
                    broken=tuple(
                        one.slot
                        for one in self.slots
                        if not gone and one.timing is not None and one.timing.found != one.stored
                    ),
                    past_retention=gone,
                )
            )
        return tuple(found)

    @property
    def balanced(self) -> bool:
        return all(one.holds for one in self.identities)


def summed(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Counts by key added up, the largest first."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))


def delay_of(parts: Sequence[NDArray[np.int64]]) -> Delay | None:
    """Exact percentiles of delays in µs.

    >>> delay_of([np.array([3_000_000, 1_000_000]), np.array([2_000_000])]).p50_s
    2.0
    """
    every = np.concatenate([np.empty(0, dtype=np.int64), *parts])
    if not len(every):
        return None
    p50, p95, p99 = (np.percentile(every, [50, 95, 99]) / 1e6).tolist()
    return Delay(n=len(every), p50_s=p50, p95_s=p95, p99_s=p99)

"""To whom silence is charged. Every gap belongs to the company, to the platform, or to no one who is known."""

from __future__ import annotations

from dataclasses import dataclass

from kpi.stretches import NOTHING, Stretches, difference, intersection, joined, union

_SINCE_EVER = -(2**62)
_LEAST_US = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformRecord:
    """The platform's own heartbeat record up to the instant of judgement."""

    alive: Stretches
    since_us: int | None
    """Where the record begins; None: there is none. Before it nobody knows whether the platform was up."""
    until_us: int

    @property
    def unknown(self) -> Stretches:
        """Instants about which the record says nothing."""
        return joined([(_SINCE_EVER, self.until_us if self.since_us is None else self.since_us)])

    @property
    def outage(self) -> Stretches:
        """Instants at which the platform was down, by its own record."""
        return NOTHING if self.since_us is None else difference(((self.since_us, self.until_us),), self.alive)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charges:
    """One set of gaps, divided."""

    company: Stretches
    """The device was silent while the platform was up, or was not installed."""
    platform: Stretches
    """The platform was down: left out of the required time."""
    nobody: Stretches
    """No record tells: both bounds are computed."""


def unattributed(us: int) -> int:
    """Silence that is charged to nobody, as far as it counts: less than a second altogether is the width of the records'
    edges (a heartbeat beside a reading), and no silence.

    >>> unattributed(17), unattributed(1_000_000)
    (0, 1000000)
    """
    return us if us >= _LEAST_US else 0


def charge(gaps: Stretches, platform: PlatformRecord, not_installed: Stretches = NOTHING) -> Charges:
    """Divide gaps by what the platform's record says of them.

    :param not_installed: stretches in which the slot had no device (a swap): the company's, whatever else happened.

    >>> record = PlatformRecord(alive=((10, 50), (60, 100)), since_us=10, until_us=100)
    >>> charge(((0, 20), (45, 70)), record)
    Charges(company=((10, 20), (45, 50), (60, 70)), platform=((50, 60),), nobody=((0, 10),))
    """
    swapped = intersection(gaps, not_installed)
    others = difference(gaps, not_installed)
    return Charges(
        company=union(swapped, intersection(others, platform.alive)),
        platform=intersection(others, platform.outage),
        nobody=intersection(others, platform.unknown),
    )

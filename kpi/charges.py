"""To whom silence is charged. Every gap belongs to the company, to the platform, to the site, or to no one who is known."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kpi.stretches import NOTHING, Stretches, difference, intersection, joined, union

_SINCE_EVER = -(2**62)
_FOR_EVER = 2**62
_LEAST_US = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformRecord:
    """The platform's own heartbeat record up to the instant of judgement."""

    alive: Stretches
    since_us: int | None
    """Where the record begins; None: there is none. Before it nobody knows whether the platform was up."""
    until_us: int
    agreed: Stretches = NOTHING
    """Outages of the platform that were agreed, whatever its record says."""
    site: Stretches = NOTHING
    """Outages of the site's network or power that were agreed, for the slot that is looked at."""

    @property
    def unknown(self) -> Stretches:
        """Instants about which nothing is recorded or agreed."""
        before = joined([(_SINCE_EVER, self.until_us if self.since_us is None else self.since_us)])
        return difference(before, union(self.agreed, self.site))

    @property
    def outage(self) -> Stretches:
        """Instants at which the platform was down: by its own record, or agreed."""
        if self.since_us is None:
            return self.agreed
        return union(difference(((self.since_us, self.until_us),), self.alive), self.agreed)

    @property
    def left_out(self) -> Stretches:
        """Instants at which nothing can be asked of a device: the platform or the site was down."""
        return union(self.outage, self.site)

    @property
    def heard(self) -> PlatformRecord:
        """The same of what was heard: there was a reading, so whatever the platform's record says excuses nothing.

        What was agreed does, as it excuses silence.
        """
        return replace(self, alive=joined([(_SINCE_EVER, _FOR_EVER)]), since_us=_SINCE_EVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charges:
    """One set of gaps, divided."""

    company: Stretches
    """The device was silent while the platform was up, or was not installed."""
    platform: Stretches
    """The platform was down: left out of the required time."""
    site: Stretches
    """The site's network or power was down, as agreed: left out too."""
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
    """Divide gaps by what is recorded and agreed of them. Where both the platform and the site were down, it is the platform's.

    :param not_installed: stretches in which the slot had no device (a swap): the company's, whatever else happened.

    >>> record = PlatformRecord(alive=((10, 50), (60, 100)), since_us=10, until_us=100, site=((5, 12), (55, 62)))
    >>> charge(((0, 20), (45, 70)), record)
    Charges(company=((12, 20), (45, 50), (62, 70)), platform=((50, 60),), site=((5, 12), (60, 62)), nobody=((0, 5),))
    """
    swapped = intersection(gaps, not_installed)
    others = difference(gaps, not_installed)
    ours = intersection(others, platform.outage)
    rest = difference(others, platform.left_out)
    return Charges(
        company=union(swapped, intersection(rest, platform.alive)),
        platform=ours,
        site=difference(intersection(others, platform.site), ours),
        nobody=intersection(rest, platform.unknown),
    )

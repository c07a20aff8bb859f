"""Availability (가동률): up time out of required time, in %.

A slot is *down* from an ``offline`` or a will until its next reading or ``online``, and while no device is installed (a
swap's time counts as down). It is *up* while within ``max_hold`` of a reading, or while its link is proven alive: from an
``online`` until the next ``offline``, as long as the platform was there to hear that. The rest is unknown, then charged:
the platform was up → down; the platform or, as agreed, the site was down → left out; no record of the platform → both
bounds.

Formula: up / (up + down). Unit: %. Source: docs/kpi.md, the table of measures and "Gaps".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kpi.charges import PlatformRecord, charge, unattributed
from kpi.intervals import Block
from kpi.measurement import Measurement, completeness, ratio
from kpi.stretches import Stretches, difference, intersection, joined, total_us, union

_FOREVER = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChange:
    """The slot's link was said to be up or down from here on."""

    at_us: int
    online: bool
    next_reading_us: int | None = None
    """The first reading after it, which ends an ``offline``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """What a slot was, over the whole window. The four never overlap and together are the required time."""

    up: Stretches
    down: Stretches
    left_out: Stretches
    unknown: Stretches
    site: Stretches = ()
    """The part of ``left_out`` in which the site was down, as agreed."""

    def within(self, required: Stretches) -> States:
        """The same, of a part of the window."""
        return States(
            up=intersection(self.up, required),
            down=intersection(self.down, required),
            left_out=intersection(self.left_out, required),
            unknown=intersection(self.unknown, required),
            site=intersection(self.site, required),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailabilityPart:
    """One slot in one stretch of required time."""

    states: States
    n: int
    """Readings heard."""


def states(
    required: Stretches,
    standing: Stretches,
    link: Sequence[LinkChange],
    platform: PlatformRecord,
    not_installed: Stretches = (),
) -> States:
    """Divide the required time of one slot.

    :param standing: while a reading of any of its channels stood.
    :param link: in the order of time, the last one before the window first.

                  online            will     reading
        ────────────┬─────────────────┬─────────●━━━━━━━━━━━━━┄┄┄┄┄┄┄┄┄
        as standing │ up: link proven │  down   │ up: standing  unknown → charged
    """
    lost, proven = _link(link)
    proven = difference(proven, platform.left_out)
    heard = difference(union(standing, proven), union(lost, not_installed))
    up = intersection(heard, required)
    silent = difference(required, up)
    charges = charge(silent, platform, not_installed)
    # What was said to be down is down even where no record tells whether the platform was up.
    left_out = union(charges.platform, charges.site)
    said_down = intersection(difference(silent, left_out), lost)
    return States(
        up=up,
        down=union(charges.company, said_down),
        left_out=left_out,
        unknown=difference(charges.nobody, said_down),
        site=charges.site,
    )


def _link(link: Sequence[LinkChange]) -> tuple[Stretches, Stretches]:
    """While the link was lost, and while it was proven alive."""
    lost: list[tuple[int, int]] = []
    proven: list[tuple[int, int]] = []
    ends = [*(change.at_us for change in link), _FOREVER][1:]
    for change, end_us in zip(link, ends, strict=True):
        if change.online:
            proven.append((change.at_us, end_us))
        else:
            resumed = _FOREVER if change.next_reading_us is None else change.next_reading_us
            lost.append((change.at_us, min(end_us, resumed)))
    return joined(lost), joined(proven)


def measure(
    parts: Sequence[AvailabilityPart], weeks: Sequence[tuple[float, Sequence[AvailabilityPart]]] = ()
) -> Measurement:
    """The availability of all slots together, each weighted by its required time.

    :param parts: one a slot.
    :param weeks: (middle in seconds since the epoch, parts) of each weekly block, for the interval.

    One week with 302.4 s of down time is 99.95 % available:

    >>> week = 7 * 86_400_000_000
    >>> slot = States(up=((0, week - 302_400_000),), down=((week - 302_400_000, week),), left_out=(), unknown=())
    >>> measure([AvailabilityPart(states=slot, n=1)]).value
    99.95
    """
    up = sum(total_us(part.states.up) for part in parts)
    down = sum(total_us(part.states.down) for part in parts)
    unknown = unattributed(sum(total_us(part.states.unknown) for part in parts))
    known, whole = up + down, up + down + unknown
    low = ratio(up, whole) if whole else None
    high = ratio(up + unknown, whole) if whole else None
    return Measurement(
        value=ratio(up, known) if known else None,
        unit="%",
        n=sum(part.n for part in parts),
        completeness=completeness([known], [whole]),
        low=low,
        high=high,
        fill_low=low,
        fill_high=high,
        blocks=tuple(_block(at_s, week) for at_s, week in weeks),
        bounded=True,
        facts={
            "company_s": down / 1e6,
            "platform_s": sum(total_us(part.states.left_out) - total_us(part.states.site) for part in parts) / 1e6,
            "site_s": sum(total_us(part.states.site) for part in parts) / 1e6,
            "nobody_s": unknown / 1e6,
        },
    )


def _block(at_s: float, parts: Sequence[AvailabilityPart]) -> Block:
    up = sum(total_us(part.states.up) for part in parts)
    known = up + sum(total_us(part.states.down) for part in parts)
    return Block(at_s=at_s, weight=known / 1e6, value=up / known if known else 0.0)

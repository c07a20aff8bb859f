"""How often events come: their number by time, by the time of all devices, or by what a counter or an integral came to.

Formula: events / exposure. The exposure to time is the time in which the slot was up: silence charged to the company does not
thin out its events, outages of the platform and the site are left out, and what is charged to nobody makes the lower end. Per
``1 d`` the slots together are one (their mean exposure counts), per ``1 device-day`` each counts. Events of which an attribute
is unknown, or whose number is missing, make the upper end.

Unit: 건 by the unit of the exposure. Interval: exact Poisson bounds (Garwood 1936); for events of daily operation scaled by the
dispersion of the daily counts. Source: docs/kpi.md, the table of measures and "Events".
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from kpi.measurement import Counts, Measurement
from kpi.measures.counting import CountPart, certain, complete, daily, facts, possible


def measure(
    parts: Sequence[CountPart],
    weeks: Sequence[tuple[float, Sequence[CountPart]]] = (),
    *,
    unit: str,
    one: float = 1,
    together: bool = False,
    independent: bool = False,
) -> Measurement:
    """The rate over all slots together.

    :param parts: one a slot.
    :param weeks: not used: counts have an interval of their own.
    :param one: how much exposure there is in one of the unit's: 86,400,000,000 µs in a day.
    :param together: the slots are exposed together: their mean exposure counts, not its sum.
    :param independent: the events are independent of each other; otherwise their dispersion widens the interval.

    Three cameras gave 93 alarms in 31 days:

    >>> from datetime import date
    >>> from kpi.measures.counting import Sighting
    >>> day_us, day = 86_400_000_000, date(2026, 3, 1)
    >>> camera = CountPart(sightings=tuple((day, Sighting(at_us=i, certain=True)) for i in range(31)),
    ...                    exposure=31 * day_us, days=((day, 31 * day_us),), connected_us=1, required_us=1, numbered=True)
    >>> measure([camera] * 3, unit="건/camera-day", one=day_us).value
    1.0
    >>> measure([camera] * 3, unit="건/d", one=day_us, together=True).value
    3.0
    """
    del weeks
    least, most = certain(parts), possible(parts)
    among = len(parts) if together and parts else 1
    exposure = math.fsum(part.exposure for part in parts)
    doubtful = math.fsum(part.doubtful for part in parts)

    def rate(count: int, exposed: float) -> float | None:
        return count * among * one / exposed if exposed > 0 else None

    value, low, high = rate(least, exposure), rate(least, exposure + doubtful), rate(most, exposure)
    numbered = all(part.numbered for part in parts)
    return Measurement(
        value=value,
        unit=unit,
        n=least,
        completeness=complete(parts),
        low=low if value is not None else None,
        high=high,
        fill_low=low if value is not None and numbered else None,
        fill_high=high if numbered else None,
        counts=Counts(
            count=least,
            most=most,
            exposure=exposure / one / among,
            days=daily(parts),
            independent=independent,
        ),
        open_by="events" if most > least else "silence",
        facts={**facts(parts), "exposure": exposure / one / among},
    )

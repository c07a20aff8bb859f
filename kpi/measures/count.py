"""How many events of one kind there were.

Formula: Σ events that began in the required time and satisfy ``where``. An event of which an attribute is unknown, or whose
number is missing, may be one of them: it makes the upper end. An event that nobody can have heard (the slot was not connected,
events carry no numbers) is not imputed: there may be any number more, so that too little data can show that a count is too
high, never that it is low enough.

Of pairs whose truth was sampled: the number in the labelled time, divided by the share of the required time that it is.

Unit: 건. Interval: exact Poisson bounds of the expected number (Garwood 1936); for events of daily operation scaled by the
dispersion of the daily counts. Source: docs/kpi.md, the table of measures and "Events".
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from kpi.measurement import Counts, Measurement
from kpi.measures.counting import CountPart, certain, complete, daily, facts, possible

UNIT = "건"


def measure(
    parts: Sequence[CountPart],
    weeks: Sequence[tuple[float, Sequence[CountPart]]] = (),
    *,
    independent: bool = False,
) -> Measurement:
    """The number over all slots together.

    :param parts: one a slot.
    :param weeks: not used: counts have an interval of their own.
    :param independent: the events are independent of each other; otherwise their dispersion widens the interval.

    >>> from datetime import date
    >>> from kpi.measures.counting import Sighting
    >>> day = date(2026, 3, 1)
    >>> heard = ((day, Sighting(at_us=1, certain=True)), (day, Sighting(at_us=2, certain=False, heard=False)))
    >>> part = CountPart(sightings=heard, exposure=10, days=((day, 10),), connected_us=10, required_us=10, numbered=True)
    >>> found = measure([part])
    >>> found.value, found.low, found.high
    (1, 1, 2)
    """
    del weeks
    if any(part.share != 1.0 for part in parts):
        return _of_sample(parts, independent=independent)
    least, most = certain(parts), possible(parts)
    return Measurement(
        value=least if parts else None,
        unit=UNIT,
        n=least,
        completeness=complete(parts),
        low=least if parts else None,
        high=most if parts else None,
        fill_low=least if parts else None,
        fill_high=None if not parts else most if all(part.numbered for part in parts) else math.inf,
        counts=Counts(count=least, most=most, exposure=1.0, days=daily(parts), independent=independent),
        open_by="events",
        facts=facts(parts),
    )


def _of_sample(parts: Sequence[CountPart], *, independent: bool) -> Measurement:
    """What was counted in the labelled part of the time stands for all of it."""
    required = sum(part.required_time_us for part in parts)
    share = sum(part.share * part.required_time_us for part in parts) / required if required else 0.0
    least, most = certain(parts), possible(parts)
    value = least / share if share else None
    return Measurement(
        value=value,
        unit=UNIT,
        n=least,
        completeness=complete(parts),
        low=value,
        high=most / share if share else None,
        counts=Counts(count=least, most=most, exposure=share, days=daily(parts), independent=independent),
        open_by="events",
        facts=facts(parts),
    )

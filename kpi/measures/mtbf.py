"""Mean time between failures, judged by its lower confidence bound.

Formula: operating time / failures, over all slots together. The operating time is that in which the slot was up, or all of the
required time. Bounds, for a test that ends with its time: L = 2T / χ²(1 − α; 2r + 2), U = 2T / χ²(α; 2r). Without failures
there is no estimate, and at 5 % L = T / 2.996. Failures of which an attribute is unknown, or whose number is missing, count in
the lower bound and not in the upper.

Unit: s, shown in the target's. Source: IEC 60605-4 (2001), 5.2; docs/kpi.md, the table of measures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from kpi.measurement import Counts, Measurement
from kpi.measures.counting import CountPart, certain, complete, facts, possible


def measure(parts: Sequence[CountPart], weeks: Sequence[tuple[float, Sequence[CountPart]]] = ()) -> Measurement:
    """The mean time over all slots together, in seconds.

    :param parts: one a slot, the exposure being its operating time in µs.
    :param weeks: not used: the interval is that of the failures.

    >>> from kpi.intervals.poisson import poisson_mean
    >>> hour = 3_600_000_000
    >>> slot = CountPart(sightings=(), exposure=6000 * hour, days=(), connected_us=1, required_us=1, numbered=False)
    >>> found = measure([slot])
    >>> found.value is None, round(found.counts.exposure / 3600 / poisson_mean(0, 0.05)[1])
    (True, 2003)
    """
    del weeks
    least, most = certain(parts), possible(parts)
    time_s = math.fsum(part.exposure for part in parts) / 1e6
    doubtful_s = math.fsum(part.doubtful for part in parts) / 1e6
    value = time_s / least if least and time_s else None
    return Measurement(
        value=value,
        unit="s",
        n=least,
        completeness=complete(parts),
        low=None if value is None else time_s / most,
        high=None if value is None else (time_s + doubtful_s) / least,
        counts=Counts(
            count=least, most=most, exposure=time_s, days=(), independent=True, per_event=True
        ),
        open_by="events" if most > least else "silence",
        facts={**facts(parts), "operating_s": time_s},
    )  # fmt: skip

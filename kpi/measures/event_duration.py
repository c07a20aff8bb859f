"""How long events last, from their start to their end.

Formula: end − start of each event that began in the required time and satisfies ``where``; their mean, maximum, or percentile:
the shortest duration that so many per cent of the events did not exceed (type 1 of Hyndman and Fan, American Statistician 50
(1996) 361), so that ``p95 ≤ T`` and *95 % last at most T* are the same. An event that was never closed lasts for ever, and so
does one whose number is missing, whose start nobody heard of, or whose end lies before its start: none of them showed when it
was over. The mean is then infinite; a percentile is not until there are too many of them.

Unit: s, shown in the target's. Interval of a percentile: that of the share of events that keep it (Clopper and Pearson 1934; of
n/DEFF for events of daily operation). Of a mean: weekly means. Of a maximum: none.
Source: docs/kpi.md, the table of measures and "Events".
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any, Literal

from devices.plan.target import Bounds
from kpi.intervals import Block
from kpi.measurement import AsShare, Measurement, Trials, completeness
from kpi.measures.attributes import holds
from kpi.measures.happenings import GRACE_US, Event, Happening, gathered, missing_numbers

Ending = Literal["closed", "never_closed", "missing_number", "never_begun", "backwards", "missed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasted:
    """One event."""

    at_us: int
    duration_us: int | None
    """None: for ever."""
    ending: Ending = "closed"
    doubtful: bool = False
    """Nobody knows whether it counts: it makes one end of the value, and is not in it."""

    @property
    def seconds(self) -> float:
        return math.inf if self.duration_us is None else self.duration_us / 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationPart:
    """One slot in one stretch of required time."""

    lasted: tuple[tuple[date, Lasted], ...]
    """With the calendar day in the pilot's zone."""
    connected_us: int
    required_us: int
    numbered: bool
    """Whether numbers tell how many events there were, also while nobody listened (``kpi/numbering.py``)."""
    company_us: int = 0
    platform_us: int = 0
    site_us: int = 0
    nobody_us: int = 0


def durations(
    happenings: Iterable[Happening], *, numbered: bool, where: Mapping[str, Any], until_us: int
) -> list[Lasted]:
    """The events of one kind at one slot, in the order of time; one that may still end is left for later.

    :param happenings: all of them up to ``until_us``: the window's end and a day, or now.

    >>> day = 86_400_000_000
    >>> def heard(id, phase, at):
    ...     return Happening(id=id, phase=phase, number=None, at_us=at, attributes={})
    >>> log = [heard("a", "start", 0), heard("a", "end", 30), heard("b", "start", 40), heard("c", "start", 60),
    ...        heard("c", "end", 50)]
    >>> [(one.duration_us, one.ending) for one in durations(log, numbered=False, where={}, until_us=2 * day)]
    [(30, 'closed'), (None, 'never_closed'), (None, 'backwards')]
    """
    events = gathered(happenings)
    found = [one for event in events if (one := _lasted(event, where, until_us)) is not None]
    if numbered:
        found += [Lasted(at_us=at, duration_us=None, ending="missing_number") for at in missing_numbers(events)]
    return sorted(found, key=lambda one: (one.at_us, one.ending != "missing_number"))


def _lasted(event: Event, where: Mapping[str, Any], until_us: int) -> Lasted | None:
    """None: it does not count, or is not over yet."""
    if holds(where, event.attributes) is False:
        return None
    if event.end_us is None:
        if until_us - event.at_us < GRACE_US:
            return None
        return Lasted(at_us=event.at_us, duration_us=None, ending="never_closed")
    if event.start_us is None:
        return Lasted(at_us=event.at_us, duration_us=None, ending="never_begun")
    if event.end_us < event.start_us:
        return Lasted(at_us=event.at_us, duration_us=None, ending="backwards")
    return Lasted(at_us=event.at_us, duration_us=event.end_us - event.start_us)


def measure(
    parts: Sequence[DurationPart],
    weeks: Sequence[tuple[float, Sequence[DurationPart]]] = (),
    *,
    stat: str,
    target: Bounds | None = None,
    designed: bool = False,
) -> Measurement:
    """The statistic over all slots together, in seconds.

    :param parts: one a slot.
    :param weeks: (middle in seconds since the epoch, parts) of each weekly block, for the interval of a mean.
    :param stat: ``mean``, ``max`` or ``p1`` … ``p99.9``.
    :param target: in seconds; a percentile is judged as a share against it.
    :param designed: the events are independent designed trials.

    Nineteen calls were answered within 5 s, the twentieth never:

    >>> day = date(2026, 3, 1)
    >>> lasted = tuple((day, Lasted(at_us=i, duration_us=5_000_000 if i else None)) for i in range(20))
    >>> part = DurationPart(lasted=lasted, connected_us=1, required_us=1, numbered=True)
    >>> [measure([part], stat=stat).value for stat in ("p95", "p96", "mean")]
    [5.0, inf, inf]
    """
    every = [(slot, day, one) for slot, part in enumerate(parts) for day, one in part.lasted]
    heard = [row for row in every if not row[2].doubtful]
    value = _value(sorted(one.seconds for _, _, one in heard), stat) if heard else None
    ends = [value, _value(sorted(one.seconds for _, _, one in every), stat)] if value is not None else [None]
    # Only where events are numbered is it known how many there were while nobody listened.
    sure = value if all(part.numbered for part in parts) else None
    form = None
    if stat.startswith("p") and target is not None and target.one_sided is not None and heard:
        form = _as_share(heard, float(stat[1:]), target, designed=designed, sure=sure is not None)
        form = _with_doubt(form, [one for _, _, one in every if one.doubtful], target)
    return Measurement(
        value=value,
        unit="s",
        n=len(heard),
        completeness=completeness([part.connected_us for part in parts], [part.required_us for part in parts]),
        low=min((end for end in ends if end is not None), default=None),
        high=max((end for end in ends if end is not None), default=None),
        fill_low=sure,
        fill_high=sure,
        blocks=_blocks(weeks) if stat == "mean" else (),
        as_share=form,
        open_by="events",
        facts=_facts(parts),
    )


def _value(ordered: Sequence[float], stat: str) -> float:
    if stat == "mean":
        return math.fsum(ordered) / len(ordered)
    if stat == "max":
        return ordered[-1]
    # In fractions: 0.95 × 20 is 19, and not a little more.
    rank = math.ceil(Fraction(stat[1:]) / 100 * len(ordered))
    return ordered[max(rank, 1) - 1]


def _as_share(
    heard: Sequence[tuple[int, date, Lasted]], percent: float, target: Bounds, *, designed: bool, sure: bool
) -> AsShare:
    """``p95 ≤ T`` as *95 % of the events last at most T*."""
    daily: dict[tuple[int, date], list[int]] = defaultdict(lambda: [0, 0])
    for slot, day, one in heard:
        daily[slot, day][0] += one.seconds in target
        daily[slot, day][1] += 1
    kept = sum(k for k, _ in daily.values())
    share = kept / len(heard)
    return AsShare(
        share=share,
        at_least=percent / 100 if target.one_sided == "high" else 1 - percent / 100,
        fill_low=share if sure else None,
        fill_high=share if sure else None,
        blocks=(),
        trials=Trials(
            successes=kept,
            trials=len(heard),
            days=tuple((k, n) for _, (k, n) in sorted(daily.items())),
            designed=designed,
        ),
    )


def _with_doubt(form: AsShare, doubtful: Sequence[Lasted], target: Bounds) -> AsShare:
    """The ends of the share, with those of which nobody knows whether they count: counted, and left out."""
    if not doubtful or form.trials is None:
        return form
    n = form.trials.trials + len(doubtful)
    counted = (form.trials.successes + sum(one.seconds in target for one in doubtful)) / n
    return replace(form, low=min(form.share, counted), high=max(form.share, counted))


def _blocks(weeks: Sequence[tuple[float, Sequence[DurationPart]]]) -> tuple[Block, ...]:
    found = []
    for at_s, parts in weeks:
        seconds = [one.seconds for part in parts for _, one in part.lasted]
        mean = math.fsum(seconds) / len(seconds) if seconds else 0.0
        found.append(Block(at_s=at_s, weight=len(seconds), value=mean))
    return tuple(found) if all(math.isfinite(block.value) for block in found) else ()


def _facts(parts: Sequence[DurationPart]) -> dict[str, float]:
    endings = [one.ending for part in parts for _, one in part.lasted]
    return {
        "missing_numbers": endings.count("missing_number"),
        "never_closed": endings.count("never_closed"),
        "never_begun": endings.count("never_begun"),
        "backwards": endings.count("backwards"),
        "missed": endings.count("missed"),
        "company_s": sum(part.company_us for part in parts) / 1e6,
        "platform_s": sum(part.platform_us for part in parts) / 1e6,
        "site_s": sum(part.site_us for part in parts) / 1e6,
        "nobody_s": sum(part.nobody_us for part in parts) / 1e6,
    }

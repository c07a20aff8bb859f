"""Events that succeeded out of all of one kind, in %.

Every event that began in the window counts once. A number missing in a slot's order is a failure, and so is an event that
began and was never closed: losing the quarter of missions that failed would otherwise show 100 %. Attributes of an event's
end overrule those of its start. Where an attribute is not there, the event still counts (``where``), and shows no success.

Formula: successes / events. Completeness: the connected share of the required time. Unit: %.
Source: docs/kpi.md, the table of measures and "Events".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from kpi.measurement import Measurement, Trials, completeness, ratio
from kpi.measures.attributes import holds
from kpi.measures.happenings import GRACE_US, Event, Happening, gathered, missing_numbers

__all__ = ["GRACE_US", "EventPart", "Happening", "Outcome", "Rules", "measure", "outcomes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What counts, and as what."""

    numbered: bool
    phased: bool
    where: Mapping[str, Any]
    success: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One event, judged."""

    at_us: int
    success: bool
    kind: Literal["closed", "never_closed", "missing_number"] = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPart:
    """One slot in one stretch of required time."""

    outcomes: tuple[tuple[date, Outcome], ...]
    """With the calendar day in the pilot's zone."""
    connected_us: int
    required_us: int
    numbered: bool
    """Whether numbers tell how many events there were, also while nobody listened (``kpi/numbering.py``)."""
    company_us: int = 0
    platform_us: int = 0
    site_us: int = 0
    nobody_us: int = 0


def outcomes(happenings: Iterable[Happening], rules: Rules, *, until_us: int) -> list[Outcome]:
    """Judge the events of one kind at one slot, in the order of time.

    :param happenings: all of them up to ``until_us``: the window's end and a day, or now.

    Three missions of five were heard of; the fourth was lost with its number, the fifth never came home:

    >>> day = 86_400_000_000
    >>> def heard(number, phase, at, **attributes):
    ...     return Happening(id=f"m{number}", phase=phase, number=number, at_us=at, attributes=attributes)
    >>> log = [heard(1, "start", 0), heard(1, "end", 9, ok=True), heard(2, "start", 10), heard(2, "end", 19, ok=False),
    ...        heard(3, "start", 20), heard(3, "end", 29, ok=True), heard(5, "start", 40)]
    >>> rules = Rules(numbered=True, phased=True, where={}, success={"ok": True})
    >>> [(o.success, o.kind) for o in outcomes(log, rules, until_us=40 + 2 * day)]
    [(True, 'closed'), (False, 'closed'), (True, 'closed'), (False, 'missing_number'), (False, 'never_closed')]
    """
    events = gathered(happenings)
    judged = [found for event in events if (found := _judged(event, rules, until_us)) is not None]
    if rules.numbered:
        judged += [Outcome(at_us=at, success=False, kind="missing_number") for at in missing_numbers(events)]
    return sorted(judged, key=lambda outcome: (outcome.at_us, outcome.kind != "missing_number"))


def _judged(event: Event, rules: Rules, until_us: int) -> Outcome | None:
    """None: it does not count, or is not over yet."""
    open_ended = rules.phased and event.end_us is None
    if holds(rules.where, event.attributes) is False:
        return None
    if open_ended:
        if until_us - event.at_us < GRACE_US:
            return None
        return Outcome(at_us=event.at_us, success=False, kind="never_closed")
    # An attribute that is not there shows no success.
    return Outcome(at_us=event.at_us, success=holds(rules.success, event.attributes) is True)


def measure(
    parts: Sequence[EventPart], weeks: Sequence[tuple[float, Sequence[EventPart]]] = (), *, designed: bool = False
) -> Measurement:
    """The ratio over all slots together.

    :param parts: one a slot.
    :param weeks: not used: events have an interval of their own.
    :param designed: the events are independent designed trials.

    >>> day = date(2026, 3, 1)
    >>> heard = tuple((day, Outcome(at_us=i, success=i != 7)) for i in range(20))
    >>> part = EventPart(outcomes=heard, connected_us=100, required_us=100, numbered=True)
    >>> found = measure([part], designed=True)
    >>> found.value, found.n, found.completeness
    (95.0, 20, 1.0)
    """
    del weeks
    heard = [(slot, day, outcome) for slot, part in enumerate(parts) for day, outcome in part.outcomes]
    successes = sum(outcome.success for _, _, outcome in heard)
    daily: dict[tuple[int, date], list[int]] = defaultdict(lambda: [0, 0])
    for slot, day, outcome in heard:
        daily[slot, day][0] += outcome.success
        daily[slot, day][1] += 1
    value = ratio(successes, len(heard)) if heard else None
    # Only where events are numbered is it known how many there were while nobody listened.
    certain = value if all(part.numbered for part in parts) else None
    return Measurement(
        value=value,
        unit="%",
        n=len(heard),
        completeness=completeness([part.connected_us for part in parts], [part.required_us for part in parts]),
        low=value,
        high=value,
        fill_low=certain,
        fill_high=certain,
        bounded=True,
        trials=Trials(
            successes=successes,
            trials=len(heard),
            days=tuple((k, n) for _, (k, n) in sorted(daily.items())),
            designed=designed,
        ),
        facts={
            "successes": successes,
            "missing_numbers": sum(outcome.kind == "missing_number" for _, _, outcome in heard),
            "never_closed": sum(outcome.kind == "never_closed" for _, _, outcome in heard),
            "company_s": sum(part.company_us for part in parts) / 1e6,
            "platform_s": sum(part.platform_us for part in parts) / 1e6,
            "site_s": sum(part.site_us for part in parts) / 1e6,
            "nobody_s": sum(part.nobody_us for part in parts) / 1e6,
        },
    )

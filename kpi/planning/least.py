"""The smallest sample with which a target can be met at all: 29 of 29 for 90 %, 59 of 59 for 95 %, 299 of 299 for 99 %."""

from __future__ import annotations

from dataclasses import replace

from devices.plan.agreed import Planned
from kpi.asked import Asked
from kpi.decision import verdict
from kpi.evidence import evidence_of
from kpi.planning.choose import chosen
from kpi.planning.samples import DailyTrials, DesignedTrials

_MOST = 1_000_000


def least_sample(asked: Asked, slots: int) -> int | None:
    """The fewest events, all slots together, of which a faultless product is *met*; None where no number of them helps.

    >>> from datetime import date
    >>> from zoneinfo import ZoneInfo
    >>> from core.window import date_window
    >>> from devices.plan.model import Kpi
    >>> from kpi.spans import spans
    >>> seoul = ZoneInfo("Asia/Seoul")
    >>> ratio = {"event_ratio": {"event": "drop", "success": {"found": True}, "designed": True}}
    >>> kpi = Kpi.model_validate({"name": "탐지율", "measure": ratio, "target": ">= 95 %", "scope": "capability"})
    >>> cut = spans(date_window(date(2026, 3, 1), date(2027, 2, 1), seoul), None, seoul)
    >>> asked = Asked(id="k", kpi=kpi, channel_unit="%", alpha=0.05, zone=seoul, spans=cut)
    >>> least_sample(asked, 1)
    59
    """
    if not _met(asked, _MOST, slots):
        return None
    low, high = 0, _MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _met(asked, middle, slots) else (middle, high)
    return high


def _met(asked: Asked, n: int, slots: int) -> bool:
    """Whether a faultless product is met with so many events."""
    planned = (asked.kpi.planned or Planned()).model_copy(update={"n": n})
    with_n = replace(asked, kpi=asked.kpi.model_copy(update={"planned": planned}))
    sample = chosen(with_n, slots, 0).sample
    if not isinstance(sample, DesignedTrials | DailyTrials):
        return False
    best = sample.best()
    assert best is not None
    several = (slots if asked.kpi.group == "worst" else 1) * asked.promises
    evidence, terms = evidence_of(with_n, best.found, several=several)
    return verdict(evidence, terms).answer == "met"

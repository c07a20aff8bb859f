"""Which sample a plan's KPI will have: its period and its sampling, or the number of events that the plan expects."""

from __future__ import annotations

import zlib

import numpy as np

from devices.plan.event_measures import EventRate, OfEventsOrMatch
from devices.plan.measures import (
    Agreement,
    Availability,
    Capture,
    Change,
    Count,
    Delay,
    Detection,
    EventDuration,
    EventRatio,
    Forecast,
    FrameSequence,
    Manual,
    Mtbf,
    Share,
    Statistic,
)
from kpi.asked import Asked
from kpi.planning.levels import truths
from kpi.planning.of_events import durations, exposure, happenings, quota, trials
from kpi.planning.of_series import fixed, mean, percentile, time_share
from kpi.planning.prepared import Chosen, required_s, unreckoned
from kpi.planning.samples import Happenings, ratio_of

__all__ = ["Chosen", "chosen"]


def chosen(asked: Asked, slots: int, part: int) -> Chosen:
    """The sample of one KPI.

    :param slots: how many it is about; where each is judged on its own, the sample is that of one.
    :param part: its number among those of a KPI that promises several things.
    """
    rng = np.random.default_rng([zlib.crc32(asked.id.encode()), part])
    own = asked.kpi.group == "worst" and slots > 1
    among = 1 if own else slots
    match asked.kpi.measure.of:
        case EventRatio(designed=designed):
            return trials(asked, ratio_of(designed), designed, own, slots, rng, quota=None)
        case Detection(stat="recall" | "precision" | "false_rate", designed=designed):
            return trials(asked, ratio_of(designed), designed, own, slots, rng, quota=None)
        case Detection() | OfEventsOrMatch(match=str()):
            return unreckoned(asked)
        case EventDuration(stat=stat, designed=designed) if stat.startswith("p"):
            return quota(asked, float(stat[1:]), designed, own, slots, rng)
        case EventDuration(stat="mean"):
            return durations(asked, own, slots, rng)
        case Count(independent=independent):
            return happenings(asked, independent, 1.0, rng)
        case EventRate(independent=independent) as rate:
            return happenings(asked, independent, exposure(asked, rate, own, among), rng)
        case Mtbf():
            products = truths(asked.target, "between", asked.kpi.planned, spread=0)
            sample = Happenings(exposure=required_s(asked) * among, unit="s", per_event=True)
            return Chosen(
                truths=products, unit=asked.unit, sample=sample, to_measure=None, n=sample.exposure / 3600, assumed=()
            )
        case Manual() | Forecast() | Agreement() | Change():
            return unreckoned(asked)
        case FrameSequence():
            return trials(asked, ratio_of(False), False, own, slots, rng, quota=None)
        case Delay(stat=stat) if stat.startswith("p") and asked.target.one_sided is not None:
            return percentile(asked, float(stat[1:]), rng)
        case Share() | Availability() | Capture():
            return time_share(asked, slots, rng)
        case Statistic(stat="mean"):
            return mean(asked, rng)
        case Statistic(stat=stat) if stat.startswith("p") and asked.target.one_sided is not None:
            return percentile(asked, float(stat[1:]), rng)
        case _:
            return fixed(asked)

"""What a measure is of: its channel, and the unit of what it gives, before any reading is seen."""

from __future__ import annotations

from devices.plan.agreement_measures import Agreement, agreement_unit
from devices.plan.event_measures import EventRate, span_of
from devices.plan.manual_measures import Manual
from devices.plan.measures import (
    Change,
    Count,
    Delay,
    Detection,
    EventDuration,
    Forecast,
    FrameSequence,
    Increase,
    Integral,
    Measure,
    Mtbf,
    Share,
    Statistic,
)
from devices.plan.problem import Way


def channel_of(measure: Measure) -> tuple[str, Way] | None:
    """The one channel that a measure is about, and where below the kind it is named; None where there is none."""
    match measure.of:
        case Statistic(channel=channel) | Integral(channel=channel) | Increase(channel=channel):
            return channel, ("channel",)
        case Agreement(channel=channel):
            return channel, ("channel",)
        case FrameSequence(channel=channel) | Forecast(channel=channel):
            return channel, ("channel",)
        case Share(while_=condition):
            return condition.channel, ("while", "channel")
        case EventRate(per=per) if per.channel is not None:
            return per.channel, ("per", "increase" if per.increase is not None else "integral", "channel")
        case Change(of=of):
            found = channel_of(of)
            return None if found is None else (found[0], ("of", of.kind, *found[1]))
        case _:
            return None


def unit_given(measure: Measure, channel_unit: str | None) -> str | None:
    """The unit of what a measure gives; None where it hangs on a channel that is not known.

    :param channel_unit: the canonical unit of the channel that the measure is about.
    """
    match measure.of:
        case Statistic() | Increase():
            return channel_unit
        case Integral():
            return None if channel_unit is None else integral_unit(channel_unit)
        case EventRate() as rate:
            below = exposure_unit(rate, channel_unit)
            return None if below is None else f"건/({below})" if " " in below or "*" in below else f"건/{below}"
        case Agreement() as agreement:
            return agreement_unit(agreement, channel_unit)
        case Count():
            return "건"
        case Detection():
            return ""  # 0.90 and 90 % are the same target
        case Manual():
            return None  # as the plan declares it: devices/plan/manual.py
        case EventDuration() | Mtbf() | Delay():
            return "s"
        case Forecast():
            return "d"
        case Change(as_="difference") as change:
            return level_unit(change, unit_given(change.of, channel_unit))
        case _:
            return "%"


def level_unit(change: Change, given: str | None) -> str | None:
    """The unit of what a change compares: a sum is told by time.

    :param given: of the measure that it is of.
    """
    if given is None or not change.summed:
        return given
    number, unit = span_of(change.per)
    return f"{given}/{unit}" if number == 1 else f"{given}/({number:g} {unit})"


def integral_unit(channel_unit: str) -> str:
    """Of a value summed up over time, in seconds: whoever shows it takes the target's unit."""
    return f"({channel_unit})*s"


def exposure_unit(rate: EventRate, channel_unit: str | None) -> str | None:
    """By what events are counted: ``1000 h``, ``device-day``, ``km``."""
    if rate.per.time is not None:
        number, unit = span_of(rate.per.time)
        return unit if number == 1 else f"{number:g} {unit}"
    if channel_unit is None or rate.per.increase is not None:
        return channel_unit
    return integral_unit(channel_unit)

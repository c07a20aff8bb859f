"""What a measure is of: its channel, and the unit of what it gives, before any reading is seen."""

from __future__ import annotations

from devices.plan.event_measures import EventRate, span_of
from devices.plan.measures import Count, EventDuration, Increase, Integral, Measure, Mtbf, Share, Statistic
from devices.plan.problem import Way


def channel_of(measure: Measure) -> tuple[str, Way] | None:
    """The one channel that a measure is about, and where below the kind it is named; None where there is none."""
    match measure.of:
        case Statistic(channel=channel) | Integral(channel=channel) | Increase(channel=channel):
            return channel, ("channel",)
        case Share(while_=condition):
            return condition.channel, ("while", "channel")
        case EventRate(per=per) if per.channel is not None:
            return per.channel, ("per", "increase" if per.increase is not None else "integral", "channel")
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
        case Count():
            return "건"
        case EventDuration() | Mtbf():
            return "s"
        case _:
            return "%"


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

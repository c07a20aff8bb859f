"""The parts of a forecast: what a channel's days were like, from their summaries."""

from __future__ import annotations

from core.units import conversion, parse_quantity
from core.window import micros
from devices.plan.measures import Forecast
from devices.plan.model import Kpi
from devices.plan.predicate import slots_in_effect
from kpi.calendar import by_day
from kpi.gathered import Gathered, arranged
from kpi.inputs.gather_sums import SumGatherer
from kpi.measures.forecast import ForecastPart
from kpi.measures.statistic import moments
from kpi.quantity import converted
from kpi.stretches import total_us

_DAY_US = 86_400_000_000


class ForecastGatherer(SumGatherer):
    """Gathers forecasts besides."""

    def forecast(self, kpi: Kpi, of: Forecast) -> Gathered[ForecastPart]:
        slots = slots_in_effect(self.plan, kpi)
        return arranged(slots, self.spans, [self._days(kpi, of, slot) for slot in slots])

    def _days(self, kpi: Kpi, of: Forecast, slot: str) -> list[ForecastPart]:
        channel = self.reader.channel(slot, of.channel)
        windows = self.required(kpi, slot)
        until, written = parse_quantity(of.until)
        recharge = None
        if of.recharge is not None:
            rise, unit = parse_quantity(of.recharge)
            recharge = rise * abs(conversion(unit, channel.unit).scale)
        counts = self.reader.statistics(channel, windows)
        complete = self._complete(channel, slot, windows, counts)
        gaps = self.reader.gaps(channel)
        parts = []
        for window, span, counted, (obtained, expected) in zip(windows, self.spans.all, counts, complete, strict=True):
            days = list(by_day(window, self.plan.zone).values())
            there = [one for one in self.reader.statistics(channel, days) if any(s.n for s in one)]
            charges = self._charges(slot, gaps, window, channel)
            parts.append(
                ForecastPart(
                    at_d=tuple(
                        (min(s.first_us for s in day if s.n) + max(s.last_us for s in day if s.n)) / 2 / _DAY_US
                        for day in there
                    ),
                    level=tuple(moments(day).mean for day in there),
                    until=converted(float(until), written, channel.unit),
                    recharge=recharge,
                    end_d=micros(span.end) / _DAY_US,
                    n=sum(one.n for one in counted),
                    obtained=obtained,
                    expected=expected,
                    company_s=total_us(charges.company) / 1e6,
                    platform_s=total_us(charges.platform) / 1e6,
                    site_s=total_us(charges.site) / 1e6,
                    nobody_s=total_us(charges.nobody) / 1e6,
                )
            )
        return parts

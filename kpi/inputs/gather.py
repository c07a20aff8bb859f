"""The parts of a KPI: for each slot (capture: each channel) and each window, the record that its measure computes with."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from core.window import instant, micros
from devices.plan.measures import Availability, Capture, EventRatio, Share, Statistic
from devices.plan.model import Kpi, Plan
from devices.plan.predicate import predicate, slots_in_effect
from kpi.calendar import required
from kpi.charges import Charges
from kpi.gathered import Gathered, arranged
from kpi.inputs.outside import outside
from kpi.inputs.reader import Reader
from kpi.measures import event_ratio
from kpi.measures.availability import AvailabilityPart
from kpi.measures.capture import CapturePart
from kpi.measures.event_ratio import EventPart
from kpi.measures.share import SharePart
from kpi.measures.statistic import StatisticPart, moments
from kpi.spans import Spans
from kpi.stretches import Stretches, clipped, contains, difference, intersection, total_us
from telemetry.channels import ChannelInfo
from telemetry.predicates import Condition
from telemetry.statistics import Statistics as Read


class Gatherer:
    """Gathers for the KPIs of one plan."""

    def __init__(self, reader: Reader, plan: Plan, spans: Spans) -> None:
        self.reader = reader
        self.plan = plan
        self.spans = spans

    def _required(self, kpi: Kpi, slot: str) -> list[Stretches]:
        """The required time of a slot in each window."""
        whole = difference(self.before_conditions(kpi, slot), outside(self.reader, self.plan, kpi, slot))
        return [clipped(whole, window.start_us, window.end_us) for window in self.spans.all]

    def before_conditions(self, kpi: Kpi, slot: str) -> Stretches:
        """The required time of a slot over the whole window, whatever the conditions on it."""
        of = kpi.measure.of
        whole = required(
            self.spans.whole, self.plan.zone, hours=of.hours_minutes, weekdays=of.days, holidays=of.holidays
        )
        whole = intersection(whole, ((self.reader.installed_since_us(slot), self.spans.whole.end_us),))
        return difference(whole, self.reader.excluded(slot))

    def required(self, kpi: Kpi, slot: str) -> list[Stretches]:
        """The required time of a slot in each window."""
        return self._required(kpi, slot)

    def _charges(self, slot: str, gaps: Stretches, required: Stretches, channel: ChannelInfo | None = None) -> Charges:
        """:param channel: whose gaps they are, where some of its readings may not count."""
        return self.reader.charges(slot, intersection(gaps, required), channel)

    def _complete(
        self, channel: ChannelInfo, slot: str, required: list[Stretches], found: list[list[Read]]
    ) -> list[tuple[float, float]]:
        """Obtained and expected in each window: readings, or seconds of connection where there is no period."""
        if channel.reporting == "periodic":
            due = [self.reader.due(channel, one) for one in required]
            read = found if due == required else self.reader.statistics(channel, due)
            return [(sum(s.expected - s.missing for s in window), sum(s.expected for s in window)) for window in read]
        spoilt = self.reader.spoilt(channel)
        return [(up / 1e6, needed / 1e6) for up, needed in (self._connected(slot, one, spoilt) for one in required)]

    def _connected(self, slot: str, required: Stretches, spoilt: Stretches = ()) -> tuple[int, int]:
        """The connected and the required time of a slot, platform outages left out.

        :param spoilt: while its readings do not count: no connected time.
        """
        found = self.reader.states(slot).within(required)
        return total_us(difference(found.up, spoilt)), total_us(required) - total_us(found.left_out)

    def statistic(self, kpi: Kpi, of: Statistic) -> Gathered[StatisticPart]:
        slots = slots_in_effect(self.plan, kpi)
        units = [self._statistic(kpi, of, slot) for slot in slots]
        return arranged(slots, self.spans, units)

    def _statistic(self, kpi: Kpi, of: Statistic, slot: str) -> list[StatisticPart]:
        channel = self.reader.channel(slot, of.channel)
        windows = self._required(kpi, slot)
        found = self.reader.statistics(channel, windows)
        complete = self._complete(channel, slot, windows, found)
        gaps = self.reader.gaps(channel)
        at_us, values = self.reader.values(channel) if of.stat.startswith("p") else (None, None)
        parts = []
        for window, read, (obtained, expected) in zip(windows, found, complete, strict=True):
            charges = self._charges(slot, gaps, window, channel)
            inside = None
            if at_us is not None and values is not None:
                edges = at_us.searchsorted([edge for span in window for edge in span])
                pieces = [values[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)]
                inside = np.concatenate([values[:0], *pieces])
            parts.append(
                StatisticPart(
                    moments=moments(read),
                    required_s=total_us(window) / 1e6,
                    obtained=obtained,
                    expected=expected,
                    physical=self.plan.slots[slot].channels[of.channel].range,
                    values=inside,
                    company_s=total_us(charges.company) / 1e6,
                    platform_s=total_us(charges.platform) / 1e6,
                    site_s=total_us(charges.site) / 1e6,
                    nobody_s=total_us(charges.nobody) / 1e6,
                )
            )
        return parts

    def share(self, kpi: Kpi, of: Share) -> Gathered[SharePart]:
        slots = slots_in_effect(self.plan, kpi)
        return arranged(slots, self.spans, [self._share(kpi, of, slot) for slot in slots])

    def _share(self, kpi: Kpi, of: Share, slot: str) -> list[SharePart]:
        name = of.while_.channel
        channel = self.reader.channel(slot, name)
        wanted = predicate(of, self.plan.slots[slot].channels[name])
        condition = Condition(
            low=wanted.low,
            low_closed=wanted.low_closed,
            high=wanted.high,
            high_closed=wanted.high_closed,
            codes=wanted.codes,
        )
        windows = self._required(kpi, slot)
        shares = self.reader.time_shares(channel, condition, windows)
        counts = self.reader.statistics(channel, windows)
        complete = self._complete(channel, slot, windows, counts)
        gaps = self.reader.gaps(channel)
        parts = []
        for window, held, counted, (obtained, expected) in zip(windows, shares, counts, complete, strict=True):
            charges = self._charges(slot, gaps, window, channel)
            parts.append(
                SharePart(
                    true_us=sum(round(one.true_s * 1e6) for one in held),
                    covered_us=sum(round(one.covered_s * 1e6) for one in held),
                    company_us=total_us(charges.company),
                    platform_us=total_us(charges.platform),
                    site_us=total_us(charges.site),
                    nobody_us=total_us(charges.nobody),
                    n=sum(one.n for one in counted),
                    obtained=obtained,
                    expected=expected,
                )
            )
        return parts

    def capture(self, kpi: Kpi, of: Capture) -> Gathered[CapturePart]:
        slots, units = [], []
        for slot in slots_in_effect(self.plan, kpi):
            for name, channel in self.plan.slots[slot].channels.items():
                if channel.reporting == "periodic" and (of.channels is None or name in of.channels):
                    slots.append(slot)
                    units.append(self._capture(kpi, slot, name))
        return arranged(slots, self.spans, units)

    def _capture(self, kpi: Kpi, slot: str, name: str) -> list[CapturePart]:
        channel = self.reader.channel(slot, name)
        windows = self._required(kpi, slot)
        due = [self.reader.due(channel, window) for window in windows]
        found = self.reader.statistics(channel, due)
        doubtful = [intersection(one, self.reader.record(slot).unknown) for one in due]
        unattributed = self.reader.unheard(channel, doubtful)
        gaps = self.reader.gaps(channel)
        parts = []
        for window, read, unknown in zip(windows, found, unattributed, strict=True):
            charges = self._charges(slot, gaps, window, channel)
            parts.append(
                CapturePart(
                    missing=sum(one.missing for one in read),
                    expected=sum(one.expected for one in read),
                    unattributed=sum(one.missing for one in unknown),
                    n=sum(one.n for one in read),
                    company_s=total_us(charges.company) / 1e6,
                    platform_s=total_us(charges.platform) / 1e6,
                    site_s=total_us(charges.site) / 1e6,
                    nobody_s=total_us(charges.nobody) / 1e6,
                )
            )
        return parts

    def availability(self, kpi: Kpi, of: Availability) -> Gathered[AvailabilityPart]:
        del of
        slots = slots_in_effect(self.plan, kpi)
        units = []
        for slot in slots:
            windows = self._required(kpi, slot)
            heard = [0] * len(windows)
            for channel in self.reader.channels_of(slot):
                for index, read in enumerate(self.reader.statistics(channel, windows)):
                    heard[index] += sum(one.n for one in read)
            states = self.reader.states(slot)
            units.append(
                [AvailabilityPart(states=states.within(one), n=n) for one, n in zip(windows, heard, strict=True)]
            )
        return arranged(slots, self.spans, units)

    def event_ratio(self, kpi: Kpi, of: EventRatio) -> Gathered[EventPart]:
        slots = slots_in_effect(self.plan, kpi)
        return arranged(slots, self.spans, [self._event_ratio(kpi, of, slot) for slot in slots])

    def _event_ratio(self, kpi: Kpi, of: EventRatio, slot: str) -> list[EventPart]:
        kind = self.plan.slots[slot].events[of.event]
        grace = timedelta(microseconds=event_ratio.GRACE_US)
        until = min(self.spans.whole.end + grace, self.reader.as_of)
        rules = event_ratio.Rules(numbered=kind.numbered, phased=kind.phased, where=of.where, success=of.success)
        happenings = self.reader.happenings(slot, of.event, until)
        judged = event_ratio.outcomes(happenings, rules, until_us=micros(until))
        parts = []
        for window in self._required(kpi, slot):
            connected_us, required_us = self._connected(slot, window)
            states = self.reader.states(slot).within(window)
            parts.append(
                EventPart(
                    outcomes=tuple(
                        (instant(one.at_us).astimezone(self.plan.zone).date(), one)
                        for one in judged
                        if contains(window, one.at_us)
                    ),
                    connected_us=connected_us,
                    required_us=required_us,
                    numbered=kind.numbered,
                    company_us=total_us(states.down),
                    platform_us=total_us(states.left_out) - total_us(states.site),
                    site_us=total_us(states.site),
                    nobody_us=total_us(states.unknown),
                )
            )
        return parts

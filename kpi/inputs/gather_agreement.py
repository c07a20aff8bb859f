"""The parts of an agreement: what a channel and its reference say at the same times, in pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.plan.agreement_measures import Agreement
from devices.plan.model import Kpi
from devices.plan.predicate import slots_in_effect
from kpi.gathered import Gathered, arranged
from kpi.inputs.aligned import aligned, inside, whole_in
from kpi.inputs.gather import Gatherer
from kpi.inputs.nearest import due_between, near, nearest
from kpi.measures.increase import step
from kpi.measures.pairs import PairPart
from kpi.quantity import converted
from kpi.stretches import Stretches, difference, intersection, joined, total_us
from telemetry.averages import Averages, averages, increases
from telemetry.channels import ChannelInfo

Floats = NDArray[np.float64]
Micros = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Everything that one slot and the reference said in the required time, before it is cut into windows."""

    starts_us: Micros
    ends_us: Micros
    channel: Floats
    """NaN where it lacks its coverage."""
    reference: Floats
    """In the channel's unit; NaN where it lacks its coverage."""
    asked: NDArray[np.bool_]
    """Whether the plan asks for this reference."""
    excused: NDArray[np.bool_]
    """Whether the channel's side lacks, and fell into an outage of ours or the site's."""


class AgreementGatherer(Gatherer):
    """Gathers pairs."""

    def agreement(self, kpi: Kpi, of: Agreement) -> Gathered[PairPart]:
        slots = slots_in_effect(self.plan, kpi)
        return arranged(slots, self.spans, [self._agreement(kpi, of, slot) for slot in slots])

    def _agreement(self, kpi: Kpi, of: Agreement, slot: str) -> list[PairPart]:
        channel = self.reader.channel(slot, of.channel)
        windows = [difference(one, self.reader.excluded(of.reference.slot)) for one in self._required(kpi, slot)]
        sides = self.sides(of, channel, windows[0])
        gaps = self.reader.gaps(channel)
        known = ~np.isnan(sides.reference) & sides.asked
        wanted = joined(zip(sides.starts_us[known].tolist(), sides.ends_us[known].tolist(), strict=True))
        parts = []
        for window in windows:
            # Silence counts while there was something to compare with.
            charges = self._charges(slot, gaps, intersection(window, wanted), channel)
            part = _part(sides, window)
            parts.append(
                PairPart(
                    at_us=part.at_us,
                    channel=part.channel,
                    reference=part.reference,
                    missing_us=part.missing_us,
                    missing=part.missing,
                    no_reference=part.no_reference,
                    outside=part.outside,
                    left_out=part.left_out,
                    start_us=window[0][0] if window else 0,
                    end_us=window[-1][1] if window else 0,
                    required_s=total_us(window) / 1e6,
                    company_s=total_us(charges.company) / 1e6,
                    platform_s=total_us(charges.platform) / 1e6,
                    site_s=total_us(charges.site) / 1e6,
                    nobody_s=total_us(charges.nobody) / 1e6,
                )
            )
        return parts

    def sides(self, of: Agreement, channel: ChannelInfo, required: Stretches) -> Sides:
        """What both sides said in the required time of a slot.

        :param channel: of the slot.
        """
        reference = self.reader.channel(of.reference.slot, of.reference.channel)
        how = (of.average, of.within, of.least_coverage, of.take, of.wrap, repr(of.reference), of.where_reference)
        outages = self.reader.due(channel, required)
        key = ("agreement", channel.channel_ids, reference.channel_ids, how, required, outages)
        if key not in self.reader.kept:
            pairing = self._of_readings if of.average_s is None else self._of_averages
            self.reader.kept[key] = pairing(of, channel, reference, required)
        kept: Sides = self.reader.kept[key]
        return kept

    def _of_averages(self, of: Agreement, channel: ChannelInfo, reference: ChannelInfo, required: Stretches) -> Sides:
        assert of.average_s is not None
        starts, ends = aligned(self.reader.whole, self.plan.zone, round(of.average_s * 1e6))
        whole = whole_in(required, starts, ends)
        starts, ends = starts[whole], ends[whole]
        theirs = self._averaged(of, reference, starts, ends, of.reference.wrap, theirs=True)
        ours = self._averaged(of, channel, starts, ends, of.wrap, theirs=False)
        said = np.where(theirs.coverage >= of.least_coverage, theirs.value, np.nan)
        lacks = ~(ours.coverage >= of.least_coverage) | np.isnan(ours.value)
        return Sides(
            starts_us=starts,
            ends_us=ends,
            channel=np.where(lacks, np.nan, ours.value),
            reference=in_unit(said, reference.unit, channel.unit),
            asked=_asked(of, said, reference.unit),
            excused=self._excused(of, channel, starts, ends, ours, lacks),
        )

    def _averaged(
        self,
        of: Agreement,
        channel: ChannelInfo,
        starts: Micros,
        ends: Micros,
        wrap: float | None,
        *,
        theirs: bool,
    ) -> Averages:
        connection, as_of = self.reader.connection, self.reader.as_of
        if channel.kind == "counter":
            begins = self.reader.begun_us(channel.slot)
            return increases(
                connection, channel, starts, ends, as_of,
                step=lambda before, after: step(before, after, wrap).proven, begins_us=begins,
            )  # fmt: skip
        stamped_end = theirs and of.reference.stamped == "end"
        return averages(connection, channel, starts, ends, as_of, summed=of.take == "sum", stamped_end=stamped_end)

    def _excused(
        self,
        of: Agreement,
        channel: ChannelInfo,
        starts: Micros,
        ends: Micros,
        ours: Averages,
        lacks: NDArray[np.bool_],
    ) -> NDArray[np.bool_]:
        """Which averages lack because of an outage: without it, what came would have been enough."""
        found = np.zeros(len(starts), dtype=np.bool_)
        whole = joined(zip(starts[lacks].tolist(), ends[lacks].tolist(), strict=True))
        due = self.reader.due(channel, whole)
        if due == whole:
            return found
        due_us = _lengths(due, starts, ends)
        length_us = ends - starts
        # By time: what came is out of the part in which anything was to come.
        enough = ours.coverage * length_us >= of.least_coverage * due_us
        found[:] = lacks & (due_us < length_us) & ((due_us == 0) | enough)
        return found

    def _of_readings(self, of: Agreement, channel: ChannelInfo, reference: ChannelInfo, required: Stretches) -> Sides:
        our_us, ours = _within(self.reader.values(channel), required)
        their_us, theirs = _within(self.reader.values(reference), required)
        found = nearest(their_us, our_us, of.within_us)
        said = np.full(len(their_us), np.nan)
        said[found.reference] = ours[found.channel]
        owed = _owed(channel, reference, our_us, their_us, required, of.within_us)
        kept = np.flatnonzero(owed | ~np.isnan(said))
        # Readings of the channel with nothing to compare with.
        alone = our_us[~near(our_us, their_us, of.within_us)]
        at_us = np.concatenate([their_us[kept], alone]).astype(np.int64)
        order = np.argsort(at_us, kind="stable")
        at_us, none = at_us[order], np.full(len(alone), np.nan)
        asked = np.concatenate([_asked(of, theirs, reference.unit)[kept], np.ones(len(alone), dtype=np.bool_)])
        return Sides(
            starts_us=at_us,
            ends_us=at_us + 1,
            channel=np.concatenate([said[kept], none])[order],
            reference=np.concatenate([in_unit(theirs[kept], reference.unit, channel.unit), none])[order],
            asked=asked[order],
            excused=~inside(self.reader.due(channel, required), at_us),
        )


def _part(sides: Sides, window: Stretches) -> PairPart:
    """The pairs of one window: those whose time begins in it."""
    here = inside(window, sides.starts_us)
    known = here & ~np.isnan(sides.reference)
    wanted = known & sides.asked
    paired = wanted & ~np.isnan(sides.channel)
    lacking = wanted & np.isnan(sides.channel)
    missing = lacking & ~sides.excused
    return PairPart(
        at_us=sides.starts_us[paired],
        channel=sides.channel[paired],
        reference=sides.reference[paired],
        missing_us=sides.starts_us[missing],
        missing=sides.reference[missing],
        no_reference=int(np.count_nonzero(here & ~known)),
        outside=int(np.count_nonzero(known & ~sides.asked)),
        left_out=int(np.count_nonzero(lacking & sides.excused)),
    )


def _asked(of: Agreement, said: Floats, unit: str) -> NDArray[np.bool_]:
    """Which values of the reference the plan asks for; all, where it names none."""
    bounds = of.condition
    if bounds is None:
        return np.ones(len(said), dtype=np.bool_)
    within = bounds.to(unit)
    above = said >= within.low if within.low_closed else said > within.low
    below = said <= within.high if within.high_closed else said < within.high
    return np.asarray(above & below, dtype=np.bool_)


def in_unit(values: Floats, source: str, target: str) -> Floats:
    """Values in another unit, each rounded once, as results are.

    >>> in_unit(np.array([0.035, 0.1, np.nan]), "mg/m^3", "ug/m^3").tolist()
    [35.0, 100.0, nan]
    """
    if source == target or not len(values):
        return values
    distinct, place = np.unique(values, return_inverse=True)
    told = [value if np.isnan(value) else converted(value, source, target) for value in distinct.tolist()]
    return np.array(told, dtype=np.float64)[place]


def _lengths(stretches: Stretches, starts_us: Micros, ends_us: Micros) -> Micros:
    """How much of each lies in the stretches."""
    if not stretches:
        return np.zeros(len(starts_us), dtype=np.int64)
    begins, stops = (np.array(column, dtype=np.int64) for column in zip(*stretches, strict=True))
    before = np.concatenate([[0], np.cumsum(stops - begins)])

    def until(at_us: Micros) -> Micros:
        place = np.searchsorted(begins, at_us, side="right") - 1
        first = np.maximum(place, 0)
        within = np.minimum(at_us, stops[first]) - begins[first]
        return np.where(place < 0, 0, before[first] + within)

    return np.asarray(until(ends_us) - until(starts_us), dtype=np.int64)


def _within(read: tuple[Micros, Floats], required: Stretches) -> tuple[Micros, Floats]:
    here = inside(required, read[0])
    return read[0][here], read[1][here]


def _owed(
    channel: ChannelInfo,
    reference: ChannelInfo,
    our_us: Micros,
    their_us: Micros,
    required: Stretches,
    within_us: int,
) -> NDArray[np.bool_]:
    """Which readings of the reference the channel owed one to.

    Each of them, unless the reference samples faster than the channel: then those next to the instants at which readings of the
    channel are missing, by the rule that counts missing readings.
    """
    if channel.period_s is None or reference.period_s is None or channel.period_s <= reference.period_s:
        return np.ones(len(their_us), dtype=np.bool_)
    missing = due_between(our_us, required, round(channel.period_s * 1e6))
    # A session that has ended owes nothing: what is due lies no further from its readings than these from each other.
    found = nearest(their_us, missing, min(within_us, round(reference.period_s * 1e6)))
    owed = np.zeros(len(their_us), dtype=np.bool_)
    owed[found.reference] = True
    return owed

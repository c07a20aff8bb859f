"""Reading the store for one evaluation: everything by one ``as_of``, each thing once."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.errors import NotFound
from core.sql import load
from core.window import MICROSECOND, Window, micros
from devices.plan.reading_quality import ReadingQuality
from devices.registry.queries import devices
from kpi.charges import Charges, PlatformRecord, charge
from kpi.inputs.left_out import Left, LeftOut
from kpi.measures.availability import LinkChange, States, states
from kpi.measures.event_ratio import Happening
from kpi.records.exclusions import Applied, excluded
from kpi.records.outages import Outage, agreed_for, outages
from kpi.stretches import Stretches, difference, intersection, joined, of_windows, union, windows_of
from telemetry.channels import ChannelInfo, channels
from telemetry.happenings import events, link_states
from telemetry.holding import holding
from telemetry.platform_record import platform_alive, platform_known
from telemetry.predicates import Condition
from telemetry.spoilt import Spoilt
from telemetry.windows import Statistics, TimeShare, gaps, statistics, time_share, values

_SQL = load("kpi.inputs", "inputs.sql")

Key: TypeAlias = tuple[tuple[int, ...], Spoilt | None]
"""A channel as it is asked about: its revisions, and what of it does not count."""


class Reader:
    """What one evaluation knows of a pilot in a window. To be used inside one snapshot of the store."""

    def __init__(
        self,
        connection: Connection,
        pilot: str,
        whole: Window,
        as_of: datetime,
        *,
        agreed: Sequence[Outage] | None = None,
        exclusions: Sequence[Applied] = (),
    ) -> None:
        """
        :param agreed: the outages to go by; those agreed by ``as_of`` if left out.
        :param exclusions: what is left out of judgement.
        """
        self.connection = connection
        self.pilot = pilot
        self.whole = whole
        self.as_of = as_of
        self.platform = _platform(connection, pilot, whole, as_of)
        self._agreed = outages(connection, pilot, window=whole, as_of=as_of) if agreed is None else agreed
        self._exclusions = exclusions
        self._records: dict[str, PlatformRecord] = {}
        self._channels = {(info.slot, info.name): info for info in channels(connection, pilot, as_of)}
        rows = connection.execute(_SQL["slots"], {"pilot": pilot})
        self._slot_ids: dict[str, int] = {row["name"]: row["slot_id"] for row in rows}
        self._installed = _installed(connection, pilot, as_of)
        self._begun: dict[str, list[int]] | None = None
        self._gaps: dict[Key, Stretches] = {}
        self._spoilt: dict[Key, Stretches] = {}
        self._states: dict[str, States] = {}
        self.kept: dict[Hashable, Any] = {}
        """What a gatherer read, for others that need the same; shared with :meth:`otherwise`."""
        self._values: tuple[Key, tuple[NDArray[np.int64], NDArray[np.float64]]] | None = None
        self._statistics: dict[Key, dict[Window, Statistics]] = {}
        self._shares: dict[tuple[Key, Condition], dict[Window, TimeShare]] = {}
        self._left_out = LeftOut(connection, as_of)
        self._leaves: ReadingQuality | None = None
        self._leaves_of: frozenset[tuple[str, str]] = frozenset()
        self._links: dict[str, list[LinkChange]] = {}
        self.labelled: dict[str, dict[str, tuple[Any, ...]]] = {}
        """The truth labels of each kind about each slot, kept for kpi/inputs/labelled.py."""
        self._holding: dict[tuple[Key, Condition], tuple[Stretches, Stretches]] = {}
        self.heeds_conditions = True
        """Whether time outside of the operating conditions is left out."""
        self.heeds_findings = True
        """Whether readings that findings are about are left out where they are to be."""

    def otherwise(
        self,
        *,
        agreed: Sequence[Outage] | None = None,
        exclusions: Sequence[Applied] | None = None,
        heeds_conditions: bool | None = None,
        heeds_findings: bool | None = None,
    ) -> Reader:
        """The same store as it would be judged with other outages or exclusions agreed, without operating conditions, or with all
        readings. What was read already is shared."""
        other = copy(self)
        other._agreed = self._agreed if agreed is None else agreed
        other._exclusions = self._exclusions if exclusions is None else exclusions
        other.heeds_conditions = self.heeds_conditions if heeds_conditions is None else heeds_conditions
        other.heeds_findings = self.heeds_findings if heeds_findings is None else heeds_findings
        other._records = {}
        other._states = {}
        return other

    def leaving_out(self, quality: ReadingQuality, of: Collection[tuple[str, str]]) -> Reader:
        """The same store, of some channels without the readings that findings are about. What was read already is shared.

        :param of: slot and name of each of those channels.
        """
        other = copy(self)
        other._leaves = quality
        other._leaves_of = frozenset(of if self.heeds_findings else ())
        return other

    def channel(self, slot: str, name: str) -> ChannelInfo:
        """One channel of the pilot, as whoever asks by this reader goes by it.

        :raises NotFound: the registry does not have it.
        """
        found = self._channel(slot, name)
        if self._leaves is None or (slot, name) not in self._leaves_of:
            return found
        return self._left_out.applied(found, self._leaves)

    def _channel(self, slot: str, name: str) -> ChannelInfo:
        found = self._channels.get((slot, name))
        if found is None:
            raise NotFound(f"Pilot {self.pilot!r} has no channel {slot}/{name} in its registry: apply its plan again.")
        return found

    def left_out(self, slot: str, name: str, required: Stretches) -> Left:
        """What of a channel's required time and its readings does not count, finding by finding."""
        assert self._leaves is not None
        return self._left_out.counted(self._channel(slot, name), self._leaves, required)

    def has(self, slot: str, name: str) -> bool:
        """Whether the registry has a channel at a slot."""
        return (slot, name) in self._channels

    def channels_of(self, slot: str) -> list[ChannelInfo]:
        """The channels of a slot, in the plan's order."""
        return [info for (name, _), info in self._channels.items() if name == slot]

    def installed_since_us(self, slot: str) -> int:
        """From when on a slot has to work: since its first device was to stand there."""
        spans = self._installed.get(slot)
        return spans[0][0] if spans else self.whole.start_us

    def not_installed(self, slot: str) -> Stretches:
        """Stretches between two devices in which the slot had none."""
        spans = self._installed.get(slot, ())
        return difference(joined([(spans[0][0], spans[-1][1])]), spans) if spans else ()

    def begun_us(self, slot: str) -> tuple[int, ...]:
        """When another device took a slot's place: what the one before had counted does not go on there."""
        if self._begun is None:
            self._begun = {}
            for row in devices(self.connection, self.pilot, self.as_of):
                if row.installed_at is not None:
                    self._begun.setdefault(row.slot, []).append(micros(row.installed_at))
        return tuple(sorted(self._begun.get(slot, ()))[1:])

    def record(self, slot: str) -> PlatformRecord:
        """What is recorded of the platform, and agreed of it and of the site, for one slot."""
        if slot not in self._records:
            self._records[slot] = replace(
                self.platform,
                agreed=agreed_for(self._agreed, slot, "platform"),
                site=agreed_for(self._agreed, slot, "site"),
            )
        return self._records[slot]

    def excluded(self, slot: str) -> Stretches:
        """Stretches of a slot that are left out of judgement, as agreed."""
        return excluded(self._exclusions, slot)

    def charges(self, slot: str, gaps: Stretches, channel: ChannelInfo | None = None) -> Charges:
        """To whom the gaps of a slot are charged.

        :param channel: whose gaps they are. What its own readings were unusable for is the company's, whatever the platform's
            record says of that time: it was heard.
        """
        record, away = self.record(slot), self.not_installed(slot)
        spoilt = () if channel is None else intersection(gaps, self.spoilt(channel))
        if not spoilt:
            return charge(gaps, record, away)
        silent, unusable = charge(difference(gaps, spoilt), record, away), charge(spoilt, record.heard, away)
        return Charges(
            company=union(silent.company, unusable.company),
            platform=union(silent.platform, unusable.platform),
            site=union(silent.site, unusable.site),
            nobody=union(silent.nobody, unusable.nobody),
        )

    def gaps(self, channel: ChannelInfo) -> Stretches:
        """While no reading of the channel stood that counts."""
        key = _key(channel)
        if key not in self._gaps:
            found = gaps(self.connection, channel, self.whole, self.as_of)
            self._gaps[key] = of_windows(found)
        return self._gaps[key]

    def spoilt(self, channel: ChannelInfo) -> Stretches:
        """While readings stood that do not count."""
        if channel.spoilt is None:
            return ()
        key = _key(channel)
        if key not in self._spoilt:
            heard = self._channel(channel.slot, channel.name)
            self._spoilt[key] = difference(self.gaps(channel), self.gaps(heard))
        return self._spoilt[key]

    def unheard(self, channel: ChannelInfo, groups: Sequence[Stretches]) -> list[list[Statistics]]:
        """The statistics with the readings that do not count: what of a channel was not heard at all."""
        return self.statistics(self._channel(channel.slot, channel.name), groups)

    def statistics(self, channel: ChannelInfo, groups: Sequence[Stretches]) -> list[list[Statistics]]:
        """The statistics of each stretch of each group; those that several KPIs need are read once."""
        known = self._statistics.setdefault(_key(channel), {})
        wanted = {window: None for group in groups for window in windows_of(group) if window not in known}
        found = statistics(self.connection, channel, list(wanted), self.as_of)
        known.update(zip(wanted, found, strict=True))
        return [[known[window] for window in windows_of(group)] for group in groups]

    def time_shares(
        self, channel: ChannelInfo, condition: Condition, groups: Sequence[Stretches]
    ) -> list[list[TimeShare]]:
        """The seconds during which a condition held, in each stretch of each group; each stretch is read once."""
        known = self._shares.setdefault((_key(channel), condition), {})
        wanted = {window: None for group in groups for window in windows_of(group) if window not in known}
        found = time_share(self.connection, channel, condition, list(wanted), self.as_of)
        known.update(zip(wanted, found, strict=True))
        return [[known[window] for window in windows_of(group)] for group in groups]

    def holding(self, channel: ChannelInfo, condition: Condition) -> tuple[Stretches, Stretches]:
        """While a condition held over the whole window, and while it did not; each condition is read once."""
        key = _key(channel), condition
        if key not in self._holding:
            true, false = holding(self.connection, channel, condition, self.whole, self.as_of)
            spoilt = self.spoilt(channel)
            self._holding[key] = difference(joined(true), spoilt), difference(joined(false), spoilt)
        return self._holding[key]

    def values(self, channel: ChannelInfo) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The readings themselves over the whole window; those of the last channel asked for are kept."""
        if self._values is None or self._values[0] != _key(channel):
            self._values = _key(channel), values(self.connection, channel, self.whole, self.as_of)
        return self._values[1]

    def due(self, channel: ChannelInfo, required: Stretches) -> Stretches:
        """Required time without those outages of ours or the site's in which readings were lost: none are expected there."""
        record = self.record(channel.slot)
        spoilt = self.spoilt(channel)
        lost = difference(self.gaps(channel), spoilt) if spoilt else self.gaps(channel)
        if spoilt:  # what was agreed excuses these too
            lost = union(lost, intersection(spoilt, record.heard.left_out))
        outages = tuple(span for span in record.left_out if intersection((span,), lost))
        return difference(required, outages) if outages else required

    def happenings(self, slot: str, kind: str, until: datetime) -> list[Happening]:
        """All events of one kind at a slot since the pilot's start: numbers are followed from there."""
        window = Window(start=self.whole.start, end=max(until, self.whole.start))
        found = events(self.connection, self._slot_ids[slot], kind, window, self.as_of)
        return [
            Happening(id=e.id, phase=e.phase, number=e.number, at_us=micros(e.at), attributes=e.attributes)
            for e in found
        ]

    def states(self, slot: str) -> States:
        """What a slot was over the whole window: up, down, left out or unknown."""
        if slot not in self._states:
            since_us = max(self.whole.start_us, self.installed_since_us(slot))
            required = joined([(since_us, self.whole.end_us)])
            self._states[slot] = states(
                required, self._standing(slot), self._link(slot), self.record(slot), self.not_installed(slot)
            )
        return self._states[slot]

    def _standing(self, slot: str) -> Stretches:
        """While a reading of any channel stood; one without a limit to its standing proves nothing."""
        whole = of_windows([self.whole])
        held = [info for info in self.channels_of(slot) if info.max_hold_s is not None]
        return union(*(difference(whole, self.gaps(info)) for info in held))

    def _link(self, slot: str) -> list[LinkChange]:
        if slot not in self._links:
            self._links[slot] = self._link_changes(slot)
        return self._links[slot]

    def _link_changes(self, slot: str) -> list[LinkChange]:
        found = link_states(self.connection, self._slot_ids[slot], self.whole, self.as_of)
        ends = [*(state.at for state in found), self.whole.end][1:]
        after = [
            Window(start=state.at + MICROSECOND, end=end)
            for state, end in zip(found, ends, strict=True)
            if state.state == "offline" and state.at + MICROSECOND < end
        ]
        first: dict[datetime, int] = {}
        for channel in self.channels_of(slot) if after else ():
            read = statistics(self.connection, channel, after, self.as_of)
            for window, one in zip(after, read, strict=True):
                if one.n:
                    first[window.start] = min(one.first_us, first.get(window.start, one.first_us))
        return [
            LinkChange(
                at_us=micros(state.at),
                online=state.state == "online",
                next_reading_us=first.get(state.at + MICROSECOND) if state.state == "offline" else None,
            )
            for state in found
        ]


def _key(channel: ChannelInfo) -> Key:
    return channel.channel_ids, channel.spoilt


def _platform(connection: Connection, pilot: str, whole: Window, as_of: datetime) -> PlatformRecord:
    """The platform's record within a window: what it was outside of it is nobody's question."""
    until = max(whole.start, min(whole.end, as_of))
    since = platform_known(connection, pilot, as_of)
    return PlatformRecord(
        alive=of_windows(platform_alive(connection, pilot, whole, as_of)),
        since_us=None if since is None or since >= until else max(micros(since), whole.start_us),
        until_us=micros(until),
    )


def _installed(connection: Connection, pilot: str, as_of: datetime) -> dict[str, Stretches]:
    """When each slot had a device, as far as it was recorded by then; the last one stands for ever."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for row in devices(connection, pilot, as_of):
        if row.installed_at is not None:
            end_us = 2**62 if row.removed_at is None else micros(row.removed_at)
            spans.setdefault(row.slot, []).append((micros(row.installed_at), end_us))
    return {slot: joined(found) for slot, found in spans.items()}

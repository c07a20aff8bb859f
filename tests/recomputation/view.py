"""What was known of a pilot at an instant: its plan, its platform, what was agreed, how its slots stood."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tests.recomputation import dates, sets, units
from tests.recomputation.conditions import outside, wheres
from tests.recomputation.dates import Cut, Span
from tests.recomputation.folder import NEVER, Folder, Readings, micros, micros_of
from tests.recomputation.sets import Micros, Set

GOES_ON_US = 330_000_000
MOST_EXCLUDED = 2.0

Dict = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Charged:
    """Gaps by who answers for them."""

    company: Set
    platform: Set
    site: Set
    nobody: Set


@dataclass(frozen=True, kw_only=True)
class States:
    """What a slot was: the four are apart from each other, and together the required time."""

    up: Set
    down: Set
    out: Set
    unknown: Set


def remembered(method: Callable[..., T]) -> Callable[..., T]:
    """Each answer is worked out once."""

    @wraps(method)
    def asked(self: View, *given: Any) -> T:
        return self.keep((method.__name__, *given), lambda: method(self, *given))

    return asked


class View:
    """A pilot as of an instant, over one cut of windows."""

    def __init__(
        self, folder: Folder, plan: Dict, cut: Cut, as_of: int, *, agreed: bool = True, excluding: bool = True
    ) -> None:
        """
        :param agreed: whether agreed outages count.
        :param excluding: whether agreed exclusions count.
        """
        self.folder, self.plan, self.cut, self.as_of = folder, plan, cut, as_of
        self.zone = ZoneInfo(plan["period"].get("timezone", "Asia/Seoul"))
        self._agreed, self._excluding = agreed, excluding
        self.memory: dict[Any, Any] = {}
        """What was worked out already."""

    def keep(self, key: Any, work_out: Callable[[], T]) -> T:
        """What a measure works out once."""
        if key not in self.memory:
            self.memory[key] = work_out()
        found: T = self.memory[key]
        return found

    # --- the plan

    @remembered
    def channel(self, slot: str, name: str) -> Dict:
        """What the plan says of a channel, with its defaults."""
        given = self.plan["slots"][slot]["channels"][name]
        reporting = given.get("reporting", "periodic")
        period = units.seconds(given["period"]) if reporting == "periodic" else None
        hold = given.get("max_hold")
        hold_s = units.seconds(hold) if hold is not None else None if period is None else 3 * period
        return {
            **given,
            "kind": given.get("kind", "gauge"),
            "unit": given.get("unit", "state"),
            "reporting": reporting,
            "period_us": None if period is None else period * 1e6,
            "hold_us": None if hold_s is None else round(hold_s * 1e6),
        }

    def slots_of(self, measure: Dict) -> list[str]:
        """The slots that a measure is about: those named, else all that have what it measures."""
        [(kind, of)] = measure.items()
        of = under(of)
        named = of.get("slots")
        return [
            slot
            for slot, given in self.plan["slots"].items()
            if (self._companys(given) if named is None else slot in named)
            and not (kind == "agreement" and slot == of["reference"]["slot"])
            and (self._detects(of, slot, given) if "match" in of or kind == "detection" else _fits(kind, of, given))
            and all(one["channel"] in (given.get("channels") or {}) for one in wheres(of))
        ]

    def _companys(self, given: Dict) -> bool:
        """Whether a slot is the company's: as it says, or as its connection says."""
        speaks = (self.plan.get("connections") or {}).get(given.get("connection"), {})
        return bool((given.get("owner") or speaks.get("side", "company")) == "company")

    def _detects(self, of: Dict, slot: str, given: Dict) -> bool:
        """Whether a slot has the alerts and the labels of a detection, or of the one that a match names."""
        named = of
        if "match" in of:
            kpi = self.plan["kpis"][of["match"]]
            parts = kpi.get("all", [kpi])
            named = next(part["measure"]["detection"] for part in parts if "detection" in part["measure"])
        events = given.get("events") or {}
        truth = (events.get(named["truth"]["labels"]) or {}).get("truth", False)
        return truth and named["alerts"] in events and (named.get("slots") is None or slot in named["slots"])

    # --- readings

    @remembered
    def readings(self, slot: str, name: str) -> Readings:
        """Those received by the instant, without those whose messages were decoded again by then."""
        every = self.folder.readings(slot, name)
        frame = self.folder.redecodings
        again = (frame["slot"] == slot) & (frame["channel"] == name)
        frame = frame[again.to_numpy() & (micros(frame["recorded_at"]) <= self.as_of)]
        kept = every.received <= self.as_of
        for since, until, revision in zip(
            micros(frame["received_from"]), micros(frame["received_until"]), frame["revision"], strict=True
        ):
            kept &= (every.revision != revision) | (every.received < since) | (every.received >= until)
        return every.where(kept)

    @remembered
    def stands(self, slot: str, name: str) -> Micros:
        """Until when each reading stands."""
        at, hold = self.readings(slot, name).at, self.channel(slot, name)["hold_us"]
        following = np.append(at[1:], NEVER) if len(at) else at
        if hold is not None:
            limit = at + hold
        else:
            lost = np.append(self._lost(slot), NEVER)
            limit = lost[np.searchsorted(lost, at, side="right")]
        until: Micros = np.minimum(limit, following)
        return until

    @remembered
    def gaps(self, slot: str, name: str) -> Set:
        """While no reading stands."""
        stood = sets.of(np.stack([self.readings(slot, name).at, self.stands(slot, name)], axis=1))
        return sets.without(sets.of([self.cut.whole]), stood)

    def heard(self, slot: str, name: str) -> Readings:
        """The readings with those that do not count."""
        return self.readings(slot, name)

    def spoilt(self, slot: str, name: str) -> Set:  # noqa: ARG002 - all readings count here
        """While readings stood that do not count."""
        return sets.EMPTY

    def parted(self, slot: str, name: str, one: Micros, other: Micros) -> NDArray[np.bool_]:  # noqa: ARG002
        """Whether readings that do not count lie between two instants each."""
        return np.zeros(len(one), dtype=np.bool_)

    def false_step(self, slot: str, name: str, one: Micros, other: Micros) -> NDArray[np.bool_]:
        """Whether a counter's step between two instants each is false."""
        return self.parted(slot, name, one, other)

    # --- who was there

    @cached_property
    def _heard(self) -> tuple[Set, int | None, int]:
        """While an intake was at work, since when anything is recorded, and up to when."""
        start, end = self.cut.whole[0], max(self.cut.whole[0], min(self.cut.whole[1], self.as_of))
        frame = self.folder.platform
        ours = frame["process"].str.startswith("collector") | (frame["process"] == f"loader:{self.plan['pilot']}")
        frame = frame[(ours & (micros(frame["recorded_at"]) <= self.as_of)).to_numpy()]
        spans = [EMPTY_PAIRS]
        for row in frame.itertuples():
            spans.append(np.stack([micros_of(row.heard_from), micros_of(row.heard_until)], axis=1))
        heard = np.concatenate(spans)
        since = int(heard[:, 0].min()) if len(heard) else None
        until = micros(frame["until_at"])
        recent = (until > self.as_of - GOES_ON_US) & (until <= self.as_of)
        last: dict[str, tuple[int, int, bool]] = {}
        for row, at, there in zip(frame.itertuples(), until.tolist(), recent.tolist(), strict=True):
            if there:
                last[row.process] = max(last.get(row.process, (0, 0, False)), (at, int(row.record_id), row.goes_on))
        going = [at for at, _, goes_on in last.values() if goes_on]
        if going:
            heard = np.concatenate([heard, [[max(going), end]]])
        return (
            sets.within(sets.of(heard), start, end),
            None if since is None or since >= end else max(since, start),
            end,
        )

    @remembered
    def agreed(self, slot: str, charged_to: str) -> Set:
        """Outages that were agreed, of one slot."""
        frame = self._in_force(self.folder.outages)
        if not self._agreed or frame.empty:
            return sets.EMPTY
        about = [_none(places) or slot in places for places in frame["slots"]]
        frame = frame[np.array(about, dtype=np.bool_) & (frame["charged_to"] == charged_to).to_numpy()]
        return sets.of(np.stack([micros(frame["start_at"]), micros(frame["end_at"])], axis=1))

    @remembered
    def platform_down(self, slot: str) -> Set:
        alive, since, until = self._heard
        own = sets.EMPTY if since is None else sets.without(sets.of([(since, until)]), alive)
        return sets.either(own, self.agreed(slot, "platform"))

    @remembered
    def unrecorded(self, slot: str) -> Set:
        """Before the platform's record begins, where nothing was agreed."""
        _, since, until = self._heard
        before = sets.of([(sets.FIRST, until if since is None else since)])
        return sets.without(before, sets.either(self.agreed(slot, "platform"), self.agreed(slot, "site")))

    @remembered
    def left_out(self, slot: str) -> Set:
        return sets.either(self.platform_down(slot), self.agreed(slot, "site"))

    def charge(self, slot: str, gaps: Set) -> Charged:
        """Divide gaps: no device, platform, site, nobody known, else the company."""
        bare = sets.both(gaps, self.bare(slot))
        rest = sets.without(gaps, bare)
        platform = sets.both(rest, self.platform_down(slot))
        rest = sets.without(rest, platform)
        site = sets.both(rest, self.agreed(slot, "site"))
        rest = sets.without(rest, site)
        nobody = sets.both(rest, self.unrecorded(slot))
        alive = sets.both(sets.without(rest, nobody), self._heard[0])
        return Charged(company=sets.either(bare, alive), platform=platform, site=site, nobody=nobody)

    def _in_force(self, frame: Any) -> Any:
        """Recorded by the instant and not withdrawn by then."""
        if frame.empty:
            return frame
        kept = (micros(frame["recorded_at"]) <= self.as_of) & (micros(frame["superseded_at"]) > self.as_of)
        return frame[kept]

    # --- devices

    @remembered
    def _installed(self, slot: str) -> list[Span]:
        frame = self.folder.installations
        known = (frame["slot"] == slot).to_numpy() & (micros(frame["recorded_at"]) <= self.as_of)
        frame = frame[known]
        removed = np.where(micros(frame["removal_recorded_at"]) <= self.as_of, micros(frame["removed_at"]), NEVER)
        return sorted(zip(micros(frame["installed_at"]).tolist(), removed.tolist(), strict=True))

    def since(self, slot: str) -> int:
        """When the slot's first device was to stand there."""
        found = self._installed(slot)
        return found[0][0] if found else self.cut.whole[0]

    def swaps(self, slot: str) -> list[int]:
        """When each device after the first took its place."""
        return [start for start, _ in self._installed(slot)[1:]]

    @remembered
    def bare(self, slot: str) -> Set:
        """Between two devices."""
        stood = sets.of(self._installed(slot))
        return sets.without(sets.of([(int(stood[0, 0]), int(stood[-1, 1]))]), stood) if len(stood) else sets.EMPTY

    # --- required time

    @remembered
    def excluded(self, slot: str) -> Set:
        """What was agreed to leave out, as far as it keeps within two per cent, in the order of its record."""
        frame = self._in_force(self.folder.exclusions)
        if not self._excluding or frame.empty:
            return sets.EMPTY
        frame = frame[(frame["slot"] == slot).to_numpy()].sort_values(["recorded_at", "exclusion_id"])
        judged = self.cut.whole
        if self.cut.month is not None:
            judged = (judged[0], dates.midnight(self.plan["evaluation"]["data_until"], self.zone))
        most = float((self.plan.get("exclusions") or {}).get("most", MOST_EXCLUDED)) / 100
        left = most * (judged[1] - judged[0])
        counted: list[Span] = []
        for start, end in zip(micros(frame["start_at"]).tolist(), micros(frame["end_at"]).tolist(), strict=True):
            takes = max(min(end, self.cut.whole[1]) - max(start, self.cut.whole[0]), 0)
            if 0 < takes <= left:
                left -= takes
                counted.append((start, end))
        return sets.of(counted)

    def required(self, slot: str, of: Dict, window: Span) -> Set:
        """The time in which something is asked of a slot."""
        whole = self._required(slot, of.get("hours"), tuple(of.get("days") or ()))
        key = ("required", slot, str(of))
        return sets.within(self.keep(key, lambda: sets.without(whole, outside(self, slot, of))), *window)

    @remembered
    def _required(self, slot: str, hours: str | None, weekdays: tuple[str, ...]) -> Set:
        minutes = None
        if hours is not None:
            start, end = (int(one[:2]) * 60 + int(one[3:]) for one in hours.split("-"))
            minutes = (start, end)
        found = dates.daily(self.cut.whole, self.zone, minutes, weekdays or None)
        found = sets.within(found, max(self.since(slot), self.cut.whole[0]), max(self.cut.whole[1], self.since(slot)))
        return sets.without(found, self.excluded(slot))

    def due(self, slot: str, name: str, required: Set) -> Set:
        """Required time less the whole of each outage in which readings were lost."""
        return sets.without(required, self._lost_to_outages(slot, name))

    @remembered
    def _lost_to_outages(self, slot: str, name: str) -> Set:
        gaps = self.gaps(slot, name)
        return sets.of([span for span in self.left_out(slot).tolist() if sets.length_in(gaps, np.array([span])) > 0])

    # --- availability

    @remembered
    def states(self, slot: str) -> States:
        """Divide the required time of a slot."""
        start, end = max(self.cut.whole[0], self.since(slot)), self.cut.whole[1]
        required = sets.of([(start, end)])
        names = list(self.plan["slots"][slot].get("channels", {}))
        held = [name for name in names if self.channel(slot, name)["hold_us"] is not None]
        whole = sets.of([self.cut.whole])
        standing = sets.either(*(sets.without(whole, self.gaps(slot, name)) for name in held))
        lost, proven = self._link_spans(slot, names)
        proven = sets.without(proven, self.left_out(slot))
        up = sets.without(sets.either(standing, proven), sets.either(lost, self.bare(slot)))
        up = sets.both(up, required)
        silent = sets.without(required, up)
        charged = self.charge(slot, silent)
        out = sets.either(charged.platform, charged.site)
        said = sets.both(sets.without(silent, out), lost)
        return States(
            up=up, down=sets.either(charged.company, said), out=out, unknown=sets.without(charged.nobody, said)
        )

    @remembered
    def _lost(self, slot: str) -> Micros:
        """When the link was lost."""
        frame = self._links(slot)
        found: Micros = np.unique(micros(frame[(frame["state"] == "offline").to_numpy()]["at"]))
        return found

    def _links(self, slot: str) -> Any:
        frame = self.folder.links
        return frame[(frame["slot"] == slot).to_numpy() & (micros(frame["received_at"]) <= self.as_of)]

    def _link_spans(self, slot: str, names: list[str]) -> tuple[Set, Set]:
        """While the link was lost, and while it was proven."""
        frame = self._links(slot)
        rows = sorted(zip(micros(frame["at"]).tolist(), frame["state"].tolist(), strict=True))
        rows = [row for row in rows if row[0] < self.cut.whole[1]]
        heard = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *(self.readings(slot, n).at for n in names)]))
        heard = heard[heard < self.cut.whole[1]]
        lost: list[Span] = []
        proven: list[Span] = []
        ends = [*(at for at, _ in rows), sets.LAST][1:]
        for (at, state), end in zip(rows, ends, strict=True):
            if state == "online":
                proven.append((at, end))
            else:
                after = heard[heard > at][:1].tolist()
                lost.append((at, min([end, *after])))
        return sets.of(lost), sets.of(proven)

    # --- events

    def events(self, slot: str, kind: str, until: int) -> Any:
        """Messages of a kind of event since the pilot began."""
        frame = self.folder.events
        at, received = micros(frame["at"]), micros(frame["received_at"])
        kept = (frame["slot"] == slot).to_numpy() & (frame["kind"] == kind).to_numpy() & (received <= self.as_of)
        kept &= (at >= self.cut.whole[0]) & (at < until)
        found = frame[kept].copy()
        found["us"] = at[kept]
        found["attributes"] = [json.loads(text) if isinstance(text, str) else text for text in found["attributes"]]
        return found


EMPTY_PAIRS: NDArray[np.int64] = np.empty((0, 2), dtype=np.int64)


def _none(places: Any) -> bool:
    return places is None or (isinstance(places, float) and np.isnan(places))


def under(of: Any) -> Dict:
    """What stands under a measure's kind; a channel may be named alone."""
    return {} if of is None else {"channel": of} if isinstance(of, str) else of


def _fits(kind: str, of: Dict, slot: Dict) -> bool:
    channels, events = slot.get("channels") or {}, slot.get("events") or {}
    if kind == "share":
        return of["while"]["channel"] in channels and all(
            (given if isinstance(given, str) else given["channel"]) in channels for given in _exposure(of)
        )
    if of.get("of") == "delay":
        return bool(channels) and of.get("channel", next(iter(channels))) in channels
    if kind in ("statistic", "integral", "increase", "sequence", "forecast", "agreement"):
        return of["channel"] in channels
    if kind == "capture":
        wanted = of.get("channels") or list(channels)
        return any(n in channels and channels[n].get("reporting", "periodic") == "periodic" for n in wanted)
    if kind == "availability":
        return True
    measured = per_channel(of)
    return of["event"] in events and (measured is None or measured in channels)


def _exposure(of: Dict) -> list[Any]:
    """What a share is of, where it is not of time."""
    return list(of["of"].values()) if isinstance(of.get("of"), dict) else []


def per_channel(of: Dict) -> str | None:
    """The channel that measures what events are counted by."""
    per = of.get("per")
    if not isinstance(per, dict) or "time" in per:
        return None
    [given] = per.values()
    return str(under(given)["channel"])

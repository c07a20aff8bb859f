"""One evaluation recomputed: every KPI's figures, its status or verdict, and the whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from tests.recomputation import (
    agreeing,
    arriving,
    dates,
    decide,
    detecting,
    events,
    manual,
    series,
    shares,
    sums,
    units,
)
from tests.recomputation.chance import Bounds
from tests.recomputation.conditions import of_plan
from tests.recomputation.dates import Cut, Span
from tests.recomputation.decide import NOWHERE, Away, Known
from tests.recomputation.folder import Folder
from tests.recomputation.found import Found, finite
from tests.recomputation.groups import grouped
from tests.recomputation.instruments import Instruments, instruments, moved_by, moved_limits
from tests.recomputation.leaving import leaving
from tests.recomputation.overall import overall
from tests.recomputation.printing import printed
from tests.recomputation.units import Target
from tests.recomputation.view import View, per_channel, under

Dict = dict[str, Any]


def evaluation(folder: Folder, kind: str, label: str, as_of: int) -> Dict:
    """What a result should say.

    :param kind: ``month``, ``date`` or ``final``.
    """
    version, plan = folder.plan(as_of)
    zone = ZoneInfo(plan["period"].get("timezone", "Asia/Seoul"))
    cut = _cut(plan, zone, kind, label, as_of)
    looks = [*plan["evaluation"].get("interim", []), plan["evaluation"]["data_until"]]
    judge = Judge(View(folder, plan, cut, as_of), 0.05 / len(looks))
    entries = [_turned(judge, name, kpi) for name, kpi in plan["kpis"].items()]
    found = {"plan": version, "window": cut.whole, "month": cut.month, "kpis": entries}
    if kind != "month":
        found["overall"] = overall(plan.get("overall") or {}, entries)
    return found


def _cut(plan: Dict, zone: ZoneInfo, kind: str, label: str, as_of: int) -> Cut:
    start, end = (dates.midnight(plan["period"][edge], zone) for edge in ("start", "end"))
    month: Span | None = None
    if kind == "month":
        first, last = dates.month(label, zone)
        month = max(first, start), min(last, end, as_of)
        whole = start, month[1]
    else:
        whole = start, dates.midnight(date.fromisoformat(label), zone)
    return Cut(whole=whole, month=month, quarters=dates.quarters(whole, zone), weeks=dates.weeks(whole, zone))


def _turned(judge: Judge, name: str, kpi: Dict) -> Dict:
    """A verdict that exclusions turn stays open."""
    entry = judge.entry(name, kpi)
    slots = {slot for part in parts_of(kpi) for slot in _slots(judge.view, part["measure"])} - {manual.WHOLE}
    if "verdict" in entry and any(len(judge.view.excluded(slot)) for slot in slots):
        view = judge.view
        bare = View(view.folder, view.plan, view.cut, view.as_of, excluding=False)
        if Judge(bare, judge.alpha).entry(name, kpi)["verdict"] != entry["verdict"]:
            return {**entry, "verdict": "inconclusive", "if_inconclusive": "committee"}
    return entry


def _slots(view: View, measure: Dict) -> list[str]:
    """The slots that a measure is about; of what people enter one without a name may stand for the pilot."""
    own = manual.normal(measure)
    return manual.slots_of(view.plan, own["manual"]) if "manual" in own else view.slots_of(measure)


def parts_of(kpi: Dict) -> list[Dict]:
    """Each promise of a KPI."""
    return list(kpi["all"]) if "all" in kpi else [{"measure": kpi["measure"], "target": kpi["target"]}]


@dataclass(frozen=True, kw_only=True)
class Case:
    """Some slots judged together."""

    found: Found
    month: Found | None
    answer: str
    ends: Bounds | None


class Judge:
    """Judges the KPIs of one view."""

    def __init__(self, view: View, alpha: float) -> None:
        self.view, self.alpha = view, alpha
        self.window_s = (view.cut.whole[1] - view.cut.whole[0]) / 1e6

    def entry(self, name: str, kpi: Dict) -> Dict:
        """One KPI: of several promises the first of the least favourable."""
        parts = parts_of(kpi)
        entries = [Promise(self, kpi, part, len(parts)).entry() for part in parts]
        said = "status" if self.view.cut.month is not None else "verdict"
        chosen = min(entries, key=lambda one: decide.RANK[one[said]])
        whole = {
            "id": name,
            "required": kpi.get("required", False),
            "weight": float(kpi.get("weight", 0)),
            "if_inconclusive": "committee" if chosen["kind"] == "forecast" else kpi.get("if_inconclusive", "committee"),
        }
        return {**chosen, **whole, **({"parts": entries} if "all" in kpi else {})}


class Promise:
    """One measure with its target."""

    def __init__(self, judge: Judge, kpi: Dict, part: Dict, promises: int) -> None:
        self.judge, self.view, self.kpi, self.promises = judge, judge.view, kpi, promises
        [(self.kind, of)] = manual.normal(part["measure"]).items()
        self.of = {**under(of), "conditions": of_plan(judge.view.plan, kpi)}
        self.view = leaving(judge.view, self.kind, self.of)
        self.slots = _slots(self.view, part["measure"])
        self.asked = units.target(part["target"])
        self.capability = (
            kpi.get("scope", "capability" if self.kind in ("mtbf", "detection") else "period") == "capability"
        )
        self.rule = kpi.get("decision") or ("confident" if self.capability else "estimate")
        self.group = kpi.get("group", "pooled")
        self.least = float(kpi.get("completeness", 75)) / 100
        self.limit = self._limit()

    # --- figures

    def _limit(self) -> Target | None:
        """The condition of a share, in the channel's unit."""
        if self.kind != "share" or "value" not in self.of["while"]:
            return None
        return units.target(self.of["while"]["value"]).to(
            self.view.channel(self.slots[0], self.of["while"]["channel"])["unit"]
        )

    def measure(
        self, slots: Sequence[str], window: Span, weeks: Sequence[Span], *, limit: Target | None, asked: Target
    ) -> Found:
        """The measure over some slots together."""
        view, of = self.view, self.of
        match self.kind:
            case "statistic" if of.get("of") == "delay":
                return arriving.delay(view, of, slots, window, weeks, asked)
            case "share" if isinstance(of.get("of"), dict):
                return arriving.exposed(view, of, slots, window, weeks)
            case "agreement":
                return agreeing.agreement(view, of, slots, window, weeks, asked)
            case "sequence":
                return arriving.frames(view, of, slots, window, weeks)
            case "forecast":
                return arriving.forecast(view, of, slots, window)
            case "statistic":
                return series.statistic(view, of, slots, window, weeks, asked)
            case "share":
                return shares.share(view, of, slots, window, weeks, limit)
            case "capture":
                return shares.capture(view, of, slots, window, weeks)
            case "availability":
                return shares.availability(view, of, slots, window, weeks)
            case "integral":
                return sums.integral(view, of, slots, window)
            case "increase":
                return sums.increase(view, of, slots, window)
            case "detection":
                return detecting.detection(view, of, slots, window)
            case "count" if "match" in of:
                return detecting.matched_count(view, of, slots, window)
            case "event_duration" if "match" in of:
                return detecting.matched_duration(view, of, slots, window, asked)
            case "event_ratio":
                return events.ratio(view, of, slots, window)
            case "count":
                return events.count(view, of, slots, window)
            case "event_rate":
                return events.rate(view, of, slots, window)
            case "manual":
                return manual.manual(view, of, slots, window, first=window is view.cut.whole)
            case "mtbf":
                return events.between_failures(view, of, slots, window)
            case "event_duration":
                return events.duration(view, of, slots, window, weeks, asked)
        raise ValueError(f"no such measure: {self.kind}")

    def figure(
        self, slots: Sequence[str], window: Span, weeks: Sequence[Span] = (), *, limit: Target | None = None
    ) -> Found:
        """The measure over slots as the plan groups them."""
        limit = limit or self.limit
        together = self.measure(slots, window, weeks, limit=limit, asked=self.asked)
        if self.group not in ("mean", "sum") or len(slots) < 2:
            return together
        alone = [self.measure([slot], window, weeks, limit=limit, asked=self.asked) for slot in slots]
        return grouped(alone, together, mean=self.group == "mean", least=self.least)

    def unit(self, found: Found) -> str:
        """The target's unit, or the measure's where the target has none."""
        own = self.asked.unit
        if units.alike(own, found.unit):
            return own
        return found.unit if own == "" else f"건/{own.partition('/')[2]}"

    def shown(self, value: float, found: Found) -> float:
        return units.convert(value, found.unit, self.unit(found), difference=found.difference)

    def _shown_ends(self, ends: Bounds | None, found: Found) -> Bounds | None:
        return None if ends is None else (self.shown(ends[0], found), self.shown(ends[1], found))

    # --- answers

    def entry(self) -> Dict:
        """The figures and the answer, for all slots or the worst of them."""
        case = self._worst() if self.group == "worst" and len(self.slots) > 1 else self._case(self.slots, self.promises)
        window_s = self.judge.window_s
        entry = {"unit": self.unit(case.found), "target": self.asked.to(self.unit(case.found)), "kind": self.kind}
        entry |= self._row(case.found, case.ends, window_s)
        month = self.view.cut.month
        if case.month is None or month is None:
            return {**entry, "verdict": case.answer}
        ends = self._gap_ends(case.month)
        entry["month"] = self._row(case.month, ends, (month[1] - month[0]) / 1e6)
        return {**entry, "status": case.answer}

    def _worst(self) -> Case:
        cases = [self._case([slot], len(self.slots) * self.promises) for slot in self.slots]
        least = min(decide.RANK[case.answer] for case in cases)
        first = next(case.answer for case in cases if decide.RANK[case.answer] == least)
        return min((case for case in cases if case.answer == first), key=self._margin)

    def _margin(self, case: Case) -> float:
        """How far inside its target a slot lies."""
        if case.found.value is None:
            return -math.inf
        value, target = self.shown(case.found.value, case.found), self.asked.to(self.unit(case.found))
        if math.isinf(value):
            return math.inf if target.holds(value) else -math.inf
        return min(value - target.low, target.high - value)

    def _case(self, slots: Sequence[str], several: int) -> Case:
        cut = self.view.cut
        found = self.figure(slots, cut.whole, cut.weeks)
        month = None if cut.month is None else self.figure(slots, cut.month)
        quarters = tuple(self.figure(slots, one).completeness for one in cut.quarters)
        known = self._known(found, quarters, slots, several)
        answer = decide.verdict(known) if month is None else decide.status(known, month.completeness)
        if self.kind == "manual" and found.value is not None and found.n < self.of.get("n_min", 0):
            answer = "insufficient"
        if self.kind == "forecast" and month is None and answer != "insufficient":
            answer = "inconclusive"  # what will be has not happened
        ends = known.ends if found.form is None and found.value is not None else None
        return Case(found=found, month=month, answer=answer, ends=ends)

    def _known(self, found: Found, quarters: tuple[float | None, ...], slots: Sequence[str], several: int) -> Known:
        target = self.asked.to(self.unit(found))
        band = self._band(found, slots)
        known = Known(
            target=target,
            capability=self.capability,
            rule=self.rule,
            least=self.least,
            value=None if found.value is None else self.shown(found.value, found),
            ends=self._gap_ends(found),
            fill=self._shown_ends(found.fill, found),
            chance=self._away(found, several) if self.capability else None,
            band=band,
            completeness=found.completeness,
            quarters=quarters,
        )
        if found.value is None and found.doubt is not None and found.doubt.per_event:
            bound = self._without_failures(found)
            low = None if bound is None else self.shown(bound[0], found)
            ends = None if low is None else (low, math.inf)
            value = None if low is None else math.inf
            return replace(known, value=value, ends=ends, fill=None, chance=NOWHERE, band=NOWHERE)
        if found.form is not None:
            return self._as_share(known, found, slots, several, band)
        return known

    def _as_share(self, known: Known, found: Found, slots: Sequence[str], several: int, band: Away | None) -> Known:
        """A percentile in its other form, where data lack or an interval decides."""
        form = found.form
        assert form is not None
        bounds = form.sampling(self.judge.alpha, self.judge.window_s)
        missed = form.sampling(self.judge.alpha / several, self.judge.window_s)
        incomplete = any(one is not None and one < self.least for one in (known.completeness, *known.quarters))
        if not incomplete and (bounds is None or not self.capability):
            return known
        away = None
        if bounds is not None and missed is not None:
            away = (form.share - bounds[0], bounds[1] - form.share, form.share - missed[0], missed[1] - form.share)
        if band is not None and band != NOWHERE and self.rule == "guarded":
            band = self._band_as_share(found, slots, form.share, band)
        return replace(
            known,
            target=Target(low=form.least),
            value=form.share,
            ends=form.ends or (form.share, form.share),
            fill=form.fill,
            chance=away,
            band=band,
        )

    def _band_as_share(self, found: Found, slots: Sequence[str], share: float, band: Away) -> Away:
        """How many fewer keep a target that is harder by the band, and how many more one that is easier."""
        target = self.asked.to(self.unit(found))
        harder = 1 if target.side == "low" else -1

        def kept(by: float) -> float:
            moved = replace(target, low=target.low + by, high=target.high + by)
            form = self.measure(slots, self.view.cut.whole, (), limit=None, asked=moved).form
            return share if form is None else form.share

        below, above = max(share - kept(harder * band[1]), 0.0), max(kept(-harder * band[3]) - share, 0.0)
        return below, above, below, above

    def _gap_ends(self, found: Found) -> Bounds | None:
        """The value's ends, in the target's unit; of a period those that print apart."""
        ends = self._shown_ends(found.ends, found)
        if ends is None or found.value is None or self.capability or math.isinf(ends[0]) or math.isinf(ends[1]):
            return ends
        unit = self.unit(found)
        target = self.asked.to(unit)
        if printed(ends[0], unit, target) != printed(ends[1], unit, target):
            return ends
        value = self.shown(found.value, found)
        return value, value

    # --- chance

    def _without_failures(self, found: Found) -> Bounds | None:
        """Of a time between failures that never came: its lower bound, with what may have been one counted."""
        if found.value is not None or found.doubt is None or not found.doubt.per_event:
            return None
        bound = found.doubt.sampling_of(found.doubt.most)(self.judge.alpha, self.judge.window_s)
        return None if bound is None else (bound[0], math.inf)

    def _distances(self, found: Found, alpha: float, window_s: float) -> tuple[float, float] | None:
        """How far the bounds lie from the value's ends, in the target's unit."""
        if found.value is None or not math.isfinite(found.value):
            return None
        bounds = found.sampling(alpha, window_s)
        if bounds is None:
            return None
        below, above = found.value - bounds[0], bounds[1] - found.value
        doubt = found.doubt
        if doubt is not None and doubt.most > found.n:
            most = doubt.sampling_of(doubt.most)(alpha, window_s)
            assert most is not None
            if doubt.per_event:
                below = doubt.exposure / doubt.most - most[0]
            else:
                above = most[1] - doubt.most / doubt.exposure
        unit = self.unit(found)
        return (
            units.convert(max(below, 0.0), found.unit, unit, difference=True),
            units.convert(max(above, 0.0), found.unit, unit, difference=True),
        )

    def _away(self, found: Found, several: int) -> Away | None:
        met = self._distances(found, self.judge.alpha, self.judge.window_s)
        missed = self._distances(found, self.judge.alpha / several, self.judge.window_s)
        return None if met is None or missed is None else (*met, *missed)

    def _row(self, found: Found, ends: Bounds | None, window_s: float) -> Dict:
        """Value, n, completeness and interval as a result shows them."""
        value = None if found.value is None else self.shown(found.value, found)
        bounds: Bounds | None
        if not self.capability:
            bounds = None if value is None else ends or (value, value)
        else:
            bounds = self._without_failures(found) or (
                found.sampling(self.judge.alpha, window_s) if found.value is not None or found.doubt else None
            )
            bounds = self._shown_ends(bounds, found)
            away = self._distances(found, self.judge.alpha, window_s)
            if bounds is not None and value is not None and math.isfinite(value) and away is not None:
                low, high = ends or (value, value)
                bounds = (low - away[0], high + away[1])
                if found.share:
                    bounds = max(bounds[0], 0.0), min(bounds[1], units.convert(100.0, "%", self.unit(found)))
        return {
            "value": finite(value),
            "infinite": value is not None and math.isinf(value),
            "n": found.n,
            "completeness": found.completeness,
            "interval": None if bounds is None else {"low": finite(bounds[0]), "high": finite(bounds[1])},
        }

    # --- instruments

    def _instruments(self, slots: Sequence[str]) -> Instruments | None:
        name = self.of.get("channel")
        if self.kind == "share":
            name = self.of["while"]["channel"]
        elif self.kind == "event_rate":
            name = per_channel(self.of)
        uninstrumented = ("capture", "availability", "sequence", "forecast")
        if name is None or self.kind in uninstrumented or self.of.get("of") == "delay":
            return None
        return instruments([self.view.channel(slot, name) for slot in slots])

    def _band(self, found: Found, slots: Sequence[str]) -> Away | None:
        """How far the instruments may have moved the value; None where nothing is known of them."""
        if self.rule != "guarded":
            return NOWHERE
        known = self._instruments(slots)
        if known is None:
            return NOWHERE
        if not known.known:
            return None
        if self.kind == "share":
            below, above = self._moved_share(found, slots)
        else:
            by = moved_by(self.kind, self.of, found, known)
            below = above = units.convert(by, found.unit, self.unit(found), difference=True)
        return (below, above, below, above) if known.certified else (below, above, 0.0, 0.0)

    def _moved_share(self, found: Found, slots: Sequence[str]) -> tuple[float, float]:
        """A share counted again with its limits moved by the widest band of the slots that are judged together."""
        known = self._instruments(slots)
        if known is None or self.limit is None or found.value is None:
            return 0.0, 0.0
        closer, wider = moved_limits(self.limit, known)
        whole = self.view.cut.whole
        less = 0.0 if closer is None else self.figure(slots, whole, limit=closer).value or 0.0
        more = self.figure(slots, whole, limit=wider).value
        unit = self.unit(found)
        return (
            units.convert(max(found.value - less, 0.0), "%", unit),
            units.convert(max((100.0 if more is None else more) - found.value, 0.0), "%", unit),
        )

"""Detections worked out again: windows drawn by hash, labels that count, pairs by scipy's solver of the assignment problem."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from tests.recomputation import chance, sets, units
from tests.recomputation.dates import Span, day_of
from tests.recomputation.events import events_of, holds
from tests.recomputation.folder import micros
from tests.recomputation.found import Doubt, Form, Found, Sampling, complete, share_of
from tests.recomputation.sets import Set
from tests.recomputation.units import Target
from tests.recomputation.view import View

_FAR = 10**12
Dict = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """An alert or a label."""

    start: int
    end: int
    said: Dict
    outcome: str = ""
    second: bool = False
    doubt: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """What became of one."""

    at: int
    what: str
    after: float | None = None
    doubt: bool = False


@dataclass(frozen=True, kw_only=True)
class Truth:
    """One slot's rows over all of its time, by the first and by the second readers, and where they count."""

    first: list[Row]
    second: list[Row] | None
    drawn: Set | None
    labelled: Set | None


def behind(plan: Dict, of: Dict) -> Dict:
    """The detection that a measure rests on."""
    if "match" not in of:
        return of
    kpi = plan["kpis"][of["match"]]
    parts = kpi.get("all", [kpi])
    return next(part["measure"]["detection"] for part in parts if "detection" in part["measure"])


def _labels(view: View, slot: str, truth: Dict) -> list[Stretch]:
    kind = truth["labels"]
    by = truth.get("by") or ["site", "team", "outside"]
    sides = [by] if isinstance(by, str) else by
    found = []
    frame = view._in_force(view.folder.labels)
    for row, start, end in zip(frame.itertuples(), micros(frame["start_at"]), micros(frame["end_at"]), strict=True):
        if (
            (row.slot, row.kind) != (slot, kind)
            or row.side not in sides
            or not (row.blind or not truth.get("blinded", True))
        ):
            continue
        said = json.loads(row.attributes) | ({"place": row.place} if row.place else {})
        found.append(
            Stretch(start=int(start), end=int(end), said=said, outcome=row.outcome, second=row.reader == 2)
        )  # fmt: skip
    for name, given in view.plan["slots"].items():
        if not ((given.get("events") or {}).get(kind) or {}).get("truth", False):
            continue
        speaks = (view.plan.get("connections") or {}).get(given.get("connection"), {}) or {}
        for one in events_of(view, name, kind):
            said = dict(one.attributes or {})
            if said.get("slot", name) != slot or (given.get("owner") or speaks.get("side", "company")) not in sides:
                continue
            if truth.get("blinded", True) and said.get("blind") is not True:
                continue
            outcome, end = said.get("outcome", "positive"), max(one.at, one.end or one.at)
            found.append(
                Stretch(start=one.at, end=end, said=said, outcome=outcome, second=said.get("reader") == 2)
            )  # fmt: skip
    return found


def _merged(given: Iterable[Stretch], of: Dict) -> list[Stretch]:
    gap = round(units.seconds(of["merge"]) * 1e6) if "merge" in of else 0
    found: dict[str, list[Stretch]] = {}
    for one in sorted(given, key=lambda stretch: (stretch.start, stretch.end)):
        kind = json.dumps([one.said.get(name) for name in of.get("same") or ()])
        rows = found.setdefault(kind, [])
        if rows and one.start - rows[-1].end < gap:
            rows[-1] = replace(rows[-1], end=max(rows[-1].end, one.end), doubt=rows[-1].doubt or one.doubt)
        else:
            rows.append(one)
    return [one for rows in found.values() for one in rows]


def _gap(one: Stretch, other: Stretch) -> int:
    return max(0, one.start - other.end, other.start - one.end)


def _pairs(alerts: Sequence[Stretch], labels: Sequence[Stretch], within: int, same: Sequence[str]) -> dict[int, int]:
    """Label → alert."""
    if not alerts or not labels:
        return {}
    costs = np.zeros((len(labels), len(alerts)))
    for i, label in enumerate(labels):
        for j, alert in enumerate(alerts):
            alike = all(name in label.said and alert.said.get(name) == label.said[name] for name in same)
            if alike and _gap(alert, label) <= within:
                costs[i, j] = _gap(alert, label) - _FAR
    rows, columns = linear_sum_assignment(costs)
    return {int(i): int(j) for i, j in zip(rows, columns, strict=True) if costs[i, j] < 0}


def _drawn(view: View, slot: str, of: Dict, required: Set) -> list[Span]:
    sample = of["truth"]["sample"]
    length = round(units.seconds(sample["window"]) * 1e6)
    number, unit = units.number_and_unit(str(sample["fraction"]))
    share = Fraction(repr(number)) / (100 if unit == "%" else 1)
    found = []
    for at in range(view.cut.whole[0] // length * length, view.cut.whole[1], length):
        written = datetime.fromtimestamp(at / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        head = hashlib.sha256(f"{sample['seed']}|{slot}|{written}".encode()).hexdigest()[:16]
        if Fraction(int(head, 16), 2**64) < share and sets.length_in(required, np.array([[at, at + length]])):
            found.append((at, at + length))
    return found


def _windows(one: Stretch, drawn: Sequence[Span]) -> set[Span]:
    if one.outcome == "empty" and one.end > one.start:
        return {window for window in drawn if one.start <= window[0] and window[1] <= one.end}
    return {window for window in drawn if window[0] <= one.start < window[1]}


def truth_of(view: View, of: Dict, slot: str) -> Truth:
    """Alerts and labels of a slot held against each other."""
    return view.keep(("truth", slot, json.dumps(of, default=str)), lambda: _truth_of(view, of, slot))


def _truth_of(view: View, of: Dict, slot: str) -> Truth:
    within = round(units.seconds(of["within"]) * 1e6)
    alerts = _merged(
        (
            Stretch(start=one.at, end=max(one.at, one.end or one.at), said=dict(one.attributes or {}))
            for one in events_of(view, slot, of["alerts"])
            if holds(of.get("where") or {}, one.attributes or {}) is not False
        ),
        of,
    )
    labels = _labels(view, slot, of["truth"])
    drawn: list[Span] | None = None
    if "sample" in of["truth"]:
        required = view.required(slot, of, view.cut.whole)
        drawn = _drawn(view, slot, of, required)
        near = sets.of([(start - within, end + within + 1) for start, end in drawn])
        starts = np.array([one.start for one in labels], dtype=np.int64)
        close = sets.has(near, starts).tolist()
        labels = [
            one
            for one, there in zip(labels, close, strict=True)
            if _windows(one, drawn) or (there and one.outcome != "empty")
        ]
    first = [one for one in labels if not one.second]
    theirs = [one for one in labels if one.second]
    other = None
    labelled = None
    if drawn is not None:
        mine = {window for one in first for window in _windows(one, drawn)}
        labelled = sets.of(sorted(mine))
        both = mine & {window for one in theirs for window in _windows(one, drawn)}
        if both:
            twice = [any(a <= one.start < b for a, b in both) for one in first]
            other = [one for one, gone in zip(first, twice, strict=True) if not gone]
            other += [one for one in theirs if any(a <= one.start < b for a, b in both)]
    elif theirs:
        mine_said = [one for one in first if one.outcome != "empty"]
        theirs_said = [one for one in theirs if one.outcome != "empty"]
        paired = set(_pairs(theirs_said, mine_said, within, ()))
        empty = [one for one in theirs if one.outcome == "empty"]
        kept = [
            one
            for place, one in enumerate(mine_said)
            if place not in paired and not any(gone.start <= one.start < gone.end for gone in empty)
        ]
        other = kept + theirs_said
    rows = [_rows(of, alerts, said, labels, within) for said in ([first] if other is None else [first, other])]
    return Truth(
        first=rows[0],
        second=rows[1] if other is not None else None,
        drawn=None if drawn is None else sets.of(drawn),
        labelled=labelled,
    )


def _rows(of: Dict, alerts: list[Stretch], said: list[Stretch], every: list[Stretch], within: int) -> list[Row]:
    where, same = of["truth"].get("where") or {}, of.get("same") or ()
    held = {id(one): holds(where, one.said) for one in said}
    happened = [one for one in said if one.outcome == "positive"]
    wanted = _merged([replace(one, doubt=held[id(one)] is None) for one in happened if held[id(one)] is not False], of)
    beside = _merged([one for one in happened if held[id(one)] is False], of)
    denied = [one for one in said if one.outcome == "negative"]
    pairs = _pairs(alerts, wanted, within, same)
    found = []
    for place, label in enumerate(wanted):
        alert = alerts[pairs[place]] if place in pairs else None
        what = "missed" if alert is None else "matched"
        after = None if alert is None else max(alert.start - label.start, 0) / 1e6
        found.append(Row(at=label.start, what=what, after=after, doubt=label.doubt))
    left = [alert for place, alert in enumerate(alerts) if place not in pairs.values()]
    explained = set(_pairs(left, beside, within, same).values())
    left = [alert for place, alert in enumerate(left) if place not in explained]
    refuted = set(_pairs(left, denied, within, ()).values())
    everywhere = (of["truth"].get("covers") or ("labelled" if of.get("designed") else "all")) == "all"
    for place, alert in enumerate(left):
        near = any(one.start - within <= alert.start <= one.end + within for one in every)
        if everywhere or near or place in refuted:
            found.append(Row(at=alert.start, what="false_alarm"))
    return found


@dataclass(frozen=True, kw_only=True)
class Counting:
    """One slot's rows that count in one window."""

    slot: str
    rows: list[Row]
    other: list[Row] | None
    required: int
    labelled: Set
    obtained: int
    expected: int


def counting(view: View, of: Dict, slots: Sequence[str], window: Span) -> list[Counting]:
    """What counts of each slot."""
    det, found = behind(view.plan, of), []
    for slot in slots:
        truth, states = truth_of(view, det, slot), view.states(slot)
        due = view.required(slot, of, window)
        required = sets.without(due, states.out)
        labelled = required if truth.labelled is None else sets.both(truth.labelled, required)
        obtained, expected = sets.length_in(states.up, due), sets.length(due) - sets.length_in(states.out, due)
        if truth.drawn is not None:
            obtained, expected = sets.length(labelled), sets.length_in(truth.drawn, required)

        def kept(rows: list[Row], labelled: Set = labelled, unknown: Set = states.unknown) -> list[Row]:
            at = np.array([row.at for row in rows], dtype=np.int64)
            there, doubtful = sets.has(labelled, at).tolist(), sets.has(unknown, at).tolist()
            return [
                replace(row, doubt=row.doubt or (row.what == "missed" and silent))
                for row, inside, silent in zip(rows, there, doubtful, strict=True)
                if inside
            ]

        found.append(
            Counting(
                slot=slot,
                rows=kept(truth.first),
                other=None if truth.second is None else kept(truth.second),
                required=sets.length(required),
                labelled=labelled,
                obtained=obtained,
                expected=expected,
            )
        )
    return found


_TRIALS = {
    "recall": ("matched", ("matched", "missed")),
    "precision": ("matched", ("matched", "false_alarm")),
    "false_rate": ("false_alarm", ("matched", "false_alarm")),
    "f1": ("matched", ("matched", "missed", "false_alarm")),
}


def detection(view: View, of: Dict, slots: Sequence[str], window: Span) -> Found:
    """Recall, precision, F1 or the share of false alarms."""
    good, some = _TRIALS[of["stat"]]
    parts = counting(view, of, slots, window)
    sampled, f1 = "sample" in of["truth"], of["stat"] == "f1"
    weights = [
        Fraction(part.required, sets.length(part.labelled)) if sampled and sets.length(part.labelled) else Fraction(1)
        for part in parts
    ]

    def share(which: str, doubtful: bool) -> Fraction | None:
        k = n = Fraction(0)
        for part, weight in zip(parts, weights, strict=True):
            rows = part.other if which == "other" and part.other is not None else part.rows
            counted = [row for row in rows if row.what in some and (doubtful or not row.doubt)]
            n += weight * len(counted)
            k += weight * sum(row.what == good for row in counted)
        return k / n if n else None

    def value_of(p: Fraction) -> float:
        p = 2 * p / (1 + p) if f1 else p
        return share_of(p.numerator, p.denominator)

    days: dict[tuple[int, date], list[int]] = {}
    numbers = [0] * len(parts)
    for place, part in enumerate(parts):
        for row in part.rows:
            if row.what in some and not row.doubt:
                numbers[place] += 1
                day = days.setdefault((place, day_of(row.at, view.zone)), [0, 0])
                day[0] += row.what == good
                day[1] += 1
    n, p = sum(numbers), share("first", False)
    every = [
        one
        for one in (share(which, doubt) for which in ("first", "other") for doubt in (False, True))
        if one is not None
    ]
    values = [value_of(one) for one in every]
    effect = 1.0
    if n:
        weighted = sum(w * m for w, m in zip(weights, numbers, strict=True))
        effect = float(n * sum(w * w * m for w, m in zip(weights, numbers, strict=True)) / weighted**2)

    def sampling(alpha: float, window_s: float) -> chance.Bounds | None:
        del window_s
        if p is None:
            return None
        size = float(n)
        if not of.get("designed", False):
            size = chance.clustered_size([(k, m) for _, (k, m) in sorted(days.items())], alpha)
        size = max(size / effect, min(1.0, size))
        low, high = chance.proportion(float(p) * size, size, alpha)
        return tuple(100 * (2 * end / (1 + end) if f1 else end) for end in (low, high))  # type: ignore[return-value]

    ends = (min(values), max(values)) if p is not None else None
    return Found(
        value=None if p is None else value_of(p),
        unit="%",
        n=n,
        completeness=complete(sum(part.obtained for part in parts), sum(part.expected for part in parts)),
        ends=ends,
        fill=ends if of["stat"] == "recall" and not sampled else None,
        sampling=sampling,
        share=True,
        trials=True,
    )


def matched_count(view: View, of: Dict, slots: Sequence[str], window: Span) -> Found:
    """How many outcomes of one kind; of a sample, for all of the time."""
    parts = counting(view, of, slots, window)
    rows = [row for part in parts for row in part.rows if row.what == of["outcome"]]
    least, most = sum(not row.doubt for row in rows), len(rows)
    required = sum(part.required for part in parts)
    labelled = sum(sets.length(part.labelled) for part in parts)
    sampled = any(sets.length(part.labelled) != part.required and part.required for part in parts)
    scale = (labelled / required if required else 0.0) if sampled else 1.0
    found = Found(
        value=least / scale if scale else None,
        unit="건",
        n=least,
        completeness=complete(sum(part.obtained for part in parts), sum(part.expected for part in parts)),
    )
    if not scale:
        return found
    exact = not sampled and of["outcome"] != "false_alarm"
    fill = (float(least), float(most) if exact else math.inf) if not sampled else None
    return replace(
        found,
        ends=(least / scale, most / scale),
        fill=fill,
        sampling=_poisson(least, scale),
        doubt=Doubt(most=most, exposure=scale, per_event=False, sampling_of=lambda number: _poisson(number, scale)),
    )


def _poisson(number: int, scale: float) -> Sampling:
    """Of independent events; the plans here ask for no others by their bounds."""

    def sampling(alpha: float, window_s: float) -> chance.Bounds | None:
        del window_s
        low, high = chance.count(number, alpha)
        return low / scale, high / scale

    return sampling


def matched_duration(view: View, of: Dict, slots: Sequence[str], window: Span, target: Target) -> Found:
    """From a label to its alert."""
    parts = counting(view, of, slots, window)
    rows = [row for part in parts for row in part.rows if row.what != "false_alarm"]

    def at(some: list[Row]) -> float | None:
        values = sorted(math.inf if row.after is None else row.after for row in some)
        if not values:
            return None
        if of["stat"] == "mean":
            return math.fsum(values) / len(values)
        if of["stat"] == "max":
            return values[-1]
        return values[max(math.ceil(Fraction(of["stat"][1:]) / 100 * len(values)), 1) - 1]

    sure = [row for row in rows if not row.doubt]
    value, asked = at(sure), target.to("s")
    ends = None
    if value is not None:
        both = [value, at(rows) or value]
        ends = (min(both), max(both))
    form = None
    if of["stat"].startswith("p") and sure and asked.side != "both":
        kept = sum(asked.holds(math.inf if row.after is None else row.after) for row in sure)
        p = float(of["stat"][1:]) / 100
        share = kept / len(sure)
        days: dict[tuple[int, date], list[int]] = {}
        for place, part in enumerate(parts):
            for row in part.rows:
                if row.what != "false_alarm" and not row.doubt:
                    day = days.setdefault((place, day_of(row.at, view.zone)), [0, 0])
                    day[0] += asked.holds(math.inf if row.after is None else row.after)
                    day[1] += 1
        pairs = [(k, n) for _, (k, n) in sorted(days.items())]
        form = Form(
            share=share, least=p if asked.side == "high" else 1 - p, fill=(share, share),
            sampling=lambda alpha, _: chance.clustered_proportion(pairs, alpha),
        )  # fmt: skip
    return Found(
        value=value,
        unit="s",
        n=len(sure),
        completeness=complete(sum(part.obtained for part in parts), sum(part.expected for part in parts)),
        ends=ends,
        fill=(value, value) if value is not None else None,
        form=form,
    )

"""Measures of how readings come and where they lead: frame numbers, delays, forecasts, and shares of what was gone."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped,unused-ignore]
import statsmodels.api as sm  # type: ignore[import-untyped,unused-ignore]
from scipy import optimize, stats  # type: ignore[import-untyped,unused-ignore]

from tests.recomputation import chance, dates, sets, units
from tests.recomputation.conditions import held
from tests.recomputation.dates import Span
from tests.recomputation.found import Form, Found, Sampling, complete, none, share_of
from tests.recomputation.series import counted_in, slice_of
from tests.recomputation.series import kept as kept_of
from tests.recomputation.sets import Micros, Set
from tests.recomputation.sums import integral_over, step
from tests.recomputation.units import Target
from tests.recomputation.view import View

Dict = dict[str, Any]


# --- frame numbers


def frames(view: View, of: Dict, slots: Sequence[str], window: Span, weeks: Sequence[Span] = ()) -> Found:
    """Unique numbers out of those sent, from a machine that takes one frame after the other."""
    heard = lost = doubtful = 0
    days: list[tuple[int, int]] = []
    blocks: list[chance.Block] = []
    connected = asked = 0.0
    periodic = all(view.channel(slot, of["channel"])["reporting"] == "periodic" for slot in slots)
    for slot in slots:
        there, gone = view.keep(("frames", slot, str(of)), lambda slot=slot: _frames(view, of, slot))
        required = view.required(slot, of, window)
        mine, missing = there[sets.has(required, there)], gone[sets.has(required, gone)]
        swapped = sets.has(view.bare(slot), missing)
        missing = missing[swapped | ~sets.has(view.left_out(slot), missing)]
        nobodys = sets.has(view.unrecorded(slot), missing) & ~sets.has(view.bare(slot), missing)
        charged = missing[~nobodys]
        heard, lost, doubtful = heard + len(mine), lost + len(charged), doubtful + int(nobodys.sum())
        good, bad = (_by_day(which, view) for which in (mine, charged))
        days += [(good[day], good[day] + bad[day]) for day in sorted(good.keys() | bad.keys())]
        states = view.states(slot)
        connected += sets.length_in(states.up, required)
        asked += sets.length(required) - sets.length_in(states.out, required)
    sent = heard + lost
    value = share_of(heard, sent) if sent else None
    ends = (share_of(heard, sent + doubtful), value) if value is not None else None

    if weeks:
        by_week = [frames(view, of, slots, week) for week in weeks]
        blocks = [
            ((week[0] + week[1]) / 2e6, float(one.n), (one.value or 0.0) / 100 if one.n else 0.0)
            for week, one in zip(weeks, by_week, strict=True)
        ]

    def sampling(alpha: float, window_s: float) -> chance.Bounds | None:
        low, high = chance.clustered_proportion(days, alpha)
        weekly = chance.weekly_share((value or 0.0) / 100, blocks, alpha, window_s) if weeks else None
        if weekly is not None:
            low, high = min(low, weekly[0]), max(high, weekly[1])
        return 100 * low, 100 * high

    return Found(
        value=value,
        unit="%",
        n=sent,
        completeness=complete(sent, sent + doubtful) if periodic else complete(connected, asked),
        ends=ends,  # type: ignore[arg-type]
        fill=ends if periodic else None,  # type: ignore[arg-type]
        sampling=sampling if value is not None else none,
        share=True,
        trials=True,
    )


def _by_day(at: Micros, view: View) -> Counter[Any]:
    return Counter(pd.to_datetime(at, unit="us", utc=True).tz_convert(str(view.zone)).date.tolist())


def _spread(start: int, end: int, count: int) -> list[int]:
    return [start + (end - start) * k // (count + 1) for k in range(1, count + 1)]


def _frames(view: View, of: Dict, slot: str) -> tuple[Micros, Micros]:
    """When frames were heard, each once, and when those were sent that were not."""
    channel, readings = view.channel(slot, of["channel"]), view.readings(slot, of["channel"])
    start, end = view.cut.whole
    wrap, period, first = of.get("wrap"), channel["period_us"], of.get("first", 0)
    by_fall = of.get("reset", "rejoin") == "rejoin"
    told = list(view.swaps(slot))
    if of.get("reset", "rejoin") in (view.plan["slots"][slot].get("events") or {}):
        told += view.events(slot, of.get("reset", "rejoin"), end)["us"].tolist()
    frames = [
        (at, int(number))
        for at, number in zip(readings.at.tolist(), readings.value.tolist(), strict=True)
        if start <= at < end and number >= 0 and number == math.floor(number) and number < (wrap or 2**53)
    ]
    since = max(start, view.since(slot))
    lost: list[int] = []
    if not frames:
        due = [] if period is None else _spread(since, end, round((end - since) / period))
        return np.empty(0, dtype=np.int64), np.array(due, dtype=np.int64)
    # One numbering is a dict of its numbers, unwrapped, with the instants at which each came.
    runs: list[dict[int, list[int]]] = []
    rejoins: list[bool] = []
    place = high = 0
    before: tuple[int, int] | None = None
    edges: list[tuple[int, int]] = []
    for at, number in frames:
        begins = before is None or any(before[0] < one <= at for one in told)
        rejoin = before is not None and begins
        if not begins and before is not None:
            forward = number - before[1]
            if wrap is not None:
                forward %= wrap
                forward -= wrap if forward > wrap // 2 else 0
            most = 16_384 if period is None else min(16_384, 2 * (at - before[0]) / period + 10)
            if forward > most or place + forward < high - 10:
                begins, rejoin = True, by_fall and number < before[1] / 2
            else:
                place += forward
                high = max(high, place)
        if begins:
            runs.append({})
            rejoins.append(rejoin)
            edges.append((at, at))
            place = high = number
        runs[-1].setdefault(place, []).append(at)
        edges[-1] = edges[-1][0], at
        before = at, number
    for run in runs:
        numbers = sorted(run)
        for one, other in itertools.pairwise(numbers):
            lost += _spread(run[one][0], run[other][0], other - one - 1)
        for instants in run.values():
            lost += instants[15:]
    for place in range(1, len(runs)):
        since_us, until_us = edges[place - 1][1], edges[place][0]
        due = 0 if period is None else max(round((until_us - since_us) / period) - 1, 0)
        began = next(iter(runs[place])) - first if rejoins[place] else 0
        lost += _spread(since_us, until_us, max(due, began if began <= 16_384 else 0))
    if period is not None:
        last = edges[-1][1]
        lost += [round(frames[0][0] - k * period) for k in range(1, _whole((frames[0][0] - since) / period) + 1)]
        lost += [round(last + k * period) for k in range(1, _whole((end - last) / period) + 1)]
    heard = [instants[0] for run in runs for instants in run.values()]
    return np.array(heard, dtype=np.int64), np.array(lost, dtype=np.int64)


def _whole(periods: float) -> int:
    """How many readings were due and are late by half a period at least."""
    return max(int(periods - 0.5), 0)


# --- delays


def delay(view: View, of: Dict, slots: Sequence[str], window: Span, weeks: Sequence[Span], target: Target) -> Found:
    """The delay that so many per cent do not exceed; what was lost exceeds any."""
    rows = [_delays(view, of, slot, window) for slot in slots]
    there = [row for row in rows if len(row["s"]) + row["lost"]]
    goal = target.to("s")
    value = _ranked(there, of["stat"], unsure=False) if there else None
    worst = None
    if there:
        worst = _ranked([row for row in rows if len(row["s"]) + row["lost"] + row["nobody"]], of["stat"], unsure=True)
    form = None
    if of["stat"] != "max" and goal.side != "both" and there:
        p = float(of["stat"][1:]) / 100
        share = _kept(rows, goal)
        blocks = []
        for week in weeks:
            parts = [_delays(view, of, slot, week) for slot in slots]
            heard = [part for part in parts if len(part["s"]) + part["lost"]]
            weight = math.fsum(part["us"] for part in heard) / 1e6
            blocks.append(((week[0] + week[1]) / 2e6, weight, _kept(parts, goal) if heard else 0.0))
        all_unknown = [row["nobody"] + row["silent"] for row in rows]
        form = Form(
            share=share,
            least=p if goal.side == "high" else 1 - p,
            fill=(_kept(rows, goal, all_unknown), _kept(rows, goal, all_unknown, 1)),
            sampling=lambda alpha, s: None if s < chance.YEAR_S else chance.weekly_share(share, blocks, alpha, s),
            ends=(min(_kept(rows, goal, [row["nobody"] for row in rows]), share), share),
        )
    return Found(
        value=value,
        unit="s",
        n=sum(len(row["s"]) + row["lost"] for row in rows),
        completeness=complete(sum(row["obtained"] for row in rows), sum(row["expected"] for row in rows)),
        ends=None if value is None or worst is None else (value, worst),
        form=form,
    )


def _delays(view: View, of: Dict, slot: str, window: Span) -> Dict:
    required = view.required(slot, of, window)
    names = [of["channel"]] if "channel" in of else list(view.plan["slots"][slot]["channels"])
    seconds: list[np.ndarray] = []
    lost = nobody = ours = silent = obtained = expected = 0
    periodic = False
    for name in names:
        every = view.folder.readings(slot, name)
        frame = pd.DataFrame({"at": every.at, "got": every.received, "flags": every.flags})
        frame = frame[sets.has(required, every.at) & (frame["got"] <= view.as_of) & (frame["flags"] & 32 == 0)]
        odd = frame["flags"] & (1 | 2 | 16) != 0
        outages = view.left_out(slot)
        late = np.zeros(len(frame), dtype=bool)
        for start, end in outages.tolist():
            late |= ((frame[["at", "got"]].min(axis=1) < end) & (frame[["at", "got"]].max(axis=1) >= start)).to_numpy()
        live = frame[~odd & ~late]
        thousandths = np.ceil((live["got"] - live["at"]).to_numpy() / 1000)
        ahead = thousandths < -1000
        seconds.append(np.maximum(thousandths[~ahead], 0) / 1000)
        ours += int((late & ~odd).sum())
        silent += int(odd.sum()) + int(ahead.sum())
        channel = view.channel(slot, name)
        if channel["reporting"] == "periodic":
            periodic = True
            due = view.due(slot, name, required)
            at, period = view.readings(slot, name).at, channel["period_us"]
            missing, wanted = counted_in(at, due, period)
            unsure = min(counted_in(at, sets.both(due, view.unrecorded(slot)), period)[0], missing)
            lost, nobody = lost + missing - unsure, nobody + unsure
            obtained, expected = obtained + wanted - missing, expected + wanted
    if not periodic:
        states = view.states(slot)
        obtained = sets.length_in(states.up, required)
        expected = sets.length(required) - sets.length_in(states.out, required)
    together = np.sort(np.concatenate(seconds)) if seconds else np.empty(0)
    heard = len(together) + ours
    telling = heard / (heard + silent) if heard + silent else 1.0
    return {
        "s": together, "lost": lost, "nobody": nobody, "silent": silent, "us": sets.length(required),
        "obtained": obtained * telling, "expected": expected,
    }  # fmt: skip


def _ranked(rows: Sequence[Dict], stat: str, *, unsure: bool) -> float:
    never = [row["lost"] + (row["nobody"] if unsure else 0) for row in rows]
    if stat == "max":
        return math.inf if any(never) else max(float(row["s"][-1]) for row in rows)
    p = float(stat[1:]) / 100
    if len(rows) == 1:
        every = np.concatenate([rows[0]["s"], np.full(never[0], np.inf)])
        return float(np.quantile(every, p, method="inverted_cdf"))
    whole = sum(row["us"] for row in rows)
    frame = pd.concat(
        [
            pd.DataFrame({"s": np.append(row["s"], np.inf), "w": np.append(
                np.full(len(row["s"]), row["us"] / whole / (len(row["s"]) + gone)),
                gone * row["us"] / whole / (len(row["s"]) + gone),
            )})
            for row, gone in zip(rows, never, strict=True)
        ]
    ).sort_values("s")  # fmt: skip
    reached = frame["w"].cumsum()
    return float(frame["s"][reached >= p - 1e-12].iloc[0])


def _kept(rows: Sequence[Dict], goal: Target, more: Sequence[int] = (), kept: int = 0) -> float:
    others = more or [0] * len(rows)
    there = [(row, extra) for row, extra in zip(rows, others, strict=True) if len(row["s"]) + row["lost"] + extra]
    whole = sum(row["us"] for row, _ in there)
    total = 0.0
    for row, extra in there:
        good = kept_of(row["s"], goal) + (row["lost"] if goal.side == "low" else 0)
        total += row["us"] / whole * (good + kept * extra) / (len(row["s"]) + row["lost"] + extra)
    return total


# --- forecasts


def forecast(view: View, of: Dict, slots: Sequence[str], window: Span) -> Found:
    """Where the line through the last discharge comes to its level."""
    lines = [_line(view, of, slot, window) for slot in slots]
    every = [slice_of(view, slot, of["channel"], view.required(slot, of, window)) for slot in slots]
    value = None if any(line is None for line in lines) else min(line["days"] for line in lines if line is not None)
    first = None if value is None else next(line for line in lines if line is not None and line["days"] == value)
    return Found(
        value=value,
        unit="d",
        n=sum(len(one.value) for one in every),
        completeness=complete(sum(one.obtained for one in every), sum(one.expected for one in every)),
        ends=None if value is None else (value, value),
        sampling=none if first is None else lambda alpha, _: _predicted(first, alpha),
    )


def _line(view: View, of: Dict, slot: str, window: Span) -> Dict | None:
    required = view.required(slot, of, window)
    readings = view.readings(slot, of["channel"])
    inside = sets.has(required, readings.at)
    if not inside.any():
        return None
    frame = pd.DataFrame({"at": readings.at[inside], "level": readings.value[inside]})
    frame["day"] = pd.to_datetime(frame["at"], unit="us", utc=True).dt.tz_convert(str(view.zone)).dt.date
    days = frame.groupby("day").agg(first=("at", "min"), last=("at", "max"), level=("level", "mean"))
    days["t"] = (days["first"] + days["last"]) / 2 / dates.DAY_US
    unit = view.channel(slot, of["channel"])["unit"]
    number, written = units.number_and_unit(of["until"])
    until = float(units.convert(number, written, unit))
    rise = max(days["level"].max() - until, 0.0) / 10
    if "recharge" in of:
        number, written = units.number_and_unit(of["recharge"])
        rise = units.convert(number, written, unit, difference=True)
    begin, low, top, charging = 0, math.inf, -math.inf, False
    for place, level in enumerate(days["level"].tolist()):
        if place == 0:
            low = top = level
        elif charging and level > top:
            begin, low, top = place, level, level
        elif level - low > rise and low < top:
            begin, low, top, charging = place, level, level, True
        else:
            charging, low = False, min(low, level)
    days = days.iloc[begin:]
    if len(days) < 7:
        return None
    x = (days["t"] - days["t"].mean()).to_numpy()
    lags = int(4 * (len(days) / 100) ** (2 / 9))
    fitted = sm.OLS(days["level"].to_numpy(), sm.add_constant(x)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}
    )
    mean, slope = fitted.params
    since = days["t"].iloc[0] if of.get("stat", "life") == "life" else window[1] / dates.DAY_US
    ahead = float(days["t"].mean() - since)
    crossing = math.inf if slope >= 0 else float(max(ahead + (until - mean) / slope, 0.0))
    return {"fit": fitted, "until": until, "ahead": ahead, "days": crossing, "n": len(days)}


def _predicted(line: Dict, alpha: float) -> chance.Bounds:
    """Where the edges of the band come to the level, found by looking for them."""
    fitted, q = line["fit"], float(stats.t.isf(alpha, line["n"] - 2))

    def edge(x: float, sign: int) -> float:
        row = np.array([1.0, x])
        variance = float(row @ fitted.cov_params() @ row) + float(fitted.mse_resid)
        return float(row @ fitted.params) + sign * q * math.sqrt(variance) - line["until"]

    ends: list[float] = []
    for sign in (-1, 1):
        far = 1e7
        if edge(far, sign) >= 0:
            ends.append(math.inf)
            continue
        near = max((x for x in np.arange(-2000.0, 5000.0, 1.0).tolist() if edge(x, sign) >= 0), default=None)
        if near is None:
            ends.append(0.0)
            continue
        crossing = float(optimize.brentq(edge, near, far, (sign,), xtol=1e-12, rtol=1e-14))
        ends.append(max(line["ahead"] + crossing, 0.0))
    return ends[0], ends[1]


# --- shares of an exposure


def exposed(view: View, of: Dict, slots: Sequence[str], window: Span, weeks: Sequence[Span]) -> Found:
    """What was gone while a condition held, out of all."""
    [(kind, given)] = of["of"].items()
    by = {"channel": given} if isinstance(given, str) else given

    def figures(span: Span) -> list[float]:
        total = [0.0] * 4
        for slot in slots:
            required = view.required(slot, of, span)
            true, false = held(view, slot, of["while"])
            charged = view.charge(slot, sets.without(sets.of([view.cut.whole]), sets.either(true, false)))
            for place, part in enumerate((true, false, charged.company, charged.nobody)):
                total[place] += _gone(view, slot, kind, by, sets.both(required, part))
        return total

    true, false, company, nobody = figures(window)
    known = true + false + company
    value = 100 * true / known if known > 0 else None
    ends = None if value is None else (100 * true / (known + nobody), 100 * (true + nobody) / (known + nobody))
    blocks = []
    for week in weeks:
        a, b, c, _ = figures(week)
        blocks.append(((week[0] + week[1]) / 2e6, a + b + c, a / (a + b + c) if a + b + c > 0 else 0.0))
    rows = []
    for slot in slots:
        required = view.required(slot, of, window)
        both = [slice_of(view, slot, name, required) for name in (by["channel"], of["while"]["channel"])]
        worse = min(both, key=lambda one: one.obtained / one.expected if one.expected else 1.0)
        rows.append((len(both[0].value), worse.obtained, worse.expected))
    return Found(
        value=value,
        unit="%",
        n=sum(row[0] for row in rows),
        completeness=complete(sum(row[1] for row in rows), sum(row[2] for row in rows)),
        ends=ends,
        fill=ends,
        sampling=_by_weeks(value, blocks),
        blocks=blocks,
        share=True,
        trials=True,
    )


def _by_weeks(value: float | None, blocks: Sequence[chance.Block]) -> Sampling:
    if value is None or not blocks:
        return none
    weights = np.array([weight for _, weight, _ in blocks if weight > 0])
    weighing = float(1 + (weights.std() / weights.mean()) ** 2) if len(weights) else 1.0

    def sampling(alpha: float, window_s: float) -> chance.Bounds | None:
        found = chance.weekly_share(value / 100, blocks, alpha, window_s, weighing)
        return None if found is None else (100 * found[0], 100 * found[1])

    return sampling


def _gone(view: View, slot: str, kind: str, by: Dict, stretches: Set) -> float:
    if kind == "integral":
        return integral_over(view, slot, by["channel"], stretches)[0]
    readings = view.readings(slot, by["channel"])
    low, high = view.cut.whole
    kept = (readings.at >= low) & (readings.at < high)
    at, value = readings.at[kept], readings.value[kept]
    went = np.array([step(a, b, by.get("wrap"))[0] for a, b in itertools.pairwise(value.tolist())])
    one, other = at[:-1], at[1:]
    for swap in view.swaps(slot):
        went[(one < swap) & (swap <= other)] = 0.0
    total = []
    for start, end in stretches.tolist():
        touching = slice(np.searchsorted(other, start, side="right"), np.searchsorted(one, end))
        inside = np.minimum(other[touching], end) - np.maximum(one[touching], start)
        total.append(math.fsum(went[touching] * inside / (other[touching] - one[touching])))
    return math.fsum(total)

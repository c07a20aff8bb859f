"""What people entered, recomputed: means of answers, sums and rates of counts, sums, means and last values."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd  # type: ignore[import-untyped,unused-ignore]
from scipy import stats

from tests.recomputation import chance, dates
from tests.recomputation.chance import Bounds
from tests.recomputation.dates import Span
from tests.recomputation.folder import micros
from tests.recomputation.found import Found, Sampling, complete
from tests.recomputation.view import View

WHOLE = ""


def normal(measure: dict[str, Any]) -> dict[str, Any]:
    """``event_rate: {manual: …, per: {manual: …}}`` in its other form."""
    rate = measure.get("event_rate")
    if not isinstance(rate, dict) or "manual" not in rate:
        return measure
    rest = {key: value for key, value in rate.items() if key not in ("manual", "per")}
    return {"manual": {"of": rate["manual"], "stat": "rate", **rest}}


def slots_of(plan: dict[str, Any], of: dict[str, Any]) -> list[str]:
    """The slots of a quantity that are asked for, or one without a name for the pilot as a whole."""
    own = plan["manual"][of["of"]].get("slots")
    if own is None:
        return [WHOLE]
    return [slot for slot in plan["slots"] if slot in own and slot in of.get("slots", own)]


def manual(view: View, of: dict[str, Any], slots: Sequence[str], window: Span, *, first: bool) -> Found:
    """:param first: whether it is the whole of the judged window."""
    declared = view.plan["manual"][of["of"]]
    frames, days = [], [0.0, 0.0]
    for slot in slots:
        known = _known(view, of["of"], slot)
        inside = known[_inside(known, view.cut.whole)]
        frames.append(known[_inside(known, window)])
        covered = (
            _days(view, inside, slot, window)
            if of["stat"] in ("sum", "rate")
            else (1.0 if len(inside) or not first else 0.0, 1.0)
        )
        days = [days[0] + covered[0], days[1] + covered[1]]
    rows = pd.concat(frames) if frames else pd.DataFrame()
    there = complete(*days)
    if declared.get("kind", "value") == "count":
        return _counts(rows, of, declared, there)
    if declared.get("kind") == "sample":
        return _answers(rows, declared, there)
    value = _of_values(rows, of["stat"])
    return Found(value=value, unit=declared["unit"], n=len(rows), completeness=there, ends=_same(value))


def _known(view: View, quantity: str, slot: str) -> Any:
    frame = view._in_force(view.folder.manual)
    if frame.empty:
        return frame.assign(start=[], end=[])
    named = frame["slot"].fillna(WHOLE) == slot
    frame = frame[named & (frame["quantity"] == quantity)]
    frame = frame.assign(start=micros(frame["start_at"]), end=micros(frame["end_at"])).sort_values(
        ["start", "manual_id"]
    )
    if slot == WHOLE or frame.empty:
        return frame
    out = view.excluded(slot)
    hidden = [
        any(low <= a and max(b, a + 1) <= high for low, high in out)
        for a, b in zip(frame["start"], frame["end"], strict=True)
    ]
    return frame[~np.array(hidden, dtype=bool)]


def _inside(frame: Any, window: Span) -> Any:
    instant = frame["start"] == frame["end"]
    within = (frame["start"] >= window[0]) & (frame["end"] <= window[1])
    return within & (~instant | (frame["start"] < window[1]))


def _days(view: View, rows: Any, slot: str, window: Span) -> tuple[float, float]:
    """Days that entries cover whole, out of those of the window that are not excluded altogether."""
    zone = ZoneInfo(view.plan["period"].get("timezone", "Asia/Seoul"))
    out = [] if slot == WHOLE else [tuple(span) for span in view.excluded(slot)]
    spans = list(zip(rows["start"], rows["end"], strict=True))
    covered = expected = 0
    day = datetime.fromtimestamp(window[0] / 1e6, UTC).astimezone(zone).date()
    while (low := dates.midnight(day, zone)) < window[1]:
        high = dates.midnight(day + timedelta(days=1), zone)
        rest = _minus([(max(low, window[0]), min(high, window[1]))], out)
        if rest:
            expected += 1
            covered += not _minus(rest, spans)
        day += timedelta(days=1)
    return float(covered), float(expected)


def _minus(some: list[Any], other: list[Any]) -> list[Any]:
    for low, high in other:
        some = [piece for a, b in some for piece in ((a, min(b, low)), (max(a, high), b)) if piece[0] < piece[1]]
    return some


def _same(value: float | None) -> Bounds | None:
    return None if value is None else (value, value)


def _counts(rows: Any, of: dict[str, Any], declared: dict[str, Any], there: float | None) -> Found:
    rate = of["stat"] == "rate"
    unit = declared["unit"] + (f"/{declared['exposure']['unit']}" if rate else "")
    if not len(rows):
        return Found(value=None, unit=unit, n=0, completeness=there)
    events = int(rows["value"].sum())
    exposure = float(rows["exposure"].sum()) if rate else 1.0
    weights = rows["exposure"] if rate else np.maximum(rows["end"] - rows["start"], 1)
    days = [(int(n), float(weight)) for n, weight in zip(rows["value"], weights, strict=True)]

    def sampling(alpha: float, window_s: float) -> Bounds | None:
        del window_s
        low, high = (
            chance.count(events, alpha) if of.get("independent") else chance.clustered_count(events, days, alpha)
        )
        return low / exposure, high / exposure

    value = events / exposure
    fill = None if rate else (value, math.inf)
    return Found(value=value, unit=unit, n=events, completeness=there, ends=_same(value), fill=fill, sampling=sampling)


def _answers(rows: Any, declared: dict[str, Any], there: float | None) -> Found:
    """Every answer of which only the mean and the spread are known stands for two kinds of answers with that mean and spread."""
    if not len(rows):
        return Found(value=None, unit=declared["unit"], n=0, completeness=there)
    n, total, squares = 0, 0.0, 0.0
    for row in rows.itertuples():
        if isinstance(row.scores, str):
            answers = np.array(json.loads(row.scores), dtype=np.float64)
            n, total, squares = n + len(answers), total + answers.sum(), squares + (answers**2).sum()
        else:
            size, spread = int(row.n), 0.0 if math.isnan(row.sd) else row.sd
            n, total = n + size, total + size * row.value
            squares += (size - 1) * spread**2 + size * row.value**2
    mean = total / n
    spread = math.sqrt(max(squares - n * mean**2, 0.0) / (n - 1)) if n > 1 else math.nan
    low, high = declared["range"]
    return Found(
        value=mean, unit=declared["unit"], n=n, completeness=there, ends=_same(mean),
        sampling=_student(mean, spread, n, float(low), float(high)),
    )  # fmt: skip


def _student(mean: float, spread: float, n: int, low: float, high: float) -> Sampling:
    def sampling(alpha: float, window_s: float) -> Bounds | None:
        del window_s
        if n < 2:
            return None
        if spread < 1e-7:  # all alike: the rest of the range is open to as many as none of n leaves room for
            others = float(stats.beta.isf(alpha, 1, n))
            below, above = mean - others * (mean - low), mean + others * (high - mean)
        else:
            below, above = stats.t.interval(1 - 2 * alpha, n - 1, loc=mean, scale=spread / math.sqrt(n))
        return max(float(below), low), min(float(above), high)

    return sampling


def _of_values(rows: Any, stat: str) -> float | None:
    if not len(rows):
        return None
    if stat == "last":
        return float(rows.sort_values(["end", "start", "manual_id"])["value"].iloc[-1])
    return float(rows["value"].sum() if stat == "sum" else rows["value"].mean())

"""Whether the segments of a measuring device may be taken together: only where a pair shows that both measured alike.

A pair is what the device before a change and the one after it said of the same quantity: side by side (collocation), or each
against the same reference (calibration). They agree where \\|Δ| ≤ 2·√(u₁² + u₂²), with the standard uncertainties of both: the
criterion of two results that are independent of each other, at a coverage of about 95 %.

:source: GUM (JCGM 100:2008), 5.1.2: combined standard uncertainty, here of a difference. The E_n score of ISO 13528 is the same
   bound, written with expanded uncertainties: |E_n| ≤ 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from core.language import date_text, with_unit
from core.numbers import printed
from core.units import parse_quantity
from core.window import Window
from devices.plan.calibration import Calibration, Shown
from devices.plan.measured_unit import channel_of
from devices.plan.model import Kpi, Plan
from kpi.asked import measuring
from kpi.quantity import converted


class Stretch(Protocol):
    """A segment of a slot."""

    @property
    def window(self) -> Window: ...


def pooling_of(plan: Plan, kpi: Kpi, changed: Mapping[str, Sequence[Stretch]]) -> dict[str, Any] | None:
    """Whether a KPI's segments may be taken together, with a row for every change of a device.

    :param kpi: one that promises one thing.
    :param changed: the segments of each slot that has several, in the order of time.
    :returns: ``{"pooled", "channel", "unit", "changes": [{"slot", "day", …}]}``; None where no instrument has a part in the
        value, or no slot of the KPI has several.
    """
    one, channels = channel_of(kpi.measure), measuring(plan, kpi)
    if one is None or not any(slot in channels for slot in changed):
        return None
    rows = [
        row
        for slot, segments in changed.items()
        if slot in channels
        for row in _changes(plan, slot, one[0], segments, channels[slot].canonical_unit)
    ]
    unit = next(channels[slot].canonical_unit for slot in changed if slot in channels)
    return {"pooled": all(row["agrees"] for row in rows), "channel": one[0], "unit": unit, "changes": rows}


def _changes(plan: Plan, slot: str, channel: str, segments: Sequence[Stretch], unit: str) -> Iterator[dict[str, Any]]:
    pairs = [pair for pair in plan.calibrations if (pair.slot, pair.channel) == (slot, channel)]
    borders = list(pairwise(segments))
    for before, after in borders:
        # A pair that fits two changes of one day says nothing of either.
        own = [
            pair
            for pair in pairs
            if _fits(pair, before, after, plan.zone) and sum(_fits(pair, *border, plan.zone) for border in borders) == 1
        ]
        found = {"slot": slot, "day": after.window.start.astimezone(plan.zone).date()}
        if not own:
            yield {**found, "agrees": False, "pair": None}
        for pair in own:
            yield {**found, **compared(pair, unit)}


def _fits(pair: Calibration, before: Stretch, after: Stretch, zone: ZoneInfo) -> bool:
    removed, installed = (one.astimezone(zone).date() for one in (before.window.end, after.window.start))
    return removed <= pair.change <= installed


def compared(pair: Calibration, unit: str) -> dict[str, Any]:
    """What a pair says, in the channel's unit.

    >>> shown = {"slot": "a", "channel": "pm25", "change": "2026-05-02", "date": "2026-05-02", "certificate": "KTL-7", "k": 2,
    ...          "before": {"value": "41.2 ug/m^3", "uncertainty": "1.6 ug/m^3"},
    ...          "after": {"value": "0.0392 mg/m^3", "uncertainty": "1.2 ug/m^3"}}
    >>> found = compared(Calibration.model_validate(shown), "ug/m^3")
    >>> found["pair"]["difference"], found["pair"]["limit"], found["agrees"]        # 2 · √(0.8² + 0.6²) = 2: exactly on it
    (-2.0, 2.0, True)
    """
    before, after = (_value(one, unit) for one in (pair.before, pair.after))
    # Exactly: a difference of 1.2 on a limit of 1.2 holds it, whatever floats make of both.
    squares = sum((_uncertainty(one, unit) / Fraction(repr(pair.k))) ** 2 for one in (pair.before, pair.after))
    difference = after - before
    return {
        "agrees": difference**2 <= 4 * squares,
        "pair": {
            "difference": float(difference),
            "limit": 2 * math.sqrt(squares),
            "certificate": pair.certificate,
            "measured_on": pair.date,
        },
    }


def _value(shown: Shown, unit: str) -> Fraction:
    value, written = parse_quantity(shown.value)
    return Fraction(repr(converted(float(value), written, unit)))


def _uncertainty(shown: Shown, unit: str) -> Fraction:
    """A difference: scaled, never shifted."""
    value, written = parse_quantity(shown.uncertainty)
    return Fraction(repr(converted(float(value), written, unit, difference=True)))


# --- In words


def pooling_told(found: Mapping[str, Any], language: str) -> str:
    """Why segments were taken together, or why they ought not to be: a clause with the numbers."""
    rows = found["changes"]
    if found["pooled"]:
        row = max(rows, key=lambda one: abs(one["pair"]["difference"]) - one["pair"]["limit"])
        text = _pair(row["pair"], "≤", found["unit"], language)
        return f"구간을 합친 근거는 {text}" if language == "ko" else f"the segments are pooled, for {text}"
    wrong = sorted((row for row in rows if not row["agrees"]), key=lambda one: one["pair"] is None)
    row, more = wrong[0], len(wrong) - 1
    day = date_text(date.fromisoformat(str(row["day"])), language, weekday=False)
    if language == "ko":
        what = "비교·교정 자료가 없음" if row["pair"] is None else _pair(row["pair"], ">", found["unit"], language)
        rest = f" 외 {more}건" if more else ""
        return f"구간을 합칠 근거가 없음({row['slot']} {day} 교체: {what}{rest})"
    what = (
        "no collocation or calibration pair"
        if row["pair"] is None
        else _pair(row["pair"], ">", found["unit"], language)
    )
    rest = f", and {more} more" if more else ""
    return f"nothing lets the segments be pooled ({row['slot']}, change of {day}: {what}{rest})"


def _pair(pair: Mapping[str, Any], sign: str, unit: str, language: str) -> str:
    difference, limit = (printed(number, unit) for number in (abs(pair["difference"]), pair["limit"]))
    if difference == limit:  # rounded alike: then as many digits as there are
        difference, limit = f"{abs(pair['difference']):.9g}", f"{pair['limit']:.9g}"
    return f"|Δ| {difference} {sign} 2·√(u₁² + u₂²) = {with_unit(limit, unit, language)}, {pair['certificate']}"

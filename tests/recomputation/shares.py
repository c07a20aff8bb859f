"""Measures that are shares of time or of readings: share, capture, availability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.recomputation import chance, sets
from tests.recomputation.dates import Span
from tests.recomputation.found import Found, complete, none, share_of
from tests.recomputation.series import LEAST_US, counted_in, slice_of
from tests.recomputation.sets import Set
from tests.recomputation.units import Target
from tests.recomputation.view import View


def shared(figures: Sequence[tuple[int, int]], weeks: Sequence[Span]) -> list[chance.Block]:
    """Weekly blocks from (part, whole) of each week."""
    return [
        ((week[0] + week[1]) / 2e6, float(whole), part / whole if whole else 0.0)
        for (part, whole), week in zip(figures, weeks, strict=True)
    ]


def of_shares(value: float | None, blocks: Sequence[chance.Block]) -> Any:
    """The sampling of a share in %."""
    if value is None or not blocks:
        return none

    def sampling(alpha: float, window_s: float) -> chance.Bounds | None:
        found = chance.weekly_share(value / 100, blocks, alpha, window_s)
        return None if found is None else (100 * found[0], 100 * found[1])

    return sampling


def share(
    view: View, of: dict[str, Any], slots: Sequence[str], window: Span, weeks: Sequence[Span], limit: Target | None
) -> Found:
    """Share of time while a condition holds: fulfilled out of what a reading covers and what is the company's.

    :param limit: the condition on values, in the channel's unit; None for one on states.
    """
    name = of["while"]["channel"]
    held = {slot: _held(view, slot, name, limit, of["while"].get("in")) for slot in slots}

    def figures(span: Span) -> tuple[int, int, int]:
        true = known = nobody = 0
        for slot in slots:
            required = view.required(slot, of, span)
            charged = view.charge(slot, sets.both(view.gaps(slot, name), required))
            covered = sets.length(required) - sets.length_in(view.gaps(slot, name), required)
            true += sets.length_in(held[slot], required)
            known += covered + sets.length(charged.company)
            nobody += sets.length(charged.nobody)
        return true, known, nobody

    true, known, nobody = figures(window)
    nobody = nobody if nobody >= LEAST_US else 0
    whole = known + nobody
    ends = (share_of(true, whole), share_of(true + nobody, whole)) if whole else None
    every = [slice_of(view, slot, name, view.required(slot, of, window)) for slot in slots]
    value = share_of(true, known) if known else None
    blocks = shared([figures(week)[:2] for week in weeks], weeks)
    return Found(
        value=value,
        unit="%",
        n=sum(len(one.value) for one in every),
        completeness=complete(sum(one.obtained for one in every), sum(one.expected for one in every)),
        ends=ends,
        fill=ends,
        sampling=of_shares(value, blocks),
        blocks=blocks,
        share=True,
    )


def _held(view: View, slot: str, name: str, limit: Target | None, states: Sequence[str] | None) -> Set:
    """While a reading stands that satisfies the condition."""
    readings = view.readings(slot, name)
    if limit is None:
        said = readings.state if readings.state is not None else np.full(len(readings.at), None, dtype=object)
        good = np.isin(said.astype(str), list(states or ()))
    else:
        above = readings.value >= limit.low if limit.low_in else readings.value > limit.low
        below = readings.value <= limit.high if limit.high_in else readings.value < limit.high
        good = above & below
    spans = np.stack([readings.at, view.stands(slot, name)], axis=1)
    return sets.of(spans[good])


def capture(view: View, of: dict[str, Any], slots: Sequence[str], window: Span, weeks: Sequence[Span]) -> Found:
    """Readings there are out of those expected."""
    measured = [
        (slot, name)
        for slot in slots
        for name in view.plan["slots"][slot]["channels"]
        if view.channel(slot, name)["reporting"] == "periodic" and name in (of.get("channels") or [name])
    ]

    def figures(span: Span) -> tuple[int, int, int, int]:
        obtained = expected = doubtful = n = 0
        for slot, name in measured:
            due = view.due(slot, name, view.required(slot, of, span))
            at, period = view.readings(slot, name).at, view.channel(slot, name)["period_us"]
            missing, wanted = counted_in(at, due, period)
            unsure = counted_in(view.heard(slot, name).at, sets.both(due, view.unrecorded(slot)), period)[0]
            obtained, expected = obtained + wanted - missing, expected + wanted
            doubtful, n = doubtful + min(unsure, missing), n + int(sets.has(due, at).sum())
        return obtained, expected, doubtful, n

    obtained, expected, doubtful, n = figures(window)
    value = share_of(obtained, expected) if expected else None
    ends = None
    if value is not None:
        ends = (value, share_of(obtained, expected - doubtful) if expected > doubtful else 100.0)
    blocks = shared([figures(week)[:2] for week in weeks], weeks)
    return Found(
        value=value,
        unit="%",
        n=n,
        completeness=complete(obtained, expected),
        ends=ends,
        fill=ends,
        sampling=of_shares(value, blocks),
        blocks=blocks,
        share=True,
    )


def availability(view: View, of: dict[str, Any], slots: Sequence[str], window: Span, weeks: Sequence[Span]) -> Found:
    """Up out of up and down."""

    def figures(span: Span) -> tuple[int, int, int]:
        up = down = unknown = 0
        for slot in slots:
            required, states = view.required(slot, of, span), view.states(slot)
            up += sets.length_in(states.up, required)
            down += sets.length_in(states.down, required)
            unknown += sets.length_in(states.unknown, required)
        return up, up + down, unknown

    up, known, unknown = figures(window)
    unknown = unknown if unknown >= LEAST_US else 0
    whole = known + unknown
    ends = (share_of(up, whole), share_of(up + unknown, whole)) if whole else None
    value = share_of(up, known) if known else None
    blocks = shared([figures(week)[:2] for week in weeks], weeks)
    n = sum(
        int(sets.has(view.required(slot, of, window), view.readings(slot, name).at).sum())
        for slot in slots
        for name in view.plan["slots"][slot].get("channels", {})
    )
    return Found(
        value=value,
        unit="%",
        n=n,
        completeness=complete(known, whole),
        ends=ends,
        fill=ends,
        sampling=of_shares(value, blocks),
        blocks=blocks,
        share=True,
    )

"""What a slot was measured with, one device after the other: 구간. The last one and the whole are both reported, and whether a
pair of before and after lets a measuring device's segments be taken together (``kpi/pooling.py``).

A device put in place of another, and another model or firmware of the same device, begin a segment. What lies between two
segments (a swap's time) belongs to none of them: in the whole it counts as down.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from core.window import Window
from devices.plan.model import Kpi
from devices.plan.predicate import slots_in_effect
from devices.registry.queries import DeviceRow
from kpi.judge import Asked
from kpi.judging import Judging
from kpi.pooling import pooling_of
from kpi.spans import Spans

Cause = Literal["device", "model", "firmware", "installed_again"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One device, as it was, in a slot."""

    slot: str
    window: Window
    cause: Cause | None
    """What is other than before; None: it is the slot's first."""
    serial: str | None
    model: str | None
    firmware: str | None


def segments_of(rows: Sequence[DeviceRow], slot: str, whole: Window) -> list[Segment]:
    """The segments of a slot within a window, in the order of time.

    :param rows: what stands, or stood, in the slots of the pilot.
    """
    found: list[Segment] = []
    before: DeviceRow | None = None
    for since, row in _installed(rows, slot):
        if row.removed_at is not None and row.removed_at <= since:
            continue
        cause = None if before is None else _cause(before, row)
        before = row
        end = whole.end if row.removed_at is None else row.removed_at
        window = Window(start=since, end=max(since, end)).intersection(whole)
        if window.seconds > 0:
            found.append(
                Segment(
                    slot=slot, window=window, cause=cause, serial=row.serial, model=row.model, firmware=row.firmware
                )
            )
    return found


def _installed(rows: Sequence[DeviceRow], slot: str) -> list[tuple[datetime, DeviceRow]]:
    there = [(row.installed_at, row) for row in rows if row.slot == slot and row.installed_at is not None]
    return sorted(there, key=lambda pair: pair[0])


def _cause(before: DeviceRow, row: DeviceRow) -> Cause:
    if before.serial != row.serial:
        return "device"
    if before.model != row.model:
        return "model"
    return "firmware" if before.firmware != row.firmware else "installed_again"


def segmented(judging: Judging, name: str, kpi: Kpi, by_slot: Mapping[str, Sequence[Segment]]) -> dict[str, Any]:
    """``segments``: each segment's own value, computed with the same measure; ``last_segment``: every slot's last one; and
    ``pooling``: whether they may be taken together, and why.

    Nothing where no slot of the KPI had more than one. They are reported, and decide nothing.

    :param by_slot: the segments of each slot.
    """
    slots = slots_in_effect(judging.plan, kpi)
    changed = {slot: by_slot[slot] for slot in slots if len(by_slot.get(slot, ())) > 1}
    rows: list[dict[str, Any]] = []
    lasts: list[dict[str, Any]] = []
    pooling: list[dict[str, Any] | None] = []
    for number, part in enumerate(kpi.parts if changed else ()):
        asked = judging.asked(name, part)
        last_parts: list[Any] = []
        last_slots: list[str] = []
        for slot in slots_in_effect(judging.plan, part):
            parts: list[Any] = []
            for segment in by_slot.get(slot, ())[0 if slot in changed else -1 :]:
                parts = _parts(judging, part, segment)
                if slot in changed:
                    rows.append(_row(segment, number, kpi, _figure(asked, parts)))
            last_parts += parts
            last_slots += [slot] * len(parts)
        lasts.append({**_part(number, kpi), **_figure(asked, last_parts, last_slots)})
        pooling.append(pooling_of(judging.plan, part, changed))
    if not rows:
        return {"segments": [], "last_segment": None, "pooling": None}
    if len(lasts) == 1:
        return {"segments": rows, "last_segment": lasts[0], "pooling": pooling[0]}
    return {"segments": rows, "last_segment": lasts, "pooling": pooling}


def _parts(judging: Judging, kpi: Kpi, segment: Segment) -> list[Any]:
    alone = Spans(whole=segment.window, month=None, quarters=(), weeks=())
    return list(judging.of(segment.slot, alone).gathered(kpi).whole)


def _figure(asked: Asked, parts: Sequence[Any], slots: Sequence[str] = ()) -> dict[str, Any]:
    """:param slots: of the parts, where they are of several."""
    found = asked.found(slots, list(parts))
    value = None if found.value is None or not math.isfinite(found.value) else asked.shown(found.value, found)
    return {"value": value, "n": found.n, "completeness": found.completeness}


def _part(number: int, kpi: Kpi) -> dict[str, Any]:
    """Which promise it is, of a KPI that makes several."""
    return {} if len(kpi.parts) == 1 else {"part": number}


def _row(segment: Segment, number: int, kpi: Kpi, figure: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "slot": segment.slot,
        "start": segment.window.start,
        "end": segment.window.end,
        "cause": segment.cause,
        "device": {"serial": segment.serial, "model": segment.model, "firmware": segment.firmware},
        **_part(number, kpi),
        **figure,
    }

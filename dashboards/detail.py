"""One KPI in one result, in depth: both numbers, whose the gaps are, its promises, slots and segments, the targets it has had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.database import Connection
from core.language import N_, State
from core.window import Window
from dashboards.access import VisiblePilot
from dashboards.judged import Figures, Result, bounds_of, figures
from dashboards.wording import Wording
from kpi.reports.beside_view import CHANGES, device_text
from kpi.reports.charging import ChargedPart, charged_parts
from kpi.reports.entries import (
    Places,
    amended_in,
    answer_of,
    charged_of,
    last_segments_of,
    pooling_of,
    segments_of,
    slots_of,
    targets_of,
)
from kpi.reports.figures import SegmentFigure
from kpi.reports.gather_agreed import parties_of

_GROUPS = {
    "worst": N_("설치 지점마다 목표를 지켜야 합니다. 가장 나쁜 곳이 판정을 정합니다."),
    "pooled": N_("모든 설치 지점을 시간으로 합쳐 봅니다."),
    "mean": N_("설치 지점 값의 평균을 봅니다."),
    "sum": N_("설치 지점 값의 합을 봅니다."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseRow:
    """One of several things that it promises."""

    name: str
    target: str
    quantity: str
    month: str
    n: str
    state: State | None
    why: str
    decides: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotValue:
    """A slot's own value."""

    slot: str
    quantity: str
    n: str
    completeness: str
    decides: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRow:
    """What one device measured, as it was."""

    slot: str
    change: str
    window: Window
    device: str
    n: str
    quantity: str
    completeness: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """The whole and the last segment side by side, then each; of one promise."""

    name: str
    """Of the promise; empty where there is one."""
    whole: str
    whole_n: str
    last: str
    last_n: str
    rows: tuple[SegmentRow, ...]
    pooling: str
    """Whether they may be taken together, and why; empty where no instrument has a part in it."""
    pooled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRow:
    """A target that it has had."""

    text: str
    since: Any
    plan_version: int
    agreed_on: date | None
    reason: str
    parties: str
    in_force: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """The bar of time without data."""

    slot: str
    """Of this slot alone; empty: of all of them."""
    parts: tuple[ChargedPart, ...]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One KPI in one result."""

    shown: Figures
    definition: str
    group: str
    promises: tuple[PromiseRow, ...]
    charge: Charge | None
    slots: tuple[SlotValue, ...]
    segments: tuple[Segments, ...]
    targets: tuple[TargetRow, ...]


def detail_of(
    connection: Connection,
    pilot: VisiblePilot,
    result: Result,
    entry: Mapping[str, Any],
    definition: str,
    places: Places,
    words: Wording,
) -> Detail:
    """Everything that a result says of one KPI."""
    return Detail(
        shown=figures(entry, words),
        definition=definition,
        group=words.say(_GROUPS[entry["group"]]) if len(entry["slots"]) > 1 else "",
        promises=tuple(_promises(entry, words)),
        charge=_charge(entry, result, words),
        slots=tuple(_slots(entry, places, words)),
        segments=tuple(_segments(entry, places, words)),
        targets=_targets(connection, pilot, entry, words),
    )


def _quantity(value: float | None, entry: Mapping[str, Any], words: Wording) -> str:
    """A value in the unit, and against the target, of an entry or of one part of it."""
    return words.quantity(value, entry["unit"], bounds_of(entry["target"], entry["unit"]))


def _promises(entry: Mapping[str, Any], words: Wording) -> list[PromiseRow]:
    return [
        PromiseRow(
            name=part["name"],
            target=part["target"][words.language],
            quantity=_quantity(part["value"], part, words),
            month=_quantity(part["month"]["value"], part, words) if "month" in part else "",
            n=words.count(part["n"]),
            state=words.state(answer_of(part)),
            why=part["why"][words.language],
            decides=number == entry.get("part"),
        )
        for number, part in enumerate(entry.get("parts") or ())
    ]


def _charge(entry: Mapping[str, Any], result: Result, words: Wording) -> Charge | None:
    charged = charged_of(entry, result.document)
    if charged is None:
        return None
    parts = charged_parts(charged, words.say)
    return Charge(slot=charged.slot or "", parts=parts, seconds=sum(part.seconds for part in parts))


def _slots(entry: Mapping[str, Any], places: Places, words: Wording) -> list[SlotValue]:
    return [
        SlotValue(
            slot=row.slot,
            quantity=_quantity(row.value, entry, words),
            n=words.count(row.n),
            completeness=words.percent(row.completeness),
            decides=row.slot == entry["slot"],
        )
        for row in slots_of(entry, places)
    ]


def _segments(entry: Mapping[str, Any], places: Places, words: Wording) -> list[Segments]:
    rows = segments_of(entry, places)
    parts: Sequence[Mapping[str, Any]] = entry.get("parts") or [entry]
    lasts = {last.promise: last for last in last_segments_of(entry)}
    told = _pooling(entry, words)
    found = []
    for number in sorted({row.promise for row in rows}):
        part, last = parts[number], lasts[number]
        pooled, why = told.get(number, (True, ""))
        found.append(
            Segments(
                name=part["name"] if len(parts) > 1 else "",
                whole=_quantity(part["value"], part, words),
                whole_n=words.count(part["n"]),
                last=_quantity(last.value, part, words),
                last_n=words.count(last.n),
                rows=tuple(_segment(row, part, words) for row in rows if row.promise == number),
                pooling=why,
                pooled=pooled,
            )
        )
    return found


def _pooling(entry: Mapping[str, Any], words: Wording) -> dict[int, tuple[bool, str]]:
    """Of each promise by its number."""
    given = entry.get("pooling")
    rows = given if isinstance(given, list) else [given]
    sentences = iter(pooling_of(entry))
    return {
        number: (bool(row["pooled"]), next(sentences).text(words.language))
        for number, row in enumerate(rows)
        if row is not None
    }


def _segment(row: SegmentFigure, part: Mapping[str, Any], words: Wording) -> SegmentRow:
    return SegmentRow(
        slot=row.slot,
        change=words.say(CHANGES[row.cause]) if row.cause else words.say(N_("처음")),
        window=row.window,
        device=device_text(row),
        n=words.count(row.n),
        quantity=_quantity(row.value, part, words),
        completeness=words.percent(row.completeness),
    )


def _targets(
    connection: Connection, pilot: VisiblePilot, entry: Mapping[str, Any], words: Wording
) -> tuple[TargetRow, ...]:
    """Nothing where no amendment changed it: then the target stands in the facts."""
    parties = parties_of(connection, pilot.name, amended_in([entry]))
    rows = targets_of(entry, parties)
    if len(rows) < 2:
        return ()
    return tuple(
        TargetRow(
            text=row.text.text(words.language),
            since=row.since,
            plan_version=row.plan_version,
            agreed_on=row.agreed_on,
            reason=row.reason or "",
            parties=", ".join(row.parties),
            in_force=row is rows[-1],
        )
        for row in rows
    )

"""Completeness (자료획득률) by day as a page draws it: months as calendars, one by slot and channel, one day in figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from core.database import Connection
from core.language import N_
from core.sql import load
from core.window import date_window, next_month
from dashboards.access import VisiblePilot
from dashboards.site import Site
from dashboards.wording import Wording
from telemetry.quality.completeness import completeness_calendar

_SQL = load("dashboards", "quality.sql")

Document = Mapping[str, Any]
"""What :func:`telemetry.quality.completeness.completeness_calendar` gives."""

MONTHS: Final = 3
"""So many calendars stand beside each other."""
_RUNNING_S: Final = 60.0
_OVER_S: Final = 600.0
"""A month that is over changes only by what comes late, and by what is agreed, which is part of its key."""
_LEVELS: Final = ((0.995, "4"), (0.95, "3"), (0.75, "2"), (0.0, "1"))
LEVEL_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "4": N_("99.5 %% 이상"),
        "3": N_("95 %% 이상"),
        "2": N_("75 %% 이상"),
        "1": N_("75 %% 미만"),
        "0": N_("하나도 없음"),
        "out": N_("평가 제외·합의한 장애·플랫폼 중단"),
        "none": N_("기대한 자료 없음"),
    }
)
"""What each ground of a cell means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One day of a calendar, or of one slot or channel."""

    day: date
    share: float | None
    level: str
    """Of :data:`LEVEL_WORDS`; which ground it has."""
    text: str
    """What stands in it: whole per cent, rounded down so that 100 means all; the word of a day left out."""
    partly: bool
    """Some of it was left out."""
    today: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month as a calendar: weeks from Monday, None where a day is of another month."""

    first: date
    weeks: tuple[tuple[Cell | None, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A month of the pilot, a slot or a channel."""

    kind: str
    slot: str
    title: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A day of the pilot, a slot or a channel, in figures."""

    kind: str
    slot: str
    title: str
    cell: Cell
    counted: bool
    """In readings; else in seconds during which one stood."""
    expected: float | None
    missing: float | None
    required: float | None
    unexplained: float | None
    left_out_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the page shows."""

    months: tuple[Month, ...]
    rows: tuple[Row, ...]
    """Of the last of the months."""
    day: date
    amounts: tuple[Amount, ...]
    """Of the day."""
    earlier: date | None
    """The month before, if the pilot has one; so the calendars move on by one."""
    later: date | None

    @property
    def month(self) -> date:
        return self.months[-1].first


def first_day(pilot: VisiblePilot) -> date:
    return pilot.start_at.astimezone(pilot.zone_info).date()


def last_day(pilot: VisiblePilot, now: datetime | None = None) -> date:
    """Today, or the last day of a pilot that is over; its first before it began."""
    end = (pilot.end_at - timedelta(microseconds=1)).astimezone(pilot.zone_info).date()
    return max(first_day(pilot), min(pilot.today(now), end))


def month_of(
    site: Site, connection: Connection, pilot: VisiblePilot, first: date, now: datetime | None = None
) -> Document:
    """The completeness of a month, kept for a minute; for ten once it is over."""
    row = connection.execute(_SQL["agreed_last"], {"pilot_id": pilot.pilot_id}).fetchone()
    over = next_month(first) <= pilot.today(now) - timedelta(days=2)
    return site.calendars.get(
        (pilot.name, pilot.plan_sha256, first, None if row is None else row["at"]),
        lambda: completeness_calendar(
            connection, pilot.name, date_window(first, next_month(first), pilot.zone_info), now
        ),
        span_s=_OVER_S if over else _RUNNING_S,
    )


def today_of(site: Site, connection: Connection, pilot: VisiblePilot, now: datetime | None = None) -> Cell | None:
    """The pilot's last day so far; None before it began."""
    day = last_day(pilot, now)
    document = month_of(site, connection, pilot, day.replace(day=1), now)
    return _of(document, document["share"], _all_out(document), now or datetime.now(UTC), pilot).get(day)


def shown_of(
    site: Site,
    connection: Connection,
    pilot: VisiblePilot,
    titles: Mapping[tuple[str, str], str],
    words: Wording,
    *,
    month: str = "",
    day: str = "",
    now: datetime | None = None,
) -> Shown:
    """The months up to the one asked for, and the day asked for; the newest for anything else.

    :param titles: what each channel is called, by slot and channel.
    """
    now = now or datetime.now(UTC)
    first, last = first_day(pilot), last_day(pilot, now)
    chosen = _date(day)
    asked = _date(f"{month}-01" if month else "") or chosen or last
    newest = min(max(asked, first), last).replace(day=1)
    firsts = [newest]
    while len(firsts) < MONTHS and firsts[0] > first:
        firsts.insert(0, (firsts[0] - timedelta(days=1)).replace(day=1))
    documents = [month_of(site, connection, pilot, one, now) for one in firsts]
    of_month = documents[-1]
    ends = (next_month(newest) - timedelta(days=1), last)
    chosen = min(max(chosen or min(ends), newest, first), *ends)
    rows = _rows(of_month, titles, words, now, pilot)
    return Shown(
        months=tuple(_calendar(one, document, now, pilot) for one, document in zip(firsts, documents, strict=True)),
        rows=rows,
        day=chosen,
        amounts=_amounts(of_month, rows, chosen),
        earlier=(newest - timedelta(days=1)).replace(day=1) if newest > first else None,
        later=next_month(newest) if next_month(newest) <= last else None,
    )


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _calendar(first: date, document: Document, now: datetime, pilot: VisiblePilot) -> Month:
    cells = _of(document, document["share"], _all_out(document), now, pilot)
    days = [first + timedelta(days=n) for n in range((next_month(first) - first).days)]
    places: list[Cell | None] = [None] * first.weekday()
    places += [cells.get(one) or _cell(one, None, (0.0, False), pilot, now) for one in days]
    places += [None] * (-len(places) % 7)
    return Month(first=first, weeks=tuple(tuple(places[n : n + 7]) for n in range(0, len(places), 7)))


def _rows(
    document: Document, titles: Mapping[tuple[str, str], str], words: Wording, now: datetime, pilot: VisiblePilot
) -> tuple[Row, ...]:
    def cells(shares: Sequence[float | None], left_out_s: Sequence[float]) -> tuple[Cell, ...]:
        return tuple(_of(document, shares, left_out_s, now, pilot).values())

    everything = cells(document["share"], _all_out(document))
    rows = [Row(kind="pilot", slot="", title=words.say(N_("과제 전체")), cells=everything)]
    for slot in document["slots"]:
        rows.append(
            Row(kind="slot", slot=slot["slot"], title=slot["slot"], cells=cells(slot["share"], slot["left_out_s"]))
        )
        rows += [
            Row(
                kind="channel",
                slot=slot["slot"],
                title=titles.get((slot["slot"], one["channel"]), one["channel"]),
                cells=cells(one["share"], slot["left_out_s"]),
            )
            for one in slot["channels"]
        ]
    return tuple(rows)


def _amounts(document: Document, rows: Sequence[Row], day: date) -> tuple[Amount, ...]:
    days: list[str] = document["days"]
    if day.isoformat() not in days:
        return ()
    place = days.index(day.isoformat())
    columns: list[Mapping[str, Any] | None] = [None]
    left_out: list[float] = [_all_out(document)[place]]
    for slot in document["slots"]:
        columns += [None, *slot["channels"]]
        left_out += [slot["left_out_s"][place]] * (1 + len(slot["channels"]))
    return tuple(
        Amount(
            kind=row.kind,
            slot=row.slot,
            title=row.title,
            cell=row.cells[place],
            counted=column is not None and column["basis"] == "readings",
            left_out_s=out,
            **{
                name: None if column is None else column[name][place]
                for name in ("expected", "missing", "required", "unexplained")
            },
        )
        for row, column, out in zip(rows, columns, left_out, strict=True)
    )


def _all_out(document: Document) -> list[float]:
    """What is left out of a day at the slot where it is the least."""
    slots = [slot["left_out_s"] for slot in document["slots"]]
    return [min(one) for one in zip(*slots, strict=True)] if slots else [0.0] * len(document["days"])


def _of(
    document: Document, shares: Sequence[float | None], left_out_s: Sequence[float], now: datetime, pilot: VisiblePilot
) -> dict[date, Cell]:
    found = {}
    for text, share, out in zip(document["days"], shares, left_out_s, strict=True):
        day = date.fromisoformat(text)
        found[day] = _cell(day, share, (out, True), pilot, now)
    return found


def _cell(day: date, share: float | None, out: tuple[float, bool], pilot: VisiblePilot, now: datetime) -> Cell:
    left_out_s, in_period = out
    if share is None:
        level = "out" if in_period and left_out_s > 0 else "none"
        text = "out" if level == "out" else ""
    else:
        level = "0" if share <= 0 else next(name for least, name in _LEVELS if share >= least)
        text = str(math.floor(share * 100 + 1e-9))
    return Cell(
        day=day,
        share=share,
        level=level,
        text=text,
        partly=share is not None and left_out_s > 0,
        today=day == pilot.today(now),
    )

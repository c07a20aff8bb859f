"""``pilotbed quality``: what was noticed about a pilot's data, and how complete each day is."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from core.errors import PermanentError
from pilotbed.cli.instant import day as day_of
from pilotbed.cli.instant import instant

if TYPE_CHECKING:  # imported where they are needed, so that --help is there at once
    from zoneinfo import ZoneInfo

    from core.window import Window
    from telemetry.findings import Finding

_LEVELS = ((0.995, "█"), (0.95, "▓"), (0.75, "▒"), (0.0, "░"))
_LEGEND = "█ ≥ 99.5 %  ▓ ≥ 95 %  ▒ ≥ 75 %  ░ less  x nothing  o left out: agreed outage, exclusion, platform down"


def quality(
    pilot: Annotated[str, typer.Argument(metavar="PILOT", help="The pilot's name.")],
    start: Annotated[
        str | None, typer.Option("--from", help="A day of the pilot, YYYY-MM-DD; its first if left out.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="The day after the last, YYYY-MM-DD; the period's end if left out.")
    ] = None,
    code: Annotated[
        list[str] | None, typer.Option(help="Only findings of this kind, as in gap; may be given several times.")
    ] = None,
    calendar: Annotated[bool, typer.Option("--calendar", help="Completeness by day, a row a month.")] = False,
    slot: Annotated[list[str] | None, typer.Option(help="Only this slot; may be given several times.")] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="As it was known at this instant, with a zone; now if left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """List what was noticed about a pilot's data, or show how complete each day is."""
    from core.database import connected
    from devices.registry import pilot as registered
    from pilotbed.stack.attach import attached_database
    from telemetry.findings import findings
    from telemetry.quality.completeness import completeness_calendar

    codes = _codes(code)
    asked = None if as_of is None else instant("--as-of", as_of)
    with attached_database() as url, connected(url) as connection:
        known = registered(connection, pilot)
        window = _window(start, end, known.zone, known.window)
        if calendar:
            document = completeness_calendar(connection, pilot, window, asked)
            _require_slots(slot, [one["slot"] for one in document["slots"]], pilot)
            _show_calendar(document, slot, as_json=as_json)
            return
        found = [
            one
            for one in findings(connection, pilot, window, asked)
            if (not codes or one.kind in codes) and (not slot or one.slot in slot)
        ]
    if as_json:
        print(json.dumps({"pilot": pilot, "findings": [_plain(one) for one in found]}, ensure_ascii=False))
    else:
        _show(found, known.zone)


def _codes(code: list[str] | None) -> list[str]:
    from telemetry.findings import Kind

    for one in code or ():
        if one not in get_args(Kind):
            raise PermanentError(f"--code {one!r} is no kind of finding; choose of: {', '.join(get_args(Kind))}.")
    return code or []


def _window(start: str | None, end: str | None, zone: ZoneInfo, period: Window) -> Window:
    from core.window import Window, midnight

    first = period.start if start is None else midnight(day_of("--from", start), zone)
    last = period.end if end is None else midnight(day_of("--to", end), zone)
    if last <= first:
        raise PermanentError(
            f"--to {last.astimezone(zone).date()} is not after --from {first.astimezone(zone).date()}: name a later day."
        )
    return Window(start=first, end=last)


def _require_slots(slot: list[str] | None, known: list[str], pilot: str) -> None:
    for one in slot or ():
        if one not in known:
            raise PermanentError(
                f"--slot {one!r} is no slot with channels of {pilot}; it has: {', '.join(known) or 'none'}."
            )


def _plain(one: Finding) -> dict[str, Any]:
    from core.canonical import plain

    found: dict[str, Any] = plain(one)
    window = found.pop("window")
    return {"id": found.pop("finding_id"), **window, **found}


def _show(found: list[Finding], zone: ZoneInfo) -> None:
    from core.language import duration_text, time_text
    from core.units import shown_unit
    from pilotbed.cli.tables import columns, show
    from telemetry.quality.flags import NAMES

    table = columns("id", "kind", "flag", "slot", "channel", "from", "lasted", "value", "rule", "numbers")
    for one in found:
        value = "" if one.value is None else f"{one.value:.6g} {shown_unit(one.unit)}".strip()
        table.add_row(
            str(one.finding_id), one.kind, NAMES[one.flag], one.slot, one.channel or "", time_text(one.window.start, zone, "en"),
            duration_text(one.window.seconds, "en"), value, str(one.detail.get("rule", "")), _numbers(one),
        )  # fmt: skip
    show(table)
    print(f"{len(found)} finding{'' if len(found) == 1 else 's'}.")


def _numbers(one: Finding) -> str:
    told = ("missing", "suspect", "fail", "cause", "before", "after", "drift_s_per_day", "open", "dense")
    return ", ".join(f"{name} {one.detail[name]}" for name in told if one.detail.get(name) not in (None, 0))


def _show_calendar(document: dict[str, Any], slot: list[str] | None, *, as_json: bool) -> None:
    if slot:
        document = {**document, "slots": [one for one in document["slots"] if one["slot"] in slot]}
    if as_json:
        print(json.dumps(document, ensure_ascii=False))
        return
    days = [date.fromisoformat(day) for day in document["days"]]
    rows = [] if slot else [(document["pilot"], document["share"], None)]
    rows += [(one["slot"], one["share"], one) for one in document["slots"]]
    for title, shares, _ in rows:
        print(f"{title}: completeness")
        _heat_map(days, shares)
        print()
    print(_plain_text(_LEGEND) if days else f"No day of {document['pilot']} is over by {datetime.now(UTC):%Y-%m-%d}.")


def _heat_map(days: list[date], shares: list[float | None]) -> None:
    """A row a month, a cell a day; the mean of the month behind it."""
    months: dict[str, dict[int, float | None]] = {}
    for one, share in zip(days, shares, strict=True):
        months.setdefault(one.strftime("%Y-%m"), {})[one.day] = share
    print("         " + "".join(str(day % 10) for day in range(1, 32)))
    for month, cells in months.items():
        known = [share for share in cells.values() if share is not None]
        mean = f"{100 * sum(known) / len(known):6.2f} %" if known else ""
        marks = "".join(_mark(cells[day]) if day in cells else " " for day in range(1, 32))
        print(f"{month}  {_plain_text(marks)}  {mean}".rstrip())


def _mark(share: float | None) -> str:
    if share is None:
        return "o"
    if share == 0:
        return "x"
    return next(mark for least, mark in _LEVELS if share >= least)


def _plain_text(text: str) -> str:
    """The same for a terminal that has no blocks."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(str.maketrans("█▓▒░≥", "#+-.>"))
    return text

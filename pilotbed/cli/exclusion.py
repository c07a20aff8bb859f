"""``pilotbed exclusion``: intervals left out of judgement (평가 제외 구간)."""

from __future__ import annotations

import json
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from core.audit import command_line_user
from core.canonical import plain
from core.database import connected
from core.language import duration_text, time_text
from devices.registry import pilot as registered
from devices.registry import plan_of
from kpi.records.exclusions import (
    ASKED_WITHIN_DAYS,
    MOST_SHARE,
    REASONS,
    Exclusion,
    add_exclusion,
    exclusions,
    rules_of,
    withdraw_exclusion,
)
from kpi.records.shared import told
from pilotbed.cli import group
from pilotbed.cli.instant import day, instant
from pilotbed.cli.tables import columns, show
from pilotbed.stack.attach import attached_database

app = group("Record, list and withdraw intervals that are left out of judgement.")

_Pilot = Annotated[str, typer.Argument(metavar="PILOT", help="The pilot's name.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


@app.command()
def add(
    pilot: _Pilot,
    slot: Annotated[str, typer.Option(help="The slot that is left out, for all KPIs.")],
    start: Annotated[str, typer.Option("--from", help="When its cause began, with a zone: 2026-05-01T09:00+09:00.")],
    end: Annotated[str, typer.Option("--to", help="Up to when, with a zone.")],
    reason: Annotated[
        str, typer.Option(help=f"A reason of the plan's closed list; without one: {', '.join(REASONS)}.")
    ],
    asked_on: Annotated[str, typer.Option("--asked-on", help="The day on which it was asked for, YYYY-MM-DD.")],
    asked_by: Annotated[str, typer.Option("--asked-by", help="Who asked.")],
    agreed_site: Annotated[str, typer.Option("--agreed-site", help="Who agreed for the site.")],
    agreed_team: Annotated[str, typer.Option("--agreed-team", help="Who agreed for the programme team.")],
    note: Annotated[str, typer.Option(help="What happened, and where it is written down.")],
    as_json: _Json = False,
) -> None:
    """Record an exclusion: asked within five working days of its cause, and at most 2 % of the slot's time in all."""
    with attached_database() as url, connected(url) as connection:
        added = add_exclusion(
            connection,
            pilot,
            slot=slot,
            start=instant("--from", start),
            end=instant("--to", end),
            reason=reason,
            asked_on=day("--asked-on", asked_on),
            asked_by=asked_by,
            agreed_site=agreed_site,
            agreed_team=agreed_team,
            note=note,
            who=command_line_user(),
        )
        holidays = rules_of(plan_of(connection, pilot)[0]).holidays
    if as_json:
        print(json.dumps(_plain(added), ensure_ascii=False))
        return
    print(f"Exclusion {added.exclusion_id} of {pilot} is recorded: {slot}, {told(added.window)}, {reason}.")
    print("Results show both numbers, with it and without; a verdict that it turns goes to the committee.")
    if not holidays:
        print(f"The plan lists no holidays: of the {ASKED_WITHIN_DAYS} working days only weekends were left out.")


@app.command("list")
def list_(
    pilot: _Pilot,
    withdrawn: Annotated[bool, typer.Option("--all", help="Also those that were withdrawn.")] = False,
    as_json: _Json = False,
) -> None:
    """List the exclusions of a pilot, in the order in which they were recorded."""
    with attached_database() as url, connected(url) as connection:
        zone = registered(connection, pilot).zone
        found = exclusions(connection, pilot, withdrawn_too=withdrawn)
    if as_json:
        rows = [_plain(one) for one in found]
        print(json.dumps({"pilot": pilot, "most_share": MOST_SHARE, "exclusions": rows}, ensure_ascii=False))
        return
    table = columns("id", "slot", "from", "to", "lasts", "reason", "asked", "agreed by", "note", "recorded", "state")
    for one in found:
        table.add_row(*_row(one, zone))
    show(table)


@app.command()
def withdraw(
    number: Annotated[int, typer.Argument(metavar="ID", help="The exclusion's number, as `list` shows it.")],
    why: Annotated[str, typer.Option(help="Why it counts no more.")],
) -> None:
    """Let an exclusion count no more. It stays in the record, and what was judged by it stays as it was."""
    with attached_database() as url, connected(url) as connection:
        gone = withdraw_exclusion(connection, number, why=why, who=command_line_user())
    print(
        f"Exclusion {number} of {gone.pilot} is withdrawn: {gone.slot}, {told(gone.window)}."
        " Results of its time become new versions."
    )


def _row(one: Exclusion, zone: ZoneInfo) -> tuple[str, ...]:
    return (
        str(one.exclusion_id),
        one.slot,
        time_text(one.window.start, zone, "en"),
        time_text(one.window.end, zone, "en"),
        duration_text(one.window.seconds, "en"),
        one.reason,
        f"{one.asked_on} by {one.asked_by}",
        f"{one.agreed_site}; {one.agreed_team}",
        one.note,
        f"{time_text(one.recorded_at, zone, 'en')} by {one.recorded_by}",
        "counts" if one.superseded_at is None else f"withdrawn by {one.superseded_by}: {one.superseded_why}",
    )


def _plain(one: Exclusion) -> dict[str, Any]:
    found: dict[str, Any] = plain(one)
    window = found.pop("window")
    return {"id": found.pop("exclusion_id"), **window, **found}

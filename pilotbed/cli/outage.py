"""``pilotbed outage``: outages of the site or the platform that were agreed."""

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
from kpi.records.outages import CAUSES, Outage, add_outage, described, outages, withdraw_outage
from pilotbed.cli import group
from pilotbed.cli.instant import instant
from pilotbed.cli.tables import columns, show
from pilotbed.stack.attach import attached_database

app = group("Record, list and withdraw outages that were agreed.")

_Pilot = Annotated[str, typer.Argument(metavar="PILOT", help="The pilot's name.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


@app.command()
def add(
    pilot: _Pilot,
    start: Annotated[str, typer.Option("--from", help="When it began, with a zone: 2026-05-01T09:00+09:00.")],
    end: Annotated[str, typer.Option("--to", help="When it was over, with a zone.")],
    cause: Annotated[str, typer.Option(help=f"What was down: {', '.join(CAUSES)}.")],
    agreed_by: Annotated[str, typer.Option("--agreed-by", help="Who agreed: names of both sides.")],
    note: Annotated[str, typer.Option(help="What happened, and where it is written down.")],
    slot: Annotated[list[str] | None, typer.Option(help="Only this slot; may be given several times.")] = None,
    as_json: _Json = False,
) -> None:
    """Record an outage that was agreed: its time is left out of the required time from the next evaluation on."""
    with attached_database() as url, connected(url) as connection:
        added = add_outage(
            connection,
            pilot,
            start=instant("--from", start),
            end=instant("--to", end),
            cause=cause,
            agreed_by=agreed_by,
            note=note,
            slots=slot or (),
            who=command_line_user(),
        )
    outage = added.outage
    if as_json:
        overlaps = {"overlaps": [one.outage_id for one in added.overlapping], "platform_s": added.platform_s}
        print(json.dumps(_plain(outage) | overlaps, ensure_ascii=False))
        return
    print(f"Outage {outage.outage_id} of {pilot} is recorded: {described(outage)}.")
    print(
        f"Its time is left out of the required time, as the {outage.charged_to}'s; results of it become new versions."
    )
    for one in added.overlapping:
        print(f"It overlaps outage {one.outage_id} ({described(one)}): what they share is left out once.")
    if added.platform_s >= 1:
        print(
            f"For {duration_text(added.platform_s, 'en')} of it the platform was down by its own record:"
            " that stays the platform's."
        )


@app.command("list")
def list_(
    pilot: _Pilot,
    withdrawn: Annotated[bool, typer.Option("--all", help="Also those that were withdrawn.")] = False,
    as_json: _Json = False,
) -> None:
    """List the agreed outages of a pilot, in the order of time."""
    with attached_database() as url, connected(url) as connection:
        zone = registered(connection, pilot).zone
        found = outages(connection, pilot, withdrawn_too=withdrawn)
    if as_json:
        print(json.dumps({"pilot": pilot, "outages": [_plain(one) for one in found]}, ensure_ascii=False))
        return
    table = columns("id", "from", "to", "lasted", "slots", "cause", "agreed by", "note", "recorded", "state")
    for one in found:
        table.add_row(*_row(one, zone))
    show(table)


@app.command()
def withdraw(
    number: Annotated[int, typer.Argument(metavar="ID", help="The outage's number, as `list` shows it.")],
    why: Annotated[str, typer.Option(help="Why it counts no more.")],
) -> None:
    """Let an outage count no more. It stays in the record, and what was judged by it stays as it was."""
    with attached_database() as url, connected(url) as connection:
        gone = withdraw_outage(connection, number, why=why, who=command_line_user())
    print(f"Outage {number} of {gone.pilot} is withdrawn: {described(gone)}. Results of its time become new versions.")


def _row(one: Outage, zone: ZoneInfo) -> tuple[str, ...]:
    return (
        str(one.outage_id),
        time_text(one.window.start, zone, "en"),
        time_text(one.window.end, zone, "en"),
        duration_text(one.window.seconds, "en"),
        "all" if one.slots is None else ", ".join(one.slots),
        one.cause,
        one.agreed_by,
        one.note,
        f"{time_text(one.recorded_at, zone, 'en')} by {one.recorded_by}",
        "counts" if one.superseded_at is None else f"withdrawn by {one.superseded_by}: {one.superseded_why}",
    )


def _plain(one: Outage) -> dict[str, Any]:
    found: dict[str, Any] = plain(one)
    window = found.pop("window")
    return {"id": found.pop("outage_id"), **window, **found}

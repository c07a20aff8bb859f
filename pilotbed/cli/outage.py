"""``pilotbed outage``: outages of the site or the platform that were agreed."""

from __future__ import annotations

from typing import Annotated

import typer

from core.audit import command_line_user
from core.database import connected
from core.language import duration_text
from devices.registry import pilot as registered
from kpi.records.outages import CAUSES, add_outage, described, outages, withdraw_outage
from pilotbed.cli import group
from pilotbed.cli.instant import instant
from pilotbed.cli.recorded import Json, Number, Pilot, Why, Withdrawn, print_record, print_records, show_records
from pilotbed.stack.attach import attached_database

app = group("Record, list and withdraw outages that were agreed.")


@app.command()
def add(
    pilot: Pilot,
    start: Annotated[str, typer.Option("--from", help="When it began, with a zone: 2026-05-01T09:00+09:00.")],
    end: Annotated[str, typer.Option("--to", help="When it was over, with a zone.")],
    cause: Annotated[str, typer.Option(help=f"What was down: {', '.join(CAUSES)}.")],
    agreed_by: Annotated[str, typer.Option("--agreed-by", help="Who agreed: names of both sides.")],
    note: Annotated[str, typer.Option(help="What happened, and where it is written down.")],
    slot: Annotated[list[str] | None, typer.Option(help="Only this slot; may be given several times.")] = None,
    as_json: Json = False,
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
        overlaps = [one.outage_id for one in added.overlapping]
        print_record(outage, overlaps=overlaps, platform_s=added.platform_s)
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
    pilot: Pilot,
    withdrawn: Withdrawn = False,
    as_json: Json = False,
) -> None:
    """List the agreed outages of a pilot, in the order of time."""
    with attached_database() as url, connected(url) as connection:
        zone = registered(connection, pilot).zone
        found = outages(connection, pilot, withdrawn_too=withdrawn)
    if as_json:
        print_records("outages", pilot, found)
        return
    slots = ["all" if one.slots is None else ", ".join(one.slots) for one in found]
    own = [
        {"slots": where, "cause": one.cause, "agreed by": one.agreed_by}
        for where, one in zip(slots, found, strict=True)
    ]
    show_records(found, zone, own)


@app.command()
def withdraw(number: Number, why: Why) -> None:
    """Let an outage count no more. It stays in the record, and what was judged by it stays as it was."""
    with attached_database() as url, connected(url) as connection:
        gone = withdraw_outage(connection, number, why=why, who=command_line_user())
    print(f"Outage {number} of {gone.pilot} is withdrawn: {described(gone)}. Results of its time become new versions.")

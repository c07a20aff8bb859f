"""``pilotbed exclusion``: intervals left out of judgement (평가 제외 구간)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from core.audit import command_line_user
from core.canonical import plain
from core.database import connected
from core.language import time_text
from devices.registry import pilot as registered
from devices.registry import plan_of
from kpi.records.consent import requests_of
from kpi.records.exclusions import (
    REASONS,
    add_exclusion,
    exclusions,
    rules_of,
    withdraw_exclusion,
)
from kpi.records.shared import told
from pilotbed.cli import group
from pilotbed.cli.instant import day, instant
from pilotbed.cli.papers import read_paper
from pilotbed.cli.recorded import Json, Number, Pilot, Why, Withdrawn, print_record, print_records, show_records
from pilotbed.cli.tables import columns, show
from pilotbed.stack.attach import attached_database

app = group("Record, list and withdraw intervals that are left out of judgement.")


@app.command()
def add(
    pilot: Pilot,
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
    document: Annotated[
        Path | None, typer.Option(help="The signed paper: any file up to 10 MiB, kept with its hash.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Record an exclusion that was agreed on paper: asked within five working days, at most 2 % of the slot's time in all.

    The plan may say another list of reasons, another deadline and another share (`exclusions`). What is asked for and agreed on
    the pages needs no such command: company, site and programme team each say so there.
    """
    paper = None if document is None else read_paper(document)
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
            paper=paper,
        )
        rules = rules_of(plan_of(connection, pilot)[0])
    if as_json:
        print_record(added)
        return
    why = f"{reason} ({rules.reasons[reason][1]})"
    print(f"Exclusion {added.exclusion_id} of {pilot} is recorded: {slot}, {told(added.window)}, {why}.")
    if added.sha256 is None:
        print("No signed paper was named (--document): the record says so for good.")
    else:
        print(f"Signed paper kept, SHA-256 {added.sha256}.")
    print("Results show both numbers, with it and without; a verdict that it turns goes to the committee.")
    if not rules.holidays:
        print(f"The plan lists no holidays: of the {rules.ask_within_days} working days only weekends were left out.")


@app.command("list")
def list_(
    pilot: Pilot,
    withdrawn: Withdrawn = False,
    as_json: Json = False,
) -> None:
    """List the exclusions of a pilot, in the order in which they were recorded."""
    with attached_database() as url, connected(url) as connection:
        zone = registered(connection, pilot).zone
        rules = rules_of(plan_of(connection, pilot)[0])
        found = exclusions(connection, pilot, withdrawn_too=withdrawn)
    if as_json:
        print_records("exclusions", pilot, found, most_share=rules.most_share)
        return
    own = [
        {
            "slot": one.slot,
            "reason": one.reason,
            "asked": f"{one.asked_on} by {one.asked_by}",
            "agreed by": f"{one.agreed_site}; {one.agreed_team}",
        }
        for one in found
    ]
    show_records(found, zone, own)


@app.command()
def requests(pilot: Pilot, as_json: Json = False) -> None:
    """List what was asked for on the pages, and what each side said."""
    with attached_database() as url, connected(url) as connection:
        zone = registered(connection, pilot).zone
        found = requests_of(connection, pilot)
    if as_json:
        rows = [{**plain(one), "state": one.state} for one in found]
        print(json.dumps({"pilot": pilot, "requests": rows}, ensure_ascii=False))
        return
    table = columns("id", "slot", "from", "to", "reason", "asked by", "site", "team", "state")
    for one in found:
        said = {
            consent.side: f"{'agreed' if consent.agreed else 'refused'}: {consent.said_by}" for consent in one.consents
        }
        table.add_row(
            str(one.request_id), one.asked.slot, time_text(one.asked.window.start, zone, "en"),
            time_text(one.asked.window.end, zone, "en"), one.asked.reason, one.recorded_by, said.get("site", "–"),
            said.get("team", "–"), one.state.replace("_", " "),
        )  # fmt: skip
    show(table)


@app.command()
def withdraw(number: Number, why: Why) -> None:
    """Let an exclusion count no more. It stays in the record, and what was judged by it stays as it was."""
    with attached_database() as url, connected(url) as connection:
        gone = withdraw_exclusion(connection, number, why=why, who=command_line_user())
    print(
        f"Exclusion {number} of {gone.pilot} is withdrawn: {gone.slot}, {told(gone.window)}."
        " Results of its time become new versions."
    )

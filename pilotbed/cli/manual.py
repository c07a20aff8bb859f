"""``pilotbed manual``: what people observe and enter (수기 관측값), with the document that proves it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from core.audit import command_line_user
from core.canonical import plain
from core.database import connected
from core.errors import EnvironmentProblem
from core.language import time_text, with_unit
from core.numbers import printed
from devices.registry import pilot as registered
from devices.registry import plan_of
from kpi.records import documents
from kpi.records.manual import ManualEntry, add_manual, manual_entries, quantity_of, withdraw_manual
from kpi.records.manual_rules import Given, in_unit, number, of_scores, window_of
from kpi.records.manual_table import answers_of, given_of
from pilotbed.cli import group
from pilotbed.cli.papers import read_paper
from pilotbed.cli.recorded import Json, Number, Pilot, Why, Withdrawn
from pilotbed.cli.tables import columns, show
from pilotbed.stack.attach import attached_database

app = group("Record, import, list and withdraw what people observed.")

Start = Annotated[str, typer.Option("--from", help="The first day (2026-05-01), or an instant.")]
End = Annotated[str, typer.Option("--to", help="The last day, that day included; or an instant.")]
Document = Annotated[Path | None, typer.Option(help="The file that proves it: any kind, up to 10 MiB.")]
By = Annotated[str, typer.Option("--measured-by", help="Who observed it.")]
Note = Annotated[str, typer.Option(help="What else is to be known.")]


@app.command()
def add(
    pilot: Pilot,
    quantity: Annotated[str, typer.Argument(metavar="QUANTITY", help="A name of the plan's `manual`.")],
    document: Annotated[Path, typer.Option(help="The file that proves it: any kind, up to 10 MiB.")],
    measured_by: By,
    value: Annotated[str, typer.Option(help="The count, the mean of the sample, or the value; its unit may follow.")],
    start: Start = "",
    end: End = "",
    at: Annotated[str, typer.Option(help="The instant, of a value that has no length of time.")] = "",
    exposure: Annotated[str, typer.Option(help="Of a count, where the plan declares one; its unit may follow.")] = "",
    n: Annotated[int | None, typer.Option("--n", help="Of a sample: how many answers.")] = None,
    sd: Annotated[str, typer.Option(help="Of a sample: their standard deviation.")] = "",
    slot: Annotated[str | None, typer.Option(help="The slot, where the plan's quantity has slots.")] = None,
    note: Note = "",
    as_json: Json = False,
) -> None:
    """Record one observation. It is never changed: a wrong one is withdrawn, and another is added."""
    paper = read_paper(document)
    with attached_database() as url, connected(url) as connection:
        plan, _, _ = plan_of(connection, pilot)
        declared = quantity_of(plan, quantity)
        first, last = window_of(start, end, at, plan.zone)
        below = "" if declared.exposure is None else declared.exposure.unit
        given = Given(
            quantity=quantity, slot=slot, start=first, end=last, measured_by=measured_by, note=note, n=n,
            value=in_unit("--value", value, declared.unit), exposure=in_unit("--exposure", exposure, below) if exposure else None,
            sd=number("--sd", sd) if sd else None,
        )  # fmt: skip
        [added] = add_manual(connection, pilot, [given], paper, who=command_line_user())
    if as_json:
        print(json.dumps(plain_entry(added), ensure_ascii=False))
        return
    print(f"Manual entry {added.manual_id} of {pilot} is recorded: {_told(added)}, {_times(added, plan.zone)}.")
    print(f"Document {added.document} ({added.bytes:,} bytes), SHA-256 {added.sha256}.")


@app.command("import")
def import_(
    pilot: Pilot,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV in UTF-8 or CP949, its first line the columns.")],
    answers: Annotated[
        str | None, typer.Option(help="The file has one row an answer, of this sample: with --from, --to, --column.")
    ] = None,
    column: Annotated[str, typer.Option(help="With --answers: the column of the score.")] = "score",
    start: Start = "",
    end: End = "",
    slot: Annotated[str | None, typer.Option(help="With --answers: the slot, where the quantity has slots.")] = None,
    measured_by: By = "",
    document: Document = None,
    note: Note = "",
    as_json: Json = False,
) -> None:
    """Record every row of a CSV file, or nothing of it.

    Columns: quantity, from, to (or at), value, exposure, n, sd, slot, measured_by, note. Without --document the CSV file
    itself is kept as what proves them. With --answers the file has one answer a row, and becomes one entry.
    """
    table = read_paper(file)
    paper = table if document is None else read_paper(document)
    with attached_database() as url, connected(url) as connection:
        plan, _, _ = plan_of(connection, pilot)
        if answers is None:
            given = given_of(table.content, plan, measured_by=measured_by, note=note)
        else:
            quantity_of(plan, answers)
            first, last = window_of(start, end, "", plan.zone)
            empty = Given(
                quantity=answers, slot=slot, start=first, end=last, value=0.0, measured_by=measured_by, note=note
            )  # fmt: skip
            given = [of_scores(empty, answers_of(table.content, column))]
        added = add_manual(connection, pilot, given, paper, who=command_line_user())
    if as_json:
        print(json.dumps({"pilot": pilot, "manual": [plain_entry(one) for one in added]}, ensure_ascii=False))
        return
    for one in added:
        print(f"Manual entry {one.manual_id}: {_told(one)}, {_times(one, plan.zone)}.")
    n = len(added)
    what = "1 entry" if n == 1 else f"{n} entries"
    print(f"{what} of {pilot} recorded; document {added[0].document}, SHA-256 {added[0].sha256}.")


@app.command("list")
def list_(pilot: Pilot, withdrawn: Withdrawn = False, as_json: Json = False) -> None:
    """List what was entered of a pilot, in the order of time."""
    with attached_database() as url, connected(url) as connection:
        zone = registered(connection, pilot).zone
        found = manual_entries(connection, pilot, withdrawn_too=withdrawn)
    if as_json:
        print(json.dumps({"pilot": pilot, "manual": [plain_entry(one) for one in found]}, ensure_ascii=False))
        return
    table = columns("id", "when", "what", "measured by", "document", "recorded", "state")
    for one in found:
        table.add_row(
            str(one.manual_id),
            _times(one, zone),
            _told(one),
            one.measured_by,
            f"{one.document} {one.sha256[:12]}",
            f"{time_text(one.recorded_at, zone, 'en')} by {one.recorded_by}",
            "counts" if one.superseded_at is None else f"withdrawn by {one.superseded_by}: {one.superseded_why}",
        )
    show(table)


@app.command()
def withdraw(number: Number, why: Why) -> None:
    """Let an entry count no more. It stays in the record, and what was judged by it stays as it was."""
    with attached_database() as url, connected(url) as connection:
        gone = withdraw_manual(connection, number, why=why, who=command_line_user())
    print(
        f"Manual entry {number} of {gone.pilot} is withdrawn: {_told(gone)}. Results of its time become new versions."
    )


@app.command()
def document(
    pilot: Pilot,
    sha256: Annotated[str, typer.Argument(metavar="SHA256", help="As `list --json` shows it.")],
    output: Annotated[Path, typer.Option("-o", help="Where to write it.")],
) -> None:
    """Write the document that proves an entry into a file."""
    with attached_database() as url, connected(url) as connection:
        content = documents.content(connection, pilot, sha256)
    try:
        output.write_bytes(content)
    except OSError as error:
        raise EnvironmentProblem(f"{output} cannot be written ({error.strerror}): name another file.") from error
    print(f"{output}: {len(content):,} bytes.")


def plain_entry(one: ManualEntry) -> dict[str, Any]:
    """An entry as plain data, its number as ``id``."""
    found: dict[str, Any] = plain(one)
    return {"id": found.pop("manual_id"), **found}


def _told(one: ManualEntry) -> str:
    place = "" if one.slot is None else f" at {one.slot}"
    value = with_unit(printed(one.value, one.unit), one.unit, "en")
    if one.exposure is not None and one.exposure_unit is not None:
        value += f" in {with_unit(printed(one.exposure, one.exposure_unit), one.exposure_unit, 'en')}"
    sample = "" if one.n is None else f" (n = {one.n:,}, sd = {'–' if one.sd is None else f'{one.sd:.3g}'})"
    return f"{one.quantity}{place} {value}{sample}"


def _times(one: ManualEntry, zone: Any) -> str:
    first = time_text(one.start_at, zone, "en")
    return first if one.window is None else f"{first} to {time_text(one.end_at, zone, 'en')}"

"""``pilotbed label``: truth labels (정답 기록) that people record, the windows that are to be labelled, and the list of pairs."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from core.audit import command_line_user
from core.canonical import plain
from core.database import connected
from core.errors import NotFound, PermanentError
from core.language import time_text
from core.window import Window, instant
from devices.registry import pilot as registered
from devices.registry import plan_of
from kpi.pair_list import pairs_of
from kpi.records.documents import MOST_BYTES, paper
from kpi.records.label_cells import Defaults
from kpi.records.label_file import Preview, preview
from kpi.records.label_windows import sample_windows
from kpi.records.labels import Given, add_labels, labels, withdraw_file, withdraw_label
from pilotbed.cli import group
from pilotbed.cli.instant import day
from pilotbed.cli.instant import instant as given_instant
from pilotbed.cli.recorded import Json, Pilot, Why, Withdrawn
from pilotbed.cli.tables import columns, show
from pilotbed.stack.attach import attached_database

app = group("Record, list and withdraw truth labels; list the windows to be labelled, and the pairs.")

Kind = Annotated[
    str, typer.Argument(metavar="KIND", help="The kind of event that is a truth label, as the plan names it.")
]
Labeller = Annotated[str, typer.Option(help="Who labels, by name.")]
SideOption = Annotated[str, typer.Option(help="Whose labeller that is: site, company, team or outside.")]
Blind = Annotated[bool | None, typer.Option("--blind/--not-blind", help="Made without seeing the alerts, or not.")]
Reader = Annotated[int, typer.Option(min=1, max=2, help="2: the second label of the same thing, by another person.")]
Key = Annotated[str, typer.Argument(metavar="KPI", help="The KPI with the detection, by its key in the plan.")]
Output = Annotated[Path | None, typer.Option("-o", help="The file to write; the terminal if left out.")]


@app.command()
def add(
    pilot: Pilot,
    kind: Kind,
    slot: Annotated[str, typer.Option(help="The slot that it is about.")],
    start: Annotated[str, typer.Option("--from", help="When it happened, with a zone: 2026-05-01T09:00:10+09:00.")],
    labeller: Labeller,
    side: SideOption,
    blind: Annotated[bool, typer.Option("--blind/--not-blind", help="Made without seeing the alerts, or not.")],
    end: Annotated[str | None, typer.Option("--to", help="When it was over; an instant if left out.")] = None,
    outcome: Annotated[
        str, typer.Option(help="positive, negative, or empty (nothing happened in that time).")
    ] = "positive",
    reader: Reader = 1,
    place: Annotated[str, typer.Option(help="Where.")] = "",
    attribute: Annotated[list[str] | None, typer.Option(help="NAME=VALUE; may be given several times.")] = None,
    note: Annotated[str, typer.Option(help="What else is to be said.")] = "",
) -> None:
    """Record one label."""
    begun = given_instant("--from", start)
    said: Any = {"outcome": outcome, "side": side}
    given = Given(
        slot=slot, start=begun, end=begun if end is None else given_instant("--to", end), labeller=labeller, blind=blind,
        reader=reader, place=place, attributes=dict(_attribute(one) for one in attribute or ()), note=note, **said,
    )  # fmt: skip
    with attached_database() as url, connected(url) as connection:
        add_labels(connection, pilot, kind, [given], who=command_line_user())
    print(f"The label {kind} of {slot} at {begun.isoformat()} is recorded.")


def _attribute(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise PermanentError(f"--attribute {text!r} is no NAME=VALUE, as in class=fall.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


@app.command("import")
def import_(
    pilot: Pilot,
    kind: Kind,
    file: Annotated[
        Path, typer.Argument(help="A CSV file: slot, start, outcome, and what else is known of each label.")
    ],
    labeller: Labeller = "",
    side: SideOption = "",
    blind: Blind = None,
    reader: Reader = 1,
    zone: Annotated[
        str, typer.Option(help="The zone of times without one, as in Asia/Seoul; not taken if left out.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be taken.")] = False,
    as_json: Json = False,
) -> None:
    """Record the labels of a CSV file. What cannot be taken is listed with its line; the rest is taken.

    --labeller, --side, --blind and --reader hold for rows that do not say it themselves.
    """
    try:
        with file.open("rb") as opened:
            given = paper(file.name, opened.read(MOST_BYTES + 1))
    except OSError as error:
        raise PermanentError(f"The file {file} cannot be read: {error.strerror}.") from error
    defaults = Defaults(labeller=labeller, side=side, blind=blind, reader=reader, zone=_zone(zone))
    with attached_database() as url, connected(url) as connection:
        found = preview(connection, pilot, kind, given, defaults)
        n = 0
        if found.taken and not dry_run:
            n = add_labels(connection, pilot, kind, found.taken, paper=given, who=command_line_user())
    if as_json:
        print(json.dumps(_told(found, n), ensure_ascii=False))
    else:
        _print(found, n, dry_run=dry_run)
    if not found.taken:
        raise typer.Exit(1)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        raise PermanentError(f"--zone {name!r} is no time zone: write one as Asia/Seoul.") from None


def _told(found: Preview, recorded: int) -> dict[str, Any]:
    return {
        "file": found.paper.name,
        "sha256": found.paper.sha256,
        "encoding": found.encoding,
        "taken": len(found.taken),
        "recorded": recorded,
        "refused": [
            {"line": row.line, "ko": row.fault[0], "en": row.fault[1]} for row in found.refused if row.fault is not None
        ],
    }


def _print(found: Preview, recorded: int, *, dry_run: bool) -> None:
    for row in found.refused:
        assert row.fault is not None
        print(f"line {row.line}: not taken: {row.fault[1]}", file=sys.stderr)
    what = f"{len(found.taken)} of {len(found.rows)} row(s) of {found.paper.name} ({found.encoding})"
    print(
        f"{what} would be taken." if dry_run else f"{what} are taken, {recorded} recorded. SHA-256 {found.paper.sha256}"
    )


@app.command("list")
def list_(
    pilot: Pilot,
    kind: Annotated[str | None, typer.Argument(metavar="[KIND]", help="Only of this kind.")] = None,
    withdrawn: Withdrawn = False,
    as_json: Json = False,
) -> None:
    """List the labels of a pilot, in the order of time."""
    with attached_database() as url, connected(url) as connection:
        zone = registered(connection, pilot).zone
        found = labels(connection, pilot, kind=kind, withdrawn_too=withdrawn)
    if as_json:
        print(json.dumps({"pilot": pilot, "labels": [plain(one) for one in found]}, ensure_ascii=False))
        return
    table = columns(
        "id", "kind", "slot", "from", "to", "outcome", "labeller", "side", "blind", "reader", "file", "state"
    )
    for one in found:
        table.add_row(
            str(one.label_id), one.kind, one.slot, time_text(one.start_at, zone, "en"),
            "" if one.end_at == one.start_at else time_text(one.end_at, zone, "en"), one.outcome, one.labeller, one.side,
            "yes" if one.blind else "no", str(one.reader),
            "" if one.file_name is None else f"{one.file_name}:{one.file_line}",
            "counts" if one.superseded_at is None else f"withdrawn by {one.superseded_by}: {one.superseded_why}",
        )  # fmt: skip
    show(table)


@app.command()
def withdraw(
    pilot: Pilot,
    why: Why,
    number: Annotated[int | None, typer.Argument(metavar="[ID]", help="Its number, as `list` shows it.")] = None,
    file: Annotated[str, typer.Option(help="All that came in the file with this SHA-256.")] = "",
) -> None:
    """Let a label count no more, or all of one file. It stays in the record, and what was judged by it stays as it was."""
    if (number is None) == (not file):
        raise PermanentError("Give either the number of a label, or --file with the SHA-256 of the file it came in.")
    with attached_database() as url, connected(url) as connection:
        if number is not None:
            withdraw_label(connection, number, why=why, who=command_line_user(), pilot=pilot)
            print(f"Label {number} of {pilot} is withdrawn. Results of its time become new versions.")
            return
        n = withdraw_file(connection, pilot, file, why=why, who=command_line_user())
    print(f"{n} label(s) of {pilot} are withdrawn. Results of their time become new versions.")


@app.command()
def sample(
    pilot: Pilot,
    key: Key,
    start: Annotated[str, typer.Option("--from", help="Only from this day on, YYYY-MM-DD.")] = "",
    end: Annotated[str, typer.Option("--to", help="Only up to, not including, this day.")] = "",
    output: Output = None,
    as_json: Json = False,
) -> None:
    """List the windows that are to be labelled, as CSV: drawn from the plan's seed, so that anybody can draw them again."""
    with attached_database() as url, connected(url) as connection:
        plan, _, _ = plan_of(connection, pilot)
    rows = [
        {"slot": one.slot, **{name: _text(at, plan.zone) for name, at in one.times.items()}}
        for one in sample_windows(plan, key, _days(plan.window, plan.zone, start, end))
    ]
    if as_json:
        print(json.dumps({"pilot": pilot, "kpi": key, "windows": rows}, ensure_ascii=False))
        return
    _write(rows, ("slot", "start", "end", "look_from", "look_until"), output)


def _text(at_us: int, zone: ZoneInfo) -> str:
    return instant(at_us).astimezone(zone).isoformat()


def _days(window: Window, zone: ZoneInfo, start: str, end: str) -> Window:
    from core.window import midnight

    first = midnight(day("--from", start), zone) if start else window.start
    last = midnight(day("--to", end), zone) if end else window.end
    if last <= first:
        raise PermanentError(f"--to {end or '(the end)'} does not lie after --from {start or '(the start)'}.")
    return Window(start=first, end=last)


@app.command()
def pairs(
    pilot: Pilot,
    key: Key,
    month: Annotated[str | None, typer.Option(help="Up to the end of this month, YYYY-MM.")] = None,
    at: Annotated[str | None, typer.Option(help="Of the verdict at this evaluation date, YYYY-MM-DD.")] = None,
    final: Annotated[bool, typer.Option("--final", help="Of the final verdict.")] = False,
    as_of: Annotated[str | None, typer.Option("--as-of", help="By what was known then, with a zone.")] = None,
    output: Output = None,
    as_json: Json = False,
) -> None:
    """List every pair that was judged, as CSV; its SHA-256 is that of the result (matching.sha256)."""
    with attached_database() as url, connected(url) as connection:
        found = pairs_of(
            connection, pilot, key, month=month, at=None if at is None else day("--at", at), final=final,
            as_of=None if as_of is None else given_instant("--as-of", as_of),
        )  # fmt: skip
    if as_json:
        print(json.dumps({"pilot": pilot, "kpi": key, "sha256": found.sha256, "pairs": found.rows}, ensure_ascii=False))
        return
    flat = [{**row, "label": " ".join(row["label"]), "alert": " ".join(row["alert"])} for row in found.rows]
    _write(
        flat,
        ("slot", "at", "outcome", "label", "label_at", "alert", "alert_at", "after_s", "uncharged", "down"),
        output,
    )
    print(f"{len(flat)} pair(s), SHA-256 {found.sha256}", file=sys.stderr)


def _write(rows: Sequence[Mapping[str, Any]], heads: Sequence[str], output: Path | None) -> None:
    with _opened(output) as file:
        writer = csv.DictWriter(file, heads, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[str]]:
    if output is None:
        yield sys.stdout
        return
    try:
        with output.open("w", encoding="utf-8-sig", newline="") as file:  # the mark is for Excel
            yield file
    except FileNotFoundError:
        raise NotFound(f"There is no folder {output.parent}: make it first.") from None

"""``pilotbed baseline``: files from before the pilot that changes are measured against."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from core.audit import command_line_user
from core.canonical import plain
from core.database import connected
from core.errors import EnvironmentProblem, PermanentError
from core.language import time_text
from devices.registry import pilot as registered
from devices.registry.queries import plan_of
from kpi.records.baselines import (
    MOST_BYTES,
    Recorded,
    add_baseline,
    baseline_files,
    baselines,
    content_of,
    table_of,
)
from pilotbed.cli import group
from pilotbed.cli.recorded import Json, Pilot
from pilotbed.cli.tables import columns, show
from pilotbed.stack.attach import attached_database

app = group("Hand in, list and show baselines from before the pilot.")

File = Annotated[Path, typer.Argument(metavar="FILE", help="The table: CSV in UTF-8 or CP949.")]
Kpi = Annotated[str, typer.Argument(metavar="KPI", help="The KPI whose baseline it is.")]
Number = Annotated[int, typer.Argument(metavar="ID", help="Its number, as `list` shows it.")]


@app.command("import")
def import_(pilot: Pilot, kpi: Kpi, file: File, as_json: Json = False) -> None:
    """Hand in the file that the plan names by its SHA-256. It is kept as it is, and never replaced."""
    content = _read(file)
    with attached_database() as url, connected(url) as connection:
        found = add_baseline(connection, pilot, kpi, file.name, content, who=command_line_user())
    if as_json:
        print(json.dumps(plain(found), ensure_ascii=False))
        return
    print(f"Baseline {found.baseline_id} of {pilot} for {kpi} is recorded: {found.file_name}, {found.bytes:,} bytes.")
    print(f"SHA-256 {found.sha256}, as the plan names it. Results that rest on it become new versions.")


@app.command("list")
def list_(pilot: Pilot, as_json: Json = False) -> None:
    """List what was handed in, and what the plan still waits for."""
    with attached_database() as url, connected(url) as connection:
        zone = registered(connection, pilot).zone
        found = baselines(connection, pilot)
        plan, _, _ = plan_of(connection, pilot)
    there = {(one.kpi, one.sha256) for one in found}
    awaited = [
        {"kpi": name, "file": one.file, "sha256": one.sha256}
        for name, files in baseline_files(plan)
        for one in files
        if (name, one.sha256) not in there
    ]
    if as_json:
        rows = [plain(one) for one in found]
        print(json.dumps({"pilot": pilot, "baselines": rows, "awaited": awaited}, ensure_ascii=False))
        return
    table = columns("id", "kpi", "file", "bytes", "SHA-256", "recorded")
    for one in found:
        when = f"{time_text(one.recorded_at, zone, 'en')} by {one.recorded_by}"
        table.add_row(str(one.baseline_id), one.kpi, one.file_name, f"{one.bytes:,}", one.sha256[:16], when)
    for row in awaited:
        table.add_row("–", row["kpi"], row["file"] or "", "–", (row["sha256"] or "")[:16], "not handed in yet")
    show(table)


@app.command("show")
def show_one(
    pilot: Pilot,
    number: Number,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write its bytes, as they came.")] = None,
    as_json: Json = False,
) -> None:
    """Show what a file holds, as the plan reads it."""
    with attached_database() as url, connected(url) as connection:
        zone = registered(connection, pilot).zone
        one = _one(baselines(connection, pilot), pilot, number)
        content = content_of(connection, number)
        plan, _, _ = plan_of(connection, pilot)
    if output is not None:
        _write(output, content)
    files = dict(baseline_files(plan)).get(one.kpi, [])
    table = next((table_of(content, named) for named in files if named.sha256 == one.sha256), None)
    told = plain(one)
    if table is not None:
        told |= {
            "rows": table.rows, "repeated": table.repeated, "encoding": table.encoding, "period_s": table.period_us / 1e6,
            "columns": [name or "*" for name in table.columns],
        }  # fmt: skip
    if as_json:
        print(json.dumps(told, ensure_ascii=False))
        return
    told["recorded_at"] = time_text(one.recorded_at, zone, "en")
    rows = columns("what", "is")
    for name, value in told.items():
        rows.add_row(name, ", ".join(value) if isinstance(value, list) else str(value))
    show(rows)


def _one(found: list[Recorded], pilot: str, number: int) -> Recorded:
    for one in found:
        if one.baseline_id == number:
            return one
    there = ", ".join(str(one.baseline_id) for one in found) or "none"
    raise PermanentError(f"Pilot {pilot} has no baseline {number}; it has: {there}.")


def _read(file: Path) -> bytes:
    try:
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise PermanentError(f"{file} has {size:,} bytes; a baseline has at most {MOST_BYTES:,}: average it.")
        return file.read_bytes()
    except OSError as problem:
        raise EnvironmentProblem(f"{file} cannot be read ({problem.strerror}): name another file.") from problem


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as problem:
        raise EnvironmentProblem(f"{file} cannot be written ({problem.strerror}): name another file.") from problem

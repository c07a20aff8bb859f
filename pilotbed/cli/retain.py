"""``pilotbed intake retain``: delete what is past its time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:  # imported where they are needed, so that --help is there at once
    from telemetry.retention import Dropped


def retain(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Delete nothing; say what would be.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Delete what is past its time: raw messages and payloads by keep_messages, readings by retention, pilot by pilot.

    The background jobs do the same each night.
    """
    from core.audit import command_line_user
    from core.database import connected
    from pilotbed.stack.attach import attached_database
    from telemetry.retention import drop_raw, due, retire

    with attached_database() as url, connected(url, application="pilotbed-retain") as connection:
        if dry_run:
            found = due(connection)
        else:
            raw = {one.pilot: one for one in drop_raw(connection, who=command_line_user())}
            gone = {one.pilot: one for one in retire(connection, who=command_line_user())}
            found = [_both(one, gone.get(name)) for name, one in raw.items()]
    if as_json:
        print(json.dumps({"dry_run": dry_run, "pilots": [_plain(one) for one in found]}, ensure_ascii=False))
        return
    from pilotbed.cli.tables import columns, show

    table = columns("pilot", "kept until (UTC)", "raw messages", "payloads", "readings", "beside", "chunks")
    for one in found:
        until = "-" if one.kept_until is None else f"{one.kept_until:%Y-%m-%d %H:%M}{' (over)' if one.over else ''}"
        table.add_row(
            one.pilot or "(nobody's)", until, str(one.messages), str(one.payloads), str(one.readings), str(one.beside),
            str(one.chunks),
        )  # fmt: skip
    print("Would be deleted:" if dry_run else "Deleted:")
    show(table)


def _both(raw: Dropped, gone: Dropped | None) -> Dropped:
    from dataclasses import replace

    if gone is None:
        return raw
    return replace(raw, readings=gone.readings, beside=gone.beside, chunks=gone.chunks)


def _plain(one: Dropped) -> dict[str, Any]:
    return {
        "pilot": one.pilot or None, "kept_until": None if one.kept_until is None else one.kept_until.isoformat(),
        "over": one.over, "messages": one.messages, "messages_before": one.messages_before.isoformat(),
        "payloads": one.payloads, "readings": one.readings, "beside": one.beside, "chunks": one.chunks,
    }  # fmt: skip

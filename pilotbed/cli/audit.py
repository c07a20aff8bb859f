"""``pilotbed audit``: who changed what, and when."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from core.audit import entries
from core.database import connected
from devices.registry import pilot as registered
from pilotbed.cli.tables import columns, show
from pilotbed.stack.attach import attached_database


def audit(
    pilot: Annotated[str | None, typer.Option(help="Only what concerns this pilot.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Who changed what, and when: the append-only log, newest first."""
    with attached_database() as url, connected(url) as connection:
        if pilot is not None:
            registered(connection, pilot)  # a name that is not there is told, not answered with nothing
        found = entries(connection, pilot=pilot, most=limit)
    if as_json:
        lines = [line | {"at": line["at"].isoformat()} for line in found]
        print(json.dumps({"pilot": pilot, "entries": lines}, ensure_ascii=False))
        return
    table = columns("at (UTC)", "who", "what", "pilot", "object", "change")
    for line in found:
        at = f"{line['at']:%Y-%m-%d %H:%M:%S}"
        table.add_row(at, line["who"], line["what"], line["pilot"] or "", line["object"], _change(line))
    show(table)


def _change(line: dict[str, Any]) -> str:
    """What differs, where both sides are records; else the side that there is."""
    before, after = line["before"], line["after"]
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [key for key in dict.fromkeys([*before, *after]) if before.get(key) != after.get(key)]
        text = ", ".join(f"{key}: {_short(before.get(key))} → {_short(after.get(key))}" for key in keys)
    else:
        text = _short(after if after is not None else before)
    return text if len(text) <= 160 else f"{text[:157]}…"


def _short(value: Any) -> str:
    if value is None:
        return "—"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:37]}…"

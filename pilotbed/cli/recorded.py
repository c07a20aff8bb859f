"""What the commands about people's records have in common: how outages and exclusions are listed, as a table or as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias
from zoneinfo import ZoneInfo

import typer

from core.canonical import plain
from core.language import duration_text, time_text
from kpi.records.exclusions import Exclusion
from kpi.records.outages import Outage
from pilotbed.cli.tables import columns, show

Record: TypeAlias = Outage | Exclusion

Pilot = Annotated[str, typer.Argument(metavar="PILOT", help="The pilot's name.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Number = Annotated[int, typer.Argument(metavar="ID", help="Its number, as `list` shows it.")]
Why = Annotated[str, typer.Option(help="Why it counts no more.")]
Withdrawn = Annotated[bool, typer.Option("--all", help="Also those that were withdrawn.")]


def print_record(one: Record, **more: Any) -> None:
    """One record as JSON."""
    print(json.dumps(plain_record(one) | more, ensure_ascii=False))


def print_records(name: str, pilot: str, found: Sequence[Record], **more: Any) -> None:
    """All of a pilot as JSON, under the name of their kind."""
    print(json.dumps({"pilot": pilot, **more, name: [plain_record(one) for one in found]}, ensure_ascii=False))


def show_records(found: Sequence[Record], zone: ZoneInfo, own: Sequence[Mapping[str, str]]) -> None:
    """All of a pilot as a table.

    :param own: what only this kind has, a row a record: heading → text.
    """
    heads = () if not own else tuple(own[0])
    table = columns("id", "from", "to", "lasts", *heads, "note", "recorded", "state")
    for one, texts in zip(found, own, strict=True):
        table.add_row(
            str(_number(one)),
            time_text(one.window.start, zone, "en"),
            time_text(one.window.end, zone, "en"),
            duration_text(one.window.seconds, "en"),
            *texts.values(),
            one.note,
            f"{time_text(one.recorded_at, zone, 'en')} by {one.recorded_by}",
            "counts" if one.superseded_at is None else f"withdrawn by {one.superseded_by}: {one.superseded_why}",
        )
    show(table)


def plain_record(one: Record) -> dict[str, Any]:
    """A record as plain data: its number as ``id``, its window as ``start`` and ``end``."""
    found: dict[str, Any] = plain(one)
    window = found.pop("window")
    found.pop("outage_id" if isinstance(one, Outage) else "exclusion_id")
    return {"id": _number(one), **window, **found}


def _number(one: Record) -> int:
    return one.outage_id if isinstance(one, Outage) else one.exclusion_id

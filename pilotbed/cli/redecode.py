"""``pilotbed intake redecode``: raw messages decoded again by the plan in force."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # imported where they are needed, so that --help is there at once
    from ingest.compared import Comparison
    from ingest.redecode import Redecoded


def redecode(
    pilot: Annotated[str, typer.Argument(metavar="PILOT", help="The pilot's name.")],
    start: Annotated[
        str, typer.Option("--from", metavar="DATE|INSTANT", help="Messages received from here; without a zone: the pilot's.")
    ],
    end: Annotated[str, typer.Option("--to", metavar="DATE|INSTANT", help="… up to, not including, here.")],
    name: Annotated[str | None, typer.Option("--connection", metavar="NAME", help="Only this connection's.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Store nothing; show the first readings as they are and as they would be.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:  # fmt: skip
    """Decode kept raw messages again by the plan in force, after a corrected mapping.

    New readings go into the revisions in force; the older revisions' are untouched and stand no more.
    """
    from core.audit import command_line_user
    from core.database import connected
    from devices.registry import pilot as registered
    from ingest.compared import compare
    from ingest.kept import Span
    from ingest.redecode import redecode as decode_again
    from pilotbed.cli.span import span as span_of
    from pilotbed.stack.attach import attached_database

    with attached_database() as url, connected(url, application="pilotbed-redecode") as connection:
        window = span_of(start, end, registered(connection, pilot).zone)
        wanted = Span(pilot=pilot, start=window.start, end=window.end, connection=name)
        if dry_run:
            _tell_comparison(pilot, compare(connection, wanted), as_json=as_json)
            return
        from pilotbed.cli.sending import progress_bar

        with progress_bar(f"decoding {pilot} again", None) as (bar, task):
            done = decode_again(
                connection,
                wanted,
                who=command_line_user(),
                progress=lambda n, total: bar.update(task, completed=n, total=total),
            )
    _tell(pilot, done, as_json=as_json)


def _tell(pilot: str, done: Redecoded, *, as_json: bool) -> None:
    if as_json:
        found = {
            "pilot": pilot, "from": done.start.isoformat(), "to": done.end.isoformat(), "messages": done.messages,
            "readings": done.readings, "events": done.events, "duplicate": done.duplicate, "conflict": done.conflict,
            "rejected": done.rejected, "rejected_before": done.rejected_before, "superseded": done.superseded,
            "unreadable": dict(done.unreadable), "left": done.left, "without_arrival": done.without_arrival,
        }  # fmt: skip
        print(json.dumps(found))
        return
    print(
        f"{done.messages} messages received from {done.start:%Y-%m-%d %H:%M:%S}Z to {done.end:%Y-%m-%d %H:%M:%S}Z decoded"
        f" again: {done.readings} new readings and {done.events} new events, {done.duplicate} were there already,"
        f" {done.conflict} with another value, {done.rejected + done.rejected_before} refused"
        f" ({done.rejected_before} as before). {done.superseded} readings of other revisions stand no more."
    )
    if done.unreadable:
        why = ", ".join(f"{code} {n}" for code, n in done.unreadable.most_common())
        print(f"Not readable by the plan in force: {why}.")
    if done.left:
        print(
            f"{done.left} messages were left as they are, because others that came with them cannot be read any more."
        )
    if done.without_arrival:
        print(
            f"{done.without_arrival} readings were left as they are: the arrival that is their time was not kept then."
        )


def _tell_comparison(pilot: str, found: Comparison, *, as_json: bool) -> None:
    if as_json:
        document = {
            "pilot": pilot, "dry_run": True, "messages": found.messages, "first_at": found.first_at.isoformat(),
            "last_at": found.last_at.isoformat(), "looked_at": found.looked_at, "readings": found.readings,
            "same": found.same, "refused": dict(found.refused), "unreadable": dict(found.unreadable),
            "differences": [
                {
                    "slot": one.slot, "channel": one.channel, "unit": one.unit, "observed_at": one.observed_at.isoformat(),
                    "old": None if one.old_revision is None else {"revision": one.old_revision, "value": one.old_value},
                    "new": {"revision": one.new_revision, "value": one.new_value},
                }
                for one in found.differences
            ],
        }  # fmt: skip
        print(json.dumps(document, ensure_ascii=False))
        return
    from pilotbed.cli.tables import columns, show

    print(
        f"{found.messages} messages of {pilot} are kept, received from {found.first_at:%Y-%m-%d %H:%M:%S}Z to"
        f" {found.last_at:%Y-%m-%d %H:%M:%S}Z. Of the first {found.looked_at}: {found.readings} readings,"
        f" {found.same} of them there already by the plan in force, {found.refused.total()} items refused,"
        f" {found.unreadable.total()} messages not readable. Nothing was stored."
    )
    table = columns("slot", "channel", "observed (UTC)", "as it is", "as it would be")
    for one in found.differences:
        old = "none" if one.old_revision is None else f"{one.old_value:g} {one.unit} (revision {one.old_revision})"
        new = f"{one.new_value:g} {one.unit} (revision {one.new_revision})"
        table.add_row(one.slot, one.channel, f"{one.observed_at:%Y-%m-%d %H:%M:%S.%f}", old, new)
    if table.row_count:
        show(table)

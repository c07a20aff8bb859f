"""``pilotbed audit``: who changed what, and when; and what the platform says of its own life."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer

from core.audit import Wanted, entries
from core.canonical import plain
from core.database import Connection, connected
from core.errors import PermanentError
from core.window import Window
from devices.registry import pilot as registered
from pilotbed.cli.span import moment
from pilotbed.cli.tables import columns, show
from pilotbed.stack.attach import attached_database

if TYPE_CHECKING:
    from telemetry.platform_runs import Life

_STATES: Final = {"runs": "runs", "ended": "ended", "broke_off": "broke off without a word"}
_LONG: Final = timedelta(days=30)


def audit(
    pilot: Annotated[str | None, typer.Option(help="Only what concerns this pilot.")] = None,
    who: Annotated[str | None, typer.Option(help="Only by this person or process: kim, cli:kim, system:work.")] = None,
    what: Annotated[
        str | None, typer.Option(help="Only this: plan.apply; or all of its kind: plan, credential, person, outage.")
    ] = None,
    named: Annotated[str | None, typer.Option("--object", help="Only where the object's name has this in it.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="DATE|INSTANT", help="From here; without a zone: the pilot's, or UTC.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="DATE|INSTANT", help="Up to, not including, here.")] = None,
    cursor: Annotated[int | None, typer.Option(help="Older ones than the line of this number.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, the newest.")] = 200,
    platform: Annotated[
        bool, typer.Option("--platform", help="The platform's own record instead: runs, versions, restarts, outages.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:  # fmt: skip
    """Who changed what, and when: the append-only log, newest first. Of the platform itself: when it was at work."""
    given = (pilot, who, named, cursor)
    if platform and any(one is not None for one in given):
        raise PermanentError(
            "--platform goes with --from, --to, --what (a process) and --limit only: leave the others out."
        )
    with attached_database() as url, connected(url) as connection:
        # A name that is not there is told, not answered with nothing.
        zone = ZoneInfo("UTC") if pilot is None else registered(connection, pilot).zone
        since = None if start is None else moment("--from", start, zone)
        until = None if end is None else moment("--to", end, zone)
        if since is not None and until is not None and since >= until:
            raise PermanentError(f"--from {start} does not lie before --to {end}: choose a span of time.")
        if platform:
            _tell_life(_life(connection, since, until, what, limit), as_json=as_json)
            return
        wanted = Wanted(pilot=pilot, who=who, what=what, object=named, since=since, until=until, before=cursor)
        found = entries(connection, wanted, most=limit + 1)
    more = len(found) > limit
    _tell_entries(pilot, found[:limit], more=more, as_json=as_json)


def _tell_entries(pilot: str | None, found: list[dict[str, Any]], *, more: bool, as_json: bool) -> None:
    cursor = found[-1]["audit_id"] if more else None
    if as_json:
        lines = [line | {"at": line["at"].isoformat()} for line in found]
        print(json.dumps({"pilot": pilot, "entries": lines, "cursor": cursor}, ensure_ascii=False))
        return
    table = columns("id", "at (UTC)", "who", "what", "pilot", "object", "change")
    for line in found:
        at = f"{line['at']:%Y-%m-%d %H:%M:%S}"
        table.add_row(
            str(line["audit_id"]), at, line["who"], line["what"], line["pilot"] or "", line["object"], _change(line)
        )
    show(table)
    if cursor is not None:
        typer.echo(f"There are older ones: --cursor {cursor}", err=True)


def _life(
    connection: Connection, since: datetime | None, until: datetime | None, process: str | None, most: int
) -> Life:
    from telemetry.platform_runs import life

    now = datetime.now(UTC)
    end = until or now
    return life(connection, Window(start=since or end - _LONG, end=end), now, process=process, most=most)


def _tell_life(found: Life, *, as_json: bool) -> None:
    if as_json:
        document = {
            "window": {"start": found.window.start, "end": found.window.end},
            "runs": [
                {
                    "process": one.process, "run": one.run, "version": one.version, "started_at": one.started_at,
                    "until": one.until, "state": one.state, "at_work_s": one.at_work_s, "records": one.words, "note": one.note,
                }
                for one in found.runs
            ],
            "restarts": found.restarts,
            "versions": [{"since": at, "version": version} for at, version in found.versions],
            "outages": [{"start": one.start, "end": one.end, "seconds": one.seconds} for one in found.outages],
        }  # fmt: skip
        print(json.dumps(plain(document), ensure_ascii=False))
        return
    runs = columns("process", "version", "started (UTC)", "last word (UTC)", "at work", "state", "note")
    for one in found.runs:
        runs.add_row(
            one.process, one.version or "-", f"{one.started_at:%Y-%m-%d %H:%M:%S}", f"{one.until:%Y-%m-%d %H:%M:%S}",
            _long(one.at_work_s), _STATES[one.state], one.note,
        )  # fmt: skip
    show(runs)
    again = ", ".join(f"{process} {n}" for process, n in found.restarts.items()) or "none known"
    print(
        f"\nRestarts: {again}. Versions: {', '.join(f'{v} since {at:%Y-%m-%d %H:%M}Z' for at, v in found.versions) or '-'}."
    )
    if not found.outages:
        print("No outage of the intake is recorded in this time.")
        return
    print("\nNo intake was at work")
    outages = columns("from (UTC)", "to (UTC)", "for")
    for gap in found.outages:
        outages.add_row(f"{gap.start:%Y-%m-%d %H:%M:%S}", f"{gap.end:%Y-%m-%d %H:%M:%S}", _long(gap.seconds))
    show(outages)


def _long(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


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

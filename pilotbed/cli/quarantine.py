"""``pilotbed quarantine``: messages that could not be taken."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from core.audit import command_line_user
from core.canonical import plain
from core.database import connected
from core.errors import PermanentError
from devices.registry import pilot as registered_pilot
from ingest import quarantine
from ingest.preview import preview
from ingest.quarantine import Wanted
from ingest.reasons import REASONS
from ingest.replay import as_delivered, is_whole
from ingest.replay import replay as replay_messages
from pilotbed.cli import group
from pilotbed.cli.payload import as_text, hex_lines, pretty
from pilotbed.cli.tables import columns
from pilotbed.cli.tables import show as print_tables
from pilotbed.stack.attach import attached_database

app = group("List, show and replay messages that could not be taken.")

_Pilot = Annotated[str, typer.Argument(help="The pilot's name.")]
_Reason = Annotated[str | None, typer.Option(help=f"Only those set aside for this reason: {', '.join(REASONS)}.")]
_Connection = Annotated[
    str | None, typer.Option("--connection", metavar="NAME", help="Only this connection's; - for topics of none.")
]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]

_MOST_TEXT = 4_000
_MOST_LINES = 32


@app.command("list")
def list_(
    pilot: _Pilot,
    reason: _Reason = None,
    name: _Connection = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE|INSTANT", help="Only those received since; without a zone: the pilot's.")
    ] = None,
    resolved: Annotated[bool, typer.Option("--all", help="Also those that were replayed since.")] = False,
    most: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, the newest.")] = 50,
    as_json: _Json = False,
) -> None:
    """List the messages of a pilot, newest first; how many there are by reason; and what a daily quota left out."""
    _require_known(reason)
    with attached_database() as url, connected(url) as connection:
        zone = registered_pilot(connection, pilot).zone
        quarantine.require_connection(connection, pilot, name)
        wanted = Wanted(pilot=pilot, connection=name, reason=reason, since=_instant(since, zone), resolved_too=resolved)
        rows = quarantine.quarantined(connection, wanted, most=most)
        counts = quarantine.counts(connection, wanted)
        beyond = quarantine.beyond_quota(connection, wanted)
    if as_json:
        found = {
            "pilot": pilot,
            "counts": {row["reason"]: row["n"] for row in counts},
            "messages": [_plain(row) for row in rows],
            "beyond_quota": plain(beyond),
        }
        print(json.dumps(found, ensure_ascii=False))
        return
    if not rows and not beyond:
        typer.echo(f"No message of {pilot} is set aside.", err=True)
    listed = columns("id", "received (UTC)", "connection", "reason", "bytes", "state", "topic")
    for row in rows:
        listed.add_row(
            str(row["quarantine_id"]), f"{row['received_at']:%Y-%m-%d %H:%M:%S}", row["connection"] or "-", row["reason"],
            str(row["payload_bytes"]), "replayed" if row["resolved_at"] else "open", row["topic"],
        )  # fmt: skip
    counted = columns("messages", "reason", "what it means", "last received (UTC)")
    for row in counts:
        known = REASONS.get(row["reason"])
        counted.add_row(
            str(row["n"]), row["reason"], "" if known is None else f"{known.ko} {known.en}", f"{row['last_at']:%Y-%m-%d %H:%M:%S}"
        )  # fmt: skip
    left_out = columns("day", "connection", "kept", "beyond the quota", "bytes", "chain of hashes (SHA-256)")
    for row in beyond:
        left_out.add_row(
            str(row["day"]), row["connection"] or "-", str(row["kept"]), str(row["beyond"]), str(row["beyond_bytes"]),
            row["beyond_sha256"],
        )  # fmt: skip
    for place, table in enumerate(table for table in (listed, counted, left_out) if table.row_count):
        if place:
            print()
        print_tables(table)


@app.command()
def show(
    number: Annotated[int, typer.Argument(metavar="ID", help="The message's number, as `list` shows it.")],
    whole: Annotated[bool, typer.Option("--whole", help="All bytes, however many.")] = False,
    as_json: _Json = False,
) -> None:
    """Show one message: its bytes, why it was set aside, what to do, and what the plan in force now would read from it."""
    with attached_database() as url, connected(url) as connection:
        row = quarantine.quarantined_message(connection, number)
        seen = preview(connection, as_delivered(row)) if is_whole(row) else None
    payload = bytes(row["payload"])
    now = None if seen is None else json.loads(json.dumps(asdict(seen), default=datetime.isoformat))
    if as_json:
        found = _plain(row) | {
            "hint": _hint(row["reason"]), "payload_text": as_text(payload), "document": pretty(payload), "read_now": now,
        }  # fmt: skip
        print(json.dumps(found, ensure_ascii=False))
        return
    hint = _hint(row["reason"])
    for label, value in (
        ("message", number),
        ("pilot", row["pilot"] or "-"),
        ("connection", row["connection"] or "-"),
        ("topic", row["topic"]),
        ("received", f"{row['received_at']:%Y-%m-%d %H:%M:%S.%f}Z"),
        ("reason", row["reason"]),
        ("detail", row["detail"]),
        ("사유", hint["ko"]),
        ("hint", hint["en"]),
        ("payload", f"{row['payload_bytes']} bytes, SHA-256 {row['payload_sha256']}{_gone(row)}"),
        ("resolved", _resolved(row)),
    ):
        print(f"{label:<10} {value}")
    _print_payload(payload, whole=whole)
    _print_read(now)


@app.command()
def replay(pilot: _Pilot, reason: _Reason = None, name: _Connection = None, as_json: _Json = False) -> None:
    """Decode the open messages again by the plan as it is now, and store what they say."""
    _require_known(reason)
    with attached_database() as url, connected(url, application="pilotbed-replay") as connection:
        registered_pilot(connection, pilot)
        quarantine.require_connection(connection, pilot, name)
        wanted = Wanted(pilot=pilot, connection=name, reason=reason)
        done = replay_messages(connection, wanted, who=command_line_user())
    if as_json:
        found = {
            "pilot": pilot, "tried": done.tried, "resolved": done.resolved, "readings": done.readings,
            "events": done.events, "duplicate": done.duplicate, "conflict": done.conflict, "rejected": done.rejected,
            "still": done.still, "still_by_reason": dict(done.reasons.most_common()), "cut": done.cut,
        }  # fmt: skip
        print(json.dumps(found))
        return
    why = ", ".join(f"{code} {n}" for code, n in done.reasons.most_common())
    print(
        f"{done.tried} messages tried: {done.resolved} replayed with {done.readings} new readings and {done.events} new"
        f" events ({done.duplicate} were there already, {done.conflict} with another value, {done.rejected} rejected),"
        f" {done.still} still not usable{f' ({why})' if why else ''}, {done.cut} kept by their head only."
    )


def _require_known(reason: str | None) -> None:
    if reason is not None and reason not in REASONS:
        raise PermanentError(f"There is no reason {reason!r}; there are: {', '.join(REASONS)}.")


def _instant(text: str | None, zone: ZoneInfo) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise PermanentError(
            f"--since {text!r} is neither a date (2026-06-01) nor an instant (2026-06-01T09:00)."
        ) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)


def _hint(reason: str) -> dict[str, str]:
    known = REASONS.get(reason)
    if known is None:
        return {"ko": "", "en": ""}
    return {"ko": f"{known.ko} {known.step_ko}", "en": f"{known.en} {known.step_en}"}


def _resolved(row: dict[str, Any]) -> str:
    if row["resolved_at"] is None:
        return "no"
    at = "" if row["replayed_at"] is None else f", stored with receipt time {row['replayed_at']:%Y-%m-%d %H:%M:%S.%f}Z"
    return f"{row['resolution']}{at}"


def _gone(row: dict[str, Any]) -> str:
    at = row["payload_dropped_at"]
    return "" if at is None else f"; dropped {at:%Y-%m-%d} by keep_messages, so that nothing can be read or replayed"


def _print_payload(payload: bytes, *, whole: bool) -> None:
    for title, text in (("as JSON", pretty(payload)), ("as text", as_text(payload))):
        if text:
            print(f"\n{title}")
            print(
                text if whole or len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}… (--whole: {len(text)} characters)"
            )
    print("\nas it came")
    lines = hex_lines(payload)
    print("\n".join(lines if whole else lines[:_MOST_LINES]))
    if not whole and len(lines) > _MOST_LINES:
        print(f"… (--whole: {len(payload)} bytes)")


def _print_read(now: dict[str, Any] | None) -> None:
    if now is None:
        print("\nOnly its head was kept: nothing can be read or replayed.")
        return
    print("\nread by the plan in force now")
    if now["set_aside"] is not None:
        hint = _hint(now["set_aside"]["reason"])
        print(f"nothing: {now['set_aside']['reason']}: {now['set_aside']['detail']}\n{hint['ko']}\n{hint['en']}")
    table = columns("slot", "item", "time", "value", "")
    for one in now["readings"]:
        value = one["state"] if one["state"] is not None else f"{one['value']} {one['unit']}"
        table.add_row(one["slot"], one["channel"], one["observed_at"], value, "")
    for one in now["events"]:
        what = f"{one['id']} {one['phase']}".strip()
        table.add_row(one["slot"], one["kind"], one["at"], what, json.dumps(one["attributes"], ensure_ascii=False))
    for one in now["link_states"]:
        table.add_row(one["slot"], one["origin"], one["at"], one["state"], "")
    for one in now["refused"]:
        table.add_row(one["slot"], one["item"], one["observed"], one["value"], f"{one['reason']}: {one['detail']}")
    if table.row_count:
        print_tables(table)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    payload = bytes(row["payload"])
    return {
        "id": row["quarantine_id"],
        "connection": row["connection"],
        "topic": row["topic"],
        "received_at": row["received_at"].isoformat(),
        "reason": row["reason"],
        "detail": row["detail"],
        "payload_bytes": row["payload_bytes"],
        "payload_sha256": row["payload_sha256"],
        "payload_base64": base64.b64encode(payload).decode(),
        "retained": bool(row["flags"] & 2),
        "qos": 0 if row["flags"] & 4 else 1,
        "resolved_at": None if row["resolved_at"] is None else row["resolved_at"].isoformat(),
        "resolution": row["resolution"],
        "replayed_at": None if row["replayed_at"] is None else row["replayed_at"].isoformat(),
    }

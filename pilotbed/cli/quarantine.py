"""``pilotbed quarantine``: messages that could not be taken."""

from __future__ import annotations

import base64
import json
from typing import Annotated, Any

import typer

from core.audit import command_line_user
from core.database import connected
from core.errors import PermanentError
from core.settings import settings
from devices.registry import pilot as registered_pilot
from ingest import quarantine
from ingest.reasons import REASONS
from pilotbed.cli import group
from pilotbed.stack.attach import attached_database

app = group("List, show and replay messages that could not be taken.")

_Pilot = Annotated[str, typer.Argument(help="The pilot's name.")]
_Reason = Annotated[str | None, typer.Option(help=f"Only those set aside for this reason: {', '.join(REASONS)}.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


@app.command("list")
def list_(
    pilot: _Pilot,
    reason: _Reason = None,
    resolved: Annotated[bool, typer.Option("--all", help="Also those that were replayed since.")] = False,
    most: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, the newest.")] = 50,
    as_json: _Json = False,
) -> None:
    """List the messages of a pilot, newest first."""
    _require_known(reason)
    with attached_database() as url, connected(url) as connection:
        registered_pilot(connection, pilot)
        rows = quarantine.quarantined(connection, pilot, reason=reason, resolved_too=resolved, most=most)
    if as_json:
        print(json.dumps({"pilot": pilot, "messages": [_plain(row) for row in rows]}, ensure_ascii=False))
        return
    for row in rows:
        state = "replayed" if row["resolved_at"] else "open"
        print(
            f"{row['quarantine_id']:>8}  {row['received_at']:%Y-%m-%d %H:%M:%S}Z  {state:8}  {row['reason']:16} {row['topic']}"
        )
    if not rows:
        typer.echo(f"No message of {pilot} is set aside.", err=True)


@app.command()
def show(
    number: Annotated[int, typer.Argument(metavar="ID", help="The message's number, as `list` shows it.")],
    as_json: _Json = False,
) -> None:
    """Show one message: its payload as it came, why it was set aside, and what to do."""
    with attached_database() as url, connected(url) as connection:
        row = quarantine.quarantined_message(connection, number)
    reason = REASONS.get(row["reason"])
    if as_json:
        hint = {} if reason is None else {"ko": f"{reason.ko} {reason.step_ko}", "en": f"{reason.en} {reason.step_en}"}
        print(json.dumps(_plain(row) | {"hint": hint}, ensure_ascii=False))
        return
    for label, value in (
        ("message", number),
        ("pilot", row["pilot"] or "-"),
        ("connection", row["connection"] or "-"),
        ("topic", row["topic"]),
        ("received", f"{row['received_at']:%Y-%m-%d %H:%M:%S.%f}Z"),
        ("reason", row["reason"]),
        ("detail", row["detail"]),
        ("사유", "" if reason is None else f"{reason.ko} {reason.step_ko}"),
        ("hint", "" if reason is None else f"{reason.en} {reason.step_en}"),
        ("payload", f"{row['payload_bytes']} bytes, SHA-256 {row['payload_sha256']}"),
        ("resolved", row["resolution"] or "no"),
    ):
        print(f"{label:<10} {value}")
    print(_readable(bytes(row["payload"])))


@app.command()
def replay(pilot: _Pilot, reason: _Reason = None, as_json: _Json = False) -> None:
    """Decode the open messages again by the plan as it is now, and store what they say."""
    _require_known(reason)
    with attached_database() as url, connected(url, application="pilotbed-replay") as connection:
        registered_pilot(connection, pilot)
        done = quarantine.replay(
            connection,
            pilot,
            who=command_line_user(),
            reason=reason,
            max_payload_bytes=settings().max_payload_bytes,
        )
    if as_json:
        print(
            json.dumps(
                {
                    "pilot": pilot, "tried": done.tried, "resolved": done.resolved, "readings": done.readings,
                    "still": done.still, "cut": done.cut,
                }
            )
        )  # fmt: skip
        return
    print(
        f"{done.tried} messages tried: {done.resolved} replayed with {done.readings} new readings, {done.still} still not"
        f" usable, {done.cut} kept by their head only."
    )


def _require_known(reason: str | None) -> None:
    if reason is not None and reason not in REASONS:
        raise PermanentError(f"There is no reason {reason!r}; there are: {', '.join(REASONS)}.")


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
        "resolved_at": None if row["resolved_at"] is None else row["resolved_at"].isoformat(),
        "resolution": row["resolution"],
    }


def _readable(payload: bytes) -> str:
    """The payload as text where it is one, without control characters; else as hexadecimal digits."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return payload.hex(" ")
    return "".join(letter if letter.isprintable() or letter == "\n" else f"\\x{ord(letter):02x}" for letter in text)

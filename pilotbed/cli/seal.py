"""``pilotbed seal``: the daily seals of a pilot, and the keys that sign them."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from core.audit import command_line_user, record
from core.database import Connection, connected
from core.errors import BrokerAway, PermanentError
from core.language import time_text
from core.settings import settings
from pilotbed.cli import group
from pilotbed.cli.instant import day
from pilotbed.cli.tables import columns, show
from pilotbed.jobs.sealing import sealer
from pilotbed.stack.attach import attached_broker_url, attached_database
from telemetry.seals import signing
from telemetry.seals.check import Checked, Fault
from telemetry.seals.check import check as check_seals
from telemetry.seals.close import seal_now
from telemetry.seals.heads import Heads
from telemetry.seals.stamp import stamp_missing
from telemetry.seals.store import Seal, sealed_pilot, seals
from telemetry.seals.witness import hand_over

app = group("List, check and make the daily seals.")

_Pilot = Annotated[str, typer.Argument(metavar="PILOT", help="The pilot's name.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


@app.command("list")
def list_(pilot: _Pilot, as_json: _Json = False) -> None:
    """List the seals of a pilot, the oldest first."""
    with attached_database() as url, connected(url) as connection:
        known = sealed_pilot(connection, pilot)
        found = seals(connection, pilot)
    if as_json:
        print(json.dumps({"pilot": pilot, "seals": [_plain(one) for one in found]}, ensure_ascii=False))
        return
    asked = settings().timestamp_url is not None
    table = columns("number", "day", "readings", "other rows", "head", "sealed", "timestamp", "epoch")
    for one in found:
        rows = dict(one.said.rows)
        readings = rows.pop("reading", 0)
        stamp = time_text(one.stamped_at, known.zone, "en") if one.stamped_at else "none yet" if asked else "–"
        table.add_row(
            str(one.number),
            f"{one.day}{' (interim)' if one.interim else ''}",
            f"{readings:,}",
            f"{sum(rows.values()):,}",
            one.head[:16],
            time_text(one.recorded_at, known.zone, "en"),
            stamp,
            str(one.epoch),
        )
    show(table)


@app.command()
def check(
    pilot: _Pilot,
    first: Annotated[str | None, typer.Option("--from", help="Only leaves of days from here on: 2026-05-01.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="… up to and with this day.")] = None,
    key: Annotated[
        list[str] | None, typer.Option(help="The fingerprint of a key to trust, as you know it from elsewhere.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Make every leaf again from the store, and compare: chain, days, signatures, roots. Ends with 1 if anything differs."""
    path = settings().seal_key_file
    with attached_database() as url, connected(url, application="pilotbed-seal-check") as connection:
        roots = key or signing.known_beside(path)
        found = check_seals(
            connection,
            pilot,
            first=None if first is None else day("--from", first),
            last=None if last is None else day("--to", last),
            heads=Heads(path),
            roots=roots,
        )
    if as_json:
        print(json.dumps(_checked(found), ensure_ascii=False))
    else:
        for fault in found.faults:
            print(_told(fault))
        for note in found.notes:
            print(f"note: {note}")
        print(_summary(found))
    if not found.sound:
        raise typer.Exit(1)


@app.command()
def now(pilot: _Pilot, as_json: _Json = False) -> None:
    """Seal the running day as far as it went. The day's own seal follows when it is over."""
    with attached_database() as url, connected(url, application="pilotbed-seal") as connection:
        made = seal_now(connection, pilot, sealer(connection, settings()))
        for one in made:
            record(
                connection, who=command_line_user(), what="seal.now", pilot=pilot, object=f"seal {one.number}",
                after={"head": one.head, "day": one.day},
            )  # fmt: skip
        stamp_missing(connection, settings())
        hand_over(connection, _broker(), settings())
    if as_json:
        print(json.dumps({"pilot": pilot, "seals": [_plain(one) for one in made]}, ensure_ascii=False))
        return
    for one in made:
        interim = " so far" if one.interim else ""
        print(
            f"Seal {one.number} of {pilot}, {one.day}{interim}: {one.said.rows['reading']:,} readings, head {one.head}."
        )


@app.command()
def keygen(
    rotate: Annotated[bool, typer.Option("--rotate", help="Put a new key in the place of the one there is.")] = False,
    as_json: _Json = False,
) -> None:
    """Make the key that signs seals, or a new one that the old one signs."""
    path = settings().seal_key_file
    with attached_database() as url, connected(url, application="pilotbed-seal") as connection:
        old, new = _keygen(connection, rotate=rotate)
    if as_json:
        before = None if old is None else old.fingerprint
        print(json.dumps({"fingerprint": new.fingerprint, "before": before, "file": str(path)}))
        return
    print(f"The seal key is in {path}, readable by its owner alone. Its fingerprint: {new.fingerprint}")
    if old is not None:
        print(f"The key before it, {old.fingerprint}, has signed it and is gone from this machine.")
    print("Publish the fingerprint where the company reads it; the keys stand at /.well-known/pilotbed-seal-keys.json.")


def _keygen(connection: Connection, *, rotate: bool) -> tuple[signing.SealKey | None, signing.SealKey]:
    path = settings().seal_key_file
    there = signing.read_key(path)
    if there is not None and not rotate:
        raise PermanentError(
            f"There is a seal key in {path} already ({there.fingerprint[:16]}…): `pilotbed seal keygen --rotate` makes a"
            " new one that it signs."
        )
    old, new = signing.rotate_key(connection, path) if rotate else (None, signing.make_key(connection, path))
    record(
        connection, who=command_line_user(), what="seal.rotate_key" if rotate else "seal.make_key",
        object=f"seal key {new.fingerprint[:16]}",
        before=None if old is None else {"fingerprint": old.fingerprint}, after={"fingerprint": new.fingerprint},
    )  # fmt: skip
    return old, new


def _broker() -> str | None:
    try:
        return attached_broker_url()
    except BrokerAway:
        return None  # the jobs hand it over once there is one


def _plain(one: Seal) -> dict[str, Any]:
    said = one.said
    return {
        "number": one.number, "day": one.day.isoformat(), "interim": one.interim, "epoch": one.epoch, "head": one.head,
        "root": said.root, "leaves": said.leaves, "rows": dict(said.rows), "plan": dict(said.plan),
        "end": said.end.isoformat(), "key": one.key, "recorded_at": one.recorded_at.isoformat(),
        "timestamp": None if one.stamped_at is None else {"at": one.stamped_at.isoformat(), "authority": one.authority},
    }  # fmt: skip


def _checked(found: Checked) -> dict[str, Any]:
    return {
        "pilot": found.pilot, "sound": found.sound, "seals": found.seals, "leaves": found.leaves, "rows": found.rows,
        "head": found.head, "notes": found.notes,
        "faults": [
            {
                "about": fault.about, "seal": fault.number, "day": None if fault.day is None else fault.day.isoformat(),
                "leaf": fault.leaf, "what": fault.what,
            }
            for fault in found.faults
        ],
    }  # fmt: skip


def _told(fault: Fault) -> str:
    place = "" if fault.number is None else f"seal {fault.number} of {fault.day}: "
    leaf = "" if fault.leaf is None else f"{fault.leaf}: "
    return f"{fault.about:9} {place}{leaf}{fault.what}"


def _summary(found: Checked) -> str:
    if not found.sound:
        n = len(found.faults)
        return f"{found.pilot}: {n} thing{'s' if n > 1 else ''} not as sealed. docs/evidence.md says what to do."
    if not found.seals:
        return f"{found.pilot}: nothing is sealed in that range yet."
    return (
        f"{found.pilot}: {found.seals} seals, {found.leaves:,} leaves, {found.rows:,} rows: all as sealed."
        f" Head {found.head}"
    )

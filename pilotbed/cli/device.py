"""``pilotbed device``: what stands where, and who may speak for it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from core.audit import command_line_user
from core.database import connected
from core.settings import settings
from devices.broker import Broker
from devices.plan.credential_file import require_absent
from devices.registry import DeviceRow, issue_credential, pilot, replace_device, withdraw_connection
from devices.registry import devices as registered
from pilotbed.cli import group
from pilotbed.cli.plan import hand_over, say_credentials
from pilotbed.cli.tables import columns, show
from pilotbed.stack.address import broker_for_devices
from pilotbed.stack.attach import attached_broker_url, attached_database

app = group("List devices, renew their credentials, replace or withdraw them.")

_Pilot = Annotated[str, typer.Argument(metavar="PILOT", help="The pilot's name.")]
_Connection = Annotated[str, typer.Argument(metavar="CONNECTION", help="The connection's name in the plan.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


@app.command("list")
def list_(
    pilot_name: _Pilot,
    history: Annotated[bool, typer.Option("--all", help="Devices that were there before, too.")] = False,
    as_json: _Json = False,
) -> None:
    """List a pilot's slots with the devices that stand in them."""
    with attached_database() as url, connected(url) as connection:
        zone = pilot(connection, pilot_name).zone
        rows = registered(connection, pilot_name)
    shown = [row for row in rows if history or (row.removed_at is None and row.slot_withdrawn_at is None)]
    if as_json:
        print(json.dumps({"pilot": pilot_name, "devices": [_plain(row) for row in shown]}, ensure_ascii=False))
        return
    table = columns(
        "slot", "place", "serial", "model", "firmware", "connection", "user", "since", "state")  # fmt: skip
    for row in shown:
        since = "" if row.installed_at is None else f"{row.installed_at.astimezone(zone):%Y-%m-%d %H:%M}"
        table.add_row(
            row.slot, row.place, row.serial or "", row.model or "", row.firmware or "", row.connection, row.username,
            since, _state(row),
        )  # fmt: skip
    show(table)


@app.command()
def credentials(
    pilot_name: _Pilot,
    name: _Connection,
    file: Annotated[
        Path | None,
        typer.Option("--credentials", metavar="FILE", help="Hand the secret over in this file (0600), not here."),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Give a connection a new secret. The old one dies at once; a withdrawn connection may speak again."""
    if file is not None:
        require_absent(file)
    with attached_database() as url, connected(url) as connection:
        with Broker(attached_broker_url()) as broker:
            issued = issue_credential(connection, pilot_name, name, who=command_line_user(), broker=broker)
        address = broker_for_devices(settings()) or ""
    shown = hand_over(pilot_name, address, [issued], file)
    if as_json:
        print(
            json.dumps(
                {
                    "pilot": pilot_name,
                    "credentials": [asdict(item) for item in shown],
                    "credentials_file": None if shown else str(file),
                    "broker": address,
                },
                ensure_ascii=False,
            )
        )
        return
    say_credentials(shown, [issued], file, address)


@app.command()
def withdraw(pilot_name: _Pilot, name: _Connection) -> None:
    """Cut a connection off until it is given a new secret. What it sent stays."""
    with attached_database() as url, connected(url) as connection, Broker(attached_broker_url()) as broker:
        done = withdraw_connection(connection, pilot_name, name, who=command_line_user(), broker=broker)
    if done:
        print(f"Withdrawn: {name} of {pilot_name} is cut off.")
    else:
        print(f"{name} of {pilot_name} was withdrawn before; nothing changed.")


@app.command()
def replace(
    pilot_name: _Pilot,
    slot: Annotated[str, typer.Argument(metavar="SLOT", help="The slot in which another device stands now.")],
    serial: Annotated[str, typer.Option(help="The new device's serial number.")],
    firmware: Annotated[str | None, typer.Option(help="Its firmware.")] = None,
    model: Annotated[str | None, typer.Option(help="Its model; the one before if left out.")] = None,
) -> None:
    """Record that another device stands in a slot from now on. Its series goes on, and the swap is visible."""
    with attached_database() as url, connected(url) as connection:
        replace_device(
            connection, pilot_name, slot, serial=serial, firmware=firmware, model=model, who=command_line_user()
        )
    print(f"Replaced: {serial} stands in {slot} of {pilot_name} from now on.")


def _state(row: DeviceRow) -> str:
    if row.slot_withdrawn_at is not None:
        return "slot withdrawn"
    if row.removed_at is not None:
        return f"until {row.removed_at:%Y-%m-%d}"
    return "active" if row.withdrawn_at is None else "connection withdrawn"


def _plain(row: DeviceRow) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in asdict(row).items()} | {
        "state": _state(row)
    }

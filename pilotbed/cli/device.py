"""``pilotbed device``: what stands where, and who may speak for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from core.audit import command_line_user
from core.database import connected
from core.settings import settings
from devices.access import Access
from devices.broker import Broker
from devices.example import KINDS
from devices.plan.credential_file import Credential, require_absent
from devices.registry import DeviceRow, issue_credential, pilot, plan_of, replace_device, withdraw_connection
from devices.registry import devices as registered
from pilotbed.cli import group
from pilotbed.cli.examples import examples_of, kinds_of, say_examples
from pilotbed.cli.plan import hand_over, say_credentials
from pilotbed.cli.tables import columns, show
from pilotbed.stack.address import broker_for_devices
from pilotbed.stack.attach import attached_broker_url, attached_database

app = group("List devices, renew their credentials, replace or withdraw them.")

_Pilot = Annotated[str, typer.Argument(metavar="PILOT", help="The pilot's name.")]
_Connection = Annotated[str, typer.Argument(metavar="CONNECTION", help="The connection's name in the plan.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
_CredentialFile = Annotated[
    Path | None,
    typer.Option("--credentials", metavar="FILE", help="Hand the secret over in this file (0600), not here."),
]
_Example = Annotated[
    str | None, typer.Option(metavar="|".join([*KINDS, "all"]), help="Which example to paste; all if left out.")
]


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
    file: _CredentialFile = None,
    example: _Example = None,
    as_json: _Json = False,
) -> None:
    """Give a connection a new secret. The old one dies at once; a withdrawn connection may speak again.

    An example to paste follows: a first reading by mosquitto_pub, Python or Arduino, with the secret in it.
    """
    kinds = kinds_of(example)
    if file is not None:
        require_absent(file)
    with attached_database() as url, connected(url) as connection:
        with Broker(attached_broker_url()) as broker:
            issued = issue_credential(connection, pilot_name, name, who=command_line_user(), broker=broker)
        plan, _, _ = plan_of(connection, pilot_name)
        address = broker_for_devices(settings()) or ""
    shown = hand_over(pilot_name, address, [issued], file)
    found = examples_of(plan, issued, address, kinds, shown=bool(shown))
    if as_json:
        print(json.dumps({"pilot": pilot_name, **_handed(issued, shown, file, address, found)}, ensure_ascii=False))
        return
    say_credentials(shown, [issued], file, address)
    say_examples(found)


def _handed(
    issued: Credential, shown: Sequence[Credential], file: Path | None, address: str, found: dict[str, str]
) -> dict[str, Any]:
    return {
        "credentials": [asdict(item) for item in shown],
        "credentials_file": None if shown else str(file),
        "broker": address,
        "connection": issued.connection,
        "examples": found,
    }


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
    at: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="Since when, as in 2026-11-03T14:20+09:00; now if left out.")
    ] = None,
    keep_credentials: Annotated[
        bool, typer.Option("--keep-credentials", help="Leave the secret as it is: the new device has it.")
    ] = False,
    file: _CredentialFile = None,
    example: _Example = None,
    as_json: _Json = False,
) -> None:
    """Record that another device stands in a slot. Its series goes on, and the swap is visible.

    The secret of the device that goes dies at once, and a new one is handed over, where the slot has a connection of its own.
    A gateway that speaks for several slots keeps its secret.
    """
    kinds, since = kinds_of(example), None if at is None else _instant(at)
    if file is not None:
        require_absent(file)
    with attached_database() as url, connected(url) as connection:
        with ExitStack() as opened:
            done = replace_device(
                connection, pilot_name, slot, serial=serial, firmware=firmware, model=model, at=since,
                who=command_line_user(), broker=_BrokerIfNeeded(opened), keep_credentials=keep_credentials,
            )  # fmt: skip
        plan, _, _ = plan_of(connection, pilot_name)
        address = broker_for_devices(settings()) or ""
    issued = done.credential
    shown = () if issued is None else hand_over(pilot_name, address, [issued], file)
    found = {} if issued is None else examples_of(plan, issued, address, kinds, shown=bool(shown))
    if as_json:
        swap: dict[str, Any] = {"pilot": pilot_name, "slot": slot, "serial": serial, "at": done.at.isoformat()}
        swap |= {"connection": done.connection, "credentials": [], "credentials_file": None, "broker": address}
        if issued is not None:
            swap |= _handed(issued, shown, file, address, found)
        print(json.dumps(swap, ensure_ascii=False))
        return
    local = done.at.astimezone(plan.zone)
    print(f"Replaced: {serial} stands in {slot} of {pilot_name} since {local:%Y-%m-%d %H:%M:%S%z}.")
    if issued is not None:
        print(f"The secret that {done.connection} had is worth nothing any more.")
        say_credentials(shown, [issued], file, address)
        say_examples(found)
    elif len(done.slots) > 1:
        print(
            f"{done.connection} speaks for {', '.join(done.slots)} and keeps its secret: if that is to change too,"
            f" `pilotbed device credentials {pilot_name} {done.connection}`."
        )
    else:
        print(f"{done.connection} keeps its secret.")


class _BrokerIfNeeded:
    """Without a new secret there is nothing to tell the broker, and it may be away."""

    def __init__(self, opened: ExitStack) -> None:
        self._opened = opened

    def grant(self, access: Access, password: str | None) -> None:
        self._opened.enter_context(Broker(attached_broker_url())).grant(access, password)

    def withdraw(self, username: str) -> None:
        self._opened.enter_context(Broker(attached_broker_url())).withdraw(username)


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no instant: write it as in 2026-11-03T14:20+09:00.", param_hint="--at"
        ) from None


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

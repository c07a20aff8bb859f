"""``pilotbed plan``: check, apply, show and compare plan files."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from core.audit import command_line_user
from core.canonical import sha256
from core.database import connected
from core.errors import EnvironmentProblem, NotFound
from core.settings import settings
from devices.broker import Broker
from devices.plan.credential_file import Credential, CredentialFile, require_absent, write_credentials
from devices.plan.diff import diff, refusals
from devices.plan.model import Plan
from devices.plan.problem import PlanProblems, known
from devices.plan.reader import PlanFile, read_plan
from devices.plan.schema import schema_text
from devices.plan.shipped import shipped_profiles, shipped_source
from devices.registry import apply_plan, pilot, plan_of, plan_source, plan_versions
from pilotbed.cli import group
from pilotbed.cli.plan_tables import channels_shown, kpi_table, slot_table, version_table
from pilotbed.cli.plan_told import plain_change, print_changes, print_problems, problems_plain
from pilotbed.cli.tables import columns
from pilotbed.cli.tables import show as show_tables
from pilotbed.stack.address import broker_for_devices
from pilotbed.stack.attach import attached_broker_url, attached_database

app = group("Check, apply, show and compare plan files.")

_File = Annotated[Path, typer.Argument(metavar="FILE", help="A plan file (YAML).")]
_Pilot = Annotated[str, typer.Argument(metavar="PILOT", help="The pilot's name.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
_Language = Annotated[
    str | None, typer.Option("--lang", help="Tell the rules in ko or en; PILOTBED_LANGUAGE if left out.")
]
_Credentials = Annotated[
    Path | None,
    typer.Option("--credentials", metavar="FILE", help="Hand new credentials over in this file (0600), not here."),
]


@app.command()
def check(
    file: _File,
    as_json: _Json = False,
    language: _Language = None,
    chances: Annotated[
        bool, typer.Option("--chances/--no-chances", help="Reckon what verdicts the plan lets expect.")
    ] = True,
) -> None:
    """Check a plan file: every problem at once, with its line. Needs nothing but the file.

    Of a valid plan it tells the chance of met, open and not met for each KPI, and warns where a target cannot be shown, where
    weights do not come to 100, and the like: a plan with warnings stays valid.
    """
    from pilotbed.cli import outlook

    told_in = _language(language)
    try:
        read = read_plan(file)
    except PlanProblems as found:
        if as_json:
            print(json.dumps({"file": str(file), "valid": False, **problems_plain(found.problems)}, ensure_ascii=False))
        else:
            print_problems(file, found.problems, told_in, sys.stdout)
        raise typer.Exit(1) from None
    if not as_json:
        print(f"{file} is valid: {_counted(read.plan)}. SHA-256 {read.sha256}")
        for used in read.profiles:
            print(f"with the device template {used.name}, SHA-256 {used.sha256}")
    expected = outlook.looked_at(read.plan, told_in) if chances else outlook.unreckoned(read.plan)
    if as_json:
        summary = {"file": str(file), "valid": True, "pilot": read.plan.pilot, "sha256": read.sha256, "problems": []}
        summary |= {"profiles": _profiles(read.plan)}
        told = outlook.plain(expected)
        print(json.dumps({**summary, **(told if chances else {"warnings": told["warnings"]})}, ensure_ascii=False))
    else:
        outlook.show(expected, told_in)


@app.command()
def apply(file: _File, credentials: _Credentials = None, as_json: _Json = False, language: _Language = None) -> None:
    """Register a plan file as the next version of its pilot, and let its new connections in at the broker.

    Their secrets are handed over once: in the file, or here. Applying the same file again changes nothing.
    """
    try:
        _apply(read_plan(file), file, credentials, as_json)
    except PlanProblems as found:
        if as_json:
            print(
                json.dumps({"file": str(file), "applied": False, **problems_plain(found.problems)}, ensure_ascii=False)
            )
        print_problems(file, found.problems, _language(language), sys.stderr)
        raise typer.Exit(1) from None


def _apply(read: PlanFile, file: Path, credentials: Path | None, as_json: bool) -> None:
    if credentials is not None:
        require_absent(credentials)
    who = command_line_user()
    with attached_database() as url, connected(url) as connection:
        with Broker(attached_broker_url()) as broker:
            applied = apply_plan(connection, read, who=who, broker=broker)
        address = broker_for_devices(settings()) or ""
    shown = hand_over(applied.pilot, address, applied.credentials, credentials)
    if as_json:
        print(
            json.dumps(
                {
                    "pilot": applied.pilot,
                    "version": applied.version,
                    "sha256": applied.sha256,
                    "profiles": _profiles(read.plan),
                    "applied": applied.changed,
                    "changes": [plain_change(change) for change in applied.diff],
                    "credentials": [asdict(credential) for credential in shown],
                    "credentials_file": None if shown or not applied.credentials else str(credentials),
                    "broker": address,
                },
                ensure_ascii=False,
            )
        )
        return
    if not applied.changed:
        print(f"{file} is version {applied.version} of {applied.pilot} already: nothing changed.")
        return
    print(f"{applied.pilot}: version {applied.version} applied. SHA-256 {applied.sha256}")
    print_changes(applied.diff)
    say_credentials(shown, applied.credentials, credentials, address)


@app.command()
def show(
    pilot_name: _Pilot,
    version: Annotated[int | None, typer.Option(help="Which version; the one in force if left out.")] = None,
    source: Annotated[bool, typer.Option("--source", help="The file itself, to the byte.")] = False,
    profile: Annotated[
        str | None,
        typer.Option("--profile", metavar="NAME", help="A device template that it was applied with, to the byte."),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Show a pilot's plan, and which versions there are."""
    with attached_database() as url, connected(url) as connection:
        found = pilot(connection, pilot_name)
        content, number, digest = plan_source(connection, pilot_name, version)
        plan, _, _ = plan_of(connection, pilot_name, version)
        versions = plan_versions(connection, pilot_name)
    if profile is not None:
        sys.stdout.buffer.write(_profile_of(plan, profile))
        return
    if source:
        sys.stdout.buffer.write(content)
        return
    if as_json:
        shown = {
            "pilot": found.name,
            "version": number,
            "sha256": digest,
            "profiles": _profiles(plan),
            "plan": plan.model_dump(mode="json", by_alias=True, exclude_none=True),
            "versions": [row | {"recorded_at": row["recorded_at"].isoformat()} for row in versions],
        }
        print(json.dumps(shown, ensure_ascii=False))
        return
    print(f"{plan.title} ({plan.pilot})\nversion {number} of {versions[-1]['version']}, SHA-256 {digest}")
    period, evaluation = plan.period, plan.evaluation
    print(f"{plan.company.name} at {plan.site.name}, {period.start} to {period.end} ({period.timezone})")
    looks = ", ".join(str(day) for day in (*evaluation.interim, evaluation.data_until))
    print(f"judged at {looks}; committee {evaluation.meeting}")
    for used in plan.profiles:
        print(f"device template {used.name}, SHA-256 {used.sha256}")
    print()
    show_tables(slot_table(plan), kpi_table(plan), version_table(versions))


@app.command("diff")
def diff_(pilot_name: _Pilot, file: _File, as_json: _Json = False, language: _Language = None) -> None:
    """Compare a plan file with the version in force, and say what applying it would be refused for."""
    read = read_plan(file)
    with attached_database() as url, connected(url) as connection:
        before, number, _ = plan_of(connection, pilot_name)
    changes = diff(before, read.plan)
    faults = refusals(before, read.plan, datetime.now(UTC))
    refused = read.problems(faults).problems if faults else ()
    if as_json:
        shown = {
            "pilot": pilot_name,
            "version": number,
            "changes": [plain_change(change) for change in changes],
            "refused": problems_plain(refused)["problems"],
        }
        print(json.dumps(shown, ensure_ascii=False))
        return
    if not changes:
        print(f"{file} says what version {number} of {pilot_name} says.")
    print_changes(changes)
    print_problems(file, refused, _language(language), sys.stdout)


@app.command()
def schema(
    profile: Annotated[bool, typer.Option("--profile", help="That of device templates.")] = False,
) -> None:
    """Print the JSON Schema of plan files, for editors."""
    print(schema_text(profile=profile), end="")


@app.command()
def profiles(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Print this one's file, to begin one of your own with.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """List the device templates that come with the platform: what a slot gets that says `profile: NAME`."""
    found = shipped_profiles()
    if name is not None:
        if name not in found:
            raise NotFound(f"No device template {name!r} is shipped; there are: {known(list(found), 30)}.")
        sys.stdout.buffer.write(shipped_source(name))
        return
    if as_json:
        listed = {
            key: {
                "sha256": sha256(shipped_source(key)),
                **one.model_dump(mode="json", by_alias=True, exclude_none=True),
            }
            for key, one in found.items()
        }
        print(json.dumps({"profiles": listed}, ensure_ascii=False))
        return
    table = columns("profile", "what", "protocol", "channels")
    for key, one in found.items():
        spoken = "json" if one.connection is None else one.connection.protocol
        table.add_row(key, one.title, spoken, channels_shown(one.channels))
    show_tables(table)


def hand_over(pilot_name: str, broker: str, issued: Sequence[Credential], file: Path | None) -> tuple[Credential, ...]:
    """Write credentials to their file.

    :returns: those that must be shown here instead: without a file, or where it could not be written after all.
    """
    if not issued:
        return ()
    if file is None:
        return tuple(issued)
    try:
        write_credentials(file, CredentialFile(broker=broker, pilot=pilot_name, connections=tuple(issued)))
    except (EnvironmentProblem, OSError) as problem:
        # They exist nowhere else: better on this terminal than lost.
        print(f"pilotbed: {problem} They are shown here instead.", file=sys.stderr)
        return tuple(issued)
    return ()


def say_credentials(shown: Sequence[Credential], issued: Sequence[Credential], file: Path | None, broker: str) -> None:
    """Tell where credentials are, or the credentials themselves."""
    if not issued:
        if file is not None:
            print(f"No connection is new, so no credentials: {file} was not written.")
        return
    if not shown:
        print(f"Credentials of {', '.join(item.connection for item in issued)} for {broker} are in {file}.")
        others = [f"{item.connection} ({item.owner})" for item in issued if item.owner != "company"]
        if others:
            print(f"Not the company's, so not for it: {', '.join(others)}. Hand each to its owner alone.")
        return
    print(f"Credentials for {broker}, shown this once:")
    for item in shown:
        whose = "" if item.owner == "company" else f"  NOT THE COMPANY'S: for its owner ({item.owner}) alone"
        print(
            f"  {item.connection}: user {item.username}  password {item.password}  (slots {', '.join(item.slots)}){whose}"
        )


def _language(given: str | None) -> str:
    language = given or settings().language
    if language not in ("ko", "en"):
        raise typer.BadParameter(f"{language!r} is neither ko nor en", param_hint="--lang")
    return language


def _counted(plan: Plan) -> str:
    channels = sum(len(slot.channels) for slot in plan.slots.values())
    connections = len(plan.connection_names)
    return (
        f"pilot {plan.pilot}, {connections} connection(s), {len(plan.slots)} slot(s), {channels} channel(s),"
        f" {len(plan.kpis)} KPI(s)"
    )


def _profiles(plan: Plan) -> dict[str, str]:
    """The device templates of a plan: name → SHA-256."""
    return {used.name: used.sha256 for used in plan.profiles}


def _profile_of(plan: Plan, name: str) -> bytes:
    for used in plan.profiles:
        if used.name == name:
            return used.source
    there = known([used.name for used in plan.profiles], 30)
    raise NotFound(f"This version of the plan of {plan.pilot} has no device template {name!r}; it has: {there}.")

"""``pilotbed user``: the people who log in."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from core.audit import command_line_user
from core.database import connected
from dashboards import users
from dashboards.users import ROLES, Person
from pilotbed.cli import group
from pilotbed.stack.attach import attached_database

app = group("Add, list and disable the people who log in.")

_Name = Annotated[str, typer.Argument(help="The name they log in with.")]
_Ask = Annotated[bool, typer.Option("--ask", help="Ask for the password instead of making one.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


@app.command()
def add(
    name: _Name,
    role: Annotated[str, typer.Option(help=f"What they may do: {', '.join(ROLES)}.")],
    site: Annotated[
        list[str] | None, typer.Option(help="An officer's site, by its id in the plan; may be repeated.")
    ] = None,
    company: Annotated[
        list[str] | None, typer.Option(help="A company, by its id in the plan; may be repeated.")
    ] = None,
    pilot: Annotated[
        list[str] | None, typer.Option(help="A pilot that a committee member reads; may be repeated.")
    ] = None,
    ask: _Ask = False,
    as_json: _Json = False,
) -> None:
    """Add a person. The password is printed once and kept nowhere."""
    chosen = _asked() if ask else None
    scope = {"sites": site or [], "companies": company or [], "pilots": pilot or []}
    with attached_database() as url, connected(url) as connection:
        password = users.add(connection, name=name, role=role, password=chosen, who=command_line_user(), **scope)
        unknown = users.unknown_scope(connection, **scope)
    if as_json:
        print(json.dumps({"name": name, "role": role, "unknown": unknown} | ({} if ask else {"password": password})))
        return
    print(f"Added {name} ({role})." if ask else f"Added {name} ({role}), password {password} (shown this once).")
    for one in unknown:
        typer.echo(f"Note: no registered pilot has {one!r} yet.", err=True)


@app.command("list")
def list_(as_json: _Json = False) -> None:
    """List everybody, the disabled too."""
    with attached_database() as url, connected(url) as connection:
        found = users.everybody(connection)
    if as_json:
        print(json.dumps({"users": [_plain(person) for person in found]}, ensure_ascii=False))
        return
    for person in found:
        scope = ", ".join([*person.sites, *person.companies, *person.pilots]) or "-"
        closed = "" if person.disabled_at is None else f"  disabled {person.disabled_at:%Y-%m-%d}"
        print(f"{person.name:24} {person.role:10} {scope}{closed}")
    if not found:
        typer.echo("Nobody yet: `pilotbed user add NAME --role admin` adds the first.", err=True)


@app.command()
def disable(name: _Name) -> None:
    """Close a person's account and end their sessions."""
    with attached_database() as url, connected(url) as connection:
        users.disable(connection, name, who=command_line_user())
    print(f"Disabled {name}; every session of theirs has ended.")


@app.command()
def password(name: _Name, ask: _Ask = False) -> None:
    """Give a person another password and end their sessions."""
    chosen = _asked() if ask else None
    with attached_database() as url, connected(url) as connection:
        made = users.change_password(connection, name, chosen, who=command_line_user())
    print(f"Changed for {name}." if ask else f"The password of {name} is now {made} (shown this once).")


def _asked() -> str:
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def _plain(person: Person) -> dict[str, object]:
    return {
        "name": person.name,
        "role": person.role,
        "sites": list(person.sites),
        "companies": list(person.companies),
        "pilots": list(person.pilots),
        "created_at": person.created_at.isoformat(),
        "disabled_at": None if person.disabled_at is None else person.disabled_at.isoformat(),
    }

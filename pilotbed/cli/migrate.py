"""``pilotbed migrate``: the database of this version, and somebody who can log in."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from core.database import connected
from core.migrate import engine
from core.migrate import migrate as apply_migrations
from dashboards.users import ensure_first_admin
from pilotbed.stack.attach import attached_database


def migrate(
    admin: Annotated[
        bool, typer.Option("--admin/--no-admin", help="Make the first administrator where there is none.")
    ] = True,
) -> None:
    """Bring the database to this version: the one of PILOTBED_DATABASE_URL, else the embedded one.

    May be repeated: what is applied stays applied. The first administrator's password is printed once and kept nowhere.
    """
    applied: list[str] = []
    with attached_database(migrated=applied.extend) as url:
        applied += apply_migrations(url)
        with connected(url, application="pilotbed-migrate") as connection:
            found = engine(connection)
            password = ensure_first_admin(connection, who="system:migrate") if admin else None
    print(f"Applied: {', '.join(applied)}." if applied else "The database was up to date: nothing was applied.")
    print(f"Engine: {found}.")
    if password is not None:
        print(f"First administrator: admin, password {password} (shown this once).", flush=True)
        if not sys.stdout.isatty():
            # What is not a terminal may be a log, and be kept.
            print("If this output is kept, replace that password: `pilotbed user password admin` makes another.")

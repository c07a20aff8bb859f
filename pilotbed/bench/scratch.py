"""A database of a measurement's own: on an embedded server, or on one that was named; gone afterwards."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from core.errors import EnvironmentProblem
from core.migrate import migrate
from pilotbed.stack.account import temporary_folder
from pilotbed.stack.postgres import Postgres

IN_BULK: Final[Mapping[str, str]] = {
    "wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "4GB", "checkpoint_timeout": "1h",
}  # fmt: skip
"""Settings of an embedded server that is filled in one go and thrown away."""


@contextmanager
def scratch_server(given: str | None, settings: Mapping[str, str] = IN_BULK, *, durable: bool = False) -> Iterator[str]:
    """The URL of a server where databases can be made: the one that was given, or an embedded one in a temporary folder.

    :param durable: the embedded one writes as safely as in production; for measurements of writing.
    """
    if given is not None:
        yield given
        return
    with temporary_folder("pilotbed-bench-") as folder:
        # What is filled in one go need not survive a power cut, unless writing is what is measured.
        server = Postgres(folder / "postgres", durable=durable, settings=settings)
        with server:
            yield server.url_of("postgres")


@contextmanager
def scratch_database(server: str) -> Iterator[str]:
    """A migrated, empty database on a server, dropped at the end.

    :raises EnvironmentProblem: the server cannot be reached, or lets us make no database.
    """
    name = f"pilotbed_bench_{secrets.token_hex(4)}"
    try:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    except psycopg.Error as error:
        where = urlsplit(server)
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
        raise EnvironmentProblem(
            f"No database can be made for the measurement on {where.hostname}:{where.port}: {reason}."
            " Name a user who may create databases, or leave the server out to measure an embedded one."
        ) from error
    url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    try:
        migrate(url)
        yield url
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

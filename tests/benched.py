"""A server that a measurement makes databases at, and which ones are its own: other tests may measure at the same server."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql


@contextmanager
def role_of_its_own(server: str) -> Iterator[str]:
    """The same server for a superuser whom nobody else is; nothing may be left of his when he goes."""
    name, password = f"bench_{secrets.token_hex(4)}", secrets.token_hex(8)
    role = sql.Identifier(name)
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} SUPERUSER LOGIN PASSWORD {}").format(role, sql.Literal(password)))
        try:
            parts = urlsplit(server)
            yield urlunsplit(parts._replace(netloc=f"{name}:{password}@{parts.netloc.rpartition('@')[2]}"))
        finally:
            admin.execute(sql.SQL("DROP ROLE {}").format(role))


def databases_of(server: str) -> set[str]:
    """Those that the user of this URL owns."""
    with psycopg.connect(server, autocommit=True) as admin:
        asked = "SELECT datname FROM pg_database JOIN pg_roles ON pg_roles.oid = datdba WHERE rolname = current_user"
        return {row[0] for row in admin.execute(asked)}

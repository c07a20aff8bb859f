"""Access to PostgreSQL: one way to open a connection or a pool, errors in our words.

Every connection speaks UTC, so that a ``timestamptz`` arrives as an aware UTC datetime.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool

from core.errors import DatabaseAway

Connection: TypeAlias = psycopg.Connection[DictRow]
"""A connection whose rows are dictionaries, in autocommit: transactions are opened by ``with connection.transaction()``."""

_OPTIONS: dict[str, Any] = {
    "autocommit": True,
    "row_factory": dict_row,
    "connect_timeout": 10,
    "options": "-c timezone=UTC -c datestyle=ISO,YMD",
    # Without these a collector would hang for hours on a database whose network has gone.
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


def shown(url: str) -> str:
    """The server of a database URL without its secret: for messages and logs."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'local socket'}:{parts.port or 5432}{parts.path}"


def connect(url: str, *, application: str = "pilotbed") -> Connection:
    """Open one connection.

    :raises DatabaseAway: the server cannot be reached or refuses us.
    """
    try:
        return psycopg.connect(url, application_name=application, **_OPTIONS)
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[-1]
        raise DatabaseAway(f"No connection to the database at {shown(url)}: {reason}.") from error


def first_line(error: psycopg.Error) -> str:
    """What an error says in its first line: for messages and logs that have one."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


@contextmanager
def connected(url: str, *, application: str = "pilotbed") -> Iterator[Connection]:
    """One connection for the length of a block."""
    connection = connect(url, application=application)
    try:
        yield connection
    finally:
        connection.close()


def pool(url: str, *, application: str, max_size: int = 10) -> ConnectionPool[Connection]:
    """A closed pool of such connections; open it where the process begins."""
    return ConnectionPool(
        url,
        kwargs={**_OPTIONS, "application_name": application},
        connection_class=psycopg.Connection[DictRow],
        min_size=1,
        max_size=max_size,
        open=False,
        check=ConnectionPool.check_connection,
        name=application,
    )

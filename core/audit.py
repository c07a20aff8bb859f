"""The audit log: who changed what, when, from what, to what. Append-only; the database refuses anything else."""

from __future__ import annotations

import getpass
import os
from typing import Any

from psycopg.types.json import Jsonb

from core.canonical import plain
from core.database import Connection
from core.sql import load

_SQL = load("core", "audit.sql")


def command_line_user() -> str:
    """How the audit log names whoever sits at the command line: ``cli:`` and the system's user name."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a container may run under a number that has no name
        return f"cli:{os.geteuid()}"


def record(
    connection: Connection,
    *,
    who: str,
    what: str,
    object: str,  # noqa: A002 - the column's name
    pilot: str | None = None,
    before: Any = None,
    after: Any = None,
) -> None:
    """Write one line, in the transaction of the change itself: both stand or neither."""
    connection.execute(
        _SQL["record"],
        {
            "who": who,
            "what": what,
            "pilot": pilot,
            "object": object,
            "before": None if before is None else Jsonb(plain(before)),
            "after": None if after is None else Jsonb(plain(after)),
        },
    )


def entries(connection: Connection, *, pilot: str | None = None, most: int = 200) -> list[dict[str, Any]]:
    """The newest lines, newest first; of one pilot or of all."""
    return connection.execute(_SQL["entries"], {"pilot": pilot, "most": most}).fetchall()

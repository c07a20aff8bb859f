"""The audit log: who changed what, when, from what, to what. Append-only; the database refuses anything else."""

from __future__ import annotations

import getpass
import os
from dataclasses import asdict, dataclass
from datetime import datetime
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


def changed(connection: Connection, *, who: str, what: str, object: str, now: Any) -> bool:  # noqa: A002
    """Write a line if something is not as the last line about it says; for what is not kept in the database itself.

    :returns: whether it was.
    """
    with connection.transaction():
        row = connection.execute(_SQL["last_of"], {"what": what, "object": object}).fetchone()
        before = None if row is None else row["after"]
        if before == plain(now):
            return False
        record(connection, who=who, what=what, object=object, before=before, after=now)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which lines are asked for. What is None leaves nothing out."""

    pilot: str | None = None
    who: str | None = None
    """As it stands, or what follows its colon: ``kim`` for ``cli:kim`` too."""
    what: str | None = None
    """``plan.apply``, or ``plan`` for all of its kind."""
    object: str | None = None
    """Some part of it, whatever its case."""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    """Lines older than that of this number: where the last answer ended."""


def entries(
    connection: Connection, wanted: Wanted | None = None, *, pilot: str | None = None, most: int = 200
) -> list[dict[str, Any]]:
    """The newest lines that are asked for, newest first.

    :param pilot: of one pilot, where nothing else is asked.
    """
    asked = wanted or Wanted(pilot=pilot)
    return connection.execute(_SQL["entries"], {**asdict(asked), "most": most}).fetchall()

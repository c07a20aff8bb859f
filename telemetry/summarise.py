"""Keeping the hourly summaries: closed hours that got readings are deleted and made anew, in one transaction each round.

No watermark is needed: every batch says in ``dirty_hour`` which hours it touched, so late data are never missed. Open hours
stay marked and are read raw until they are closed.
"""

from __future__ import annotations

from core.database import Connection
from core.locks import SUMMARISE
from core.sql import load

_SQL = load("telemetry", "summarise.sql")

GRACE_S = 300
"""An hour is closed so long after its end: readings up to five minutes ahead of our clock are taken, and the intake marks
an hour anew from two minutes after its end on."""


def summarise(connection: Connection, *, most: int = 2_000) -> int:
    """One round over at most ``most`` marked channel-hours.

    :returns: how many channel-hours were made anew; 0 when nothing is left to do.
    """
    with connection.transaction():
        connection.execute(_SQL["one_at_a_time"], {"lock": SUMMARISE})
        connection.execute(_SQL["in_order"])
        claimed = connection.execute(_SQL["claim_hours"], {"grace_s": GRACE_S, "most": most}).fetchall()
        if not claimed:
            return 0
        hours = {"channels": [row["channel_id"] for row in claimed], "hours": [row["hour"] for row in claimed]}
        connection.execute(_SQL["forget_summaries"], hours)
        connection.execute(_SQL["forget_shares"], hours)
        connection.execute(_SQL["make_summaries"], hours)
        connection.execute(_SQL["make_shares"], hours)
    return len(claimed)


def summarise_all(connection: Connection) -> int:
    """Rounds until nothing is left.

    :returns: how many channel-hours were made anew.
    """
    total = 0
    while made := summarise(connection):
        total += made
    return total


def pending(connection: Connection) -> int:
    """How many closed channel-hours wait for their summary."""
    row = connection.execute(_SQL["pending"], {"grace_s": GRACE_S}).fetchone()
    return 0 if row is None else int(row["n"])


def mark_pilot(connection: Connection, pilot: str) -> None:
    """Have all summaries of a pilot made anew: a new version of its plan may count by new conditions."""
    connection.execute(_SQL["mark_pilot"], {"pilot": pilot})

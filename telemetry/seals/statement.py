"""The daily statement for the company: what came of its connections and slots that day, and how far its message numbers go.

It is signed like the seal that it names. A company that keeps it can show later what the platform said then.
"""

from __future__ import annotations

from typing import Any, Final

from core.canonical import canonical_json
from core.database import Connection
from core.sql import load
from telemetry.account import Account, Numbers
from telemetry.seals.record import SealRecord
from telemetry.sequence import states

FORMAT: Final = "pilotbed-statement/1"

_SQL = load("telemetry.seals", "statement.sql")


def statement(connection: Connection, said: SealRecord, head: str, counted: Account) -> bytes:
    """The statement that goes with a seal, as canonical JSON.

    :param counted: the account of its day.
    """
    return canonical_json(
        {
            "format": FORMAT,
            "pilot": said.pilot,
            "day": said.day,
            "simulated": counted.simulated,
            "interim": said.interim,
            "seal": {"number": said.number, "epoch": said.epoch, "head": head, "root": said.root, "rows": said.rows},
            "connections": _connections(counted),
            "slots": [
                {
                    "slot": one.slot, "decoded": one.decoded, "stored": one.stored, "duplicate": one.duplicate,
                    "conflict": one.conflict, "rejected": one.rejected,
                }
                for one in counted.slots
            ],
            "last_numbers": _last_numbers(connection, said.pilot),
        }
    )  # fmt: skip


def _connections(counted: Account) -> list[dict[str, Any]]:
    return [
        {
            "connection": one.connection, "delivered": one.delivered, "committed": one.committed,
            "quarantined": one.quarantined, "redelivered": one.redelivered,
            "numbers": [_numbers(numbers) for numbers in one.numbers],
        }
        for one in counted.connections
    ]  # fmt: skip


def _numbers(one: Numbers) -> dict[str, Any]:
    return {
        "boot": one.boot or None, "first": str(one.first), "last": str(one.last), "sent": one.sent,
        "distinct": one.distinct, "missing": one.missing, "repeated": one.repeated,
    }  # fmt: skip


def _last_numbers(connection: Connection, pilot: str) -> list[dict[str, Any]]:
    """The newest counting of every sender that ever numbered its messages. Numbers are texts: they may be beyond 2**53."""
    senders = {
        (row["connection_id"], row["boot"]): row["connection"]
        for row in connection.execute(_SQL["newest_senders"], {"pilot": pilot})
    }
    return [
        {
            "connection": senders[state.connection_id, state.boot], "boot": state.boot or None,
            "through": str(state.through), "stored": state.stored, "at": state.at,
        }
        for state in states(connection, senders, most_holes=0)
    ]  # fmt: skip

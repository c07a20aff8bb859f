"""Seals every pilot's days once they are over, has them stamped, and hands them to the witnesses."""

from __future__ import annotations

import logging

import psycopg

from core.database import Connection, connected, first_line
from core.errors import PilotbedError
from core.settings import Settings, settings
from core.sql import load
from telemetry.seals.close import Sealer, close, seal_days
from telemetry.seals.heads import Heads
from telemetry.seals.signing import make_key
from telemetry.seals.stamp import stamp_missing
from telemetry.seals.store import pilot_names
from telemetry.seals.witness import hand_over

_SQL = load("telemetry.seals", "leaves.sql")
_log = logging.getLogger(__name__)


def sealer(connection: Connection, wanted: Settings) -> Sealer:
    """The key, made if there is none yet, and the memory beside it."""
    path = wanted.seal_key_file
    return Sealer(key=make_key(connection, path), heads=Heads(path))


def keep_seals(connection: Connection, broker_url: str | None = None) -> int:
    """Seal what is over. One pilot that cannot be sealed does not keep the others from it.

    :param broker_url: where seals are published; None: nowhere.
    :returns: how many seals were made.
    """
    by = sealer(connection, settings())
    connection.execute(_SQL["know_new_pages"])
    closed = close(connection)
    made = 0
    for pilot in pilot_names(connection):
        try:
            seals = seal_days(connection, pilot, by, closed=closed)
        except (PilotbedError, psycopg.Error) as problem:
            why = first_line(problem) if isinstance(problem, psycopg.Error) else str(problem)
            _log.error("not_sealed pilot=%s: %s", pilot, why)
            continue
        for seal in seals:
            _log.info("sealed pilot=%s day=%s number=%d head=%s", pilot, seal.day, seal.number, seal.head)
        made += len(seals)
    stamp_missing(connection, settings())
    hand_over(connection, broker_url, settings())
    return made


def prepare(database_url: str) -> None:
    """Have a key from the first start on."""
    try:
        with connected(database_url, application="pilotbed-seal") as connection:
            sealer(connection, settings())
    except (PilotbedError, psycopg.Error) as problem:
        _log.warning("no_seal_key, tried again with the first seal: %s", problem)

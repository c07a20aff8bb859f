"""The fixtures themselves: a database a test, a broker a run."""

from __future__ import annotations

from core.database import Connection, connected
from pilotbed.stack.mosquitto import Mosquitto


def test_a_database_is_migrated_and_empty(connection: Connection) -> None:
    row = connection.execute("SELECT count(*) AS n FROM migration").fetchone()
    assert row is not None and row["n"] > 0


def test_databases_of_two_tests_are_apart(database_url: str, empty_database_url: str) -> None:
    assert database_url != empty_database_url
    with connected(empty_database_url) as empty:
        assert empty.execute("SELECT to_regclass('migration') AS found").fetchone() == {"found": None}


def test_the_broker_runs(broker: Mosquitto) -> None:
    assert broker.child is not None
    assert broker.child.exit_code() is None

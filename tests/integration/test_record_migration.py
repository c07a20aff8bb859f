"""A database from before the append-only record: what its heartbeats said is taken over, as recorded while it happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import core.migrate
from core.database import connected
from core.migrate import migrate
from core.window import Window
from telemetry.platform_record import platform_alive, platform_known

STARTED = datetime(2026, 5, 1, tzinfo=UTC)


def test_heartbeats_become_the_records_beginning(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = core.migrate._own_files
    monkeypatch.setattr(core.migrate, "_own_files", lambda: {k: v for k, v in files().items() if k < "0009"})
    migrate(empty_database_url)
    with connected(empty_database_url) as connection:
        connection.execute(
            "INSERT INTO heartbeat (process, started_at, at) VALUES ('collector-1', %s, %s), ('loader:p', %s, %s),"
            " ('collector-1', %s, %s)",
            [
                STARTED,
                STARTED + timedelta(hours=5),
                *[STARTED - timedelta(days=9)] * 2,
                *[STARTED + timedelta(days=1)] * 2,
            ],
        )
    monkeypatch.undo()
    assert "0009_disputes.sql" in migrate(empty_database_url)
    with connected(empty_database_url) as connection:
        whole = Window(start=STARTED, end=STARTED + timedelta(days=1))
        assert platform_known(connection, "p", STARTED) == STARTED
        for hours, known in ((2, 2), (5, 5), (9, 5)):
            [found] = platform_alive(connection, "p", whole, STARTED + timedelta(hours=hours))
            assert found == Window(start=STARTED, end=STARTED + timedelta(hours=known))

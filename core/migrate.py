"""Numbered, forward-only migrations, applied in one transaction each under one lock.

A landed file never changes: its SHA-256 is recorded and compared. The job queue's own schema (procrastinate) is applied
and followed here too, because applying it twice raises.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import procrastinate.schema

from core.audit import command_line_user, record
from core.database import Connection, connected
from core.errors import PermanentError
from core.locks import MIGRATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What the database is."""

    postgresql: str
    timescaledb: str | None

    def __str__(self) -> str:
        if self.timescaledb:
            return f"TimescaleDB {self.timescaledb} on PostgreSQL {self.postgresql}"
        return f"plain PostgreSQL {self.postgresql} (without TimescaleDB)"


def engine(connection: Connection) -> Engine:
    """Which server this is, and whether TimescaleDB is in use in this database."""
    row = connection.execute(
        "SELECT current_setting('server_version') AS version,"
        " (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescaledb"
    ).fetchone()
    assert row is not None
    return Engine(postgresql=row["version"].split(" ")[0], timescaledb=row["timescaledb"])


def migrate(url: str) -> list[str]:
    """Bring the database at ``url`` to this version.

    :returns: the names of the migrations applied now, in order; empty if it was up to date.
    :raises PermanentError: a landed migration was changed, or the database is newer than this code.
    """
    with connected(url, application="pilotbed-migrate") as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATE])
        try:
            return _migrate(connection)
        finally:
            connection.execute("SELECT pg_advisory_unlock(%s)", [MIGRATE])


def _migrate(connection: Connection) -> list[str]:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migration"
        " (name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    recorded = {row["name"]: row["sha256"] for row in connection.execute("SELECT name, sha256 FROM migration")}
    ours = _own_files()
    unknown = sorted(name for name in recorded if name not in ours and not name.startswith("procrastinate/"))
    if unknown:
        raise PermanentError(
            f"The database has the migration {unknown[-1]}, which this version of Pilotbed does not know:"
            " it was used by a newer one. Run that newer version."
        )
    applied: list[str] = []
    for name, text in ours.items():
        digest = hashlib.sha256(text.encode()).hexdigest()
        if name not in recorded:
            _apply(connection, name, text, digest)
            applied.append(name)
        elif recorded[name] != digest:
            raise PermanentError(
                f"Migration {name} was changed after it was applied (recorded {recorded[name][:12]},"
                f" found {digest[:12]}). A landed migration is immutable: restore it and add a new one."
            )
    applied += _follow_job_queue(connection, set(recorded))
    if recorded and applied:  # a database that is made anew has no state that this changes
        record(
            connection, who=command_line_user(), what="database.migrate", object="database", after={"applied": applied}
        )
    return applied


def _own_files() -> dict[str, str]:
    folder = files("core.migrations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return {name: folder.joinpath(name).read_text(encoding="utf-8") for name in names}


def _apply(connection: Connection, name: str, text: str, digest: str) -> None:
    with connection.transaction():
        # Sent without parameters, so that one file may hold many statements. The text is a file of ours.
        connection.execute(text)
        connection.execute("INSERT INTO migration (name, sha256) VALUES (%s, %s)", [name, digest])


def _follow_job_queue(connection: Connection, recorded: set[str]) -> list[str]:
    """Apply procrastinate's schema once, later only the migrations that a newer release of it brings."""
    folder = Path(procrastinate.schema.SchemaManager.get_migrations_path())
    released = {f"procrastinate/{path.name}": path for path in sorted(folder.glob("*.sql"))}
    if not any(name.startswith("procrastinate/") for name in recorded):
        with connection.transaction():
            connection.execute(procrastinate.schema.SchemaManager.get_schema())
            for name in released:
                connection.execute("INSERT INTO migration (name, sha256) VALUES (%s, '')", [name])
        return ["procrastinate"]
    new = [name for name in released if name not in recorded]
    for name in new:
        _apply(connection, name, released[name].read_text(encoding="utf-8"), "")
    return new

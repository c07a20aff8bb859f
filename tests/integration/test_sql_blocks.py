"""Every named SQL block is one that the migrated database accepts."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg

import core
from core.database import Connection
from core.sql import Blocks, load

ROOT = Path(core.__file__).parent.parent
PACKAGES = ("core", "devices", "ingest", "telemetry", "kpi", "dashboards", "pilotbed")
FILES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.sql") if path.parent.name != "migrations"
)
BLOCKS = [
    (f"{path.relative_to(ROOT)}:{name}", blocks[name])
    for path in FILES
    for blocks in [Blocks(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))]
    for name in blocks
]

# Utility statements cannot be prepared; their tests run them.
_UNPREPARABLE = re.compile(
    r"(--[^\n]*\n|\s)*(COPY|CREATE|SET|NOTIFY|LISTEN|UNLISTEN|DROP|LOCK|ALTER|ANALYZE|VACUUM)\b", re.IGNORECASE
)


def test_the_database_accepts_every_block(connection: Connection) -> None:
    connection.execute(load("telemetry", "commit.sql")["make_stage"])
    refused = {}
    for name, statement in BLOCKS:
        if _UNPREPARABLE.match(statement):
            continue
        numbers: dict[str, int] = {}
        text = re.sub(
            r"%\((\w+)\)s",
            lambda match, numbers=numbers: f"${numbers.setdefault(match[1], len(numbers) + 1)}",
            statement,
        ).replace("%%", "%")
        try:
            connection.execute(f"PREPARE block AS {text}")  # type: ignore[arg-type]
            connection.execute("DEALLOCATE block")
        except psycopg.Error as error:
            refused[name] = str(error)
    assert refused == {}
    assert len(BLOCKS) > 100


def test_each_block_says_what_it_is_for() -> None:
    assert [name for name, statement in BLOCKS if not statement.startswith("--")] == []

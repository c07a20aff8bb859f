"""Every named SQL block is one that the migrated database accepts."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import psycopg
import pytest

import core
from core.database import Connection
from core.sql import Blocks

ROOT = Path(core.__file__).parent.parent
PACKAGES = ("core", "devices", "ingest", "telemetry", "kpi", "dashboards", "pilotbed")
FILES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.sql") if path.parent.name != "migrations"
)
BLOCKS = [
    pytest.param(name, blocks[name], id=f"{path.relative_to(ROOT)}:{name}")
    for path in FILES
    for blocks in [Blocks(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))]
    for name in blocks
]

# COPY and utility statements cannot be prepared; their tests run them.
_UNPREPARABLE = re.compile(
    r"(--[^\n]*\n|\s)*(COPY|CREATE|SET|NOTIFY|LISTEN|UNLISTEN|DROP|LOCK|ALTER|ANALYZE|VACUUM)\b", re.IGNORECASE
)


@pytest.mark.parametrize(("name", "statement"), BLOCKS)
def test_the_database_accepts_the_block(connection: Connection, name: str, statement: str) -> None:
    if _UNPREPARABLE.match(statement):
        return
    numbered: dict[str, int] = {}
    text = re.sub(
        r"%\((\w+)\)s", lambda match: f"${numbered.setdefault(match[1], len(numbered) + 1)}", statement
    ).replace("%%", "%")
    if "reading_stage" in text:
        stage = import_module("telemetry.commit")._SQL["make_stage"]
        connection.execute(stage)
    try:
        connection.execute(f"PREPARE block AS {text}")  # type: ignore[arg-type]
    except psycopg.errors.IndeterminateDatatype as error:
        pytest.fail(f"a parameter's type cannot be told, cast it: {error}")
    connection.execute("DEALLOCATE block")


def test_each_block_says_what_it_is_for() -> None:
    unsaid = [param.id for param in BLOCKS if not str(param.values[1]).startswith("--")]
    assert unsaid == []

"""What docs/export.md says is so: its columns are the files', and its examples run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

import core
from core.database import Connection
from telemetry.export.columns import LONG, TABLES
from tests.exported import made, rich_site, stored

DOCS = (Path(core.__file__).parent.parent / "docs" / "export.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCS, re.MULTILINE | re.DOTALL)


def test_every_column_is_there_with_type_unit_and_meaning() -> None:
    sections = dict(re.findall(r"^### `([a-z_]+)/?`[^\n]*\n(.*?)(?=^##|\Z)", DOCS, re.MULTILINE | re.DOTALL))
    assert list(sections) == [LONG.name, *(table.name for table in TABLES)]
    for table in (LONG, *TABLES):
        rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) ?\| (.*) \|$", sections[table.name], re.MULTILINE)
        expected = [(one.name, one.kind, one.unit, f"{one.en} ({one.ko})") for one in table.columns]
        assert rows == expected, table.name


@pytest.fixture
def folder(connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the examples' folder ``out`` is."""
    rich_site(connection)
    made(connection, tmp_path / "out")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_examples_in_sql_run(folder: Path, connection: Connection) -> None:
    first, second = blocks("sql")
    with duckdb.connect() as duck:
        march = duck.execute(first).fetchall()
        by_device = duck.execute(second).fetchall()
    assert [row[:3] for row in march] == [("a", "mode", "state"), ("a", "temp", "degC"), ("b", "temp", "degC")]
    assert [row[3] for row in march] == [31, 744, 744]
    assert {row[1] for row in by_device} == {"a-1", "b-1"}
    assert sum(row[3] for row in by_device) == len(stored(connection))


def test_the_examples_in_python_run_and_the_kpi_comes_out_the_same(folder: Path) -> None:
    found: dict[str, Any] = {}
    for block in blocks("python"):
        exec(compile(block, "docs/export.md", "exec"), found)
    assert len(found["daily"]) == 62 and found["differing"] == []
    assert found["share"] == pytest.approx(86.13387978143975, abs=1e-9)
    assert abs(found["difference"]) < 1e-9
    (folder / "out" / "events.parquet").write_bytes(b"other")
    exec(compile(blocks("python")[1], "docs/export.md", "exec"), found)
    assert found["differing"] == ["events.parquet"]

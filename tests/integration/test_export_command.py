"""``pilotbed export`` as people call it: what it says, what it refuses, and that memory does not grow with the readings."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.database import Connection
from tests.commanding import Command, command_line
from tests.evaluated import Site, made_site
from tests.exported import KPIS, rich_site, stored
from tests.registered import register


@pytest.fixture
def pilotbed(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """Runs a command line; gives its exit code, its stdout and its stderr."""
    with command_line(monkeypatch, capsys, PILOTBED_DATABASE_URL=database_url) as command:
        yield command


@pytest.fixture
def site(connection: Connection) -> Site:
    return rich_site(connection)


def test_it_says_what_it_wrote_and_as_of_when(
    site: Site, connection: Connection, pilotbed: Command, tmp_path: Path
) -> None:
    code, out, err = pilotbed("export", "hall", "--format", "parquet", "-o", tmp_path / "x", "--lang", "ko")
    n = len(stored(connection))
    as_of = json.loads((tmp_path / "x" / "manifest.json").read_bytes())["as_of"].replace("Z", "+00:00")
    assert (code, err) == (0, "")
    assert f"측정값 {n:,}건({n:,}행)" in out and f"기준일시 {as_of}" in out
    code, out, err = pilotbed(
        "export", "hall", "--format", "csv", "-o", tmp_path / "y", "--lang", "en", "--shape", "wide"
    )
    assert (code, err) == (0, "") and f"{n:,} readings in " in out and " · as of 20" in out


def test_json_is_one_object(site: Site, connection: Connection, pilotbed: Command, tmp_path: Path) -> None:
    command = (
        "export",
        "hall",
        "--format",
        "csv",
        "-o",
        tmp_path / "x",
        "--json",
        "--only",
        "a/temp",
        "--only",
        "b/mode",
    )
    code, out, err = pilotbed(*command)
    found = json.loads(out)
    files = [path for path in (tmp_path / "x").rglob("*") if path.is_file()]
    assert (code, err) == (0, "")
    assert found["readings"] == found["rows"] == sum(key[:2] == ("a", "temp") for key in stored(connection))
    assert found["files"] == len(files) and found["resumed"] is False
    assert found["bytes"] == sum(path.stat().st_size for path in files if path.name != "manifest.json")
    assert found["as_of"].endswith("Z")


def test_csv_begins_with_the_mark_that_excel_needs_unless_asked_not_to(
    site: Site, pilotbed: Command, tmp_path: Path
) -> None:
    assert pilotbed("export", "hall", "--format", "csv", "-o", tmp_path / "x")[0] == 0
    assert pilotbed("export", "hall", "--format", "csv", "-o", tmp_path / "y", "--no-bom")[0] == 0
    with_mark = {path.read_bytes()[:3] == b"\xef\xbb\xbf" for path in (tmp_path / "x").rglob("*.csv")}
    without = {path.read_bytes()[:3] == b"\xef\xbb\xbf" for path in (tmp_path / "y").rglob("*.csv")}
    assert (with_mark, without) == ({True}, {False})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nobody", "-o", "NEW"), "There is no pilot 'nobody'"),
        (("hall", "-o", "NEW", "--only", "a/nothing"), "--only 'a/nothing': pilot hall has no such channel; slot/channel of it"),
        (("hall", "-o", "NEW", "--from", "2025-05-01", "--to", "2025-05-01"), "--from 2025-05-01 is not before --to 2025-05-01"),
        (("hall", "-o", "NEW", "--from", "2025-05-02", "--to", "2025-05-01"), "--to is the day after the last one"),
        (("hall", "-o", "NEW", "--from", "May"), "--from 'May' is no calendar day"),
        (("hall", "-o", "NEW", "--zone", "Mars/Olympus"), "--zone 'Mars/Olympus' is no time zone: give utc, pilot (here Asia/"),
        (("hall", "-o", "NEW", "--zone", "../etc/passwd"), "is no time zone"),
        (("hall", "-o", "NEW", "--as-of", "2999-01-01T00:00Z"), "lies in the future"),
        (("hall", "-o", "NEW", "--as-of", "2025-05-01"), "has no zone"),
        (("hall", "-o", "FILE"), "is a file: an export is a folder of files"),
        (("hall", "-o", "FILE/x"), "is a file"),
        (("hall", "-o", "NEW", "--lang", "fr"), "'fr' is no language"),
        (("hall", "-o", "NEW", "--shape", "round"), "round"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_line_that_says_why(
    connection: Connection, pilotbed: Command, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    made_site(connection, KPIS)
    (tmp_path / "file").write_text("mine")
    given = [one.replace("NEW", f"{tmp_path}/new").replace("FILE", f"{tmp_path}/file") for one in arguments]
    code, out, err = pilotbed("export", *given, "--format", "parquet")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert (tmp_path / "file").read_text() == "mine"
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "file"]


_MEASURED = """
import resource, sys
from pathlib import Path
from core.database import connected
from telemetry.export import Ask, Sizes, export

with connected(sys.argv[1]) as connection:
    export(connection, Ask(pilot="p1", format=sys.argv[2], shape=sys.argv[3]), Path(sys.argv[4]),
           sizes=Sizes(rows_a_file=400_000, rows_a_group=20_000))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def _peak_mb(database_url: str, format_: str, shape: str, folder: Path) -> float:
    ended = subprocess.run(
        [sys.executable, "-c", _MEASURED, database_url, format_, shape, str(folder)],
        capture_output=True,
        text=True,
        timeout=110,
        check=True,
    )
    return float(ended.stdout)


def test_memory_does_not_grow_with_the_readings(connection: Connection, database_url: str, tmp_path: Path) -> None:
    channels = register(connection, channels={"a": {}, "b": {}}).channel_ids
    connection.execute(
        "INSERT INTO plan_version (pilot_id, version, sha256, source, recorded_by)"
        " SELECT pilot_id, 1, repeat('0', 64), '', 'cli:test' FROM pilot"
    )
    peaks: dict[tuple[str, str], list[float]] = {}
    for low, high in ((0, 50_000), (50_000, 500_000)):
        connection.execute(
            "INSERT INTO reading SELECT timestamptz '2026-03-01T00:00+09:00' + i * interval '1 s', clock_timestamp(),"
            " i %% 997, c, 0 FROM unnest(%s::int[]) AS c, generate_series(%s::int, %s - 1) AS i",
            [list(channels.values()), low, high],
        )
        for kind in (("parquet", "long"), ("parquet", "wide"), ("csv", "long")):
            peaks.setdefault(kind, []).append(_peak_mb(database_url, *kind, tmp_path / f"{high}-{'-'.join(kind)}"))
    # Nine hundred thousand readings more are 33 MB as columns alone.
    assert {kind: few for kind, (few, many) in peaks.items() if many - few > 15} == {}, peaks

"""An export that is cut short goes on where it was, and comes out as if it never had been."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from core.database import Connection
from core.errors import PermanentError
from core.window import micros, midnight
from tests.evaluated import Site, hours
from tests.exported import SEOUL, SMALL, contents, made, manifest_of, rich_site, stored

KILLED = """
import os, signal, sys
from pathlib import Path
from core.database import connected
from telemetry.export import Ask, Sizes, export

url, folder, format, shape, rows_a_file, rows_a_group, rows_a_piece, after = sys.argv[1:]
small = Sizes(rows_a_file=int(rows_a_file), rows_a_group=int(rows_a_group), rows_a_piece=int(rows_a_piece))

def told(done, about):
    if done >= int(after):
        os.kill(os.getpid(), signal.SIGKILL)

with connected(url) as connection:
    export(connection, Ask(pilot="hall", format=format, shape=shape), Path(folder), progress=told, sizes=small)
"""


@pytest.fixture
def site(connection: Connection) -> Site:
    return rich_site(connection)


def killed(database_url: str, folder: Path, format_: str, shape: str, after: int) -> None:
    """Run an export in a process of its own that is killed once so many rows are written."""
    sizes = [str(size) for size in (SMALL.rows_a_file, SMALL.rows_a_group, SMALL.rows_a_piece)]
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, database_url, str(folder), format_, shape, *sizes, str(after)],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


def whole(folder: Path) -> dict[str, tuple[int, int]]:
    """The files under their own names: inode and time of writing."""
    return {
        str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


@pytest.mark.parametrize(
    ("format_", "shape"), [("parquet", "long"), ("parquet", "wide"), ("csv", "long"), ("csv", "wide")]
)
def test_one_that_was_killed_again_and_again_comes_out_byte_for_byte_the_same(
    site: Site, connection: Connection, database_url: str, tmp_path: Path, format_: str, shape: str
) -> None:
    folder = tmp_path / "x"
    there: dict[str, tuple[int, int]] = {}
    for after in (250, 800, 1_000, 1_700):
        killed(database_url, folder, format_, shape, after)
        assert not (folder / "manifest.json").exists() and (folder / ".export.json").exists()
        now = whole(folder)
        assert there.items() <= now.items(), "a file that was whole was written again"
        there = now
        # What is received meanwhile is not in it.
        at_us = hours(date(2025, 4, 15), date(2025, 4, 16)) + after
        site.heard("b", "temp", at_us, np.ones(len(at_us)))
    assert len([name for name in there if name.startswith("readings/")]) > 1
    done = made(connection, folder, SMALL, format=format_, shape=shape)
    assert done.resumed and there.items() <= whole(folder).items()
    assert done.readings == len(stored(connection, done.as_of)) < len(stored(connection))
    made(connection, tmp_path / "y", SMALL, format=format_, shape=shape, as_of=done.as_of)
    assert contents(folder) == contents(tmp_path / "y")


def test_a_damaged_file_is_written_again_with_what_follows_it(
    site: Site, connection: Connection, database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "x"
    killed(database_url, folder, "parquet", "long", 2_000)
    files = sorted((folder / "readings").rglob("*.parquet"))
    with files[0].open("r+b") as file:
        file.seek(100)
        file.write(b"x")
    (folder / "events.parquet").unlink()
    done = made(connection, folder, SMALL)
    made(connection, tmp_path / "y", SMALL, as_of=done.as_of)
    assert contents(folder) == contents(tmp_path / "y")


def test_something_else_into_the_same_folder_is_refused(
    site: Site, connection: Connection, database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "x"
    killed(database_url, folder, "parquet", "long", 800)
    before = contents(folder)
    for other in (
        {"format": "csv"},
        {"shape": "wide"},
        {"zone": "pilot"},
        {"only": ("a/temp",)},
        {"end": date(2025, 4, 1)},
    ):
        with pytest.raises(PermanentError, match="a begun export that was asked differently"):
            made(connection, folder, **other)
    assert contents(folder) == before
    made(connection, folder, SMALL)
    with pytest.raises(PermanentError, match="holds a finished export"):
        made(connection, folder, SMALL)


def test_a_folder_with_other_files_is_left_alone(site: Site, connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "mine.txt").write_text("mine")
    with pytest.raises(PermanentError, match=r"holds other files \(mine.txt\)"):
        made(connection, tmp_path / "x")
    (tmp_path / "y").mkdir()
    (tmp_path / "y" / ".export.json").write_text("{")
    with pytest.raises(PermanentError, match="is no record of an export"):
        made(connection, tmp_path / "y")


def test_two_exports_do_not_write_into_one_folder(site: Site, connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    handle = os.open(tmp_path / "x", os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(PermanentError, match="being written by another export"):
            made(connection, tmp_path / "x")
    finally:
        os.close(handle)
    made(connection, tmp_path / "x")


def limited(database_url: str, bytes_a_file: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    """The command in a process whose files may not grow beyond so many bytes."""
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2);"
        "from pilotbed.cli import run; sys.exit(run(sys.argv[2:]))"
    )
    return subprocess.run(
        [sys.executable, "-c", script, str(bytes_a_file), *map(str, arguments)],
        env=os.environ | {"PILOTBED_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("format_", ["parquet", "csv"])
def test_no_room_is_one_clear_error_and_the_same_command_goes_on(
    site: Site, connection: Connection, database_url: str, tmp_path: Path, format_: str
) -> None:
    at_us = micros(midnight(date(2025, 3, 1), SEOUL)) + np.arange(10_000) * 61_000_000 + 7
    site.heard("b", "temp", at_us, np.random.default_rng(1).normal(size=len(at_us)))
    command = ("export", "hall", "--format", format_, "-o", tmp_path / "x", "--json")
    ended = limited(database_url, 30_000, *command)
    assert ended.returncode == 2 and ended.stdout == ""
    [line] = ended.stderr.splitlines()
    assert line.startswith(
        f"pilotbed: {tmp_path}/x/readings/pilot=hall/month=2025-03/part-0000.{format_} cannot be written"
    )
    assert "make room, then start the same command again; what is whole is kept" in line
    assert (tmp_path / "x" / f"events.{format_}").exists() and not list((tmp_path / "x").rglob(".*.tmp"))
    ended = limited(database_url, 100_000_000, *command)
    assert (ended.returncode, ended.stderr) == (0, "")
    said = json.loads(ended.stdout)
    assert (
        said["resumed"]
        and said["readings"] == len(stored(connection)) == manifest_of(tmp_path / "x")["readings"]["rows"]
    )


def test_no_room_for_the_record_itself_says_so_too(site: Site, database_url: str, tmp_path: Path) -> None:
    ended = limited(database_url, 100, "export", "hall", "--format", "parquet", "-o", tmp_path / "x")
    assert ended.returncode == 2
    [line] = ended.stderr.splitlines()
    assert "cannot be written" in line and "start the same command again" in line


def test_groups_are_of_exactly_the_rows_they_may_have(site: Site, connection: Connection, tmp_path: Path) -> None:
    made(connection, tmp_path / "x", SMALL)
    for path in (tmp_path / "x" / "readings").rglob("*.parquet"):
        metadata = pq.read_metadata(path)
        sizes = [metadata.row_group(place).num_rows for place in range(metadata.num_row_groups)]
        assert all(size == 300 for size in sizes[:-1]) and 0 < sizes[-1] <= 300

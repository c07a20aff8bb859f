"""The embedded PostgreSQL: as design asks, safe against its own past, and never left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from core.errors import EnvironmentProblem
from pilotbed.stack.account import child_account, temporary_folder
from pilotbed.stack.child import command_of
from pilotbed.stack.postgres import Postgres
from pilotbed.stack.postgres_binaries import find_binaries, reachable_binaries

pytestmark = pytest.mark.timeout(120)


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with temporary_folder("pilotbed-test-") as folder, Postgres(folder / "postgres") as running:
        yield running


def one(url: str, query: str) -> object:
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("TimeZone", "UTC"),
        ("data_checksums", "on"),
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("listen_addresses", "127.0.0.1"),
        ("max_connections", "100"),
        ("server_encoding", "UTF8"),
        ("password_encryption", "scram-sha-256"),
    ],
)
def test_its_settings(server: Postgres, setting: str, value: str) -> None:
    assert one(server.url, f"SELECT current_setting('{setting}')") == value


def test_its_locale_is_built_in_so_that_order_is_the_same_on_every_machine(server: Postgres) -> None:
    row = "SELECT datlocprovider::text || ' ' || datlocale FROM pg_database WHERE datname = 'pilotbed'"
    assert one(server.url, row) == "b C.UTF-8"


def test_nobody_enters_without_the_password(server: Postgres) -> None:
    wrong = server.url.replace(server.password_file.read_text().strip(), "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        one(wrong, "SELECT 1")
    socket = f"host={server.folder}/socket port={server.port} user=pilotbed dbname=pilotbed"
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        one(socket, "SELECT 1")
    assert one(f"{socket} password={server.password_file.read_text().strip()}", "SELECT 1") == 1


def test_what_it_keeps_is_closed_to_others(server: Postgres) -> None:
    assert server.password_file.stat().st_mode & 0o777 == 0o600
    assert server.data.stat().st_mode & 0o777 == 0o700
    assert (server.folder / "log").stat().st_mode & 0o777 == 0o700


def test_data_port_and_password_outlive_a_restart(stack_folder: Path) -> None:
    with Postgres(stack_folder / "postgres") as server:
        before = server.url
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
        server.stop()
        server.start()
        assert server.url == before
        assert one(server.url, "SELECT value FROM kept") == 7


def test_it_recovers_from_a_kill(stack_folder: Path) -> None:
    with Postgres(stack_folder / "postgres") as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
        assert server.child is not None
        os.kill(server.child.pid, signal.SIGKILL)
        assert within(10, lambda: server.exit_code() is not None)
        server.stop()
        server.start(timeout_s=60)
        assert one(server.url, "SELECT value FROM kept") == 7


def test_a_second_start_on_the_folder_names_the_first(server: Postgres) -> None:
    with pytest.raises(EnvironmentProblem, match=f"in use by process {os.getpid()}"):
        Postgres(server.folder).start()
    assert one(server.url, "SELECT 1") == 1


def test_a_busy_port_is_named(server: Postgres, stack_folder: Path) -> None:
    with pytest.raises(EnvironmentProblem, match=rf"Port {server.port} .*PILOTBED_DATABASE_PORT"):
        Postgres(stack_folder / "second", port=server.port, durable=False).start()


def test_data_of_another_major_version_are_left_alone(stack_folder: Path) -> None:
    with Postgres(stack_folder / "postgres", durable=False) as server:
        pass
    (server.data / "PG_VERSION").write_text("12\n")
    with pytest.raises(EnvironmentProblem, match="were made by PostgreSQL 12, the installed one is"):
        server.start()


def test_an_interrupted_first_start_is_begun_anew(stack_folder: Path) -> None:
    unfinished = stack_folder / "postgres" / "data.unfinished"
    unfinished.mkdir(parents=True, mode=0o711)
    unfinished.parent.chmod(0o711)
    (unfinished / "PG_VERSION").write_text("18\n")
    with Postgres(stack_folder / "postgres", durable=False) as server:
        assert one(server.url, "SELECT 1") == 1


def test_a_long_path_gets_no_socket_and_works(stack_folder: Path) -> None:
    with Postgres(stack_folder / ("long-" * 25) / "postgres", durable=False) as server:
        assert one(server.url, "SELECT current_setting('unix_socket_directories')") == ""


def test_one_started_from_a_thread_outlives_the_thread(stack_folder: Path) -> None:
    server = Postgres(stack_folder / "postgres", durable=False)
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join(60)
    try:
        time.sleep(0.3)
        assert one(server.url, "SELECT 1") == 1
    finally:
        server.stop()


def test_giving_up_while_it_starts_leaves_nothing(stack_folder: Path) -> None:
    class Enough(Exception):
        pass

    def give_up(_seconds: float) -> None:
        raise Enough

    for attempt in range(5):
        server = Postgres(stack_folder / f"postgres-{attempt}", durable=False, wait=give_up)
        try:
            server.start()
        except Enough:
            break
        server.stop()  # on a busy machine it may be ready before anybody had to wait
    else:
        pytest.fail("it was ready at once five times")
    assert server.child is None
    # One that was told to end before it listened to signals leaves its pid file, but never itself.
    pid_file = server.data / "postmaster.pid"
    if pid_file.exists():
        command = command_of(int(pid_file.read_text(encoding="utf-8").splitlines()[0]))
        assert command is None or str(server.data) not in command
    with Postgres(server.folder, durable=False) as again:
        assert again.child is not None


_START_AND_HANG = """
import sys, time
from pathlib import Path
from pilotbed.stack import child
from pilotbed.stack.postgres import Postgres
if sys.argv[2] == "untied":
    child._setpriv = lambda: None
server = Postgres(Path(sys.argv[1]), durable=False)
server.start()
print(server.child.pid, flush=True)
time.sleep(60)
"""


@contextmanager
def killed_owner(folder: Path, how: str) -> Iterator[int]:
    """The process id of a server whose owner was killed outright."""
    command = [sys.executable, "-c", _START_AND_HANG, str(folder), how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        owner.kill()
    try:
        yield pid
    finally:
        if command_of(pid) is not None and str(folder) in str(command_of(pid)):
            os.kill(pid, signal.SIGQUIT)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_it_ends_when_its_owner_is_killed(stack_folder: Path) -> None:
    with killed_owner(stack_folder / "postgres", "tied") as pid:
        assert within(15, lambda: command_of(pid) is None)


def test_one_left_behind_is_stopped_at_the_next_start(stack_folder: Path) -> None:
    said: list[str] = []
    with killed_owner(stack_folder / "postgres", "untied") as pid:
        assert command_of(pid) is not None
        with Postgres(stack_folder / "postgres", durable=False, say=said.append) as server:
            assert one(server.url, "SELECT 1") == 1
            assert command_of(pid) is None
    assert said == [f"A PostgreSQL left behind on {stack_folder}/postgres/data (process {pid}) is stopped first."]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the servers as another user")
def test_as_root_a_closed_folder_is_named_and_not_opened(stack_folder: Path) -> None:
    closed = stack_folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(EnvironmentProblem, match=f"The folder {closed} is closed to the user"):
        Postgres(closed / "postgres").start()
    assert closed.stat().st_mode & 0o777 == 0o700
    assert list(closed.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the servers as another user")
def test_as_root_programs_in_a_closed_home_are_copied(stack_folder: Path) -> None:
    wheel = find_binaries().folder.parents[1]
    home = stack_folder / "home"
    home.mkdir(mode=0o700)
    older = [folder.name for folder in wheel.glob("pginstall*") if folder != find_binaries().folder.parent]
    shutil.copytree(wheel, home / wheel.name, ignore=shutil.ignore_patterns("include", *older))
    shutil.copytree(wheel.with_name(f"{wheel.name}.libs"), home / f"{wheel.name}.libs")
    closed = find_binaries(home / wheel.name / find_binaries().folder.parent.name / "bin")
    with Postgres(stack_folder / "postgres", durable=False, binaries=closed.folder) as server:
        assert one(server.url, "SELECT 1") == 1
    copied = reachable_binaries(closed, child_account(), stack_folder / "postgres" / "programs")
    assert copied.folder.is_relative_to(stack_folder / "postgres")


def test_timescaledb_is_seen_where_it_lies_beside_the_server(stack_folder: Path) -> None:
    found = find_binaries()
    installation = stack_folder / "pg"
    shutil.copytree(found.folder.parent, installation / "own", ignore=shutil.ignore_patterns("include", "*.a"))
    libraries = found.folder.parents[1].with_name(f"{found.folder.parents[1].name}.libs")
    shutil.copytree(libraries, stack_folder / libraries.name)
    own = find_binaries(installation / "own" / "bin")
    assert not own.timescaledb
    extensions = next((installation / "own" / "share").rglob("plpgsql.control")).parent
    (extensions / "timescaledb.control").write_text("")
    assert find_binaries(installation / "own" / "bin").timescaledb


@pytest.fixture(params=["20m", "36m"])
def small_disk(stack_folder: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    place = stack_folder / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={request.param},mode=0711", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small disk cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_one_clear_line(small_disk: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="no space is left on its disk: free some"):
        Postgres(small_disk / "postgres", durable=False).start()


def test_a_folder_without_programs_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="has no postgres and no initdb: PILOTBED_POSTGRES_BIN"):
        find_binaries(tmp_path)

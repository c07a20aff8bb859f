"""What tests stand on: a real PostgreSQL, a real Mosquitto.

A service that cannot be had skips the test with the reason on a laptop, and fails it where ``CI`` is set.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from core.database import Connection, connected
from core.errors import EnvironmentProblem
from core.migrate import engine, migrate
from core.settings import settings
from pilotbed.stack.account import temporary_folder
from pilotbed.stack.mosquitto import Mosquitto
from pilotbed.stack.postgres import Postgres
from tests import speaking
from tests.in_memory import quick_folder

COLLECTORS: Final = ("collector-1", "collector-2", "collector-3")
_ENGINE = pytest.StashKey[str]()


def missing(reason: str) -> NoReturn:
    """A part that the test needs is not on this machine."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (and CI is set, so it must be there)", pytrace=False)
    pytest.skip(reason)


def pytest_configure(config: pytest.Config) -> None:
    """A worker of several is given a terminal's width, which a command that writes into a pipe does not have."""
    if hasattr(config, "workerinput"):
        os.environ.pop("COLUMNS", None)


def pytest_runtest_setup() -> None:
    """No test sees what the environment of another said."""
    settings.cache_clear()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of several tells its engine to the one that reports."""
    told: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["engine"] = session.config.stash.get(_ENGINE, None)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a worker told (its crash is pytest-xdist's to report)."""
    used = getattr(node, "workeroutput", {}).get("engine")
    if used:
        node.config.stash[_ENGINE] = used


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the engine that the run used."""
    used = config.stash.get(_ENGINE, None)
    terminalreporter.write_line(f"database engine: {used or 'none, no test of this run needed one'}")


@pytest.fixture(scope="session")
def database_server() -> Iterator[str]:
    """The URL of a server where databases can be created: an embedded one, or PILOTBED_TEST_DATABASE_URL."""
    given = os.environ.get("PILOTBED_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with quick_folder() as folder:
        server = Postgres(folder / "postgres", durable=False)
        try:
            server.start(timeout_s=120)
        except EnvironmentProblem as problem:
            missing(str(problem))
        try:
            yield server.url
        finally:
            server.stop()


@pytest.fixture(scope="session")
def template_database(database_server: str, pytestconfig: pytest.Config) -> Iterator[str]:
    """The name of a database that was migrated once; each test gets a copy of it."""
    with _new_database(database_server, f"pilotbed_template_{secrets.token_hex(4)}") as url:
        migrate(url)
        with connected(url) as connection:
            pytestconfig.stash[_ENGINE] = str(engine(connection))
        name = urlsplit(url).path.removeprefix("/")
        # A database can only be copied while nobody is in it, TimescaleDB's background worker included.
        with psycopg.connect(database_server, autocommit=True) as admin:
            admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        yield name


@pytest.fixture
def database_url(database_server: str, template_database: str) -> Iterator[str]:
    """A migrated, empty database of the test's own."""
    with _new_database(database_server, f"pilotbed_test_{secrets.token_hex(6)}", template_database) as url:
        yield url


@pytest.fixture
def empty_database_url(database_server: str) -> Iterator[str]:
    """A database of the test's own without any table."""
    with _new_database(database_server, f"pilotbed_test_{secrets.token_hex(6)}") as url:
        yield url


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A connection, in autocommit, to the test's own migrated database."""
    with connected(database_url, application="pilotbed-test") as opened:
        yield opened


@contextmanager
def _new_database(server: str, name: str, template: str = "template0") -> Iterator[str]:
    # Page by page through the log is the default; file by file is quicker, if nothing waits for a disk.
    strategy = sql.SQL("" if os.environ.get("PILOTBED_TEST_DATABASE_URL") else "STRATEGY file_copy")
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} {}").format(
                sql.Identifier(name), sql.Identifier(template), strategy
            )
        )
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def _shared_broker() -> Iterator[Mosquitto]:
    with temporary_folder("pilotbed-test-") as folder, _started(folder) as shared:
        yield shared


@pytest.fixture
def broker(_shared_broker: Mosquitto) -> Iterator[Mosquitto]:
    """A running Mosquitto with our configuration, shared by the run: use topics of a pilot of your own.

    ``broker.port``, ``broker.admin_url``, ``broker.collector_url("collector-1")``; also collectors 2 and 3. A test that
    stops or kills a broker takes ``own_broker``. What the collectors are subscribed to ends with the test: a session that went on
    would hear the next one's messages.
    """
    yield _shared_broker
    for name in COLLECTORS:
        with speaking.connected(_shared_broker, name, _shared_broker.secret(name), inner=True):
            pass


@pytest.fixture
def own_broker(stack_folder: Path) -> Iterator[Mosquitto]:
    """A running Mosquitto of the test's own, to stop, kill and restart."""
    with _started(stack_folder) as own:
        yield own


@contextmanager
def _started(folder: Path) -> Iterator[Mosquitto]:
    server = Mosquitto(folder / "mosquitto", collectors=COLLECTORS)
    try:
        server.start()
    except EnvironmentProblem as problem:
        missing(str(problem))
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def stack_folder() -> Iterator[Path]:
    """An empty folder that the embedded servers can reach, also as root (``tmp_path`` is closed to them then)."""
    with temporary_folder("pilotbed-test-") as folder:
        yield folder


@pytest.fixture
def pilot() -> str:
    """The name of a pilot that no other test uses."""
    return f"test-{secrets.token_hex(5)}"

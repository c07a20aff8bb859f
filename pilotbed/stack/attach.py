"""What a command works on: the servers that the settings name, else the running stack's, else PostgreSQL for its own
duration."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from core.errors import BrokerAway, EnvironmentProblem
from core.migrate import migrate
from core.settings import settings
from pilotbed.stack.data_directory import DataDirectory, Running
from pilotbed.stack.lock import Busy
from pilotbed.stack.mosquitto import ADMIN
from pilotbed.stack.postgres import Postgres

_PATIENCE_S: Final = 60.0
"""How long a command waits for another one that has PostgreSQL to itself."""


def _on_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _not_told(_applied: list[str]) -> None:
    pass


@contextmanager
def attached_database(
    *, say: Callable[[str], None] = _on_stderr, migrated: Callable[[list[str]], None] = _not_told
) -> Iterator[str]:
    """The URL, with its password, of the database to work on, for the length of a block.

    An embedded one is up to date with this version. One that the settings name is used as it is.

    :param migrated: takes the names of the migrations that bringing it up to date took, where it was started for us.
    :raises EnvironmentProblem: there is none to be had; the message says why.
    """
    named = settings().database_url
    if named is not None:
        yield named.get_secret_value()
        return
    directory = DataDirectory(settings().data_dir)
    running = _running_or_ours(directory, say)
    if running is not None:
        yield _database_of(running)
        return
    try:
        server = Postgres(directory.postgres, port=settings().database_port, binaries=settings().postgres_bin, say=say)
        with server:
            migrated(migrate(server.url))
            yield server.url
    finally:
        directory.close()


def attached_broker_url(user: str = ADMIN) -> str:
    """The URL of the broker to work with, with a user and its secret.

    :param user: the registry's user, or a collector's name; where the settings name a broker, theirs is used.
    :raises BrokerAway: the settings name none, and no stack runs.
    """
    named = settings().mqtt_url
    if named is not None:
        return named.get_secret_value()
    directory = DataDirectory(settings().data_dir)
    running = directory.running()
    if running is None or running.mqtt_inner_url is None:
        raise BrokerAway(
            f"No stack runs on {directory.path}, so there is no broker: start `pilotbed up`, or set PILOTBED_MQTT_URL."
        )
    if user not in running.mqtt_secrets:
        raise EnvironmentProblem(
            f"The broker of the stack on {directory.path} has no user {user!r} of ours, only"
            f" {', '.join(sorted(running.mqtt_secrets))}: set PILOTBED_COLLECTOR to one of them."
        )
    return _with_secret(running.mqtt_inner_url, user, _secret(running.mqtt_secrets[user]))


def _running_or_ours(directory: DataDirectory, say: Callable[[str], None]) -> Running | None:
    """The stack that runs there; or None once we hold the directory ourselves."""
    end = time.monotonic() + _PATIENCE_S
    told = False
    while True:
        running = directory.running()
        if running is not None and running.database_url is not None:
            return running
        try:
            directory.open()
        except Busy as busy:
            # A stack that is just starting, or another command on its own PostgreSQL.
            if time.monotonic() > end:
                raise
            if not told:
                say(f"{busy} Waiting for it, up to {_PATIENCE_S:.0f} s.")
                told = True
            time.sleep(0.2)
        else:
            return None


def _database_of(running: Running) -> str:
    assert running.database_url is not None and running.database_secret is not None
    user = urlsplit(running.database_url).username or ""
    return _with_secret(running.database_url, user, _secret(running.database_secret))


def _secret(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise EnvironmentProblem(
            f"The running stack's secret {file} cannot be read ({error.strerror}): run this command as the user that"
            " started the stack."
        ) from error


def _with_secret(url: str, user: str, secret: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{user}:{secret}@{parts.hostname}:{parts.port}"))

"""The whole platform on one machine: the embedded servers and our own processes, as one thing to start and stop."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from types import TracebackType
from typing import Any, Final

from core.database import connected
from core.errors import DatabaseAway
from core.migrate import engine, migrate
from core.settings import Settings
from devices.access import BrokerUser
from devices.broker import desired_access
from pilotbed.stack.account import child_account, require_reachable
from pilotbed.stack.address import without_secret
from pilotbed.stack.broker_tls import tls_of
from pilotbed.stack.data_directory import DataDirectory, Running
from pilotbed.stack.mosquitto import ADMIN, Mosquitto
from pilotbed.stack.mosquitto_binaries import find_broker
from pilotbed.stack.ports import free_port, require_free
from pilotbed.stack.postgres import DATABASE, USER, Postgres
from pilotbed.stack.program import Program
from pilotbed.stack.space_watch import SpaceWatch
from pilotbed.stack.supervisor import Part, Step, Stopped, Supervisor

PROGRAMS: Final = ("serve", "collect", "work")
"""Our own processes, each the subcommand of that name, in the order of their start."""
_PAGES: Final = "Pages at "
"""How ``serve`` begins to say that it listens."""


class LocalStack:
    """PostgreSQL, Mosquitto, web, collector and jobs, on one data directory.

    Servers that the settings name are used in place of embedded ones. Start it from the main thread, then either
    :meth:`run` until a signal, or call :meth:`tend` at least each second while doing something else.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        programs: Sequence[str] = PROGRAMS,
        environment: Mapping[str, str] | None = None,
        say: Callable[[str], None] = lambda _line: None,
    ) -> None:
        """
        :param programs: which of our processes to run; one whose module does not exist is left out.
        :param environment: variables for them beyond what the stack sets.
        :param say: takes one line at a time about what happens.
        """
        self.directory = DataDirectory(settings.data_dir)
        self.first_password: str | None = None
        """The first administrator's password, where this start made that user."""
        self.engine: str | None = None
        """Which database engine was found."""
        self._settings = settings
        self._given_environment = dict(environment or {})
        self._say = say
        self._web_port = settings.web_port
        self.postgres = None if settings.database_url else self._new_postgres()
        self.mosquitto = None if settings.mqtt_url else self._new_mosquitto()
        self._programs = [name for name in programs if find_spec(f"pilotbed.cli.{name}") is not None]
        self._supervisor = Supervisor(self._parts(), say=say)

    @property
    def database_url(self) -> str:
        """The database, with its password: never to be printed."""
        if self.postgres is not None:
            return self.postgres.url
        assert self._settings.database_url is not None
        return self._settings.database_url.get_secret_value()

    @property
    def mqtt_admin_url(self) -> str:
        """The broker, with the registry's user and secret: never to be printed."""
        return self._mqtt_url(ADMIN)

    @property
    def mqtt_address(self) -> str:
        """The broker as devices reach it, without a user."""
        if self._settings.mqtt_address is not None:
            return self._settings.mqtt_address
        return self.mosquitto.url if self.mosquitto is not None else without_secret(self.mqtt_admin_url)

    @property
    def web_url(self) -> str:
        """Where a browser finds us."""
        return f"http://{_reached_at(self._settings.host)}:{self._web_port}"

    def start(self) -> None:
        """Start everything, in order.

        :raises PilotbedError: it cannot run here; nothing is left running.
        :raises Stopped: a signal came meanwhile; nothing is left running.
        """
        if self.postgres is not None or self.mosquitto is not None:
            require_reachable(self.directory.path, child_account())
        self.directory.open()
        try:
            self._require_parts()
            self._supervisor.start()
            self.directory.write_running(self._running())
        except BaseException:
            self.stop()
            raise

    def tend(self) -> None:
        """Start again what crashed."""
        self._supervisor.tend()

    def add(self, name: str) -> None:
        """Start one more of our processes, while the others run."""
        self._supervisor.add(self._program(name))

    def pause(self, seconds: float) -> None:
        """Wait.

        :raises Stopped: a signal asked us to stop.
        """
        self._supervisor.pause(seconds)

    def ask_to_stop(self) -> None:
        """Have :meth:`run` stop everything and return."""
        self._supervisor.ask_to_stop()

    def run(self, *, started: Callable[[], None] = lambda: None) -> None:
        """Start, tend until Ctrl-C or a stopping signal, stop.

        :param started: called once all runs.
        """
        with self._supervisor.signals():
            try:
                self.start()
            except Stopped:
                return
            try:
                started()
                self._supervisor.run()
            finally:
                self._say("Stopping.")
                self.stop()

    def stop(self) -> None:
        """Stop everything, in reverse order."""
        self.directory.remove_running()
        self._supervisor.stop()
        self.directory.close()

    def __enter__(self) -> LocalStack:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _parts(self) -> list[Part]:
        servers: list[Part] = [SpaceWatch(self.directory, say=self._say)]
        if self.postgres is not None:
            servers.append(self.postgres)
        servers.append(Step(name="schema", do=self._prepare_database))
        if self.mosquitto is not None:
            servers.append(self.mosquitto)
        return [*servers, *(program for name in self._programs for program in self._all_of(name))]

    @property
    def _collectors(self) -> list[str]:
        """The collectors that we start. At somebody else's broker we know one user, so it is one."""
        if self._settings.mqtt_url is not None or self._settings.collectors == 1:
            return [self._settings.collector]
        return [f"collector-{number}" for number in range(1, self._settings.collectors + 1)]

    def _all_of(self, name: str) -> list[Program]:
        if name != "collect" or len(self._collectors) == 1:
            return [self._program(name)]
        return [self._program(name, collector=collector) for collector in self._collectors]

    def _new_postgres(self) -> Postgres:
        return Postgres(
            self.directory.postgres,
            port=self._settings.database_port,
            binaries=self._settings.postgres_bin,
            say=self._say,
            wait=self.pause,
        )

    def _new_mosquitto(self) -> Mosquitto:
        return Mosquitto(
            self.directory.mosquitto,
            port=self._settings.mqtt_port,
            host=self._settings.host,
            collectors=self._collectors,
            program=self._settings.mosquitto,
            plugin=self._settings.mosquitto_plugin,
            tls=tls_of(self._settings),
            registry=self._registered_users,
            say=self._say,
        )

    def _program(self, name: str, *, collector: str | None = None) -> Program:
        shown = name if collector is None else f"{name} {collector}"
        return Program(
            shown,
            [sys.executable, "-P", "-m", "pilotbed", name],
            environment=lambda: self._environment(name, collector or self._settings.collector),
            log=self.directory.log / f"{shown.replace(' ', '-')}.log",
            say=self._say,
            says_when_ready=_PAGES if name == "serve" else "",
            wait=self.pause,
        )

    def _environment(self, name: str, collector: str) -> dict[str, str]:
        log = {"PILOTBED_BROKER_LOG": str(self.mosquitto.log)} if self.mosquitto is not None and name == "work" else {}
        return (
            self._given_environment
            | log
            | {
                "PILOTBED_DATA_DIR": str(self.directory.path),
                "PILOTBED_DATABASE_URL": self.database_url,
                "PILOTBED_MQTT_URL": self._mqtt_url(collector if name == "collect" else ADMIN),
                "PILOTBED_COLLECTOR": collector,
                "PILOTBED_MQTT_ADDRESS": self.mqtt_address,
                "PILOTBED_WEB_PORT": str(self._web_port),
            }
        )

    def _require_parts(self) -> None:
        """The programs and all ports are looked at before anything is started."""
        if self.mosquitto is not None:
            find_broker(self._settings.mosquitto, self._settings.mosquitto_plugin)
            if (tls := tls_of(self._settings)) is not None:
                tls.require_usable()
        host = self._settings.host
        if "serve" in self._programs:
            self._web_port = self._web_port or free_port(host)
            require_free(host, self._web_port, what="the web server", setting="PILOTBED_WEB_PORT")
        if self.mosquitto is not None:
            require_free(host, self.mosquitto.port, what="the MQTT broker", setting="PILOTBED_MQTT_PORT")
        if self.postgres is not None:
            require_free("127.0.0.1", self.postgres.port, what="PostgreSQL", setting="PILOTBED_DATABASE_PORT")

    def _prepare_database(self) -> None:
        migrate(self.database_url)
        with connected(self.database_url) as connection:
            self.engine = str(engine(connection))
            if find_spec("dashboards.users") is not None:
                users: Any = import_module("dashboards.users")
                self.first_password = users.ensure_first_admin(connection)

    def _registered_users(self) -> dict[str, BrokerUser | None]:
        """What the broker is to know of devices at its start: so a lost users' file costs none its secret."""
        try:
            with connected(self.database_url) as connection:
                return desired_access(connection)
        except DatabaseAway as problem:
            self._say(f"{problem} The broker starts with the users that it had; `work` compares them later.")
            return {}

    def _mqtt_url(self, user: str) -> str:
        if self.mosquitto is not None:
            return self.mosquitto.admin_url if user == ADMIN else self.mosquitto.collector_url(user)
        assert self._settings.mqtt_url is not None
        return self._settings.mqtt_url.get_secret_value()

    def _running(self) -> Running:
        embedded, broker = self.postgres, self.mosquitto
        return Running(
            pid=os.getpid(),
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            web_url=self.web_url if "serve" in self._programs else None,
            database_url=None if embedded is None else f"postgresql://{USER}@127.0.0.1:{embedded.port}/{DATABASE}",
            database_secret=None if embedded is None else str(embedded.password_file),
            mqtt_url=None if broker is None else broker.url,
            mqtt_inner_url=None if broker is None else broker.inner_url,
            mqtt_secrets={}
            if broker is None
            else {user: str(broker.secret_file(user)) for user in (ADMIN, *self._collectors)},
        )


def _reached_at(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 (compared, not bound)

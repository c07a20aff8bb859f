"""Mosquitto as a foreground child: its configuration, its users' file, its log, its queue on disk."""

from __future__ import annotations

import secrets
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from core.errors import EnvironmentProblem, TransientError
from devices.access import BrokerUser
from devices.credentials import password_record
from pilotbed.stack import dynsec
from pilotbed.stack.account import Account, child_account, make_folder, require_reachable
from pilotbed.stack.broker_memory import Door, machine_memory_bytes, resident_bytes
from pilotbed.stack.broker_tls import Tls, TlsCopies
from pilotbed.stack.child import Child, server_environment, start_child, stop_left_behind
from pilotbed.stack.log_file import tail
from pilotbed.stack.log_keeper import LogKeeper
from pilotbed.stack.mosquitto_binaries import Broker, find_broker
from pilotbed.stack.mosquitto_configuration import Listener, configuration_text
from pilotbed.stack.ports import answers, free_port, require_free
from pilotbed.stack.secret import read_or_make_secret, write_private
from pilotbed.stack.server import Server, quiet
from pilotbed.stack.users_file import UsersFile

ADMIN: Final = "pilotbed-admin"
"""The registry's user at the broker."""

_WORD_PATIENCE_S: Final = 2.0


def _nobody() -> Mapping[str, BrokerUser | None]:
    return {}


class Mosquitto(Server):
    """One Mosquitto of ours in ``folder``: configuration, users, queue, log.

    Restarted on the same folder it has its users, sessions and queued messages again. Start it from the main thread
    (see :class:`pilotbed.stack.postgres.Postgres`).
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        collectors: Sequence[str] = ("collector-1",),
        program: Path | None = None,
        plugin: Path | None = None,
        tls: Tls | None = None,
        memory_bytes: int | None = None,
        registry: Callable[[], Mapping[str, BrokerUser | None]] = _nobody,
        say: Callable[[str], None] = quiet,
    ) -> None:
        """
        :param port: where it listens; 0 takes a free one, and keeps it over restarts.
        :param collectors: the fixed names of the collectors that get a user in a new users' file.
        :param program: a ``mosquitto`` in place of the one found; likewise ``plugin``.
        :param tls: devices then reach it by TLS only. Our own processes use the inner listener, which never leaves this
            machine, as it is.
        :param registry: asked at each start for the devices' users, and for the names of those withdrawn (None).
        :param memory_bytes: with so much memory taken, devices are turned away until the queue is empty (see
            :mod:`pilotbed.stack.broker_memory`); None: a quarter of the machine's.
        """
        super().__init__(folder, say=say)
        self.port = port
        self.host = host
        self.collectors = tuple(collectors)
        self._program = program
        self._plugin = plugin
        self._tls = None if tls is None else TlsCopies(tls, folder.absolute() / "state" / "tls")
        self._registry = registry
        self._state = self.folder / "state"
        self._log_keeper = LogKeeper(pipe=self._state / "log.pipe", log=self.folder / "mosquitto.log", say=say)
        self.users = UsersFile(self._state / "users.json")
        self._inner_port = 0
        self._door = Door(limit_bytes=memory_bytes or machine_memory_bytes() // 4)
        self._looked_at = 0.0

    @property
    def users_file(self) -> Path:
        """The dynamic security plugin's file."""
        return self.users.path

    @property
    def log(self) -> Path:
        """The broker's log, as :mod:`pilotbed.stack.broker_log` keeps it."""
        return self._log_keeper.log

    @property
    def name(self) -> str:
        return "Mosquitto"

    def last_words(self) -> str:
        """The broker's own reason for its end."""
        return f"{self._why()}; its log is {self.log}"

    @property
    def url(self) -> str:
        """Where devices reach it, without a user."""
        return f"{self._scheme}://{self._reached_at}:{self.port}"

    def url_of(self, username: str, password: str) -> str:
        """The same with a user."""
        return f"{self._scheme}://{username}:{password}@{self._reached_at}:{self.port}"

    @property
    def _scheme(self) -> str:
        return "mqtt" if self._tls is None else "mqtts"

    @property
    def inner_url(self) -> str:
        """Where our own processes reach it, also while devices are turned away; without a user."""
        return f"mqtt://127.0.0.1:{self._inner_port}"

    @property
    def admin_url(self) -> str:
        """The same with the registry's user and secret: never to be printed."""
        return self._inner_url_of(ADMIN)

    def collector_url(self, collector: str = "collector-1") -> str:
        """The same with a collector's user and secret: never to be printed."""
        return self._inner_url_of(collector)

    def _inner_url_of(self, user: str) -> str:
        return f"mqtt://{user}:{self.secret(user)}@127.0.0.1:{self._inner_port}"

    def secret_file(self, username: str) -> Path:
        """The file of that secret."""
        return self.folder / f"{username}.secret"

    def secret(self, username: str) -> str:
        """The secret of the admin or a collector; made when first asked for, kept in a 0600 file."""
        make_folder(self.folder)
        return read_or_make_secret(self.secret_file(username), lambda: secrets.token_urlsafe(24))

    def own_users(self) -> list[BrokerUser]:
        """The admin and the collectors: what every users' file of this broker holds."""
        admin = dynsec.admin_user(ADMIN, password_record(self.secret(ADMIN)))
        return [
            admin,
            *(dynsec.collector_user(name, password_record(self.secret(name))) for name in self.collectors),
        ]

    def write_users(self, devices: Iterable[BrokerUser] = ()) -> None:
        """Make the users' file anew: the admin, the collectors, and ``devices``. Only while the broker is stopped.

        :raises EnvironmentProblem: the broker runs, and would overwrite the file.
        """
        if self._child is not None and self._child.exit_code() is None:
            raise EnvironmentProblem("The broker runs: its users are changed over its control topic, not in its file.")
        self.users.write([*self.own_users(), *devices])

    def _bring_users_up_to_date(self) -> None:
        """What the registry says, secrets included: they may have been changed behind our back."""
        wanted = self._registry()
        devices = [user for user in wanted.values() if user is not None]
        lost = not self.users.exists()
        self.users.merge([*self.own_users(), *devices], without=[name for name, user in wanted.items() if user is None])
        if lost and devices:
            self._say(f"The broker's users' file was made anew from the registry, with {len(devices)} connections.")

    def start(self, *, timeout_s: float = 300.0) -> None:
        """Write the configuration, start the broker, wait until it listens.

        :raises EnvironmentProblem: it cannot run here; the message says why and what to do.
        :raises TransientError: it did not listen in time.
        """
        account = child_account()
        require_reachable(self.folder, account)
        make_folder(self.folder)
        self._lock.acquire()
        try:
            broker = find_broker(self._program, self._plugin)
            make_folder(self._state, owner=account)
            stop_left_behind(
                self.name,
                self._pid_file,
                working_on=self.folder / "mosquitto.conf",
                stop_signal=signal.SIGTERM,
                say=self._say,
            )
            self._bring_users_up_to_date()
            require_free(self.host, self.port, what="the MQTT broker", setting="PILOTBED_MQTT_PORT")
            self.port = self.port or free_port(self.host)
            self._inner_port = self._inner_port or free_port()
            self._log_keeper.start()
            log_bytes = self._log_keeper.log_bytes()
            self._child = self._launch(broker, account)
            self._wait_until_listening(timeout_s, log_bytes)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it cleanly: it saves its sessions and queues."""
        self._end(
            patience_s=60.0, killed="Mosquitto did not stop within 60 s and was killed: its last second may be lost."
        )
        self._log_keeper.stop()
        self._lock.release()

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._child is not None:
            self._child.kill()
            self._child = None
        self._log_keeper.stop()
        self._lock.release()

    def tend(self) -> None:
        """Look after its log and its memory. To be called each second or so while the broker runs."""
        self._log_keeper.tend()
        now = time.monotonic()
        if now - self._looked_at >= 1.0 and self._child is not None:
            self._looked_at = now
            self._watch_memory(self._child.pid)
            self._watch_certificates()

    def _watch_memory(self, pid: int) -> None:
        """Shut or open the devices' listener. Only a restart changes listeners; it is a clean one and loses nothing."""
        resident = resident_bytes(pid)
        if resident == 0:
            return
        if self._door.must_shut(resident_bytes=resident):
            self._say(
                f"The broker takes {resident // 1_000_000} MB, with its queue unread: devices are turned away until the"
                " collector has emptied it. They keep what was not acknowledged."
            )
            self.stop()
            self._door = self._door.shut(saved_bytes=self._saved_bytes())
            self.start()
        elif self._door.may_open(resident_bytes=resident, saved_bytes=self._saved_bytes()):
            self._say("The broker's queue is empty again: devices are let in.")
            self.stop()
            self._door = self._door.open()
            self.start()

    def _watch_certificates(self) -> None:
        """Have the broker take renewed ones. Who is connected stays so."""
        if self._tls is None or self._child is None or not self._tls.are_outdated():
            return
        try:
            self._tls.lay(child_account())
        except EnvironmentProblem as problem:
            self._say(f"The broker goes on with the certificate that it has. {problem}")
            return
        self._child.process.send_signal(signal.SIGHUP)
        self._say("The broker takes its renewed certificate.")

    def _certificates(self, tls: TlsCopies, account: Account | None) -> Tls:
        try:
            return tls.lay(account)
        except EnvironmentProblem as problem:
            if not tls.are_there():
                raise
            self._say(f"The broker starts with the certificate that it had. {problem}")
            return tls.copies

    def _saved_bytes(self) -> int:
        database = self._state / "mosquitto.db"
        return database.stat().st_size if database.exists() else 0

    @property
    def _reached_at(self) -> str:
        return "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host  # noqa: S104 (compared, not bound)

    @property
    def _pid_file(self) -> Path:
        return self._state / "mosquitto.pid"

    def _launch(self, broker: Broker, account: Account | None) -> Child:
        configuration = self.folder / "mosquitto.conf"
        owner = None if account is None else (account.uid, account.gid)
        tls = None if self._tls is None else self._certificates(self._tls, account)
        inner = Listener("127.0.0.1", self._inner_port)
        text = configuration_text(
            listeners=[inner, Listener(self.host, self.port, tls)] if self._door.is_open else [inner],
            plugin=broker.plugin,
            users_file=self.users.path,
            state=self._state,
            thinned=True,
            pid_file=self._pid_file,
        )
        write_private(configuration, text, owner=owner)
        with self._log_keeper.writing_end() as log:
            return start_child(
                "Mosquitto",
                [str(broker.program), "-c", str(configuration)],
                account=account,
                folder=self._state,
                environment=server_environment(),
                output=self.folder / "start.log",
                errors=log,
            )

    def _wait_until_listening(self, timeout_s: float, log_bytes: int) -> None:
        """
        :param log_bytes: the log's size before the start.
        """
        assert self._child is not None
        end = time.monotonic() + timeout_s
        answered_at = None
        # The devices' listener is opened after the inner one.
        last = (self._reached_at, self.port) if self._door.is_open else ("127.0.0.1", self._inner_port)
        while True:
            if self._child.exit_code() is not None:
                require_free(self.host, self.port, what="the MQTT broker", setting="PILOTBED_MQTT_PORT")
                raise EnvironmentProblem(f"Mosquitto in {self.folder} did not start: {self._why()}.")
            if answers(*last):
                answered_at = answered_at or time.monotonic()
                # Another's broker may answer there, and ours be about to find the port taken; so its own word counts.
                # If that is lost with the keeper of its log, that it goes on.
                if self._log_keeper.says_it_runs(log_bytes) or time.monotonic() - answered_at > _WORD_PATIENCE_S:
                    return
            if time.monotonic() > end:
                raise TransientError(f"Mosquitto in {self.folder} does not listen after {timeout_s:.0f} s.")
            time.sleep(0.02)

    def _why(self) -> str:
        """The broker's own last words."""
        for text in (tail(self.folder / "start.log"), tail(self.log)):
            errors = [line for line in text.splitlines() if "Error" in line or "Unable" in line or "No space" in line]
            if errors:
                return errors[-1].split("Error: ", 1)[-1].strip().rstrip(".")
        return "it left no reason in its log"

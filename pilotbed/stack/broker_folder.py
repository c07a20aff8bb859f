"""The folder of a broker that others start, such as a container: its configuration and its users' file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISFIFO

from core.errors import EnvironmentProblem
from devices.access import BrokerUser
from devices.credentials import password_record
from pilotbed.stack import dynsec
from pilotbed.stack.account import child_account, make_folder
from pilotbed.stack.broker_tls import Tls, TlsCopies
from pilotbed.stack.mosquitto import ADMIN
from pilotbed.stack.mosquitto_configuration import Listener, configuration_text
from pilotbed.stack.secret import write_private
from pilotbed.stack.users_file import UsersFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What had to be written; all of it empty where the folder was as it should be."""

    configuration: bool
    """Whether the configuration is new or was another."""
    users: tuple[str, ...]
    """Users of ours that are new, or had another secret or other rights."""
    restored: tuple[str, ...]
    """Connections of the registry that the users' file had lost, or never had."""
    certificate: bool = False
    """Whether the copies of certificate, key or CA are new or were others."""

    @property
    def anything(self) -> bool:
        return self.configuration or self.certificate or bool(self.users) or bool(self.restored)


class BrokerFolder:
    """``mosquitto.conf``, and ``state/`` for what the broker itself writes: users, sessions, queues.

    The broker must see the folder at this same path, and run as the user that owns it.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder.absolute()
        self.configuration = self.path / "mosquitto.conf"
        self.users = UsersFile(self.path / "state" / "users.json")
        self.pipe = self.path / "state" / "log.pipe"

    def prepare(
        self,
        *,
        listen: tuple[str, int],
        plugin: Path,
        admin_secret: str,
        collector_secrets: Mapping[str, str],
        devices: Iterable[BrokerUser] = (),
        encrypted: tuple[tuple[str, int], Tls] | None = None,
        log_pipe: bool = False,
    ) -> Prepared:
        """Write what is missing or outdated, and leave everything else as it is, to the byte.

        A broker that runs has its users in memory: it reads the file at its next start.

        :param plugin: where the broker finds its dynamic security plugin.
        :param collector_secrets: a collector's name → its secret.
        :param devices: the registry's active connections. Those that the users' file has are left alone.
        :param encrypted: where it is to listen with TLS besides, and by which files.
        :param log_pipe: whether its standard error will go to ``state/log.pipe``, for
            :mod:`pilotbed.stack.broker_log` to read.
        :raises EnvironmentProblem: the folder cannot be written, or the users' file is damaged.
        """
        self._require_writable()
        users = self._own_users(admin_secret, collector_secrets)
        outdated = [user for user, secret in users if not self.users.lets_in(user, secret)]
        known = self.users.names()
        lost = [device for device in devices if device.username not in known]
        if outdated or lost:
            self.users.merge([*outdated, *lost])
        listeners, certificate = [Listener(*listen)], False
        if encrypted is not None:
            copies = TlsCopies(encrypted[1], self.users.path.parent / "tls")
            certificate = copies.differ()
            listeners.append(Listener(*encrypted[0], copies.lay(child_account())))
        if log_pipe:
            self._make_pipe()
        return Prepared(
            certificate=certificate,
            configuration=self._write_configuration(listeners, plugin, thinned=log_pipe),
            users=tuple(user.username for user in outdated),
            restored=tuple(device.username for device in lost),
        )

    @staticmethod
    def _own_users(admin_secret: str, collector_secrets: Mapping[str, str]) -> list[tuple[BrokerUser, str]]:
        return [
            (dynsec.admin_user(ADMIN, password_record(admin_secret)), admin_secret),
            *(
                (dynsec.collector_user(name, password_record(secret)), secret)
                for name, secret in collector_secrets.items()
            ),
        ]

    def _make_pipe(self) -> None:
        if self.pipe.exists() and S_ISFIFO(self.pipe.stat().st_mode):
            return  # broker and reader may have it open
        self.pipe.unlink(missing_ok=True)
        os.mkfifo(self.pipe, 0o600)
        account = child_account()
        if account is not None:
            os.chown(self.pipe, account.uid, account.gid)

    def _write_configuration(self, listeners: list[Listener], plugin: Path, *, thinned: bool) -> bool:
        state = self.users.path.parent
        text = configuration_text(
            listeners=listeners,
            plugin=plugin,
            users_file=self.users.path,
            state=state,
            thinned=thinned,
            pid_file=state / "mosquitto.pid",
        )
        if self.configuration.exists() and self.configuration.read_text(encoding="utf-8") == text:
            return False
        account = child_account()
        write_private(self.configuration, text, owner=None if account is None else (account.uid, account.gid))
        return True

    def _require_writable(self) -> None:
        make_folder(self.path)
        effective = os.access in os.supports_effective_ids
        for place in (self.path, self.users.path.parent):
            if place.exists() and not os.access(place, os.W_OK | os.X_OK, effective_ids=effective):
                raise EnvironmentProblem(
                    f"The broker's folder {place} cannot be written by the user {os.geteuid()}, as which we run and the"
                    f" broker must: give it to that user (chown -R {os.geteuid()}:{os.getegid()} {self.path})."
                )

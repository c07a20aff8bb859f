"""The file of the broker's users on disk: made anew, or brought up to date, while the broker is stopped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import EnvironmentProblem
from devices.access import Access, BrokerUser
from pilotbed.stack import dynsec
from pilotbed.stack.account import child_account, make_folder
from pilotbed.stack.secret import write_private


class UsersFile:
    """The dynamic security plugin's file. It belongs to the user that the broker runs as."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        return self.path.exists()

    def write(self, users: Iterable[BrokerUser]) -> None:
        """Make it anew with these users and no others."""
        self._write(dynsec.generate(users))

    def merge(self, users: Iterable[BrokerUser], *, without: Iterable[str] = ()) -> None:
        """Add these users, or put them in place of those of their names; the others stay. Without a file, make it.

        :param without: names of users that are not to be there.
        :raises EnvironmentProblem: the file is damaged. The broker would start with it, and let nobody in.
        """
        if not self.exists():
            self.write(users)
            return
        with self._damage_told():
            text = dynsec.replace_users(self.path.read_text(encoding="utf-8"), users, without=without)
        self._write(text)

    def names(self) -> frozenset[str]:
        """The users in it, the disabled among them. Without a file, nobody.

        :raises EnvironmentProblem: the file is damaged.
        """
        if not self.exists():
            return frozenset()
        with self._damage_told():
            return dynsec.names(self.path.read_text(encoding="utf-8"))

    def lets_in(self, access: Access, secret: str) -> bool:
        """Whether by it a user comes in with this secret, and has exactly these rights.

        :raises EnvironmentProblem: the file is damaged.
        """
        if not self.exists():
            return False
        with self._damage_told():
            return dynsec.lets_in(self.path.read_text(encoding="utf-8"), access, secret)

    @contextmanager
    def _damage_told(self) -> Iterator[None]:
        try:
            yield
        except ValueError:
            raise EnvironmentProblem(
                f"The broker's users' file {self.path} is damaged: move it away, and start again; it is then made anew"
                " from the registry, and no device needs a new secret."
            ) from None

    def _write(self, text: str) -> None:
        account = child_account()
        make_folder(self.path.parent.parent)
        make_folder(self.path.parent, owner=account)
        write_private(self.path, text, owner=None if account is None else (account.uid, account.gid))

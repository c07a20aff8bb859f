"""Who the embedded servers run as, and the folders they may use.

PostgreSQL refuses to run as root and Mosquitto gives root up. As root we therefore start both as an unprivileged user
that the machine already has. We never add a user, and never change the owner or mode of anything that we did not make.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import EnvironmentProblem

_CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A system user for our children."""

    name: str
    uid: int
    gid: int


def child_account() -> Account | None:
    """The user to start the servers as, or None where we are an ordinary user and they run as ourselves.

    :raises EnvironmentProblem: we are root, and the machine has none of the users that we would take.
    """
    if os.geteuid() != 0:
        return None
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise EnvironmentProblem(
        f"PostgreSQL does not run as root, and this machine has none of the users {' and '.join(_CANDIDATES)}:"
        " start pilotbed as an ordinary user."
    )


def barrier(path: Path, account: Account | None) -> Path | None:
    """The first folder on the way to ``path`` that the account cannot pass, or None if it reaches it."""
    if account is None:
        return None
    absolute = Path(os.path.realpath(path))
    for folder in [*reversed(absolute.parents), absolute]:
        if folder.is_dir() and not _may_pass(folder.stat(), account):
            return folder
    return None


def _may_pass(status: os.stat_result, account: Account) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def make_folder(path: Path, *, owner: Account | None = None) -> Path:
    """Create a folder and what is missing above it. Existing ones stay as they are.

    As root, a new folder lets the servers' user pass (0711) unless it belongs to it (0700); otherwise it is ours alone.

    :raises EnvironmentProblem: it cannot be made.
    """
    path = path.absolute()
    if path.is_dir():
        return path
    if path.parent != path:
        make_folder(path.parent)
    try:
        path.mkdir()
        path.chmod(0o711 if os.geteuid() == 0 and owner is None else 0o700)
        if owner is not None:
            os.chown(path, owner.uid, owner.gid)
    except FileExistsError:
        if not path.is_dir():
            raise EnvironmentProblem(f"{path} is a file where a folder is needed: move it away.") from None
    except OSError as error:
        raise EnvironmentProblem(
            f"The folder {path} cannot be made: {error.strerror}. Choose another with PILOTBED_DATA_DIR."
        ) from error
    return path


def require_reachable(path: Path, account: Account | None) -> None:
    """Check that the servers' user can get to ``path``.

    :raises EnvironmentProblem: a folder on the way is closed to it; the message names that folder.
    """
    closed = barrier(path, account)
    if closed is not None and account is not None:
        raise EnvironmentProblem(
            f"The folder {closed} is closed to the user {account.name}, as which PostgreSQL and Mosquitto run when"
            f" you are root: choose another data directory with PILOTBED_DATA_DIR, or open it with"
            f" `chmod o+x {closed}`."
        )


@contextmanager
def temporary_folder(prefix: str = "pilotbed-", *, within: Path | None = None) -> Iterator[Path]:
    """A folder for one run that the servers' user can pass, removed at the end.

    :param within: where it is made; the system's place for such folders if left out.
    """
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=within))
    try:
        if os.geteuid() == 0:
            path.chmod(0o711)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)

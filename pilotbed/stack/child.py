"""A child process in the foreground: its own session, gone when we are gone, stopped by a signal within a bound."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.errors import EnvironmentProblem
from pilotbed.stack.account import Account


@cache
def _setpriv() -> str | None:
    """util-linux's ``setpriv``, which has the kernel signal a child whose parent died.

    A hook of our own between fork and exec could deadlock in a process with threads.
    """
    if sys.platform != "linux":
        return None
    return shutil.which("setpriv", path=f"{os.environ.get('PATH', '')}:/usr/bin:/bin")


def _tied_to_us(command: Sequence[str], death_signal: signal.Signals) -> list[str]:
    # The kernel watches the *thread* that forked: from any other than the main one the child would die too early.
    launcher = _setpriv() if threading.current_thread() is threading.main_thread() else None
    if launcher is None:
        return list(command)
    return [launcher, "--pdeathsig", death_signal.name.removeprefix("SIG"), "--", *command]


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One running child."""

    name: str
    process: subprocess.Popen[bytes]
    stop_signal: signal.Signals

    @property
    def pid(self) -> int:
        return self.process.pid

    def exit_code(self) -> int | None:
        """How it ended (negative: by that signal), or None while it runs."""
        return self.process.poll()

    def stop(self, *, patience_s: float = 10.0) -> bool:
        """Ask it to end, and kill it with all its descendants if it has not after ``patience_s``.

        :returns: whether it ended by itself.
        """
        if self.process.poll() is not None:
            return True
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        return True

    def kill(self) -> None:
        """End it at once, with every process of its session's group."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self.process.kill()
        self.process.wait()


def start_child(
    name: str,
    command: Sequence[str],
    *,
    account: Account | None = None,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    output: Path | int | None = None,
    errors: int | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
) -> Child:
    """Start ``command`` in a session of its own, so that the terminal's Ctrl-C reaches only us.

    :param account: run it as this user; None: as ourselves.
    :param output: stdout and stderr go to this file (made anew), or to one ``subprocess.PIPE``; None: they are ours.
    :param errors: stderr goes to this descriptor instead.
    :param stop_signal: what asks it to end; also what the kernel sends it if we are killed (Linux).
    :raises EnvironmentProblem: it cannot be started.
    """
    try:
        opened = isinstance(output, Path)
        sink = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) if isinstance(output, Path) else output
        beside = subprocess.STDOUT if sink is not None else None
        try:
            process = subprocess.Popen(
                _tied_to_us(command, stop_signal),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=beside if errors is None else errors,
                cwd=folder,
                env=None if environment is None else dict(environment),
                user=None if account is None else account.uid,
                group=None if account is None else account.gid,
                extra_groups=None if account is None else [],
                start_new_session=True,
            )
        finally:
            if opened and sink is not None:
                os.close(sink)
    except OSError as error:
        raise EnvironmentProblem(f"{name} cannot be started: {command[0]}: {error.strerror}.") from error
    return Child(name=name, process=process, stop_signal=stop_signal)


def command_of(pid: int) -> str | None:
    """The command line of a running process, or None if there is no such process."""
    if sys.platform == "linux":
        try:
            text = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            return None
        return text or None
    found = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


def stop_left_behind(
    name: str, pid_file: Path, *, working_on: Path, stop_signal: signal.Signals, say: Callable[[str], None]
) -> None:
    """Stop a server that an earlier process of ours left behind. To be called by whoever holds the lock of its folder.

    :param pid_file: its first line is the server's process id.
    :param working_on: a path that its command line names; another process may have taken its number.
    :raises EnvironmentProblem: it does not end within a minute.
    """
    try:
        pid = int(pid_file.read_text(encoding="utf-8").splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return
    if str(working_on) not in (command_of(pid) or ""):
        return
    say(f"A {name} left behind on {working_on} (process {pid}) is stopped first.")
    os.kill(pid, stop_signal)
    end = time.monotonic() + 60.0
    while command_of(pid) is not None:
        if time.monotonic() > end:
            raise EnvironmentProblem(f"The {name} left behind (process {pid}) does not stop: end it by hand.")
        time.sleep(0.05)


def server_environment() -> dict[str, str]:
    """Our environment for a server: without what would change PostgreSQL's behaviour behind our back."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "PILOTBED_"))}
    return kept | {"LC_ALL": "C"}

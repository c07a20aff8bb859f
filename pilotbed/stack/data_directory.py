"""The data directory: its layout's number, its lock, the space beneath it, and what runs on it."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from core.errors import EnvironmentProblem
from pilotbed.stack.account import make_folder
from pilotbed.stack.lock import FolderLock
from pilotbed.stack.secret import write_private

LAYOUT: Final = 1
"""The arrangement of the folders and files that this version makes and reads. A change that an older version would trip
over gets the next number."""

LEAST_FREE_BYTES: Final = 512 * 1024 * 1024
"""What PostgreSQL's first files and its log of a busy minute take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What ``run.json`` says of the stack that runs on a data directory. It holds no secret, only the files of them."""

    pid: int
    started_at: str
    web_url: str | None
    database_url: str | None
    """Without its password."""
    database_secret: str | None
    """The file of that password."""
    mqtt_url: str | None
    """Where devices reach the broker."""
    mqtt_inner_url: str | None
    """Where our own processes reach it, also while devices are turned away."""
    mqtt_secrets: dict[str, str]
    """Broker user → the file of its secret."""


class DataDirectory:
    """One data directory."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.lock = FolderLock(self.path)

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def mosquitto(self) -> Path:
        return self.path / "mosquitto"

    @property
    def log(self) -> Path:
        return self.path / "log"

    def open(self) -> None:
        """Make it if needed, check its layout and the space, and take its lock.

        :raises EnvironmentProblem: it is of a newer version, full, not ours to write, or in use.
        """
        make_folder(self.path)
        try:
            self.lock.acquire()
        except PermissionError:
            raise EnvironmentProblem(
                f"The data directory {self.path} belongs to {self.path.owner()}: run pilotbed as that user, or choose"
                " another directory with PILOTBED_DATA_DIR."
            ) from None
        try:
            self._require_layout()
            self.require_space()
        except BaseException:
            self.lock.release()
            raise

    def close(self) -> None:
        """Let others use it."""
        self.lock.release()

    def free_bytes(self) -> int:
        return shutil.disk_usage(self.path).free

    def require_space(self) -> None:
        """Check that the disk is not nearly full.

        :raises EnvironmentProblem: it is.
        """
        free = self.free_bytes()
        if free < LEAST_FREE_BYTES:
            raise EnvironmentProblem(
                f"Only {free // 1_000_000} MB are free on the disk of {self.path}, at least"
                f" {LEAST_FREE_BYTES // 1_000_000} MB are needed: free some, or choose another with PILOTBED_DATA_DIR."
            )

    def _require_layout(self) -> None:
        file = self.path / "version"
        try:
            text = file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            write_private(file, f"{LAYOUT}\n")
            return
        if not text.isdigit() or int(text) > LAYOUT:
            raise EnvironmentProblem(
                f"The data directory {self.path} has layout {text!r}, this version of Pilotbed knows {LAYOUT}: run the"
                " newer version that made it, or choose another directory with PILOTBED_DATA_DIR."
            )

    @property
    def _run_file(self) -> Path:
        return self.path / "run.json"

    def write_running(self, running: Running) -> None:
        """Tell other commands what runs here."""
        write_private(self._run_file, json.dumps(asdict(running), indent=1) + "\n")

    def remove_running(self) -> None:
        """Take that back."""
        self._run_file.unlink(missing_ok=True)

    def running(self) -> Running | None:
        """The stack that runs here now, or None. What a killed one left behind does not count.

        :raises EnvironmentProblem: it belongs to another user.
        """
        try:
            document = json.loads(self._run_file.read_text(encoding="utf-8"))
            running = Running(**document)
        except FileNotFoundError:
            return None
        except PermissionError:
            raise EnvironmentProblem(
                f"The stack on {self.path} belongs to {self._run_file.owner()}: run this command as that user."
            ) from None
        except (ValueError, TypeError):
            return None
        return running if self.lock.is_held() else None

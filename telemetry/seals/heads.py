"""The heads of all seals that were ever made here, in a file beside the key: it knows when the database was set back.

A database that is restored to an earlier state has lost seals that others have seen. Sealing on as if nothing were would give two
chains with the same numbers. The file is ahead then, so that sealing begins a new epoch that names the last head.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from core.errors import EnvironmentProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownHead:
    """A seal that was made."""

    pilot: str
    number: int
    day: str
    head: str


class Heads:
    """The file: a line a seal, only ever added to."""

    def __init__(self, key_file: Path) -> None:
        self.path = key_file.with_name("seal-heads.jsonl")

    def of(self, pilot: str) -> list[KnownHead]:
        """The heads of a pilot in the order in which they were made; none if there is no file here.

        :raises EnvironmentProblem: the file cannot be read.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise EnvironmentProblem(
                f"The heads of seals {self.path} cannot be read ({error.strerror}): run as the user that owns them."
            ) from error
        found = []
        for line in text.splitlines():
            try:
                known = KnownHead(**json.loads(line))
            except (ValueError, TypeError):
                continue  # a line that was cut off: its seal is added again
            if known.pilot == pilot:
                found.append(known)
        return found

    def add(self, heads: Iterable[KnownHead]) -> None:
        """Remember seals, after they were committed.

        :raises EnvironmentProblem: the file cannot be written.
        """
        lines = "".join(
            json.dumps({"pilot": one.pilot, "number": one.number, "day": one.day, "head": one.head}) + "\n"
            for one in heads
        )
        if not lines:
            return
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self.path.open("a+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if file.seek(0, os.SEEK_END):
                    file.seek(-1, os.SEEK_END)
                    if file.read(1) != b"\n":
                        file.write(b"\n")
                file.write(lines.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise EnvironmentProblem(
                f"The heads of seals {self.path} cannot be written ({error.strerror}): make room, or the folder writable."
            ) from error

"""The folder of an export: files that are whole or not there, and a record by which one that was killed goes on."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from core.errors import EnvironmentProblem, PermanentError
from core.files import write_whole

JOURNAL: Final = ".export.json"
MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A file that is whole."""

    rows: int | None
    """None where it is no table."""
    readings: int | None = None
    """Of the files of readings: how many there are in them."""
    bytes: int
    sha256: str


@dataclass(slots=True, kw_only=True)
class Month:
    """How far the readings of a month are written."""

    files: list[str] = field(default_factory=list)
    after: list[list[int]] = field(default_factory=list)
    """For each file the position after its last row; see the shapes."""
    done: bool = False


class Hashed(io.RawIOBase):
    """A file that is only written to, in order, and knows the hash of what it holds."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self._hash = hashlib.sha256()
        self._given_up = False
        self.bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        view = memoryview(data).cast("B")
        if self._given_up:
            return len(view)
        self._file.write(view)
        self._hash.update(view)
        self.bytes += len(view)
        return len(view)

    def tell(self) -> int:
        return self.bytes

    def give_up(self) -> None:
        """The file will not be kept: what a writer still says when it is collected goes nowhere."""
        self._given_up = True

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


class Folder:
    """One export's folder, held against any other export for the length of a block; see :func:`opened`."""

    def __init__(self, path: Path, asked: Mapping[str, Any], as_of: datetime | None) -> None:
        self.path = path
        self._asked = dict(asked)
        self.as_of = as_of
        """What the begun export goes by; None until it is known."""
        self.files: dict[str, Written] = {}
        self.months: dict[str, Month] = {}
        self.resumed = False

    def begin(self, as_of: datetime) -> None:
        """From here on a killed export can go on."""
        self.as_of = as_of
        self.save()

    def whole(self, name: str) -> bool:
        """Whether a file is there already."""
        return name in self.files

    @contextmanager
    def writing(self, name: str) -> Iterator[Hashed]:
        """A file under a temporary name, renamed when the block ends.

        :raises EnvironmentProblem: it cannot be written.
        """
        path = self.path / name
        temporary = path.with_name(f".{path.name}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb", buffering=1 << 20) as file:
                hashed = Hashed(file)
                try:
                    yield hashed
                    file.flush()
                except BaseException:
                    hashed.give_up()
                    raise
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise EnvironmentProblem(
                f"{path} cannot be written ({error.strerror or error}): make room, then start the same command again; what is"
                " whole is kept."
            ) from error
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise

    def keep(self, name: str, file: Hashed, rows: int | None, readings: int | None = None) -> None:
        """Record a file that was written whole."""
        self.files[name] = Written(rows=rows, bytes=file.bytes, sha256=file.sha256, readings=readings)

    def put(self, name: str, content: bytes, rows: int | None = None) -> None:
        """Write a small file, unless it is there."""
        if self.whole(name):
            return
        with self.writing(name) as file:
            file.write(content)
        self.keep(name, file, rows)
        self.save()

    def save(self) -> None:
        """Bring the record up to date: what is not in it will be written again."""
        assert self.as_of is not None
        record = {
            "asked": self._asked,
            "as_of": self.as_of.astimezone(UTC).isoformat(),
            "months": {month: asdict(state) for month, state in self.months.items()},
            "files": {name: asdict(written) for name, written in self.files.items()},
        }
        self._write(JOURNAL, json.dumps(record, ensure_ascii=False, indent=1).encode())

    def finish(self, manifest: bytes) -> None:
        """Write the manifest, and with it the last word."""
        self._write(MANIFEST, manifest)
        (self.path / JOURNAL).unlink()

    def _write(self, name: str, content: bytes) -> None:
        try:
            write_whole(self.path / name, content)
        except EnvironmentProblem as problem:
            raise EnvironmentProblem(
                f"{str(problem).partition(':')[0]}: make room, then start the same command again; what is whole is kept."
            ) from problem

    def load(self, record: Mapping[str, Any]) -> None:
        """Take up what an earlier run left; files that are not as it left them are written again."""
        self.resumed = True
        for name, written in record["files"].items():
            known = Written(**written)
            if _as_known(self.path / name, known):
                self.files[name] = known
        for month, state in record["months"].items():
            self.months[month] = _usable(Month(**state), self.files)


def _as_known(path: Path, written: Written) -> bool:
    if not path.is_file() or path.stat().st_size != written.bytes:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == written.sha256


def _usable(month: Month, files: dict[str, Written]) -> Month:
    """The files of a month up to the first that is not there: what follows it is written again."""
    good = next((place for place, name in enumerate(month.files) if name not in files), len(month.files))
    if good == len(month.files):
        return month
    for name in month.files[good:]:
        files.pop(name, None)
    return Month(files=month.files[:good], after=month.after[:good], done=False)


@contextmanager
def opened(path: Path, asked: Mapping[str, Any]) -> Iterator[Folder]:
    """The folder to export into: a new or empty one, or one of the same export that was cut short.

    :raises PermanentError: it holds something else.
    :raises EnvironmentProblem: it cannot be made or written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except (FileExistsError, NotADirectoryError):
        raise PermanentError(
            f"-o {path} is a file: an export is a folder of files, so name a folder that is empty or not there yet."
        ) from None
    except OSError as error:
        raise EnvironmentProblem(
            f"-o {path} cannot be made ({error.strerror}): name a folder that you may write."
        ) from error
    try:
        _hold(handle, path)
        yield _found(path, asked)
    finally:
        os.close(handle)


def _hold(handle: int, path: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise PermanentError(
            f"-o {path} is being written by another export: wait for it or name another folder."
        ) from None
    except OSError:
        return  # a file system without locks


def _found(path: Path, asked: Mapping[str, Any]) -> Folder:
    journal = path / JOURNAL
    if not journal.exists():
        if (path / MANIFEST).exists():
            raise PermanentError(f"-o {path} holds a finished export already: name another folder, or remove this one.")
        others = sorted(one.name for one in path.iterdir() if not one.name.startswith(f".{JOURNAL}"))
        if others:
            raise PermanentError(
                f"-o {path} holds other files ({others[0]}): name a folder that is empty or not there."
            )
        return Folder(path, asked, None)
    try:
        record = json.loads(journal.read_bytes())
        before = record["asked"]
        differs = [key for key in {**before, **asked} if before.get(key) != asked.get(key)]
        if differs:
            key = differs[0]
            raise PermanentError(
                f"-o {path} holds a begun export that was asked differently ({key}: {before.get(key)!r}, now"
                f" {asked.get(key)!r}): start it again as it was, or name another folder."
            )
        folder = Folder(path, asked, datetime.fromisoformat(record["as_of"]))
        folder.load(record)
    except (ValueError, KeyError, TypeError) as error:
        raise PermanentError(f"{journal} is no record of an export ({error}): name another folder.") from error
    return folder

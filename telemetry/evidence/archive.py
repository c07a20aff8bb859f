"""A zip file with one way to be written, so that there is no byte in it that could be another one unnoticed.

Members are stored, not compressed (Parquet is compressed by itself), one after the other from the first byte on; names are plain
ASCII; times, rights and versions are fixed; there are no comments, no extra fields but those of sizes beyond 4 GB. Any tool opens
it. The reader builds headers and directory anew from names, checksums and sizes, and compares them byte by byte: what stands
before, between, after, twice or in another order is found, and no declared size can make it read more than the file has.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from core.errors import EnvironmentProblem
from telemetry.evidence.damaged import Damaged

MOST_MEMBERS: Final = 10_000
_LONGEST_NAME: Final = 120
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_LIMIT: Final = 0xFFFFFFFF
_MANY: Final = 0xFFFF
_UTF8: Final = 0x0800
_DAY: Final = 0x0021
"""1 January 1980, the first day that a zip can say."""
_MADE_BY: Final = 3 << 8 | 45
_RIGHTS: Final = 0o100644 << 16
_END: Final = struct.Struct("<IHHHHIIH")
_END64: Final = struct.Struct("<IQHHIIQQQQ")
_LOCATOR64: Final = struct.Struct("<IIQI")
_LOCAL: Final = struct.Struct("<IHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<IHHHHHHIIIHHHHHII")
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file in the archive."""

    name: str
    offset: int
    """Of its header."""
    size: int
    crc: int

    @property
    def start(self) -> int:
        """Of its content."""
        return self.offset + _LOCAL.size + len(self.name)

    @property
    def end(self) -> int:
        return self.start + self.size


def _local(name: str, size: int, crc: int) -> bytes:
    return _LOCAL.pack(0x04034B50, 20, _UTF8, 0, 0, _DAY, crc, size, size, len(name), 0) + name.encode("ascii")


def _directory(members: Sequence[Member]) -> bytes:
    """Everything that stands after the last member."""
    start = members[-1].end if members else 0
    entries = b"".join(_central(member) for member in members)
    n, size = len(members), len(entries)
    tail = b""
    if start >= _LIMIT or size >= _LIMIT or n >= _MANY:
        tail = _END64.pack(0x06064B50, _END64.size - 12, _MADE_BY, 45, 0, 0, n, n, size, start)
        tail += _LOCATOR64.pack(0x07064B50, 0, start + size, 1)
    shown = min(n, _MANY)
    tail += _END.pack(0x06054B50, 0, 0, shown, shown, min(size, _LIMIT), min(start, _LIMIT), 0)
    return entries + tail


def _central(member: Member) -> bytes:
    far = member.offset >= _LIMIT
    extra = struct.pack("<HHQ", 1, 8, member.offset) if far else b""
    head = _CENTRAL.pack(
        0x02014B50, _MADE_BY, 45 if far else 20, _UTF8, 0, 0, _DAY, member.crc, member.size, member.size,
        len(member.name), len(extra), 0, 0, 0, _RIGHTS, min(member.offset, _LIMIT),
    )  # fmt: skip
    return head + member.name.encode("ascii") + extra


class Written(io.RawIOBase):
    """A member that is being written: in order, hashed on the way."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0
        self.crc = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        view = memoryview(data).cast("B")
        self._file.write(view)
        self._hash.update(view)
        self.crc = zlib.crc32(view, self.crc)
        self.size += len(view)
        return len(view)

    def tell(self) -> int:
        return self.size

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


class ArchiveWriter:
    """Writes an archive into a file that can be sought in, in constant memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.members: list[Member] = []
        self.contents: list[tuple[str, int, str]] = []
        """Name, size and SHA-256 of each."""

    @contextmanager
    def member(self, name: str) -> Iterator[Written]:
        """One more member.

        :raises EnvironmentProblem: it is beyond what one member can hold.
        """
        if not _is_name(name):
            raise ValueError(f"{name!r} cannot be the name of a member")
        offset = self.members[-1].end if self.members else 0
        self._file.write(_local(name, 0, 0))
        into = Written(self._file)
        yield into
        if into.size >= _LIMIT:
            raise EnvironmentProblem(f"{name} has {into.size:,} bytes, and a member of a bundle at most 4 GB.")
        self._file.seek(offset)
        self._file.write(_local(name, into.size, into.crc))
        self._file.seek(0, io.SEEK_END)
        self.members.append(Member(name=name, offset=offset, size=into.size, crc=into.crc))
        self.contents.append((name, into.size, into.sha256))

    def put(self, name: str, data: bytes) -> None:
        """A small member whole."""
        with self.member(name) as into:
            into.write(data)

    def finish(self) -> None:
        """The directory at the end."""
        self._file.write(_directory(self.members))


class Part(io.RawIOBase):
    """A member as a file of its own."""

    def __init__(self, path: Path, member: Member) -> None:
        super().__init__()
        self._file = path.open("rb", buffering=0)
        self._member = member
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._member.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self._member.size - self._at)
        if wanted <= 0:
            return 0
        self._file.seek(self._member.start + self._at)
        n = self._file.readinto(view[:wanted])
        self._at += n
        return int(n)

    def close(self) -> None:
        self._file.close()
        super().close()


class Archive:
    """Reads an archive of this very form."""

    def __init__(self, path: Path) -> None:
        """
        :raises Damaged: it is none.
        :raises EnvironmentProblem: it cannot be read at all.
        """
        self.path = path
        try:
            self.size = path.stat().st_size
            with path.open("rb") as file:
                self.members = {member.name: member for member in _read(file, self.size)}
        except OSError as error:
            raise EnvironmentProblem(
                f"The bundle {path} cannot be read ({error.strerror}): give the path of one."
            ) from error

    def part(self, name: str) -> Part:
        """A member as a file.

        :raises Damaged: there is none of that name.
        """
        if name not in self.members:
            raise Damaged(f"The bundle has no {name}.")
        return Part(self.path, self.members[name])

    def stream(self, name: str) -> io.BufferedReader:
        """The same, buffered: for reading lines."""
        return io.BufferedReader(self.part(name), _PIECE)

    def read(self, name: str, *, most: int) -> bytes:
        """A small member whole.

        :raises Damaged: there is none, or it is larger than such a member ever is.
        """
        with self.part(name) as part:
            if self.members[name].size > most:
                raise Damaged(f"{name} has {self.members[name].size:,} bytes; at most {most:,} are read of it.")
            return part.readall()

    def named(self, folder: str) -> list[str]:
        """The members in a folder."""
        return [name for name in self.members if name.startswith(f"{folder}/")]

    def digests(self, heard: Any = None) -> Iterator[tuple[Member, str]]:
        """Every member with the SHA-256 of its content, in the order of the file.

        :param heard: told how many bytes were read.
        :raises Damaged: a checksum of the archive's own differs.
        """
        done = 0
        for member in self.members.values():
            digest, crc = hashlib.sha256(), 0
            with Part(self.path, member) as part:
                while piece := part.read(_PIECE):
                    digest.update(piece)
                    crc = zlib.crc32(piece, crc)
                    done += len(piece)
                    if heard is not None:
                        heard(done)
            if crc != member.crc:
                raise Damaged(
                    f"{member.name} was changed: its checksum is {crc:08x}, the archive says {member.crc:08x}."
                )
            yield member, digest.hexdigest()


def _is_name(name: str) -> bool:
    return len(name) <= _LONGEST_NAME and _NAME.fullmatch(name) is not None


def _read(file: BinaryIO, size: int) -> list[Member]:
    count, directory_size, directory = _end(file, size)
    if count > MOST_MEMBERS or directory_size > MOST_MEMBERS * (_CENTRAL.size + _LONGEST_NAME + 12):
        raise Damaged(f"The file declares {count:,} members in {directory_size:,} bytes: no bundle has so many.")
    if directory + directory_size > size:
        raise Damaged("The archive's directory lies beyond the end of the file: it was cut or changed.")
    file.seek(directory)
    members = _listed(file.read(directory_size), count)
    if len({member.name for member in members}) != len(members):
        raise Damaged("The archive has a member twice.")
    at = 0
    for member in members:
        if member.offset != at:
            raise Damaged(f"Before {member.name} stands something else, or members lie over each other.")
        file.seek(at)
        if file.read(member.start - at) != _local(member.name, member.size, member.crc):
            raise Damaged(f"The header of {member.name} does not agree with the archive's directory.")
        at = member.end
    file.seek(at)
    if at > size or file.read(size - at if size - at < 1 << 24 else 1 << 24) != _directory(members):
        raise Damaged(
            "The archive's directory is not the one that its members make: it was changed or something was added."
        )
    return members


def _end(file: BinaryIO, size: int) -> tuple[int, int, int]:
    """How many members the directory has, its size, and where it lies."""
    if size < _END.size:
        raise Damaged(f"A file of {size} bytes is no bundle.")
    file.seek(size - _END.size)
    signature, _, _, count, _, length, start, _ = _END.unpack(file.read(_END.size))
    if signature != 0x06054B50:
        raise Damaged("The file does not end as a bundle does: it is none, was cut, or something was added to it.")
    if _LIMIT not in (length, start) and count != _MANY:
        return count, length, start
    where = size - _END.size - _LOCATOR64.size - _END64.size
    if where < 0:
        raise Damaged("The archive's end is not whole.")
    file.seek(where)
    found = _END64.unpack(file.read(_END64.size))
    return found[7], found[8], found[9]


def _listed(data: bytes, count: int) -> list[Member]:
    members, at = [], 0
    for _ in range(count):
        if at + _CENTRAL.size > len(data):
            raise Damaged("The archive's directory is shorter than it says.")
        found = _CENTRAL.unpack_from(data, at)
        signature, method, crc, size, whole = found[0], found[4], found[7], found[8], found[9]
        name_bytes, extra_bytes, offset = found[10], found[11], found[16]
        name = data[at + _CENTRAL.size : at + _CENTRAL.size + name_bytes].decode("ascii", "replace")
        if signature != 0x02014B50 or method or size != whole or not _is_name(name):
            raise Damaged(
                f"The archive's entry {name[:_LONGEST_NAME]!r} is none of a bundle's: members are stored, with plain names."
            )
        at += _CENTRAL.size + name_bytes
        if offset == _LIMIT and extra_bytes == 12 and at + 12 <= len(data):
            offset = struct.unpack_from("<Q", data, at + 4)[0]
        members.append(Member(name=name, offset=offset, size=size, crc=crc))
        at += extra_bytes
    return members

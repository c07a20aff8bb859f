"""A log that grows, and is set aside as ``NAME.1`` when it is full, read piece by piece from where one stopped.

A file is known by the head of its first line, which holds an instant: a number of the file system would be used again by
the next file as soon as one is deleted, and another after a copy.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from devices.journal import Place

LARGEST_PIECE: Final = 1024 * 1024
"""Bytes: what one transaction takes up, whatever the log's size."""
_HEAD: Final = 256


class Piece(NamedTuple):
    """Whole lines, or none where only the place changes; and where the next ones begin."""

    lines: bytes
    end: Place


class Files:
    """The log and the one set aside before it, held open for the length of a ``with`` block."""

    def __init__(self, log: Path, *, largest_piece: int = LARGEST_PIECE) -> None:
        self._log = log
        self._largest_piece = largest_piece
        self._opened = ExitStack()
        self._files: dict[str, BinaryIO] = {}

    def __enter__(self) -> Files:
        # The newer first: if it is set aside in between, both are it, and it is in our hands either way.
        found = []
        for path in (self._log, self._log.with_name(f"{self._log.name}.1")):
            with suppress(FileNotFoundError):
                file = self._opened.enter_context(path.open("rb"))
                found.append((_identity(file), file))
        self._files = {identity: file for identity, file in reversed(found) if identity}
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @property
    def ids(self) -> tuple[str, ...]:
        """Which files are there, the oldest first."""
        return tuple(self._files)

    def after(self, place: Place) -> Piece | None:
        """The next whole lines after a place; None: there are none yet.

        Where the file of that place is gone, what is there was never read, and all of it follows.
        """
        for identity, file in self._from(place.file_id):
            begin = place.position if identity == place.file_id else 0
            piece = self._piece(identity, file, begin)
            if piece is not None:
                return piece
        return None

    def _from(self, file_id: str) -> Iterator[tuple[str, BinaryIO]]:
        reached = file_id not in self._files
        for identity, file in self._files.items():
            reached = reached or identity == file_id
            if reached:
                yield identity, file

    def _piece(self, identity: str, file: BinaryIO, begin: int) -> Piece | None:
        size = os.fstat(file.fileno()).st_size
        if size < begin:  # a crash of the machine took its end: what comes from here on is new
            return Piece(b"", Place(file_id=identity, position=size))
        file.seek(begin)
        read = file.read(self._largest_piece)
        whole = read.rfind(b"\n") + 1
        if whole == 0 and len(read) == self._largest_piece:
            whole = len(read)  # no line is so long: nothing of ours is lost with it
        if whole == 0:
            return None
        return Piece(read[:whole], Place(file_id=identity, position=begin + whole))


def _identity(file: BinaryIO) -> str:
    """Which file this is; empty while its first line is not whole, and so nothing is to be read yet."""
    head = file.read(_HEAD)
    line, end, _ = head.partition(b"\n")
    if not end and len(head) < _HEAD:
        return ""
    return hashlib.sha256(line).hexdigest()[:32]

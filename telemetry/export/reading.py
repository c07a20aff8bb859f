"""Readings out of the store in the order of time, in pieces of a bounded size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.window import Window, instant
from telemetry import binary
from telemetry.export.asked import SQL, Revision, Series

PIECE: Final = 32_768
"""Readings that are fetched at once: more is slower, because the server's strings leave its caches."""


class Piece(NamedTuple):
    """Readings of one channel, sorted by instant and revision."""

    observed_us: NDArray[np.int64]
    received_us: NDArray[np.int64]
    value: NDArray[np.float64]
    flags: NDArray[np.int16]
    revision: NDArray[np.int32]

    def part(self, low: int, high: int) -> Piece:
        return Piece._make(column[low:high] for column in self)

    def chosen(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> Piece:
        return Piece._make(column[index] for column in self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where readings come from: one view of the store."""

    connection: Connection
    as_of: datetime
    piece: int = PIECE

    def series(self, series: Series, window: Window, after: tuple[int, int] | None = None) -> Iterator[Piece]:
        """The readings of a channel in a window, those of all its revisions together.

        :param after: instant (µs) and revision of the last one that is done; its successors follow.
        """
        streams = [self._revision(revision, window, after) for revision in series.revisions]
        yield from streams[0] if len(streams) == 1 else _merged(streams)

    def _revision(self, revision: Revision, window: Window, after: tuple[int, int] | None) -> Iterator[Piece]:
        done_us = window.start_us - 1
        if after is not None:
            done_us = max(done_us, after[0] if revision.number <= after[1] else after[0] - 1)
        while True:
            piece = self._fetched(revision, done_us, window)
            if piece is None:
                return
            yield piece
            if len(piece.value) < self.piece:
                return
            done_us = int(piece.observed_us[-1])

    def _fetched(self, revision: Revision, done_us: int, window: Window) -> Piece | None:
        asked = {
            "channel": revision.channel_id,
            "after": instant(done_us),
            "end": window.end,
            "as_of": self.as_of,
            "most": self.piece,
        }
        row = self.connection.execute(SQL["slice"], asked, binary=True).fetchone()
        assert row is not None
        if not row["n"]:
            return None
        observed_us = binary.instants(row["observed"])
        if np.any(observed_us[1:] <= observed_us[:-1]):
            raise AssertionError(f"The store handed over channel {revision.channel_id} out of order.")
        return Piece(
            observed_us=observed_us,
            received_us=binary.instants(row["received"]),
            value=binary.floats(row["value"]),
            flags=binary.flags(row["flags"]),
            revision=np.full(row["n"], revision.number, dtype=np.int32),
        )


def joined(pieces: Sequence[Piece]) -> Piece:
    """Pieces one after the other."""
    return pieces[0] if len(pieces) == 1 else Piece._make(map(np.concatenate, zip(*pieces, strict=True)))


class Ahead:
    """A stream of pieces of which the first rows can be looked at and taken."""

    def __init__(self, pieces: Iterator[Piece]) -> None:
        self._pieces = pieces
        self._held: Piece | None = next(pieces, None)

    @property
    def known_us(self) -> int | None:
        """Up to which instant everything is at hand; None: there is no more."""
        return None if self._held is None else int(self._held.observed_us[-1])

    def take(self, until_us: int) -> Piece | None:
        """What there is up to an instant, included, that is at hand; None: nothing."""
        if self._held is None:
            return None
        cut = int(np.searchsorted(self._held.observed_us, until_us, side="right"))
        taken = self._held.part(0, cut)
        if cut == len(self._held.value):
            self._held = next(self._pieces, None)
        else:
            self._held = self._held.part(cut, len(self._held.value))
        return taken if cut else None


def _merged(streams: Sequence[Iterator[Piece]]) -> Iterator[Piece]:
    """Several revisions as one stream, by instant and revision."""
    ahead = [Ahead(stream) for stream in streams]
    while known := [us for one in ahead if (us := one.known_us) is not None]:
        taken = [piece for one in ahead if (piece := one.take(min(known))) is not None]
        whole = joined(taken)
        yield whole if len(taken) == 1 else whole.chosen(np.lexsort((whole.revision, whole.observed_us)))

"""Comparing rows with the leaves that they are to make up, while they stream by: hash, number, first and last instant. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.window import HOUR_US, instant
from telemetry.seals.leaves import ROW, begun_hour, packed_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Readings of one revision of a channel in the order of the leaves."""

    observed_us: NDArray[np.int64]
    received_us: NDArray[np.int64]
    value: NDArray[np.float64]
    flags: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.value)


class LeafWalk:
    """The leaves of one identity, one after the other."""

    def __init__(self, identity: str, unit: str, heads: NDArray[Any]) -> None:
        self._identity = identity
        self._unit = unit
        self._heads = heads
        self._place = 0
        self._left = 0
        self._hash = hashlib.sha256()
        self._first_us = self._last_us = 0
        self._sound = True

    def walk(self, rows: Rows) -> Iterator[str]:
        """Take rows up, and say of each leaf that is complete whether it differs.

        :returns: what differs, in words that name the leaf.
        """
        data = packed_rows(rows.observed_us, rows.received_us, rows.value, rows.flags)
        at, size = 0, ROW.itemsize
        while at < len(rows):
            if self._left == 0:
                if self._place == len(self._heads):
                    yield f"{self._identity}: {len(rows) - at:,} rows belong to no leaf"
                    return
                self._open(int(rows.observed_us[at]))
            head = self._heads[self._place]
            n = min(self._left, len(rows) - at)
            self._hash.update(data[at * size : (at + n) * size])
            observed, received = rows.observed_us[at : at + n], rows.received_us[at : at + n]
            hour = int(head["hour_us"])
            self._sound = (
                self._sound
                and bool((observed[1:] > observed[:-1]).all())
                and int(received.min()) >= hour
                and int(received.max()) < hour + HOUR_US
            )
            self._last_us = int(observed[-1])
            self._left -= n
            at += n
            if self._left == 0:
                yield from self._closed(head)
                self._place += 1

    def end(self) -> Iterator[str]:
        """What is still to come when no row is left."""
        for place in range(self._place, len(self._heads)):
            head = self._heads[place]
            n, left = int(head["n"]), self._left if place == self._place and self._left else int(head["n"])
            yield f"{self._name(head)}: {left:,} of {n:,} rows are missing"

    def _open(self, first_us: int) -> None:
        head = self._heads[self._place]
        n = int(head["n"])
        self._left, self._first_us, self._sound = n, first_us, True
        self._hash = begun_hour(
            self._identity, self._unit, int(head["hour_us"]), n, int(head["first_us"]), int(head["last_us"])
        )

    def _closed(self, head: Any) -> Iterator[str]:
        instants = (self._first_us, self._last_us) == (int(head["first_us"]), int(head["last_us"]))
        if self._hash.digest() != head["hash"].tobytes():
            yield f"{self._name(head)}: its {int(head['n']):,} rows are not those that were sealed"
        elif not (instants and self._sound):
            yield f"{self._name(head)}: its rows are not in their order, or not of its hour"

    def _name(self, head: Any) -> str:
        return f"{self._identity} {instant(int(head['hour_us'])).isoformat()} (seal {int(head['seal'])})"

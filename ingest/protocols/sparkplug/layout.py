"""The shortest way: messages that differ from one before in times and fractions only, byte for byte.

A node says the same metrics again and again. Where all of them are floats or doubles with a time of six bytes, each lies at the
same place in every message. So the bytes around them are compared with those of a message that was read before, in one go, and
the numbers are taken from their places. What differs by one bit elsewhere is read field by field.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from math import hypot
from operator import itemgetter
from typing import Any, Final, NamedTuple

from ingest.protocols.columns import AS_IT_STANDS, WHOLE, converting

_TIMESTAMP, _METRIC, _SEQ = 0x08, 0x12, 0x18
"""Tags at the top of a payload."""
_ALIAS, _OF_METRIC, _FLOAT, _DOUBLE = 0x10, 0x18, 0x65, 0x69
"""Tags of a metric."""
_SIX: Final = 6
_CONTINUED: Final = b"\x80\x80\x80\x80\x80\x80"
"""The bits by which six bytes are one number are compared, the others not: which they are, the last one's says."""
Channel = tuple[int, float | None, float]
"""Its id, and the scale (None: as it stands) and offset to its unit."""
_Pick = Callable[[Sequence[Any]], Sequence[Any]]


class Place(NamedTuple):
    """Where something that differs stands."""

    at: int
    size: int
    what: str
    """``t`` a metric's time, ``T`` the payload's, ``s`` the number, ``f`` or ``d`` a value."""


class Layout:
    """The places in messages of one length, and what must stand around them."""

    __slots__ = ("_convert", "_mask", "_number", "_seq_size", "_times", "_top", "_unpack", "_values", "_wanted", "ids")

    def __init__(self, payload: bytes, places: list[Place], channels: Sequence[Sequence[Channel]]) -> None:
        """
        :param payload: a message of this layout.
        :param channels: those that each metric is taken for, in the message's order.
        """
        mask = bytearray(b"\xff" * len(payload))
        form, last = ["<"], 0
        for place in places:
            form.append(f"{place.at - last}x" + (place.what if place.what in "fd" else f"{place.size}s"))
            last = place.at + place.size
            mask[place.at : last] = b"\x00" * place.size if place.what in "fd" else _CONTINUED[: place.size]
        form.append(f"{len(payload) - last}x")
        self._unpack = struct.Struct("".join(form)).unpack
        self._mask = int.from_bytes(mask, "little")
        self._wanted = int.from_bytes(payload, "little") & self._mask
        kinds = [place.what for place in places]
        metrics = [[n for n, kind in enumerate(kinds) if kind in which] for which in ("t", "fd")]
        taken = [(*where, *channel) for *where, its in zip(*metrics, channels, strict=True) for channel in its]
        self._times, self._values = _pick([one[0] for one in taken]), _pick([one[1] for one in taken])
        self.ids = [one[2] for one in taken]
        self._convert = converting([AS_IT_STANDS if scale is None else (scale, offset) for *_, scale, offset in taken])
        self._top, self._number = kinds.index("T"), kinds.index("s")
        self._seq_size = places[self._number].size

    def read(
        self, payload: bytes, seq: int, first_ms: int, last_ms: int
    ) -> tuple[int, list[int], Sequence[float]] | None:
        """What stands at the places.

        :param payload: as long as the one that the layout was made from.
        :param seq: the number that the message must have.
        :returns: the payload's time in ms, each metric's in µs, the values in canonical units; None where this is another
            message, or one that is to be looked at more closely.
        """
        if int.from_bytes(payload, "little") & self._mask != self._wanted:
            return None
        found = self._unpack(payload)
        if found[self._number] != (seq.to_bytes() if self._seq_size == 1 else bytes((seq & 127 | 128, seq >> 7))):
            return None
        raw, times, top = self._values(found), self._times(found), found[self._top]
        ms = milliseconds(top)
        if times.count(top) == len(times):
            if not first_ms <= ms <= last_ms:
                return None
            at = [ms * 1000] * len(times)
        else:
            at = []
            for said in times:
                said_ms = milliseconds(said)
                if not first_ms <= said_ms <= last_ms:
                    return None
                at.append(said_ms * 1000)
        # Each of them is a whole double then, and finite.
        return (ms, at, self._convert(raw)) if hypot(*raw) < WHOLE else None


def milliseconds(said: bytes) -> int:
    r"""A number of six bytes.

    >>> milliseconds(b"\x81\x80\x80\x80\x80\x01")
    34359738369
    """
    n = int.from_bytes(said, "little")
    return (
        n & 0x7F
        | n >> 1 & 0x3F80
        | n >> 2 & 0x1F_C000
        | n >> 3 & 0xFE0_0000
        | n >> 4 & 0x7_F000_0000
        | n >> 5 & 0x3F8_0000_0000
    )


def places_in(payload: bytes) -> list[Place] | None:
    """Where times, the number and the values stand; None where anything else does.

    >>> places_in(bytes.fromhex("08818080808001 18 07"))
    [Place(at=1, size=6, what='T'), Place(at=8, size=1, what='s')]
    """
    found: list[Place] = []
    at = 0
    try:
        while at < len(payload):
            tag = payload[at]
            at += 1
            if tag == _TIMESTAMP:
                found.append(Place(at, _SIX, "T"))
                at += _sized(payload, at, _SIX)
            elif tag == _SEQ:
                size = 1 if payload[at] < 128 else 2
                found.append(Place(at, size, "s"))
                at += _sized(payload, at, size)
            elif tag == _METRIC and payload[at] < 128:
                end = at + 1 + payload[at]
                found += _in_metric(payload, at + 1, end)
                at = end
            else:
                return None
    except (IndexError, _Unusual):
        return None
    usual = at == len(payload) and [one.what for one in found if one.what in "Ts"] in (["T", "s"], ["s", "T"])
    return found if usual else None


class _Unusual(Exception):
    """Something else stands there."""


def _in_metric(payload: bytes, at: int, end: int) -> list[Place]:
    found: list[Place] = []
    while at < end:
        tag = payload[at]
        at += 1
        if tag == _OF_METRIC:
            found.append(Place(at, _SIX, "t"))
            at += _sized(payload, at, _SIX)
        elif tag == _ALIAS:
            while payload[at] >= 128:
                at += 1
            at += 1
        elif tag in (_FLOAT, _DOUBLE):
            size, what = (4, "f") if tag == _FLOAT else (8, "d")
            found.append(Place(at, size, what))
            at += size
        else:
            raise _Unusual
    if at != end or [one.what for one in found] not in (["t", "f"], ["t", "d"], ["f", "t"], ["d", "t"]):
        raise _Unusual
    return found


def _sized(payload: bytes, at: int, size: int) -> int:
    """That a number takes so many bytes there."""
    if any((payload[at + n] >= 128) != (n < size - 1) for n in range(size)):
        raise _Unusual
    return size


def _pick(places: list[int]) -> _Pick:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda found: [found[place] for place in places]

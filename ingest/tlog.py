"""A telemetry log (``.tlog``) of a ground station: each frame behind the time at which it was heard.

Eight bytes, big-endian, of microseconds since 1970, then one frame of MAVLink 1 or 2. Source: the ground stations that write it
(QGroundControl, "MAVLink Log Format"; Mission Planner, "Telemetry Logs").
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

_TIME_BYTES: Final = 8
_LONGEST: Final = _TIME_BYTES + 280
_CHUNK: Final = 1 << 18
_FIRST_US, _LAST_US = 10**15, 4 * 10**15
"""Of 2001 to 2096: what reads as another time is none."""
_V1, _V2 = 0xFE, 0xFD


def logged(file: BinaryIO) -> Iterator[tuple[int, bytes, int]]:
    """Receipt, frame, and the bytes of the file up to its end. What is no entry is passed over, up to the next that is one."""
    data, at, done, ended = b"", 0, 0, False
    while True:
        if not ended and len(data) - at < _LONGEST:
            chunk = file.read(_CHUNK)
            done += at
            data, at, ended = data[at:] + chunk, 0, not chunk
        if len(data) - at <= _TIME_BYTES + 2:
            return
        size = _frame_bytes(data, at + _TIME_BYTES)
        received_us = int.from_bytes(data[at : at + _TIME_BYTES], "big")
        if not size or not _FIRST_US <= received_us < _LAST_US or at + _TIME_BYTES + size > len(data):
            at += 1
            continue
        end = at + _TIME_BYTES + size
        yield received_us, data[at + _TIME_BYTES : end], done + end
        at = end


def _frame_bytes(data: bytes, at: int) -> int:
    """How long the frame is that begins here; 0: none does."""
    if data[at] == _V1:
        return data[at + 1] + 8
    if data[at] == _V2 and data[at + 2] <= 1:
        return data[at + 1] + (25 if data[at + 2] else 12)
    return 0

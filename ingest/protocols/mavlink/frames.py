"""Bytes → frames of MAVLink 1 and 2, however they were cut into payloads.

What the frames are depends on the bytes alone, never on where a payload ends: a frame counts if its checksum is right, and what
is of none is passed over byte by byte, so that a broken frame hides none behind or inside it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ingest.protocols.mavlink.dialect import EXTRA, checksum

V1: Final = 0xFE
V2: Final = 0xFD
SIGNED: Final = 1
_FIRST_OF_NOBODY: Final = 65_536
"""No dialect has numbers from here on; and no frame has a flag of compatibility so far."""
MOST_REST: Final = 290
"""So many bytes wait at the most: a frame of version 2 with its signature, and the head of the one behind it."""


class Frame(NamedTuple):
    """One frame whose checksum is right, or of a message that nobody here knows (then ``payload`` is None)."""

    seq: int
    system: int
    component: int
    number: int
    """Of the message."""
    payload: bytes | None
    sum: bytes
    """Its checksum, two bytes: with the seq it tells one frame from another."""


class Found(NamedTuple):
    """What bytes hold."""

    frames: list[Frame]
    rest: bytes
    """What may be the beginning of a frame."""
    unreadable: list[tuple[int, int, bool]]
    """Runs of bytes that are of no frame: from, to, and whether a checksum was wrong there."""


def frames(data: bytes) -> Found:
    """Take bytes apart. Nothing is raised, whatever they are.

    :param data: what was left over, and what has come since.
    """
    found: list[Frame] = []
    runs: list[tuple[int, int, bool]] = []
    at, end, begun, wrong = 0, len(data), -1, False
    while at < end:
        magic = data[at]
        if magic == V2:
            if end - at < 3:
                break
            length, flags = data[at + 1], data[at + 2]
            size = length + (12 if not flags else 25)
            head, believable = 10, flags <= SIGNED
        elif magic == V1:
            if end - at < 2:
                break
            size, head, believable = data[at + 1] + 8, 6, True
        else:
            if begun < 0:
                begun = at
            at = _next(data, at)
            continue
        if believable:
            after = at + size
            if after > end:
                break
            if head == 10:
                number = data[at + 7] | data[at + 8] << 8 | data[at + 9] << 16
                body = at + 10 + length
            else:
                number = data[at + 5]
                body = after - 2
            extra = EXTRA.get(number)
            if extra is not None:
                tail = data[body : body + 2]
                if checksum(extra, checksum(data[at + 1 : body])) == tail[0] | tail[1] << 8:
                    if begun >= 0:
                        runs.append((begun, at, wrong))
                        begun, wrong = -1, False
                    if head == 10:
                        found.append(
                            Frame(data[at + 4], data[at + 5], data[at + 6], number, data[at + 10 : body], tail)
                        )
                    else:
                        found.append(Frame(data[at + 2], data[at + 3], data[at + 4], number, data[at + 6 : body], tail))
                    at = after
                    continue
                wrong = True
            else:
                # Nobody can check it: it is believed where another frame begins behind it, and waits for that.
                ids = at + (4 if head == 10 else 2)
                strange = number >= _FIRST_OF_NOBODY or (head == 10 and data[at + 3])
                follows = False if strange else _follows(data, after, data[ids + 1 : ids + 3])
                if follows is None:
                    break
                if follows:
                    if begun >= 0:
                        runs.append((begun, at, wrong))
                        begun, wrong = -1, False
                    found.append(Frame(data[ids], data[ids + 1], data[ids + 2], number, None, data[body : body + 2]))
                    at = after
                    continue
        if begun < 0:
            begun = at
        at += 1
    if begun >= 0:
        runs.append((begun, min(at, end), wrong))
    return Found(found, data[at:], runs)


def _follows(data: bytes, at: int, sender: bytes) -> bool | None:
    """Whether the head of another frame stands here: of the same sender, or of a message that is known; None: it is cut off."""
    head = data[at : at + 10]
    if not head:
        return None
    if head[0] == V2:
        if len(head) < 10:
            return None
        return head[2] <= SIGNED and (head[5:7] == sender or head[7] | head[8] << 8 | head[9] << 16 in EXTRA)
    if head[0] == V1:
        return head[3:5] == sender if len(head) >= 5 else None
    return False


def _next(data: bytes, at: int) -> int:
    """Where a frame may begin next."""
    first, second = data.find(V2, at), data.find(V1, at)
    if first < 0 or 0 <= second < first:
        first = second
    return len(data) if first < 0 else first

"""The hash tree of RFC 6962: its root, the path that proves a leaf, and the check of such a path. Pure.

Leaves come in as hashes already: a leaf's own ``0x00`` is part of its layout (:mod:`telemetry.seals.leaves`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

EMPTY: Final = hashlib.sha256(b"").digest()
"""The root of no leaves."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf's content."""
    return hashlib.sha256(b"\x00" + data).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes.

    >>> root([]).hex()[:16]
    'e3b0c44298fc1c14'
    """
    return EMPTY if not hashes else _levels(hashes)[-1][0]


def path(hashes: Sequence[bytes], place: int) -> list[bytes]:
    """What proves that the leaf at a place is in the tree: the neighbours on the way to the root, lowest first.

    :raises IndexError: there is no such leaf.
    """
    if not 0 <= place < len(hashes):
        raise IndexError(f"there is no leaf {place} among {len(hashes)}")
    return _path(_levels(hashes)[:-1], place)


def paths(hashes: Sequence[bytes], places: Sequence[int]) -> list[list[bytes]]:
    """The paths of several leaves of one tree, which is built once."""
    levels = _levels(hashes)[:-1] if hashes else []
    return [_path(levels, place) for place in places]


def _path(levels: Sequence[Sequence[bytes]], place: int) -> list[bytes]:
    found = []
    for level in levels:
        neighbour = place ^ 1
        if neighbour < len(level):
            found.append(level[neighbour])
        place //= 2
    return found


def proves(leaf: bytes, place: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    """Whether a path proves that the leaf hash stands at a place in the tree of so many leaves with the root ``expected``."""
    if not 0 <= place < size:
        return False
    node, last, given = leaf, size - 1, iter(proof)
    while last:
        if place & 1 or place != last:
            other = next(given, None)
            if other is None:
                return False
            node = _node(other, node) if place & 1 else _node(node, other)
        place //= 2
        last //= 2
    return next(given, None) is None and node == expected


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _levels(hashes: Sequence[bytes]) -> list[Sequence[bytes]]:
    """From the leaves up to the root. One that stands alone at the end goes up as it is: that is RFC 6962's tree, in which the
    left part of every node is the largest power of two."""
    levels: list[Sequence[bytes]] = [hashes]
    while len(levels[-1]) > 1:
        below = levels[-1]
        above = [_node(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)]
        if len(below) % 2:
            above.append(below[-1])
        levels.append(above)
    return levels

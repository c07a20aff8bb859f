"""The hash tree of RFC 6962: its root, the path that proves a leaf, and the check of such a path. Pure.

Leaves come in as hashes already: a leaf's own ``0x00`` is part of its layout (:mod:`telemetry.seals.leaves`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

EMPTY: Final = hashlib.sha256(b"").digest()
"""The root of no leaves."""


class Tree:
    """A root that grows leaf by leaf: of what came before, the roots of its largest whole parts are held."""

    def __init__(self) -> None:
        self.size = 0
        self._parts: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """One more leaf hash."""
        node, size = leaf, self.size
        while size & 1:
            node, size = _node(self._parts.pop(), node), size >> 1
        self._parts.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root over all that came."""
        if not self._parts:
            return EMPTY
        *before, node = self._parts
        for part in reversed(before):
            node = _node(part, node)
        return node


def root(hashes: Iterable[bytes]) -> bytes:
    """The root over leaf hashes.

    >>> root([]).hex()[:16]
    'e3b0c44298fc1c14'
    """
    tree = Tree()
    for one in hashes:
        tree.add(one)
    return tree.root()


def paths(hashes: Sequence[bytes], places: Sequence[int]) -> list[list[bytes]]:
    """What proves that the leaves at some places are in the tree: of each the neighbours on the way to the root, lowest first.

    :raises IndexError: there is no such leaf.
    """
    for place in places:
        if not 0 <= place < len(hashes):
            raise IndexError(f"there is no leaf {place} among {len(hashes)}")
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

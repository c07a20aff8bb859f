"""The hash tree, against the published roots and an independent reading of RFC 6962."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.seals import merkle

# The leaves of the Certificate Transparency test data.
CT = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def test_the_root_of_the_published_leaves() -> None:
    root = merkle.root([leaf_hash(leaf) for leaf in CT])
    assert root.hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_the_root_of_nothing() -> None:
    assert merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def spelt_out(hashes: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word by word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return hashlib.sha256(b"\x01" + spelt_out(hashes[:k]) + spelt_out(hashes[k:])).digest()


def spelt_out_path(place: int, hashes: list[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1, word by word."""
    if len(hashes) <= 1:
        return []
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    if place < k:
        return [*spelt_out_path(place, hashes[:k]), spelt_out(hashes[k:])]
    return [*spelt_out_path(place - k, hashes[k:]), spelt_out(hashes[:k])]


def root_by_path(leaf: bytes, place: int, size: int, path: list[bytes]) -> bytes | None:
    """The verification of RFC 9162, 2.1.3.2, on its own."""
    if place >= size:
        return None
    fn, sn, r = place, size - 1, leaf
    for p in path:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            r = hashlib.sha256(b"\x01" + p + r).digest()
            if not fn & 1:
                while fn and not fn & 1:
                    fn >>= 1
                    sn >>= 1
        else:
            r = hashlib.sha256(b"\x01" + r + p).digest()
        fn >>= 1
        sn >>= 1
    return r if sn == 0 else None


SIZES = st.integers(1, 70)


@given(SIZES, st.data())
def test_root_and_paths_are_those_of_the_standard(size: int, data: st.DataObject) -> None:
    hashes = [leaf_hash(bytes([number])) for number in range(size)]
    place = data.draw(st.integers(0, size - 1))
    root, path = merkle.root(hashes), merkle.paths(hashes, [place])[0]
    assert root == spelt_out(hashes)
    assert path == spelt_out_path(place, hashes)
    assert root_by_path(hashes[place], place, size, path) == root
    assert merkle.proves(hashes[place], place, size, path, root)


def test_a_place_that_is_not_there_has_no_path() -> None:
    for place in (-1, 3):
        with pytest.raises(IndexError, match="among 3"):
            merkle.paths([leaf_hash(b"")] * 3, [place])


@given(SIZES, st.data())
def test_a_path_proves_nothing_else(size: int, data: st.DataObject) -> None:
    hashes = [leaf_hash(bytes([number])) for number in range(size)]
    place, other = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    root, path = merkle.root(hashes), merkle.paths(hashes, [place])[0]
    if other != place:
        assert not merkle.proves(hashes[place], other, size, path, root)
    assert not merkle.proves(leaf_hash(b"another"), place, size, path, root)
    assert not merkle.proves(hashes[place], place, size, [*path, hashes[0]], root)
    if path:
        assert not merkle.proves(hashes[place], place, size, path[:-1], root)
        assert not merkle.proves(hashes[place], place, size, [*path[:-1], bytes(32)], root)

"""What stays as it was between messages: compared in one go, and neither read nor proven again.

Of a state most bytes are those of the state before: nodes, actions, errors, names. They are cut out where they stand byte for
byte as they stood in a message that was read whole, and the rest is read: it is a message itself, with fewer members. Where it
is of one shape with the rest of that message, so are the two as a whole (``shape.py``), and what follows from the bytes that are
the same is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from operator import itemgetter
from typing import Any, Final, NamedTuple

import msgspec

from ingest.protocols.vda5050.shape import DIGITS, Shape, Values

MOVING: Final = frozenset(
    {
        "headerId", "timestamp", "distanceSinceLastNode", "agvPosition", "mobileRobotPosition", "velocity", "batteryState",
        "powerSupply",
    }
)  # fmt: skip
"""What changes from message to message."""
_SEAM: Final = b"\r"
"""Stands where something was cut out, and nowhere else: so a rest tells where its seams are. JSON passes over it."""
_SHORTEST: Final = 64
"""What is shorter is not worth a cut."""
_MARK: Final = 16
_MOST_RESTS: Final = 64
_MOST_CUTS: Final = 64
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


Cut = tuple[Callable[[bytes], Any], Callable[[bytes], tuple[bytes, ...]]]
"""Takes out of a message what is cut out, and what is left."""


class Rest(NamedTuple):
    """How what is left of a message is read; a whole message likewise."""

    shape: Shape
    read: Callable[[bytes], Any]
    numbers: Values
    parts: int
    """So many of the numbers, the last ones, are no values, but parts of the velocity."""
    speeds: int
    """How many channels take the speed."""
    compared: tuple[Any, ...]
    """What must stand in it so that nothing follows."""
    states: tuple[tuple[int, Mapping[Any, float]], ...]
    """The place of each of its states among the values, and its codes."""
    tail: list[float]
    """The values after the numbers: states, of which those that are read are entered, and what is counted."""
    converted: tuple[tuple[int, float, float], ...]
    """Place among the values, scale and offset of those that do not stand for themselves."""
    channels: tuple[int, ...]
    """Of the numbers and of these, then of the speed, if it is told."""
    plainly: Callable[[Any], list[float] | None] | None
    """Takes the values where that is simple (``taking.py``)."""


class Member(NamedTuple):
    """Where a member of a message stands: its key, and the end of its value."""

    name: str
    at: int
    end: int


class Piece(NamedTuple):
    """What is cut out, and where it stood."""

    at: int
    text: bytes


class Layout:
    """Where messages are cut, and how their rests are read."""

    __slots__ = ("_cuts", "_last", "_last_bare", "_pieces", "_rests", "_texts", "fixed")

    def __init__(self, payload: bytes, members: list[Member], moving: Set[str]) -> None:
        """
        :param members: those of the payload.
        :param moving: names of members that are not cut out.
        """
        pieces = pieces_of(payload, members, moving)
        self.fixed = {
            one.name: payload[one.at : one.end]
            for one in members
            if any(piece.at <= one.at < piece.at + len(piece.text) for piece in pieces)
        }
        """The members that are cut out, as they are written."""
        self._pieces = [piece.text for piece in pieces]
        self._cuts: dict[int, Cut] = {}
        """By the length of messages: those of one length mostly have the same places."""
        self._texts: Any = tuple(self._pieces) if len(pieces) != 1 else self._pieces[0]
        self._rests: dict[bytes, Rest] = {}
        self._last_bare = b""
        self._last: Rest | None = None

    def rest(self, payload: bytes) -> bytes | None:
        """What is left of a message; None if it has not all that is to be cut out."""
        cut = self._cut(payload)
        return None if cut is None else _SEAM.join(cut[1](payload))

    def _cut(self, payload: bytes) -> Cut | None:
        """Find out where a message is to be cut."""
        out, left = [], []
        begin = 0
        for text in self._pieces:
            at = payload.find(text[:_MARK], begin)
            if at < 0 or not payload.startswith(text, at):
                return None
            left.append(slice(begin, at))
            begin = at + len(text)
            out.append(slice(at, begin))
        if not out:
            return None
        if len(self._cuts) >= _MOST_CUTS:
            self._cuts.clear()
        cut = itemgetter(*out), itemgetter(*left, slice(begin, None))
        self._cuts[len(payload)] = cut
        return cut

    def read(self, payload: bytes) -> tuple[Rest, Any] | None:
        """How a message is read, and what was; None if it is none of these."""
        cut = self._cuts.get(len(payload))
        if cut is None or cut[0](payload) != self._texts:
            cut = self._cut(payload)
            if cut is None:
                return None
        rest = _SEAM.join(cut[1](payload))
        bare = rest.translate(None, DIGITS)
        known = self._last
        if bare != self._last_bare:
            known = self._rests.get(bare)
            self._last_bare, self._last = bare, known
        if known is None:
            return None
        try:
            return known, known.read(rest)
        except msgspec.MsgspecError:
            return None

    def add(self, payload: bytes, known: Rest) -> None:
        """Have messages read of which the rest is of one shape with a message's.

        :param payload: one from which all is cut out.
        """
        rest = self.rest(payload)
        if rest is not None:
            if len(self._rests) >= _MOST_RESTS:
                self._rests.clear()
            self._last_bare = rest.translate(None, DIGITS)
            self._last = self._rests[self._last_bare] = known


def members_of(payload: bytes) -> list[Member] | None:
    """The members of a message that repeats none and has no escapes; None where a seam could not be told."""
    if _SEAM in payload:
        return None
    found = []
    at = 0
    for name, raw in _MEMBERS.decode(payload).items():
        key, value = b'"%s"' % name.encode(), bytes(raw)
        begin = payload.index(b'"', at)
        colon = payload.index(b":", begin + len(key))
        end = payload.index(value, colon + 1) + len(value)
        if not payload.startswith(key, begin) or payload[begin + len(key) : end - len(value)].strip() != b":":
            return None
        found.append(Member(name, begin, end))
        at = end
    return found


def pieces_of(payload: bytes, members: list[Member], moving: Set[str]) -> list[Piece]:
    """What is cut out: runs of members, each with the comma that parts it from what is left.

    >>> nodes = b'"nodeStates": [{"nodeId": "n1", "sequenceId": 2, "released": true}], "errors": []'
    >>> said = b'{"a": 1, %s, "b": 2, "c": 3}' % nodes
    >>> [piece.text == nodes + b", " for piece in pieces_of(said, members_of(said), {"a", "b", "c"})]
    [True]
    >>> said = b'{"a": 1, %s}' % nodes
    >>> [piece.text == b", " + nodes for piece in pieces_of(said, members_of(said), {"a"})]
    [True]
    """
    found = []
    first = 0
    while first < len(members):
        after = first
        while after < len(members) and members[after].name not in moving:
            after += 1
        if after > first:
            if after < len(members):
                begin, end = members[first].at, members[after].at
            else:
                begin, end = members[first - 1].end if first else members[first].at, members[-1].end
            text = payload[begin:end]
            if len(text) >= _SHORTEST:
                found.append(Piece(begin, text))
        first = after + 1
    return found

"""Keys that stand twice in one JSON object: JSON readers keep one of the values and do not tell."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

BLANKS: Final = b" \t\r\n"
_READINGS: Final = "values"
_OBJECTS: Final = frozenset({dict})
_CONTAINERS: Final = frozenset({dict, list})


class Repeated:
    """An object in which a key stands more than once, so that nobody knows which value is meant."""

    __slots__ = ("names", "pairs")

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs
        self.names = [name for name, times in Counter(name for name, _ in pairs).items() if times > 1]
        """The keys that stand more than once."""

    def told(self) -> str:
        """What is wrong with it, for the sender."""
        return f"{{…}}: {','.join(self.names)} 2+"


def sure(piece: Any) -> Any:
    """The piece of a document, of a :class:`Repeated` the part that nobody doubts."""
    if type(piece) is Repeated:
        doubted = frozenset(piece.names)
        return {name: value for name, value in piece.pairs if name not in doubted}
    return piece


def repeats_nothing(payload: bytes, found: Any) -> bool:
    """Whether it is sure that no object of a payload repeats a key. It costs little for what devices send.

    Each key is followed by a colon, in the payload that is, where repeated keys are all there. So if the colons are as many as
    the document's keys, no key is repeated; or, since texts hold some too, if those right behind a quotation mark are, once
    blanks are taken away.

    :param found: the document, as a reader understood it that keeps one value of a repeated key.
    """
    usual = _keys_of_list(found) if type(found) is list else 0
    if payload.count(b":") == usual:
        return True
    at_most = payload.translate(None, BLANKS).count(b'":')
    return at_most == usual or at_most == _keys(found)


def _keys_of_list(found: list[Any]) -> int:
    """How many keys a list of messages of the native form has; of any other, some of them."""
    try:
        holders = [element[_READINGS] for element in found]
    except (TypeError, KeyError):
        return 0
    return sum(map(len, found)) + sum(map(len, holders)) if _OBJECTS.issuperset(map(type, holders)) else 0


def _keys(found: Any) -> int:
    """The keys of a document."""
    n = 0
    pending = [found]
    while pending:
        piece = pending.pop()
        if type(piece) is dict:
            n += len(piece)
            pending.extend([value for value in piece.values() if type(value) in _CONTAINERS])
        elif type(piece) is list:
            pending.extend([value for value in piece if type(value) in _CONTAINERS])
    return n

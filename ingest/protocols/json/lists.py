"""Lists inside a message, brought into the form of one object a message: pieces of their own, and values beside their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ingest import reasons
from ingest.protocols.json import document
from ingest.protocols.json.options import Named, Options
from ingest.protocols.json.paths import ABSENT, Getter, getter
from ingest.protocols.json.repeated import Repeated, sure
from ingest.reasons import Refused

NAMED = "named"
"""Under this name a piece holds the values that stood in a list."""

Unwrap = Callable[[Any], Any]


def unwrapping(options: Options) -> Unwrap | None:
    """What brings a message into that form; None where it needs none.

    The function raises :class:`Refused`, and nothing else.
    """
    split = None if options.pieces is None else _splitting(options.pieces)
    gather = None if options.named is None else _gathering(options.named)
    if split is None or gather is None:
        return split or gather

    def both(found: Any) -> Any:
        return [gather(piece) for piece in split(found)]

    return both


def _splitting(path: str) -> Unwrap:
    find = getter(path)

    def split(found: Any) -> list[Any]:
        pieces: list[Any] = []
        for element in found if type(found) is list else [found]:
            held = find(sure(element))
            if type(held) is not list:
                raise Refused(reasons.BAD_SHAPE, f"{path} != […]")
            beside = {key: value for key, value in sure(element).items() if value is not held}
            # A piece's own word goes before what stands beside the list.
            pieces += [{**beside, **piece} if type(piece) is dict else piece for piece in held]
        return pieces

    return split


def _gathering(options: Named) -> Unwrap:
    find, name_at, value_at = getter(options.path), getter(options.name), getter(options.value)

    def gather(found: Any) -> Any:
        if type(found) is list and options.path:
            return [_gathered(one, find, name_at, value_at, options) for one in found]
        return _gathered(found, find, name_at, value_at, options)

    return gather


def _gathered(found: Any, find: Getter, name_at: Getter, value_at: Getter, options: Named) -> Any:
    held = find(found)
    if type(held) is not list:
        raise Refused(reasons.BAD_SHAPE, f"{options.path or 'message'} != […]")
    pairs: list[tuple[str, Any]] = []
    for piece in held:
        name, value = name_at(piece), value_at(piece)
        if type(name) is str and value is not ABSENT:
            pairs.append((name, value))
        elif type(piece) is Repeated:
            raise Refused(reasons.REPEATED_KEY, piece.told())
    values = dict(pairs)
    if len(values) < len(pairs):
        # The same name twice: nobody knows which value is meant.
        raise Refused(reasons.REPEATED_KEY, document.shown(Repeated(pairs).names))
    beside = {key: value for key, value in found.items() if value is not held} if type(found) is dict else {}
    return {**beside, NAMED: values}

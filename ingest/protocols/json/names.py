"""What a message has to offer, before there is a plan: the paths of its values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ingest.protocols.json import document
from ingest.protocols.json.repeated import sure

_DEEPEST: Final = 12


def names(payload: bytes) -> Iterator[tuple[str, str, str]]:
    """Path, value and unit (which JSON has none of) of every value in a message.

    :raises Refused: it is no JSON.
    """
    return offered(document.read(payload))


def offered(found: Any) -> Iterator[tuple[str, str, str]]:
    """The same of a document."""
    yield from _below(found, "", 0)


def _below(found: Any, path: str, depth: int) -> Iterator[tuple[str, str, str]]:
    known = sure(found)
    if type(known) is dict and depth < _DEEPEST:
        for name, value in known.items():
            yield from _below(value, f"{path}.{name}" if path else str(name), depth + 1)
    elif type(known) is list and depth < _DEEPEST:
        for place, value in enumerate(known):
            yield from _below(value, f"{path}.{place}" if path else str(place), depth + 1)
    else:
        yield path, document.shown(known), ""

"""Paths into a JSON document: names joined by dots, numbers for places in a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ingest.protocols.json.repeated import Repeated

_MOST_DOTTED: Final = 64
"""Below so many levels a key with dots is looked for."""


class _Absent:
    """What a path yields where nothing stands. JSON's null is a value."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()

Getter = Callable[[Any], Any]


def getter(path: str) -> Getter:
    """A function that finds what ``path`` names in a document, or ABSENT. The empty path is the document itself.

    At each level a key that holds the dots itself is found first. A path that comes upon an object with a repeated key ends
    there and yields that object.

    >>> getter("air.pm25")({"air": {"pm25": 3}})
    3
    >>> getter("air.pm25")({"air.pm25": 4})
    4
    >>> getter("PMS5003.PM2.5")({"PMS5003": {"PM2": 0, "PM2.5": 9}})
    9
    >>> getter("list.1")({"list": [5, 6]})
    6
    >>> getter("air.pm10")({"air": {"pm25": 3}})
    ABSENT
    """
    if not path:
        return lambda document: document
    names = path.split(".")
    steps = tuple((name, ".".join(names[place:]) if place < _MOST_DOTTED else name) for place, name in enumerate(names))

    def whole(document: Any) -> Any:
        if type(document) is dict:
            return document.get(path, ABSENT)
        return document if type(document) is Repeated else ABSENT

    def stepwise(document: Any) -> Any:
        for step, rest in steps:
            if type(document) is dict:
                if rest in document:
                    return document[rest]
                document = document.get(step, ABSENT)
            elif type(document) is list and step.isascii() and step.isdigit() and len(step) < 9:
                place = int(step)
                document = document[place] if place < len(document) else ABSENT
            else:
                return document if type(document) is Repeated else ABSENT
        return document

    return whole if len(steps) == 1 else stepwise

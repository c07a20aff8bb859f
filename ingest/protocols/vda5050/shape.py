"""What messages of one shape hold, worked out once: which values stand where, and how each is taken.

Two messages are of one shape if they are the same once digits, points and signs are taken away. Of the first one it is known that
it repeats no key, that its texts are texts, and which values it has; so it is of all others, of which only these values are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Annotated, Any, Final, NamedTuple

import msgspec

from ingest.protocols.json.paths import ABSENT
from ingest.protocols.vda5050 import fields
from ingest.protocols.vda5050.order import LARGEST
from ingest.protocols.vda5050.scope import Scope

DIGITS: Final = b"0123456789.-+"
"""What is taken away."""
_TEXTS: Final = re.compile(rb'"([^"]*)"\s*(:?)')
_NEITHER: Final = re.compile(rb"[0-9.+\-]")
_COMPARED: Final = (
    "orderId", "orderUpdateId", "operatingMode", "lastNodeId", "lastNodeSequenceId", "nodeStates", "edgeStates", "actionStates",
    "instantActionStates", "errors", "loads",
)  # fmt: skip
"""What a robot's order and errors, and what is counted of them, are made of."""
_PLACE: Final = ("x", "y", "localized", "map")
_HEADER: Final = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]
_ZONED: Final = Annotated[datetime, msgspec.Meta(tz=True)]
WHOLE: Final = 2**53
"""Below it each integer is a number of its own."""
_INTEGER: Final = Annotated[int, msgspec.Meta(gt=-WHOLE, lt=WHOLE)]
_NUMBER: Final = Annotated[float, msgspec.Meta(gt=-float(WHOLE), lt=float(WHOLE))]
_TYPES: Final[Mapping[str, Any]] = {"number": _NUMBER, "flag": bool, "text": str}
_WHOLE: Final = frozenset({"orderUpdateId", "lastNodeSequenceId"})
Values = Callable[[Any], tuple[Any, ...]]
Typed = tuple[tuple[str, Any], ...]


class Way(NamedTuple):
    """How one value is taken for one channel."""

    channel_id: int
    scale: float | None
    """None: it stands for itself."""
    offset: float
    codes: Mapping[Any, float] | None
    """Of a state."""


class Shape(NamedTuple):
    """How messages of one shape are read."""

    read: Callable[[bytes], Any]
    numbers: Values
    converted: tuple[tuple[int, float, float], ...]
    """Place, scale and offset of those that do not stand for themselves."""
    states: Values
    codes: tuple[Mapping[Any, float], ...]
    channels: tuple[int, ...]
    """Of the numbers, then of the states."""
    names: tuple[str, ...]
    """Of what is compared."""
    compared: Values
    place: Values
    parts: int
    """So many of the numbers, the last ones, are no values, but parts of the velocity."""
    form: int
    """By which version's names it is written."""
    read_from: frozenset[str]
    """Members of the message in which numbers and places stand."""
    states_at: tuple[str, ...]
    """Where each of the states stands."""
    top: Typed
    inner: tuple[tuple[str, Typed], ...]
    """What is read, and what within what."""

    def without(self, gone: Container[str]) -> Shape:
        """The shape of what is left of such a message without some of its members, none of which holds a number."""
        names = tuple(name for name in self.names if name not in gone)
        states = tuple(path for path in self.states_at if path.split(".")[0] not in gone)
        top = tuple(one for one in self.top if one[0] not in gone)
        inner = tuple(one for one in self.inner if one[0] not in gone)
        return self._replace(
            read=_reader(top, inner), states=_getter(states), states_at=states, names=names, compared=_getter(names),
            top=top, inner=inner,
        )  # fmt: skip


def shape(scope: Scope, document: Mapping[str, Any], form: int, *, state: bool) -> Shape | None:
    """The shape of a message; None where its values need a closer look."""
    needed = _Needed()
    ways: list[tuple[str, Way]] = []
    for field in scope.direct:
        path = field.path(form)
        if path is None or not (state or field.visualized) or fields.found(document, path) is ABSENT:
            continue
        found = ways_of(scope, field)
        if found is None:
            return None
        ways += [(needed.value(field, path), way) for way in found]
    wanted = _COMPARED if state and (scope.told or scope.counted) else ()
    compared = [name if name in needed.top else needed.raw(name) for name in wanted if name in document]
    velocity = _present(needed, document, form, ("vx", "vy")) if scope.speed else []
    place = _present(needed, document, form, _PLACE) if scope.distance else []
    if scope.distance and len(place) != len(_PLACE):
        return None
    numbers = [(path, way) for path, way in ways if way.codes is None]
    states = [(path, way) for path, way in ways if way.codes is not None]
    top, inner = needed.types()
    return Shape(
        read=_reader(top, inner),
        numbers=_getter([path for path, _ in numbers] + velocity),
        # What is read as an integer becomes a number like all others.
        converted=tuple(
            (place, 1.0 if way.scale is None else way.scale, way.offset)
            for place, (path, way) in enumerate(numbers)
            if way.scale is not None or path in _WHOLE
        ),
        states=_getter([path for path, _ in states]),
        codes=tuple(way.codes for _, way in states if way.codes is not None),
        channels=tuple(way.channel_id for _, way in numbers + states),
        names=tuple(compared),
        compared=_getter(compared),
        place=_getter(place),
        parts=len(velocity),
        form=form,
        read_from=frozenset(path.split(".")[0] for path in [*(path for path, _ in numbers), *place, *velocity]),
        states_at=tuple(path for path, _ in states),
        top=top,
        inner=inner,
    )


def _present(needed: _Needed, document: Mapping[str, Any], form: int, names: Sequence[str]) -> list[str]:
    """Have some values read that are there."""
    found = []
    for name in names:
        field = fields.DIRECT[name]
        path = field.path(form)
        if path is not None and fields.found(document, path) is not ABSENT:
            found.append(needed.value(field, path))
    return found


class _Needed:
    """Which values of a message are to be read, of which type."""

    def __init__(self) -> None:
        self.top: dict[str, Any] = {}
        self._inner: dict[str, dict[str, Any]] = {}

    def value(self, field: fields.Field, path: fields.Path) -> str:
        """Have a value read. :returns: where it will stand."""
        kind = _INTEGER if path[-1] in _WHOLE else _TYPES[field.kind]
        if len(path) == 1:
            self.top[path[0]] = kind
        else:
            self._inner.setdefault(path[0], {})[path[1]] = kind
        return ".".join(path)

    def raw(self, name: str) -> str:
        """Have something read as it is written."""
        self.top[name] = msgspec.Raw
        return name

    def types(self) -> tuple[Typed, tuple[tuple[str, Typed], ...]]:
        """The types of the members, and of what stands within them."""
        return tuple(self.top.items()), tuple((name, tuple(found.items())) for name, found in self._inner.items())


@lru_cache(maxsize=1024)
def _reader(top: Typed, inner: tuple[tuple[str, Typed], ...]) -> Callable[[bytes], Any]:
    """What reads messages with such members. Many robots say the same: they share it."""
    types = [(name, _inner(name, found)) for name, found in inner]
    header = [("headerId", _HEADER), ("timestamp", _ZONED)]
    message = msgspec.defstruct("Message", [*header, *top, *types], gc=False)
    found: Callable[[bytes], Any] = msgspec.json.Decoder(message).decode
    return found


@lru_cache(maxsize=1024)
def _inner(name: str, found: Typed) -> type[msgspec.Struct]:
    return msgspec.defstruct(name, list(found), gc=False)


def _getter(paths: Sequence[str]) -> Values:
    if len(paths) > 1:
        several: Values = attrgetter(*paths)
        return several
    if paths:
        one = attrgetter(paths[0])
        return lambda found: (one(found),)
    return lambda _: ()


def ways_of(scope: Scope, field: fields.Field) -> tuple[Way, ...] | None:
    """How a value is taken; None where it is not simply a number, or a state, of each of its channels."""
    found: list[Way] = []
    for sources in scope.sources:
        for channel in sources.slot.channels:
            if channel.source != field.name:
                continue
            if (channel.states is None) != (field.kind == "number"):
                return None
            if channel.states is not None:
                codes: dict[Any, float] = {said: float(code) for said, code in channel.states.items()}
                if field.kind == "flag":
                    codes = {flag: codes[text] for flag, text in ((True, "true"), (False, "false")) if text in codes}
                found.append(Way(channel.channel_id, None, 0.0, codes))
        numbers = sources.conversions(field.name, field.unit) if field.kind == "number" else []
        if numbers is None:
            return None
        found += [Way(*number, None) for number in numbers]
    return tuple(found)


def is_plain(payload: bytes, document: Mapping[str, Any]) -> bool:
    """Whether a message repeats no key, and none of its keys changes where digits and signs are taken away."""
    if b"\\" in payload:
        return False
    keys = [text for text, colon in _TEXTS.findall(payload) if colon]
    n = 0
    pending: list[Any] = [document]
    while pending:
        piece = pending.pop()
        if type(piece) is dict:
            n += len(piece)
            pending.extend(piece.values())
        elif type(piece) is list:
            pending.extend(piece)
    return len(keys) == n and not any(_NEITHER.search(key) for key in keys)

"""The values of one message, one by one: each is taken, or refused with its reason."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from core.window import instant
from ingest import reasons
from ingest.message import Decoded, Message
from ingest.protocols.json import document
from ingest.protocols.json.paths import ABSENT
from ingest.protocols.vda5050 import fields, seen
from ingest.protocols.vda5050.scope import Scope
from ingest.reasons import Refused

_ERRORS: Final = ("errors", *(f"errors.{level}" for level in ("warning", "urgent", "critical", "fatal")))


def take_all(
    scope: Scope,
    found: Mapping[str, Any],
    form: int,
    at_us: int,
    flags: int,
    message: Message,
    out: Decoded,
    *,
    state: bool,
    metres: float | None,
    progress: float | None,
) -> None:
    """Take what is wanted of a message.

    :param state: whether it is a state; else it is a visualization.
    """
    for field in scope.direct:
        raw = fields.found(found, field.path(form)) if state or field.visualized else ABSENT
        if raw is not ABSENT and field.path(form) is not None:
            _take(scope, field.name, raw, at_us, flags, message, out)
    if state:
        for name, raw in counted(scope, found, progress):
            _take(scope, name, raw, at_us, flags, message, out)
    if scope.speed:
        raw = speed(fields.found(found, ("velocity", "vx")), fields.found(found, ("velocity", "vy")))
        if raw is not ABSENT:
            _take(scope, fields.SPEED, raw, at_us, flags, message, out)
    if metres is not None:
        scope.take(fields.DISTANCE, metres, at_us, flags, message, out)


def _take(scope: Scope, name: str, raw: Any, at_us: int, flags: int, message: Message, out: Decoded) -> None:
    if isinstance(raw, fields.Misplaced):
        raw, why = raw.holder, Refused(reasons.WRONG_TYPE, f"{document.named(raw.holder)}: {{…}}")
    elif isinstance(raw, Unlisted):
        raw, why = raw.listed, raw.why
    else:
        scope.take(name, raw, at_us, flags, message, out)
        return
    scope.refuse(name, instant(at_us).isoformat(), raw, why, message, out)


def speed(vx: Any, vy: Any) -> Any:
    """The speed over ground; what is wrong with it, where one of its parts is no number; ABSENT where none is there."""
    parts = [part for part in (vx, vy) if part is not ABSENT]
    for part in parts:
        if (type(part) is not float and type(part) is not int) or not -1e100 < part < 1e100:
            return part
    return math.hypot(*parts) if parts else ABSENT


class Unlisted(NamedTuple):
    """What stands where a list belongs that is counted, and why it is none."""

    listed: Any
    why: Refused


def counted(scope: Scope, found: Mapping[str, Any], progress: float | None) -> Iterator[tuple[str, Any]]:
    """What is counted from a state's lists; an :class:`Unlisted` where they are none."""
    wanted = scope.counted
    if not wanted:
        return
    made: dict[str, Any] = {}
    if progress is not None:
        made["order.progress"] = progress
    if not {"nodes_left", "actions_left", "order.active"}.isdisjoint(wanted) and "nodeStates" in found:
        made |= _of_order(found)
    if not {"loads", "loads.weight"}.isdisjoint(wanted) and "loads" in found:
        made |= _of_loads(found)
    if any(name.startswith("errors") for name in wanted) and "errors" in found:
        made |= _of_errors(found)
    for name in wanted:
        if name in made:
            yield name, made[name]


def _of_order(found: Mapping[str, Any]) -> dict[str, Any]:
    try:
        order = seen.order_of(found, frozenset())
    except Refused as why:
        return dict.fromkeys(("nodes_left", "actions_left", "order.active"), Unlisted(found.get("nodeStates"), why))
    return {"nodes_left": order.nodes, "actions_left": order.open, "order.active": order.active}


def _of_loads(found: Mapping[str, Any]) -> dict[str, Any]:
    try:
        n, weight = seen.loads_of(found)
    except Refused as why:
        return dict.fromkeys(("loads", "loads.weight"), Unlisted(found.get("loads"), why))
    return {"loads": n} if weight is None else {"loads": n, "loads.weight": weight}


def _of_errors(found: Mapping[str, Any]) -> dict[str, Any]:
    try:
        levels = seen.errors_of(found).levels
    except Refused as why:
        return dict.fromkeys(_ERRORS, Unlisted(found.get("errors"), why))
    return {"errors": sum(levels.values())} | {f"errors.{level.lower()}": n for level, n in levels.items()}

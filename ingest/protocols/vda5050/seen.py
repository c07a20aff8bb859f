"""What one state says of its order, its errors and its loads: checked, counted, bounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from ingest import reasons
from ingest.message import storable
from ingest.protocols.json import document
from ingest.protocols.json.paths import ABSENT
from ingest.protocols.json.repeated import Repeated
from ingest.protocols.vda5050.remembered import digest
from ingest.reasons import Refused

MOST_ELEMENTS: Final = 5_000
"""A list of a message may have so many."""
_LONGEST_ID: Final = 120
_DONE: Final = frozenset({"FINISHED", "FAILED"})
_ONLY_INSTANT: Final = frozenset(
    {
        "cancelOrder", "startPause", "stopPause", "stateRequest", "logReport", "factsheetRequest", "downloadMap", "enableMap",
        "deleteMap", "downloadZoneSet", "enableZoneSet", "deleteZoneSet", "clearInstantActions", "clearZoneActions",
        "startHibernation", "stopHibernation", "shutdown", "updateCertificate", "retry", "skipRetry", "initializePosition",
        "initPosition",
    }
)  # fmt: skip
"""Actions that are no part of an order."""
LISTS: Final = ("nodeStates", "edgeStates", "actionStates", "instantActionStates", "errors", "loads")


class Action(NamedTuple):
    """One action of a robot."""

    id: str
    type: str
    status: str


class Errors(NamedTuple):
    """What a robot complains of."""

    found: tuple[tuple[str, str, str], ...]
    """Key, type and level of each."""
    levels: Mapping[str, int]


class Seen(NamedTuple):
    """The order of one state, and how far it got."""

    order: str
    update: int
    mode: str
    last: int
    """The sequence number of the last node; -1: it was at none."""
    nodes: int
    final: int
    """The largest sequence number of the nodes that are left; -1: none is."""
    edges: int
    open: int
    """Actions that are neither finished nor failed."""
    failed: tuple[str, ...]
    cancels: tuple[str, ...]
    """Ids of cancellations that are under way, or done."""

    @property
    def active(self) -> bool:
        """Whether there is something left to do; a robot is idle otherwise."""
        return bool(self.order and (self.nodes or self.edges or self.open))


def text(raw: Any, what: str) -> str:
    """An id of a robot or its fleet control, short enough to be kept.

    :raises Refused: it is no text.
    """
    if type(raw) is int:
        raw = str(raw) if abs(raw) < 10**40 else f"{raw:x}"
    if raw is None or raw is ABSENT:
        return ""
    if type(raw) is Repeated:
        raise Refused(reasons.REPEATED_KEY, f"{what}: {raw.told()}")
    if type(raw) is not str:
        raise Refused(reasons.WRONG_TYPE, f"{what}={document.named(raw)}: text")
    kept = storable(raw, longest=_LONGEST_ID)
    return kept if kept == raw else f"{kept[: _LONGEST_ID - 24]}~{digest(raw)}"


def elements(found: Mapping[str, Any], name: str) -> list[Any]:
    """A list of a message; empty where there is none.

    :raises Refused: it is none, or too long.
    """
    raw = found.get(name)
    if raw is None:
        return []
    if type(raw) is not list:
        raise Refused(reasons.WRONG_TYPE, f"{name}={document.named(raw)}: [{{…}}, …]")
    if len(raw) > MOST_ELEMENTS:
        raise Refused(reasons.TOO_MANY, f"{name}: {len(raw)} > {MOST_ELEMENTS}")
    return raw


def objects(found: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    """The same, each an object.

    :raises Refused: likewise.
    """
    for place, piece in enumerate(elements(found, name)):
        if type(piece) is Repeated:
            raise Refused(reasons.REPEATED_KEY, f"{name}[{place}]: {piece.told()}")
        if type(piece) is not dict:
            raise Refused(reasons.WRONG_TYPE, f"{name}[{place}]={document.named(piece)}: {{…}}")
        yield piece


def whole(raw: Any, what: str) -> int:
    """A number that counts.

    :raises Refused: it is none.
    """
    if type(raw) is not int or not 0 <= raw < 2**53:
        raise Refused(reasons.WRONG_TYPE, f"{what}={document.named(None if raw is ABSENT else raw)}: 0, 1, …")
    return raw


def actions(found: Mapping[str, Any], name: str) -> list[Action]:
    """The actions of a list.

    :raises Refused: it is none.
    """
    return [
        Action(text(one.get("actionId"), "actionId"), text(one.get("actionType"), "actionType"),
               text(one.get("actionStatus"), "actionStatus"))
        for one in objects(found, name)
    ]  # fmt: skip


def order_of(found: Mapping[str, Any], instant: frozenset[str]) -> Seen:
    """What a state says of its order.

    :param instant: ids of actions that are known to be none of an order's.
    :raises Refused: it cannot be told.
    """
    own = actions(found, "actionStates")
    every = own + actions(found, "instantActionStates")
    of_order = [one for one in own if one.type not in _ONLY_INSTANT and one.id not in instant]
    nodes = [whole(one.get("sequenceId"), "sequenceId") for one in objects(found, "nodeStates")]
    at_node = text(found.get("lastNodeId"), "lastNodeId")
    update = found.get("orderUpdateId", 0)
    return Seen(
        order=text(found.get("orderId"), "orderId"),
        update=whole(0 if update is None else update, "orderUpdateId"),
        mode=text(found.get("operatingMode"), "operatingMode"),
        last=whole(found.get("lastNodeSequenceId", 0), "lastNodeSequenceId") if at_node else -1,
        nodes=len(nodes),
        final=max(nodes, default=-1),
        edges=len(elements(found, "edgeStates")),
        open=sum(1 for one in of_order if one.status not in _DONE),
        failed=tuple(one.type or one.id for one in of_order if one.status == "FAILED")[:8],
        cancels=tuple(
            one.id for one in every if one.type == "cancelOrder" and one.status not in ("FAILED", "WAITING", "")
        )[-16:],
    )


def errors_of(found: Mapping[str, Any]) -> Errors:
    """The errors of a state, each by what makes it that one.

    :raises Refused: they are none.
    """
    told: dict[str, tuple[str, str, str]] = {}
    levels = {"WARNING": 0, "URGENT": 0, "CRITICAL": 0, "FATAL": 0}
    for one in objects(found, "errors"):
        kind, level = text(one.get("errorType"), "errorType"), text(one.get("errorLevel"), "errorLevel")
        key = digest(f"{kind}\n{level}\n{document.shown(one.get('errorReferences'))}")
        told.setdefault(key, (key, kind, level))
        levels[level] = levels.get(level, 0) + 1
    return Errors(tuple(told.values()), levels)


def loads_of(found: Mapping[str, Any]) -> tuple[int, float | None]:
    """How many loads, and what they weigh together, if all of them say so.

    :raises Refused: they are none.
    """
    n, weight = 0, 0.0
    known = True
    for one in objects(found, "loads"):
        raw = one.get("weight")
        n += 1
        if (type(raw) is int or type(raw) is float) and 0 <= raw < 1e12:
            weight += raw
        else:
            known = False
    return n, weight if known else None

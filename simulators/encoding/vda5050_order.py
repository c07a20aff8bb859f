"""A delivery as an order of VDA 5050: from the dock to its destination, where goods are dropped, and back."""

from __future__ import annotations

from typing import Any, Final

_DOCK: Final = "dock"
_THERE, _BACK = 2, 4
"""Sequence numbers: even ones for nodes, odd ones for the edges between them."""


class Order:
    """One order, and how far its robot got with it."""

    def __init__(self, order_id: str, destination: str) -> None:
        self._id = order_id
        self._destination = destination
        self._last = 0
        self._drop = "WAITING"
        self._over = False

    @property
    def active(self) -> bool:
        """Whether something is left to do."""
        return not self._over

    def go_on(self, what: str) -> None:
        """The destination is ``reached``, or the goods are ``handed_over``."""
        if what == "reached":
            self._last, self._drop = _THERE, "RUNNING"
        elif what == "handed_over":
            self._drop = "FINISHED"

    def end(self, *, delivered: bool) -> None:
        """The robot is back, or what is left of the order was taken from it."""
        self._over = True
        if delivered:
            self._last = _BACK
        elif self._drop != "FINISHED":
            self._drop = "FAILED"

    def given(self) -> dict[str, Any]:
        """The order as fleet control gives it."""
        nodes = [
            {"nodeId": name, "sequenceId": at, "released": True, "actions": self._actions(at)}
            for at, name in self._nodes()
        ]
        edges = [
            {**self._edge(at), "startNodeId": start, "endNodeId": end, "actions": []}
            for at, start, end in ((1, _DOCK, self._destination), (3, self._destination, _DOCK))
        ]
        return {"orderId": self._id, "orderUpdateId": 0, "nodes": nodes, "edges": edges}

    def state(self) -> dict[str, Any]:
        """What a state tells of it."""
        left = [] if self._over else [(at, name) for at, name in self._nodes() if at > self._last]
        return {
            "orderId": self._id,
            "orderUpdateId": 0,
            "lastNodeId": self._destination if self._last == _THERE else _DOCK,
            "lastNodeSequenceId": self._last,
            "nodeStates": [{"nodeId": name, "sequenceId": at, "released": True} for at, name in left],
            "edgeStates": [self._edge(at - 1) for at, _ in left],
            "actionStates": [{"actionId": self._drop_id, "actionType": "drop", "actionStatus": self._drop}],
        }

    @staticmethod
    def none() -> dict[str, Any]:
        """What a state tells while there was no order yet."""
        return {
            "orderId": "", "orderUpdateId": 0, "lastNodeId": _DOCK, "lastNodeSequenceId": 0, "nodeStates": [],
            "edgeStates": [], "actionStates": [],
        }  # fmt: skip

    @property
    def _drop_id(self) -> str:
        return f"{self._id}-drop"

    def _nodes(self) -> list[tuple[int, str]]:
        return [(0, _DOCK), (_THERE, self._destination), (_BACK, _DOCK)]

    def _actions(self, at: int) -> list[dict[str, Any]]:
        if at != _THERE:
            return []
        return [{"actionId": self._drop_id, "actionType": "drop", "blockingType": "HARD", "actionParameters": []}]

    def _edge(self, at: int) -> dict[str, Any]:
        return {"edgeId": f"{self._id}-{at}", "sequenceId": at, "released": True}

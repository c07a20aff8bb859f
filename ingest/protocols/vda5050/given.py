"""What fleet control tells a robot, if we hear it: its order, and what it is to do at once."""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace

from ingest import reasons
from ingest.message import Decoded, Message
from ingest.protocols.json import document
from ingest.protocols.vda5050 import seen
from ingest.protocols.vda5050.remembered import MOST_ACTIONS, Count, Instant, Ordered, Told
from ingest.protocols.vda5050.robot import Robot
from ingest.reasons import Refused

_MOST_KEPT: Final = 200


class Given:
    """Remembers it for the robot's next states."""

    def __init__(self, robot: Robot, message: Message, out: Decoded) -> None:
        self._robot = robot
        self._message = message
        self._out = out
        self._id = robot.binding.connection_id

    def take(self, found: dict[str, Any], what: str) -> None:
        """One order, or some actions."""
        try:
            if what == "order":
                self._order(found)
            else:
                self._actions(found)
            # What its states tell is to be looked at anew, though they may be as before.
            told = self._out.memory.get(self._id, self._robot.key("told"), Told)
            if told is not None:
                self._out.memory.put(self._id, self._robot.key("told"), replace(told))
                self._look_anew()
        except Refused as why:
            raw = document.shown(found.get("orderId" if what == "order" else "actions"))[:_MOST_KEPT]
            self._robot.scope.refuse_item(what, self._message.received_us, raw, why, self._message, self._out)

    def _look_anew(self) -> None:
        """Another count, though the same, by which the short way knows (``quick.py``)."""
        name = self._robot.key("count state")
        count = self._out.memory.get(self._id, name, Count)
        if count is not None:
            self._out.memory.put(self._id, name, replace(count))

    def _order(self, found: dict[str, Any]) -> None:
        nodes = [seen.whole(one.get("sequenceId"), "sequenceId") for one in seen.objects(found, "nodes")]
        given = Ordered(
            order=seen.text(found.get("orderId"), "orderId"),
            update=seen.whole(found.get("orderUpdateId", 0), "orderUpdateId"),
            final=max(nodes, default=-1),
            received_us=self._message.received_us,
        )
        if not given.order:
            raise Refused(reasons.WRONG_TYPE, "orderId=-: text")
        self._out.memory.put(self._id, self._robot.key("ordered"), given)

    def _actions(self, found: dict[str, Any]) -> None:
        name = self._robot.key("instant")
        before = self._out.memory.get(self._id, name, Instant) or Instant()
        now = before
        # 2.0 had both names for the list, and for an action's type.
        for one in seen.objects(found, "actions" if "actions" in found else "instantActions"):
            ids = (*now.ids, seen.text(one.get("actionId"), "actionId"))[-MOST_ACTIONS:]
            now = replace(now, ids=ids)
            if "cancelOrder" in (one.get("actionType"), one.get("actionName")):
                now = replace(now, cancel_us=self._message.received_us, cancels=_named(one))
        if now is not before:
            self._out.memory.put(self._id, name, now)


def _named(action: Any) -> str:
    """The order that a cancellation names; empty: the present one."""
    for one in seen.objects(action, "actionParameters"):
        if one.get("key") == "orderId":
            return seen.text(one.get("value"), "orderId")
    return ""

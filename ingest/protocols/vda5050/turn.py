"""One robot's turn with one message: its states, what it shows of its way, its link, and what it is told to do."""

from __future__ import annotations

from typing import Any, Final

from ingest import reasons
from ingest.message import ARRIVAL, RETAINED, Decoded, Message, storable
from ingest.protocols.counted import require_counted, set_aside_if_curable
from ingest.protocols.json import document
from ingest.protocols.json.repeated import Repeated, sure
from ingest.protocols.vda5050 import fields, moments, order, remembered
from ingest.protocols.vda5050.follow import Followed, follow
from ingest.protocols.vda5050.given import Given
from ingest.protocols.vda5050.link import is_link, link
from ingest.protocols.vda5050.order import Place
from ingest.protocols.vda5050.remembered import Count, Online
from ingest.protocols.vda5050.robot import Robot
from ingest.protocols.vda5050.values import take_all
from ingest.reasons import Refused

_KNOWN: Final = frozenset(
    {"headerId", "timestamp", "version", "manufacturer", "serialNumber", "orderId", "connectionState", "operatingMode",
     "batteryState", "powerSupply", "agvPosition", "mobileRobotPosition", "velocity", "actions", "instantActions"}
)  # fmt: skip
"""By one of these a message is one of VDA 5050's."""


class Turn:
    """What a robot says, or is told, and what becomes of it."""

    def __init__(self, robot: Robot, message: Message, out: Decoded) -> None:
        self._robot = robot
        self._scope = robot.scope
        self._message = message
        self._out = out
        self._id = robot.binding.connection_id
        self.form = 0
        """By which version's names the message is written; 0: it was not read."""
        self.document: dict[str, Any] = {}
        self.followed: Followed | None = None

    def take(self) -> None:
        """Put everything that the message says into ``out``."""
        message, out = self._message, self._out
        try:
            found = read(message.payload)
        except Refused as why:
            out.quarantine(message, self._id, why.reason, why.detail)
            return
        self.document = found
        what = self._robot.said.what
        said_us = moments.said_us(found.get("timestamp")) if self._scope.clock else None
        if out.memory.replaying:
            if what in ("state", "visualization"):
                self._values(found, said_us, None)
            return
        if not self._admitted():
            detail = f"VDA 5050: > {remembered.MOST_ROBOTS} robots"
            out.quarantine(message, self._id, reasons.NOT_OF_PROTOCOL, detail)
            return
        place = self._place(found, said_us)
        if what in ("state", "visualization"):
            self._values(found, said_us, place)
        elif what == "connection":
            self._connection(found, said_us, place)
        elif what in ("order", "instantActions") and not place.late and not message.flags & RETAINED:
            Given(self._robot, message, out).take(found, what)

    def _admitted(self) -> bool:
        """Enter a robot that was not heard before. :returns: False where there are too many already."""
        memory, robot = self._out.memory, self._robot
        if memory.get(self._id, robot.key(f"count {robot.said.what}"), Count) is not None:
            return True
        known, own = (
            memory.get(self._id, remembered.ROBOTS, remembered.Robots) or remembered.Robots(),
            robot.key("robot"),
        )
        if own in known.keys:
            return True
        if len(known.keys) >= remembered.MOST_ROBOTS:
            return False
        memory.put(self._id, remembered.ROBOTS, remembered.Robots((*known.keys, own)))
        return True

    def _place(self, found: dict[str, Any], said_us: int | None) -> Place:
        """Find the message's place, and remember it."""
        robot, out, message = self._robot, self._out, self._message
        raw = found.get("headerId")
        header = order.header_of(raw)
        if robot.said.what == "connection" and is_will(found):
            # Written when the robot connected: neither its number nor its time is one of now.
            return Place(Count(), None, False)
        if header is None and raw is not None and (robot.said.what != "connection" or is_link(found)):
            self._refuse_header(raw)
        name = robot.key(f"count {robot.said.what}")
        count = out.memory.get(self._id, name, Count) or Count()
        online = out.memory.get(self._id, robot.key("online"), Online) or Online()
        if message.flags & RETAINED and header is not None:
            return self._kept(count, header)
        place = order.place(count, message.topic, header, said_us, message, online.received_us)
        if place.now is not count:
            out.memory.put(self._id, name, place.now)
        if place.number is not None:
            out.numbered(self._id, place.now.boot, place.number)
        return place

    def _kept(self, count: Count, header: int) -> Place:
        """A message that the broker had kept: it was said before, and counts only if it was not heard then."""
        if count.header >= 0 and count.first <= header <= count.header:
            self._out.numbered(self._id, count.boot, count.base + header)
        return Place(count, None, True)

    def _refuse_header(self, raw: Any) -> None:
        why = Refused(reasons.BAD_SEQUENCE, f"headerId={document.named(raw)}: 0..2^32-1")
        self._scope.refuse_item("headerId", self._message.received_us, raw, why, self._message, self._out)

    def _values(self, found: dict[str, Any], said_us: int | None, place: Place | None) -> None:
        message, out, scope = self._message, self._out, self._scope
        accepted, refused = out.accepted(), len(out.rejected)
        state = self._robot.said.what == "state"
        self.form = fields.form_of(found, self._robot.said.major)
        try:
            at_us, flags = self._instant(said_us)
        except Refused as why:
            self._refuse_all(found, said_us, why)
        else:
            metres = None
            if place is not None and not place.late:
                self.followed = follow(self._robot, found, self.form, at_us, flags, place, message, out)
                metres = self.followed.metres
            progress = None if self.followed is None else self.followed.progress
            take_all(scope, found, self.form, at_us, flags, message, out, state=state, metres=metres, progress=progress)
        if out.accepted() == accepted:
            set_aside_if_curable(message, self._robot.binding, out, refused)

    def _instant(self, said_us: int | None) -> tuple[int, int]:
        message = self._message
        if said_us is None:
            if message.flags & RETAINED:
                raise Refused(reasons.TIME_MISSING, "retain=1 timestamp=-")
            require_counted(message.received_us, self._robot.binding, message)
            return message.received_us, message.flags | ARRIVAL
        require_counted(said_us, self._robot.binding, message)
        return said_us, message.flags

    def _refuse_all(self, found: dict[str, Any], said_us: int | None, why: Refused) -> None:
        """Its time does not count: each value that is wanted is refused for it."""
        message, out, scope = self._message, self._out, self._scope
        observed = storable(document.shown(found.get("timestamp"))) if said_us is not None else ""
        wanted = [field.name for field in scope.direct if fields.is_there(found, field.path(self.form))]
        for name in wanted:
            raw = fields.found(found, fields.DIRECT[name].path(self.form))
            scope.refuse(name, observed, None if isinstance(raw, fields.Misplaced) else raw, why, message, out)
        if not wanted:
            scope.refuse_item(self._robot.said.what, message.received_us, observed, why, message, out)

    def _connection(self, found: dict[str, Any], said_us: int | None, place: Place) -> None:
        message, out = self._message, self._out
        kept = bool(message.flags & RETAINED)
        state = link(self._robot.binding, self._scope, found, said_us, message, out)
        if state == "online" and not kept and not place.late:
            out.memory.put(self._id, self._robot.key("online"), Online(message.received_us))
            self._scope.refuse_unreadable(message, out)


def is_will(found: dict[str, Any]) -> bool:
    """Whether a broker says it for a robot that is gone."""
    return found.get("connectionState") in ("CONNECTIONBROKEN", "CONNECTION_BROKEN")


def read(payload: bytes) -> dict[str, Any]:
    """The object of a payload; of one that repeats keys, what nobody doubts.

    :raises Refused: it is none of VDA 5050's. Nothing else is raised, whatever the bytes.
    """
    found = document.read(payload)
    whole = sure(found)
    if type(whole) is not dict:
        raise Refused(reasons.NOT_OF_PROTOCOL, "VDA 5050: {…}")
    if type(found) is Repeated:
        # What stands twice is known by its name, so that it can be refused where it is wanted.
        whole |= dict.fromkeys(found.names, found)
    if _KNOWN.isdisjoint(whole):
        raise Refused(reasons.NOT_OF_PROTOCOL, "VDA 5050: headerId, timestamp, … = -")
    return whole

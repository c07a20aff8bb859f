"""A message in its order: what its robot's missions, errors and way have come to."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from ingest import reasons
from ingest.message import Decoded, Message
from ingest.protocols.json import document
from ingest.protocols.json.paths import ABSENT
from ingest.protocols.vda5050 import faults, fields, seen, travel
from ingest.protocols.vda5050.missions import Course, Moment
from ingest.protocols.vda5050.order import Place
from ingest.protocols.vda5050.remembered import Instant, Ordered, Told, Travel, digest
from ingest.protocols.vda5050.robot import Robot
from ingest.reasons import Refused

_BY_POSITION = ("x", "y", "localized", "map")


class Followed(NamedTuple):
    """What a message has led to."""

    metres: float | None = None
    """How far the robot went so far; None where it cannot be told now."""
    told: Told | None = None
    """What its states have told; None where that is not followed."""
    progress: float | None = None
    """How much of its order is done, in %."""
    sound: bool = True
    """Whether nothing of it was refused."""


def follow(
    robot: Robot, found: dict[str, Any], form: int, at_us: int, flags: int, place: Place, message: Message, out: Decoded
) -> Followed:
    """Go on by one message, and remember that."""
    metres = way(robot, where(found, form), at_us, out) if robot.scope.distance else None
    if robot.said.what != "state" or not robot.scope.told:
        return Followed(metres)
    memory, own = out.memory, robot.binding.connection_id
    name = robot.key("told")
    before = memory.get(own, name, Told)
    instant = memory.get(own, robot.key("instant"), Instant) or Instant()
    try:
        state = seen.order_of(found, frozenset(instant.ids))
        errors = seen.errors_of(found)
    except Refused as why:
        robot.scope.refuse_item("state", at_us, found.get("orderId"), why, message, out)
        return Followed(metres, before, None, False)
    course = Course(
        serial=robot.serial, done=robot.done, instant=instant,
        ordered=memory.get(own, robot.key("ordered"), Ordered) or Ordered(),
    )  # fmt: skip
    moment = Moment(
        at_us=at_us, known=before is not None, before_us=0 if before is None else place.before_us,
        lost=place.lost, sure=before is not None and place.number is not None and not (place.lost or place.fresh),
        metres=metres,
    )  # fmt: skip
    more = 0
    told = course.go_on(before or Told(), state, errors.levels.get("FATAL", 0), moment)
    if robot.scope.kinds & {faults.ERROR, faults.FAULT}:
        told, more = faults.go_on(told, errors, robot.serial, moment, course.happened)
        if more:
            many = Refused(reasons.TOO_MANY, f"errors: {len(errors.found)}")
            robot.scope.refuse_item("errors", at_us, len(errors.found), many, message, out)
    if before is not None and told == before:
        told = before
    else:
        memory.put(own, name, told)
    for one in course.happened:
        robot.scope.happened(one, flags, msgspec.json.encode(one.attributes), out)
    return Followed(metres, told, progress(told, state), not more)


def progress(told: Told, state: seen.Seen) -> float | None:
    """How much of the order is done, by its last node's sequence number."""
    mission = told.mission
    if mission is None or mission.order != state.order or mission.final <= 0 or state.last < 0:
        return None
    return round(min(100.0, 100.0 * state.last / mission.final), 3)


def where(found: dict[str, Any], form: int) -> travel.Where:
    """What a message says of its robot's place."""
    x, y, localized, on = (fields.found(found, fields.DIRECT[name].path(form)) for name in _BY_POSITION)
    return travel.Where(
        x, y, None if localized is ABSENT else localized, None if on is ABSENT else on,
        found.get("distanceSinceLastNode"),
        digest(f"{document.shown(found.get('orderId'))} {document.shown(found.get('lastNodeSequenceId'))}"),
    )  # fmt: skip


def way(robot: Robot, there: travel.Where, at_us: int, out: Decoded) -> float | None:
    """How far the robot went up to a place."""
    name, own = robot.key("travel"), robot.binding.connection_id
    before = out.memory.get(own, name, Travel) or Travel()
    now = travel.go_on(before, there, at_us)
    if now is None:
        return None
    if now is not before:
        out.memory.put(own, name, now)
    return now.total_m

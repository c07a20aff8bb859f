"""The short way: messages of a shape that came before, whose numbers alone are others. The long way comes to the same.

What a robot's order and its errors are made of is compared as it is written: where nothing of it changed, nothing follows. What
is the same byte for byte as in the message before is not read at all (``layout.py``).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from ingest.binding import FUTURE_US
from ingest.message import RETAINED, Decoded, Message
from ingest.protocols.vda5050 import fields, travel
from ingest.protocols.vda5050.follow import Followed, way
from ingest.protocols.vda5050.layout import Rest
from ingest.protocols.vda5050.layouts import Layouts
from ingest.protocols.vda5050.remembered import Count, Told
from ingest.protocols.vda5050.robot import Robot
from ingest.protocols.vda5050.shape import DIGITS, Shape, Way, is_plain, shape, ways_of
from ingest.protocols.vda5050.taking import values
from ingest.protocols.vda5050.values import Unlisted, counted

_MOST_SHAPES: Final = 256
_LONGEST: Final = 16_384
_FAR: Final = 1e9
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)


class Quiet(NamedTuple):
    """Of a state after which nothing happened: what it was made of, and what it is counted to."""

    told: Told | None
    names: tuple[str, ...]
    compared: tuple[Any, ...]
    channels: tuple[int, ...]
    values: list[float]


class Quick:
    """The short way of one topic."""

    def __init__(self, robot: Robot) -> None:
        self._robot = robot
        self._scope = scope = robot.scope
        self._id = robot.binding.connection_id
        self._state = robot.said.what == "state"
        self._compares = self._state and (scope.told or bool(scope.counted))
        self._told = self._state and scope.told
        self._count_key, self._told_key = robot.key(f"count {robot.said.what}"), robot.key("told")
        self._count_at = self._id, self._count_key
        self._count: Count | None = None
        """What it left itself with the message before."""
        self._first_us, self._end_us = max(robot.binding.start_us, 1), robot.binding.end_us
        self._usable = all(
            self._plain(name) is not None
            for name, wanted in ((fields.SPEED, scope.speed), (fields.DISTANCE, scope.distance))
            if wanted
        )
        """Whether channels of what is derived take numbers; else each message needs a closer look."""
        self._speed = (scope.speed and self._plain(fields.SPEED)) or ()
        self._distance = (scope.distance and self._plain(fields.DISTANCE)) or ()
        self._speed_channels = tuple(way.channel_id for way in self._speed)
        self._distance_channels = tuple(way.channel_id for way in self._distance)
        self._shapes: dict[bytes, Shape] = {}
        self._last: tuple[bytes, Shape | None] = b"", None
        """The shape of the message before: most are of it."""
        self._quiet: Quiet | None = None
        self._told_last: Told | None = None
        self._layouts = Layouts()

    def take(self, message: Message, out: Decoded) -> bool:
        """Take a message. :returns: whether it was taken; if not, nothing was, and the long way comes to the same."""
        payload, memory, flags = message.payload, out.memory, message.flags
        if message.redelivered or flags & RETAINED or memory.replaying:
            return False
        layout = self._layouts.present
        cut = None if layout is None else layout.read(payload)
        read = cut or self._whole(payload)
        if read is None:
            return False
        rest, found = read
        count = memory.changes.get(self._count_at) or memory.get(self._id, self._count_key, Count)
        header, received_us = found.headerId, message.received_us
        if type(count) is not Count or header != count.header + 1:
            return False
        at_us = (found.timestamp - _EPOCH) // _US
        if not self._first_us <= at_us < self._end_us or at_us > received_us + FUTURE_US:
            return False
        # Whatever changes what the states have told changes the count too.
        if (
            count is not self._count
            and self._told
            and memory.get(self._id, self._told_key, Told) is not self._told_last
        ):
            return False
        taken = values(rest, found) if rest.plainly is None else rest.plainly(found)
        if taken is None:
            return False
        channels = rest.channels
        if self._distance:
            metres = self._metres(rest.shape, found, at_us, out)
            if metres is None:
                return False
            if metres >= 0:
                taken += [
                    metres if scale is None else metres * scale + offset for _, scale, offset, _ in self._distance
                ]
                channels += self._distance_channels
        latest_us = at_us if at_us > count.latest_us else count.latest_us
        boot, base = count.boot, count.base
        self._count = now = Count(header, latest_us, received_us, base, count.first, count.ordinal, boot)
        memory.put(self._id, self._count_key, now)
        out.sequences.append((self._id, boot, base + header))
        n = len(taken)
        out.channel_id += channels
        out.observed_us += [at_us] * n
        out.value += taken
        out.flags += [flags] * n
        if cut is None:
            self._layouts.learn(payload, rest, found, taken)
        return True

    def _whole(self, payload: bytes) -> tuple[Rest, Any] | None:
        """How a message is read of which nothing is cut out, and what was; None if it is of no known shape."""
        bare = payload.translate(None, DIGITS)
        before, known = self._last
        if bare != before:
            known = self._shapes.get(bare)
            self._last = bare, known
        quiet = self._quiet
        if known is None or (self._compares and (quiet is None or known.names != quiet.names)):
            return None
        try:
            found = known.read(payload)
        except msgspec.MsgspecError:
            return None
        n = len(known.channels) - len(known.codes)
        states = tuple(enumerate(known.codes, n))
        tail, channels = [0.0] * len(states), known.channels
        compared: tuple[Any, ...] = ()
        if quiet is not None:
            tail, channels, compared = tail + quiet.values, channels + quiet.channels, quiet.compared
        converted = known.converted
        speeds: tuple[int, ...] = ()
        if known.parts:
            speeds = self._speed_channels
            converted += tuple(
                (place, way.scale, way.offset)
                for place, way in enumerate(self._speed, len(channels))
                if way.scale is not None
            )
        return Rest(
            shape=known, read=known.read, numbers=known.numbers, parts=known.parts, speeds=len(speeds), compared=compared,
            states=states, tail=tail, converted=converted, channels=channels + speeds, plainly=None,
        ), found  # fmt: skip

    def _metres(self, known: Shape, found: Any, at_us: int, out: Decoded) -> float | None:
        """How far the robot went; -1: that cannot be told; None: a closer look is needed, and nothing was remembered."""
        x, y, localized, on = known.place(found)
        if localized is False or not (-_FAR < x < _FAR and -_FAR < y < _FAR):
            return None
        metres = way(self._robot, travel.Where(x, y, None, on, None), at_us, out)
        return -1.0 if metres is None else metres

    def learn(self, payload: bytes, document: dict[str, Any], form: int, followed: Followed | None) -> None:
        """Keep what a message was like that went the long way, so that the next ones need not."""
        if not self._usable or len(payload) > _LONGEST:
            return
        bare = payload.translate(None, DIGITS)
        known = self._shapes.get(bare)
        if known is None:
            known = shape(self._scope, document, form, state=self._state) if is_plain(payload, document) else None
            if known is None:
                return
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            self._shapes[bare] = known
            self._last = bare, known
        if self._compares and followed is not None:
            quiet = self._quieted(known, payload, document, followed)
            if quiet is None or quiet != self._quiet or quiet.told is not self._told_last:
                self._quiet, self._told_last = quiet, None if quiet is None else quiet.told
                self._layouts.present = None

    def _quieted(self, known: Shape, payload: bytes, document: dict[str, Any], followed: Followed) -> Quiet | None:
        if not followed.sound:
            return None
        try:
            compared = known.compared(known.read(payload))
        except msgspec.MsgspecError:
            return None
        tried = Decoded()
        message = Message(topic="", payload=b"", received_us=0)
        for name, raw in counted(self._scope, document, followed.progress):
            if isinstance(raw, Unlisted):
                return None
            self._scope.take(name, raw, 0, 0, message, tried)
        if tried.rejected:
            return None
        return Quiet(followed.told, known.names, compared, tuple(tried.channel_id), tried.value)

    def _plain(self, name: str) -> tuple[Way, ...] | None:
        """The channels of a value that is a number and stands in no message as it is; None where not all take numbers."""
        return ways_of(self._scope, fields.Field(name=name, kind="number", unit=fields.UNITS[name], v2=None, v3=None))

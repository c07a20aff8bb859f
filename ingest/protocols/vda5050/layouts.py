"""When messages are cut otherwise than before: what is the same from one to the next is found out from them."""

from __future__ import annotations

from typing import Any, Final

from ingest.protocols.vda5050.layout import MOVING, Layout, Rest, members_of
from ingest.protocols.vda5050.taking import plainly

_MOST_MOVING: Final = 64
_SERVED: Final = 16
"""A layout that lasts for so many messages was worth it."""
_LONGEST_PAUSE: Final = 256


class Layouts:
    """The layout of one topic's messages, as long as nothing follows on them."""

    __slots__ = ("_moving", "_next", "_pause", "_since", "present")

    def __init__(self) -> None:
        self.present: Layout | None = None
        self._moving: set[str] = set()
        self._pause = 1
        self._since = self._next = 0
        """The messages, by number, with which the last one was made, and with which the next one may be."""

    def learn(self, payload: bytes, whole: Rest, found: Any, taken: list[float]) -> None:
        """Have messages like this one cut.

        :param whole: how it was read, and nothing followed on it.
        :param found: what was read of it.
        :param taken: its values.
        """
        number = found.headerId
        if self._since <= number < self._next:
            return
        lasted = not self._since <= number < self._since + _SERVED
        self._pause = 1 if lasted else min(2 * self._pause, _LONGEST_PAUSE)
        self._since, self._next = number, number + self._pause
        members = members_of(payload)
        if members is None:
            return
        before = self.present.fixed if self.present is not None else {}
        self._moving |= {
            one.name for one in members if before.get(one.name, found) not in (found, payload[one.at : one.end])
        }
        if len(self._moving) > _MOST_MOVING:
            self._moving.clear()
        layout = self.present
        if layout is None or layout.rest(payload) is None:
            layout = Layout(payload, members, MOVING | self._moving | whole.shape.read_from)
        self.present = layout if layout.fixed else None
        layout.add(payload, _rest_of(whole, layout, taken))


def _rest_of(whole: Rest, layout: Layout, taken: list[float]) -> Rest:
    """How the rest of a message is read."""
    shape, gone = whole.shape, layout.fixed.keys()
    compared = dict(zip(shape.names, whole.compared, strict=True)) if whole.compared else {}
    left = shape.without(gone)
    n = len(shape.channels) - len(whole.states)
    rest = whole._replace(
        shape=left,
        read=left.read,
        compared=tuple(compared[name] for name in left.names) if compared else (),
        states=tuple(
            one for one, path in zip(whole.states, shape.states_at, strict=True) if path.split(".")[0] not in gone
        ),
        tail=taken[n : n + len(whole.tail)],
    )
    return rest._replace(plainly=plainly(rest))

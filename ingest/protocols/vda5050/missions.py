"""States in their order → missions: which began, which ended and how. Nothing is guessed.

A mission is an order that a robot carries out. It is under way while nodes, edges or actions are left, and ended once none is
(VDA 5050, "Idle state"). What was lost on the way is told: by ``lost``, ``start_within_s``, ``end_within_s`` and, where nobody
saw its start or its end, by ``start_seen`` and ``end_seen``; a mission whose end nobody saw has no result.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from msgspec.structs import replace

from ingest.protocols.vda5050.remembered import Instant, Mission, Ordered, Told
from ingest.protocols.vda5050.seen import Seen

MISSION: Final = "mission"
INTERVENTION: Final = "intervention"
_SECOND: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One event of a robot."""

    kind: str
    id: str
    phase: Literal["", "start", "end"]
    at_us: int
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a state is from, and what is known of the time before it."""

    at_us: int
    known: bool
    """Whether a state was heard before it."""
    before_us: int
    """When the state before it was from; 0: there was none."""
    lost: int
    """Messages between them that never came."""
    sure: bool
    """Whether nothing can have happened between them: the numbers say so."""
    metres: float | None
    """How far the robot had gone, if that is measured."""


@dataclass(slots=True, kw_only=True)
class Course:
    """A robot's missions go on by one state."""

    serial: str
    done: str
    """What is said of a finished one."""
    ordered: Ordered
    instant: Instant
    happened: list[Happening] = field(default_factory=list)

    def go_on(self, told: Told, seen: Seen, fatal: int, moment: Moment) -> Told:
        """What is told from here on; what happened stands in ``happened``.

        :param fatal: how many fatal errors there are.
        """
        mission = told.mission
        helped = bool(seen.mode and seen.mode != "AUTOMATIC") or fatal > 0 or (told.helped and not seen.mode)
        stepped_in = helped and not told.helped
        if mission is not None and not mission.ended and moment.lost:
            mission = replace(mission, lost=mission.lost + moment.lost)
        if mission is None or mission.order != seen.order:
            mission = self._other(mission, seen, moment, known=moment.known)
        elif mission.ended and seen.active and seen.update > mission.update:
            mission = self._begun(seen, moment, again=True)
        if mission is not None and not mission.ended:
            newly = told.mission is None or told.mission.id != mission.id
            mission = self._under_way(mission, seen, fatal, stepped_in or (newly and helped))
            if any(one not in told.cancels for one in seen.cancels) and not (newly and seen.active):
                mission = replace_if_other(mission, cancelled=True)
            if not seen.active:
                mission = self._over(mission, seen, moment)
        if stepped_in and moment.known:
            self._intervention(mission, seen, fatal, moment)
        now = replace(told, mission=mission, helped=helped, mode=seen.mode, cancels=seen.cancels)
        return told if now == told else now

    def _other(self, mission: Mission | None, seen: Seen, moment: Moment, *, known: bool) -> Mission | None:
        """The order is another than before, or the first that is heard of."""
        if mission is not None and not mission.ended:
            self._end(mission, moment, {"end_seen": False})
        if not seen.order:
            return None
        if seen.active:
            return self._begun(seen, moment, seen_to_begin=known or self.ordered.order == seen.order)
        if not known and self.ordered.order != seen.order:
            return _ended_before(seen)  # it was over when we began to listen
        return self._begun(seen, moment, seen_to_begin=moment.sure)

    def _begun(self, seen: Seen, moment: Moment, *, seen_to_begin: bool = True, again: bool = False) -> Mission:
        given = self.ordered if self.ordered.order == seen.order else None
        mission = Mission(
            order=seen.order,
            id=f"{self.serial}:{seen.order}:{moment.at_us // 1000}",
            update=seen.update,
            start_us=moment.at_us,
            start_seen=seen_to_begin,
            final=given.final if given is not None and given.update == seen.update else -1,
            lost=0 if seen_to_begin else moment.lost,
            cancel_us=self.instant.cancel_us,
            from_m=-1.0 if moment.metres is None else moment.metres,
        )
        if seen_to_begin:
            about: dict[str, Any] = {"order": seen.order}
            if again:
                about["continued"] = True
            since_us = moment.before_us or (given.received_us if given is not None else 0)
            if not moment.sure and 0 < since_us < moment.at_us:
                about["start_within_s"] = _seconds(moment.at_us - since_us)
            self.happened.append(
                Happening(kind=MISSION, id=mission.id, phase="start", at_us=moment.at_us, attributes=about)
            )
        return mission

    def _under_way(self, mission: Mission, seen: Seen, fatal: int, stepped_in: bool) -> Mission:
        """What a state adds to its mission."""
        given = self.ordered if self.ordered.order == seen.order and self.ordered.update == seen.update else None
        instant = self.instant
        return replace_if_other(
            mission,
            update=seen.update,
            updates=mission.updates + (seen.update != mission.update),
            final=seen.final if seen.nodes else given.final if given is not None else mission.final,
            interventions=mission.interventions + stepped_in,
            fatal=max(mission.fatal, fatal),
            cancelled=mission.cancelled
            or (instant.cancel_us != mission.cancel_us and instant.cancels in ("", mission.order)),
        )

    def _over(self, mission: Mission, seen: Seen, moment: Moment) -> Mission:
        """Nothing is left to do: how did it end?"""
        reached = seen.last >= 0 and (mission.final <= seen.last if mission.final >= 0 else moment.sure)
        about: dict[str, Any] = {"end_seen": True}
        if reached and not seen.failed:
            about["result"] = self.done
        elif mission.cancelled:
            about["result"] = "cancelled"
        elif seen.failed:
            about |= {"result": "failed", "reason": f"action {seen.failed[0]}"}
        elif mission.final >= 0 or moment.sure:
            about |= {"result": "failed", "reason": _why(mission, seen)}
        return self._end(mission, moment, about)

    def _end(self, mission: Mission, moment: Moment, about: dict[str, Any]) -> Mission:
        result = about.get("result")
        told: dict[str, Any] = {"order": mission.order, "start_seen": mission.start_seen, **about}
        if result is not None:
            told["outcome"] = result
        told |= {
            "interventions": mission.interventions,
            "intervention": mission.interventions > 0,
            "lost": mission.lost,
        }
        if mission.start_seen and about["end_seen"]:
            told["duration_s"] = _seconds(moment.at_us - mission.start_us)
        if not moment.sure and 0 < moment.before_us < moment.at_us:
            told["end_within_s"] = _seconds(moment.at_us - moment.before_us)
        if mission.updates:
            told["updates"] = mission.updates
        if mission.fatal:
            told["fatal_errors"] = mission.fatal
        if moment.metres is not None and mission.from_m >= 0:
            told["distance_m"] = round(moment.metres - mission.from_m, 3)
        self.happened.append(Happening(kind=MISSION, id=mission.id, phase="end", at_us=moment.at_us, attributes=told))
        return replace(mission, ended=True)

    def _intervention(self, mission: Mission | None, seen: Seen, fatal: int, moment: Moment) -> None:
        about: dict[str, Any] = {"mode": seen.mode, "cause": "fatal error" if fatal else "mode"}
        if mission is not None and mission.order:
            about |= {"order": mission.order, "mission": mission.id}
        identity = f"{self.serial}:intervention:{moment.at_us // 1000}"
        self.happened.append(Happening(kind=INTERVENTION, id=identity, phase="", at_us=moment.at_us, attributes=about))


def replace_if_other(mission: Mission, **changes: Any) -> Mission:
    """The same object where nothing changes."""
    if all(getattr(mission, name) == value for name, value in changes.items()):
        return mission
    return replace(mission, **changes)


def _ended_before(seen: Seen) -> Mission:
    return Mission(order=seen.order, id="", update=seen.update, start_us=0, start_seen=False, ended=True)


def _why(mission: Mission, seen: Seen) -> str:
    if mission.fatal:
        return "fatal error"
    return f"mode {seen.mode}" if seen.mode and seen.mode not in ("AUTOMATIC", "SEMIAUTOMATIC") else "cleared"


def _seconds(us: int) -> float:
    return round(us / _SECOND, 3)

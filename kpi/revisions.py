"""By which revisions of its channels a result's readings were decoded, and of which some were decoded again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from core.database import Connection
from core.sql import load
from core.window import Window
from devices.plan.measured_unit import channel_of
from devices.plan.measures import Agreement, Availability, Capture, Delay, Mtbf
from devices.plan.model import Kpi, Plan
from devices.plan.predicate import slots_in_effect, slots_read

_SQL = load("kpi", "revisions.sql")
_MOST_TOLD = 2

Revisions = Mapping[str, Any]
"""A channel at a slot: ``{"slot", "channel", "unit", "revisions": [{"number", "source", "source_unit", "stands",
"redecoded"}]}``. ``stands``: whether any of that revision's readings in the window counts; ``redecoded``: whether some do not any
more, because the messages they came from were decoded again by a later revision."""


def revisions_of(connection: Connection, plan: Plan, window: Window, as_of: datetime) -> list[Revisions]:
    """The revisions that had readings in a window by ``as_of``, of every channel at the slots which the plan's KPIs are about.

    A channel of which nothing came has no ``revisions``. Nothing is counted, so that readings which come late, and change none
    of this, do not make another.
    """
    asked = {"pilot": plan.pilot, "start": window.start, "end": window.end, "as_of": as_of}
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in connection.execute(_SQL["revisions"], asked):
        revision = {"number": row["revision"], **{key: row[key] for key in _KEPT}}
        found.setdefault((row["slot"], row["channel"]), []).append(revision)
    about = {slot for kpi in plan.kpis.values() for slot in slots_read(plan, kpi)}
    return [
        {"slot": slot, "channel": name, "unit": channel.canonical_unit, "revisions": found.get((slot, name), [])}
        for slot in plan.slots
        if slot in about
        for name, channel in plan.slots[slot].channels.items()
    ]


_KEPT = ("source", "source_unit", "stands", "redecoded")


def computed_from(plan: Plan, kpi: Kpi, found: Iterable[Revisions]) -> list[Revisions]:
    """Those of the channels whose readings a KPI's value is computed from; events are none."""
    wanted = {pair for part in kpi.parts for pair in read_channels(plan, part)}
    return [one for one in found if (one["slot"], one["channel"]) in wanted]


def read_channels(plan: Plan, part: Kpi) -> list[tuple[str, str]]:
    """Slot and name of each channel whose readings the value of one promise is computed from."""
    slots = slots_in_effect(plan, part)
    one = channel_of(part.measure)
    if one is not None:
        beside = part.measure.of.reference if isinstance(part.measure.of, Agreement) else None
        return [(slot, one[0]) for slot in slots] + ([] if beside is None else [(beside.slot, beside.channel)])
    match part.measure.of:
        case Capture(channels=wanted):
            return [
                (slot, name)
                for slot in slots
                for name, channel in plan.slots[slot].channels.items()
                if channel.reporting == "periodic" and (wanted is None or name in wanted)
            ]
        case Delay(channel=only):
            return [
                (slot, name) for slot in slots for name in plan.slots[slot].channels if only is None or name == only
            ]
        case Availability() | Mtbf():  # a slot is up while a reading of any channel stands
            return [(slot, name) for slot in slots for name in plan.slots[slot].channels]
    return []


# --- In words


def notable(found: Iterable[Revisions]) -> list[Revisions]:
    """Those of which several revisions have a part, or some readings were decoded again."""
    return [one for one in found if len(one["revisions"]) > 1 or any(r["redecoded"] for r in one["revisions"])]


def revisions_told(found: Sequence[Revisions], language: str) -> list[str]:
    """A clause on each of the first such channels, and how many more there are.

    >>> temp = {"slot": "a", "channel": "temp", "unit": "degC", "revisions": [
    ...     {"number": 1, "stands": False, "redecoded": True}, {"number": 2, "stands": True, "redecoded": False}]}
    >>> revisions_told([temp], "ko")
    ['a/temp에 개정 2의 측정값을 씀(개정 1의 측정값은 모두 다시 해석됨)']
    >>> revisions_told([temp], "en")
    ['a/temp has readings of revision 2 (all those of revision 1 were decoded again)']
    """
    rows = notable(found)
    told = [_told(one, language) for one in rows[:_MOST_TOLD]]
    more = len(rows) - len(told)
    if more:
        told.append(
            f"그 밖에 개정이 여럿인 측정 항목 {more}개" if language == "ko" else f"so have {more} more channels"
        )
    return told


def _told(one: Revisions, language: str) -> str:
    korean = language == "ko"
    where = f"{one['slot']}/{one['channel']}"
    standing = [str(row["number"]) for row in one["revisions"] if row["stands"]]
    numbers = ", ".join(standing)
    if korean:
        text = f"{where}에 개정 {numbers}의 측정값을 씀" if standing else f"{where}에 쓰인 측정값이 없음"
    elif standing:
        text = f"{where} has readings of revision{'s' if len(standing) > 1 else ''} {numbers}"
    else:
        text = f"{where} has no reading that counts"
    again = ", ".join(redecoded_told(row, language) for row in one["revisions"] if row["redecoded"])
    return f"{text}({again})" if again and korean else f"{text} ({again})" if again else text


def redecoded_told(revision: Mapping[str, Any], language: str) -> str:
    """How much of a revision was decoded again."""
    number, some = revision["number"], revision["stands"]
    if language == "ko":
        return f"개정 {number}의 측정값은 {'일부' if some else '모두'} 다시 해석됨"
    return f"{'some' if some else 'all those'} of revision {number} were decoded again"

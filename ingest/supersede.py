"""Which readings of earlier revisions stand no more, once the messages they came from were decoded again.

By receipt: the readings of a batch all carry the instant at which its messages were kept, so they are found again without any
mark on them, and nothing of them is changed. A reading that came otherwise in the same time (its message was not kept, or came
from quarantine) goes on standing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from core.database import Connection
from core.sql import load
from core.window import MICROSECOND, instant

_SQL = load("ingest", "redecode.sql")
_MARGIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What one transaction decoded again."""

    pilot_id: int
    start: datetime
    """Receipt of the first of the messages …"""
    until: datetime
    """… and after the last."""
    instants: Mapping[int, Sequence[datetime]]
    """By connection: the instants of receipt all of whose messages were read."""
    earlier: Sequence[datetime]
    """When messages of this span had been decoded again before: the receipt time of what that gave."""
    slots: Mapping[int, Mapping[int, Collection[int]]]
    """By connection and slot: the revisions in force."""
    observed: tuple[int, int] | None
    """The first and last instant (µs) of what was read; None if no reading was."""
    certain: bool
    """Whether nothing was refused, so that the older readings lie within those instants too."""
    at: datetime
    """The receipt time of what was stored."""
    who: str


@dataclass(slots=True)
class Superseded:
    """How many readings stand no more, by the revision they are of."""

    by_channel: dict[int, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.by_channel.values())


def supersede(connection: Connection, again: Again) -> Superseded:
    """Record it, in the transaction of the decoding itself: both stand or neither."""
    row = connection.execute(
        _SQL["add_batch"],
        {"pilot_id": again.pilot_id, "from": again.start, "until": again.until, "at": again.at, "who": again.who},
    ).fetchone()
    assert row is not None
    done = Superseded()
    for connection_id, slots in again.slots.items():
        live = sorted(set(again.instants.get(connection_id, ())))
        if not live:
            continue
        in_force = [channel_id for channels in slots.values() for channel_id in channels]
        others = connection.execute(_SQL["other_revisions"], {"channels": in_force}).fetchall()
        for other in others:
            first, last = _bounds(connection, again, other["slot_id"])
            n = _one(connection, again, row["batch_id"], other, live, first, last)
            if n:
                done.by_channel[other["channel_id"]] = done.by_channel.get(other["channel_id"], 0) + n
    return done


def _one(
    connection: Connection,
    again: Again,
    batch_id: int,
    other: Mapping[str, Any],
    live: list[datetime],
    first: datetime,
    last: datetime,
) -> int:
    """One other revision. :returns: how many of its readings stand no more."""
    asked = {"channel_id": other["channel_id"], "first": first, "last": last, "from": again.start, "until": again.until}
    hours = connection.execute(_SQL["no_longer_stand"], {**asked, "instants": [*live, *again.earlier]}).fetchall()
    if not hours:
        return 0
    # Stretches of one revision never overlap: what is superseded already is not again.
    known = {"channel_id": other["channel_id"], "instants": [*live, *again.earlier]}
    before = {row["received_at"] for row in connection.execute(_SQL["superseded_before"], known)}
    rows = connection.execute(_SQL["came_otherwise"], {**asked, "instants": live})
    others = sorted({*(row["received_at"] for row in rows), *(at for at in live if at in before)})
    spans = runs([at for at in live if at not in before], others)
    # What an earlier decoding gave carries one instant of receipt, that of its own transaction.
    spans += [(at, at + MICROSECOND) for at in sorted(set(again.earlier)) if at not in before]
    given = {"channel_id": other["channel_id"], "at": again.at}
    connection.execute(
        _SQL["supersede"],
        {
            **given, "batch_id": batch_id, "by_channel_id": other["by_channel_id"],
            "froms": [start for start, _ in spans], "untils": [end for _, end in spans],
        },
    )  # fmt: skip
    connection.execute(
        _SQL["supersede_hours"], {**given, "hours": [row["hour"] for row in hours], "ns": [row["n"] for row in hours]}
    )
    return sum(row["n"] for row in hours)


def _bounds(connection: Connection, again: Again, slot_id: int) -> tuple[datetime, datetime]:
    """Between which instants of observation the older readings lie."""
    found: list[datetime] = []
    if again.observed is not None:
        found += [instant(again.observed[0]) - _MARGIN, instant(again.observed[1]) + _MARGIN]
    if again.observed is None or not again.certain:
        asked = {"slots": [slot_id], "from": again.start, "until": again.until}
        row = connection.execute(_SQL["observed_on_days"], asked).fetchone()
        if row is not None and row["first_at"] is not None:
            found += [row["first_at"], row["last_at"]]
    return (min(found), max(found)) if found else (again.start - _MARGIN, again.until + _MARGIN)


def runs(live: Sequence[datetime], others: Sequence[datetime]) -> list[tuple[datetime, datetime]]:
    """Half-open stretches that hold all of the first instants and none of the second; both are sorted.

    >>> from datetime import datetime as d
    >>> [(a.second, b.second, b.microsecond) for a, b in runs([d(1, 1, 1, second=s) for s in (1, 2, 5)], [d(1, 1, 1, second=3)])]
    [(1, 2, 1), (5, 5, 1)]
    """
    found: list[tuple[datetime, datetime]] = []
    for at in live:
        if found and bisect_left(others, found[-1][1]) == bisect_left(others, at):
            found[-1] = (found[-1][0], at + MICROSECOND)
        else:
            found.append((at, at + MICROSECOND))
    return found

"""What the broker itself said of devices: when they came and went, and what of theirs it did not take.

It comes from the broker's log, because nothing else tells: MQTT 3.1.1 acknowledges a denied publish as a success. Whoever
reads the log notes its entries here in the transaction that also records how far it was read, so that none counts twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from core.database import Connection
from core.sql import load

_SQL = load("devices", "journal.sql")

Row = dict[str, Any]

Reason = Literal["denied", "too_large", "not_let_in"]
"""It may not publish there; larger than the broker takes; user or password."""

Why = Literal["left", "closed", "timed_out", "taken_over", "cut_off", "too_large", "faulty", "broker_stopped", "other"]
"""Why a client went: it said farewell; its connection closed without one; it was silent beyond its keep-alive; the same user
connected again; it was cut off by us (withdrawn, or its rights changed); it sent more than the broker takes, or what is no
MQTT; the broker itself stopped; anything else."""

MOST_TOPICS: Final = 100
"""So many topics of a user are told apart an hour; what it tried on others is summed under an empty topic."""
_LONGEST: Final = 300
"""Characters of a name or topic that are kept: an index holds no more than some 2,700 bytes."""
_NEXT: Final = timedelta(microseconds=1)
"""The log's clock has milliseconds; what stands later in it happened later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The broker did not take something."""

    at: datetime
    username: str
    """Empty where the broker does not say whose it was."""
    topic: str
    """Empty for a log-in, and where the broker does not say it."""
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """A client connected."""

    at: datetime
    username: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Went:
    """A client's connection ended."""

    at: datetime
    username: str
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The broker ended or began: nobody is connected."""

    at: datetime


Entry: TypeAlias = Refused | Came | Went | Stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far the log was read."""

    file_id: str = ""
    """Which file stood under the log's name; empty before anything was read."""
    position: int = 0
    """Bytes of it that are done with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """When a connection was last seen at the broker. It is there now unless ``disconnected_at`` is after ``connected_at``."""

    connected_at: datetime | None
    """When it last came."""
    disconnected_at: datetime | None
    """When it last went."""
    why: str
    """Why it last went (:data:`Why`); empty before it ever did."""

    @property
    def connected(self) -> bool:
        """Whether it is there now."""
        if self.connected_at is None:
            return False
        return self.disconnected_at is None or self.disconnected_at < self.connected_at


def denials(connection: Connection, pilot: str, *, since: datetime) -> list[Row]:
    """What the broker did not take of a pilot, the latest first, summed by hour, user, topic and reason.

    :param since: only what occurred from then on (an hour that lies across it is whole).
    :returns: rows of ``hour, username, connection, topic, reason, n, first_at, last_at``. ``reason`` is one of
        :data:`Reason`. ``connection`` is None where the registry does not know whose it is: a stranger on the pilot's native
        topics, or, with an empty ``username``, something of which the broker says neither user nor topic; such a row is
        everybody's (each pilot gets it), and its ``n`` counts all of them. A log-in has no ``topic``; neither have more
        topics of a user in one hour than :data:`MOST_TOPICS`.
    """
    return connection.execute(_SQL["denials"], {"pilot": pilot, "since": since}).fetchall()


def contacts(connection: Connection, pilot: str) -> dict[str, Contact]:
    """Connection name → when it was last seen at the broker; without those that it never saw."""
    rows = connection.execute(_SQL["contacts"], {"pilot": pilot})
    return {row.pop("connection"): Contact(**row) for row in rows.fetchall()}


def place(connection: Connection, log: str, files: Sequence[str] = ()) -> Place:
    """How far a log was read; nobody else reads on from there until the transaction ends.

    :param files: the ids of the files that are there now: a log under a new name is known by them.
    """
    values = {"log": log, "files": list(files)}
    connection.execute(_SQL["begin_log"], values)
    row = connection.execute(_SQL["place"], values).fetchone()
    assert row is not None
    return Place(**row)


def move(connection: Connection, log: str, to: Place) -> None:
    """Record how far a log was read."""
    connection.execute(_SQL["move"], {"log": log, "file_id": to.file_id, "position": to.position})


def note(connection: Connection, entries: Sequence[Entry]) -> None:
    """Record what the broker said, in its order. To be called in the transaction of :func:`place` and :func:`move`."""
    refused = [entry for entry in entries if isinstance(entry, Refused)]
    if refused:
        _note_refused(connection, refused)
    moves = [entry for entry in entries if not isinstance(entry, Refused)]
    if moves:
        _note_contacts(connection, moves)


def forget(connection: Connection, before: datetime) -> None:
    """Drop denials older than an instant."""
    connection.execute(_SQL["forget"], {"before": before})


@dataclass(slots=True, kw_only=True)
class _Sum:
    n: int
    first_at: datetime
    last_at: datetime


_Key: TypeAlias = tuple[datetime, str, str, str]


def _note_refused(connection: Connection, refused: Sequence[Refused]) -> None:
    known = _known(connection, {entry.username for entry in refused})
    sums: dict[_Key, _Sum] = {}
    for entry in refused:
        # A log-in may give any name; only what was let in, or could be, has one that may be believed.
        named = entry.reason != "not_let_in" or entry.username in known
        hour = entry.at.replace(minute=0, second=0, microsecond=0)
        key = (hour, _kept(entry.username) if named else "", _kept(entry.topic), entry.reason)
        _add(sums, key, _Sum(n=1, first_at=entry.at, last_at=entry.at))
    rows = _bounded(connection, sums)
    connection.execute(
        _SQL["add_denials"],
        {
            "hours": [key[0] for key in rows],
            "usernames": [key[1] for key in rows],
            "topics": [key[2] for key in rows],
            "reasons": [key[3] for key in rows],
            "counts": [one.n for one in rows.values()],
            "first": [one.first_at for one in rows.values()],
            "last": [one.last_at for one in rows.values()],
        },
    )


def _add(sums: dict[_Key, _Sum], key: _Key, more: _Sum) -> None:
    there = sums.get(key)
    if there is None:
        sums[key] = replace(more)
        return
    there.n += more.n
    there.first_at, there.last_at = min(there.first_at, more.first_at), max(there.last_at, more.last_at)


def _bounded(connection: Connection, sums: dict[_Key, _Sum]) -> dict[_Key, _Sum]:
    """The same with no more topics a user and hour than are told apart, those recorded before included."""
    hours = sorted({(hour, username) for hour, username, _, _ in sums})
    values = {"hours": [hour for hour, _ in hours], "usernames": [username for _, username in hours]}
    topics: dict[tuple[datetime, str], set[str]] = {key: set() for key in hours}
    for row in connection.execute(_SQL["topics_of_hours"], values):
        topics[row["hour"], row["username"]].add(row["topic"])
    found: dict[_Key, _Sum] = {}
    for (hour, username, topic, reason), one in sums.items():
        there = topics[hour, username]
        if topic not in there and len(there - {""}) >= MOST_TOPICS:
            topic = ""
        there.add(topic)
        _add(found, (hour, username, topic, reason), one)
    return found


def _note_contacts(connection: Connection, moves: Sequence[Came | Went | Stopped]) -> None:
    # When the broker stops, everybody goes.
    everybody = any(isinstance(entry, Stopped) for entry in moves)
    names = {_kept(entry.username) for entry in moves if not isinstance(entry, Stopped)}
    rows = connection.execute(_SQL["known_contacts"], {"everybody": everybody, "usernames": sorted(names)})
    before = {row.pop("username"): Contact(**row) for row in rows.fetchall()}
    after = dict(before)
    for entry in moves:
        _follow(after, entry)
    changed = {name: contact for name, contact in after.items() if contact != before.get(name)}
    if changed:
        connection.execute(
            _SQL["set_contacts"],
            {
                "usernames": list(changed),
                "connected": [contact.connected_at for contact in changed.values()],
                "disconnected": [contact.disconnected_at for contact in changed.values()],
                "whys": [contact.why for contact in changed.values()],
            },
        )


def _follow(contacts: dict[str, Contact], entry: Came | Went | Stopped) -> None:
    match entry:
        case Came(at=at, username=username):
            name = _kept(username)
            there = contacts.get(name, _NEVER)
            contacts[name] = replace(there, connected_at=_after(there.disconnected_at, at))
        case Went(at=at, username=username, why=why):
            name = _kept(username)
            if name in contacts:  # else it never came: somebody who was not let in, under whatever name
                there = contacts[name]
                contacts[name] = replace(there, disconnected_at=_after(there.connected_at, at), why=why)
        case Stopped(at=at):
            for name, there in contacts.items():
                if there.connected:
                    gone = _after(there.connected_at, at)
                    contacts[name] = replace(there, disconnected_at=gone, why="broker_stopped")


_NEVER: Final = Contact(connected_at=None, disconnected_at=None, why="")


def _after(before: datetime | None, at: datetime) -> datetime:
    return at if before is None else max(at, before + _NEXT)


def _known(connection: Connection, usernames: Iterable[str]) -> frozenset[str]:
    rows = connection.execute(_SQL["known_users"], {"usernames": sorted(set(usernames))})
    return frozenset(row["username"] for row in rows)


def _kept(text: str) -> str:
    """A name or topic as the database takes it."""
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

"""Deleting what is past its time, and never anything before: raw messages and payloads by the plan's ``keep_messages``, and
what was received by its ``retention``, counted from the end of the pilot's period.

A pilot's readings are deleted only while its registry entry is held, under the plan that was in force when its end was worked
out; so an amendment that prolongs it comes either before, and is heeded, or waits. On TimescaleDB a chunk is dropped only if no
reading of any other pilot lies in it; from all others, and on a plain server, readings are deleted a bounded number at a time.
Summaries, results, accounts, plans and the audit log stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from core import audit
from core.database import Connection
from core.errors import PermanentError
from core.locks import REGISTRY, RETAIN
from core.sql import load
from core.units import seconds
from devices.registry import pilot as registered
from devices.registry import pilots, plan_of
from telemetry import storage

_SQL = load("telemetry", "retention.sql")
_STORAGE = load("telemetry", "storage.sql")

DEFAULT_KEEP: Final = timedelta(days=30)
"""For messages on topics that lie in no pilot's."""
_READINGS_AT_ONCE: Final = 50_000
_ROWS_AT_ONCE: Final = 5_000
_BLOCKS_AT_ONCE: Final = 500
_CLOCKS_APART: Final = timedelta(minutes=10)
_BESIDE: Final = (
    "delete_conflicts",
    "delete_events",
    "delete_event_conflicts",
    "delete_link_states",
    "delete_rejections",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Until when a pilot's data are kept, by its plan in force."""

    pilot_id: int
    pilot: str
    plan_version: int
    keep_messages: timedelta
    kept_until: datetime
    """The end of the period, plus the retention."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """What was deleted of one pilot, or would be."""

    pilot: str
    kept_until: datetime | None
    """None: of no pilot."""
    over: bool
    messages: int
    messages_before: datetime
    payloads: int
    readings: int
    beside: int
    """Events, link states, conflicts, refusals."""
    chunks: int = 0
    """Of TimescaleDB, dropped whole."""

    @property
    def anything(self) -> bool:
        return bool(self.messages or self.payloads or self.readings or self.beside or self.chunks)


def endings(connection: Connection) -> list[Ending]:
    """Until when the data of each pilot are kept."""
    return [_ending(connection, one.name) for one in pilots(connection)]


def _ending(connection: Connection, pilot: str) -> Ending:
    row = registered(connection, pilot)
    plan, version, _ = plan_of(connection, pilot)
    return Ending(
        pilot_id=row.pilot_id,
        pilot=pilot,
        plan_version=version,
        keep_messages=timedelta(seconds=seconds(plan.keep_messages)),
        kept_until=max(row.window.end, plan.window.end) + timedelta(seconds=seconds(plan.retention)),
    )


def retired_since(connection: Connection, pilot: str) -> datetime | None:
    """Since when a pilot's readings are deleted, because period and retention are over; None if they are kept."""
    row = connection.execute(_SQL["retired"], {"pilot": pilot}).fetchone()
    since: datetime | None = None if row is None else row["begun_at"]
    return since


def due(connection: Connection, now: datetime | None = None) -> list[Dropped]:
    """What :func:`drop_raw` and :func:`retire` would delete now. Nothing is changed."""
    now = _now(connection) if now is None else now
    found = [_due(connection, one, now) for one in endings(connection)]
    before = now - DEFAULT_KEEP
    row = connection.execute(_SQL["nobodys_payload_counts"], {"before": before}).fetchone()
    return [*found, _nobodys(row["n"] if row else 0, before)]


def drop_raw(connection: Connection, *, who: str, now: datetime | None = None) -> list[Dropped]:
    """Drop raw messages and the payloads of quarantined ones whose time is over.

    :param connection: in autocommit: some at a time, each in a transaction of its own.
    """
    now = _now(connection) if now is None else now
    done = []
    for one in endings(connection):
        before = now - one.keep_messages
        asked = {"pilot_id": one.pilot_id, "pilot": one.pilot, "before": before}
        messages = _drop_messages(connection, one, before)
        payloads = _repeat(connection, "drop_payloads", asked, _ROWS_AT_ONCE)
        dropped = _dropped(one, now, messages=messages, payloads=payloads)
        done.append(dropped)
        _say(connection, "retention.raw", who, dropped)
    before = now - DEFAULT_KEEP
    nobodys = _nobodys(_repeat(connection, "drop_nobodys_payloads", {"before": before}, _ROWS_AT_ONCE), before)
    _say(connection, "retention.raw", who, nobodys)
    return [*done, nobodys]


def retire(connection: Connection, *, who: str, now: datetime | None = None) -> list[Dropped]:
    """Delete what was received of pilots whose period and retention are over.

    :param connection: in autocommit: a bounded number of rows at a time, each in a transaction of its own.
    :raises PermanentError: this machine's clock and the server's are apart, or somebody else is at it.
    """
    now = _now(connection) if now is None else now
    with _alone(connection):
        over = [one for one in endings(connection) if one.kept_until <= now]
        there = [(one, *_counts(connection, one)) for one in over]
        there = [(one, readings, beside) for one, readings, beside in there if readings or beside]
        for one, _, _ in there:
            with _held(connection, [one], now):
                connection.execute(_SQL["say_begun"], {"pilot_id": one.pilot_id, "kept_until": one.kept_until})
                connection.execute(_SQL["delete_marks"], {"channels": _channels(connection, one)})
        chunks = _drop_chunks(connection, [one for one, readings, _ in there if readings], now)
        done = []
        for one, readings, beside in there:
            _delete_all(connection, one, now)
            dropped = _dropped(one, now, readings=readings, beside=beside, chunks=chunks)
            _say(connection, "retention.delete", who, dropped)
            done.append(dropped)
        return done


def _now(connection: Connection) -> datetime:
    """Now, if two clocks agree about it: what is deleted by a clock that runs ahead does not come back."""
    row = connection.execute(_SQL["clock"]).fetchone()
    assert row is not None
    theirs: datetime = row["now"]
    ours = datetime.now(UTC)
    if abs(theirs - ours) > _CLOCKS_APART:
        raise PermanentError(
            f"The database says that it is {theirs:%Y-%m-%d %H:%M:%S}Z, this machine {ours:%Y-%m-%d %H:%M:%S}Z: nothing is"
            " deleted while they are more than ten minutes apart. Set the clocks."
        )
    return min(theirs, ours)


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    row = connection.execute(_SQL["one_at_a_time"], {"lock": RETAIN}).fetchone()
    if row is None or not row["mine"]:
        raise PermanentError("Somebody else is deleting what is past its retention: wait until that is done.")
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute(_SQL["let_go"], {"lock": RETAIN})


def _channels(connection: Connection, one: Ending) -> list[int]:
    rows = connection.execute(_SQL["channels_of_pilot"], {"pilot_id": one.pilot_id})
    return [row["channel_id"] for row in rows]


def _counts(connection: Connection, one: Ending) -> tuple[int, int]:
    """:returns: how many readings of a pilot there are, and how many rows beside them."""
    readings = connection.execute(_SQL["reading_counts"], {"channels": _channels(connection, one)}).fetchone()
    beside = connection.execute(_SQL["row_counts"], {"pilot_id": one.pilot_id}).fetchone()
    assert readings is not None and beside is not None
    return readings["n"], beside["n"]


@contextmanager
def _held(connection: Connection, over: Sequence[Ending], now: datetime) -> Iterator[None]:
    """A transaction in which the pilots' plans are those by which their ends were worked out, and stay so."""
    with connection.transaction():
        connection.execute(_SQL["hold_registry"], {"lock": REGISTRY})
        for one in over:
            current = _ending(connection, one.pilot)
            if current.kept_until > now or current.plan_version != one.plan_version:
                raise PermanentError(
                    f"The plan of {one.pilot} changed to version {current.plan_version} while its data were being deleted;"
                    f" they are kept until {current.kept_until:%Y-%m-%d} now: nothing more is deleted."
                )
        yield


def _drop_chunks(connection: Connection, over: Sequence[Ending], now: datetime) -> int:
    """Drop the chunks in which nothing but readings of these pilots lies. :returns: how many."""
    if not over:
        return 0
    channels = [channel_id for one in over for channel_id in _channels(connection, one)]
    span = connection.execute(_SQL["reading_span"], {"channels": channels}).fetchone()
    assert span is not None
    dropped = 0
    for chunk in storage.chunks(connection):
        if span["first_at"] is None or chunk.end <= span["first_at"] or chunk.start > span["last_at"]:
            continue
        with _held(connection, over, now):
            asked = {"chunk": chunk.name, "start": chunk.start, "end": chunk.end, "channels": channels}
            row = connection.execute(_STORAGE["drop_chunk"], asked).fetchone()
            dropped += bool(row is not None and row["dropped"])
    return dropped


def _delete_all(connection: Connection, one: Ending, now: datetime) -> None:
    """Delete what is left of a pilot, a bounded number of rows at a time."""
    for channel_id in _channels(connection, one):
        asked = {"channel_id": channel_id, "most": _READINGS_AT_ONCE}
        while True:
            with _held(connection, [one], now):
                row = connection.execute(_SQL["some_readings"], asked).fetchone()
                if row is None or row["first_at"] is None:
                    break
                span = {"channel_id": channel_id, "first": row["first_at"], "last": row["last_at"]}
                connection.execute(_SQL["delete_readings"], span)
    for block in _BESIDE:
        gone = _ROWS_AT_ONCE
        while gone == _ROWS_AT_ONCE:
            with _held(connection, [one], now):
                gone = connection.execute(_SQL[block], {"pilot_id": one.pilot_id, "most": _ROWS_AT_ONCE}).rowcount
    with _held(connection, [one], now):
        connection.execute(_SQL["say_finished"], {"pilot_id": one.pilot_id})


def _drop_messages(connection: Connection, one: Ending, before: datetime) -> int:
    asked = {"pilot_id": one.pilot_id, "before": before, "most": _BLOCKS_AT_ONCE}
    total = 0
    while True:
        with connection.transaction():
            row = connection.execute(_SQL["drop_messages"], asked).fetchone()
            if row is None or not row["blocks"]:
                return total
            connection.execute(_SQL["say_dropped"], {"pilot_id": one.pilot_id, "before": before, "n": row["messages"]})
        total += row["messages"]


def _repeat(connection: Connection, block: str, asked: dict[str, object], most: int) -> int:
    total = 0
    while gone := connection.execute(_SQL[block], {**asked, "most": most}).rowcount:
        total += gone
    return total


def _due(connection: Connection, one: Ending, now: datetime) -> Dropped:
    before = now - one.keep_messages
    asked = {"pilot_id": one.pilot_id, "pilot": one.pilot, "before": before}
    messages = connection.execute(_SQL["message_counts"], asked).fetchone()
    payloads = connection.execute(_SQL["payload_counts"], asked).fetchone()
    assert messages is not None and payloads is not None
    readings, beside = _counts(connection, one) if one.kept_until <= now else (0, 0)
    return _dropped(one, now, messages=messages["messages"], payloads=payloads["n"], readings=readings, beside=beside)


def _dropped(
    one: Ending, now: datetime, *, messages: int = 0, payloads: int = 0, readings: int = 0, beside: int = 0, chunks: int = 0
) -> Dropped:  # fmt: skip
    return Dropped(
        pilot=one.pilot, kept_until=one.kept_until, over=one.kept_until <= now, messages=messages,
        messages_before=now - one.keep_messages, payloads=payloads, readings=readings, beside=beside, chunks=chunks,
    )  # fmt: skip


def _nobodys(payloads: int, before: datetime) -> Dropped:
    return Dropped(
        pilot="",
        kept_until=None,
        over=False,
        messages=0,
        messages_before=before,
        payloads=payloads,
        readings=0,
        beside=0,
    )


def _say(connection: Connection, what: str, who: str, dropped: Dropped) -> None:
    """One line of the audit log, where anything was deleted."""
    if not dropped.anything:
        return
    audit.record(
        connection,
        who=who,
        what=what,
        pilot=dropped.pilot or None,
        object=f"data of {dropped.pilot}" if dropped.pilot else "messages of nobody",
        before={
            name: value
            for name in ("messages", "payloads", "readings", "beside", "chunks")
            if (value := getattr(dropped, name))
        },
        after={"messages_before": dropped.messages_before, "kept_until": dropped.kept_until},
    )

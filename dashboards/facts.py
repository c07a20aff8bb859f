"""What is known of each slot when somebody asks why its data are not here: gathered once, told by :mod:`dashboards.why`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from core.database import Connection
from core.sql import load
from core.window import Window
from dashboards.access import VisiblePilot
from dashboards.latest import Latest
from dashboards.live import LEAST_SILENCE_S, WITHOUT_PERIOD_S
from dashboards.reasons import ReasonText, Why, why_of
from dashboards.users import Person
from dashboards.waiting import Held, Refusal, held_of, refusal_of
from dashboards.why import Denial, Facts, Trouble, cause_of
from dashboards.why_words import GONE, Answer, told
from dashboards.wording import Wording
from devices import journal
from telemetry.clock import SlotClock
from telemetry.platform_record import platform_alive

_SQL = load("dashboards", "facts.sql")

LATELY: Final = timedelta(days=7)
"""What the broker did not take is told so far back."""
_AWAY: Final = timedelta(seconds=60)
"""A collector says every few seconds that it hears; silent for so long, it does not."""
_MOST_DENIALS: Final = 20
_SEVERITY: Final = {"bad": 0, "watch": 1, "open": 2, "none": 3, "good": 4}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Something that the broker did not take, as a table shows it."""

    topic: str
    why: Why
    n: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """One slot: the answer, and what it rests on."""

    slot: str
    place: str
    connection: str
    username: str
    topics: Sequence[str]
    answer: Answer
    facts: Facts
    gone_why: str
    channels: tuple[Latest, ...]
    held: Held | None
    refusal: Refusal | None
    denials: tuple[Refused, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Every slot of a pilot, those in trouble first."""

    slots: tuple[Whereabouts, ...]
    unattributed: tuple[Refused, ...]
    """What the broker did not take on the pilot's topics without saying whose it was."""
    broker_read: bool


def known_of(
    connection: Connection,
    person: Person,
    pilot: VisiblePilot,
    latest: Sequence[Latest],
    clocks: Mapping[str, SlotClock],
    reasons: Mapping[str, ReasonText],
    words: Wording,
    now: datetime | None = None,
) -> Known:
    """What is known of the slots of a pilot that the person sees.

    :param latest: the newest reading of each channel.
    :param clocks: by slot.
    """
    now = now or datetime.now(UTC)
    asked = {
        "person": person.person_id, "pilot": pilot.pilot_id, "least_s": LEAST_SILENCE_S, "unknown_s": WITHOUT_PERIOD_S,
    }  # fmt: skip
    rows = connection.execute(_SQL["slots"], asked).fetchall()
    answered = connection.execute(_SQL["broker_read"]).fetchone()
    around = _Around(
        now=now,
        pilot=pilot,
        broker_read=answered is not None and answered["broker_read"],
        away_since=_away_since(connection, pilot, now),
        contacts=journal.contacts(connection, pilot.name),
        denials=journal.denials(connection, pilot.name, since=now - LATELY),
        clocks=clocks,
    )
    slots = [_whereabouts(row, around, latest, reasons, words) for row in rows]
    nobodys = [row for row in around.denials if row["connection"] is None and row["topic"]]
    return Known(
        slots=tuple(sorted(slots, key=lambda one: _SEVERITY[one.answer.tone])),
        unattributed=_told(nobodys, reasons, words),
        broker_read=around.broker_read,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Around:
    """What all slots of a pilot share."""

    now: datetime
    pilot: VisiblePilot
    broker_read: bool
    away_since: datetime | None
    contacts: Mapping[str, journal.Contact]
    denials: Sequence[Row]
    clocks: Mapping[str, SlotClock]

    def off_s(self, slot: str) -> float | None:
        """By how much a clock is off that is beyond the threshold, and whose readings are taken all the same."""
        clock = self.clocks.get(slot)
        return clock.offset_s if clock is not None and clock.beyond and clock.note in ("fast", "slow") else None

    def of(self, connection: str, reason: str) -> Denial | None:
        return _latest([row for row in self.denials if row["connection"] == connection and row["reason"] == reason])

    @property
    def stranger(self) -> Denial | None:
        """A log-in of nobody known that was refused: it may be anybody's, so its count is not told."""
        nobodys = [row for row in self.denials if row["connection"] is None and row["reason"] == "not_let_in"]
        return _latest(nobodys)

    def unattributed(self, slot: str) -> Denial | None:
        own = f"pilots/{self.pilot.name}/{slot}/"
        return _latest([row for row in self.denials if row["connection"] is None and row["topic"].startswith(own)])


def _latest(rows: Sequence[Row]) -> Denial | None:
    """The newest of them, with how often all occurred."""
    if not rows:
        return None
    newest = max(rows, key=lambda row: row["last_at"])
    return Denial(last_at=newest["last_at"], n=sum(row["n"] for row in rows), topic=newest["topic"])


def _away_since(connection: Connection, pilot: VisiblePilot, now: datetime) -> datetime | None:
    """Since when no collector hears; None while one does, or where nothing is recorded of any lately."""
    alive = platform_alive(connection, pilot.name, Window(start=now - LATELY, end=now))
    return alive[-1].end if alive and alive[-1].end < now - _AWAY else None


def _whereabouts(
    row: Row, around: _Around, latest: Sequence[Latest], reasons: Mapping[str, ReasonText], words: Wording
) -> Whereabouts:
    channels = tuple(one for one in latest if one.slot == row["slot"])
    facts = _facts(row, around, channels)
    denied = [one for one in around.denials if one["connection"] == row["connection"]]
    held = None if row["quarantine_id"] is None else held_of(_held_row(row), why_of(row["held_reason"], reasons, words))
    refusal = (
        None
        if row["rejection_id"] is None
        else refusal_of(_refused_row(row), why_of(row["refused_reason"], reasons, words))
    )
    return Whereabouts(
        slot=row["slot"],
        place=row["place"],
        connection=row["connection"],
        username=row["username"],
        topics=row["topics"],
        answer=told(cause_of(facts), words, around.pilot.zone_info, reasons),
        facts=facts,
        gone_why=words.say(GONE.get(facts.gone_why, GONE["other"])) if facts.gone_at else "",
        channels=channels,
        held=held,
        refusal=refusal,
        denials=_told(denied, reasons, words),
    )


def _facts(row: Row, around: _Around, channels: Sequence[Latest]) -> Facts:
    contact = around.contacts.get(row["connection"])
    return Facts(
        now=around.now,
        silence_s=row["silence_s"],
        withdrawn_at=row["withdrawn_at"],
        issued_at=row["issued_at"],
        broker_read=around.broker_read,
        connected_at=contact.connected_at if contact else None,
        gone_at=contact.disconnected_at if contact else None,
        gone_why=contact.why if contact else "",
        not_let_in=around.of(row["connection"], "not_let_in"),
        stranger=around.stranger,
        denied=around.of(row["connection"], "denied"),
        denied_unattributed=around.unattributed(row["slot"]),
        too_large=around.of(row["connection"], "too_large"),
        platform_away_since=around.away_since,
        message_at=row["message_at"],
        heard_at=row["heard_at"],
        stored_at=_stored_at(row, channels),
        quarantined=_trouble(row["held_at"], row["held_reason"]),
        rejected=_trouble(row["refused_at"], row["refused_reason"]),
        clock_off_s=around.off_s(row["slot"]),
    )


def _stored_at(row: Row, channels: Sequence[Latest]) -> datetime | None:
    """When a value was last stored. A slot without channels speaks by events: all that was heard of it and not refused."""
    if channels:
        return max((one.received_at for one in channels if one.received_at is not None), default=None)
    heard: datetime | None = row["heard_at"]
    return heard if row["refused_at"] is None or (heard is not None and row["refused_at"] < heard) else None


def _trouble(at: datetime | None, reason: str | None) -> Trouble | None:
    return None if at is None or reason is None else Trouble(at=at, reason=reason)


def _told(rows: Sequence[Row], reasons: Mapping[str, ReasonText], words: Wording) -> tuple[Refused, ...]:
    """By topic and reason, the newest first."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["topic"], row["reason"]), []).append(row)
    found = [
        Refused(
            topic=topic,
            why=why_of(reason, reasons, words),
            n=sum(row["n"] for row in group),
            last_at=max(row["last_at"] for row in group),
        )
        for (topic, reason), group in groups.items()
    ]
    return tuple(sorted(found, key=lambda one: one.last_at, reverse=True)[:_MOST_DENIALS])


def _held_row(row: Row) -> Row:
    return {
        "quarantine_id": row["quarantine_id"], "received_at": row["held_at"], "connection": row["connection"],
        "topic": row["held_topic"], "detail": row["held_detail"], "payload": row["held_payload"],
        "payload_bytes": row["held_bytes"], "resolved_at": None,
    }  # fmt: skip


def _refused_row(row: Row) -> Row:
    return {
        "rejection_id": row["rejection_id"], "received_at": row["refused_at"], "slot": row["slot"], "item": row["item"],
        "observed": row["observed"], "value": row["value"], "detail": "",
    }  # fmt: skip

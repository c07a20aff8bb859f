"""What was refused of a pilot in the last week: a number beside the tab, and the tables behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from core.database import Connection
from core.sql import load
from core.window import Window, day_window
from dashboards.access import VisiblePilot
from dashboards.reasons import ReasonText, Why, why_of
from dashboards.users import Person
from dashboards.wording import Wording
from telemetry import intake
from telemetry.channels import ChannelInfo, channels

_SQL = load("dashboards", "pilots.sql")
DAYS: Final = 14
MOST_LISTED: Final = 20
_PAYLOAD_SHOWN: Final = 400


def waiting_count(connection: Connection, person: Person, pilot: VisiblePilot) -> int:
    """Messages set aside and values refused in the last seven days."""
    row = connection.execute(
        _SQL["refused_lately"],
        {"person": person.person_id, "name": pilot.name, "day": pilot.today() - timedelta(days=6)},
    ).fetchone()
    return 0 if row is None else row["quarantined"] + row["rejected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonCount:
    """How often one reason occurred at one place."""

    place: str
    kind: str
    """``quarantine`` or ``rejection``."""
    why: Why
    n: int


def reasons_lately(
    connection: Connection,
    pilot: VisiblePilot,
    reasons: Mapping[str, ReasonText],
    words: Wording,
    now: datetime | None = None,
) -> list[ReasonCount]:
    """Why things were refused in the last seven days, the most frequent first."""
    end = now or datetime.now(UTC)
    window = Window(start=end - timedelta(days=7), end=end)
    return [
        ReasonCount(place=row["place"], kind=row["kind"], why=why_of(row["reason"], reasons, words), n=row["n"])
        for row in intake.rejection_counts(connection, pilot.name, window)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A message that could not be taken."""

    reference: str
    received_at: datetime
    connection: str
    """Empty: the topic is nobody's."""
    topic: str
    why: Why
    detail: str
    payload: str
    payload_bytes: int
    whole: bool
    """Whether all of it was kept; of an oversized one the head is, and its hash."""
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A reading or event refused on its own, kept with its value."""

    reference: str
    received_at: datetime
    slot: str
    item: str
    observed: str
    value: str
    why: Why
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A reading that repeats an instant with another value: the first stays."""

    reference: str
    received_at: datetime
    slot: str
    channel: str
    unit: str
    observed_at: datetime
    kept: str
    other: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day of receipt, all connections and slots together."""

    day: date
    expected: int
    delivered: int
    quarantined: int
    stored: int
    duplicate: int
    conflict: int
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Everything of the intake page."""

    days: tuple[Day, ...]
    held: tuple[Held, ...]
    refusals: tuple[Refusal, ...]
    conflicts: tuple[Conflict, ...]


def intake_of(
    connection: Connection,
    pilot: VisiblePilot,
    reasons: Mapping[str, ReasonText],
    words: Wording,
    now: datetime,
    most: int = MOST_LISTED,
) -> Intake:
    """What came in on the last days, and the newest of what was refused."""
    held = intake.quarantined(connection, pilot.name, most=most)
    refusals = intake.rejected(connection, pilot.name, most=most)
    return Intake(
        days=tuple(_days(connection, pilot, now)),
        held=tuple(held_of(row, why_of(row["reason"], reasons, words)) for row in held),
        refusals=tuple(refusal_of(row, why_of(row["reason"], reasons, words)) for row in refusals),
        conflicts=tuple(_conflict(row) for row in intake.conflicts(connection, pilot.name, most=most)),
    )


def held_of(row: intake.Row, why: Why) -> Held:
    """A row of the quarantine as a page shows it."""
    return Held(
        reference=f"Q-{row['quarantine_id']}",
        received_at=row["received_at"],
        connection=row["connection"] or "",
        topic=row["topic"],
        why=why,
        detail=row["detail"],
        payload=shown_payload(row["payload"]),
        payload_bytes=row["payload_bytes"],
        whole=len(row["payload"]) >= row["payload_bytes"],
        resolved_at=row["resolved_at"],
    )


def refusal_of(row: intake.Row, why: Why) -> Refusal:
    """A row of the rejections as a page shows it."""
    return Refusal(
        reference=f"R-{row['rejection_id']}",
        received_at=row["received_at"],
        slot=row["slot"],
        item=row["item"],
        observed=row["observed"],
        value=row["value"][:_PAYLOAD_SHOWN],
        why=why,
        detail=row["detail"],
    )


def _conflict(row: intake.Row) -> Conflict:
    return Conflict(
        reference=f"C-{row['conflict_id']}",
        received_at=row["received_at"],
        slot=row["slot"],
        channel=row["channel"],
        unit=row["unit"],
        observed_at=row["observed_at"],
        kept=f"{row['stored_value']:.10g}",
        other=f"{row['value']:.10g}",
    )


def shown_payload(payload: bytes) -> str:
    """The head of a payload as a person can read it: its text, or its bytes in hexadecimal where it is none."""
    head = bytes(payload[:_PAYLOAD_SHOWN])
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if len(payload) <= len(head) or error.start < len(head) - 4:  # not just a letter cut in two at the end
            return head[:64].hex(" ") + (" …" if len(payload) > 64 else "")
        text = head[: error.start].decode()
    tidy = "".join(letter if letter.isprintable() or letter in "\n\t" else "�" for letter in text)
    return tidy + (" …" if len(payload) > _PAYLOAD_SHOWN else "")


def _days(connection: Connection, pilot: VisiblePilot, now: datetime) -> list[Day]:
    last = pilot.today(now)
    first = last - timedelta(days=DAYS - 1)
    found = channels(connection, pilot.name)
    by_connection = _summed(intake.connection_days(connection, pilot.name, first, last), ("delivered", "quarantined"))
    by_slot = _summed(
        intake.slot_days(connection, pilot.name, first, last), ("stored", "duplicate", "conflict", "rejected")
    )
    days = []
    for offset in range(DAYS):
        day = last - timedelta(days=offset)
        window = day_window(day, pilot.zone_info).intersection(pilot.window).intersection(_until(now, pilot))
        if window.seconds == 0 and day not in by_connection and day not in by_slot:
            continue
        messages, items = by_connection.get(day, {}), by_slot.get(day, {})
        days.append(
            Day(
                day=day,
                expected=_expected(found, window.seconds),
                delivered=messages.get("delivered", 0),
                quarantined=messages.get("quarantined", 0),
                stored=items.get("stored", 0),
                duplicate=items.get("duplicate", 0),
                conflict=items.get("conflict", 0),
                rejected=items.get("rejected", 0),
            )
        )
    return days


def _until(now: datetime, pilot: VisiblePilot) -> Window:
    return Window(start=min(pilot.start_at, now), end=now)


def _expected(found: Sequence[ChannelInfo], seconds: float) -> int:
    """Readings that periodic channels send in so long. The others send when something changes: none are expected."""
    return sum(round(seconds / one.period_s) for one in found if one.reporting == "periodic" and one.period_s)


def _summed(rows: Sequence[intake.Row], columns: Sequence[str]) -> dict[date, dict[str, int]]:
    found: dict[date, dict[str, int]] = {}
    for row in rows:
        of_day = found.setdefault(row["day"], dict.fromkeys(columns, 0))
        for column in columns:
            of_day[column] += row[column]
    return found

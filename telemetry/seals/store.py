"""Seals as they are kept: reading and writing them. What they say is in their record's bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from core.database import Connection
from core.errors import NotFound
from core.sql import load
from core.window import instant, micros
from telemetry.seals.leaves import Leaf, Span, streamed
from telemetry.seals.record import SealRecord, read_record

_SQL = load("telemetry.seals", "store.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedPilot:
    """What sealing must know of a pilot."""

    pilot_id: int
    name: str
    zone: ZoneInfo
    first_day: date
    """Of which it has anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """One seal as it is kept."""

    seal_id: int
    pilot_id: int
    number: int
    day: date
    interim: bool
    epoch: int
    head: str
    record: bytes
    signature: bytes
    key: str
    statement: bytes
    statement_signature: bytes
    recorded_at: datetime
    authority: str | None = None
    stamped_at: datetime | None = None
    token: bytes | None = None

    @property
    def said(self) -> SealRecord:
        """What the record's bytes say.

        :raises ValueError: they are no record.
        """
        return read_record(self.record)


def sealed_pilot(connection: Connection, pilot: str) -> SealedPilot:
    """:raises NotFound: there is no such pilot."""
    row = connection.execute(_SQL["pilot"], {"pilot": pilot}).fetchone()
    if row is None:
        names = ", ".join(one["name"] for one in connection.execute(_SQL["pilots"]))
        raise NotFound(f"There is no pilot {pilot!r}; there are: {names or 'none yet'}.")
    return SealedPilot(
        pilot_id=row["pilot_id"],
        name=row["name"],
        zone=ZoneInfo(row["zone"]),
        first_day=row["first_day"],
    )


def pilot_names(connection: Connection) -> list[str]:
    return [row["name"] for row in connection.execute(_SQL["pilots"])]


def seals(connection: Connection, pilot: str, *, from_number: int = 1) -> list[Seal]:
    """A pilot's seals in the order of their chain."""
    return [_seal(row) for row in connection.execute(_SQL["seals"], {"pilot": pilot, "from_number": from_number})]


def recent(connection: Connection, pilot: str, *, most: int, before: int | None = None) -> list[Seal]:
    """A pilot's newest seals, the newest first.

    :param before: of those with a lower number.
    """
    asked = {"pilot": pilot, "most": most, "before": before}
    return [_seal(row) for row in connection.execute(_SQL["recent"], asked)]


def newest(connection: Connection, pilot_id: int) -> tuple[Seal | None, Seal | None]:
    """The last seal of a pilot, and the last of a whole day."""
    found = [_seal(row) for row in connection.execute(_SQL["newest"], {"pilot_id": pilot_id})]
    return found[-1] if found else None, next((one for one in reversed(found) if not one.interim), None)


def head_of(
    connection: Connection, pilot: str, *, day: date | None = None, as_of: datetime | None = None
) -> Seal | None:
    """The newest seal of a pilot: up to a day, made by an instant, or at all. None if there is none."""
    row = connection.execute(_SQL["head_before"], {"pilot": pilot, "day": day, "as_of": as_of}).fetchone()
    return None if row is None else _seal(row)


def leaves_of(connection: Connection, seal: Seal) -> list[Leaf]:
    """The heads of a seal's leaves, as they were written, in the order of its tree."""
    same: dict[str, str] = {}
    # One text for all leaves that have it: there may be many leaves.
    return [
        Leaf(
            kind=same.setdefault(row["kind"], row["kind"]),
            identity=same.setdefault(row["identity"], row["identity"]),
            unit=same.setdefault(row["unit"], row["unit"]),
            hour_us=None if row["hour"] is None else micros(row["hour"]),
            n=row["n"],
            first_us=None if row["first_observed"] is None else micros(row["first_observed"]),
            last_us=None if row["last_observed"] is None else micros(row["last_observed"]),
            hash=row["hash"],
            body=row["body"],
        )
        for row in streamed(connection, _SQL["leaves"], {"seal_id": seal.seal_id}, binary=True)
    ]


def span_of(seal: Seal, said: SealRecord, first_day: date | None) -> Span:
    """What a seal is about.

    :param first_day: the day after that of the whole-day seal before it; None: there is none.
    """
    return Span(
        pilot_id=seal.pilot_id,
        pilot=said.pilot,
        start=said.start,
        end=said.end,
        first_day=first_day if said.start is not None else None,
        last_day=said.day,
    )


def add(
    connection: Connection,
    pilot_id: int,
    said: SealRecord,
    leaves: Sequence[Leaf],
    *,
    head: str,
    signature: bytes,
    statement: bytes,
    statement_signature: bytes,
) -> Seal:
    """Write a seal with its leaves. Inside a transaction."""
    values: dict[str, Any] = {
        "pilot_id": pilot_id, "number": said.number, "day": said.day, "interim": said.interim, "epoch": said.epoch,
        "head": head, "record": said.bytes(), "signature": signature, "key": said.key, "statement": statement,
        "statement_signature": statement_signature,
    }  # fmt: skip
    row = connection.execute(_SQL["add"], values).fetchone()
    assert row is not None
    with connection.cursor().copy(_SQL["copy_leaves"]) as stream:
        for place, leaf in enumerate(leaves):
            stream.write_row((row["seal_id"], place, *_columns(leaf)))
    return Seal(**row, **values)


def _columns(leaf: Leaf) -> tuple[Any, ...]:
    def at(us: int | None) -> datetime | None:
        return None if us is None else instant(us)

    return (
        leaf.kind, leaf.identity, leaf.unit, at(leaf.hour_us), leaf.n, at(leaf.first_us), at(leaf.last_us), leaf.hash,
        leaf.body,
    )  # fmt: skip


def _seal(row: Mapping[str, Any]) -> Seal:
    data = {key: bytes(row[key]) for key in ("record", "signature", "statement", "statement_signature")}
    return Seal(**{**row, **data})

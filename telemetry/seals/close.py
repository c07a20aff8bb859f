"""Closing a day: everything of it that was received or recorded goes under one hash, signed, chained to the day before.

A day that is over is sealed once; whoever comes second finds it there. Days that were missed are sealed in their order. What
arrives late belongs to the day on which it arrives, so a seal never changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from core.database import Connection
from core.errors import PermanentError
from core.sql import load
from core.version import VERSION
from core.window import MICROSECOND, midnight
from devices.registry.work import await_registry
from telemetry.horizon import close_past
from telemetry.intake import account
from telemetry.seals import store
from telemetry.seals.gathered import reading_leaves
from telemetry.seals.heads import Heads, KnownHead
from telemetry.seals.kinds import KINDS, Kind
from telemetry.seals.leaves import Leaf, Span, line_leaf, total
from telemetry.seals.record import Restored, SealRecord, head, root_of
from telemetry.seals.signing import SealKey
from telemetry.seals.statement import statement
from telemetry.seals.store import Seal, SealedPilot

_SQL = load("telemetry.seals", "store.sql")
_LEAVES = load("telemetry.seals", "leaves.sql")
_KINDS = load("telemetry.seals", "kinds.sql")

_LOCK_CLASS: Final = 7_041_010
"""Of the locks with two keys, which never meet those of :mod:`core.locks`."""
_ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealer:
    """What makes seals: a key, and the memory of what it sealed."""

    key: SealKey
    heads: Heads


def close(connection: Connection) -> datetime:
    """Close the past, for everything that a seal covers.

    :returns: an instant at or before which nothing will ever be received or recorded again.
    """
    closed = close_past(connection)
    await_registry(connection)
    with connection.transaction():
        connection.execute(_SQL["wait_for_locks"])
        connection.execute(_SQL["await_writers"])
    return closed


def seal_days(connection: Connection, pilot: str, sealer: Sealer, *, closed: datetime | None = None) -> list[Seal]:
    """Seal every day of a pilot that is over and has no seal yet, in their order.

    :param closed: the closed past, where it was closed for several pilots at once.
    """
    closed = closed or close(connection)
    made: list[Seal] = []
    known = store.sealed_pilot(connection, pilot)
    while True:
        _, last = store.newest(connection, known.pilot_id)
        day = known.first_day if last is None else last.day + _ONE_DAY
        if midnight(day + _ONE_DAY, known.zone) > closed:
            return made
        seal = _seal(connection, known, sealer, day=day, closed=closed, interim=False)
        if seal is not None:
            made.append(seal)


def seal_now(connection: Connection, pilot: str, sealer: Sealer) -> list[Seal]:
    """Seal the days that are over, and the running day as far as it went: its own seal follows when it is over.

    :returns: what was made, the interim seal last.
    """
    closed = close(connection)
    made = seal_days(connection, pilot, sealer, closed=closed)
    known = store.sealed_pilot(connection, pilot)
    interim = _seal(connection, known, sealer, day=closed.astimezone(known.zone).date(), closed=closed, interim=True)
    return made if interim is None else [*made, interim]


def _seal(
    connection: Connection, pilot: SealedPilot, sealer: Sealer, *, day: date, closed: datetime, interim: bool
) -> Seal | None:
    """One seal; None if somebody else made it meanwhile."""
    counted = account(connection, pilot.name, day, now=closed, timed=False)
    with connection.transaction():
        connection.execute(_SQL["lock"], {"class": _LOCK_CLASS, "pilot_id": pilot.pilot_id})
        newest, last = store.newest(connection, pilot.pilot_id)
        if last is not None and last.day >= day:
            return None
        span = Span(
            pilot_id=pilot.pilot_id,
            pilot=pilot.name,
            start=None if last is None else last.said.end,
            end=closed + MICROSECOND if interim else midnight(day + _ONE_DAY, pilot.zone),
            first_day=None if last is None else last.day + _ONE_DAY,
            last_day=day,
        )
        found = list(leaves(connection, span, interim=interim, before=None if last is None else last.said.rows))
        said = _record(connection, pilot, sealer, span, newest, found, closed=closed, interim=interim)
        data = said.bytes()
        told = statement(connection, said, head(data), counted)
        seal = store.add(
            connection,
            pilot.pilot_id,
            said,
            found,
            head=head(data),
            signature=sealer.key.sign(data),
            statement=told,
            statement_signature=sealer.key.sign(told),
        )
    # Only now is it certain: a head that is remembered and was not committed would look like a lost one.
    sealer.heads.add([KnownHead(pilot=pilot.name, number=seal.number, day=day.isoformat(), head=seal.head)])
    return seal


def leaves(
    connection: Connection,
    span: Span,
    *,
    interim: bool,
    before: Mapping[str, int] | None = None,
    kinds: Iterable[str] = KINDS,
) -> Iterator[Leaf]:
    """Every leaf of a span in the order of the tree, from the store as it is. Inside a transaction.

    :param before: what the whole-day seal before counted. A kind that it does not know is covered from the beginning.
    :param kinds: those that the seal knows.
    """
    connection.execute(_LEAVES["work_memory"])
    connection.execute(_LEAVES["no_compiling"])
    yield from reading_leaves(connection, span)
    whole = replace(span, start=None, first_day=None)
    for name in sorted(set(kinds) & KINDS.keys()):
        covered = span if before is not None and name in before else whole
        kept = is_kept(KINDS[name], interim=interim)
        leaf = line_leaf(connection, covered, name, _KINDS[name], keep=kept)
        if leaf is not None:
            yield leaf


def is_kept(kind: Kind, *, interim: bool) -> bool:
    """Whether a seal keeps the lines of a kind, since the tables go on changing."""
    return kind.kept == "always" or (kind.kept == "interim" and interim)


def _record(
    connection: Connection,
    pilot: SealedPilot,
    sealer: Sealer,
    span: Span,
    newest: Seal | None,
    found: list[Leaf],
    *,
    closed: datetime,
    interim: bool,
) -> SealRecord:
    plan = connection.execute(_SQL["plan_at"], {"pilot_id": pilot.pilot_id, "end": span.end}).fetchone()
    restored = _restored(connection, pilot, sealer.heads, newest)
    if restored is None:
        number = 1 if newest is None else newest.number + 1
        previous = None if newest is None else newest.head
        epoch = 1 if newest is None else newest.epoch
    else:
        number, previous = restored.known_number + 1, restored.known_head
        epoch = 2 if newest is None else newest.epoch + 1
    return SealRecord(
        pilot=pilot.name,
        zone=pilot.zone.key,
        number=number,
        epoch=epoch,
        day=span.last_day,
        interim=interim,
        start=span.start,
        end=span.end,
        as_of=closed,
        root=root_of(found),
        leaves=len(found),
        rows=total(found, KINDS),
        plan={} if plan is None else {"version": plan["version"], "sha256": plan["sha256"]},
        previous=previous,
        code_version=f"pilotbed {VERSION}",
        key=sealer.key.fingerprint,
        restored=restored,
    )


def _restored(connection: Connection, pilot: SealedPilot, heads: Heads, newest: Seal | None) -> Restored | None:
    """Whether the database has gone back behind what was sealed; and let the file know what only the database has.

    :raises PermanentError: the file names a seal of this number with another head: one of the two was changed.
    """
    known = heads.of(pilot.name)
    number = 0 if newest is None else newest.number
    if known and known[-1].number > number:
        return Restored(
            at_number=number,
            at_head=None if newest is None else newest.head,
            known_number=known[-1].number,
            known_head=known[-1].head,
        )
    if known and newest is not None and known[-1].number == number and known[-1].head != newest.head:
        raise PermanentError(
            f"Seal {number} of {pilot.name} is {newest.head[:16]}… in the database and {known[-1].head[:16]}… in"
            f" {heads.path}: one of them was changed. Nothing is sealed on top of it; see docs/evidence.md."
        )
    missing = store.seals(connection, pilot.name, from_number=known[-1].number + 1 if known else 1)
    heads.add(KnownHead(pilot=pilot.name, number=one.number, day=one.day.isoformat(), head=one.head) for one in missing)
    return None

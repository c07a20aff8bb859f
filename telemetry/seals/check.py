"""Checking seals: the chain, the signatures, the roots, and every leaf again from the store. The first that differs is named."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from heapq import merge
from operator import attrgetter
from typing import Final, Literal

from core.database import Connection
from core.sql import load
from core.window import instant, midnight
from telemetry.seals import store
from telemetry.seals.close import is_kept, leaves
from telemetry.seals.heads import Heads
from telemetry.seals.kinds import KINDS, RETAINED
from telemetry.seals.leaves import READING, Leaf, Span, begun_lines
from telemetry.seals.record import SealRecord, head, root_of
from telemetry.seals.signing import PublicKey, is_signed, public_keys, trusted_keys
from telemetry.seals.store import Seal, SealedPilot

_KINDS = load("telemetry.seals", "kinds.sql")
_SQL = load("telemetry.seals", "store.sql")
_ONE_DAY: Final = timedelta(days=1)
_order: Final = attrgetter("order")
_DUE: Final = timedelta(hours=6)
"""A day without a seal so long after its end is one that was left out."""

About = Literal["chain", "signature", "day", "leaf", "header", "witness"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is not as it was sealed."""

    about: About
    number: int | None
    """Of the seal; None: there is none."""
    day: date | None
    leaf: str | None
    """Which one, as ``identity`` or ``identity hour``."""
    what: str
    """What differs: in one line, for a person."""


@dataclass(slots=True, kw_only=True)
class Checked:
    """What a check found."""

    pilot: str
    seals: int = 0
    leaves: int = 0
    rows: int = 0
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    head: str | None = None
    """Of the newest seal that was checked."""

    @property
    def sound(self) -> bool:
        return not self.faults


def check(
    connection: Connection,
    pilot: str,
    *,
    first: date | None = None,
    last: date | None = None,
    heads: Heads | None = None,
    roots: Sequence[str] = (),
    now: datetime | None = None,
) -> Checked:
    """Check the seals of a pilot against each other, their keys, the heads that are remembered, and the store.

    :param first: leaves are made again for the seals of days from here on; the chain is checked whole.
    :param last: … up to and with this day.
    :param heads: the memory of what was sealed, where it is at hand.
    :param roots: fingerprints of keys that are trusted from elsewhere; without any the first key of the store is.
    :raises NotFound: there is no such pilot.
    """
    known = store.sealed_pilot(connection, pilot)
    found = store.seals(connection, pilot)
    result = Checked(pilot=pilot)
    keys = public_keys(connection)
    trusted = trusted_keys(keys, roots)
    said = chain(found, trusted, result)
    result.faults += _missing_days(known, found, now or datetime.now(UTC))
    if heads is not None:
        result.faults += _forgotten(found, said, heads, pilot)
    gone = connection.execute(_SQL["retired"], {"pilot_id": known.pilot_id}).fetchone()
    if gone is not None:
        result.notes.append(
            f"readings and events were deleted from {gone['begun_at']:%Y-%m-%d} on, since the time to keep them was"
            " over: their leaves are checked by their heads alone"
        )
    for sealed in _in_range(found, said, first, last):
        _leaves(connection, sealed, result, readings=gone is None)
        result.seals += 1
        result.head = sealed.seal.head
    return result


def chain(found: Sequence[Seal], trusted: dict[str, PublicKey], result: Checked) -> dict[int, SealRecord]:
    """Check what needs no leaf.

    :returns: what each seal says, by number, as far as that can be read.
    """
    said: dict[int, SealRecord] = {}
    before: tuple[Seal, SealRecord] | None = None
    end: datetime | None = None
    for seal in found:
        try:
            record = seal.said
        except ValueError as error:
            result.faults.append(_fault("chain", seal, f"its record cannot be read: {error}"))
            before = None
            continue
        said[seal.number] = record
        faults = [*_own(seal, record), *_signed(seal, trusted), *_linked(record, before)]
        if (before is not None or seal.number == 1) and record.start != end:
            faults.append(("chain", f"it begins at {record.start}, and the whole-day seal before it ends at {end}"))
        result.faults += [_fault(about, seal, what) for about, what in faults]
        if record.restored is not None:
            result.notes.append(
                f"epoch {record.epoch} begins with seal {seal.number}: the database had been set back to seal"
                f" {record.restored.at_number}, and {record.restored.known_number} was the last that was ever made"
                f" ({record.restored.known_head[:16]}…)"
            )
        before = seal, record
        if not record.interim:
            end = record.end
    return said


def _own(seal: Seal, record: SealRecord) -> Iterator[tuple[About, str]]:
    if head(seal.record) != seal.head:
        yield "chain", f"its head is written as {seal.head[:16]}…, its record's is {head(seal.record)[:16]}…"
    for name in ("number", "day", "interim", "epoch", "key"):
        written, signed = getattr(seal, name), getattr(record, name)
        if written != signed:
            yield "chain", f"its {name} is written as {written}, its record says {signed}"


def _signed(seal: Seal, trusted: dict[str, PublicKey]) -> Iterator[tuple[About, str]]:
    key = trusted.get(seal.key)
    if key is None:
        yield "signature", f"it is signed by the key {seal.key[:16]}…, which no key that we trust has signed"
        return
    if not is_signed(seal.record, seal.signature, key.public):
        yield "signature", f"its signature is not by the key {seal.key[:16]}…"
    if not is_signed(seal.statement, seal.statement_signature, key.public):
        yield "signature", f"the signature of its statement is not by the key {seal.key[:16]}…"
    elif json.loads(seal.statement)["seal"]["head"] != seal.head:
        yield "signature", "its statement names another head"


def _linked(record: SealRecord, before: tuple[Seal, SealRecord] | None) -> Iterator[tuple[About, str]]:
    number = 0 if before is None else before[0].number
    previous = None if before is None else head(before[0].record)
    epoch = (1 if before is None else before[1].epoch) + (record.restored is not None)
    back = record.restored
    if record.epoch != epoch:
        yield "chain", f"its epoch is {record.epoch}, and should be {epoch}"
    if back is not None:
        if (back.at_number, back.at_head) != (number, previous):
            yield "chain", f"it says that the database was at seal {back.at_number}; before it stands {number}"
        number, previous = back.known_number, back.known_head
    if record.number != number + 1:
        missing = f"seal {number + 1}" if record.number == number + 2 else f"seals {number + 1} to {record.number - 1}"
        yield "chain", f"{missing} before it {'is' if record.number == number + 2 else 'are'} missing"
    elif record.previous != previous:
        yield "chain", f"it follows {str(record.previous)[:16]}…, and the seal before it is {str(previous)[:16]}…"


def _missing_days(pilot: SealedPilot, found: Sequence[Seal], now: datetime) -> Iterator[Fault]:
    sealed = {seal.day for seal in found if not seal.interim}
    day = min([pilot.first_day, *sealed])
    run: list[date] = []
    while midnight(day + _ONE_DAY, pilot.zone) + _DUE <= now or day <= max(sealed, default=date.min):
        if day not in sealed:
            run.append(day)
        day += _ONE_DAY
    if run:
        which = f"{run[0]}" if len(run) == 1 else f"{run[0]} and {len(run) - 1} more up to {run[-1]}"
        yield Fault(about="day", number=None, day=run[0], leaf=None, what=f"no seal of {which}")


def _forgotten(found: Sequence[Seal], said: dict[int, SealRecord], heads: Heads, pilot: str) -> Iterator[Fault]:
    there = {seal.number: seal for seal in found}
    lost = [record.restored for record in said.values() if record.restored is not None]
    for known in heads.of(pilot):
        seal = there.get(known.number)
        if seal is not None and seal.head != known.head:
            what = f"its head is {seal.head[:16]}…; when it was made it was {known.head[:16]}… ({heads.path.name})"
            yield _fault("witness", seal, what)
        elif seal is None and not any(back.at_number < known.number <= back.known_number for back in lost):
            day = date.fromisoformat(known.day)
            what = f"seal {known.number} was made ({heads.path.name}: {known.head[:16]}…) and is not in the database"
            yield Fault(about="witness", number=known.number, day=day, leaf=None, what=what)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sealed:
    """A seal in the chain."""

    seal: Seal
    said: SealRecord
    before: SealRecord | None
    """The whole-day seal before it."""

    @property
    def span(self) -> Span:
        return store.span_of(self.seal, self.said, None if self.before is None else self.before.day + _ONE_DAY)


def _in_range(
    found: Sequence[Seal], said: dict[int, SealRecord], first: date | None, last: date | None
) -> Iterator[_Sealed]:
    before: SealRecord | None = None
    for seal in found:
        record = said.get(seal.number)
        if record is None:
            continue
        if (first is None or record.day >= first) and (last is None or record.day <= last):
            yield _Sealed(seal=seal, said=record, before=before)
        if not record.interim:
            before = record


def _leaves(connection: Connection, sealed: _Sealed, result: Checked, *, readings: bool) -> None:
    seal, said, span = sealed.seal, sealed.said, sealed.span
    kept = store.leaves_of(connection, seal)
    again = _again(connection, sealed, kept, readings=readings)
    result.leaves += len(kept)
    result.rows += sum(leaf.n for leaf in kept)
    list_sound = len(kept) == said.leaves and root_of(kept) == said.root
    store_sound = len(again) == said.leaves and root_of(again) == said.root
    if not (list_sound and store_sound and again == kept):
        leaf, what = next(_differences(kept, again), (None, "the leaves are not in their order"))
        if store_sound:
            fault = _fault("header", seal, f"the store agrees with the seal, its list of leaves does not: {what}", leaf)
        elif list_sound:
            fault = _fault("leaf", seal, what, leaf)
        else:
            text = f"neither its list of leaves nor the store comes to its root {said.root[:16]}…: {what}"
            fault = _fault("header", seal, text, leaf)
        result.faults.append(fault)
    result.faults += _changing(connection, seal, span, kept)
    result.faults += _payloads(connection, seal, span)


def _again(connection: Connection, sealed: _Sealed, kept: Sequence[Leaf], *, readings: bool) -> list[Leaf]:
    """The leaves from the store as it is now. What goes on changing is not made again, but taken as it was kept."""
    said = sealed.said
    taken = {name for name in said.rows if name != READING and name not in KINDS}
    taken |= {kind.name for kind in KINDS.values() if is_kept(kind, interim=said.interim)}
    if not readings:
        taken |= {READING, *RETAINED}
    before = None if sealed.before is None else sealed.before.rows
    with connection.transaction():
        found = leaves(connection, sealed.span, interim=said.interim, before=before, kinds=said.rows.keys() - taken)
        made = [leaf for leaf in found if leaf.kind not in taken]
    kept_so = sorted((leaf for leaf in kept if leaf.kind in taken), key=_order)
    return list(merge(made, kept_so, key=_order))


def _differences(kept: Iterable[Leaf], again: Iterable[Leaf]) -> Iterator[tuple[str, str]]:
    """What differs, leaf by leaf in the order of the tree: its name, and in words."""
    old = {leaf.order: leaf for leaf in kept}
    new = {leaf.order: leaf for leaf in again}
    for order in sorted(old.keys() | new.keys()):
        was, is_now = old.get(order), new.get(order)
        if was is None and is_now is not None:
            yield _name(is_now), f"it was not there when it was sealed; now it has {_rows(is_now.n)}"
        elif is_now is None and was is not None:
            yield _name(was), f"it had {_rows(was.n)} when it was sealed; now there is nothing"
        elif was is not None and is_now is not None and was != is_now:
            yield _name(was), _difference(was, is_now)


def _difference(was: Leaf, now: Leaf) -> str:
    parts = []
    if was.n != now.n:
        parts.append(f"n: sealed {was.n}, found {now.n}")
    for name, old, new in (("first", was.first_us, now.first_us), ("last", was.last_us, now.last_us)):
        if old != new:
            parts.append(f"{name} observed: sealed {_instant(old)}, found {_instant(new)}")
    if was.unit != now.unit:
        parts.append(f"unit: sealed {was.unit!r}, found {now.unit!r}")
    if was.hash != now.hash and not parts:
        parts.append(f"rows: {_rows(was.n)} as before, with another content")
    elif was.hash != now.hash:
        parts.append("rows")
    return "; ".join(parts) or "its head"


def _changing(connection: Connection, seal: Seal, span: Span, kept: Sequence[Leaf]) -> Iterator[Fault]:
    """Of what goes on changing: that its kept lines are those that were hashed, and that no number has gone since."""
    for leaf in kept:
        if leaf.body is None:
            continue
        digest = begun_lines(span.pilot, leaf.kind)
        digest.update(leaf.body)
        if digest.digest() != leaf.hash or leaf.body.count(b"\n") != leaf.n:
            yield _fault("leaf", seal, "its kept lines were changed", _name(leaf))
        elif leaf.kind == "sequence":
            for text in leaf.body.splitlines():
                line = json.loads(text)
                asked = {
                    "pilot_id": span.pilot_id, "connection": line["connection"], "boot": line["boot"],
                    "day": line["day"], "received": line["received"],
                }  # fmt: skip
                row = connection.execute(_KINDS["numbers_lost"], asked).fetchone()
                if row is not None:
                    sender = f"{line['connection']} {line['boot']}".strip()
                    what = (
                        f"of {sender} on {line['day']} the numbers {line['received']} had come; {row['lost']} are gone"
                    )
                    yield _fault("leaf", seal, what, _name(leaf))
                    break


def _payloads(connection: Connection, seal: Seal, span: Span) -> Iterator[Fault]:
    row = connection.execute(_KINDS["payloads_that_differ"], span.parameters()).fetchone()
    if row is not None:
        what = f"the payload of message {row['quarantine_id']} ({row['topic']}) does not have its recorded hash"
        yield _fault("leaf", seal, what, f"{span.pilot}:quarantine")


def _fault(about: About, seal: Seal, what: str, leaf: str | None = None) -> Fault:
    return Fault(about=about, number=seal.number, day=seal.day, leaf=leaf, what=what)


def _name(leaf: Leaf) -> str:
    return leaf.identity if leaf.hour_us is None else f"{leaf.identity} {_instant(leaf.hour_us)}"


def _instant(us: int | None) -> str:
    return "none" if us is None else instant(us).isoformat()


def _rows(n: int) -> str:
    return "1 row" if n == 1 else f"{n} rows"

"""What the senders remember beside what the store holds: lost, doubled, and whether the accounting is exact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pilotbed.bench.chaos.load import Sender, counted
from telemetry import binary

_MOST_SHOWN: Final = 5


class Store(Protocol):
    """What is asked of the platform (see :class:`pilotbed.bench.chaos.stage.Stage`)."""

    @property
    def unasked(self) -> Sequence[str]: ...

    def rows(self, block: str, **values: Any) -> list[dict[str, Any]]:
        """What a block of chaos.sql yields."""


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What a comparison found."""

    published: int = 0
    acknowledged: int = 0
    stored: int = 0
    doubled: int = 0
    lost: dict[str, int] = field(default_factory=dict)
    """By kind of sender: acknowledged by the broker, and not in the store."""
    lost_despite_receipts: int = 0
    """Published by senders that go by receipts, let go of by them, and not in the store."""
    redelivered: int = 0
    duplicates: int = 0
    wrong: list[str] = field(default_factory=list)
    """What is not as it must be, other than losses."""
    which: list[str] = field(default_factory=list)
    """The first losses, by sender and number."""


def judge(store: Store, senders: Sequence[Sender], *, start_ms: int, broker_killed: bool) -> Verdict:
    """Compare.

    :param broker_killed: then what the plain senders lost is no fault of ours, and shows as missing numbers.
    """
    verdict = Verdict()
    rows = {row["slot"]: row for row in store.rows("stored", start_ms=start_ms)}
    stored = {slot: _numbers(row["values"]) for slot, row in rows.items()}
    for sender in senders:
        there = np.zeros(sender.published + 1, dtype=bool)
        values = stored.get(sender.slot, np.empty(0, dtype=np.int64))
        known = values[(values >= 1) & (values <= sender.published)]
        there[known] = True
        verdict.published += sender.published
        verdict.acknowledged += counted(sender.acknowledged)
        verdict.stored += int(there.sum())
        verdict.doubled += len(known) - int(there.sum())
        if len(known) != len(values):
            verdict.wrong.append(f"{sender.slot}: {len(values) - len(known)} readings that nobody sent")
        _lost(verdict, sender, there)
    verdict.wrong += [f"{slot}: {row['altered']} readings altered" for slot, row in rows.items() if row["altered"]]
    verdict.wrong += store.unasked
    counts = {slot: row["n"] for slot, row in rows.items()}
    _accounting(store, verdict, senders, counts, broker_killed=broker_killed)
    _sequences(store, verdict, senders, stored, broker_killed=broker_killed)
    return verdict


def _lost(verdict: Verdict, sender: Sender, there: NDArray[np.bool_]) -> None:
    acknowledged = _marked(sender.acknowledged, sender.published)
    lost = np.flatnonzero(acknowledged & ~there)
    verdict.lost[sender.kind] = verdict.lost.get(sender.kind, 0) + len(lost)
    if len(lost):
        shown = ", ".join(str(number) for number in lost[:_MOST_SHOWN])
        verdict.which.append(f"{sender.slot} ({sender.kind}): {len(lost)} lost, the first {shown}, the last {lost[-1]}")
    if sender.kind == "receipts":
        verdict.lost_despite_receipts += sender.published - int(there.sum())
        if sender.open:
            verdict.wrong.append(
                f"{sender.slot}: {sender.open} messages still await their receipt ({sender.receipts} receipts came, the last:"
                f" {_short(sender.receipt)})"
            )
    elif sender.open:
        verdict.wrong.append(f"{sender.slot}: {sender.open} messages still await the broker's acknowledgement")


def _accounting(
    store: Store, verdict: Verdict, senders: Sequence[Sender], rows: dict[str, int], *, broker_killed: bool
) -> None:
    """The identities of the accounting, and that its tables agree with each other and with the readings."""
    connections = {row["username"]: row for row in store.rows("connections")}
    slots = {row["slot"]: row for row in store.rows("slots")}
    verdict.redelivered = sum(row["redelivered"] for row in connections.values())
    verdict.duplicates = sum(row["duplicate"] for row in slots.values())
    for sender in senders:
        by_connection, by_slot = connections.get(sender.username), slots.get(sender.slot)
        if by_connection is None or by_slot is None:
            verdict.wrong.append(f"{sender.slot}: not accounted for")
            continue
        told = {key: value for key, value in (by_connection | by_slot).items() if isinstance(value, int)}
        for left, right in (
            ("delivered", ("committed", "quarantined")),
            ("decoded", ("stored", "duplicate", "conflict", "rejected")),
            ("committed", ("decoded",)),  # a message has one reading
        ):
            if told[left] != sum(told[key] for key in right):
                verdict.wrong.append(f"{sender.slot}: {left} is not {' + '.join(right)}: {told}")
        if told["stored"] != rows.get(sender.slot, 0):
            verdict.wrong.append(
                f"{sender.slot}: {told['stored']} readings counted as stored, {rows.get(sender.slot, 0)} are there"
            )
        # A broker that was killed delivers what it had not saved as settled, and does not know that it is for the second time.
        if not broker_killed and told["delivered"] - told["redelivered"] > sender.transmissions:
            verdict.wrong.append(
                f"{sender.slot}: {told['delivered']} messages counted as delivered, {told['redelivered']} of them again, but"
                f" only {sender.transmissions} were sent"
            )
    verdict.wrong += [f"{n} {what}" for what, n in store.rows("refused")[0].items() if n]
    raw, committed = store.rows("raw")[0]["n"], sum(row["committed"] for row in connections.values())
    if raw != committed:
        verdict.wrong.append(f"{raw} raw messages are kept of {committed} committed")


def _sequences(
    store: Store,
    verdict: Verdict,
    senders: Sequence[Sender],
    stored: dict[str, NDArray[np.int64]],
    *,
    broker_killed: bool,
) -> None:
    """The accounting by number: sent = distinct delivered + missing, and missing is what was lost."""
    found = {row["username"]: row for row in store.rows("sequences")}
    for sender in senders:
        if sender.kind == "plain":
            continue
        row = found.get(sender.username)
        if row is None:
            verdict.wrong.append(f"{sender.slot}: its message numbers are not accounted for")
            continue
        missing = row["spanned"] - row["received"]
        distinct = len(np.unique(stored.get(sender.slot, np.empty(0, dtype=np.int64))))
        told = f"{sender.slot}: {sender.published} were sent, {distinct} are stored, and by number {dict(row)}"
        if row["received"] != distinct or row["first"] != 1 or row["spanned"] != row["through"]:
            verdict.wrong.append(told)
        elif not (broker_killed and sender.kind == "numbered") and (missing or row["through"] != sender.published):
            verdict.wrong.append(f"{told}: {missing} missing")


def _marked(ranges: Iterable[tuple[int, int]], published: int) -> NDArray[np.bool_]:
    marked = np.zeros(published + 1, dtype=bool)
    for start, end in ranges:
        marked[start : end + 1] = True
    return marked


def _numbers(values: bytes) -> NDArray[np.int64]:
    return binary.floats(values).astype(np.int64)


def _short(receipt: dict[str, Any] | None) -> str:
    text = str(receipt)
    return text if len(text) <= 200 else f"{text[:199]}…"

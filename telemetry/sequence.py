"""Message numbers: which of a sender's messages are committed, and which never came.

A message may carry ``seq``, a number that its sender counts up, and ``boot``, which tells one counting from another. Each day
of receipt accounts for the numbers that were first passed on it, so ``sent = distinct delivered + missing`` holds for every
day, however late a hole is filled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.database import Connection
from core.sql import load

_SQL = load("telemetry", "sequence.sql")

MOST_HOLES: Final = 20_000
"""So many holes of one sender are kept; of more the older half is counted as missing for good. A sender that keeps ten thousand
messages until their receipt never has as many: its holes lie among those."""
TOLD_HOLES: Final = 500
"""So many holes a statement tells; it begins above the others."""

Sender = tuple[int, str]
"""(connection_id, boot)"""
Range = tuple[int, int]
"""Numbers from the first to the second, both included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceState:
    """What is committed of one sender: all from ``first`` to ``through`` but the ``missing``."""

    connection_id: int
    boot: str
    """Empty where the sender names none."""
    first: int
    """Of lower numbers nothing is said."""
    through: int
    missing: tuple[Range, ...]
    stored: int
    """How many numbers are committed, ever."""
    at: datetime
    """Receipt time of the newest of them."""


def account(connection: Connection, numbers: Iterable[tuple[int, str, int]], received_at: datetime) -> None:
    """Enter numbers that a batch carried: (connection_id, boot, seq). Inside the transaction that commits the batch."""
    counts = Counter(numbers)
    if not counts:
        return
    by_sender: dict[Sender, list[int]] = {}
    for connection_id, boot, seq in counts:
        by_sender.setdefault((connection_id, boot), []).append(seq)
    senders = sorted(by_sender)
    given = {
        "connections": [connection_id for connection_id, _ in senders],
        "boots": [boot for _, boot in senders],
        "numbers": [multirange(ranges(by_sender[sender])) for sender in senders],
        "received_at": received_at,
    }
    for step in ("extend_backwards", "fill", "go_on"):
        connection.execute(_SQL[step], given)
    again = [(*key, n - 1) for key, n in counts.items() if n > 1]
    if again:
        columns = zip(*again, strict=True)
        connection.execute(
            _SQL["count_repeated"], dict(zip(("connections", "boots", "seqs", "ns"), map(list, columns), strict=True))
        )


def states(connection: Connection, senders: Iterable[Sender], *, most_holes: int = TOLD_HOLES) -> list[SequenceState]:
    """What is committed of these senders.

    :param most_holes: of more holes the newest are told; what lies before them is left out of the statement.
    """
    wanted = sorted(set(senders))
    rows = connection.execute(
        _SQL["states"], {"connections": [sender[0] for sender in wanted], "boots": [sender[1] for sender in wanted]}
    ).fetchall()
    found = []
    for row in rows:
        holes = parse(row["missing"] or "{}")
        if len(holes) > MOST_HOLES:
            _give_up(connection, row["connection_id"], row["boot"], holes[: len(holes) - MOST_HOLES // 2])
        told = holes[-most_holes:] if most_holes else []
        untold = holes[len(holes) - len(told) - 1][1] + 1 if len(told) < len(holes) else 0
        first = max(row["first"], untold, (row["given_up_through"] or -1) + 1)
        told = [hole for hole in told if hole[0] >= first]
        missing = sum(last - start + 1 for start, last in holes) + row["given_up"]
        found.append(
            SequenceState(
                connection_id=row["connection_id"],
                boot=row["boot"],
                first=first,
                through=row["through"],
                missing=tuple(told),
                stored=row["through"] - row["first"] + 1 - missing,
                at=row["at"],
            )
        )
    return found


def _give_up(connection: Connection, connection_id: int, boot: str, holes: list[Range]) -> None:
    given = {"connection": connection_id, "boot": boot, "holes": multirange(holes), "through": holes[-1][1]}
    connection.execute(_SQL["give_up"], given)


def ranges(numbers: Iterable[int]) -> list[Range]:
    """Numbers as runs without a gap, in order.

    >>> ranges([3, 1, 2, 7])
    [(1, 3), (7, 7)]
    """
    runs: list[Range] = []
    start = last = None
    for number in sorted(set(numbers)):
        if last is not None and number == last + 1:
            last = number
            continue
        if start is not None and last is not None:
            runs.append((start, last))
        start = last = number
    if start is not None and last is not None:
        runs.append((start, last))
    return runs


def multirange(runs: Iterable[Range]) -> str:
    """Runs in PostgreSQL's words.

    >>> multirange([(1, 3), (7, 7)])
    '{[1,3],[7,7]}'
    """
    return "{" + ",".join(f"[{first},{last}]" for first, last in runs) + "}"


def parse(text: str) -> list[Range]:
    """The other way; PostgreSQL writes whole numbers half-open.

    >>> parse("{[1,4),[7,8)}")
    [(1, 3), (7, 7)]
    """
    inner = text.strip("{}")
    if not inner:
        return []
    pairs = (piece.strip("[)").split(",") for piece in inner.split("),"))
    return [(int(first), int(end) - 1) for first, end in pairs]

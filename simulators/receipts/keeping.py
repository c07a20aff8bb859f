"""What a sender keeps, and what of it is to be sent again. No I/O and no clock: the time comes in.

Two things show a loss, and each has its remedy:

1. A receipt reaches beyond a number without covering it: the message is missing. It may still be on its way (two collectors
   commit out of order), so it is sent again only after some seconds. Of numbers below its first a receipt says nothing: they
   may be stored, and wait for a receipt that speaks of them.
2. Nothing was receipted for long. Then the newest message alone is sent again: once that is committed, the receipt that
   answers reaches beyond all others, and those that are lost show as missing. So a database that is away for an hour costs
   a few repetitions, not an hour's messages again and again. Newer messages do the same service by themselves.

Repetitions that change nothing come at growing intervals.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from simulators.receipts.receipt import Receipt

M = TypeVar("M")


class Number(NamedTuple):
    """What a message is known by: which numbering, and its number there, from 1 on."""

    boot: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a sender waits before it sends a message again; each further time twice as long."""

    missing_s: float = 3.0
    """A message that is missing, after it was sent and found missing."""
    silent_s: float = 10.0
    """The newest message, while no receipt comes."""
    longest_s: float = 300.0
    """The longest of these waits, and how long a message waits of which receipts do not speak."""

    def wait_s(self, first_s: float, times: int) -> float:
        """How long to wait after so many repetitions.

        >>> [Patience().wait_s(3.0, times) for times in (0, 1, 2, 10)]
        [3.0, 6.0, 12.0, 300.0]
        """
        return min(self.longest_s, first_s * 2.0 ** min(times, 30))


@dataclass(slots=True, kw_only=True)
class _Kept(Generic[M]):
    message: M
    sent_at: float
    missed_since: float | None = None
    """Since when receipts reach beyond it without covering it."""
    below_first: bool = False
    """They do not even speak of it: there are too many holes to be told at once, or it is given up there."""
    repeated: int = 0
    """How often it was sent again since it is missing."""


@dataclass(slots=True)
class _Numbering(Generic[M]):
    """The messages of one boot that are not receipted, in their order."""

    kept: dict[int, _Kept[M]] = field(default_factory=dict)
    asked: int = 0
    """How often its newest message was sent again since the last receipt."""
    soon: bool = True
    """Ask as early as for a missing message."""


class Keeping(Generic[M]):
    """The messages of one sender that are not receipted yet.

    :param boot: names this life's numbering; no other life of the sender has had it.
    :param limit: how many messages may be kept: then :attr:`full`, and the sender has to wait.
    :param former: what former lives left unreceipted, in the order of their numbers.
    """

    def __init__(
        self, boot: str, *, limit: int, patience: Patience | None = None, former: Iterable[tuple[Number, M]] = ()
    ) -> None:
        self.boot = boot
        self.limit = limit
        self._patience = patience or Patience()
        self._numberings: dict[str, _Numbering[M]] = {}
        self._missing: set[Number] = set()
        self._last = self._count = 0
        self._asked_at = float("-inf")
        for number, message in former:
            assert number.boot != boot, "a boot that was used before"
            self._add(number, message, float("-inf"))

    def __len__(self) -> int:
        """How many messages are kept."""
        return self._count

    def __iter__(self) -> Iterator[Number]:
        """The numbers of the kept messages."""
        for boot, numbering in self._numberings.items():
            yield from (Number(boot, seq) for seq in numbering.kept)

    def __contains__(self, number: Number) -> bool:
        numbering = self._numberings.get(number.boot)
        return numbering is not None and number.seq in numbering.kept

    @property
    def full(self) -> bool:
        """Whether no further message can be kept for now."""
        return self._count >= self.limit

    @property
    def next_number(self) -> Number:
        """What the next new message carries."""
        return Number(self.boot, self._last + 1)

    def keep(self, message: M, now: float) -> None:
        """Keep the message of :attr:`next_number`, which is sent now."""
        assert not self.full, "nothing more can be kept"
        number = self.next_number
        self._last = number.seq
        self._add(number, message, now)

    def take(self, receipt: Receipt, now: float) -> list[Number]:
        """Let go of what a receipt covers, and return those numbers. Old, repeated and reordered receipts do no harm."""
        numbering = self._numberings.get(receipt.boot) if receipt.boot is not None else None
        if receipt.boot is None or numbering is None:
            return []
        numbering.asked, numbering.soon = 0, False
        covered: list[Number] = []
        for seq, kept in numbering.kept.items():
            if seq > receipt.through:
                break
            number = Number(receipt.boot, seq)
            if receipt.covers(seq):
                covered.append(number)
            else:
                below_first = seq < receipt.first
                if kept.missed_since is None or (kept.below_first and not below_first):
                    kept.missed_since, kept.repeated = now, 0
                kept.below_first = below_first
                self._missing.add(number)
        for number in covered:
            del numbering.kept[number.seq]
        self._missing.difference_update(covered)
        self._count -= len(covered)
        if not numbering.kept:
            del self._numberings[receipt.boot]
        return covered

    def ask_soon(self, now: float) -> None:
        """The connection is new, so that receipts may have been missed; or no more messages will come that ask by themselves."""
        self._asked_at = now
        for numbering in self._numberings.values():
            numbering.asked, numbering.soon = 0, True
        for number in self._missing:
            self._kept(number).repeated = 0

    def due(self, now: float) -> list[Number]:
        """What is to be sent again now: what is missing for long enough, and the newest message of a silent numbering."""
        found = sorted(number for number in self._missing if self._is_overdue(self._kept(number), now))
        for boot, numbering in self._numberings.items():
            seq, newest = next(reversed(numbering.kept.items()))
            first_s = self._patience.missing_s if numbering.soon else self._patience.silent_s
            wait_s = self._patience.wait_s(first_s, numbering.asked)
            if newest.missed_since is None and now - max(newest.sent_at, self._asked_at) >= wait_s:
                found.append(Number(boot, seq))
        return found

    def again(self, number: Number, now: float) -> M:
        """The kept message of that number, which is sent again now."""
        kept = self._kept(number)
        kept.sent_at = now
        if kept.missed_since is None:
            self._numberings[number.boot].asked += 1
        else:
            kept.repeated += 1
        return kept.message

    def _is_overdue(self, kept: _Kept[M], now: float) -> bool:
        assert kept.missed_since is not None
        since = max(kept.sent_at, kept.missed_since, self._asked_at)
        if kept.below_first:
            return now - since >= self._patience.longest_s
        return now - since >= self._patience.wait_s(self._patience.missing_s, kept.repeated)

    def _add(self, number: Number, message: M, sent_at: float) -> None:
        numbering = self._numberings.get(number.boot)
        if numbering is None:
            numbering = self._numberings[number.boot] = _Numbering(soon=number.boot != self.boot)
        assert number.seq > next(reversed(numbering.kept), 0), "numbers come in their order"
        numbering.kept[number.seq] = _Kept(message=message, sent_at=sent_at)
        self._count += 1

    def _kept(self, number: Number) -> _Kept[M]:
        return self._numberings[number.boot].kept[number.seq]

"""What the platform says on ``pilots/{pilot}/{slot}/receipt``: which numbers of a sender are committed."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Every number from ``first`` to ``through`` is committed, except the missing ones. Of the others it says nothing.

    >>> receipt = Receipt(boot="b1", first=1, through=6, missing=((2, 3), (5, 5)))
    >>> [seq for seq in range(9) if receipt.covers(seq)]
    [1, 4, 6]
    """

    boot: str | None
    """Which numbering it is about; None: that of a sender that names none."""
    first: int
    through: int
    missing: tuple[tuple[int, int], ...] = ()
    """Ranges with both ends in them, ascending and apart."""

    def __post_init__(self) -> None:
        ends = [end for span in self.missing for end in span]
        if ends != sorted(ends) or any(a[1] >= b[0] for a, b in zip(self.missing, self.missing[1:], strict=False)):
            raise ValueError(f"The missing ranges {self.missing!r} are not ascending and apart.")

    def covers(self, seq: int) -> bool:
        """Whether the message of that number is committed: only then may its sender let go of it."""
        if not self.first <= seq <= self.through:
            return False
        place = bisect_right(self.missing, seq, key=lambda span: span[0])
        return place == 0 or self.missing[place - 1][1] < seq


def read_receipt(payload: bytes) -> Receipt:
    """The receipt in a message. What it holds beside these four keys is not for the sender.

    :raises ValueError: it is none. To take half of one would be to let go of a message that may be lost.
    """
    found: Any = json.loads(payload)
    if type(found) is not dict:
        raise ValueError(f"A receipt is an object, not {payload[:40]!r}.")
    boot, first, through, missing = (found.get(key) for key in ("boot", "first", "through", "missing"))
    if boot is not None and type(boot) is not str:
        raise ValueError(f"boot={boot!r} is neither text nor null.")
    if type(first) is not int or type(through) is not int:
        raise ValueError(f"first={first!r} and through={through!r} are not both whole numbers.")
    return Receipt(boot=boot, first=first, through=through, missing=tuple(_spans(missing)))


def _spans(missing: Any) -> Iterator[tuple[int, int]]:
    for span in missing if type(missing) is list else [missing]:
        if type(span) is not list or [type(end) for end in span] != [int, int]:
            raise ValueError(f"missing={missing!r} is no list of ranges.")
        yield span[0], span[1]

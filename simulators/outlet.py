"""How a simulated device sends: with the broker's word alone, or until the platform's receipt."""

from __future__ import annotations

from collections.abc import Iterable

from simulators.publisher import Publisher
from simulators.receipts.sender import Counts, Sender

Outlet = Publisher | Sender


def counts_of(outlets: Iterable[Outlet]) -> Counts | None:
    """What came of the messages that were to be receipted, all together; None where none were."""
    found = [outlet.counts for outlet in outlets if isinstance(outlet, Sender)]
    return sum(found, start=Counts()) if found else None


def unconfirmed_of(outlets: Iterable[Outlet]) -> int:
    """How many messages went at QoS 0, all together."""
    return sum(outlet.unconfirmed for outlet in outlets if isinstance(outlet, Publisher))

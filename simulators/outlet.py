"""How a simulated device sends: with the broker's word alone, or until the platform's receipt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from core.errors import PermanentError
from devices.plan.model import Plan
from simulators.login import Login
from simulators.publisher import Publisher, Will
from simulators.receipts.sender import Counts, Receipts, Sender

Outlet = Publisher | Sender


def opened(
    login: Login,
    plan: Plan,
    slot: str,
    *,
    receipts: Receipts | None,
    will: Will | None = None,
    greetings: Callable[[], Sequence[tuple[str, bytes]]] | None = None,
    patience_s: float | None = 60.0,
) -> Outlet:
    """What a connection of the plan sends through, not connected yet.

    :param slot: any one that the connection speaks for.
    :raises PermanentError: receipts, and the connection has no clock.
    """
    if receipts is None:
        return Publisher(login, will=will, greetings=greetings, patience_s=patience_s)
    name, connection = plan.connection_of(slot)
    if not connection.clock:
        raise PermanentError(
            f"Connection {name!r} of pilot {plan.pilot!r} is declared without a clock: what it sends again would count as"
            " news. Send without --receipts, or give the device a clock."
        )
    return Sender(
        login,
        receipts,
        name=f"{plan.pilot}/{name}",
        slot_topic=f"pilots/{plan.pilot}/{slot}",
        will=will,
        greetings=greetings,
        patience_s=patience_s,
    )


def counts_of(outlets: Iterable[Outlet]) -> Counts | None:
    """What came of the messages that were to be receipted, all together; None where none were."""
    found = [outlet.counts for outlet in outlets if isinstance(outlet, Sender)]
    return sum(found, start=Counts()) if found else None

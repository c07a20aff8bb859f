"""The connection topic: whether a robot is there."""

from __future__ import annotations

from typing import Any, Final, Literal

from ingest import reasons
from ingest.binding import ConnectionBinding
from ingest.message import RETAINED, Decoded, Message
from ingest.protocols.counted import require_counted
from ingest.protocols.json import document
from ingest.protocols.vda5050.scope import Scope
from ingest.reasons import Refused
from telemetry.batch import LinkStateRecord

State = Literal["online", "offline"]
_STATES: Final[dict[str, State]] = {
    "ONLINE": "online", "OFFLINE": "offline", "HIBERNATING": "offline", "CONNECTIONBROKEN": "offline",
    "CONNECTION_BROKEN": "offline",
}  # fmt: skip
_WILLS: Final = frozenset({"CONNECTIONBROKEN", "CONNECTION_BROKEN"})


def is_link(found: dict[str, Any]) -> bool:
    """Whether a message tells a state that there is."""
    raw = found.get("connectionState")
    return type(raw) is str and raw in _STATES


def link(
    binding: ConnectionBinding, scope: Scope, found: dict[str, Any], said_us: int | None, message: Message, out: Decoded
) -> State | None:
    """Put the link's state out for the robot's slots. :returns: what it is; None where it was not taken."""
    raw = found.get("connectionState")
    state = _STATES.get(raw) if type(raw) is str else None
    if state is None:
        detail = f"connectionState={document.named(raw)}: {'|'.join(_STATES)}"
        out.quarantine(message, binding.connection_id, reasons.BAD_STATUS, detail)
        return None
    will = raw in _WILLS
    try:
        at_us = _counted(said_us if not will else None, raw, binding, message)
    except Refused as why:
        observed = None if will else found.get("timestamp")
        for sources in scope.sources:
            sources.refuse("status", None if observed is None else document.shown(observed), raw, why, message, out)
        return None
    for slot in scope.slots:
        out.link_states.append(
            LinkStateRecord(slot_id=slot.slot_id, at_us=at_us, state=state, origin="will" if will else "status")
        )
    return state


def _counted(said_us: int | None, raw: Any, binding: ConnectionBinding, message: Message) -> int:
    if said_us is None and message.flags & RETAINED:
        # It greets every subscriber, and nobody knows when it was.
        raise Refused(reasons.TIME_MISSING, f"retain=1 {raw}")
    at_us = message.received_us if said_us is None else said_us
    require_counted(at_us, binding, message)
    return at_us

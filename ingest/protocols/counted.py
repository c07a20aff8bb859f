"""When a piece of a message counts for its pilot, whatever its protocol; what becomes of a message of which nothing does."""

from __future__ import annotations

from ingest import reasons
from ingest.binding import FUTURE_US, ConnectionBinding
from ingest.message import Decoded, Message
from ingest.reasons import Refused


def require_counted(at_us: int, binding: ConnectionBinding, message: Message) -> None:
    """
    :raises Refused: the instant lies after the receipt, or outside the pilot.
    """
    if at_us > message.received_us + FUTURE_US:
        raise Refused(reasons.IN_FUTURE, f"time = received + {(at_us - message.received_us) / 1e6:.0f} s")
    if at_us < binding.start_us:
        raise Refused(reasons.BEFORE_PILOT, f"time = start - {(binding.start_us - at_us) / 1e6:.0f} s")
    if at_us >= binding.end_us:
        raise Refused(reasons.AFTER_PILOT, f"time = end + {(at_us - binding.end_us) / 1e6:.0f} s")


def set_aside_if_curable(message: Message, binding: ConnectionBinding, out: Decoded, refused: int) -> bool:
    """Of a message of which nothing was taken: if the plan can cure every refusal, it is set aside whole and can be replayed.

    :param refused: how many refusals there were before this message.
    :returns: False where there was no refusal: then the protocol says what is wrong with the message.
    """
    refusals = out.rejected[refused:]
    if refusals and all(reasons.curable(refusal.reason) for refusal in refusals):
        del out.rejected[refused:]
        first = refusals[0]
        out.quarantine(message, binding.connection_id, first.reason, f"{first.item}: {first.detail}")
    return bool(refusals)

"""The order of a node's messages: ``seq`` from 0 to 255 and on from 0 → numbers since its birth that never wrap."""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace

from ingest import reasons
from ingest.binding import FUTURE_US
from ingest.message import Decoded, Message
from ingest.protocols.sparkplug.remembered import Count
from ingest.protocols.sparkplug.state import State

LARGEST_SEQ: Final = 255
_MOST_HOLES: Final = 1_024


def begin(payload: Any, message: Message) -> Count:
    """The numbering after a birth, which is number 1 whatever its ``seq``."""
    numbered = payload.HasField("seq") and payload.seq <= LARGEST_SEQ
    return Count(2, (payload.seq + 1) & LARGEST_SEQ if numbered else -1, plausible(payload.timestamp, message))


def place(state: State, payload: Any, message: Message, out: Decoded) -> tuple[int, bool]:
    """The number of a message since its node's birth (0: it has none), and whether it came before, or late."""
    session, count = state.session, state.count
    seq, ms = payload.seq, payload.timestamp
    if not session.alive or not payload.HasField("seq") or seq > LARGEST_SEQ:
        return 0, False
    ahead = 0 if count.seq < 0 else (seq - count.seq) & LARGEST_SEQ
    again = (ahead >= 128 and ms <= count.latest_ms) or (ahead == 0 and message.redelivered and ms < count.latest_ms)
    if again and ms:
        number = count.number - 256 + ahead
        if number < 2 or ms < session.born_ms:
            return 0, True
        out.numbered(state.connection_id, session.boot, number)
        return number, True
    number = count.number + ahead
    if ahead:
        holes = (*session.holes, *range(count.number, number))[-_MOST_HOLES:]
        state.session = replace(session, holes=holes)
        state.doubt(message.received_us)
    state.count = Count(number + 1, (seq + 1) & LARGEST_SEQ, max(count.latest_ms, plausible(ms, message)))
    out.numbered(state.connection_id, session.boot, number)
    return number, False


def refuse(state: State, payload: Any, message: Message, out: Decoded) -> None:
    """Tell that a ``seq`` is none; the message's data may be taken all the same."""
    seq = payload.seq
    for slot in state.node.slots[:1] if seq > LARGEST_SEQ else ():
        out.reject(
            slot_id=slot.slot_id, topic=message.topic, item="seq", observed="", value=str(seq),
            reason=reasons.BAD_SEQUENCE, detail=f"0..{LARGEST_SEQ}",
        )  # fmt: skip


def plausible(ms: int, message: Message) -> int:
    """A time by which later ones may be judged: a clock that runs ahead must not make all that follows look old."""
    return int(ms) if ms * 1000 <= message.received_us + FUTURE_US else 0


def fills(state: State, number: int) -> bool:
    """Whether a number was waited for."""
    return number > 0 and number in state.session.holes


def fill(state: State, number: int) -> bool:
    """Wait for a number no longer. :returns: whether nothing else is waited for now."""
    if not fills(state, number):
        return False
    state.session = replace(state.session, holes=tuple(one for one in state.session.holes if one != number))
    return not state.session.holes

"""A recorded series, sent through the broker as the slot's device would have sent it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import NotFound, PermanentError
from devices.plan.model import Plan
from simulators.encoding import Utterance
from simulators.outlet import counts_of, unconfirmed_of
from simulators.receipts.sender import Counts
from simulators.recording import BadRow, Row, rows
from simulators.speaker import Speaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came of it."""

    rows: int
    sent: int
    acknowledged: int
    unconfirmed: int
    """Sent at QoS 0: nobody says whether they arrived."""
    unheard: int
    """Acknowledged by the broker, but no collector has ever listened there: gone."""
    receipts: Counts | None
    """None: sent without."""
    bad: int
    seconds: float


def recorded(
    plan: Plan, slot: str, channel: str, path: Path, *, time_column: str | None = None, value_column: str | None = None
) -> Iterator[Row | BadRow]:
    """The rows of a file as readings of a channel: local times are the plan's, values the channel's source unit's.

    :raises NotFound: the plan has no such slot or channel, or there is no such file.
    """
    definition = plan.slots.get(slot)
    if definition is None:
        raise NotFound(f"Pilot {plan.pilot!r} has no slot {slot!r}: it has {', '.join(plan.slots)}.")
    if channel not in definition.channels:
        known = ", ".join(definition.channels) or "none"
        raise NotFound(f"Slot {slot!r} of pilot {plan.pilot!r} has no channel {channel!r}: it has {known}.")
    if not plan.connection_of(slot)[1].clock:
        raise PermanentError(
            f"Slot {slot!r} of pilot {plan.pilot!r} is declared without a clock: a recording would count as of now."
            " Choose a slot whose connection has a clock."
        )
    states = definition.channels[channel].states
    return rows(path, zone=plan.zone, time_column=time_column, value_column=value_column, states=states)


def replay(
    found: Iterable[Row | BadRow],
    speaker: Speaker,
    slot: str,
    channel: str,
    *,
    complain: Callable[[BadRow], None],
    progress: Callable[[int], None] = lambda _rows: None,
) -> Replayed:
    """Publish every good row in its order, and wait until all are acknowledged, or receipted where that is asked for.

    :param complain: is told each bad row; the others are sent all the same.
    :param progress: is told how many rows are through, now and then.
    :raises PublishRefused: the broker denies it.
    :raises TransientError: acknowledgements or receipts stay away.
    """
    begun = time.monotonic()
    count = bad = 0
    for count, row in enumerate(found, start=1):
        if isinstance(row, BadRow):
            bad += 1
            complain(row)
        else:
            speaker.say(Utterance(at_us=row.at_us, slot=slot, what={channel: row.value}))
        if count % 100 == 0:
            progress(count)
    publisher = speaker.outlet
    publisher.flush()
    progress(count)
    return Replayed(
        rows=count,
        sent=publisher.sent,
        acknowledged=publisher.acknowledged,
        unconfirmed=unconfirmed_of([publisher]),
        unheard=publisher.unheard,
        receipts=counts_of([publisher]),
        bad=bad,
        seconds=time.monotonic() - begun,
    )

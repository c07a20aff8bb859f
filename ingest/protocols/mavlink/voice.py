"""One sender while a message has its turn: which of its frames this is, and when it was sent.

**Numbers.** ``seq`` runs from 0 to 255 and on from 0. A frame up to 64 behind the newest is a repeated one if its checksum is
that of the frame which stood there, and a late one if none did. A restart begins a new numbering, and so does a silence after
which the numbers do not go on: how often they ran round in it nobody knows.

**Times.** Frames tell milliseconds since the sender's start. Its SYSTEM_TIME says when that was; until then the receipt does.

**Restarts.** Times that go back tell of one. After a long silence they need not: the new start may be longer ago than the old
one was then. It is a restart if the start that SYSTEM_TIME tells lies in the silence, by the sender's clock and by the receipt:
of a clock that is corrected the start moves too, but the times go on through the silence.
"""

from __future__ import annotations

from typing import Final, Literal

from ingest.message import ARRIVAL
from ingest.protocols.mavlink.frames import Frame
from ingest.protocols.mavlink.remembered import WINDOW, Sender

Fate = Literal["next", "late", "repeated"]
_GAP: Final = b"\0\0"
_ALMOST_GAP: Final = b"\0\1"
_A_FEW: Final = 8
_STEP_BACK_MS: Final = 3_000
"""Messages of one sender are not quite in the order of their times. What lies farther back was sent after a restart."""
_WRAP_MS: Final = 2**32
_MOST_MS: Final = 2**40
"""Nobody runs for 35 years without a restart."""
_ABOUT_A_WRAP_MS: Final = 600_000
EPOCH_US: Final = 10**15
"""A larger number of µs is counted from 1970, a smaller one from the start: of 2001, and of 31 years."""
LAST_US: Final = 4 * 10**15
_SAME_US: Final = 100_000
"""So much SYSTEM_TIME may wander without a new mapping: a reading that comes twice keeps its time."""
_TOGETHER_US: Final = 2_000_000
"""Frames that wait for each other on their way have one receipt: by that, the later of them lie ahead of it."""
_STALE_MS: Final = 2_000
_AHEAD_MS: Final = 10_000
QUIET_US: Final = 300_000_000
"""After a silence so long it may have been started anew, though its times do not go back."""
CORRECTION_US: Final = 60_000_000
"""So far a clock may be corrected that still tells of the same start."""
_ON_ITS_WAY_US: Final = 5_000_000
_PATIENCE_US: Final = 10_000_000
"""So long after a silence its SYSTEM_TIME is waited for: it comes about each second."""


class Voice:
    """A sender's state, thawed."""

    __slots__ = (
        "_gap", "asked_us", "boot", "by", "dated_us", "fresh", "heard_us", "latest_ms", "latest_us", "lost", "moved",
        "number", "ordinal", "quiet_ms", "quiet_us", "received", "repeated", "seq", "since_us", "started_us", "sums", "unknown",
    )  # fmt: skip

    def __init__(self, sender: Sender) -> None:
        (
            self.ordinal, self.number, self.seq, self.sums, self.heard_us, self.boot, self.latest_ms, self.latest_us,
            self.started_us, self.by, self.dated_us, self.received, self.lost, self.repeated, self.unknown, self.fresh,
            self.quiet_us, self.quiet_ms, self.asked_us,
        ) = (
            sender.ordinal, sender.number, sender.seq, sender.sums, sender.heard_us, sender.boot, sender.latest_ms,
            sender.latest_us, sender.started_us, sender.by, sender.dated_us, sender.received, sender.lost,
            sender.repeated, sender.unknown, sender.fresh, sender.quiet_us, sender.quiet_ms, sender.asked_us,
        )  # fmt: skip
        self.moved = False
        """Whether its start is known anew."""
        self.since_us = 0
        """From which receipt on, if not from now."""
        self._gap = 0
        """How many frames the last one seemed to follow on that did not come."""

    def frozen(self) -> Sender:
        """What is remembered of it."""
        return Sender(
            self.ordinal, self.number, self.seq, self.sums, self.heard_us, self.boot, self.latest_ms, self.latest_us,
            self.started_us, self.by, self.dated_us, self.received, self.lost, self.repeated, self.unknown, self.fresh,
            self.quiet_us, self.quiet_ms, self.asked_us,
        )  # fmt: skip

    # Numbers

    def place(self, frame: Frame, received_us: int, silence_us: int) -> tuple[int, Fate]:
        """The number of a frame (0: it came before the first) and what it is."""
        seq, sum_ = frame.seq, frame.sum
        if sum_ == _GAP:
            sum_ = _ALMOST_GAP
        if received_us - self.heard_us > QUIET_US and self.latest_ms >= 0:
            if not self.quiet_us:
                self.quiet_us, self.quiet_ms = self.heard_us, self.latest_ms
            self.asked_us = received_us
        ahead = (seq - self.seq) & 255
        self._gap = 0
        if self.seq < 0:
            self.renumber()
        elif ahead:
            silent = received_us - self.heard_us > silence_us
            if ahead >= 256 - WINDOW and not silent:
                behind = self._behind(256 - ahead, sum_)
                if behind is not None:
                    return behind
            if ahead >= 256 - WINDOW or silent:
                self.renumber()
            else:
                self.sums += _GAP * ahead
                self.number += ahead
                self.lost += ahead
                self._gap = ahead
        number = self.number
        self.number = number + 1
        self.seq = (seq + 1) & 255
        self.sums = (self.sums + sum_)[-2 * WINDOW :]
        self.heard_us = received_us
        self.received += 1
        return number, "next"

    def _behind(self, back: int, sum_: bytes) -> tuple[int, Fate] | None:
        at = len(self.sums) - 2 * back
        if at < 0:
            return (0, "late") if back <= _A_FEW else None  # from just before the numbering began
        known = self.sums[at : at + 2]
        if known == sum_:
            self.repeated += 1
            return self.number - back, "repeated"
        if known != _GAP:
            return None
        self.sums = self.sums[:at] + sum_ + self.sums[at + 2 :]
        self.lost -= 1
        self.received += 1
        return self.number - back, "late"

    def renumber(self) -> None:
        """Begin a new numbering."""
        self.ordinal += 1
        self.number = 1
        self.sums = b""
        self.fresh = True

    def restart(self, frame: Frame) -> int:
        """A frame that seemed to be the next one is the first after a restart. :returns: its number."""
        if self.fresh:
            self.fresh = False
            return self.number - 1  # the numbering began with it: what came in between told no time
        self.lost -= self._gap
        self.renumber()
        self.fresh = False
        self.number = 2
        self.sums = frame.sum if frame.sum != _GAP else _ALMOST_GAP
        return 1

    # Times

    def late(self, raw_ms: int) -> int:
        """Milliseconds since the start of a frame that came late."""
        return raw_ms + (max(self.latest_ms, 0) & -_WRAP_MS)

    def started(self, raw_ms: int, received_us: int, unix_us: int | None = None) -> tuple[int, bool]:
        """Milliseconds since the start, never wrapped, of a frame in its order; and whether the sender was started anew.

        :param unix_us: the time that it tells, if it is SYSTEM_TIME.
        """
        latest = self.latest_ms
        if latest < 0:
            self.latest_ms, self.latest_us, self.fresh = raw_ms, received_us, False
            return raw_ms, False
        told = raw_ms + (latest & -_WRAP_MS)
        anew = False
        if told < latest - _STEP_BACK_MS:
            if told + _WRAP_MS - latest < _ABOUT_A_WRAP_MS and told < _MOST_MS:
                told += _WRAP_MS
            else:
                anew = True
        elif told >= _WRAP_MS and told - latest > _WRAP_MS - _ABOUT_A_WRAP_MS:
            told -= _WRAP_MS
        if anew or (self.quiet_us and self._started_in_silence(told, received_us, unix_us)):
            self.boot += 1
            self.latest_ms, self.started_us, self.by, self.dated_us, self.quiet_us = -1, 0, 0, 0, 0
            told, latest, anew = raw_ms, -1, True
        if told >= latest:
            self.latest_ms, self.latest_us = told, received_us
        self.fresh = self.fresh and (anew or self.quiet_us > 0)
        return told, anew

    def _started_in_silence(self, told_ms: int, received_us: int, unix_us: int | None) -> bool:
        """Whether it was started anew while nobody heard it. The question stays where it cannot be told yet."""
        anew = False
        if received_us - told_ms * 1000 >= self.quiet_us - _ON_ITS_WAY_US:  # else its times went on all the while
            if self.by == 2 and unix_us is not None:
                started_us = unix_us - told_ms * 1000
                after_us = self.started_us + max(CORRECTION_US, self.quiet_ms * 1000 - CORRECTION_US)
                # Who knew the time, and does not any more, was without power.
                anew = not EPOCH_US <= unix_us < LAST_US or started_us > after_us
            elif self.by == 2 and self.unsure(received_us):
                return False  # its SYSTEM_TIME is to tell
            else:
                anew = self.fresh  # it never tells the time: its numbers must do
        self.since_us = self.asked_us if anew else 0
        self.quiet_us = 0
        return anew

    def unsure(self, received_us: int) -> bool:
        """Whether it is still to be told if this is the vehicle's old start: nothing is to follow on what it says."""
        return self.quiet_us > 0 and received_us - self.asked_us <= _PATIENCE_US

    def tell_time(self, unix_us: int, told_ms: int) -> None:
        """Its SYSTEM_TIME: when it was started, if it knows the time at all."""
        if EPOCH_US <= unix_us < LAST_US:
            started_us = unix_us - told_ms * 1000
            if self.by < 2 or abs(started_us - self.started_us) > _SAME_US:
                self.started_us, self.by, self.dated_us, self.moved = started_us, 2, 0, True

    def at(self, told_ms: int, received_us: int) -> tuple[int, int]:
        """The instant of a time since the start, and its flags."""
        if self.quiet_us and self.unsure(received_us):
            return self._by_receipt(received_us)
        if self.by == 2:
            return min(self.started_us + told_ms * 1000, LAST_US), 0
        at_us = self.started_us + told_ms * 1000
        if not self.by or at_us > received_us + _TOGETHER_US:
            # Nothing is sent after it was received: this one came more quickly than those before it. In its microseconds it
            # differs from what was dated before, so that no two frames share an instant.
            at_us = received_us - received_us % 1000 + (self.started_us + 1) % 1000 if self.by else received_us
            self.started_us, self.by, self.moved = at_us - told_ms * 1000, 1, True
        return at_us, ARRIVAL

    def at_us_since(self, raw_us: int, received_us: int) -> tuple[int, int]:
        """The instant of ``time_usec``: since 1970, or since the start; where it stands still, that of the frame's receipt."""
        if raw_us >= EPOCH_US:
            return min(raw_us, LAST_US), 0
        if self.by and not self.quiet_us and -_STALE_MS <= raw_us // 1000 - self.latest_ms <= _AHEAD_MS:
            return min(self.started_us + raw_us, LAST_US), 0 if self.by == 2 else ARRIVAL
        return self.undated(received_us)

    def undated(self, received_us: int) -> tuple[int, int]:
        """The instant of a frame that tells none: that of the newest one which did, and what has passed since by receipt."""
        at_us = received_us
        if self.by and not self.quiet_us:
            at_us = min(at_us, self.started_us + self.latest_ms * 1000 + received_us - self.latest_us)
        return self._by_receipt(at_us)

    def _by_receipt(self, at_us: int) -> tuple[int, int]:
        self.dated_us = at_us = max(at_us, self.dated_us + 1)
        return at_us, ARRIVAL

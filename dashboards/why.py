"""Why is my data not here? From what is known of one slot to the most probable cause, in one sentence, with the next step.

Pure: no clock, no database. Nothing that happened before the last value was stored explains why none came after it; so each
rule looks only at what is newer. The rules are asked in this order, and the first that holds is the answer:

    withdrawn → never connected → not let in, or with an old secret → refused at the broker → our intake away → silent or gone
    → set aside → refused → nothing for this slot → the clock is wrong → arriving (in part, or wholly)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

Code = Literal[
    "withdrawn", "never_connected", "never_heard", "not_let_in", "not_let_in_unattributed", "secret_renewed", "denied_topic",
    "denied_unattributed", "too_large", "platform_away", "connected_silent", "gone", "silent", "all_quarantined", "all_rejected",
    "nothing_for_slot", "clock", "arriving_partly", "arriving",
]  # fmt: skip

_RETRIES: Final = timedelta(hours=1)
"""A device that is not let in tries again within this: a log-in of nobody known that was refused longer ago is not its."""
_TOGETHER: Final = timedelta(minutes=1)
"""Messages so close to each other are one burst: a message set aside just before another one came is still the news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """Something that the broker did not take."""

    last_at: datetime
    n: int
    topic: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """The last message set aside, or the last value refused."""

    at: datetime
    reason: str
    """A code of the intake's closed list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one slot and of the connection that speaks for it."""

    now: datetime
    silence_s: float
    """Nothing for longer than this is called silence: some of the slot's periods, a quarter of an hour at the least."""
    withdrawn_at: datetime | None = None
    issued_at: datetime | None = None
    """When its secret was issued: an older one does not hold any more."""
    broker_read: bool = True
    """Whether anybody reads the broker's log; if not, nothing is known of who connected."""
    connected_at: datetime | None = None
    gone_at: datetime | None = None
    gone_why: str = ""
    """A code of ``devices.journal.Why``."""
    not_let_in: Denial | None = None
    stranger: Denial | None = None
    """Somebody was not let in, the broker not saying who: a wrong name, or a wrong password."""
    denied: Denial | None = None
    denied_unattributed: Denial | None = None
    """On this slot's native topics, the broker not saying by whom."""
    too_large: Denial | None = None
    platform_away_since: datetime | None = None
    """Since when no collector of ours hears; None while one does."""
    message_at: datetime | None = None
    """The connection's last message that reached us."""
    heard_at: datetime | None = None
    """When something of this slot was last decoded, taken or refused."""
    stored_at: datetime | None = None
    """When a value of this slot was last stored."""
    quarantined: Trouble | None = None
    rejected: Trouble | None = None
    clock_off_s: float | None = None
    """By how much the device's clock is off, where that is more than the threshold; positive: it is behind."""

    @property
    def connected(self) -> bool:
        return self.connected_at is not None and (self.gone_at is None or self.gone_at < self.connected_at)

    @property
    def arriving(self) -> bool:
        return self.stored_at is not None and not self.silent_since(self.stored_at)

    def silent_since(self, at: datetime | None) -> bool:
        """Whether an instant lies so far back that nothing since is silence."""
        return at is None or self.now - at > timedelta(seconds=self.silence_s)

    def news(self, at: datetime | None) -> bool:
        """Whether something happened after the last value was stored."""
        return at is not None and (self.stored_at is None or at > self.stored_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The most probable cause. The values are for its sentence."""

    code: Code
    values: Mapping[str, Any] = field(default_factory=dict)
    """``at`` and ``since`` are instants, ``reason`` and ``gone`` codes, ``n`` a count, ``topic`` text, ``off_s`` seconds."""


def cause_of(facts: Facts) -> Cause:
    """The first rule that holds."""
    for rule in _RULES:
        found = rule(facts)
        if found is not None:
            return found
    return Cause(code="arriving", values={"at": facts.stored_at})


def _withdrawn(facts: Facts) -> Cause | None:
    return Cause(code="withdrawn", values={"at": facts.withdrawn_at}) if facts.withdrawn_at else None


def _never(facts: Facts) -> Cause | None:
    if facts.connected_at or facts.message_at or facts.stored_at or facts.not_let_in or facts.denied_unattributed:
        return None
    if not facts.broker_read:
        return Cause(code="never_heard")
    return _stranger(facts) or Cause(code="never_connected")


def _not_let_in(facts: Facts) -> Cause | None:
    tried = facts.not_let_in
    if tried is None or facts.connected or facts.arriving:
        return None
    later = [at for at in (facts.connected_at, facts.message_at) if at is not None and at >= tried.last_at]
    return None if later else Cause(code="not_let_in", values={"at": tried.last_at, "n": tried.n})


def _stranger(facts: Facts) -> Cause | None:
    """Somebody was not let in since the device was last there: it may be this one."""
    tried = facts.stranger
    if tried is None or facts.now - tried.last_at > _RETRIES:
        return None
    last_there = max(
        (at for at in (facts.gone_at, facts.connected_at, facts.message_at) if at is not None), default=None
    )
    if last_there is not None and tried.last_at < last_there:
        return None
    return Cause(code="not_let_in_unattributed", values={"at": tried.last_at})


def _old_secret(facts: Facts) -> Cause | None:
    """It was there with the secret before this one, and has neither come nor sent anything since."""
    issued, seen = facts.issued_at, facts.connected_at
    if issued is None or seen is None or facts.connected or issued < seen:
        return None
    later = facts.message_at is not None and facts.message_at > issued + _TOGETHER
    return None if later else Cause(code="secret_renewed", values={"at": issued})


def _refused_at_the_broker(facts: Facts) -> Cause | None:
    if facts.arriving:
        return None
    told: tuple[tuple[Code, Denial | None], ...] = (
        ("denied_topic", facts.denied),
        ("too_large", facts.too_large),
        ("denied_unattributed", facts.denied_unattributed),
    )
    for code, denial in told:
        # Where messages went on reaching us afterwards, what was denied is not why the values are missing.
        if denial is not None and facts.news(denial.last_at) and not _later(facts.message_at, denial.last_at):
            return Cause(code=code, values={"at": denial.last_at, "n": denial.n, "topic": denial.topic})
    return None


def _platform(facts: Facts) -> Cause | None:
    if facts.arriving or facts.platform_away_since is None:
        return None
    return Cause(code="platform_away", values={"since": facts.platform_away_since})


def _silent(facts: Facts) -> Cause | None:
    if facts.arriving or not facts.silent_since(facts.message_at):
        return None
    if facts.connected:
        return Cause(code="connected_silent", values={"at": facts.connected_at, "since": facts.message_at})
    if (stranger := _stranger(facts)) is not None:
        return stranger
    if facts.gone_at is not None:
        return Cause(code="gone", values={"at": facts.gone_at, "gone": facts.gone_why})
    return Cause(code="silent", values={"since": facts.message_at or facts.stored_at})


def _all_quarantined(facts: Facts) -> Cause | None:
    held = facts.quarantined
    if facts.arriving or held is None or not facts.news(held.at) or _later(facts.heard_at, held.at):
        return None
    return Cause(code="all_quarantined", values={"at": held.at, "reason": held.reason})


def _all_rejected(facts: Facts) -> Cause | None:
    refused = facts.rejected
    if facts.arriving or refused is None or not facts.news(refused.at):
        return None
    return Cause(code="all_rejected", values={"at": refused.at, "reason": refused.reason})


def _nothing_for_slot(facts: Facts) -> Cause | None:
    if facts.arriving:
        return None
    return Cause(code="nothing_for_slot", values={"at": facts.message_at, "since": facts.stored_at})


def _clock(facts: Facts) -> Cause | None:
    return None if facts.clock_off_s is None else Cause(code="clock", values={"off_s": facts.clock_off_s})


def _partly(facts: Facts) -> Cause | None:
    """Values arrive, and beside them something was refused lately."""
    lately = [
        (one.at, one.reason)
        for one in (facts.quarantined, facts.rejected)
        if one is not None and not facts.silent_since(one.at)
    ]
    lately += [
        (one.last_at, code)
        for code, one in (("denied", facts.denied), ("too_large", facts.too_large))
        if one is not None and not facts.silent_since(one.last_at)
    ]
    if not lately:
        return None
    at, reason = max(lately)
    return Cause(code="arriving_partly", values={"at": at, "reason": reason})


def _later(at: datetime | None, than: datetime) -> bool:
    return at is not None and at > than + _TOGETHER


_RULES: Final[tuple[Callable[[Facts], Cause | None], ...]] = (
    _withdrawn, _never, _not_let_in, _old_secret, _refused_at_the_broker, _platform, _silent, _all_quarantined, _all_rejected,
    _nothing_for_slot, _clock, _partly,
)  # fmt: skip

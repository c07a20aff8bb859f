"""A publisher whose messages are numbered, and kept until their receipt: nothing is lost, whatever is killed."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final

from core.errors import BrokerAway, TransientError
from simulators.encoding.native import numbered
from simulators.login import Login
from simulators.publisher import Ear, Publisher, Will
from simulators.receipts.keeping import Keeping, Patience
from simulators.receipts.receipt import read_receipt
from simulators.receipts.shelf import KeepFile, Message

_LOOK_EACH_S: Final = 0.2
_LAST_WORDS_S: Final = 2.0


class NotReceipted(TransientError):
    """Messages are kept for which no receipt comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipts:
    """How a sender goes about receipts."""

    limit: int = 10_000
    """So many messages are kept; then it waits, where a real device would have to choose what to drop."""
    patience: Patience = field(default_factory=Patience)
    farewell_s: float = 30.0
    """How long it waits at the end, while no further receipt comes."""
    file: KeepFile | None = None
    """Where what is kept outlives the sender."""
    say: Callable[[str], None] = lambda _text: None
    """Is told what a device would write to its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What came of the messages."""

    receipted: int = 0
    """Said to be committed, those of former lives among them."""
    resent: int = 0
    """Publishes beyond the first of a message."""
    former: int = 0
    """Left by former lives of the sender."""
    kept: int = 0
    """Not receipted so far."""

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            receipted=self.receipted + other.receipted,
            resent=self.resent + other.resent,
            former=self.former + other.former,
            kept=self.kept + other.kept,
        )


class Sender:
    """Used like a :class:`~simulators.publisher.Publisher`, by one thread, and often: at each call it sends again what is due.

    A new boot each life. What is sent again is never retained: an older status would take the place of a newer one.

    :param name: the same in each life of the sender.
    :param slot_topic: ``pilots/{pilot}/{slot}`` of any one slot that it speaks for: the receipts of all are the same.
    :param greetings: as of a publisher; numbered too, while there is room.
    """

    def __init__(
        self,
        login: Login,
        receipts: Receipts,
        *,
        name: str,
        slot_topic: str,
        will: Will | None = None,
        greetings: Callable[[], Sequence[tuple[str, bytes]]] | None = None,
        patience_s: float | None = 60.0,
    ) -> None:
        self.login = login
        self._receipts = receipts
        self._shelf = None if receipts.file is None else receipts.file.shelf(name)
        former = [] if self._shelf is None else self._shelf.former()
        self._keeping: Keeping[Message] = Keeping(
            secrets.token_hex(8), limit=receipts.limit, patience=receipts.patience, former=former
        )
        self._former = len(former)
        self._receipted = self._resent = 0
        self._unreadable = self._said_full = False
        self._full_since: float | None = None
        self._greetings = greetings or (lambda: ())
        self._to_greet: list[tuple[str, bytes]] = []
        self._patience_s = patience_s
        self._connections = 0
        self._looked_at = float("-inf")
        self._publisher = Publisher(
            login,
            will=None if will is None else lambda: will,
            patience_s=patience_s,
            ear=Ear(topic=f"{slot_topic}/receipt", heard=self._take_receipt),
        )

    @property
    def sent(self) -> int:
        """Messages published, each once."""
        return self._publisher.sent

    @property
    def acknowledged(self) -> int:
        """Of these, how many the broker acknowledged."""
        return self._publisher.acknowledged

    @property
    def unheard(self) -> int:
        """Of these, how many the broker had nobody to give to: they are sent again."""
        return self._publisher.unheard

    @property
    def counts(self) -> Counts:
        """What came of them so far."""
        return Counts(receipted=self._receipted, resent=self._resent, former=self._former, kept=len(self._keeping))

    @property
    def full(self) -> bool:
        """Whether the next :meth:`publish` would wait."""
        return self._keeping.full or self._publisher.full

    def connect(self, *, timeout_s: float = 10.0) -> None:
        """Log in. Raises what a publisher's raises."""
        self._publisher.connect(timeout_s=timeout_s)
        self._look(now_at_once=True)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Number a message, keep it and hand it over; waits while as many are kept as may be.

        :raises NotReceipted: it waited for the patience, and no receipt came.
        """
        self._look()
        self._wait_until(lambda: not self._keeping.full, self._patience_s)
        self._hand_over(topic, payload, retain=retain)

    def flush(self, *, patience_s: float | None = None) -> None:
        """Wait until everything is receipted.

        :param patience_s: how long without a further receipt; in place of the sender's own.
        :raises NotReceipted: no further receipt came for so long.
        """
        self._keeping.ask_soon(time.monotonic())
        self._wait_until(lambda: not len(self._keeping), patience_s or self._patience_s)
        # What is receipted needs no acknowledgement: this is for the count.
        with suppress(BrokerAway):
            self._publisher.flush(patience_s=_LAST_WORDS_S)

    def wait(self, seconds: float) -> None:
        """Let time pass, and raise what has gone wrong meanwhile."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            self._publisher.wait(min(max(0.0, left), _LOOK_EACH_S))
            self._look()
            if left <= _LOOK_EACH_S:
                return

    def close(self) -> None:
        """Take leave of the broker, which then does not speak the will."""
        self._publisher.close()

    def abandon(self) -> None:
        """Cut the connection without a word: the broker speaks the will."""
        self._publisher.abandon()

    def __enter__(self) -> Sender:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _hand_over(self, topic: str, payload: bytes, *, retain: bool) -> None:
        number = self._keeping.next_number
        message = Message(topic=topic, payload=numbered(payload, *number))
        if self._shelf is not None:
            self._shelf.put(number, message)
        self._keeping.keep(message, time.monotonic())
        self._publisher.publish(topic, message.payload, retain=retain)

    def _take_receipt(self, payload: bytes) -> None:
        try:
            receipt = read_receipt(payload)
        except ValueError as error:
            if not self._unreadable:
                self._receipts.say(f"{self.login.username} hears receipts that it cannot read, and keeps all: {error}")
            self._unreadable = True
            return
        covered = self._keeping.take(receipt, time.monotonic())
        self._receipted += len(covered)
        if covered and self._shelf is not None:
            self._shelf.drop(covered)

    def _look(self, *, now_at_once: bool = False) -> None:
        """Greet over a new connection, and send again what is due, as far as the window has room."""
        now = time.monotonic()
        if now - self._looked_at < _LOOK_EACH_S and not now_at_once:
            return
        self._looked_at = now
        self._say_if_full(now)
        if self._publisher.connections != self._connections:
            self._connections = self._publisher.connections
            self._to_greet = list(self._greetings())
            self._keeping.ask_soon(now)
        while self._to_greet and not self._publisher.full:
            topic, payload = self._to_greet.pop(0)
            if self._keeping.full:
                self._publisher.publish(topic, payload, retain=True)
            else:
                self._hand_over(topic, payload, retain=True)
        if self._publisher.connected:
            self._send_again(now)

    def _send_again(self, now: float) -> None:
        for number in self._keeping.due(now):
            if self._publisher.full:
                return
            if number in self._keeping:  # a receipt may have come in between
                message = self._keeping.again(number, now)
                self._publisher.publish(message.topic, message.payload, again=True)
                self._resent += 1

    def _say_if_full(self, now: float) -> None:
        """Write to the log that it has waited for receipts for long, and when it goes on."""
        if not self._keeping.full:
            if self._said_full:
                self._receipts.say(f"{self.login.username} is receipted again, and goes on.")
            self._full_since, self._said_full = None, False
        elif self._full_since is None:
            self._full_since = now
        elif now - self._full_since >= self._receipts.patience.silent_s and not self._said_full:
            self._said_full = True
            self._receipts.say(
                f"{self.login.username} keeps {len(self._keeping):,} messages without a receipt, as many as it may, and"
                " sends nothing new until one comes. Look whether a collector runs and its database answers."
            )

    def _wait_until(self, reached: Callable[[], bool], patience_s: float | None) -> None:
        last, count = time.monotonic(), self._receipted
        while not reached():
            self.wait(_LOOK_EACH_S)
            now = time.monotonic()
            if self._receipted != count:
                last, count = now, self._receipted
            elif patience_s is not None and now - last > patience_s:
                raise NotReceipted(self._silence(patience_s))

    def _silence(self, seconds: float) -> str:
        where = "in memory only" if self._receipts.file is None else f"in {self._receipts.file.path}"
        return (
            f"No further receipt came from {self.login.host}:{self.login.port} for {seconds:.0f} s: {len(self._keeping):,}"
            f" messages of {self.login.username!r} are kept, {where}. Look whether a collector runs and its database answers,"
            " then start again."
        )

"""What all encoders have in common: what they are told, and what they make of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from simulators.scenario.records import Event, Link

Value = str | int | float | bool
"""Of a channel, in its source unit; of a state, its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message for the broker."""

    topic: str
    payload: bytes
    qos: Literal[0, 1] = 1
    retain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """Something that a slot has to tell, at an instant of the device's clock: values, an event, or what its link did."""

    at_us: int
    slot: str
    what: Mapping[str, Value] | Event | Link

    @property
    def order(self) -> tuple[int, int, str]:
        """By time; of one instant what happened first, then what is measured, then the link."""
        rank = 0 if isinstance(self.what, Event) else 2 if isinstance(self.what, Link) else 1
        return self.at_us, rank, self.slot


class Encoder(Protocol):
    """Everything that one connection says. It counts and remembers as its protocol has it: each of its messages is to be sent,
    in order, over the connection that stands.
    """

    @property
    def hears(self) -> str | None:
        """The topic on which it is commanded; None: it hears nothing."""

    @property
    def means_nothing_ungreeted(self) -> bool:
        """Whether what it says cannot be read without its greeting."""

    @property
    def needs_connection(self) -> bool:
        """Whether what it says without a connection is lost, so that it is to wait for one (QoS 0)."""

    def will(self) -> Said | None:
        """What the broker says if the connection breaks; asked for before each connect. None: there are no words for it."""

    def greeting(self, at_us: int, online: Mapping[str, bool]) -> Sequence[Said]:
        """The first words of each connection.

        :param online: by slot, whether its own link is up just then.
        """

    def say(self, utterance: Utterance) -> Sequence[Said]:
        """What is to be told, as messages; none where the protocol has no words for it."""

    def answer(self, payload: bytes, at_us: int) -> Sequence[Said]:
        """The answer to a command."""

    def farewell(self, at_us: int) -> Sequence[Said]:
        """The last words before the connection is ended on purpose."""

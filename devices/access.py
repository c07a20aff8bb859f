"""Who may speak where, apart from how a broker is told: a user, the filters it publishes to, those it hears."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from devices.credentials import PasswordRecord

NOT_NAMED: Final = {"publishClientSend": False, "publishClientReceive": False, "subscribe": False, "unsubscribe": True}
"""What the plugin allows where no rule says otherwise: nothing but to hear no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The rights of one connection at the broker. Nothing that its filters do not name is allowed to it."""

    username: str
    """Also its client id: one live connection a credential."""
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    """Filters that it may subscribe to, and receive from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerUser(Access):
    """The same with what the broker keeps of its secret: all that a users' file is made from."""

    password: PasswordRecord


class AtBroker(Protocol):
    """What the registry asks of a broker, inside its own transaction. Each call may be repeated without harm."""

    def grant(self, access: Access, password: str | None) -> None:
        """Let a user in with exactly these rights; a password makes it new, or replaces the one it had."""

    def withdraw(self, username: str) -> None:
        """Cut a user off and let it in no more."""


def heard(pilot: str, slots: Iterable[str], topics: Iterable[str] = ()) -> tuple[str, ...]:
    """What a connection may hear: the receipts of its slots, the pilot's seals, and what is said to a node of Sparkplug.

    :param topics: the filters that it publishes to.
    """
    commands = sorted({one for topic in topics for one in _commands(topic.split("/"))})
    return (*(f"pilots/{pilot}/{slot}/receipt" for slot in slots), f"pilots/{pilot}/seal", *commands)


def _commands(levels: list[str]) -> tuple[str, ...]:
    """Where a node that publishes to ``spBv1.0/{group}/{type}/{node}`` is commanded, and hears whether a host is there."""
    if levels[0] != "spBv1.0" or len(levels) < 4 or "#" in levels[:4]:
        return ()
    group, node = levels[1], levels[3]
    return f"spBv1.0/{group}/NCMD/{node}", f"spBv1.0/{group}/DCMD/{node}/+", "spBv1.0/STATE/+"


def role_name(username: str) -> str:
    """The role of Mosquitto's dynamic security plugin that holds the rights of one user."""
    return f"user-{username}"


def access_rules(access: Access) -> list[dict[str, Any]]:
    """A user's rights in the plugin's words, as its file and its control topic both take them."""
    kinds = [
        *(("publishClientSend", topic) for topic in access.publish),
        *(("publishClientReceive", topic) for topic in access.subscribe if not topic.startswith("$share/")),
        *(("subscribePattern", topic) for topic in access.subscribe),
    ]
    return [{"acltype": kind, "topic": topic, "priority": 0, "allow": True} for kind, topic in kinds]

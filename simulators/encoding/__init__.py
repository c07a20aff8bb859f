"""What devices write, protocol by protocol, by the plan alone. Nothing here shares a line with the decoders."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

from core.errors import PermanentError
from devices.plan.model import Plan
from simulators.encoding.reported import Reported
from simulators.encoding.said import Encoder, Said, Utterance

__all__ = ["SPOKEN", "Encoder", "Said", "Utterance", "encoder_of", "reported_of"]

SPOKEN: Final[Mapping[str, str]] = MappingProxyType(
    {"json": "native", "sparkplug": "sparkplug", "vda5050": "vda5050", "mavlink": "mavlink"}
)
"""The protocols that simulators speak, and the module of each, with its ``ENCODER`` and its ``REPORTED``.

A module is imported when a plan asks for it: what only some need costs the others nothing.
"""


def encoder_of(plan: Plan, connection: str) -> Encoder:
    """What writes the messages of one connection of a plan.

    :raises PermanentError: its protocol is none that simulators speak, or the plan leaves open what they have to write.
    """
    slots = plan.slots_of(connection)
    made: Encoder = _module(plan, slots[0]).ENCODER(plan, connection)
    return made


def reported_of(plan: Plan, slot: str) -> type[Reported]:
    """How what a scenario tells of a slot looks to whoever reads the protocol of its connection.

    :raises PermanentError: the protocol is none that simulators speak.
    """
    found: type[Reported] = _module(plan, slot).REPORTED
    return found


def _module(plan: Plan, slot: str) -> Any:
    name, connection = plan.connection_of(slot)
    if connection.protocol not in SPOKEN:
        raise PermanentError(
            f"Slot {slot!r} of pilot {plan.pilot!r} speaks {connection.protocol!r} over connection {name!r}: simulators speak"
            f" {', '.join(SPOKEN)} only. Choose a slot whose connection has one of these protocols."
        )
    return import_module(f"{__name__}.{SPOKEN[connection.protocol]}")

"""Device templates (장비 서식): what a model of device says and how, written once and named by the slots where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from pydantic import Field, model_validator

from core.canonical import sha256
from devices.plan.equipment import Channel, EventKind, Times
from devices.plan.parts import Name, Part
from devices.plan.rules import broken
from devices.plan.written import Free, Text, Truth


class Speaking(Part):
    """How the device speaks: what a connection of its own needs."""

    protocol: Text = "json"
    time: Times = Times()
    clock: Truth = Field(True, description="False for a device without a clock: observed_at is then the arrival.")
    values: Text | None = Field(None, description="Where in a message the values stand; 'values' in the native form.")
    options: dict[str, Free] = Field(default_factory=dict, description="What the protocol takes besides.")


_Filter = Annotated[
    Text, Field(description="An MQTT filter; {serial} stands for the serial number of a slot's device.")
]


class Profile(Part):
    """One model of device: a reusable part of plans. It is whole in itself; a slot may change or leave out what it brings."""

    title: Text = Field(description="What device it is, for people.")
    description: Text | None = None
    connection: Speaking | None = Field(
        None, description="Of a slot that names no connection, and of a connection that names this profile."
    )
    topics: tuple[_Filter, ...] = Field(
        (), description="MQTT filters of one device's messages, where not the native ones."
    )
    select: dict[str, Free] = Field(
        default_factory=dict,
        description="Which part of its connection's messages is one device's; {serial} stands for its serial number.",
    )
    channels: dict[Name, Channel] = Field(default_factory=dict)
    events: dict[Name, EventKind] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _something(self) -> Profile:
        if not self.channels and not self.events and self.connection is None:
            raise broken("profile-empty")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedProfile:
    """A template that a plan names, to the byte."""

    name: str
    """As the plan writes it."""
    source: bytes

    @property
    def sha256(self) -> str:
        return sha256(self.source)


Profiles: TypeAlias = "tuple[UsedProfile, ...]"
"""Those of a plan, in the order of their names."""

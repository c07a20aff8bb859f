"""What a plan may say of a connection to robots under ``options:``."""

from __future__ import annotations

from pydantic import Field

from devices.plan.parts import Part
from ingest.protocols.selecting import Word


class Select(Part):
    """Under ``select:`` of a slot: which robot is the slot's, as its topics name it."""

    interface: Word | None = None
    manufacturer: Word | None = None
    serial: Word | None = None


class Options(Part):
    """How missions are told."""

    done: str = Field(
        "delivered",
        min_length=1,
        max_length=64,
        description="What `result` and `outcome` say of a mission that its robot finished.",
    )

"""What a MAVLink connection takes under ``options:``."""

from __future__ import annotations

from pydantic import Field

from devices.plan.parts import Duration, Part
from devices.plan.written import Whole


class Options(Part):
    """How patient we are with its vehicles."""

    heartbeat: Duration = Field(
        "5 s", description="A link without a heartbeat for so long is lost; vehicles send one each second."
    )


class Select(Part):
    """Under ``select:`` of a slot: whose frames are the slot's."""

    system: Whole | None = Field(None, ge=1, le=255, description="Left out: every one but ground stations.")
    component: Whole | None = Field(None, ge=0, le=255, description="Left out: all of them; 1 is the autopilot.")

"""What a Sparkplug connection takes under ``options:``."""

from __future__ import annotations

from pydantic import Field, model_validator

from devices.plan.parts import Duration, Part
from devices.plan.written import Text
from ingest.protocols.selecting import Word


class Options(Part):
    """Who we are to its nodes, and how patient."""

    host: Text | None = Field(
        None,
        pattern=r"^[^/+#]+$",
        description="Our id as a host application: our STATE is told under it. Left out: none is told.",
    )
    reorder: Duration = Field(
        "5 s", description="So long a message that is missing may still come before we ask for births."
    )


class Select(Part):
    """Under ``select:`` of a slot: whose metrics are the slot's."""

    group: Word | None = None
    node: Word | None = Field(None, description="Without ``device``: the node itself.")
    device: Word | None = None

    @model_validator(mode="after")
    def _whose(self) -> Select:
        if self.node is None and self.device is None:
            raise ValueError("node, device or both are needed besides group")
        return self

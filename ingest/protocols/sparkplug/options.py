"""What a Sparkplug connection takes under ``options:``."""

from __future__ import annotations

from pydantic import Field

from devices.plan.parts import Duration, Part
from devices.plan.written import Text


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

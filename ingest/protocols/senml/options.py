"""What the plan may say of SenML besides what every connection has."""

from __future__ import annotations

from pydantic import Field

from devices.plan.parts import Part
from ingest.protocols.selecting import Word


class Select(Part):
    """Under ``select:`` of a slot."""

    name: Word | None = Field(None, description="The slot's are the names that begin so.")

"""What the plan may say of a JSON connection besides what every connection has: lists inside its messages."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, RootModel

from ingest.protocols.selecting import Scalar


class Named(BaseModel):
    """Values that stand in a list, each beside its name: ``[{"n": "pm25", "v": 21.5}, …]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(description="Where the list stands; '' where the message, or its piece, is the list.")
    name: str = Field(min_length=1, description="Path of the name in a piece.")
    value: str = Field(min_length=1, description="Path of the value in a piece.")


class Options(BaseModel):
    """Under ``options:`` of a connection."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pieces: str | None = Field(
        None,
        min_length=1,
        description="Path of a list, each piece of which is a message of its own; it knows what stands beside the list.",
    )
    named: Named | None = None


class Select(RootModel[dict[str, Scalar]]):
    """Under ``select:`` of a slot: paths into the message, each with the value that makes it, or its piece, the slot's."""

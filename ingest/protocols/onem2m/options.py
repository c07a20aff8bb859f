"""What the plan may say of a oneM2M connection: lists inside the contents, as of JSON."""

from __future__ import annotations

from ingest.protocols.json.options import Named, Options, Select

__all__ = ["Named", "Options", "Select"]

"""Exports: a pilot's data as files that others read, enough to recompute everything outside.

:func:`export` writes a folder of CSV or Parquet files; ``docs/export.md`` says what is in it.
"""

from __future__ import annotations

from telemetry.export.asked import Ask
from telemetry.export.run import Exported, Sizes, export

__all__ = ["Ask", "Exported", "Sizes", "export"]

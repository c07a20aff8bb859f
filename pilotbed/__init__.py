"""The front door: command line, the embedded local stack, background jobs."""

from __future__ import annotations

from typing import Final

__version__: Final = "0.2.0"

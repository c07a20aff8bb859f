"""Which version of the code this is: results and documents name it."""

from __future__ import annotations

from typing import Final

VERSION: Final = "0.2.0"
"""As in pyproject.toml."""

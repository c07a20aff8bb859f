"""One structured line an error, with the number that its page shows."""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

LOG: Final = logging.getLogger(__name__)
_INNERMOST = 3


def new_reference() -> str:
    """A number that a person can read to whoever reads the log."""
    digits = secrets.token_hex(4).upper()
    return f"{digits[:4]}-{digits[4:]}"


def log_error(scope: Mapping[str, Any], reference: str, error: BaseException) -> None:
    """One line: never the query or a form, which hold what people typed."""
    frames = traceback.extract_tb(error.__traceback__)[-_INNERMOST:]
    LOG.error(
        "web_error reference=%s method=%s path=%r error=%s message=%r at=%s",
        reference,
        scope.get("method"),
        scope.get("path"),
        type(error).__name__,
        str(error),
        " < ".join(f"{Path(frame.filename).name}:{frame.lineno}:{frame.name}" for frame in reversed(frames)) or "-",
    )

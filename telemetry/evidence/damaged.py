"""What a bundle is refused for."""

from __future__ import annotations

import json
from typing import Any

from core.errors import NegativeAnswer


class Damaged(NegativeAnswer):
    """A file is no bundle, or not as it was made."""


def read_json(data: bytes, what: str) -> Any:
    """JSON that somebody may have changed.

    :raises Damaged: it is none, or nested without end.
    """
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Damaged(f"{what} is no JSON: {str(error)[:120]}.") from error

"""Whether a pilot's readings are still there: once its retention is over nothing can be judged by them."""

from __future__ import annotations

from core.database import Connection
from core.errors import PermanentError
from telemetry.retention import retired_since


class ReadingsDeleted(PermanentError):
    """A pilot's period and retention are over and its readings gone: what is stored of it stays, nothing more is computed."""


def require_readings(connection: Connection, pilot: str) -> None:
    """
    :raises ReadingsDeleted: retention has deleted the readings, or has begun to: no instant's are whole any more.
    """
    since = retired_since(connection, pilot)
    if since is not None:
        raise ReadingsDeleted(
            f"The readings of pilot {pilot} are deleted since {since.isoformat()}: its period and retention are over, so nothing"
            f" is computed from them any more, as of no instant. Its results stay as they were stored: see the pages"
            f" /pilots/{pilot}/verdicts and /pilots/{pilot}/results. To compute them again take the evidence bundle that was"
            " written before (`pilotbed verify FILE`), or the export."
        )

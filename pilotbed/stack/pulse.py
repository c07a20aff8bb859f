"""Whether one of our processes is alive by the platform's own record: for whatever watches containers.

Exit code 0 if its heartbeat is recent. A collector's heart beats only while it hears every topic, so one that hangs, has
lost the broker or cannot reach the database does not count as healthy.

    python -m pilotbed.stack.pulse NAME
"""

from __future__ import annotations

import sys
from typing import Final

from core.database import connected
from core.errors import PilotbedError
from core.settings import settings
from core.sql import load

RECENT_S: Final = 20.0
"""Hearts beat every five seconds."""

_SQL = load("pilotbed.stack", "pulse.sql")


def age_s(database_url: str, process: str) -> float | None:
    """Seconds since the process last said that it is alive; None if it never did.

    :raises DatabaseAway: nobody can tell.
    """
    with connected(database_url, application="pilotbed-pulse") as connection:
        row = connection.execute(_SQL["pulse"], {"process": process}).fetchone()
    return None if row is None else row["age_s"]


def main(process: str) -> int:
    """Say it in one line, and as an exit code."""
    url = settings().database_url
    if url is None:
        print("PILOTBED_DATABASE_URL is not set: there is no record to look at.")
        return 1
    try:
        age = age_s(url.get_secret_value(), process)
    except PilotbedError as problem:
        print(problem)
        return 1
    print(f"{process} has never beaten." if age is None else f"{process} beat {age:.0f} s ago.")
    return 0 if age is not None and age <= RECENT_S else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

"""What one web process holds: the pool, the keys, the names on the pages. Handed to every request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeAlias, cast

import psycopg
from fastapi import Depends, Request
from psycopg_pool import ConnectionPool, PoolTimeout

from core.database import Connection
from core.errors import DatabaseAway
from dashboards.clocks import Seen
from dashboards.memo import Memo
from dashboards.reasons import ReasonText
from dashboards.sessions import Sessions
from dashboards.timeline import Timeline
from dashboards.users import Gate
from telemetry.account import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The parts that requests share."""

    pool: ConnectionPool[Connection]
    sessions: Sessions
    folder: Path
    """Where made files are cached: documents, the chart library."""
    language: str = "ko"
    organisation: str = "서울특별시"
    team: str = "테스트베드 사업단"
    metrics_token: str | None = None
    mqtt_address: str | None = None
    """``host:port`` of the broker as devices reach it, for the examples; None says so."""
    reasons: Mapping[str, ReasonText] = field(default_factory=dict)
    """The intake's closed list of reasons, by code."""
    gate: Gate = field(default_factory=Gate)
    charts: Memo[dict[str, Any]] = field(default_factory=lambda: Memo(span_s=20.0, most=512))
    timelines: Memo[Timeline] = field(default_factory=lambda: Memo(span_s=20.0, most=256))
    accounts: Memo[Account] = field(default_factory=lambda: Memo(span_s=20.0, most=512))
    calendars: Memo[Mapping[str, Any]] = field(default_factory=lambda: Memo(span_s=60.0, most=128))
    clocks: Memo[Seen] = field(default_factory=lambda: Memo(span_s=60.0, most=256))

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection of the pool.

        :raises DatabaseAway: none within 5 s, or it broke.
        """
        try:
            with self.pool.connection(timeout=5.0) as connection:
                yield connection
        except PoolTimeout as error:
            raise DatabaseAway("No connection to the database within 5 s.") from error
        except psycopg.OperationalError as error:
            raise DatabaseAway(f"The database went away: {str(error).strip().splitlines()[-1]}.") from error


def site_of(request: Request) -> Site:
    """The parts of the process that serves a request."""
    return cast(Site, request.app.state.site)


def _database(request: Request) -> Iterator[Connection]:
    with site_of(request).connection() as connection:
        yield connection


Database: TypeAlias = Annotated[Connection, Depends(_database)]
"""A connection for the length of a request."""

"""For machines that watch this one: alive, ready, and numbers in Prometheus' text form."""

from __future__ import annotations

import hmac
import ipaddress
from functools import cache
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from core.database import Connection
from core.errors import DatabaseAway
from core.sql import load
from dashboards.access import LoginNeeded
from dashboards.errors import problem
from dashboards.site import Database, site_of
from dashboards.visit import visit_of

router = APIRouter()

_SQL = load("dashboards", "health.sql")
_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/healthz")
def healthz() -> PlainTextResponse:
    """The process answers. Nothing else is asked, so that a database's absence does not get it restarted."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def readyz(request: Request) -> Response:
    """The database answers and has the tables of this version."""
    try:
        with site_of(request).connection() as connection:
            have = {row["name"] for row in connection.execute(_SQL["migrations"])}
    except DatabaseAway:
        return problem(503, "Not ready", "The database does not answer.")
    missing = sorted(_migrations() - have)
    if missing:
        return problem(
            503, "Not ready", f"The database lacks the migration {missing[0]}: start `pilotbed up` or migrate it."
        )
    return JSONResponse({"status": "ready", "database": "ok", "migrations": len(have)})


@cache
def _migrations() -> frozenset[str]:
    """The migrations that this version brings."""
    return frozenset(entry.name for entry in files("core.migrations").iterdir() if entry.name.endswith(".sql"))


@router.get("/metrics")
def metrics(request: Request, connection: Database) -> Response:
    """Prometheus' numbers, for this machine itself, for whoever has the token, and for an admin."""
    if not _may_read(request):
        raise LoginNeeded("The numbers are for this machine, a token or an admin.")
    return PlainTextResponse(_exposition(connection), media_type=_TEXT)


def _may_read(request: Request) -> bool:
    token = site_of(request).metrics_token
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token and hmac.compare_digest(given.encode(), token.encode()):
        return True
    if request.client is not None and not request.headers.get("x-forwarded-for") and _is_loopback(request.client.host):
        return True
    person = visit_of(request).person
    return person is not None and person.role == "admin"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _exposition(connection: Connection) -> str:
    lines: list[str] = []

    def say(name: str, help_text: str, kind: str, *samples: tuple[str, float]) -> None:
        lines.append(f"# HELP {name} {help_text}")
        lines.append(f"# TYPE {name} {kind}")
        lines.extend(f"{name}{labels} {value:.17g}" for labels, value in samples)

    hearts = connection.execute(_SQL["hearts"]).fetchall()
    say(
        "pilotbed_heartbeat_age_seconds", "Seconds since a process said that it is alive.", "gauge",
        *((f'{{process="{_label(row["process"])}"}}', row["age_s"]) for row in hearts),
    )  # fmt: skip
    today = connection.execute(_SQL["intake_today"]).fetchone() or {}
    say(
        "pilotbed_readings_today", "Readings and events received today, by what became of them.", "gauge",
        *((f'{{outcome="{outcome}"}}', float(n)) for outcome, n in today.items()),
    )  # fmt: skip
    messages = connection.execute(_SQL["messages_today"]).fetchone() or {}
    for column, name, text in (
        ("delivered", "pilotbed_messages_delivered_today", "Messages delivered today."),
        ("quarantined", "pilotbed_messages_quarantined_today", "Messages set aside today."),
        ("payload_bytes", "pilotbed_payload_bytes_today", "Bytes of payload received today."),
    ):
        say(name, text, "gauge", ("", float(messages[column])))
    for block, name, text in (
        ("open_quarantine", "pilotbed_quarantine_open", "Messages set aside that nobody has dealt with."),
        ("dirty_hours", "pilotbed_dirty_hours", "Channel-hours that wait for their summary."),
    ):
        row = connection.execute(_SQL[block]).fetchone() or {"n": 0}
        say(name, text, "gauge", ("", float(row["n"])))
    return "\n".join(lines) + "\n"


def _label(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

"""``pilotbed serve``: the web server alone."""

from __future__ import annotations

import secrets
import socket
import sys
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer

from core.database import pool
from core.errors import EnvironmentProblem
from core.log import configure
from core.settings import Settings, settings
from dashboards.app import create_app
from dashboards.server import listening, server
from dashboards.sessions import Sessions
from dashboards.site import Site
from ingest.reasons import REASONS
from pilotbed.stack.account import make_folder
from pilotbed.stack.address import broker_for_devices
from pilotbed.stack.attach import attached_database
from pilotbed.stack.ports import require_free
from pilotbed.stack.secret import read_or_make_secret

_MQTT_PORT: Final = 1883
_THREADS: Final = 16
"""Requests worked on at a time: so many connections the pool has."""


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on; PILOTBED_HOST if left out.")] = None,
    port: Annotated[
        int | None, typer.Option(help="The port; PILOTBED_WEB_PORT if left out, 0 takes a free one.")
    ] = None,
) -> None:
    """Serve the pages and the HTTP interface until Ctrl-C."""
    configure("serve")
    chosen = settings()
    address, wanted = host or chosen.host, chosen.web_port if port is None else port
    require_free(address, wanted, what="the web server", setting="PILOTBED_WEB_PORT")
    with attached_database() as database_url:
        app = create_app(site(database_url, chosen))
        ours = _listening(address, wanted)
        print(f"Pages at http://{_shown(address)}:{ours.getsockname()[1]}", file=sys.stderr, flush=True)
        server(app).run(sockets=[ours])


def site(database_url: str, chosen: Settings) -> Site:
    """The parts of a web process by the settings."""
    folder = make_folder(chosen.data_dir / "web")
    given = chosen.session_key
    key = (
        read_or_make_secret(folder / "session-key", lambda: secrets.token_urlsafe(32))
        if given is None
        else given.get_secret_value()
    )
    return Site(
        pool=pool(database_url, application="pilotbed-serve", max_size=_THREADS),
        sessions=Sessions(key),
        folder=folder / "cache",
        language=chosen.language,
        organisation=chosen.organisation,
        team=chosen.team,
        metrics_token=None if chosen.metrics_token is None else chosen.metrics_token.get_secret_value(),
        mqtt_address=_broker(chosen),
        reasons=REASONS,
    )


def _broker(chosen: Settings) -> str | None:
    """Host and port at which devices reach the broker."""
    url = broker_for_devices(chosen)
    if url is None:
        return None
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or _MQTT_PORT}"


def _listening(host: str, port: int) -> socket.socket:
    try:
        return listening(host, port)
    except OSError as error:
        raise EnvironmentProblem(
            f"The web server cannot listen on {host}:{port}: {error.strerror}. Choose another with --host, --port."
        ) from error


def _shown(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 - only compared with
        return "localhost"
    return f"[{host}]" if ":" in host else host

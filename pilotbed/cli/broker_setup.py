"""``pilotbed broker-setup``: the configuration and first users of a broker that is started elsewhere."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Final

import typer

from core.database import connected
from core.errors import EnvironmentProblem
from core.settings import settings
from devices.access import BrokerUser
from devices.broker import broker_users
from pilotbed.stack.broker_folder import BrokerFolder, Prepared
from pilotbed.stack.broker_tls import Tls, tls_of
from pilotbed.stack.mosquitto import ADMIN

# Environment variables, because options would be seen in the list of processes.
ADMIN_VARIABLE: Final = "PILOTBED_BROKER_ADMIN_PASSWORD"
COLLECTOR_VARIABLE: Final = "PILOTBED_COLLECTOR_PASSWORD"

# The signs that a URL takes as they are: the same passwords stand in PILOTBED_MQTT_URL.
_PASSWORD: Final = re.compile(r"[A-Za-z0-9._~-]{16,}")
_COLLECTOR: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")
_ADDRESS: Final = re.compile(r"(?P<host>[0-9A-Za-z.:-]+):(?P<port>\d{1,5})")


def broker_setup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The broker must find it at this same path.")],
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where the broker is to listen.")] = "0.0.0.0:1883",
    plugin: Annotated[Path, typer.Option(help="Where the broker finds its dynamic security plugin.")] = Path(
        "/usr/lib/mosquitto_dynamic_security.so"
    ),
    collector: Annotated[
        list[str] | None,
        typer.Option(help="A collector's fixed name; may be repeated. PILOTBED_COLLECTOR if left out."),
    ] = None,
    listen_tls: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Where it is to listen with TLS besides, with PILOTBED_BROKER_CERTIFICATE and PILOTBED_BROKER_KEY.",
        ),
    ] = None,
    log_pipe: Annotated[
        bool,
        typer.Option(
            "--log-pipe",
            help="Make FOLDER/state/log.pipe, to which the broker's standard error will go, and have it tell of what it"
            " denies. `python -m pilotbed.stack.broker_log` reads it.",
        ),
    ] = False,
) -> None:
    """Write a broker's configuration and first users to FOLDER; the defaults are those of the image eclipse-mosquitto.

    The administrator's and the collectors' passwords are taken from PILOTBED_BROKER_ADMIN_PASSWORD and
    PILOTBED_COLLECTOR_PASSWORD. What is there already stays, except for these passwords where they have changed. With
    PILOTBED_DATABASE_URL, connections of the registry that the users' file lacks are added, so that a lost file costs no
    device its secret.

    Certificate and key are copied to FOLDER; run this again, and restart the broker, when they were renewed. With
    PILOTBED_BROKER_CLIENT_CA, devices need a certificate of that CA at the TLS listener, besides their user and password.
    """
    admin_secret, collector_secret = _password(ADMIN_VARIABLE), _password(COLLECTOR_VARIABLE)
    prepared = BrokerFolder(folder).prepare(
        listen=_address(listen),
        plugin=plugin,
        admin_secret=admin_secret,
        collector_secrets=dict.fromkeys(_collectors(collector), collector_secret),
        devices=_registered(),
        encrypted=None if listen_tls is None else (_address(listen_tls), _tls()),
        log_pipe=log_pipe,
    )
    _tell(folder, prepared)


def _password(variable: str) -> str:
    """
    :raises EnvironmentProblem: it is missing, short, or has signs that a URL does not take.
    """
    value = os.environ.get(variable, "")
    if _PASSWORD.fullmatch(value) is None:
        found = f"has {len(value)} characters" if value else "is not set"
        raise EnvironmentProblem(
            f"{variable} {found}: it needs at least 16 characters, only letters, digits and . _ ~ -"
            " (`openssl rand -hex 24` makes one)."
        )
    return value


def _address(text: str) -> tuple[str, int]:
    match = _ADDRESS.fullmatch(text)
    if match is None or not 0 < int(match["port"]) < 65536:
        raise typer.BadParameter(f"{text!r} is not of the form HOST:PORT, such as 0.0.0.0:1883.")
    return match["host"], int(match["port"])


def _tls() -> Tls:
    """
    :raises EnvironmentProblem: the settings name none, or files that are not usable.
    """
    tls = tls_of(settings())
    if tls is None:
        raise EnvironmentProblem(
            "--listen-tls needs a certificate: set PILOTBED_BROKER_CERTIFICATE and PILOTBED_BROKER_KEY."
        )
    return tls


def _collectors(named: list[str] | None) -> list[str]:
    names = named or [settings().collector]
    for name in names:
        if _COLLECTOR.fullmatch(name) is None or name == ADMIN:
            raise typer.BadParameter(f"{name!r} cannot be a collector's name: write one such as collector-2.")
    return names


def _registered() -> list[BrokerUser]:
    url = settings().database_url
    if url is None:
        return []
    with connected(url.get_secret_value(), application="pilotbed-broker-setup") as connection:
        return broker_users(connection)


def _tell(folder: Path, prepared: Prepared) -> None:
    if not prepared.anything:
        print(f"{folder} is as it should be: nothing was written.")
        return
    done = []
    if prepared.configuration:
        done.append("the configuration")
    if prepared.certificate:
        done.append("certificate and key")
    if prepared.users:
        done.append(f"the users {', '.join(prepared.users)}")
    if prepared.restored:
        done.append(f"{len(prepared.restored)} connections of the registry")
    print(f"Written to {folder}: {'; '.join(done)}. A broker that runs on it reads this at its next start.")

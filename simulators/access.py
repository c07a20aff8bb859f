"""Who a simulator connects as: the credential file that the platform handed over."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from core.errors import PermanentError
from devices.plan.credential_file import Credential, CredentialFile
from devices.plan.model import Plan
from simulators.login import Login


def logins(file: CredentialFile, plan: Plan, *, broker: str | None = None) -> Mapping[str, Login]:
    """The log-ins of a pilot's connections, by connection name.

    :param broker: ``mqtt://host:port`` in place of the file's.
    :raises PermanentError: the file is of another pilot, or its broker is no such URL.
    """
    _require_same_pilot(file, plan)
    return {credential.connection: _login(credential, broker or file.broker) for credential in file.connections}


def login_of(file: CredentialFile, plan: Plan, slot: str, *, broker: str | None = None) -> Login:
    """The log-in that speaks for one slot.

    :raises NotFound: none in the file does.
    :raises PermanentError: the file is of another pilot, or its broker is no such URL.
    """
    _require_same_pilot(file, plan)
    return _login(file.of_slot(slot), broker or file.broker)


def _require_same_pilot(file: CredentialFile, plan: Plan) -> None:
    if file.pilot != plan.pilot:
        raise PermanentError(
            f"The credentials are of pilot {file.pilot!r}, the plan is of {plan.pilot!r}: give the file that"
            " `pilotbed plan apply --credentials` wrote for this plan."
        )


def _login(credential: Credential, broker: str) -> Login:
    parts = urlsplit(broker)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or port == -1:
        raise PermanentError(f"{broker!r} is no broker's address: write it as in mqtt://127.0.0.1:18830 or mqtts://….")
    tls = parts.scheme == "mqtts"
    return Login(
        host=parts.hostname,
        port=port or (8883 if tls else 1883),
        username=credential.username,
        password=credential.password,
        tls=tls,
    )

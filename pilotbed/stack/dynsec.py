"""The file of Mosquitto's dynamic security plugin: who may connect, publish and subscribe, generated whole.

The file is the broker's own: it rewrites it with each change made over its control topic. It is generated here for a
new broker, and anew from the registry if it was lost; the registry keeps the plugin's password records, so no device
needs a new secret then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from devices.access import BrokerUser, access_rules, role_name
from devices.credentials import PasswordRecord


def admin_user(username: str, password: PasswordRecord) -> BrokerUser:
    """The registry's user, which changes the others over the control topic and reads the broker's own figures."""
    return BrokerUser(
        username=username,
        password=password,
        publish=("$CONTROL/dynamic-security/#",),
        subscribe=("$CONTROL/dynamic-security/#", "$SYS/#"),
    )


def collector_user(username: str, password: PasswordRecord) -> BrokerUser:
    """A collector: hears everything, says only receipts, seal heads, and Sparkplug's commands and state."""
    return BrokerUser(
        username=username,
        password=password,
        publish=("pilots/+/+/receipt", "pilots/+/seal", "spBv1.0/+/NCMD/#", "spBv1.0/STATE/#"),
        subscribe=("#", "$SYS/#", "$share/+/#"),
    )


def generate(users: Iterable[BrokerUser]) -> str:
    """The plugin's whole file for ``users``, everything else denied."""
    return _written(_NOBODY, list(users))


def replace_users(text: str, users: Iterable[BrokerUser]) -> str:
    """The plugin's file ``text`` with ``users`` added, or put in place of those of their names; the others stay.

    :raises ValueError: the text is not such a file.
    """
    document = json.loads(text)
    if not isinstance(document, dict) or not all(isinstance(document.get(key), list) for key in ("clients", "roles")):
        raise ValueError("not a dynamic security file")
    return _written(document, list(users))


_NOBODY: Final = {
    "defaultACLAccess": {
        "publishClientSend": False,
        "publishClientReceive": False,
        "subscribe": False,
        "unsubscribe": True,
    },
    "clients": [],
    "groups": [],
    "roles": [],
}


def _written(document: dict[str, Any], users: list[BrokerUser]) -> str:
    names = {user.username for user in users}
    roles = {role_name(name) for name in names}
    clients = [client for client in document["clients"] if client.get("username") not in names]
    kept_roles = [role for role in document["roles"] if role.get("rolename") not in roles]
    whole = document | {
        "clients": clients + [_client(user) for user in users],
        "roles": kept_roles + [{"rolename": role_name(user.username), "acls": access_rules(user)} for user in users],
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _client(user: BrokerUser) -> dict[str, Any]:
    return {
        "username": user.username,
        "password": user.password.hash,
        "salt": user.password.salt,
        "iterations": user.password.iterations,
        "roles": [{"rolename": role_name(user.username)}],
    }

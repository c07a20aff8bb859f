"""The file of Mosquitto's dynamic security plugin: who may connect, publish and subscribe, generated whole.

The file is the broker's own: it rewrites it with each change made over its control topic. It is generated here for a
new broker, and anew from the registry if it was lost; the registry keeps the plugin's password records, so no device
needs a new secret then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from devices.access import NOT_NAMED, Access, BrokerUser, access_rules, role_name
from devices.credentials import PasswordRecord, matches


def admin_user(username: str, password: PasswordRecord) -> BrokerUser:
    """The registry's user, which changes the others over the control topic and reads the broker's own figures. It is the jobs'
    too, which publish the seals."""
    return BrokerUser(
        username=username,
        password=password,
        publish=("$CONTROL/dynamic-security/#", "pilots/+/seal"),
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


def replace_users(text: str, users: Iterable[BrokerUser], *, without: Iterable[str] = ()) -> str:
    """The plugin's file ``text`` with ``users`` added, or put in place of those of their names; the others stay.

    What nobody's rule names is denied, whatever the text says of it.

    :param without: names of users that are not to be there.
    :raises ValueError: the text is not such a file.
    """
    return _written(_read(text), list(users), without)


def names(text: str) -> frozenset[str]:
    """The users that the plugin's file ``text`` has, the disabled among them.

    :raises ValueError: the text is not such a file.
    """
    return frozenset(client.get("username", "") for client in _read(text)["clients"])


def lets_in(text: str, access: Access, secret: str) -> bool:
    """Whether by the plugin's file ``text`` a user comes in with this secret, and has exactly these rights.

    :raises ValueError: the text is not such a file.
    """
    document = _read(text)
    role = role_name(access.username)
    client: dict[str, Any] = next((item for item in document["clients"] if item.get("username") == access.username), {})
    rules = next((item.get("acls", []) for item in document["roles"] if item.get("rolename") == role), None)
    if client.get("disabled", False) or [item.get("rolename") for item in client.get("roles", [])] != [role]:
        return False
    return (
        rules is not None and _comparable(rules) == _comparable(access_rules(access)) and _is_secret_of(client, secret)
    )


def _is_secret_of(client: dict[str, Any], secret: str) -> bool:
    try:
        record = PasswordRecord(hash=client["password"], salt=client["salt"], iterations=client["iterations"])
        return matches(secret, record)
    except (KeyError, TypeError, ValueError):
        return False  # without a password, or with one in no form of ours


def _comparable(rules: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    return {(rule.get("acltype"), rule.get("topic"), rule.get("priority", 0), rule.get("allow")) for rule in rules}


def _read(text: str) -> dict[str, Any]:
    document = json.loads(text)
    if not isinstance(document, dict) or not all(_are_objects(document.get(key)) for key in ("clients", "roles")):
        raise ValueError("not a dynamic security file")
    return document


def _are_objects(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(item, dict) for item in found)


_NOBODY: Final[dict[str, Any]] = {"clients": [], "groups": [], "roles": []}


def _written(document: dict[str, Any], users: list[BrokerUser], without: Iterable[str] = ()) -> str:
    names = {user.username for user in users} | set(without)
    roles = {role_name(name) for name in names}
    clients = [client for client in document["clients"] if client.get("username") not in names]
    kept_roles = [role for role in document["roles"] if role.get("rolename") not in roles]
    whole = document | {
        "defaultACLAccess": NOT_NAMED,
        "clients": clients + [_client(user) for user in users],
        # A group would lend its rights to its members.
        "groups": [_without(group, names) for group in document.get("groups", ())],
        "roles": kept_roles + [{"rolename": role_name(user.username), "acls": access_rules(user)} for user in users],
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _without(group: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return group | {"clients": [item for item in group.get("clients", ()) if item.get("username") not in names]}


def _client(user: BrokerUser) -> dict[str, Any]:
    return {
        "username": user.username,
        "password": user.password.hash,
        "salt": user.password.salt,
        "iterations": user.password.iterations,
        "roles": [{"rolename": role_name(user.username)}],
    }

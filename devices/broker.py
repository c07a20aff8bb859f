"""The registry's will at the broker: users, their secrets and their rights, changed while it runs.

The plugin takes a new password only in plain text, and the registry keeps none; nor does the plugin tell one. So a user that
the broker has lost, or whose password somebody changed there, cannot be mended from here: the users' file is brought to
:func:`desired_access` while the broker is stopped (the local stack does so at each start of it), or the connection gets a
new secret (``pilotbed device credentials``).
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from core.database import Connection
from core.errors import PermanentError
from devices.access import NOT_NAMED, Access, access_rules, role_name
from devices.control import Control, Refused
from devices.registry.bindings import desired_access, desired_clients
from devices.registry.work import lock_registry

__all__ = ["Broker", "Known", "Synchronised", "broker_users", "desired_access", "synchronise"]

broker_users = desired_clients

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A user as the broker knows it."""

    enabled: bool
    """Whether it is let in, as far as its password is right."""
    only_its_own: bool
    """Whether it has the rights of the role of its name, and no others from elsewhere; and is tied to no client id."""


Rules = set[tuple[str, str, int, bool]]
"""What a role says, as (kind, filter, priority, whether it allows)."""


class Broker:
    """What the registry tells a broker (:class:`devices.access.AtBroker`). Every call may be repeated without harm.

    ``with Broker(url) as broker: apply_plan(…, broker=broker)``: a broker that is away is noticed before anything changes.
    """

    def __init__(self, url: str, *, timeout_s: float = 10.0) -> None:
        self._control = Control(url, timeout_s=timeout_s)
        self._open = ExitStack()

    def __enter__(self) -> Broker:
        """
        :raises BrokerAway: nobody answers there in time.
        :raises PermanentError: the broker does not let us in.
        """
        self._open.enter_context(self._control)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def grant(self, access: Access, password: str | None) -> None:
        """Let a user in with exactly these rights; a password makes it new, or replaces the one it had.

        :raises PermanentError: without a password, for a user that the broker does not know.
        :raises BrokerAway: no answer in time.
        """
        name = access.username
        self._set_role(access)
        roles = [{"rolename": role_name(name)}]
        if password is None:
            try:
                self._control.ask("enableClient", name, username=name)
            except Refused as refused:
                if not refused.unknown:
                    raise
                raise PermanentError(
                    f"The broker at {self._control.address} does not know the user {name}, which the registry has:"
                    " give it a new secret with `pilotbed device credentials`."
                ) from refused
            return
        try:
            self._control.ask("createClient", name, username=name, password=password, roles=roles)
        except Refused as refused:
            if not refused.known:
                raise
            self._control.ask("modifyClient", name, username=name, password=password, roles=roles)
            self._control.ask("enableClient", name, username=name)

    def withdraw(self, username: str) -> None:
        """Cut a user off and let it in no more. One that the broker does not know is cut off already.

        :raises BrokerAway: no answer in time.
        """
        try:
            self._control.ask("disableClient", username, username=username)
        except Refused as refused:
            if not refused.unknown:
                raise

    def users(self) -> dict[str, Known]:
        """Every user that the broker knows."""
        found = self._control.ask("listClients", verbose=True, count=-1, offset=0)
        return {item["username"]: _known(item) for item in found.get("clients", ())}

    def rights(self) -> dict[str, Rules]:
        """Every role that the broker knows → what it says."""
        found = self._control.ask("listRoles", verbose=True, count=-1, offset=0)
        return {item["rolename"]: _rules(item.get("acls", ())) for item in found.get("roles", ())}

    def take_what_is_not_its_own(self, username: str) -> None:
        """Leave a user no rights but those of the role of its name; and its name as its client id."""
        roles = [{"rolename": role_name(username)}]
        self._control.ask("modifyClient", username, username=username, roles=roles, groups=[])
        self._control.ask("setClientId", username, username=username)

    def close(self) -> bool:
        """Deny what no rule names.

        :returns: whether anything of it was allowed.
        """
        found = self._control.ask("getDefaultACLAccess").get("acls", ())
        if {item["acltype"]: item["allow"] for item in found} == NOT_NAMED:
            return False
        rules = [{"acltype": kind, "allow": allow} for kind, allow in NOT_NAMED.items()]
        self._control.ask("setDefaultACLAccess", acls=rules)
        return True

    def _set_role(self, access: Access) -> None:
        arguments = {"rolename": role_name(access.username), "acls": access_rules(access)}
        try:
            self._control.ask("modifyRole", access.username, **arguments)
        except Refused as refused:
            if not refused.unknown:
                raise
            self._make_role(access.username, arguments)

    def _make_role(self, username: str, arguments: dict[str, Any]) -> None:
        try:
            self._control.ask("createRole", username, **arguments)
        except Refused as refused:
            if not refused.known:  # else it was made, and only the answer was lost
                raise


@dataclass(frozen=True, slots=True, kw_only=True)
class Synchronised:
    """What a comparison of broker and registry came to: user names."""

    corrected: tuple[str, ...]
    """Their rights differed, or they were shut out though active; ``*``: what everybody may do without a rule."""
    withdrawn: tuple[str, ...]
    """They were let in though withdrawn."""
    missing: tuple[str, ...]
    """Active, and not known to the broker: each needs a new secret, or the users' file is restored."""


def synchronise(broker: Broker | str, connection: Connection) -> Synchronised:
    """Bring the broker's users to what the registry says. Others than the registry's are left alone.

    :param broker: an open one, or the URL to go to.
    :raises BrokerAway: the broker does not answer.
    """
    if isinstance(broker, str):
        with Broker(broker) as opened:
            return synchronise(opened, connection)
    corrected, withdrawn, missing = [], [], []
    with connection.transaction():
        lock_registry(connection)  # an apply tells the broker before it commits
        wanted, users, rights = desired_access(connection), broker.users(), broker.rights()
        if broker.close():
            corrected.append("*")
        for name, access in wanted.items():
            there = users.get(name)
            if access is None:
                if there is not None and there.enabled:
                    broker.withdraw(name)
                    withdrawn.append(name)
            elif there is None:
                missing.append(name)
            elif not _as_wanted(there, rights.get(role_name(name)), access):
                broker.grant(access, None)
                if not there.only_its_own:
                    broker.take_what_is_not_its_own(name)
                corrected.append(name)
    done = Synchronised(corrected=tuple(corrected), withdrawn=tuple(withdrawn), missing=tuple(missing))
    if corrected or withdrawn or missing:
        _log.warning("broker_synchronised corrected=%s withdrawn=%s missing=%s", corrected, withdrawn, missing)
    return done


def _as_wanted(there: Known, rules: Rules | None, access: Access) -> bool:
    return there.enabled and there.only_its_own and rules == _rules(access_rules(access))


def _known(item: dict[str, Any]) -> Known:
    roles = [role["rolename"] for role in item.get("roles", ())]
    alone = roles == [role_name(item["username"])] and not item.get("groups") and not item.get("clientid")
    return Known(enabled=not item.get("disabled", False), only_its_own=alone)


def _rules(rules: Any) -> Rules:
    return {(rule["acltype"], rule["topic"], rule.get("priority", 0), rule.get("allow", True)) for rule in rules}

"""People: who they are, what they may see, and whether it is really them.

A role says which pilots somebody sees: an admin all, an officer those at the sites named, a company's person those of the
companies named, a committee's member the pilots named. Nobody sees anything else.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias, get_args

from core import audit
from core.database import Connection
from core.errors import NotFound, PermanentError
from core.sql import load
from dashboards import passwords
from dashboards.throttle import Throttle

Role: TypeAlias = Literal["admin", "officer", "company", "committee"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

_SQL = load("dashboards", "users.sql")
_NAME = re.compile(r"[\w가-힣][\w가-힣.@-]{0,62}")
_SCOPE_OF: Final = {"officer": "site", "company": "company", "committee": "pilot"}
_FIELD_OF: Final = {"site": "sites", "company": "companies", "pilot": "pilots"}


class UserError(PermanentError):
    """A person that cannot be registered or changed as asked."""


class WrongCredentials(PermanentError):
    """No such person, a wrong password, or a disabled one: which of them is not told."""


@dataclass(slots=True)
class TooManyFailures(PermanentError):
    """Somebody failed too often within a minute."""

    wait_s: float

    def __str__(self) -> str:
        return f"Too many failed log-ins: try again in {self.wait_s:.0f} s."


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One row of ``person`` without its password."""

    person_id: int
    name: str
    role: Role
    sites: Sequence[str]
    companies: Sequence[str]
    pilots: Sequence[str]
    language: str | None
    created_at: datetime
    disabled_at: datetime | None
    session_epoch: int


_COLUMNS = tuple(field.name for field in fields(Person))


def _person(row: dict[str, Any]) -> Person:
    return Person(**{name: row[name] for name in _COLUMNS})


def _check(name: str, role: str, scope: dict[str, Sequence[str]]) -> None:
    if _NAME.fullmatch(name) is None or name != unicodedata.normalize("NFC", name):
        raise UserError(
            f"The name {name!r} cannot be taken: write up to 63 letters, digits or . _ - @, beginning with a letter or digit."
        )
    if role not in ROLES:
        raise UserError(f"The role {role!r} of {name!r} is unknown: it is one of {', '.join(ROLES)}.")
    wanted = _SCOPE_OF.get(role)
    for kind, names in scope.items():
        if names and kind != wanted:
            raise UserError(
                f"--{kind} does not fit the role {role} of {name!r}: "
                + (f"that role is given by --{wanted}." if wanted else "an admin sees every pilot.")
            )
        if kind == wanted and not names:
            raise UserError(f"The role {role} of {name!r} needs --{wanted}: without it nothing could be seen.")


def add(
    connection: Connection,
    *,
    name: str,
    role: str,
    password: str | None = None,
    sites: Sequence[str] = (),
    companies: Sequence[str] = (),
    pilots: Sequence[str] = (),
    who: str,
) -> str:
    """Register a person.

    :param password: None makes one.
    :returns: the password, to be handed over once; it is kept nowhere.
    :raises UserError: the name is taken or unusable, or the scope does not fit the role.
    :raises PasswordError: the password is too short or too long.
    """
    _check(name, role, {"site": sites, "company": companies, "pilot": pilots})
    chosen = passwords.generated() if password is None else password
    values = {"name": name, "role": role, "sites": list(sites), "companies": list(companies), "pilots": list(pilots)}
    stored = passwords.made(chosen)
    with connection.transaction():
        if connection.execute(_SQL["add"], values | {"password": stored}).fetchone() is None:
            raise UserError(f"The name {name!r} is taken: choose another (`pilotbed user list` shows all).")
        audit.record(connection, who=who, what="person.add", object=f"person {name}", after=values)
    return chosen


def everybody(connection: Connection) -> list[Person]:
    """All people by name, the disabled among them."""
    return [_person(row) for row in connection.execute(_SQL["everybody"])]


def unknown_scope(
    connection: Connection, *, sites: Sequence[str] = (), companies: Sequence[str] = (), pilots: Sequence[str] = ()
) -> list[str]:
    """Which of these names no registered pilot has: people may be added before the plan, but a slip should be seen."""
    found: list[str] = []
    for block, names in (("unknown_sites", sites), ("unknown_companies", companies), ("unknown_pilots", pilots)):
        found += [row["name"] for row in connection.execute(_SQL[block], {"names": list(names)})]
    return found


def disable(connection: Connection, name: str, *, who: str) -> None:
    """Close a person's account and end every session of it. The row stays: the audit log names it.

    :raises NotFound: there is no such person, or it is disabled already.
    """
    with connection.transaction():
        if connection.execute(_SQL["disable"], {"name": name}).fetchone() is None:
            raise NotFound(f"No active person {name!r} to disable: `pilotbed user list` shows all.")
        audit.record(connection, who=who, what="person.disable", object=f"person {name}")


def change_password(connection: Connection, name: str, password: str | None, *, who: str) -> str:
    """Give a person another password; every session of it ends.

    :returns: the password, to be handed over once.
    :raises NotFound: there is no such active person.
    :raises PasswordError: the password is too short or too long.
    """
    chosen = passwords.generated() if password is None else password
    stored = passwords.made(chosen)
    with connection.transaction():
        if connection.execute(_SQL["change_password"], {"name": name, "password": stored}).fetchone() is None:
            raise NotFound(f"No active person {name!r}: `pilotbed user list` shows all.")
        audit.record(connection, who=who, what="person.password", object=f"person {name}")
    return chosen


def ensure_first_admin(connection: Connection, *, name: str = "admin", who: str = "system:up") -> str | None:
    """Make the first admin where there is none.

    :returns: its password, to be printed once; None where there is an admin already.
    """
    with connection.transaction():
        connection.execute(_SQL["lock_people"])
        found = connection.execute(_SQL["has_admin"]).fetchone()
        if found is not None and found["found"]:
            return None
        if connection.execute(_SQL["by_name"], {"name": name}).fetchone() is not None:
            return None  # disabled on purpose: bringing it back is somebody's decision
        return add(connection, name=name, role="admin", who=who)


class Gate:
    """Who comes in. One a process: it remembers who failed.

    A minute takes five failures of one name, and thirty from one address whatever the names.
    """

    def __init__(self, *, per_name: int = 5, per_address: int = 30) -> None:
        self._names = Throttle(most=per_name)
        self._addresses = Throttle(most=per_address)

    def authenticate(
        self, connection: Connection, name: str, password: str, *, address: str, now: float | None = None
    ) -> Person:
        """The person of a name and password. Known and unknown names take the same time.

        :raises WrongCredentials: it is not them.
        :raises TooManyFailures: too many failures; how long to wait is in it.
        """
        moment = time.monotonic() if now is None else now
        key = unicodedata.normalize("NFC", name.strip().replace("\0", ""))[:64]
        wait = self._addresses.ask(address, moment) or self._names.ask(key.casefold(), moment)
        if wait > 0:
            raise TooManyFailures(wait)
        row = connection.execute(_SQL["by_name"], {"name": key}).fetchone()
        usable = row is not None and row["disabled_at"] is None
        if not passwords.matches(password, row["password"] if row is not None and usable else None):
            audit.record(connection, who=f"address:{address}", what="person.login_failed", object=f"person {key}")
            raise WrongCredentials("The name or the password is wrong, or the account is closed.")
        assert row is not None
        self._names.succeeded(key.casefold())
        self._addresses.forgive(address)
        person = _person(row)
        audit.record(
            connection, who=person.name, what="person.login", object=f"person {person.name}", after={"from": address}
        )
        return person


def of_session(connection: Connection, person_id: int, epoch: int) -> Person | None:
    """The person of a session, or None where it has ended: logged out, disabled, or another password."""
    row = connection.execute(_SQL["of_session"], {"person": person_id, "epoch": epoch}).fetchone()
    return None if row is None else _person(row)


def log_out(connection: Connection, person: Person) -> None:
    """End every session of a person: a copied cookie is worth nothing afterwards."""
    with connection.transaction():
        connection.execute(_SQL["end_sessions"], {"person": person.person_id})
        audit.record(connection, who=person.name, what="person.logout", object=f"person {person.name}")


def choose_language(connection: Connection, person: Person, language: str) -> None:
    """Remember the language a person chose."""
    if language == person.language:
        return
    with connection.transaction():
        connection.execute(_SQL["choose_language"], {"person": person.person_id, "language": language})
        audit.record(
            connection, who=person.name, what="person.language", object=f"person {person.name}",
            before={"language": person.language}, after={"language": language},
        )  # fmt: skip

"""Who asks, in which language: worked out once a request, before anything else. Denied is the default."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeAlias, cast

from fastapi import Depends, Form, Query, Request

from core.errors import PermanentError
from core.language import LANGUAGES
from dashboards import users
from dashboards.access import PUBLIC, LoginNeeded, RoleDenied, VisiblePilot, one
from dashboards.sessions import LANGUAGE_COOKIE, SESSION_COOKIE, VISIT_COOKIE
from dashboards.site import Database, site_of
from dashboards.users import Person, Role


class ForgedForm(PermanentError):
    """A form without the token that its page carried: from another site, or left open too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What is known of a request before its route runs."""

    language: str
    person: Person | None
    nonce: str
    """What the tokens of this visit's forms are made from."""
    form_token: str
    new_visit: bool
    """Whether the answer must set the visit's cookie."""


def language_of(request: Request, person: Person | None = None) -> str:
    """Asked for in the address, else chosen before in this browser, else by this person, else the site's."""
    for wish in (
        request.query_params.get("lang"),
        request.cookies.get(LANGUAGE_COOKIE),
        person.language if person else None,
    ):
        if wish in LANGUAGES:
            return wish
    return site_of(request).language


def admit(request: Request) -> None:
    """Runs before every route: lets in who has a session that holds, and everybody where the route is public.

    :raises LoginNeeded: the route is not public, and nobody is logged in.
    """
    route = getattr(request.scope.get("route"), "path", None)
    if route not in PUBLIC and visit_of(request).person is None:
        raise LoginNeeded("This page needs a log-in.")


def visit_of(request: Request) -> Visit:
    """The visit of a request, worked out on first use."""
    known = getattr(request.state, "visit", None)
    if known is None:
        known = request.state.visit = _visit(request)
    return cast(Visit, known)


def _visit(request: Request) -> Visit:
    site = site_of(request)
    ticket = site.sessions.read(request.cookies.get(SESSION_COOKIE))
    person = None
    if ticket is not None:
        with site.connection() as connection:
            person = users.of_session(connection, ticket.person_id, ticket.epoch)
            wish = request.query_params.get("lang")
            if person is not None and wish in LANGUAGES and wish != person.language:
                users.choose_language(connection, person, wish)
    given = request.cookies.get(VISIT_COOKIE, "")
    fresh = not 8 <= len(given) <= 64
    nonce = ticket.nonce if ticket is not None and person is not None else secrets.token_urlsafe(12) if fresh else given
    return Visit(
        language=language_of(request, person),
        person=person,
        nonce=nonce,
        form_token=site.sessions.form_token(nonce),
        new_visit=fresh and person is None,
    )


def _person(request: Request) -> Person:
    person = visit_of(request).person
    if person is None:
        raise LoginNeeded("This page needs a log-in.")
    return person


Who: TypeAlias = Annotated[Person, Depends(_person)]
"""The person who asks."""


def _pilot(pilot: str, person: Who, connection: Database) -> VisiblePilot:
    return one(connection, person, pilot)


Pilot: TypeAlias = Annotated[VisiblePilot, Depends(_pilot)]
"""The pilot of the address, if the person may see it; else the route answers 404."""


VersionNumber: TypeAlias = Annotated[int | None, Query(ge=1, le=2**31 - 1)]
"""Of a result; None: the newest."""


def only(*roles: Role) -> Callable[[Person], None]:
    """A dependency that lets in these roles alone."""

    def check(person: Who) -> None:
        if person.role not in roles:
            raise RoleDenied(f"The role {person.role} may not open this page.")

    return check


def real_form(request: Request, form_token: Annotated[str, Form()] = "") -> None:
    """A dependency of every route that takes a form.

    :raises ForgedForm: its token is not this visit's.
    """
    if not site_of(request).sessions.is_form_token(visit_of(request).nonce, form_token):
        raise ForgedForm("The form's token does not belong to this visit.")

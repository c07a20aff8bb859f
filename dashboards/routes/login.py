"""Logging in and out."""

from __future__ import annotations

import math
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from dashboards import users
from dashboards.pages import render
from dashboards.sessions import SESSION_COOKIE, SESSION_S, VISIT_COOKIE, safe_next
from dashboards.site import Database, site_of
from dashboards.users import TooManyFailures, WrongCredentials
from dashboards.visit import Who, real_form, visit_of

router = APIRouter()


@router.get("/login")
def form(request: Request, next: str = "") -> Response:  # noqa: A002 - the query's name
    """The log-in page; whoever is logged in goes on."""
    if visit_of(request).person is not None:
        return RedirectResponse(safe_next(next), status_code=303)
    return render(request, "login.html", next=safe_next(next), name="", fault=None, wait_s=0)


@router.post("/login", dependencies=[Depends(real_form)])
def log_in(
    request: Request,
    connection: Database,
    name: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=2000)] = "",
    next: Annotated[str, Form(max_length=2000)] = "",  # noqa: A002 - the field's name
) -> Response:
    """A session for the right name and password."""
    site = site_of(request)
    address = request.client.host if request.client else "unknown"
    try:
        person = site.gate.authenticate(connection, name, password, address=address)
    except WrongCredentials:
        return render(request, "login.html", status=401, next=safe_next(next), name=name, fault="wrong", wait_s=0)
    except TooManyFailures as refusal:
        page = render(
            request, "login.html", status=429, next=safe_next(next), name=name, fault="wait", wait_s=refusal.wait_s
        )
        page.headers["retry-after"] = str(math.ceil(refusal.wait_s))
        return page
    answer = RedirectResponse(safe_next(next), status_code=303)
    answer.set_cookie(
        SESSION_COOKIE,
        site.sessions.issue(person_id=person.person_id, epoch=person.session_epoch),
        max_age=SESSION_S,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    answer.delete_cookie(VISIT_COOKIE)
    return answer


@router.post("/logout", dependencies=[Depends(real_form)])
def log_out(request: Request, person: Who, connection: Database) -> Response:  # noqa: ARG001 - routes of a form take it
    """Every session of the person ends, on every device."""
    users.log_out(connection, person)
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(SESSION_COOKIE)
    return answer

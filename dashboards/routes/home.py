"""The first page: what waits for the person, and every pilot they see with its state at a glance."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from dashboards.glance import counts, glances
from dashboards.live import live_of
from dashboards.pages import render
from dashboards.site import Database
from dashboards.tasks import tasks_of
from dashboards.visit import Who, visit_of
from dashboards.wording import Wording

router = APIRouter()


@router.get("/")
def home(request: Request, person: Who, connection: Database) -> Response:
    """Every pilot of the person."""
    words = Wording(language=visit_of(request).language)
    found = glances(connection, person, words)
    return render(
        request,
        "home.html",
        here_is_home=True,
        pilots=found,
        counts=counts(found),
        waiting_for_first=sum(one.state is None for one in found),
        tasks=tasks_of(connection, person, found, words),
    )


@router.get("/live.json")
def live(request: Request, person: Who, connection: Database) -> Response:
    """How long ago each pilot was last heard: what the first page asks every five seconds."""
    return JSONResponse(live_of(connection, person, Wording(language=visit_of(request).language)))

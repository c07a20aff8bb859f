"""What arrived, what did not, and why."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from dashboards.live import heard, link_word
from dashboards.pages import render
from dashboards.plans import places_of
from dashboards.site import Database, site_of
from dashboards.visit import Pilot, Who, visit_of
from dashboards.waiting import intake_of, waiting_count
from dashboards.wording import Wording

router = APIRouter()


@router.get("/pilots/{pilot}/intake")
def intake(request: Request, pilot: Pilot, person: Who, connection: Database) -> Response:
    """Counts a day, and the newest of what was refused with its reason and the next step."""
    words = Wording(language=visit_of(request).language)
    found = heard(connection, person, pilot.name)[pilot.pilot_id]
    return render(
        request,
        "intake.html",
        pilot=pilot,
        heard=found,
        link=link_word(found),
        refused=waiting_count(connection, person, pilot),
        places=places_of(connection, pilot),
        intake=intake_of(connection, pilot, site_of(request).reasons, words, datetime.now(UTC)),
    )

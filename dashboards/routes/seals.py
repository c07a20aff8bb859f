"""The seals of a pilot, for whoever may see it; and the public keys they are verified by, for everybody."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from core.errors import NotFound
from dashboards.pilot_page import Page
from dashboards.site import Database, site_of
from dashboards.visit import Pilot
from telemetry.seals.leaves import READING
from telemetry.seals.signing import keys_document, public_keys
from telemetry.seals.store import Seal, recent
from telemetry.seals.witness import message_of

router = APIRouter()

_MOST: Final = 100
Number = Annotated[int | None, Query(ge=1, le=2**31 - 1)]


@router.get("/.well-known/pilotbed-seal-keys.json")
def seal_keys(request: Request) -> JSONResponse:
    """Every public key that ever signed a seal, each signed by the one before it."""
    with site_of(request).connection() as connection:
        return JSONResponse(keys_document(public_keys(connection)))


@router.get("/pilots/{pilot}/seals")
def listed(page: Page, before: Number = None) -> Response:
    """The newest seals with what they hold, a hundred at a time."""
    found = recent(page.connection, page.pilot.name, most=_MOST + 1, before=before)
    return page.show(
        "seals.html",
        seals=[_shown(one) for one in found[:_MOST]],
        older=found[_MOST - 1].number if len(found) > _MOST else None,
        before=before,
    )


@router.get("/pilots/{pilot}/seals.json")
def document(pilot: Pilot, connection: Database, number: Number = None) -> Response:
    """One seal as it is published on the broker, with the signed statement of its day; without a number the newest."""
    found = recent(connection, pilot.name, most=1, before=None if number is None else number + 1)
    if not found or number not in (None, found[0].number):
        raise NotFound(f"There is no seal {number or ''} of {pilot.name}.")
    public = next(key.public for key in public_keys(connection) if key.fingerprint == found[0].key)
    return Response(message_of(found[0], public), media_type="application/json")


def _shown(seal: Seal) -> dict[str, Any]:
    said = seal.said
    return {
        "number": seal.number,
        "day": seal.day,
        "interim": seal.interim,
        "epoch": seal.epoch,
        "restored": said.restored,
        "readings": said.rows[READING],
        "others": sum(said.rows.values()) - said.rows[READING],
        "head": seal.head,
        "recorded_at": seal.recorded_at,
        "stamped_at": seal.stamped_at,
    }

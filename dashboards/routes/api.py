"""The HTTP interface: the same results as JSON, for whoever has a session. Errors are problem+json."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from pydantic import Field as PydanticField

from core.canonical import plain
from core.database import Connection
from core.errors import NotFound
from dashboards.access import VisiblePilot, visible
from dashboards.account import days_of, timed
from dashboards.completeness import last_day, month_of
from dashboards.found import Asked, checked_until, found_of, window_of
from dashboards.judged import Result, results
from dashboards.live import heard
from dashboards.site import Database, site_of
from dashboards.users import Person
from dashboards.visit import Pilot, Who
from telemetry.account_document import document as account_document
from telemetry.findings import Finding, Kind

router = APIRouter(prefix="/api/v1", tags=["pilots"])


class PlanOut(BaseModel):
    """A plan version."""

    version: int
    sha256: str


class PilotOut(BaseModel):
    """A pilot that the caller may see."""

    pilot: str
    title: str
    kind: str
    company: str
    site: str
    zone: str
    start: str
    end: str
    simulated: bool
    plan: PlanOut
    last_received: str | None


class PilotsOut(BaseModel):
    """Pilots by name; ``next`` is the cursor of the following page."""

    pilots: list[PilotOut]
    next: str | None


@router.get("/pilots", summary="The pilots that the caller may see")
def pilots(
    person: Who,
    connection: Database,
    after: Annotated[str, Query(max_length=63, description="The cursor of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> PilotsOut:
    """By name, a page at a time."""
    links = heard(connection, person)
    found = sorted((one for one in visible(connection, person) if one.name > after), key=lambda one: one.name)
    page = found[:limit]
    return PilotsOut(
        pilots=[_pilot(one, links[one.pilot_id].last_received) for one in page],
        next=page[-1].name if len(found) > limit else None,
    )


@router.get("/pilots/{pilot}", summary="One pilot")
def one_pilot(pilot: Pilot, person: Who, connection: Database) -> PilotOut:
    """As in the list."""
    return _pilot(pilot, heard(connection, person, pilot.name)[pilot.pilot_id].last_received)


@router.get("/pilots/{pilot}/evaluation", summary="The newest version of a result")
def evaluation(
    pilot: Pilot,
    person: Who,
    connection: Database,
    month: Annotated[str, Query(pattern=r"^(\d{4}-\d{2})?$", description="A month, YYYY-MM.")] = "",
    at: Annotated[str, Query(pattern=r"^(\d{4}-\d{2}-\d{2})?$", description="An evaluation date, YYYY-MM-DD.")] = "",
    final: Annotated[bool, Query(description="The final evaluation.")] = False,
) -> dict[str, Any]:
    """The stored document of a month, an evaluation date, or the final evaluation; the latest month without any of them."""
    if at:
        found = [*_of(connection, person, pilot, "date", at), *_of(connection, person, pilot, "final", at)]
    elif final:
        found = _of(connection, person, pilot, "final", None)
    else:
        found = _of(connection, person, pilot, "month", month or None)
    if not found:
        raise NotFound(f"Pilot {pilot.name!r} has no such result yet.")
    return document(found[-1])


@router.get("/pilots/{pilot}/intake", summary="The account of a day of receipt")
def intake(
    request: Request,
    pilot: Pilot,
    connection: Database,
    day: Annotated[
        str,
        Query(pattern=r"^(\d{4}-\d{2}-\d{2})?$", description="A day of the pilot's zone, YYYY-MM-DD; today without."),
    ] = "",
) -> dict[str, Any]:
    """What was expected, delivered and stored, and what was refused, set aside, missing, late: as `pilotbed intake --json`."""
    days = days_of(pilot, day)
    if day and days.day.isoformat() != day:
        raise NotFound(f"Pilot {pilot.name!r} has no account of {day}: there are {days.first} to {days.last}.")
    return account_document(timed(site_of(request), connection, pilot, days.day))


class FindingOut(BaseModel):
    """One finding: what was noticed, over which instants of observation, by which rule."""

    id: int
    kind: str
    flag: int = PydanticField(description="3 suspect, 4 fail, 9 missing (QARTOD, ioos_qc).")
    slot: str
    channel: str | None = PydanticField(description="None: of the slot as a whole.")
    start: str
    end: str
    value: float | None
    unit: str
    detail: dict[str, Any] = PydanticField(description="The rule, its thresholds, and what reproduces it.")
    recorded_at: str
    superseded_at: str | None


class FindingsOut(BaseModel):
    """Findings, the newest first; ``next`` is the cursor of the following page."""

    findings: list[FindingOut]
    next: str | None
    checked_until: str | None = PydanticField(description="Until when readings were judged.")


@router.get("/pilots/{pilot}/findings", summary="What was noticed about a pilot's data")
def findings(
    pilot: Pilot,
    person: Who,
    connection: Database,
    kind: Annotated[list[Kind] | None, Query(description="Only these kinds; may be given several times.")] = None,
    slot: Annotated[str, Query(pattern=r"^[a-z0-9_-]{0,63}$")] = "",
    channel: Annotated[str, Query(pattern=r"^[a-z0-9_-]{0,63}$")] = "",
    start: Annotated[date | None, Query(alias="from", description="A day of the pilot's zone.")] = None,
    end: Annotated[date | None, Query(alias="to", description="A day of the pilot's zone, included.")] = None,
    superseded: Annotated[bool, Query(description="Also what a later judgement has superseded.")] = False,
    after: Annotated[str, Query(max_length=63, description="The cursor of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> FindingsOut:
    """Those that touch the days asked for, a page at a time."""
    window = window_of(pilot, start, end)
    asked = Asked(
        kinds=tuple(kind or ()), slot=slot, channel=channel, window=window, superseded=superseded, after=after
    )
    listed = found_of(connection, person, pilot, asked, limit)
    until = checked_until(connection, person, pilot)
    return FindingsOut(
        findings=[_finding(one) for one in listed.findings],
        next=listed.next,
        checked_until=None if until is None else plain(until),
    )


@router.get("/pilots/{pilot}/completeness", summary="How complete the data of each day are")
def completeness(
    request: Request,
    pilot: Pilot,
    connection: Database,
    month: Annotated[
        str,
        Query(
            pattern=r"^(\d{4}-(0[1-9]|1[0-2]))?$",
            description="A month of the pilot's zone, YYYY-MM; the newest without.",
        ),
    ] = "",
) -> dict[str, Any]:
    """A month in columns: days, the pilot's share, and of each slot and channel what was expected, missing and left out."""
    first = date.fromisoformat(f"{month}-01") if month else last_day(pilot).replace(day=1)
    return {**month_of(site_of(request), connection, pilot, first)}


def _finding(one: Finding) -> FindingOut:
    return FindingOut(
        id=one.finding_id, kind=one.kind, flag=one.flag, slot=one.slot, channel=one.channel,
        start=plain(one.window.start), end=plain(one.window.end), value=one.value, unit=one.unit, detail=dict(one.detail),
        recorded_at=plain(one.recorded_at), superseded_at=None if one.superseded_at is None else plain(one.superseded_at),
    )  # fmt: skip


def _of(connection: Connection, person: Person, pilot: VisiblePilot, kind: str, label: str | None) -> list[Result]:
    return results(connection, person, kind, pilot=pilot, label=label)


def document(result: Result) -> dict[str, Any]:
    """A stored result with its version and hash."""
    return {
        **result.document,
        "version": result.version,
        "sha256": result.sha256,
        "evaluated_at": plain(result.evaluated_at),
    }


@router.get("/openapi.json", include_in_schema=False)
def schema() -> JSONResponse:
    """What this interface takes and gives."""
    return JSONResponse(
        get_openapi(
            title="Pilotbed",
            version="1",
            description="Pilots and their results. Errors are application/problem+json (RFC 9457).",
            routes=router.routes,
        )
    )


def _pilot(pilot: VisiblePilot, last_received: Any) -> PilotOut:
    return PilotOut(
        pilot=pilot.name,
        title=pilot.title,
        kind=pilot.kind,
        company=pilot.company,
        site=pilot.site,
        zone=pilot.zone,
        start=plain(pilot.start_at),
        end=plain(pilot.end_at),
        simulated=pilot.simulated,
        plan=PlanOut(version=pilot.plan_version, sha256=pilot.plan_sha256),
        last_received=None if last_received is None else plain(last_received),
    )

"""Documents to take away: the monthly opinion, the evaluations, the plan."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from core import audit
from core.errors import NotFound
from core.language import STATES
from dashboards.judged import Result, one_version, results
from dashboards.live import heard, link_word
from dashboards.opinions import opinion, opinion_codes, opinion_file
from dashboards.pages import render
from dashboards.plans import plan_of
from dashboards.routes.api import document
from dashboards.site import Database, site_of
from dashboards.verdicts import date_name, judged_dates
from dashboards.visit import Pilot, Who, visit_of
from dashboards.waiting import waiting_count
from dashboards.wording import Wording
from devices import registry
from kpi.reports.page_view import worst

router = APIRouter()


@router.get("/pilots/{pilot}/documents")
def documents(request: Request, pilot: Pilot, person: Who, connection: Database) -> Response:
    """What there is, the newest first."""
    words = Wording(language=visit_of(request).language)
    found = heard(connection, person, pilot.name)[pilot.pilot_id]
    months = list(reversed(results(connection, person, "month", pilot=pilot)))
    return render(
        request,
        "documents.html",
        pilot=pilot,
        heard=found,
        link=link_word(found),
        refused=waiting_count(connection, person, pilot),
        manual_declared=bool(plan_of(connection, pilot).manual),
        months=[(one, _state(one)) for one in months],
        codes=opinion_codes(connection, person, pilot, [one.label for one in months], folder=site_of(request).folder),
        dates=[(one, date_name(one, words)) for one in reversed(judged_dates(connection, person, pilot))],
    )


def _state(result: Result) -> object:
    return STATES[worst([entry["status"] for entry in result.kpis])]


@router.get("/pilots/{pilot}/opinion/{month}.pdf")
def opinion_pdf(request: Request, pilot: Pilot, person: Who, connection: Database, month: str) -> Response:
    """The opinion of a month, to be signed."""
    language = visit_of(request).language
    made = opinion(connection, person, pilot, month, language=language, folder=site_of(request).folder)
    if person.role == "officer":  # whose task it was to look at it: see dashboards.tasks
        with connection.transaction():
            audit.record(connection, who=person.name, what="opinion.open", pilot=pilot.name, object=f"opinion {month}")
    return _attached(made, "application/pdf", f"{pilot.name}-opinion-{month}.pdf")


@router.get("/pilots/{pilot}/opinion/{month}.json")
def opinion_json(request: Request, pilot: Pilot, person: Who, connection: Database, month: str) -> Response:
    """The same opinion as data: the SHA-256 of its ``opinion`` in canonical form is the one that the PDF prints."""
    made = opinion_file(connection, person, pilot, month, folder=site_of(request).folder)
    return _attached(made, "application/json", f"{pilot.name}-opinion-{month}.json")


def _attached(made: bytes, kind: str, name: str) -> Response:
    return Response(made, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})


@router.get("/pilots/{pilot}/evaluation.json")
def evaluation(
    pilot: Pilot,
    person: Who,
    connection: Database,
    kind: str = "month",
    label: str = "",
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> JSONResponse:
    """A stored result: its newest version, or the one asked for."""
    if version is not None:
        return JSONResponse(document(one_version(connection, person, pilot, kind, label, version)))
    found = results(connection, person, kind, pilot=pilot, label=label or None)
    if not found:
        raise NotFound(f"Pilot {pilot.name!r} has no result {kind} {label}.")
    return JSONResponse(document(found[-1]))


@router.get("/pilots/{pilot}/plan.yaml")
def plan(pilot: Pilot, connection: Database) -> Response:
    """The plan file in force, byte by byte as it was applied."""
    source, _, _ = registry.plan_source(connection, pilot.name, pilot.plan_version)
    return Response(source, media_type="application/yaml")

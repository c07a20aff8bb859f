"""Documents to take away: the monthly opinion, the evaluations, the plan."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from core import audit
from core.errors import NotFound
from core.language import STATES
from dashboards.judged import Result, one_version, results
from dashboards.opinions import opinion, opinion_codes, opinion_file
from dashboards.pilot_page import Page
from dashboards.routes.api import document
from dashboards.site import Database
from dashboards.verdicts import date_name, judged_dates
from dashboards.visit import Pilot, VersionNumber, Who
from devices import registry
from kpi.reports.page_view import worst

router = APIRouter()


@router.get("/pilots/{pilot}/documents")
def documents(page: Page) -> Response:
    """What there is, the newest first."""
    words = page.words
    months = list(reversed(results(page.connection, page.person, "month", pilot=page.pilot)))
    return page.show(
        "documents.html",
        months=[(one, _state(one)) for one in months],
        codes=opinion_codes(
            page.connection, page.person, page.pilot, [one.label for one in months], folder=page.site.folder
        ),
        dates=[
            (one, date_name(one, words)) for one in reversed(judged_dates(page.connection, page.person, page.pilot))
        ],
    )


def _state(result: Result) -> object:
    return STATES[worst([entry["status"] for entry in result.kpis])]


@router.get("/pilots/{pilot}/opinion/{month}.pdf")
def opinion_pdf(page: Page, month: str) -> Response:
    """The opinion of a month, to be signed."""
    name, person = page.pilot.name, page.person
    made = opinion(page.connection, person, page.pilot, month, language=page.words.language, folder=page.site.folder)
    if person.role == "officer":  # whose task it was to look at it: see dashboards.tasks
        with page.connection.transaction():
            audit.record(page.connection, who=person.name, what="opinion.open", pilot=name, object=f"opinion {month}")
    return _attached(made, "application/pdf", f"{name}-opinion-{month}.pdf")


@router.get("/pilots/{pilot}/opinion/{month}.json")
def opinion_json(page: Page, month: str) -> Response:
    """The same opinion as data: the SHA-256 of its ``opinion`` in canonical form is the one that the PDF prints."""
    made = opinion_file(page.connection, page.person, page.pilot, month, folder=page.site.folder)
    return _attached(made, "application/json", f"{page.pilot.name}-opinion-{month}.json")


def _attached(made: bytes, kind: str, name: str) -> Response:
    return Response(made, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})


@router.get("/pilots/{pilot}/evaluation.json")
def evaluation(
    pilot: Pilot,
    person: Who,
    connection: Database,
    kind: str = "month",
    label: str = "",
    version: VersionNumber = None,
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

"""One stored result and one KPI in it, in any of its versions; and what people agreed about a pilot."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from core.errors import NotFound
from dashboards.assets import chart_library
from dashboards.changed import changed_shown
from dashboards.compared import compared_shown
from dashboards.detail import detail_of
from dashboards.judged import one_version, results
from dashboards.labelling import PAIR_WORDS, matching_of
from dashboards.overall import overall_shown
from dashboards.plans import places_of, plan_at, plan_of
from dashboards.routes.pilot import pilot_page
from dashboards.site import Database, site_of
from dashboards.verdicts import result_name, table_of
from dashboards.versions import versions_of
from dashboards.visit import Pilot, Who, visit_of
from dashboards.wording import Wording
from kpi.records.outages import CAUSES
from kpi.reports.gather_agreed import agreed_outages, amendments_of, exclusions, rooms

router = APIRouter()

VersionNumber = Annotated[int | None, Query(ge=1, le=2**31 - 1)]


@router.get("/pilots/{pilot}/results/{kind}/{label}")
def result(
    request: Request,
    pilot: Pilot,
    person: Who,
    connection: Database,
    kind: str,
    label: str,
    version: VersionNumber = None,
    upto: VersionNumber = None,
) -> Response:
    """A month or an evaluation date: its table, and its versions with what made them differ."""
    words = Wording(language=visit_of(request).language)
    shown = one_version(connection, person, pilot, kind, label, version)
    return pilot_page(
        request,
        connection,
        person,
        pilot,
        "result.html",
        found=table_of(shown, words),
        newest=shown if version is None else one_version(connection, person, pilot, kind, label),
        overall=overall_shown(connection, pilot, shown, words),
        versions=versions_of(connection, person, pilot, shown, words, upto=upto),
        kpi_key=None,
    )


@router.get("/pilots/{pilot}/results/{kind}/{label}/{key}")
def kpi(
    request: Request,
    pilot: Pilot,
    person: Who,
    connection: Database,
    kind: str,
    label: str,
    key: str,
    version: VersionNumber = None,
    upto: VersionNumber = None,
) -> Response:
    """One KPI in it: why its answer is what it is."""
    words = Wording(language=visit_of(request).language)
    shown = one_version(connection, person, pilot, kind, label, version)
    entry = shown.entry(key)
    if entry is None:
        raise NotFound(f"The result {kind} {label} of pilot {pilot.name!r} has no KPI {key!r}.")
    plan = plan_at(connection, pilot, shown.plan_version, str(shown.document["plan"]["sha256"]))
    promised = plan.kpis.get(key)
    return pilot_page(
        request,
        connection,
        person,
        pilot,
        "kpi.html",
        found=table_of(shown, words),
        newest=shown if version is None else one_version(connection, person, pilot, kind, label),
        detail=detail_of(
            connection,
            pilot,
            shown,
            entry,
            "" if promised is None else promised.definition or "",
            places_of(connection, pilot),
            words,
        ),
        versions=versions_of(connection, person, pilot, shown, words, upto=upto, key=key),
        kpi_key=key,
        matching=matching_of(entry),
        compared=compared_shown(entry, words),
        chart_library=f"/static/{chart_library(site_of(request).folder).name}"
        if entry.get("references") or entry.get("change")
        else "",
        changed=changed_shown(entry, words),
        pair_words=PAIR_WORDS,
        result_heading=result_name(shown, words),
    )


@router.get("/pilots/{pilot}/agreed")
def agreed(request: Request, pilot: Pilot, person: Who, connection: Database) -> Response:
    """What is left out of judgement, the agreed outages, the amendments: who asked, who agreed, what was taken back."""
    plan = plan_of(connection, pilot)
    months = results(connection, person, "month", pilot=pilot)
    judged = [] if not months else months[-1].document.get("exclusions", ())
    counting = {one["exclusion_id"]: bool(one["counts"]) for one in judged}
    left_out = exclusions(connection, pilot.name, plan, counting)
    return pilot_page(
        request,
        connection,
        person,
        pilot,
        "agreed.html",
        exclusions=list(reversed(left_out)),
        rooms=rooms(plan, left_out),
        outages=list(reversed(agreed_outages(connection, pilot.name))),
        causes=CAUSES,
        amendments=list(reversed(amendments_of(connection, pilot.name))),
    )

"""One stored result and one KPI in it, in any of its versions; and what people agreed about a pilot."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from core.errors import NotFound
from dashboards.assets import chart_library
from dashboards.changed import changed_shown
from dashboards.compared import compared_shown
from dashboards.detail import detail_of
from dashboards.judged import one_version, results
from dashboards.labelling import PAIR_WORDS, matching_of
from dashboards.overall import overall_shown
from dashboards.pilot_page import Page
from dashboards.plans import places_of, plan_at
from dashboards.verdicts import result_name, table_of
from dashboards.versions import versions_of
from dashboards.visit import VersionNumber
from kpi.records.outages import CAUSES
from kpi.reports.gather_agreed import agreed_outages, amendments_of, exclusions, rooms

router = APIRouter()


@router.get("/pilots/{pilot}/results/{kind}/{label}")
def result(page: Page, kind: str, label: str, version: VersionNumber = None, upto: VersionNumber = None) -> Response:
    """A month or an evaluation date: its table, and its versions with what made them differ."""
    words = page.words
    shown = one_version(page.connection, page.person, page.pilot, kind, label, version)
    return page.show(
        "result.html",
        found=table_of(shown, words),
        newest=shown if version is None else one_version(page.connection, page.person, page.pilot, kind, label),
        overall=overall_shown(page.connection, page.pilot, shown, words),
        versions=versions_of(page.connection, page.person, page.pilot, shown, words, upto=upto),
        kpi_key=None,
    )


@router.get("/pilots/{pilot}/results/{kind}/{label}/{key}")
def kpi(
    page: Page,
    kind: str,
    label: str,
    key: str,
    version: VersionNumber = None,
    upto: VersionNumber = None,
) -> Response:
    """One KPI in it: why its answer is what it is."""
    words = page.words
    shown = one_version(page.connection, page.person, page.pilot, kind, label, version)
    entry = shown.entry(key)
    if entry is None:
        raise NotFound(f"The result {kind} {label} of pilot {page.pilot.name!r} has no KPI {key!r}.")
    plan = plan_at(page.connection, page.pilot, shown.plan_version, str(shown.document["plan"]["sha256"]))
    promised = plan.kpis.get(key)
    return page.show(
        "kpi.html",
        found=table_of(shown, words),
        newest=shown if version is None else one_version(page.connection, page.person, page.pilot, kind, label),
        detail=detail_of(
            page.connection,
            page.pilot,
            shown,
            entry,
            "" if promised is None else promised.definition or "",
            places_of(page.connection, page.pilot),
            words,
        ),
        versions=versions_of(page.connection, page.person, page.pilot, shown, words, upto=upto, key=key),
        kpi_key=key,
        matching=matching_of(entry),
        compared=compared_shown(entry, words),
        chart_library=f"/static/{chart_library(page.site.folder).name}"
        if entry.get("references") or entry.get("change")
        else "",
        changed=changed_shown(entry, words),
        pair_words=PAIR_WORDS,
        result_heading=result_name(shown, words),
    )


@router.get("/pilots/{pilot}/agreed")
def agreed(page: Page) -> Response:
    """What is left out of judgement, the agreed outages, the amendments: who asked, who agreed, what was taken back."""
    plan = page.plan
    months = results(page.connection, page.person, "month", pilot=page.pilot)
    judged = [] if not months else months[-1].document.get("exclusions", ())
    counting = {one["exclusion_id"]: bool(one["counts"]) for one in judged}
    left_out = exclusions(page.connection, page.pilot.name, plan, counting)
    return page.show(
        "agreed.html",
        exclusions=list(reversed(left_out)),
        rooms=rooms(plan, left_out),
        outages=list(reversed(agreed_outages(page.connection, page.pilot.name))),
        causes=CAUSES,
        amendments=list(reversed(amendments_of(page.connection, page.pilot.name))),
    )

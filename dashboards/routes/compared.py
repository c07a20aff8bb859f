"""The charts of a KPI that is compared with a reference: its pairs, and the difference over time, as of its result."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from core.database import Connection
from core.errors import NotFound
from core.language import N_
from dashboards.access import VisiblePilot
from dashboards.browser import for_browser
from dashboards.judged import Result, one_version
from dashboards.plans import plan_at
from dashboards.site import Database, site_of
from dashboards.visit import Pilot, Who, visit_of
from dashboards.wording import Wording
from kpi.charts import embed_options, svg
from kpi.compared import cloud_spec, comparison, off_spec

router = APIRouter()

What = Literal["pairs", "difference"]
_GOOD_S = 3600.0
"""A result never changes, so neither do its charts."""
VersionNumber = Annotated[int | None, Query(ge=1, le=2**31 - 1)]


@router.get("/pilots/{pilot}/results/{kind}/{label}/{key}/compared/{what}.json")
def as_json(
    request: Request,
    pilot: Pilot,
    person: Who,
    connection: Database,
    kind: str,
    label: str,
    key: str,
    what: What,
    version: VersionNumber = None,
) -> Response:
    """The specification of one of the charts, as wide as its place."""
    language = visit_of(request).language
    shown = one_version(connection, person, pilot, kind, label, version)
    spec = _spec(request, connection, pilot, shown, key, what)
    if not spec:
        return JSONResponse(
            {"empty": Wording(language=language).say(N_("이 기간에는 기준측정값과 짝을 이룬 값이 없습니다"))}
        )
    return JSONResponse({"spec": for_browser(spec), "options": embed_options(language)})


@router.get("/pilots/{pilot}/results/{kind}/{label}/{key}/compared/{what}.svg")
def as_image(
    request: Request,
    pilot: Pilot,
    person: Who,
    connection: Database,
    kind: str,
    label: str,
    key: str,
    what: What,
    version: VersionNumber = None,
) -> Response:
    """The same chart as an image."""
    shown = one_version(connection, person, pilot, kind, label, version)
    spec = _spec(request, connection, pilot, shown, key, what)
    if not spec:
        raise NotFound(f"The KPI {key!r} of pilot {pilot.name!r} has no pairs in this result.")
    return Response(svg(spec, language=visit_of(request).language), media_type="image/svg+xml")


def _spec(
    request: Request, connection: Connection, pilot: VisiblePilot, shown: Result, key: str, what: What
) -> dict[str, Any]:
    """Empty where there is nothing to draw."""
    language = visit_of(request).language
    plan = plan_at(connection, pilot, shown.plan_version, str(shown.document["plan"]["sha256"]))
    if shown.entry(key) is None or key not in plan.kpis:
        raise NotFound(f"The result {shown.kind} {shown.label} of pilot {pilot.name!r} has no KPI {key!r}.")

    def made() -> dict[str, Any]:
        found = comparison(connection, plan, plan.kpis[key], shown.document)
        if found is None:
            return {}
        return cloud_spec(found, language) if what == "pairs" else off_spec(found, language)

    known = ("compared", pilot.name, shown.kind, shown.label, shown.version, key, what, language)
    return site_of(request).charts.get(known, made, span_s=_GOOD_S, keep=bool)

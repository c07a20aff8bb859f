"""The charts of a KPI that is compared with a reference: its pairs, and the difference over time, as of its result."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import Response

from core.errors import NotFound
from core.language import N_
from dashboards.browser import RESULTS_GOOD_S, as_picture, as_script
from dashboards.judged import one_version
from dashboards.pilot_page import Page, PilotPage
from dashboards.plans import plan_at
from dashboards.visit import VersionNumber
from kpi.compared import cloud_spec, comparison, off_spec

router = APIRouter()

What = Literal["pairs", "difference"]


@router.get("/pilots/{pilot}/results/{kind}/{label}/{key}/compared/{what}.json")
def as_json(page: Page, kind: str, label: str, key: str, what: What, version: VersionNumber = None) -> Response:
    """The specification of one of the charts, as wide as its place."""
    spec = _spec(page, kind, label, key, what, version)
    return as_script(spec, page.words, empty=N_("이 기간에는 기준측정값과 짝을 이룬 값이 없습니다"))


@router.get("/pilots/{pilot}/results/{kind}/{label}/{key}/compared/{what}.svg")
def as_image(page: Page, kind: str, label: str, key: str, what: What, version: VersionNumber = None) -> Response:
    """The same chart as an image."""
    spec = _spec(page, kind, label, key, what, version)
    if not spec:
        raise NotFound(f"The KPI {key!r} of pilot {page.pilot.name!r} has no pairs in this result.")
    return as_picture(spec, page.words)


def _spec(page: PilotPage, kind: str, label: str, key: str, what: What, version: int | None) -> dict[str, Any]:
    """Empty where there is nothing to draw."""
    connection, pilot, language = page.connection, page.pilot, page.words.language
    shown = one_version(connection, page.person, pilot, kind, label, version)
    plan = plan_at(connection, pilot, shown.plan_version, str(shown.document["plan"]["sha256"]))
    if shown.entry(key) is None or key not in plan.kpis:
        raise NotFound(f"The result {kind} {label} of pilot {pilot.name!r} has no KPI {key!r}.")

    def made() -> dict[str, Any]:
        found = comparison(connection, plan, plan.kpis[key], shown.document)
        if found is None:
            return {}
        return cloud_spec(found, language) if what == "pairs" else off_spec(found, language)

    known = ("compared", pilot.name, kind, label, shown.version, key, what, language)
    return page.site.charts.get(known, made, span_s=RESULTS_GOOD_S, keep=bool)

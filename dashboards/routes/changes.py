"""Changes against a baseline: the picture of before and after, and the files that were handed in."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, File, Form, UploadFile
from fastapi.responses import Response

from core.errors import NotFound, PermanentError
from core.language import N_
from dashboards.browser import RESULTS_GOOD_S, as_picture, as_script
from dashboards.forms import ENTERING
from dashboards.judged import one_version
from dashboards.pilot_page import Page, PilotPage
from dashboards.site import Database
from dashboards.visit import Pilot, VersionNumber, only, real_form
from kpi.changed import spec_of
from kpi.records.baselines import MOST_BYTES, add_baseline, baseline_files, baselines, content_of

router = APIRouter()

_MOST_MIB: Final = 10
"""Of a file on the page; the command takes larger ones."""


@router.get("/pilots/{pilot}/results/{kind}/{label}/{key}/change.json")
def as_json(page: Page, kind: str, label: str, key: str, version: VersionNumber = None) -> Response:
    """The specification of the picture, as wide as its place."""
    return as_script(_spec(page, kind, label, key, version), page.words, empty=N_("날마다 견줄 값이 없습니다"))


@router.get("/pilots/{pilot}/results/{kind}/{label}/{key}/change.svg")
def as_image(page: Page, kind: str, label: str, key: str, version: VersionNumber = None) -> Response:
    """The same picture as an image."""
    spec = _spec(page, kind, label, key, version)
    if not spec:
        raise NotFound(f"The KPI {key!r} of pilot {page.pilot.name!r} has no days to draw in this result.")
    return as_picture(spec, page.words)


def _spec(page: PilotPage, kind: str, label: str, key: str, version: int | None) -> dict[str, Any]:
    shown = one_version(page.connection, page.person, page.pilot, kind, label, version)
    entry = shown.entry(key)
    if entry is None:
        raise NotFound(f"The result {kind} {label} of pilot {page.pilot.name!r} has no KPI {key!r}.")
    words = page.words
    known = ("change", page.pilot.name, kind, label, shown.version, key, words.language)
    return page.site.charts.get(
        known, lambda: spec_of(entry, words.say, words.language), span_s=RESULTS_GOOD_S, keep=bool
    )


# --- the files


@router.get("/pilots/{pilot}/baselines")
def listed(page: Page) -> Response:
    """What was handed in, unaltered, with who and when; and what the plan still waits for."""
    return _page(page, None)


def _page(page: PilotPage, fault: PermanentError | None) -> Response:
    plan = page.plan
    found = baselines(page.connection, page.pilot.name)
    there = {(one.kpi, one.sha256) for one in found}
    awaited = [
        {"kpi": name, "name": plan.kpis[name].name, "file": one.file, "sha256": one.sha256}
        for name, files in baseline_files(plan)
        for one in files
        if (name, one.sha256) not in there
    ]
    return page.show("baselines.html", recorded=found,
        awaited=awaited, kpi_names={name: kpi.name for name, kpi in plan.kpis.items()}, fault=fault,
        may_enter=page.person.role in ENTERING, most_mib=_MOST_MIB,
    )  # fmt: skip


@router.post("/pilots/{pilot}/baselines", dependencies=[Depends(only(*ENTERING)), Depends(real_form)])
def handed_in(
    page: Page,
    kpi: Annotated[str, Form(max_length=200)] = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Keep a file as it came, if it is the one that the plan names."""
    try:
        name, content = _given(file)
        add_baseline(page.connection, page.pilot.name, kpi, name, content, who=f"web:{page.person.name}")
    except PermanentError as fault:
        return _page(page, fault)
    return page.to("baselines")


def _given(file: UploadFile | None) -> tuple[str, bytes]:
    """The file's name without folders, and its bytes."""
    if file is None or not file.filename:
        raise PermanentError("No file was chosen: choose the one that the plan names.")
    return file.filename.replace("\\", "/").rsplit("/", 1)[-1], file.file.read(MOST_BYTES + 1)


@router.get("/pilots/{pilot}/baselines/{number}")
def one(pilot: Pilot, connection: Database, number: int) -> Response:
    """The bytes of a file, as they came."""
    known = next((row for row in baselines(connection, pilot.name) if row.baseline_id == number), None)
    if known is None:
        raise NotFound(f"Pilot {pilot.name!r} has no baseline {number}.")
    disposition = f"attachment; filename*=UTF-8''{quote(known.file_name, safe='')}"
    headers = {"content-disposition": disposition, "x-content-type-options": "nosniff"}
    return Response(content_of(connection, number), media_type="application/octet-stream", headers=headers)

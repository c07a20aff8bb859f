"""Changes against a baseline: the picture of before and after, and the files that were handed in."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from fastapi.responses import JSONResponse, RedirectResponse, Response

from core.database import Connection
from core.errors import NotFound, PermanentError
from core.language import N_
from dashboards.access import VisiblePilot
from dashboards.browser import for_browser
from dashboards.judged import one_version
from dashboards.plans import plan_of
from dashboards.routes.pilot import pilot_page
from dashboards.site import Database, site_of
from dashboards.users import Person
from dashboards.visit import Pilot, Who, only, real_form, visit_of
from dashboards.wording import Wording
from kpi.changed import spec_of
from kpi.charts import embed_options, svg
from kpi.records.baselines import MOST_BYTES, add_baseline, baseline_files, baselines, content_of

router = APIRouter()

_GOOD_S: Final = 3600.0
"""A result never changes, so neither does its picture."""
_ENTERING: Final = ("officer", "admin")
_WRONG: Final = 400
_MOST_MIB: Final = 10
"""Of a file on the page; the command takes larger ones."""
VersionNumber = Annotated[int | None, Query(ge=1, le=2**31 - 1)]


@router.get("/pilots/{pilot}/results/{kind}/{label}/{key}/change.json")
def as_json(
    request: Request, pilot: Pilot, person: Who, connection: Database, kind: str, label: str, key: str,
    version: VersionNumber = None,
) -> Response:  # fmt: skip
    """The specification of the picture, as wide as its place."""
    language = visit_of(request).language
    spec = _spec(request, connection, person, pilot, (kind, label, key), version)
    if not spec:
        return JSONResponse({"empty": Wording(language=language).say(N_("날마다 견줄 값이 없습니다"))})
    return JSONResponse({"spec": for_browser(spec), "options": embed_options(language)})


@router.get("/pilots/{pilot}/results/{kind}/{label}/{key}/change.svg")
def as_image(
    request: Request, pilot: Pilot, person: Who, connection: Database, kind: str, label: str, key: str,
    version: VersionNumber = None,
) -> Response:  # fmt: skip
    """The same picture as an image."""
    spec = _spec(request, connection, person, pilot, (kind, label, key), version)
    if not spec:
        raise NotFound(f"The KPI {key!r} of pilot {pilot.name!r} has no days to draw in this result.")
    return Response(svg(spec, language=visit_of(request).language), media_type="image/svg+xml")


def _spec(
    request: Request,
    connection: Connection,
    person: Person,
    pilot: VisiblePilot,
    which: tuple[str, str, str],
    version: int | None,
) -> dict[str, Any]:
    kind, label, key = which
    shown = one_version(connection, person, pilot, kind, label, version)
    entry = shown.entry(key)
    if entry is None:
        raise NotFound(f"The result {kind} {label} of pilot {pilot.name!r} has no KPI {key!r}.")
    words = Wording(language=visit_of(request).language)
    known = ("change", pilot.name, kind, label, shown.version, key, words.language)
    return site_of(request).charts.get(
        known, lambda: spec_of(entry, words.say, words.language), span_s=_GOOD_S, keep=bool
    )


# --- the files


@router.get("/pilots/{pilot}/baselines")
def listed(request: Request, pilot: Pilot, person: Who, connection: Database) -> Response:
    """What was handed in, unaltered, with who and when; and what the plan still waits for."""
    return _page(request, connection, person, pilot, "")


def _page(request: Request, connection: Connection, person: Person, pilot: VisiblePilot, fault: str) -> Response:
    plan = plan_of(connection, pilot)
    found = baselines(connection, pilot.name)
    there = {(one.kpi, one.sha256) for one in found}
    awaited = [
        {"kpi": name, "name": plan.kpis[name].name, "file": one.file, "sha256": one.sha256}
        for name, files in baseline_files(plan)
        for one in files
        if (name, one.sha256) not in there
    ]
    return pilot_page(
        request, connection, person, pilot, "baselines.html", status=_WRONG if fault else 200, recorded=found,
        awaited=awaited, kpi_names={name: kpi.name for name, kpi in plan.kpis.items()}, fault=fault,
        may_enter=person.role in _ENTERING, most_mib=_MOST_MIB,
    )  # fmt: skip


@router.post("/pilots/{pilot}/baselines", dependencies=[Depends(only(*_ENTERING)), Depends(real_form)])
def handed_in(
    request: Request,
    pilot: Pilot,
    person: Who,
    connection: Database,
    kpi: Annotated[str, Form(max_length=200)] = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Keep a file as it came, if it is the one that the plan names."""
    try:
        name, content = _given(file)
        add_baseline(connection, pilot.name, kpi, name, content, who=f"web:{person.name}")
    except PermanentError as fault:
        return _page(request, connection, person, pilot, str(fault))
    return RedirectResponse(f"/pilots/{pilot.name}/baselines", status_code=303)


def _given(file: UploadFile | None) -> tuple[str, bytes]:
    """The file's name without folders, and its bytes."""
    if file is None or not file.filename:
        raise PermanentError("No file was chosen: choose the one that the plan names.")
    return file.filename.replace("\\", "/").rsplit("/", 1)[-1], file.file.read(MOST_BYTES + 1)


@router.get("/pilots/{pilot}/baselines/{number}")
def one(pilot: Pilot, person: Who, connection: Database, number: int) -> Response:
    """The bytes of a file, as they came."""
    del person
    known = next((row for row in baselines(connection, pilot.name) if row.baseline_id == number), None)
    if known is None:
        raise NotFound(f"Pilot {pilot.name!r} has no baseline {number}.")
    disposition = f"attachment; filename*=UTF-8''{quote(known.file_name, safe='')}"
    headers = {"content-disposition": disposition, "x-content-type-options": "nosniff"}
    return Response(content_of(connection, number), media_type="application/octet-stream", headers=headers)

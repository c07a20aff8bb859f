"""Static files: the stylesheet, the scripts, the chart library."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from dashboards.assets import asset, chart_library
from dashboards.site import site_of

router = APIRouter()

_FOR_EVER = "public, max-age=31536000, immutable"


@router.get("/static/{name}")
def static(request: Request, name: str) -> Response:
    """One file by its hashed name."""
    library = chart_library(site_of(request).folder) if name.startswith("vega.") else None
    found = library if library is not None and library.name == name else asset(name)
    headers = {"cache-control": _FOR_EVER, "etag": found.tag, "vary": "accept-encoding"}
    if request.headers.get("if-none-match") == found.tag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.gzipped, media_type=found.kind, headers=headers | {"content-encoding": "gzip"})
    return Response(found.body, media_type=found.kind, headers=headers)


@router.get("/favicon.ico")
def favicon(request: Request) -> Response:
    """What browsers ask for without being told."""
    from dashboards.assets import address

    return static(request, address("mark.svg").removeprefix("/static/"))

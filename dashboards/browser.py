"""A chart as a browser gets it: to draw itself, under a strict content security policy; or, without a script, as an image."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from fastapi.responses import JSONResponse, Response

from core.window import EPOCH
from dashboards.wording import Wording
from kpi.charts import embed_options, svg

RESULTS_GOOD_S: Final = 3600.0
"""A result never changes, so neither do its charts."""


def as_script(spec: dict[str, Any], words: Wording, *, empty: str) -> Response:
    """The specification for the browser's own drawing, and how it is to draw it.

    :param spec: empty where there is nothing to draw; ``empty`` is what is said then.
    """
    if not spec:
        return JSONResponse({"empty": words.say(empty)})
    return JSONResponse({"spec": for_browser(spec), "options": embed_options(words.language)})


def as_picture(spec: dict[str, Any], words: Wording) -> Response:
    """The same chart as an image."""
    return Response(svg(spec, language=words.language), media_type="image/svg+xml")


def for_browser(spec: dict[str, Any]) -> dict[str, Any]:
    """The same chart, as wide as its place, its instants in a form that Vega's interpreter understands.

    A policy without ``unsafe-eval`` has expressions interpreted, and the interpreter takes ``datetime(ms)`` for a year
    and gives an invalid date. Vega-Lite makes that call of a number in a ``utc`` scale's domain, so those become parts
    of a date, for which it calls ``utc(…)``.
    """
    changed: dict[str, Any] = _changed(spec)
    return changed | {"width": "container"}


def _changed(node: Any) -> Any:
    if isinstance(node, list):
        return [_changed(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") == "utc" and isinstance(node.get("domain"), list):
        return node | {"domain": [_parts(end) if isinstance(end, int) else end for end in node["domain"]]}
    return {key: value if key == "datasets" else _changed(value) for key, value in node.items()}


def _parts(ms: int) -> dict[str, Any]:
    at = EPOCH + timedelta(milliseconds=ms)
    return {
        "year": at.year,
        "month": at.month,
        "date": at.day,
        "hours": at.hour,
        "minutes": at.minute,
        "seconds": at.second,
        "milliseconds": at.microsecond // 1000,
        "utc": True,
    }

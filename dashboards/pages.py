"""Pages from templates: one Jinja environment a language, everything escaped, an unknown name an error."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from core.language import LANGUAGES, catalogue
from dashboards.access import VisiblePilot
from dashboards.assets import address
from dashboards.sessions import LANGUAGE_COOKIE, VISIT_COOKIE
from dashboards.site import site_of
from dashboards.visit import Visit, visit_of
from dashboards.wording import Wording

_YEAR_S = 365 * 86_400
_CITY = ZoneInfo("Asia/Seoul")


@cache
def environment(language: str) -> Environment:
    """The templates in one language, compiled once."""
    made = Environment(
        loader=PackageLoader("dashboards"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(catalogue(language), newstyle=True)  # type: ignore[attr-defined]
    made.globals |= {"lang": language, "f": Wording(language=language), "asset": address}
    return made


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page for the visit of a request."""
    visit = visit_of(request)
    text = (
        environment(visit.language)
        .get_template(template)
        .render(
            visit=visit,
            person=visit.person,
            form_token=visit.form_token,
            site=site_of(request),
            here=str(request.url.replace(query="")),
            other_languages=_switch(request),
            printed_at=Wording(language=visit.language).time(datetime.now(UTC), _zone(values)),
            **values,
        )
    )
    response = HTMLResponse(text, status_code=status)
    set_visit_cookies(request, response, visit)
    return response


def _zone(values: dict[str, Any]) -> ZoneInfo:
    """The zone of the pilot that a page is about; of the city where it is about none."""
    pilot = values.get("pilot")
    return pilot.zone_info if isinstance(pilot, VisiblePilot) else _CITY


def _switch(request: Request) -> dict[str, str]:
    """The address of this page in each language."""
    rest = [(key, value) for key, value in request.query_params.multi_items() if key != "lang"]
    return {language: f"{request.url.path}?{urlencode([*rest, ('lang', language)])}" for language in LANGUAGES}


def set_visit_cookies(request: Request, response: HTMLResponse, visit: Visit) -> None:
    """The cookies that a page leaves: the chosen language, and before a log-in what its form's token is made from."""
    secure = request.url.scheme == "https"
    if request.query_params.get("lang") in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE, visit.language, max_age=_YEAR_S, secure=secure, httponly=True, samesite="lax"
        )
    if visit.new_visit:
        response.set_cookie(VISIT_COOKIE, visit.nonce, secure=secure, httponly=True, samesite="lax")

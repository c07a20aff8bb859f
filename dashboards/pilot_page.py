"""One request below a pilot's header: who asks for which pilot, and the page that answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from core.database import Connection
from core.errors import PermanentError
from dashboards.access import VisiblePilot
from dashboards.live import heard, link_word
from dashboards.pages import render
from dashboards.plans import places_of, plan_of
from dashboards.site import Database, Site, site_of
from dashboards.users import Person
from dashboards.visit import Pilot, Who, visit_of
from dashboards.waiting import waiting_count
from dashboards.wording import Wording
from devices.plan.model import Plan
from kpi.records.baselines import baseline_files
from kpi.records.labels import truth_kinds
from kpi.records.refusal import refusal_text

_WRONG: Final = 400


@dataclass(frozen=True, slots=True)
class PilotPage:
    """What a route below a pilot's header works with."""

    request: Request
    pilot: VisiblePilot
    person: Person
    connection: Connection

    @property
    def words(self) -> Wording:
        """In the language of the visit."""
        return Wording(language=visit_of(self.request).language)

    @property
    def plan(self) -> Plan:
        """The one in force."""
        return plan_of(self.connection, self.pilot)

    @property
    def site(self) -> Site:
        """What outlives a request."""
        return site_of(self.request)

    def show(self, template: str, *, fault: PermanentError | None = None, **values: Any) -> Response:
        """The page.

        :param fault: why what a form asked for was not done; the page is that form again, and says so.
        """
        found = heard(self.connection, self.person, self.pilot.name)[self.pilot.pilot_id]
        plan = self.plan
        return render(
            self.request,
            template,
            status=200 if fault is None else _WRONG,
            fault=None if fault is None else refusal_text(fault, self.words.language),
            pilot=self.pilot,
            heard=found,
            link=link_word(found),
            refused=waiting_count(self.connection, self.person, self.pilot),
            places=places_of(self.connection, self.pilot),
            manual_declared=bool(plan.manual),
            truth_declared=bool(truth_kinds(plan)),
            baselines_declared=any(baseline_files(plan)),
            **values,
        )

    def to(self, place: str) -> Response:
        """What follows a form: another page below this pilot."""
        return RedirectResponse(f"/pilots/{self.pilot.name}/{place}", status_code=303)


def _page(request: Request, pilot: Pilot, person: Who, connection: Database) -> PilotPage:
    return PilotPage(request, pilot, person, connection)


Page: TypeAlias = Annotated[PilotPage, Depends(_page)]
"""The request, if the person may see the pilot of its address; else the route answers 404."""

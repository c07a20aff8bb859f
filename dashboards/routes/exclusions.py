"""Exclusions asked for and agreed: the company asks, the site's officer agrees, the programme team agrees; or somebody refuses.

Every step shows what it would change before, asks once, and cannot be undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from core.database import Connection
from core.errors import NotFound, PermanentError
from dashboards.access import VisiblePilot
from dashboards.plans import plan_of
from dashboards.proposals import proposal_of
from dashboards.routes.pilot import pilot_page
from dashboards.site import Database
from dashboards.users import Person
from dashboards.visit import Pilot, Who, only, real_form, visit_of
from dashboards.wording import Wording
from kpi.records import consent
from kpi.records.exclusions import Asked, last_day_to_ask, require_allowed, require_room, rules_of
from kpi.records.manual_rules import window_of
from kpi.records.refusal import refusal_text
from kpi.records.shared import span
from kpi.reports.gather_agreed import exclusions as recorded
from kpi.reports.gather_agreed import rooms

router = APIRouter()

_FIELDS: Final = ("slot", "start", "end", "reason", "note")
_Text = Annotated[str, Form(max_length=2_000)]
_WRONG: Final = 400
_MOST_NUMBER: Final = 2**62


def _given(
    slot: _Text = "",
    start: _Text = "",
    end: _Text = "",
    reason: _Text = "",
    note: _Text = "",
) -> dict[str, str]:
    """What the form says, as it was typed."""
    return {"slot": slot, "start": start, "end": end, "reason": reason, "note": note}


_Given = Annotated[dict[str, str], Depends(_given)]


@router.get("/pilots/{pilot}/exclusions")
def listed(request: Request, pilot: Pilot, person: Who, connection: Database) -> Response:
    """What was asked for, and what became of it."""
    plan = plan_of(connection, pilot)
    left_out = recorded(connection, pilot.name, plan, {})
    return pilot_page(
        request,
        connection,
        person,
        pilot,
        "exclusions.html",
        requests=consent.requests(connection, person=person.person_id, pilot=pilot.name),
        reasons=rules_of(plan).reasons,
        rooms=rooms(plan, left_out),
    )


@router.get("/pilots/{pilot}/exclusions/ask", dependencies=[Depends(only("company"))])
def form(request: Request, pilot: Pilot, person: Who, connection: Database) -> Response:
    """The company's form."""
    return _form(request, connection, person, pilot, dict.fromkeys(_FIELDS, ""), None)


def _form(
    request: Request,
    connection: Connection,
    person: Person,
    pilot: VisiblePilot,
    given: Mapping[str, str],
    fault: PermanentError | None,
) -> Response:
    plan = plan_of(connection, pilot)
    rules = rules_of(plan)
    language = visit_of(request).language
    return pilot_page(
        request,
        connection,
        person,
        pilot,
        "exclusion_ask.html",
        status=200 if fault is None else _WRONG,
        given=given,
        fault=None if fault is None else refusal_text(fault, language),
        reasons=rules.reasons,
        rules=rules,
        slots=list(plan.slots),
        last_day=last_day_to_ask(pilot.today(), rules.holidays, within=rules.ask_within_days),
    )


@router.post("/pilots/{pilot}/exclusions/preview", dependencies=[Depends(only("company")), Depends(real_form)])
def preview(
    request: Request,
    pilot: Pilot,
    person: Who,
    connection: Database,
    given: _Given,
) -> Response:
    """What it would change, before it is asked for."""
    words = Wording(language=visit_of(request).language)
    plan = plan_of(connection, pilot)
    try:
        asked = _asked(pilot, given)
        judged = require_allowed(plan, pilot.plan_version, asked, pilot.today())
        if asked.slot not in plan.slots:
            raise NotFound(f"Pilot {pilot.name} has no slot {asked.slot!r}; it has: {', '.join(plan.slots)}.")
        require_room(connection, plan, asked, judged)
    except PermanentError as fault:
        return _form(request, connection, person, pilot, given, fault)
    return pilot_page(
        request,
        connection,
        person,
        pilot,
        "exclusion_preview.html",
        given=given,
        asked=asked,
        reason=rules_of(plan).reasons[asked.reason],
        effect=proposal_of(connection, pilot, asked, words),
    )


def _asked(pilot: VisiblePilot, given: Mapping[str, str]) -> Asked:
    start, end = window_of(given["start"], given["end"], "", pilot.zone_info)
    return Asked(
        slot=given["slot"], window=span(start, end), reason=given["reason"], asked_on=pilot.today(), note=given["note"].strip()
    )  # fmt: skip


@router.post("/pilots/{pilot}/exclusions", dependencies=[Depends(only("company")), Depends(real_form)])
def ask(
    request: Request,
    pilot: Pilot,
    person: Who,
    connection: Database,
    given: _Given,
) -> Response:
    """Ask for it."""
    try:
        asked = _asked(pilot, given)
        made = consent.ask(
            connection, pilot.name, person=person.person_id, slot=asked.slot, start=asked.window.start,
            end=asked.window.end, reason=asked.reason, note=asked.note,
        )  # fmt: skip
    except PermanentError as fault:
        return _form(request, connection, person, pilot, given, fault)
    return _to(pilot, made.request_id)


@router.get("/pilots/{pilot}/exclusions/{number}")
def shown(request: Request, pilot: Pilot, person: Who, connection: Database, number: int) -> Response:
    """One request: what it would change, what each side said, and what the person may say to it."""
    return _shown(request, connection, person, pilot, number, None)


def _shown(
    request: Request,
    connection: Connection,
    person: Person,
    pilot: VisiblePilot,
    number: int,
    fault: PermanentError | None,
    why: str = "",
) -> Response:
    words = Wording(language=visit_of(request).language)
    if not 0 < number < _MOST_NUMBER:
        raise NotFound(f"Pilot {pilot.name} has no exclusion request {number}.")
    found = consent.request(connection, pilot.name, number, person=person.person_id)
    waiting = found.state == "waiting"
    return pilot_page(
        request,
        connection,
        person,
        pilot,
        "exclusion_request.html",
        status=200 if fault is None else _WRONG,
        one=found,
        reason=rules_of(plan_of(connection, pilot)).reasons.get(found.asked.reason, (found.asked.reason,) * 2),
        effect=proposal_of(connection, pilot, found.asked, words) if waiting else None,
        mine=found.waits_for(person.role),
        fault=None if fault is None else refusal_text(fault, words.language),
        why=why,
    )


@router.post(
    "/pilots/{pilot}/exclusions/{number}/agree", dependencies=[Depends(only("officer", "admin")), Depends(real_form)]
)
def agree(request: Request, pilot: Pilot, person: Who, connection: Database, number: int) -> Response:
    """Agree, for the side that the role speaks for."""
    return _said(request, connection, person, pilot, number, lambda: consent.say(
        connection, pilot.name, number, person=person.person_id, agreed=True
    ))  # fmt: skip


@router.post(
    "/pilots/{pilot}/exclusions/{number}/refuse", dependencies=[Depends(only("officer", "admin")), Depends(real_form)]
)
def refuse(request: Request, pilot: Pilot, person: Who, connection: Database, number: int, why: _Text = "") -> Response:
    """Refuse, with a reason."""
    return _said(request, connection, person, pilot, number, lambda: consent.say(
        connection, pilot.name, number, person=person.person_id, agreed=False, why=why
    ), why)  # fmt: skip


@router.post(
    "/pilots/{pilot}/exclusions/{number}/take-back", dependencies=[Depends(only("company")), Depends(real_form)]
)
def take_back(
    request: Request, pilot: Pilot, person: Who, connection: Database, number: int, why: _Text = ""
) -> Response:
    """Ask for it no more."""
    return _said(request, connection, person, pilot, number, lambda: consent.take_back(
        connection, pilot.name, number, person=person.person_id, why=why
    ), why)  # fmt: skip


def _said(
    request: Request,
    connection: Connection,
    person: Person,
    pilot: VisiblePilot,
    number: int,
    act: Any,
    why: str = "",
) -> Response:
    if not 0 < number < _MOST_NUMBER:
        raise NotFound(f"Pilot {pilot.name} has no exclusion request {number}.")
    try:
        act()
    except NotFound:
        raise
    except PermanentError as fault:
        return _shown(request, connection, person, pilot, number, fault, why)
    return _to(pilot, number)


def _to(pilot: VisiblePilot, number: int) -> Response:
    return RedirectResponse(f"/pilots/{pilot.name}/exclusions/{number}", status_code=303)

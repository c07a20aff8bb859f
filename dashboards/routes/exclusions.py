"""Exclusions asked for and agreed: the company asks, the site's officer agrees, the programme team agrees; or somebody refuses.

Every step shows what it would change before, asks once, and cannot be undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from core.errors import NotFound, PermanentError
from dashboards.access import VisiblePilot
from dashboards.forms import Text
from dashboards.pilot_page import Page, PilotPage
from dashboards.proposals import proposal_of
from dashboards.visit import only, real_form
from kpi.records import consent
from kpi.records.exclusions import Asked, last_day_to_ask, require_allowed, require_room, rules_of
from kpi.records.manual_rules import window_of
from kpi.records.shared import span
from kpi.reports.gather_agreed import exclusions as recorded
from kpi.reports.gather_agreed import rooms

router = APIRouter()

_FIELDS: Final = ("slot", "start", "end", "reason", "note")
_MOST_NUMBER: Final = 2**62


def _given(
    slot: Text = "",
    start: Text = "",
    end: Text = "",
    reason: Text = "",
    note: Text = "",
) -> dict[str, str]:
    """What the form says, as it was typed."""
    return {"slot": slot, "start": start, "end": end, "reason": reason, "note": note}


_Given = Annotated[dict[str, str], Depends(_given)]


@router.get("/pilots/{pilot}/exclusions")
def listed(page: Page) -> Response:
    """What was asked for, and what became of it."""
    plan = page.plan
    left_out = recorded(page.connection, page.pilot.name, plan, {})
    return page.show(
        "exclusions.html",
        requests=consent.requests(page.connection, person=page.person.person_id, pilot=page.pilot.name),
        reasons=rules_of(plan).reasons,
        rooms=rooms(plan, left_out),
    )


@router.get("/pilots/{pilot}/exclusions/ask", dependencies=[Depends(only("company"))])
def form(page: Page) -> Response:
    """The company's form."""
    return _form(page, dict.fromkeys(_FIELDS, ""), None)


def _form(page: PilotPage, given: Mapping[str, str], fault: PermanentError | None) -> Response:
    plan = page.plan
    rules = rules_of(plan)
    return page.show(
        "exclusion_ask.html",
        given=given,
        fault=fault,
        reasons=rules.reasons,
        rules=rules,
        slots=list(plan.slots),
        last_day=last_day_to_ask(page.pilot.today(), rules.holidays, within=rules.ask_within_days),
    )


@router.post("/pilots/{pilot}/exclusions/preview", dependencies=[Depends(only("company")), Depends(real_form)])
def preview(page: Page, given: _Given) -> Response:
    """What it would change, before it is asked for."""
    words = page.words
    plan = page.plan
    try:
        asked = _asked(page.pilot, given)
        judged = require_allowed(plan, page.pilot.plan_version, asked, page.pilot.today())
        if asked.slot not in plan.slots:
            raise NotFound(f"Pilot {page.pilot.name} has no slot {asked.slot!r}; it has: {', '.join(plan.slots)}.")
        require_room(page.connection, plan, asked, judged)
    except PermanentError as fault:
        return _form(page, given, fault)
    return page.show(
        "exclusion_preview.html",
        given=given,
        asked=asked,
        reason=rules_of(plan).reasons[asked.reason],
        effect=proposal_of(page.connection, page.pilot, asked, words),
    )


def _asked(pilot: VisiblePilot, given: Mapping[str, str]) -> Asked:
    start, end = window_of(given["start"], given["end"], "", pilot.zone_info)
    return Asked(
        slot=given["slot"], window=span(start, end), reason=given["reason"], asked_on=pilot.today(), note=given["note"].strip()
    )  # fmt: skip


@router.post("/pilots/{pilot}/exclusions", dependencies=[Depends(only("company")), Depends(real_form)])
def ask(page: Page, given: _Given) -> Response:
    """Ask for it."""
    try:
        asked = _asked(page.pilot, given)
        made = consent.ask(
            page.connection, page.pilot.name, person=page.person.person_id, slot=asked.slot, start=asked.window.start,
            end=asked.window.end, reason=asked.reason, note=asked.note,
        )  # fmt: skip
    except PermanentError as fault:
        return _form(page, given, fault)
    return page.to(f"exclusions/{made.request_id}")


@router.get("/pilots/{pilot}/exclusions/{number}")
def shown(page: Page, number: int) -> Response:
    """One request: what it would change, what each side said, and what the person may say to it."""
    return _shown(page, number, None)


def _shown(page: PilotPage, number: int, fault: PermanentError | None, why: str = "") -> Response:
    words = page.words
    _require_number(page.pilot, number)
    found = consent.request(page.connection, page.pilot.name, number, person=page.person.person_id)
    waiting = found.state == "waiting"
    return page.show(
        "exclusion_request.html",
        one=found,
        reason=rules_of(page.plan).reasons.get(found.asked.reason, (found.asked.reason,) * 2),
        effect=proposal_of(page.connection, page.pilot, found.asked, words) if waiting else None,
        mine=found.waits_for(page.person.role),
        fault=fault,
        why=why,
    )


@router.post(
    "/pilots/{pilot}/exclusions/{number}/agree", dependencies=[Depends(only("officer", "admin")), Depends(real_form)]
)
def agree(page: Page, number: int) -> Response:
    """Agree, for the side that the role speaks for."""
    return _said(page, number, lambda: consent.say(
        page.connection, page.pilot.name, number, person=page.person.person_id, agreed=True
    ))  # fmt: skip


@router.post(
    "/pilots/{pilot}/exclusions/{number}/refuse", dependencies=[Depends(only("officer", "admin")), Depends(real_form)]
)
def refuse(page: Page, number: int, why: Text = "") -> Response:
    """Refuse, with a reason."""
    return _said(page, number, lambda: consent.say(
        page.connection, page.pilot.name, number, person=page.person.person_id, agreed=False, why=why
    ), why)  # fmt: skip


@router.post(
    "/pilots/{pilot}/exclusions/{number}/take-back", dependencies=[Depends(only("company")), Depends(real_form)]
)
def take_back(page: Page, number: int, why: Text = "") -> Response:
    """Ask for it no more."""
    return _said(page, number, lambda: consent.take_back(
        page.connection, page.pilot.name, number, person=page.person.person_id, why=why
    ), why)  # fmt: skip


def _said(page: PilotPage, number: int, act: Any, why: str = "") -> Response:
    _require_number(page.pilot, number)
    try:
        act()
    except NotFound:
        raise
    except PermanentError as fault:
        return _shown(page, number, fault, why)
    return page.to(f"exclusions/{number}")


def _require_number(pilot: VisiblePilot, number: int) -> None:
    if not 0 < number < _MOST_NUMBER:
        raise NotFound(f"Pilot {pilot.name} has no exclusion request {number}.")

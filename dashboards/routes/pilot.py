"""One pilot: its KPIs, its link, its channels, its latest readings; how a device is connected; what was judged."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from core.database import Connection
from core.language import N_
from dashboards.access import VisiblePilot
from dashboards.arrivals import refused_last
from dashboards.assets import chart_library
from dashboards.cards import cards_of
from dashboards.clocks import Seen, clocks_shown
from dashboards.completeness import today_of
from dashboards.connect import examples
from dashboards.facts import Known, known_of
from dashboards.found import lasting_of
from dashboards.found_words import KIND_WORDS
from dashboards.latest import Latest, latest_of
from dashboards.live import heard, link_word, live_of
from dashboards.overall import overall_shown
from dashboards.pages import render
from dashboards.plans import places_of, plan_of
from dashboards.site import Database, site_of
from dashboards.slots import slots_of
from dashboards.spans import SPANS, first_with, span_of
from dashboards.timeline import CHARGED, timeline_of
from dashboards.users import Person
from dashboards.verdicts import date_name, judged_dates, verdicts_of
from dashboards.versions import versions_of
from dashboards.visit import Pilot, Who, only, visit_of
from dashboards.waiting import reasons_lately, waiting_count
from dashboards.wording import Wording
from kpi.records.baselines import baseline_files
from kpi.records.labels import truth_kinds
from telemetry.clock import series

router = APIRouter()

ANSWER_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {"good": N_("정상"), "watch": N_("주의"), "bad": N_("오지 않음"), "open": N_("플랫폼"), "none": N_("수신 전")}
)
"""The word beside an answer's mark, by its tone."""


def pilot_page(
    request: Request, connection: Connection, person: Person, pilot: VisiblePilot, template: str, **values: Any
) -> Response:
    """A page below a pilot's header."""
    found = heard(connection, person, pilot.name)[pilot.pilot_id]
    return render(
        request,
        template,
        pilot=pilot,
        heard=found,
        link=link_word(found),
        refused=waiting_count(connection, person, pilot),
        places=places_of(connection, pilot),
        manual_declared=bool(plan_of(connection, pilot).manual),
        truth_declared=bool(truth_kinds(plan_of(connection, pilot))),
        baselines_declared=any(baseline_files(plan_of(connection, pilot))),
        **values,
    )


def _known(
    request: Request, connection: Connection, person: Person, pilot: VisiblePilot, latest: list[Latest]
) -> Known:
    """Why the data of each slot are not here."""
    words = Wording(language=visit_of(request).language)
    clocks = {clock.slot: clock for clock, _ in _clocks(request, connection, pilot)}
    return known_of(connection, person, pilot, latest, clocks, site_of(request).reasons, words)


def _clocks(request: Request, connection: Connection, pilot: VisiblePilot) -> Seen:
    """What two weeks of readings tell of the devices' clocks."""
    return site_of(request).clocks.get((pilot.name, pilot.plan_sha256), lambda: series(connection, pilot.name))


@router.get("/pilots/{pilot}")
def overview(request: Request, pilot: Pilot, person: Who, connection: Database, span: str = "") -> Response:
    """Is it on target, do its data arrive, what do they show?"""
    words = Wording(language=visit_of(request).language)
    plan = plan_of(connection, pilot)
    latest = latest_of(connection, pilot, words)
    dates = judged_dates(connection, person, pilot)
    newest = max((one.observed_at for one in latest if one.observed_at and one.kind != "state"), default=None)
    return pilot_page(
        request,
        connection,
        person,
        pilot,
        "pilot.html",
        cards=cards_of(connection, person, pilot, plan, words),
        overall=overall_shown(connection, pilot, dates[-1] if dates else None, words),
        judged_name=date_name(dates[-1], words) if dates else "",
        today=today_of(site_of(request), connection, pilot),
        lasting=lasting_of(connection, person, pilot.name).get(pilot.pilot_id, {}),
        kind_words=KIND_WORDS,
        latest=latest,
        reasons=reasons_lately(connection, pilot, site_of(request).reasons, words),
        spans=SPANS.values(),
        span=span_of(span) if span else first_with(newest, pilot),
        chart_library=f"/static/{chart_library(site_of(request).folder).name}",
    )


@router.get("/pilots/{pilot}/link")
def link(request: Request, pilot: Pilot, person: Who, connection: Database, span: str = "7d") -> Response:
    """When was each slot heard, who was away, what was swapped?"""
    chosen = span_of(span)
    timeline = site_of(request).timelines.get(
        (pilot.name, pilot.plan_sha256, chosen.code),
        lambda: timeline_of(connection, person, pilot, chosen),
        span_s=chosen.good_s,
    )
    words = Wording(language=visit_of(request).language)
    closed = person.role == "committee"
    return pilot_page(
        request,
        connection,
        person,
        pilot,
        "link.html",
        known=None if closed else _known(request, connection, person, pilot, latest_of(connection, pilot, words)),
        device_clocks=clocks_shown(connection, pilot, words, seen=_clocks(request, connection, pilot)),
        answer_words=ANSWER_WORDS,
        timeline=timeline,
        charged=CHARGED,
        slots=slots_of(connection, person, pilot),
        spans=SPANS.values(),
        span=chosen,
    )


@router.get("/pilots/{pilot}/verdicts")
def verdicts(request: Request, pilot: Pilot, person: Who, connection: Database, at: str = "") -> Response:
    """Met or not, and why? One row a KPI, for the latest evaluation date or the one asked for."""
    words = Wording(language=visit_of(request).language)
    plan = plan_of(connection, pilot)
    found = verdicts_of(connection, person, pilot, plan, words, at)
    return pilot_page(
        request,
        connection,
        person,
        pilot,
        "verdicts.html",
        found=found,
        newest=found.result,
        overall=overall_shown(connection, pilot, found.result, words),
        versions=versions_of(connection, person, pilot, found.result, words) if found.result else None,
        kpi_key=None,
    )


@router.get("/pilots/{pilot}/connect", dependencies=[Depends(only("admin", "officer", "company"))])
def connect(request: Request, pilot: Pilot, person: Who, connection: Database) -> Response:
    """Three steps to the first reading, with the code to paste, and what has arrived."""
    words = Wording(language=visit_of(request).language)
    plan = plan_of(connection, pilot)
    slots = [slot for slot in slots_of(connection, person, pilot) if slot.username is not None]
    latest = latest_of(connection, pilot, words)
    return pilot_page(
        request,
        connection,
        person,
        pilot,
        "connect.html",
        slots=slots,
        examples=examples(pilot, plan, slots, site_of(request).mqtt_address),
        latest=latest,
        known=_known(request, connection, person, pilot, latest),
        refused_last=refused_last(connection, pilot, site_of(request).reasons, words),
    )


@router.get("/pilots/{pilot}/arrivals", dependencies=[Depends(only("admin", "officer", "company"))])
def arrivals(request: Request, pilot: Pilot, person: Who, connection: Database) -> Response:
    """What has arrived, as a part of a page: the connecting page asks for it every few seconds."""
    words = Wording(language=visit_of(request).language)
    latest = latest_of(connection, pilot, words)
    return render(
        request,
        "arrivals.html",
        pilot=pilot,
        places=places_of(connection, pilot),
        latest=latest,
        known=_known(request, connection, person, pilot, latest),
        refused_last=refused_last(connection, pilot, site_of(request).reasons, words),
    )


@router.get("/pilots/{pilot}/live.json")
def live(request: Request, pilot: Pilot, person: Who, connection: Database) -> JSONResponse:
    """How long ago it was last heard: what its pages ask every five seconds."""
    return JSONResponse(live_of(connection, person, Wording(language=visit_of(request).language), pilot.name))

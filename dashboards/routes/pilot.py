"""One pilot: its KPIs, its link, its channels, its latest readings; how a device is connected; what was judged."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response

from core.language import N_
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
from dashboards.live import live_of
from dashboards.overall import overall_shown
from dashboards.pages import render
from dashboards.pilot_page import Page, PilotPage
from dashboards.plans import places_of
from dashboards.slots import slots_of
from dashboards.spans import SPANS, first_with, span_of
from dashboards.timeline import CHARGED, timeline_of
from dashboards.verdicts import date_name, judged_dates, verdicts_of
from dashboards.versions import versions_of
from dashboards.visit import only
from dashboards.waiting import reasons_lately
from telemetry.clock import series

router = APIRouter()

ANSWER_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {"good": N_("정상"), "watch": N_("주의"), "bad": N_("오지 않음"), "open": N_("플랫폼"), "none": N_("수신 전")}
)
"""The word beside an answer's mark, by its tone."""


def _known(page: PilotPage, latest: list[Latest]) -> Known:
    """Why the data of each slot are not here."""
    words = page.words
    clocks = {clock.slot: clock for clock, _ in _clocks(page)}
    return known_of(page.connection, page.person, page.pilot, latest, clocks, page.site.reasons, words)


def _clocks(page: PilotPage) -> Seen:
    """What two weeks of readings tell of the devices' clocks."""
    pilot = page.pilot
    return page.site.clocks.get((pilot.name, pilot.plan_sha256), lambda: series(page.connection, pilot.name))


@router.get("/pilots/{pilot}")
def overview(page: Page, span: str = "") -> Response:
    """Is it on target, do its data arrive, what do they show?"""
    words = page.words
    plan = page.plan
    latest = latest_of(page.connection, page.pilot, words)
    dates = judged_dates(page.connection, page.person, page.pilot)
    newest = max((one.observed_at for one in latest if one.observed_at and one.kind != "state"), default=None)
    return page.show(
        "pilot.html",
        cards=cards_of(page.connection, page.person, page.pilot, plan, words),
        overall=overall_shown(page.connection, page.pilot, dates[-1] if dates else None, words),
        judged_name=date_name(dates[-1], words) if dates else "",
        today=today_of(page.site, page.connection, page.pilot),
        lasting=lasting_of(page.connection, page.person, page.pilot.name).get(page.pilot.pilot_id, {}),
        kind_words=KIND_WORDS,
        latest=latest,
        reasons=reasons_lately(page.connection, page.pilot, page.site.reasons, words),
        spans=SPANS.values(),
        span=span_of(span) if span else first_with(newest, page.pilot),
        chart_library=f"/static/{chart_library(page.site.folder).name}",
    )


@router.get("/pilots/{pilot}/link")
def link(page: Page, span: str = "7d") -> Response:
    """When was each slot heard, who was away, what was swapped?"""
    chosen = span_of(span)
    timeline = page.site.timelines.get(
        (page.pilot.name, page.pilot.plan_sha256, chosen.code),
        lambda: timeline_of(page.connection, page.person, page.pilot, chosen),
        span_s=chosen.good_s,
    )
    words = page.words
    closed = page.person.role == "committee"
    return page.show(
        "link.html",
        known=None if closed else _known(page, latest_of(page.connection, page.pilot, words)),
        device_clocks=clocks_shown(page.connection, page.pilot, words, seen=_clocks(page)),
        answer_words=ANSWER_WORDS,
        timeline=timeline,
        charged=CHARGED,
        slots=slots_of(page.connection, page.person, page.pilot),
        spans=SPANS.values(),
        span=chosen,
    )


@router.get("/pilots/{pilot}/verdicts")
def verdicts(page: Page, at: str = "") -> Response:
    """Met or not, and why? One row a KPI, for the latest evaluation date or the one asked for."""
    words = page.words
    plan = page.plan
    found = verdicts_of(page.connection, page.person, page.pilot, plan, words, at)
    return page.show(
        "verdicts.html",
        found=found,
        newest=found.result,
        overall=overall_shown(page.connection, page.pilot, found.result, words),
        versions=versions_of(page.connection, page.person, page.pilot, found.result, words) if found.result else None,
        kpi_key=None,
    )


@router.get("/pilots/{pilot}/connect", dependencies=[Depends(only("admin", "officer", "company"))])
def connect(page: Page) -> Response:
    """Three steps to the first reading, with the code to paste, and what has arrived."""
    words = page.words
    plan = page.plan
    slots = [slot for slot in slots_of(page.connection, page.person, page.pilot) if slot.username is not None]
    latest = latest_of(page.connection, page.pilot, words)
    return page.show(
        "connect.html",
        slots=slots,
        examples=examples(page.pilot, plan, slots, page.site.mqtt_address),
        latest=latest,
        known=_known(page, latest),
        refused_last=refused_last(page.connection, page.pilot, page.site.reasons, words),
    )


@router.get("/pilots/{pilot}/arrivals", dependencies=[Depends(only("admin", "officer", "company"))])
def arrivals(page: Page) -> Response:
    """What has arrived, as a part of a page: the connecting page asks for it every few seconds."""
    words = page.words
    latest = latest_of(page.connection, page.pilot, words)
    return render(
        page.request,
        "arrivals.html",
        pilot=page.pilot,
        places=places_of(page.connection, page.pilot),
        latest=latest,
        known=_known(page, latest),
        refused_last=refused_last(page.connection, page.pilot, page.site.reasons, words),
    )


@router.get("/pilots/{pilot}/live.json")
def live(page: Page) -> JSONResponse:
    """How long ago it was last heard: what its pages ask every five seconds."""
    return JSONResponse(live_of(page.connection, page.person, page.words, page.pilot.name))

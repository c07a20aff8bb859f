"""What arrived, what did not, and why: the account of a day, and the newest of what was refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from core.language import N_
from dashboards import account
from dashboards.pages import render
from dashboards.pilot_page import Page
from dashboards.plans import places_of
from dashboards.reasons import few_words
from dashboards.site import Database, site_of
from dashboards.visit import Pilot
from dashboards.waiting import MOST_LISTED, intake_of

router = APIRouter()

IDENTITIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "delivered = committed + quarantined": N_("받은 메시지 = 처리 + 수신 보류"),
        "sent = distinct + missing": N_("보낸 번호 = 도착한 번호 + 유실"),
        "decoded = stored + duplicate + conflict + rejected": N_("해석한 값 = 저장 + 중복 + 상이값 중복 + 거부"),
        "stored = found in the store": N_("저장한 수 = 저장소에서 하나씩 센 수"),
    }
)


@router.get("/pilots/{pilot}/intake")
def intake(page: Page, day: str = "", timed: str = "") -> Response:
    """The account of a day as a picture and tables; the last days; what was refused with its reason and the next step."""
    words = page.words
    site = page.site
    days = account.days_of(page.pilot, day)
    counted = account.counted(site, page.connection, page.pilot, days.day)
    return page.show(
        "intake.html",
        days=days,
        account=counted,
        bars=account.bars(counted),
        timed=account.timed(site, page.connection, page.pilot, days.day)
        if timed
        else account.timed_if_kept(site, page.pilot, days.day),
        identity_words=IDENTITIES,
        few_words=few_words,
        most_listed=MOST_LISTED,
        intake=intake_of(page.connection, page.pilot, site.reasons, words, datetime.now(UTC)),
    )


@router.get("/pilots/{pilot}/intake/timing")
def timing(request: Request, pilot: Pilot, connection: Database, day: str = "") -> Response:
    """What only the readings tell, as a part of a page: every one of the day is looked at, so the page does not wait for it."""
    days = account.days_of(pilot, day)
    return render(
        request,
        "account_timing.html",
        pilot=pilot,
        places=places_of(connection, pilot),
        account=account.timed(site_of(request), connection, pilot, days.day),
        identity_words=IDENTITIES,
    )

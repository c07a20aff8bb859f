"""How complete a pilot's data are, day by day, and what was noticed about them."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import Response

from core.window import day_window
from dashboards import completeness, found_words
from dashboards.found import KINDS, Asked, checked_until, counts_of, found_of, kinds_of, lasting_of, window_of
from dashboards.pilot_page import Page
from telemetry.channels import channels

router = APIRouter()

MOST = 20
"""So many findings a page."""


@router.get("/pilots/{pilot}/quality")
def quality(
    page: Page,
    month: str = "",
    day: str = "",
    kind: Annotated[list[str] | None, Query()] = None,
    slot: str = "",
    start: Annotated[str, Query(alias="from")] = "",
    end: Annotated[str, Query(alias="to")] = "",
    old: str = "",
    after: str = "",
) -> Response:
    """The calendar of completeness, one day of it in figures, and the list of findings."""
    words = page.words
    titles = {(one.slot, one.name): one.title for one in channels(page.connection, page.pilot.name)}
    shown = completeness.shown_of(page.site, page.connection, page.pilot, titles, words, month=month, day=day)
    slots = sorted({one for one, _ in titles})
    asked = Asked(
        kinds=kinds_of(kind or ()),
        slot=slot if slot in slots else "",
        window=window_of(page.pilot, _day(start), _day(end)),
        superseded=bool(old),
        after=after,
    )
    listed = found_of(page.connection, page.person, page.pilot, asked, MOST)
    chosen = [("kind", one) for one in asked.kinds]
    chosen += [(key, value) for key, value in (("slot", asked.slot), ("from", start), ("to", end)) if value]
    return page.show(
        "quality.html",
        shown=shown,
        level_words=completeness.LEVEL_WORDS,
        asked=asked,
        found=[found_words.shown(one, words, titles) for one in listed.findings],
        filtered=bool(chosen),
        counts=counts_of(page.connection, page.person, page.pilot, asked.window, asked.slot),
        of_day=sum(
            counts_of(page.connection, page.person, page.pilot, day_window(shown.day, page.pilot.zone_info)).values()
        ),
        lasting=lasting_of(page.connection, page.person, page.pilot.name).get(page.pilot.pilot_id, {}),
        kinds=KINDS,
        kind_words=found_words.KIND_WORDS,
        kind_meanings=found_words.KIND_MEANINGS,
        flags=found_words.FLAGS,
        slots=slots,
        start=start,
        end=end,
        next=urlencode([*chosen, *([("old", "1")] if old else []), ("after", listed.next)]) if listed.next else "",
        turned=urlencode([*chosen, *([] if old else [("old", "1")])]),
        first=urlencode([*chosen, *([("old", "1")] if old else [])]),
        checked=checked_until(page.connection, page.person, page.pilot),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None

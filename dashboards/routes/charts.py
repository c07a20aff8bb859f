"""Charts: the same specification for the browser's own drawing and, where there is no script, as an image."""

from __future__ import annotations

import math
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from core.database import Connection
from core.errors import NotFound
from core.language import N_
from dashboards.access import VisiblePilot
from dashboards.bands import agreed_of, noticed
from dashboards.browser import as_picture, as_script
from dashboards.plans import former_limits, limits, plan_of
from dashboards.site import Database, Site, site_of
from dashboards.spans import Span, span_of, window_and_step
from dashboards.visit import Pilot, visit_of
from dashboards.wording import Wording
from kpi.charts import Band, Line, Series, Step, channel_series
from telemetry.channels import ChannelInfo, channel
from telemetry.windows import resampled, snapshot

router = APIRouter()


@router.get("/pilots/{pilot}/charts/{slot}/{name}.json")
def as_json(request: Request, pilot: Pilot, connection: Database, slot: str, name: str, span: str = "") -> Response:
    """The specification of a channel's chart, as wide as its place, and how the browser is to draw it."""
    words = Wording(language=visit_of(request).language)
    spec = _spec(site_of(request), connection, pilot, slot, name, span_of(span), words)
    return as_script({} if is_empty(spec) else spec, words, empty=N_("이 기간에는 받은 값이 없습니다"))


@router.get("/pilots/{pilot}/charts/{slot}/{name}.svg")
def as_image(request: Request, pilot: Pilot, connection: Database, slot: str, name: str, span: str = "") -> Response:
    """The same chart as an image."""
    words = Wording(language=visit_of(request).language)
    return as_picture(_spec(site_of(request), connection, pilot, slot, name, span_of(span), words), words)


def _spec(
    site: Site, connection: Connection, pilot: VisiblePilot, slot: str, name: str, span: Span, words: Wording
) -> dict[str, Any]:
    key = (pilot.name, pilot.plan_sha256, slot, name, span.code, words.language)
    return site.charts.get(
        key,
        lambda: _made(connection, pilot, slot, name, span, words),
        span_s=span.good_s,
        keep=lambda spec: not is_empty(spec),  # whoever connects a device sees its first reading at once
    )


def _made(
    connection: Connection, pilot: VisiblePilot, slot: str, name: str, span: Span, words: Wording
) -> dict[str, Any]:
    plan = plan_of(connection, pilot)
    info = channel(connection, pilot.name, slot, name)
    if info.kind == "state":
        raise NotFound(f"The channel {slot}/{name} holds states: it has no curve.")
    window, step_s = window_and_step(span, pilot)
    with snapshot(connection):
        bins = resampled(connection, info, window, step_s)
    steps = tuple(
        Step(start=one.start, mean=one.mean, low=one.min, high=one.max) if one.n else Step(start=one.start, mean=None)
        for one in bins
    )
    record = Series(
        title=words.say(span.sentence, channel=info.title),
        axis=axis(info, words),
        window=window,
        zone=pilot.zone_info,
        step_s=step_s,
        steps=steps,
        lines=tuple(
            Line(value=edge, label=f"{limit.name} {limit.bounds.shown(words.language)}", below=edge == limit.bounds.low)
            for limit in limits(plan, slot, name)
            for edge in {limit.bounds.low, limit.bounds.high}
            if math.isfinite(edge)
        )
        + tuple(
            Line(
                value=edge,
                label=words.say(
                    N_("변경 전 %(name)s %(target)s"), name=old.name, target=old.bounds.shown(words.language)
                ),
                below=edge == old.bounds.low,
                former=True,
            )
            for old in former_limits(connection, pilot, slot, name)
            for edge in {old.bounds.low, old.bounds.high}
            if math.isfinite(edge)
        ),
        bands=tuple(
            Band(window=one.window, kind=one.kind, label=words.say(one.name, n=one.number))
            for one in agreed_of(connection, pilot, window)
            if one.of(slot)
        )
        + tuple(
            Band(window=one.window, kind="finding", label=words.say(name))
            for name, one in noticed(connection, pilot.name, slot, name, window)
        ),
    )
    return channel_series(record, language=words.language)


def is_empty(spec: dict[str, Any]) -> bool:
    """Whether a chart has no reading to show: its axes would say nothing."""
    return not any("mean" in row for rows in spec["datasets"].values() for row in rows)


def axis(info: ChannelInfo, words: Wording) -> str:
    """What stands at an axis: the quantity with its unit."""
    unit = words.unit(info.unit)
    return f"{info.title} ({unit})" if unit else info.title

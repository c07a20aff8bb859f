"""The pairs behind an agreement of a result, gathered again as of its instant: what its charts show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from core.database import Connection
from core.language import LANGUAGES, N_, particle, translator, unit_text
from core.window import Window, instant, micros
from devices.plan.agreement_measures import Agreement, difference_unit
from devices.plan.model import Kpi, Plan
from kpi.charts.pairs import Compared, Off, bias_over_time, pair_cloud
from kpi.inputs.gather_agreement import AgreementGatherer
from kpi.inputs.reader import Reader
from kpi.measures.pairs import PairPart, fitted, together
from kpi.records.exclusions import applied, exclusions, rules_of
from kpi.records.outages import outages
from kpi.spans import Spans
from telemetry.windows import snapshot

_STEPS = 60
"""So many steps the time is cut into at the most, each of whole days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The pairs of one agreement over the window of a result."""

    part: Kpi
    window: Window
    parts: tuple[PairPart, ...]
    """One a slot."""
    channel_name: str
    reference_name: str
    unit: str
    zone: ZoneInfo


def agreement_of(kpi: Kpi) -> Kpi | None:
    """The first promise of a KPI that is an agreement with a reference; None where none is."""
    return next((part for part in kpi.parts if isinstance(part.measure.of, Agreement)), None)


def comparison(connection: Connection, plan: Plan, kpi: Kpi, document: Mapping[str, Any]) -> Comparison | None:
    """The pairs of a result's KPI; None where it is no agreement, or nothing was paired.

    :param document: the result's.
    """
    part = agreement_of(kpi)
    if part is None:
        return None
    of = part.measure.of
    assert isinstance(of, Agreement)
    window = Window(
        start=datetime.fromisoformat(document["window"]["start"]), end=datetime.fromisoformat(document["window"]["end"])
    )
    as_of = datetime.fromisoformat(document["as_of"])
    with snapshot(connection):
        left_out = applied(
            exclusions(connection, plan.pilot, window=window, as_of=as_of), window, window,
            most_share=rules_of(plan).most_share,
        )  # fmt: skip
        agreed = tuple(outages(connection, plan.pilot, window=window, as_of=as_of))
        reader = Reader(connection, plan.pilot, window, as_of, agreed=agreed, exclusions=tuple(left_out))
        cut = Spans(whole=window, month=None, quarters=(), weeks=())
        found = AgreementGatherer(reader, plan, cut).agreement(part, of)
        if not found.slots or not any(len(one.channel) for one in found.whole):
            return None
        ours, theirs = (
            reader.channel(found.slots[0], of.channel),
            reader.channel(of.reference.slot, of.reference.channel),
        )
    return Comparison(
        part=part,
        window=window,
        parts=tuple(found.whole),
        channel_name=ours.title,
        reference_name=f"{theirs.title} ({of.reference.slot})",
        unit=ours.unit,
        zone=plan.zone,
    )


def cloud_spec(found: Comparison, language: str, **size: Any) -> dict[str, Any]:
    """The chart of the pairs."""
    say = translator(language)
    pairs = together(found.parts)
    line = fitted(pairs)
    unit = unit_text(found.unit, language)
    title = say(N_("{name}{topic} 기준측정값과 짝을 이룬 값 {n}개에서 기준과 이만큼 맞습니다.")).format(
        name=found.channel_name, topic=particle(found.channel_name, "은", "는"), n=f"{len(pairs.channel):,}"
    )
    return pair_cloud(
        Compared(
            title=title,
            axis=_axis(found.channel_name, unit),
            reference_axis=_axis(say(N_("기준측정값 {name}")).format(name=found.reference_name), unit),
            channel=pairs.channel,
            reference=pairs.reference,
            slope=None if line is None else line.slope,
            intercept=None if line is None else line.intercept,
        ),
        language=language,
        **size,
    )


def off_spec(found: Comparison, language: str, **size: Any) -> dict[str, Any]:
    """The chart of the differences over time."""
    say = translator(language)
    days = max(-(-round(found.window.seconds) // (86_400 * _STEPS)), 1)
    step = timedelta(days=days)
    starts = [
        found.window.start + i * step
        for i in range(-(-(found.window.end_us - found.window.start_us) // (step // timedelta(microseconds=1))))
    ]
    at_us = np.concatenate([one.at_us for one in found.parts])
    off = np.concatenate([one.channel - one.reference for one in found.parts])
    order = np.argsort(at_us, kind="stable")
    at_us, off = at_us[order], off[order]
    cuts = np.searchsorted(at_us, [*(micros(start) for start in starts), found.window.end_us])
    unit = unit_text(difference_unit(found.unit), language)
    title = say(N_("{name}{topic} 기준측정값보다 이만큼 높거나 낮았습니다({days}일 평균과 90 % 범위).")).format(
        name=found.channel_name, topic=particle(found.channel_name, "은", "는"), days=days
    )
    return bias_over_time(
        Off(
            title=title,
            axis=_axis(say(N_("기준과의 차이")), unit),
            window=Window(start=instant(found.window.start_us), end=instant(found.window.end_us)),
            zone=found.zone,
            step_s=step.total_seconds(),
            starts=starts,
            steps=[off[a:b] for a, b in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)],
        ),
        language=language,
        **size,
    )


def _axis(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


def charts_of(
    connection: Connection, plan: Plan, kpi: Kpi, document: Mapping[str, Any]
) -> dict[str, tuple[dict[str, Any], ...]] | None:
    """Both charts in every language, as a document has them; None where there is nothing to compare."""
    found = comparison(connection, plan, kpi, document)
    if found is None:
        return None
    return {
        language: (
            cloud_spec(found, language, width=640, height=200),
            off_spec(found, language, width=640, height=110),
        )
        for language in LANGUAGES
    }

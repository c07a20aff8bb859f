"""The pilots of a person with their states at a glance: three queries, however many there are."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from core.database import Connection
from core.language import STATES, State
from dashboards.access import VisiblePilot, visible
from dashboards.judged import MONTHS, Result, figures, results, trend
from dashboards.live import Heard, LinkWord, heard, link_word
from dashboards.sparkline import Sparkline
from dashboards.users import Person
from dashboards.wording import Wording
from kpi.reports.page_view import worst

_ROWS: Final = 4
"""So many KPIs of a pilot are on its card; those that need attention first."""
_ATTENTION: Final = ("at_risk", "insufficient", "watch", "on_track")


@dataclass(frozen=True, slots=True, kw_only=True)
class GlanceRow:
    """One KPI on a pilot's card."""

    name: str
    quantity: str
    target: str
    former: str
    """The target before the last amendment; empty where there was none."""
    spark: Sparkline | None
    state: State | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """One pilot."""

    pilot: VisiblePilot
    heard: Heard
    link: LinkWord
    state: State | None
    """Of its worst KPI; None before the first evaluation."""
    rows: tuple[GlanceRow, ...]
    more: int
    completeness: str
    """The least of all KPIs, this month."""


def glances(connection: Connection, person: Person, words: Wording, now: datetime | None = None) -> list[Glance]:
    """Every pilot that a person sees."""
    now = now or datetime.now(UTC)
    since = (now - timedelta(days=31 * MONTHS)).strftime("%Y-%m")
    months: defaultdict[int, list[Result]] = defaultdict(list)
    for result in results(connection, person, "month", since=since):
        months[result.pilot_id].append(result)
    links = heard(connection, person, now=now)
    return [
        _glance(pilot, links[pilot.pilot_id], months[pilot.pilot_id], words) for pilot in visible(connection, person)
    ]


def counts(found: list[Glance]) -> list[tuple[State, int]]:
    """How many pilots are in each state, the worst first."""
    counted = Counter(one.state.code for one in found if one.state is not None)
    return [(STATES[code], counted[code]) for code in _ATTENTION if counted[code]]


def _glance(pilot: VisiblePilot, link: Heard, months: list[Result], words: Wording) -> Glance:
    entries = list(months[-1].kpis) if months else []
    order = sorted(range(len(entries)), key=lambda index: (_ATTENTION.index(entries[index]["status"]), index))
    shown = sorted(order[:_ROWS])
    rows = []
    for index in shown:
        printed = figures(entries[index], words)
        rows.append(
            GlanceRow(
                name=printed.name,
                quantity=printed.quantity,
                target=printed.target,
                former=printed.former[-1] if printed.former else "",
                spark=trend(entries[index]["id"], months, words, width=88, height=26),
                state=printed.state,
            )
        )
    shares = [entry["month"]["completeness"] for entry in entries if entry["month"]["completeness"] is not None]
    return Glance(
        pilot=pilot,
        heard=link,
        link=link_word(link),
        state=STATES[worst([entry["status"] for entry in entries])] if entries else None,
        rows=tuple(rows),
        more=len(entries) - len(rows),
        completeness=words.percent(min(shares)) if shares else "",
    )

"""The committee's table: one row a KPI, for one evaluation date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from core.database import Connection
from core.language import N_
from core.window import Window
from dashboards.access import VisiblePilot
from dashboards.judged import Figures, Result, figures, results
from dashboards.users import Person
from dashboards.wording import Wording
from devices.plan.model import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An evaluation date that was judged."""

    code: str
    name: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """The table of one month or evaluation date, or when the first date is."""

    heading: str
    result: Result | None
    window: Window | None
    plan_sha256: str
    check_code: str
    rows: tuple[Figures, ...]
    choices: tuple[Choice, ...]
    next_date_text: str


def judged_dates(connection: Connection, person: Person, pilot: VisiblePilot) -> list[Result]:
    """The newest versions of all evaluation dates, in the order of time, the final one last."""
    found = [*results(connection, person, "date", pilot=pilot), *results(connection, person, "final", pilot=pilot)]
    return sorted(found, key=lambda result: result.label)


def verdicts_of(
    connection: Connection, person: Person, pilot: VisiblePilot, plan: Plan, words: Wording, at: str
) -> Verdicts:
    """The date asked for if it was judged, else the latest."""
    dates = judged_dates(connection, person, pilot)
    chosen = next((result for result in dates if result.label == at), dates[-1] if dates else None)
    choices = tuple(
        Choice(code=result.label, name=date_name(result, words), chosen=result is chosen) for result in dates
    )
    if chosen is None:
        return Verdicts(
            heading="", result=None, window=None, plan_sha256="", check_code="", rows=(), choices=choices,
            next_date_text=_next(plan, pilot.today(), words),
        )  # fmt: skip
    return table_of(chosen, words, choices)


def table_of(result: Result, words: Wording, choices: tuple[Choice, ...] = ()) -> Verdicts:
    """The table of one result: a month's statuses, or the verdicts of an evaluation date."""
    return Verdicts(
        heading=result_name(result, words),
        result=result,
        window=result.window,
        plan_sha256=str(result.document["plan"]["sha256"]),
        check_code=result.check_code,
        rows=tuple(figures(entry, words) for entry in result.kpis),
        choices=choices,
        next_date_text="",
    )


def result_name(result: Result, words: Wording) -> str:
    """What a result is called: a month, or an evaluation date."""
    return words.month(result.label) if result.kind == "month" else date_name(result, words)


def date_name(result: Result, words: Wording) -> str:
    """What an evaluation date is called."""
    day = words.day(date.fromisoformat(result.label), weekday=False)
    return words.say(N_("최종평가 %(day)s") if result.kind == "final" else N_("중간평가 %(day)s"), day=day)


def _next(plan: Plan, today: date, words: Wording) -> str:
    coming: Sequence[date] = [day for day in (*plan.evaluation.interim, plan.evaluation.data_until) if day >= today]
    return words.say(N_("다음 평가일은 %(day)s입니다."), day=words.day(coming[0])) if coming else ""

"""What waits for a person today: opinions to write, silent devices, refused data, evaluation dates that come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from core.database import Connection
from core.language import N_
from core.sql import load
from core.window import next_month
from dashboards.found import lasting_of
from dashboards.found_words import KIND_WORDS
from dashboards.glance import Glance
from dashboards.plans import plan_of
from dashboards.users import Person
from dashboards.wording import Wording
from kpi.records.consent import requests

_SQL = load("dashboards", "pilots.sql")
_OPINION_DAY: Final = 10
"""A month's opinion is due on this day of the next one: until then its numbers are provisional."""
_AHEAD: Final = 14
"""Evaluation dates are announced so many days before."""
_MOST: Final = 8
_SUSPICIOUS: Final = ("stuck", "range", "spike", "rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing to do."""

    urgency: int
    tone: str
    mark: str
    label: str
    text: str
    address: str
    pilot: str


def tasks_of(
    connection: Connection, person: Person, found: list[Glance], words: Wording, now: datetime | None = None
) -> list[Task]:
    """The most urgent first. A committee's member has only dates to wait for."""
    now = now or datetime.now(UTC)
    day = (now - timedelta(days=6)).date()
    rows = connection.execute(_SQL["refused_lately"], {"person": person.person_id, "name": None, "day": day})
    waiting = {row["pilot_id"]: row for row in rows}
    lasting = lasting_of(connection, person, now=now)
    asked = _asked_for(connection, person)
    tasks: list[Task] = []
    for glance in found:
        today = glance.pilot.today(now)
        tasks += _dates(connection, glance, today, words)
        if person.role == "committee":
            continue
        row = waiting[glance.pilot.pilot_id]
        if person.role != "company":
            tasks += _opinion(glance, _done(row), today, words)
            tasks += _exclusions(glance, asked.get(glance.pilot.name, []), words)
        tasks += _silence(glance, now, words)
        tasks += _refused(glance, row["quarantined"] + row["rejected"], words)
        tasks += _suspicious(glance, lasting.get(glance.pilot.pilot_id, {}), now, words)
    return sorted(tasks, key=lambda task: task.urgency)[:_MOST]


def _dates(connection: Connection, glance: Glance, today: date, words: Wording) -> list[Task]:
    evaluation = plan_of(connection, glance.pilot).evaluation
    return [
        Task(
            urgency=20 + (day - today).days,
            tone="open",
            mark="◐",
            label=f"D-{(day - today).days}",
            text=words.say(N_("평가일 %(day)s"), day=words.day(day)),
            address=f"/pilots/{glance.pilot.name}/verdicts",
            pilot=glance.pilot.title,
        )
        for day in (*evaluation.interim, evaluation.data_until)
        if 0 <= (day - today).days <= _AHEAD
    ]


def _done(row: dict[str, Any]) -> set[str]:
    """The months whose opinion somebody wrote under, or an officer opened."""
    return {*(row["opinions"] or ()), *(opened.removeprefix("opinion ") for opened in row["opened"] or ())}


def _opinion(glance: Glance, done: set[str], today: date, words: Wording) -> list[Task]:
    """Last month's opinion, from the first of this month until an officer has opened it or somebody has written it."""
    pilot = glance.pilot
    last = today.replace(day=1) - timedelta(days=1)
    month = last.strftime("%Y-%m")
    began = pilot.start_at.astimezone(pilot.zone_info).date() <= last
    over = pilot.today(pilot.end_at) < last.replace(day=1)
    if not began or over or month in done or glance.state is None or glance.heard.last_received is None:
        return []
    due = next_month(last).replace(day=_OPINION_DAY)
    left = (due - today).days
    return [
        Task(
            urgency=left,
            tone="watch" if left >= 0 else "bad",
            mark="▲" if left >= 0 else "✕",
            label=f"D-{left}" if left >= 0 else f"D+{-left}",
            text=words.say(N_("%(month)s 의견서 확인"), month=words.month(month)),
            address=f"/pilots/{pilot.name}/documents",
            pilot=pilot.title,
        )
    ]


def _asked_for(connection: Connection, person: Person) -> dict[str, list[int]]:
    """Exclusions that wait for what this person's side says, by pilot."""
    found: dict[str, list[int]] = {}
    for one in requests(connection, person=person.person_id):
        if one.waits_for(person.role):
            found.setdefault(one.pilot, []).append(one.request_id)
    return found


def _exclusions(glance: Glance, numbers: Sequence[int], words: Wording) -> list[Task]:
    if not numbers:
        return []
    where = f"/pilots/{glance.pilot.name}/exclusions"
    return [
        Task(
            urgency=3,
            tone="watch",
            mark="▲",
            label=words.say(N_("동의 필요")),
            text=words.say(N_("평가 제외 요청 %(n)s건"), n=words.count(len(numbers))),
            address=f"{where}/{numbers[0]}" if len(numbers) == 1 else where,
            pilot=glance.pilot.title,
        )
    ]


def _silence(glance: Glance, now: datetime, words: Wording) -> list[Task]:
    if now >= glance.pilot.end_at or now < glance.pilot.start_at or glance.heard.silent == 0:
        return []
    if glance.heard.last_received is None:
        return [
            Task(
                urgency=15, tone="none", mark="–", label=words.say(N_("수신 전")),
                text=words.say(N_("첫 측정값을 기다립니다")),
                address=f"/pilots/{glance.pilot.name}/connect", pilot=glance.pilot.title,
            )
        ]  # fmt: skip
    return [
        Task(
            urgency=-1,
            tone="bad",
            mark="✕",
            label=words.say(N_("신호 없음")),
            text=words.say(N_("신호 없는 설치 지점 %(n)s곳"), n=glance.heard.silent),
            address=f"/pilots/{glance.pilot.name}/link",
            pilot=glance.pilot.title,
        )
    ]


def _refused(glance: Glance, n: int, words: Wording) -> list[Task]:
    if n == 0:
        return []
    return [
        Task(
            urgency=10,
            tone="watch",
            mark="▲",
            label=words.say(N_("수신 거부")),
            text=words.say(N_("최근 7일 동안 받아들이지 못한 자료 %(n)s건"), n=words.count(n)),
            address=f"/pilots/{glance.pilot.name}/intake",
            pilot=glance.pilot.title,
        )
    ]


def _suspicious(glance: Glance, lasting: Mapping[str, int], now: datetime, words: Wording) -> list[Task]:
    """Readings that come, but cannot be right: silence and clocks are told by the link."""
    told = [(kind, lasting[kind]) for kind in _SUSPICIOUS if lasting.get(kind)]
    if not told or now >= glance.pilot.end_at:
        return []
    listed = ", ".join(f"{words.say(KIND_WORDS[kind])} {words.say('%(n)s건', n=words.count(n))}" for kind, n in told)
    return [
        Task(
            urgency=5,
            tone="watch",
            mark="▲",
            label=words.say(N_("자료 품질")),
            text=words.say(N_("값이 이상한 측정 항목: %(kinds)s"), kinds=listed),
            address=f"/pilots/{glance.pilot.name}/quality?{urlencode([('kind', kind) for kind, _ in told])}#findings",
            pilot=glance.pilot.title,
        )
    ]

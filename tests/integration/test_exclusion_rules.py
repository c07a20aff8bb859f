"""The plan's own rules of exclusions: its closed list of reasons, its deadline, its holidays, its share."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from core.database import Connection
from core.errors import PermanentError
from core.settings import settings
from core.window import midnight
from devices.plan.reader import read_plan
from devices.registry import apply_plan, plan_source
from kpi.evaluate import evaluate
from kpi.records.exclusions import REASONS, Exclusion, add_exclusion, exclusions, rules_of
from pilotbed.cli import run
from tests.evaluated import SEOUL, Site, hours, made_site

KPIS = """cool: {name: 적정 온도, measure: {share: {while: {channel: temp, value: "<= 25 degC"}}}, target: ">= 90 %"}"""
RULES = """
exclusions:
  reasons: {flood: 침수, strike: 파업}
  ask_within: 3
  most: 1
  holidays: [2025-05-05, 2025-05-06]
"""
FRIDAY = midnight(date(2025, 5, 2), SEOUL)


@pytest.fixture
def site(connection: Connection) -> Site:
    made = made_site(connection, KPIS, slots=("a", "b"), more=RULES)
    at_us = hours(date(2025, 3, 1), date(2025, 6, 1))
    for slot in "ab":
        made.heard(slot, "temp", at_us, np.full(len(at_us), 20.0))
    made.alive(datetime(2025, 2, 1, tzinfo=UTC), datetime(2025, 12, 5, tzinfo=UTC))
    return made


def exclude(connection: Connection, **given: Any) -> Exclusion:
    usual: dict[str, Any] = {
        "slot": "a", "start": FRIDAY, "end": FRIDAY + timedelta(hours=20), "reason": "flood", "asked_on": date(2025, 5, 9),
        "asked_by": "C 이", "agreed_site": "S 김", "agreed_team": "T 박", "note": "공문 12호", "who": "cli:test",
    }  # fmt: skip
    return add_exclusion(connection, "hall", **(usual | given))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"reason": "construction"}, "its closed list is: flood, strike"),
        # A Friday, a weekend and two holidays: the third working day is the 9th.
        ({"asked_on": date(2025, 5, 12)}, "within 3 working days of its cause: for one of 2025-05-02 by 2025-05-09"),
        ({"end": FRIDAY + timedelta(hours=59)}, "at most 1 % of what is judged may be, that is 58.8 h"),
    ],
    ids=["a reason of another list", "asked too late", "too much"],
)
def test_what_the_plan_does_not_allow_is_refused(
    site: Site, connection: Connection, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(PermanentError, match=said):
        exclude(connection, **given)
    assert exclusions(connection, "hall") == []


def test_a_result_shows_the_reason_in_words_and_the_share_that_is_allowed(site: Site, connection: Connection) -> None:
    kept = exclude(connection)
    document = evaluate(connection, "hall", month="2025-05").document
    [shown] = document["exclusions"]
    assert (shown["exclusion_id"], shown["reason"], shown["reason_text"]) == (
        kept.exclusion_id, "flood", {"ko": "침수", "en": "침수"},
    )  # fmt: skip
    assert document["most_excluded"] == 0.01


def test_at_each_date_only_the_plans_share_counts(site: Site, connection: Connection) -> None:
    """1 % of the 92 days up to the interim date are 22.08 hours."""
    first = exclude(connection)
    second = exclude(connection, start=FRIDAY + timedelta(hours=30), end=FRIDAY + timedelta(hours=33))
    found = evaluate(connection, "hall", at=date(2025, 6, 1)).document["exclusions"]
    assert [(one["exclusion_id"], one["counts"]) for one in found] == [
        (first.exclusion_id, True), (second.exclusion_id, False),
    ]  # fmt: skip


def test_an_amended_share_holds_from_then_on(site: Site, connection: Connection) -> None:
    def judged() -> list[bool]:
        return [one["counts"] for one in evaluate(connection, "hall", month="2025-05").document["exclusions"]]

    exclude(connection)
    assert judged() == [True]
    agreed_at = datetime(2025, 5, 20, 3, tzinfo=UTC)
    text = plan_source(connection, "hall")[0].decode().replace("most: 1", "most: 0")
    text += "amendment: {parties: [S, C, T], reason: 제외 없음, date: 2025-05-20}\n"
    apply_plan(connection, read_plan(text.encode()), who="cli:test", now=agreed_at)
    assert judged() == [False]


def test_without_rules_of_its_own_a_plan_has_the_usual_ones(connection: Connection) -> None:
    made_site(connection, KPIS)
    found = rules_of(read_plan(plan_source(connection, "hall")[0]).plan)
    assert (found.reasons, found.ask_within_days, found.most_share, found.holidays) == (REASONS, 5, 0.02, frozenset())


def test_the_command_goes_by_the_plans_rules(
    site: Site, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PILOTBED_DATABASE_URL", database_url)
    settings.cache_clear()
    add = [
        "exclusion", "add", "hall", "--slot", "a", "--from", "2025-05-02T00:00+09:00", "--to", "2025-05-02T09:00+09:00",
        "--asked-on", "2025-05-07", "--asked-by", "C", "--agreed-site", "S", "--agreed-team", "T", "--note", "n",
    ]  # fmt: skip
    assert run([*add, "--reason", "construction"]) == 2
    assert "flood, strike" in capsys.readouterr().err
    assert run([*add, "--reason", "flood"]) == 0
    said = capsys.readouterr().out
    assert "flood (침수)" in said and "lists no holidays" not in said
    assert run(["exclusion", "list", "hall", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["most_share"] == 0.01
    settings.cache_clear()

"""Outages and exclusions that people agreed on: what may be recorded, what it changes, and that both numbers are shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
import pytest

from core.audit import entries
from core.canonical import canonical_json
from core.database import Connection
from core.errors import NotFound, PermanentError
from core.window import micros, midnight
from kpi.evaluate import Result, evaluate
from kpi.records.exclusions import Exclusion, add_exclusion, exclusions, withdraw_exclusion
from kpi.records.outages import Added, add_outage, outages, withdraw_outage
from kpi.results import newest, outdated, standing, store
from tests.commanding import Command, command_line
from tests.evaluated import Site, hours, made_site

SEOUL = ZoneInfo("Asia/Seoul")
KPIS = """
cool: {name: 적정 온도, measure: {share: {while: {channel: temp, value: "<= 25 degC"}}}, target: ">= 90 %"}
up: {name: 가동률, measure: {availability: {}}, target: ">= 97 %"}
capture: {name: 자료획득률, measure: {capture: {}}, target: ">= 90 %"}
mean: {name: 평균, measure: {statistic: {channel: temp, stat: mean}}, target: "<= 26 degC"}
"""
SILENT = (midnight(date(2025, 3, 11), SEOUL), midnight(date(2025, 3, 13), SEOUL))


@pytest.fixture
def site(connection: Connection) -> Site:
    """Two slots; slot a is silent for two days of March while the platform heard."""
    made = made_site(connection, KPIS, slots=("a", "b"))
    at_us = hours(date(2025, 3, 1), date(2025, 6, 1))
    quiet = (at_us >= micros(SILENT[0])) & (at_us < micros(SILENT[1]))
    made.heard("a", "temp", at_us[~quiet], np.full((~quiet).sum(), 20.0))
    made.heard("b", "temp", at_us, np.full(len(at_us), 20.0))
    made.alive(datetime(2025, 2, 1, tzinfo=UTC), datetime(2025, 12, 5, tzinfo=UTC))
    return made


def entry(result: Result, name: str) -> dict[str, Any]:
    return next(kpi for kpi in result.document["kpis"] if kpi["id"] == name)


def agree(connection: Connection, **given: Any) -> Added:
    usual: dict[str, Any] = {
        "start": SILENT[0], "end": SILENT[1], "cause": "site-power", "agreed_by": "S 김, C 이", "note": "변전실 점검",
        "who": "cli:test",
    }  # fmt: skip
    return add_outage(connection, "hall", **(usual | given))


def exclude(connection: Connection, **given: Any) -> Exclusion:
    usual: dict[str, Any] = {
        "slot": "a", "start": SILENT[0], "end": SILENT[1], "reason": "construction", "asked_on": date(2025, 3, 14),
        "asked_by": "C 이", "agreed_site": "S 김", "agreed_team": "T 박", "note": "공문 12호", "who": "cli:test",
    }  # fmt: skip
    return add_exclusion(connection, "hall", **(usual | given))


# --- Outages


def test_an_agreed_outage_is_left_out_and_both_numbers_are_there(site: Site, connection: Connection) -> None:
    # A reading stands for three hours, so 46 of the 48 hours are silent.
    before = evaluate(connection, "hall", month="2025-03")
    assert entry(before, "up")["value"] == pytest.approx(100 * (1488 - 46) / 1488, rel=1e-12)
    assert entry(before, "up")["without"] == {} and before.document["outages"] == []
    added = agree(connection)
    assert added.overlapping == () and added.platform_s == 0
    after = evaluate(connection, "hall", month="2025-03")
    up, cool, capture = entry(after, "up"), entry(after, "cool"), entry(after, "capture")
    assert up["value"] == cool["value"] == 100.0
    assert up["facts"]["site_s"] == cool["facts"]["site_s"] == capture["facts"]["site_s"] == 46 * 3600
    assert up["facts"]["company_s"] == up["facts"]["platform_s"] == up["facts"]["nobody_s"] == 0
    assert capture["value"] == pytest.approx(100.0, abs=0.2)
    assert up["without"]["outages"]["value"] == entry(before, "up")["value"]
    assert up["without"]["outages"]["status"] == entry(before, "up")["status"] == "at_risk"
    assert (up["status"], up["without"]["outages"]["month"]["value"]) == ("on_track", entry(before, "up")["value"])
    assert "수요처 장애로 제외 1일 22시간" in up["why"]["ko"] and "left out for site outages" in up["why"]["en"]
    [shown] = after.document["outages"]
    assert (shown["outage_id"], shown["cause"], shown["agreed_by"]) == (
        added.outage.outage_id,
        "site-power",
        "S 김, C 이",
    )
    assert shown["slots"] is None and "superseded_at" not in shown


def test_an_outage_of_one_slot_touches_no_other(site: Site, connection: Connection) -> None:
    agree(connection, slots=["b"])
    found = evaluate(connection, "hall", month="2025-03")
    assert entry(found, "up")["facts"]["company_s"] == 46 * 3600
    agree(connection, slots=["a"], cause="platform")
    found = evaluate(connection, "hall", month="2025-03")
    assert (entry(found, "up")["facts"]["platform_s"], entry(found, "up")["facts"]["site_s"]) == (46 * 3600, 0)


def test_what_was_judged_before_an_agreement_stays_so_as_of_then(site: Site, connection: Connection) -> None:
    first = evaluate(connection, "hall", at=date(2025, 6, 1))
    added = agree(connection)
    second = evaluate(connection, "hall", at=date(2025, 6, 1))
    withdraw_outage(connection, added.outage.outage_id, why="합의 번복", who="cli:test")
    third = evaluate(connection, "hall", at=date(2025, 6, 1))
    assert third.sha256 == first.sha256 != second.sha256
    for one in (first, second):
        again = evaluate(connection, "hall", at=date(2025, 6, 1), as_of=one.as_of)
        assert canonical_json(again.document) == canonical_json(one.document)


def test_versions_name_the_outage_that_came_and_went(site: Site, connection: Connection) -> None:
    def judged() -> list[dict[str, Any]]:
        store(connection, evaluate(connection, "hall", month="2025-03"), "cli:test")
        found = newest(connection, "hall", "month", "2025-03")
        assert found is not None
        return [] if found.difference is None else found.difference["causes"]

    judged()
    stored = newest(connection, "hall", "month", "2025-03")
    assert stored is not None and not outdated(connection, stored)
    added = agree(connection)
    assert outdated(connection, stored)
    assert judged() == [{"cause": "outage_added", "ids": [added.outage.outage_id]}]
    withdraw_outage(connection, added.outage.outage_id, why="합의 번복", who="cli:test")
    assert judged() == [{"cause": "outage_withdrawn", "ids": [added.outage.outage_id]}]
    kept = exclude(connection, end=SILENT[0] + timedelta(hours=9))
    assert judged() == [{"cause": "exclusion_added", "ids": [kept.exclusion_id]}]
    withdraw_exclusion(connection, kept.exclusion_id, why="착오", who="cli:test")
    assert judged() == [{"cause": "exclusion_withdrawn", "ids": [kept.exclusion_id]}]
    assert standing(connection, "hall")["month", "2025-03"].version == 5
    assert standing(connection, "hall")["month", "2025-03"].provisional is False


def test_overlaps_are_told_and_count_once(site: Site, connection: Connection) -> None:
    first = agree(connection)
    second = agree(connection, end=SILENT[1] + timedelta(hours=5), cause="site-network")
    assert [one.outage_id for one in second.overlapping] == [first.outage.outage_id]
    found = evaluate(connection, "hall", month="2025-03")
    assert entry(found, "up")["facts"]["site_s"] == 46 * 3600
    with pytest.raises(PermanentError, match="says this already"):
        agree(connection)


def test_of_two_outages_at_once_ours_comes_first(connection: Connection) -> None:
    made = made_site(connection, KPIS)
    made.alive(datetime(2025, 2, 1, tzinfo=UTC), SILENT[0])
    made.alive(SILENT[1] - timedelta(days=1), datetime(2025, 12, 5, tzinfo=UTC))
    added = agree(connection)
    assert added.platform_s == 86_400
    up = entry(evaluate(connection, "hall", month="2025-03"), "up")
    assert (up["facts"]["platform_s"], up["facts"]["site_s"]) == (86_400, 86_400)


WRONG_OUTAGES: dict[str, tuple[dict[str, Any], str]] = {
    "a naive instant": ({"start": datetime(2025, 3, 11)}, "has no zone"),  # noqa: DTZ001 - the very point
    "an end before its start": ({"end": SILENT[0] - timedelta(hours=1)}, "not after its start"),
    "an unknown cause": ({"cause": "weather"}, "site-network, site-power, platform"),
    "nobody who agreed": ({"agreed_by": " "}, "agreed_by is empty"),
    "no word why": ({"note": ""}, "note is empty"),
    "a time before the pilot": (
        {"start": datetime(2024, 1, 1, tzinfo=UTC), "end": datetime(2024, 1, 2, tzinfo=UTC)}, "outside of pilot hall",
    ),
    "an unknown slot": ({"slots": ["c"]}, "no slot 'c'; it has: a, b"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG_OUTAGES)
def test_what_is_no_agreed_outage_is_refused(site: Site, connection: Connection, case: str) -> None:
    given, said = WRONG_OUTAGES[case]
    with pytest.raises((PermanentError, NotFound), match=said):
        agree(connection, **given)
    assert outages(connection, "hall") == []


def test_an_outage_is_agreed_on_when_it_is_over(connection: Connection) -> None:
    today = datetime.now(SEOUL).date()
    made_site(connection, KPIS, start=(today - timedelta(days=5)).isoformat(), interim="",
              until=(today + timedelta(days=100)).isoformat(), end=(today + timedelta(days=120)).isoformat())  # fmt: skip
    now = datetime.now(UTC)
    with pytest.raises(PermanentError, match="not over yet"):
        agree(connection, start=now - timedelta(hours=1), end=now + timedelta(hours=1))


def test_records_are_withdrawn_once_and_otherwise_never_changed(site: Site, connection: Connection) -> None:
    outage_id, exclusion_id = agree(connection).outage.outage_id, exclude(connection).exclusion_id
    for statement in (
        "UPDATE outage SET cause = 'platform'", "DELETE FROM outage", "TRUNCATE outage",
        "UPDATE exclusion SET slot_id = slot_id + 1", "DELETE FROM exclusion", "TRUNCATE exclusion",
        "UPDATE outage SET superseded_at = now(), superseded_by = 'x', superseded_why = 'y', note = 'z'",
    ):  # fmt: skip
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
            connection.execute(statement)
    withdraw_outage(connection, outage_id, why="착오", who="cli:test")
    withdraw_exclusion(connection, exclusion_id, why="착오", who="cli:test")
    for withdraw, number in ((withdraw_outage, outage_id), (withdraw_exclusion, exclusion_id)):
        with pytest.raises(PermanentError, match=r"was withdrawn at .* by cli:test: 착오"):
            withdraw(connection, number, why="again", who="cli:test")
        with pytest.raises(NotFound, match="list PILOT"):
            withdraw(connection, 999, why="none", who="cli:test")
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
        connection.execute("UPDATE outage SET superseded_at = now()")
    assert outages(connection, "hall") == [] and len(outages(connection, "hall", withdrawn_too=True)) == 1
    assert [row["what"] for row in entries(connection, pilot="hall")][:4] == [
        "exclusion.withdraw", "outage.withdraw", "exclusion.add", "outage.add",
    ]  # fmt: skip


# --- Exclusions


def test_an_exclusion_leaves_a_slot_out_of_all_kpis_and_both_numbers_are_there(
    site: Site, connection: Connection
) -> None:
    before = evaluate(connection, "hall", at=date(2025, 6, 1))
    day = (SILENT[0], SILENT[0] + timedelta(hours=24))
    exclude(connection, start=day[0], end=day[1])
    after = evaluate(connection, "hall", at=date(2025, 6, 1))
    for name in ("up", "cool", "capture", "mean"):
        assert entry(after, name)["without"]["exclusions"]["value"] == entry(before, name)["value"]
        assert entry(after, name)["excluded_s"] == 86_400
        assert entry(before, name)["without"] == {}
    # 92 days of two slots; of slot a 22 hours are silent on the day left out, 24 on the next.
    assert entry(after, "up")["value"] == pytest.approx(100 * (1 - 24 / (2 * 92 * 24 - 24)), rel=1e-12)
    assert entry(after, "capture")["n"] == entry(before, "capture")["n"] == 2 * 92 * 24 - 48
    assert [one["counts"] for one in after.document["exclusions"]] == [True]


def test_a_verdict_that_an_exclusion_turns_goes_to_the_committee(connection: Connection) -> None:
    made = made_site(connection, KPIS.replace('">= 97 %"', '">= 99 %", if_inconclusive: not_met'))
    at_us = hours(date(2025, 3, 1), date(2025, 6, 1))
    start = SILENT[0]
    quiet = (at_us >= micros(start)) & (at_us < micros(start + timedelta(hours=32)))
    made.heard("a", "temp", at_us[~quiet], np.full((~quiet).sum(), 20.0))
    made.alive(datetime(2025, 2, 1, tzinfo=UTC), datetime(2025, 12, 5, tzinfo=UTC))
    before = entry(evaluate(connection, "hall", at=date(2025, 6, 1)), "up")
    assert before["verdict"] == "not_met", "30 of 2208 hours are silent"
    exclude(connection, start=start, end=start + timedelta(hours=24))
    after = entry(evaluate(connection, "hall", at=date(2025, 6, 1)), "up")
    assert after["value"] == pytest.approx(100 * (1 - 8 / (2208 - 24)), rel=1e-12)
    assert (after["verdict"], after["reason"], after["if_inconclusive"]) == (
        "inconclusive",
        "exclusion_turns",
        "committee",
    )
    assert (after["with_exclusions"]["verdict"], after["without"]["exclusions"]["verdict"]) == ("met", "not_met")
    assert "98.6 % (" not in after["why"]["ko"] and "98.6 %(미달성)" in after["why"]["ko"]
    assert "99.6 % (met)" in after["why"]["en"] and "committee" in after["why"]["en"]
    month = entry(evaluate(connection, "hall", month="2025-05"), "up")
    assert "reason" in month and month["reason"] != "exclusion_turns", "a month has no verdict that could turn"


def test_a_slots_exclusions_are_at_most_two_per_cent_of_what_is_judged(site: Site, connection: Connection) -> None:
    # The interim verdict is on 92 days, the final one on 245: 2 % are 44 h and 117 h.
    first = exclude(connection, end=SILENT[0] + timedelta(hours=40))
    second = exclude(connection, start=SILENT[0] + timedelta(hours=40), end=SILENT[1])
    interim = evaluate(connection, "hall", at=date(2025, 6, 1)).document["exclusions"]
    assert [(one["exclusion_id"], one["counts"]) for one in interim] == [
        (first.exclusion_id, True), (second.exclusion_id, False),
    ]  # fmt: skip
    month = evaluate(connection, "hall", month="2025-03").document["exclusions"]
    assert [one["counts"] for one in month] == [True, True], "a month is no verdict: 2 % of all that will be judged"
    late = midnight(date(2025, 8, 1), SEOUL)
    with pytest.raises(PermanentError, match=r"118\.0 h of a would be left out, 48\.0 h are already: .* 117\.6 h"):
        exclude(connection, start=late, end=late + timedelta(hours=70), asked_on=date(2025, 8, 1))
    exclude(connection, slot="b", start=late, end=late + timedelta(hours=70), asked_on=date(2025, 8, 1))


WRONG_EXCLUSIONS: dict[str, tuple[dict[str, Any], str]] = {
    # 11 March 2025 is a Tuesday: five working days later is Tuesday the 18th.
    "asked too late": ({"asked_on": date(2025, 3, 19)}, "by 2025-03-18 .*lists no holidays"),
    "asked in the future": ({"asked_on": date(2100, 1, 1)}, "today is"),
    "a reason of nobody's list": ({"reason": "bad-data"}, "closed list is: construction"),
    "nobody of the site": ({"agreed_site": ""}, "agreed_site is empty"),
    "nobody of the team": ({"agreed_team": ""}, "agreed_team is empty"),
    "a naive instant": ({"end": datetime(2025, 3, 12)}, "has no zone"),  # noqa: DTZ001 - the very point
    "beyond what is judged": ({"end": datetime(2025, 11, 20, tzinfo=UTC)}, "does not lie within what is judged"),
    "an unknown slot": ({"slot": "c"}, "no slot 'c'"),
}


@pytest.mark.parametrize("case", WRONG_EXCLUSIONS)
def test_what_is_no_exclusion_is_refused(site: Site, connection: Connection, case: str) -> None:
    given, said = WRONG_EXCLUSIONS[case]
    with pytest.raises((PermanentError, NotFound), match=said):
        exclude(connection, **given)
    assert exclusions(connection, "hall") == []


def test_the_last_day_to_ask_counts_and_what_is_left_out_is_not_left_out_twice(
    site: Site, connection: Connection
) -> None:
    kept = exclude(connection, asked_on=date(2025, 3, 18))
    with pytest.raises(PermanentError, match=f"Exclusion {kept.exclusion_id} of a covers a part of it already"):
        exclude(connection, start=SILENT[1] - timedelta(hours=1), end=SILENT[1] + timedelta(hours=1))


# --- The commands


@pytest.fixture
def pilotbed(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """Runs a command line; gives its exit code, its stdout and its stderr."""
    with command_line(monkeypatch, capsys, PILOTBED_DATABASE_URL=database_url, COLUMNS="400") as command:
        yield command


OUTAGE = (
    "outage", "add", "hall", "--from", "2025-03-11T00:00+09:00", "--to", "2025-03-13T00:00+09:00", "--cause",
    "site-power", "--agreed-by", "S 김, C 이", "--note", "변전실 점검",
)  # fmt: skip
EXCLUSION = (
    "exclusion", "add", "hall", "--slot", "a", "--from", "2025-03-11T00:00+09:00", "--to", "2025-03-12T00:00+09:00",
    "--reason", "closure", "--asked-on", "2025-03-12", "--asked-by", "C", "--agreed-site", "S", "--agreed-team", "T",
    "--note", "휴관",
)  # fmt: skip


def test_outages_are_added_listed_and_withdrawn(site: Site, pilotbed: Command) -> None:
    code, out, err = pilotbed(*OUTAGE, "--slot", "a", "--slot", "b")
    assert (code, err) == (0, "") and "Outage 1 of hall is recorded" in out
    code, out, _ = pilotbed(*OUTAGE)
    assert code == 0 and "It overlaps outage 1" in out and "counted" not in out
    code, out, _ = pilotbed("outage", "list", "hall", "--json")
    listed = json.loads(out)["outages"]
    assert code == 0 and [(one["id"], one["slots"]) for one in listed] == [(1, ["a", "b"]), (2, None)]
    assert listed[0]["start"] == "2025-03-10T15:00:00.000000Z" and listed[0]["charged_to"] == "site"
    code, out, _ = pilotbed("outage", "withdraw", "1", "--why", "착오")
    assert code == 0 and "Outage 1 of hall is withdrawn" in out
    assert len(json.loads(pilotbed("outage", "list", "hall", "--json")[1])["outages"]) == 1
    code, out, _ = pilotbed("outage", "list", "hall", "--all")
    assert code == 0 and "withdrawn by cli:" in out and "착오" in out and "변전실 점검" in out


def test_exclusions_are_added_listed_and_withdrawn(site: Site, pilotbed: Command) -> None:
    code, out, err = pilotbed(*EXCLUSION)
    assert (code, err) == (0, "") and "Exclusion 1 of hall is recorded" in out and "only weekends" in out
    code, out, _ = pilotbed("exclusion", "list", "hall", "--json")
    [listed] = json.loads(out)["exclusions"]
    assert (listed["id"], listed["slot"], listed["reason"], listed["asked_on"]) == (1, "a", "closure", "2025-03-12")
    assert pilotbed("exclusion", "withdraw", "1", "--why", "착오")[0] == 0
    assert json.loads(pilotbed("exclusion", "list", "hall", "--json")[1])["exclusions"] == []
    assert "withdrawn by cli:" in pilotbed("exclusion", "list", "hall", "--all")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*OUTAGE[:4], "2025-03-11T00:00", *OUTAGE[5:]), "has no zone: write it as 2025-03-11T00:00+09:00"),
        ((*OUTAGE[:4], "2025-03-11", *OUTAGE[5:]), "has no zone: write it as 2025-03-11T00:00+09:00"),
        ((*OUTAGE[:4], "morning", *OUTAGE[5:]), "is no instant"),
        ((*OUTAGE, "--slot", "z"), "no slot 'z'"),
        (("outage", "list", "nowhere"), "no pilot 'nowhere'"),
        (("outage", "withdraw", "7", "--why", "x"), "no outage 7"),
        ((*EXCLUSION[:12], "soon", *EXCLUSION[13:]), "is no calendar day"),
        ((*EXCLUSION[:2], "nowhere", *EXCLUSION[3:]), "no pilot 'nowhere'"),
    ],
)  # fmt: skip
def test_wrong_use_is_told_in_one_line(site: Site, pilotbed: Command, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = pilotbed(*arguments)
    assert (code, out) == (2, "")
    assert said in err and err.count("\n") == 1

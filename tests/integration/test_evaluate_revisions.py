"""By which revisions a result's readings were decoded; messages decoded again are a cause of their own; nothing is judged past
retention."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader

from core.canonical import canonical_json
from core.database import Connection, connected
from core.errors import PermanentError
from core.window import Window, micros
from devices.registry import plan_of
from ingest.kept import Span
from ingest.redecode import redecode
from kpi.evaluate import Result, evaluate
from kpi.reports.causes import cause_text
from kpi.reports.gather import opinion_data
from kpi.reports.opinion import digest, opinion_json, opinion_pdf, view
from kpi.results import Stored, newest, outdated, store
from kpi.revisions import revisions_of
from pilotbed.jobs import tasks
from telemetry.horizon import close_past
from telemetry.retention import retire, retired_since
from telemetry.seals import signing
from telemetry.seals.close import Sealer, seal_now
from telemetry.seals.heads import Heads
from telemetry.summarise import summarise_all
from tests.arriving import arrive
from tests.collecting import apply

SEOUL = ZoneInfo("Asia/Seoul")
SLOT = """\
  s1:
    place: 승강장
    device: {{serial: '1'}}
    channels:
      pm25: {{name: 초미세먼지, unit: ug/m^3, {source}period: 10 s}}
      temp: {{unit: degC, period: 10 s}}
      idle: {{unit: degC, period: 10 s}}
    events: {{mission: {{}}}}
"""
WRONG, RIGHT = "", "source_unit: mg/m^3, "
START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)
MONTH = f"{datetime.now(SEOUL):%Y-%m}"
TOPIC = "pilots/{}/s1/{}"


def sent(connection: Connection, pilot: str, first: int = 0, n: int = 40) -> None:
    """A reading every five minutes, seven messages a batch."""
    told = [
        (
            TOPIC.format(pilot, "readings"),
            json.dumps(
                {
                    "ts": micros(START + timedelta(minutes=5 * place)) // 1000,
                    "values": {"pm25": (place + 1) / 1000, "temp": 20.0},
                }
            ).encode(),
        )
        for place in range(first, first + n)
    ]
    for place in range(0, n, 7):
        arrive(connection, *told[place : place + 7])


@pytest.fixture
def site(connection: Connection, pilot: str) -> str:
    """A pilot whose plan takes milligrams for micrograms, and what it was told."""
    apply(connection, pilot, slots=SLOT.format(source=WRONG))
    sent(connection, pilot)
    return pilot


def correct(connection: Connection, pilot: str) -> None:
    apply(connection, pilot, slots=SLOT.format(source=RIGHT))


def again(connection: Connection, pilot: str, end: datetime | None = None) -> None:
    span = Span(pilot=pilot, start=START - timedelta(days=1), end=end or START + timedelta(days=1))
    redecode(connection, span, who="cli:test", at_once=1)


def judged(connection: Connection, pilot: str, as_of: datetime | None = None) -> Result:
    return evaluate(connection, pilot, month=MONTH, as_of=as_of)


def kept(connection: Connection, pilot: str) -> Stored:
    store(connection, judged(connection, pilot), "cli:test")
    found = newest(connection, pilot, "month", MONTH)
    assert found is not None
    return found


def numbers(result: Result | Stored, channel: str = "pm25") -> list[tuple[int, bool, bool]]:
    """The revisions of a channel: number, whether it stands, whether some was decoded again."""
    [found] = [one for one in result.document["channels"] if one["channel"] == channel]
    return [(row["number"], row["stands"], row["redecoded"]) for row in found["revisions"]]


def why(result: Result | Stored, language: str = "ko") -> str:
    return str(result.document["kpis"][0]["why"][language])


# --- The cause


@pytest.mark.parametrize("summarised", [False, True])
def test_a_redecoding_is_the_cause_of_a_new_version_and_nothing_else_is(
    connection: Connection, site: str, summarised: bool
) -> None:
    if summarised:
        summarise_all(connection)
    first = kept(connection, site)
    correct(connection, site)
    assert not outdated(connection, first)
    again(connection, site)
    if summarised:
        summarise_all(connection)
    assert outdated(connection, first)
    found = kept(connection, site)
    assert found.version == 2 and found.difference is not None
    causes = {cause["cause"]: cause for cause in found.difference["causes"]}
    # The month is running, so its window grew; the plan is another version.
    assert causes.keys() == {"plan", "window", "redecoded"}
    assert causes["redecoded"] == {"cause": "redecoded", "readings": 40, "events": 0, "superseded": 40}
    [changed] = found.difference["kpis"]
    before, after = (changed["fields"]["value"][side] for side in ("before", "after"))
    assert after == pytest.approx(1000 * before)
    assert cause_text(causes["redecoded"], "ko", SEOUL) == (
        "정정한 계획서로 다시 해석한 원본 메시지: 측정값 40건, 쓰지 않게 된 측정값 40건"
    )
    assert cause_text(causes["redecoded"], "en", SEOUL) == (
        "messages decoded again by a corrected plan: 40 readings, 40 readings that count no more"
    )


def test_a_redecoding_that_brings_nothing_new_is_still_a_cause(connection: Connection, site: str) -> None:
    """What the later revision says was there already; what the earlier one had said stands no more."""
    correct(connection, site)
    connection.execute(
        "INSERT INTO reading (channel_id, observed_at, received_at, value, flags)"
        " SELECT n.channel_id, r.observed_at, r.received_at, r.value * 1000, 0 FROM reading r"
        " JOIN channel o ON o.channel_id = r.channel_id AND o.name = 'pm25'"
        " JOIN channel n ON n.slot_id = o.slot_id AND n.name = o.name AND n.revision = 2"
    )
    connection.execute(
        "INSERT INTO dirty_hour (channel_id, hour) SELECT DISTINCT channel_id, date_bin('1 hour', observed_at, '2000-01-01Z')"
        " FROM reading"
    )
    kept(connection, site)
    again(connection, site)
    found = kept(connection, site)
    assert found.difference is not None
    [cause] = [one for one in found.difference["causes"] if one["cause"] == "redecoded"]
    assert (cause["readings"], cause["superseded"]) == (0, 40)


# --- The revisions


@pytest.mark.parametrize("summarised", [False, True])
def test_a_result_names_the_revisions_it_used(connection: Connection, site: str, summarised: bool) -> None:
    def close() -> None:
        if summarised:
            summarise_all(connection)

    close()
    first = judged(connection, site)
    assert numbers(first) == [(1, True, False)] and numbers(first, "temp") == [(1, True, False)]
    assert numbers(first, "idle") == []
    [pm25] = [one for one in first.document["channels"] if one["channel"] == "pm25"]
    assert (pm25["slot"], pm25["unit"], pm25["revisions"][0]["source"], pm25["revisions"][0]["source_unit"]) == (
        "s1", "ug/m^3", "pm25", "ug/m^3",
    )  # fmt: skip
    assert "개정" not in why(first) and "revision" not in why(first, "en")

    correct(connection, site)
    sent(connection, site, 40, 5)
    close()
    mixed = judged(connection, site)
    assert numbers(mixed) == [(1, True, False), (2, True, False)]
    assert "; s1/pm25에 개정 1, 2의 측정값을 씀." in why(mixed)
    assert "; s1/pm25 has readings of revisions 1, 2." in why(mixed, "en")
    assert numbers(mixed, "temp") == [(1, True, False)]

    # Half of the messages first.
    row = connection.execute("SELECT received_at FROM message ORDER BY received_at OFFSET 3 LIMIT 1").fetchone()
    assert row is not None
    again(connection, site, row["received_at"])
    close()
    half = judged(connection, site)
    assert numbers(half) == [(1, True, True), (2, True, False)]
    assert "s1/pm25에 개정 1, 2의 측정값을 씀(개정 1의 측정값은 일부 다시 해석됨)" in why(half)

    again(connection, site)
    close()
    whole = judged(connection, site)
    assert numbers(whole) == [(1, False, True), (2, True, False)]
    assert "s1/pm25에 개정 2의 측정값을 씀(개정 1의 측정값은 모두 다시 해석됨)" in why(whole)
    assert "s1/pm25 has readings of revision 2 (all those of revision 1 were decoded again)" in why(whole, "en")
    [row_2] = [row for one in whole.document["channels"] for row in one["revisions"] if row["number"] == 2]
    assert (row_2["source"], row_2["source_unit"]) == ("pm25", "mg/m^3")

    # As of then everything is as it was then, whether hours are summarised by now or not.
    summarise_all(connection)
    for one in (first, mixed, half, whole):
        assert canonical_json(judged(connection, site, one.as_of).document) == canonical_json(one.document)


def test_readings_outside_the_window_or_later_than_as_of_are_no_ones_revision(
    connection: Connection, site: str
) -> None:
    before = close_past(connection)
    correct(connection, site)
    again(connection, site)
    summarise_all(connection)
    assert numbers(judged(connection, site, before)) == [(1, True, False)]
    # Hours of which a window has a part are looked into: half-open, to the microsecond.
    plan, as_of = plan_of(connection, site)[0], close_past(connection)
    for start, end, there in (
        (START + timedelta(minutes=1), START + timedelta(minutes=5), False),
        (START + timedelta(minutes=1), START + timedelta(minutes=5, microseconds=1), True),
        (START - timedelta(hours=2), START, False),
    ):
        found = revisions_of(connection, plan, Window(start=start, end=end), as_of)
        [pm25] = [one for one in found if one["channel"] == "pm25"]
        assert any(row["number"] == 2 and row["stands"] for row in pm25["revisions"]) is there, (start, end)


def test_the_annex_and_the_record_name_them(connection: Connection, site: str) -> None:
    correct(connection, site)
    sent(connection, site, 40, 5)
    again(connection, site)
    data = opinion_data(connection, kept(connection, site))
    told = [(one.channel, one.number, one.stands, one.redecoded) for one in data.channels]
    assert told == [("pm25", 1, False, True), ("pm25", 2, True, False), ("temp", 1, True, False)]
    assert (data.channels[0].place, data.channels[0].name) == ("승강장", "초미세먼지")
    [part] = [
        part for annex in view(data, "en")["annexes"] for part in annex["parts"] if part["heading"].startswith("Revisions")
    ]  # fmt: skip
    assert part["rows"][0][1:] == [
        "초미세먼지 (pm25)", "1", "pm25 [µg/m³]", "All were decoded again by a later revision and do not count",
    ]  # fmt: skip
    assert part["rows"][1][2:] == ["2", "pm25 [mg/m³ → µg/m³]", ""]
    assert json.loads(opinion_json(data))["opinion"]["channels"][1]["source_unit"] == "mg/m^3"


# --- The seal


def test_the_opinion_prints_the_newest_seal_of_its_as_of(connection: Connection, site: str, tmp_path: Path) -> None:
    first = kept(connection, site)
    unsealed = opinion_data(connection, first)
    assert unsealed.seal is None and view(unsealed, "ko")["seal"] == ""
    key_file = tmp_path / "seal.key"
    seal = seal_now(connection, site, Sealer(key=signing.make_key(connection, key_file), heads=Heads(key_file)))[-1]
    # What was sealed since changes nothing of an opinion on a result of before.
    assert digest(opinion_data(connection, first)) == digest(unsealed)
    sent(connection, site, 40, 3)
    data = opinion_data(connection, kept(connection, site))
    assert data.seal is not None
    assert (data.seal.number, data.seal.day, data.seal.head) == (seal.number, seal.day, seal.head)
    assert json.loads(opinion_json(data))["opinion"]["seal"] == {
        "number": seal.number, "day": seal.day.isoformat(), "head": seal.head,
    }  # fmt: skip
    day = seal.day
    shown = view(data, "ko")["seal"]
    assert shown == f"자료 봉인 {seal.number}호 {day.year}. {day.month}. {day.day}. {seal.head[:16]}…"
    for language in ("ko", "en"):
        assert seal.head[:16] in PdfReader(BytesIO(opinion_pdf(data, language))).pages[0].extract_text()


# --- Past retention


def test_nothing_is_judged_once_retention_has_deleted_the_readings(connection: Connection, site: str) -> None:
    summarise_all(connection)
    first = kept(connection, site)
    retire(connection, who="cli:test", now=datetime(2100, 1, 1, tzinfo=UTC))
    since = retired_since(connection, site)
    assert since is not None
    asked: list[Callable[[], Any]] = [
        lambda: judged(connection, site),
        lambda: judged(connection, site, first.as_of),
        lambda: evaluate(connection, site, final=True, as_of=first.as_of),
        lambda: opinion_data(connection, first),
    ]
    for ask in asked:
        with pytest.raises(PermanentError) as error:
            ask()
        message = str(error.value)
        assert f"The readings of pilot {site} are deleted since {since.isoformat()}" in message
        assert f"/pilots/{site}/verdicts" in message and "pilotbed verify" in message and "\n" not in message
    # What was stored is there as it was, and the jobs that judge pass the pilot by.
    assert newest(connection, site, "month", MONTH) == first
    tasks.judge(connection, datetime.now(UTC) + timedelta(days=400))
    tasks.judge_late(connection, datetime.now(UTC) + timedelta(days=400))
    assert newest(connection, site, "month", MONTH) == first


def test_readings_that_go_while_they_are_judged_are_not_judged(
    connection: Connection, site: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kpi.evaluate.revisions_of", lambda *_: _retired(database_url))
    with pytest.raises(PermanentError, match="are deleted since"):
        judged(connection, site)


def _retired(database_url: str) -> list[Any]:
    with connected(database_url) as other:
        retire(other, who="cli:test", now=datetime(2100, 1, 1, tzinfo=UTC))
    return []

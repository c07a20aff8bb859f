"""``pilotbed quarantine``: list, show, replay."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from core.database import Connection
from core.settings import settings
from pilotbed.cli import run
from telemetry.aside import Quota
from telemetry.batch import Batch, QuarantinedMessage
from telemetry.commit import Committer
from tests.arriving import RETAINED, arrive
from tests.collecting import apply, count, now_ms


@pytest.fixture(autouse=True)
def _on_this_database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PILOTBED_DATABASE_URL", database_url)
    settings.cache_clear()
    yield
    settings.cache_clear()


def said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert run(arguments) == 0
    return capsys.readouterr().out


def test_list_show_and_replay(connection: Connection, pilot: str, capsys: pytest.CaptureFixture[str]) -> None:
    apply(connection, pilot)
    early = b'{"ts": %d, "values": {"pm10": 12}}' % now_ms(-120)
    arrive(
        connection,
        (f"pilots/{pilot}/s1/readings", early),
        (f"pilots/{pilot}/s1/readings", b"\x00\xffnot JSON"),
        (f"pilots/{pilot}/gone/readings", early),
        (f"pilots/{pilot}/s1/readings", b"x" * 20_000),
    )
    listed = json.loads(said(["quarantine", "list", pilot, "--json"], capsys))["messages"]
    assert [one["reason"] for one in listed] == ["too_large", "no_binding", "not_json", "unknown_channel"]
    assert base64.b64decode(listed[3]["payload_base64"]) == early
    printed = said(["quarantine", "list", pilot, "--reason", "not_json"], capsys)
    assert "not_json" in printed and "no_binding" not in printed

    shown = said(["quarantine", "show", str(listed[3]["id"])], capsys)
    assert "unknown_channel" in shown and "계획서에 없는 측정 항목" in shown and early.decode() in shown
    assert "00 ff 6e" in said(["quarantine", "show", str(listed[2]["id"])], capsys)
    hint = json.loads(said(["quarantine", "show", str(listed[3]["id"]), "--json"], capsys))["hint"]
    assert set(hint) == {"ko", "en"}

    # The plan as it is cures nothing; with the channel in it, one message is usable.
    first = json.loads(said(["quarantine", "replay", pilot, "--json"], capsys))
    assert (first["tried"], first["resolved"], first["readings"], first["still"], first["cut"]) == (4, 0, 0, 3, 1)
    assert first["still_by_reason"] == {"unknown_channel": 1, "not_json": 1, "no_binding": 1}
    slot = connection.execute("SELECT slot_id FROM slot WHERE name = 's1'").fetchone()
    assert slot is not None
    connection.execute(
        "INSERT INTO channel (slot_id, name, revision, kind, unit, reporting, period_s, max_hold_s, valid_from)"
        " VALUES (%s, 'pm10', 1, 'gauge', 'ug/m^3', 'periodic', 10, 30, now())",
        [slot["slot_id"]],
    )
    second = json.loads(said(["quarantine", "replay", pilot, "--json"], capsys))
    assert (second["tried"], second["resolved"], second["readings"]) == (4, 1, 1)
    assert count(connection, "reading", "value = 12") == 1
    assert "3 messages tried: 0 replayed" in said(["quarantine", "replay", pilot], capsys)

    assert len(json.loads(said(["quarantine", "list", pilot, "--json"], capsys))["messages"]) == 3
    everything = json.loads(said(["quarantine", "list", pilot, "--all", "--json"], capsys))["messages"]
    assert [bool(one["resolved_at"]) for one in everything] == [False, False, False, True]
    assert count(connection, "audit", f"what = 'quarantine.replay' AND pilot = '{pilot}'") == 1


def test_list_leaves_out_what_is_not_asked_for_and_counts_by_reason(
    connection: Connection, pilot: str, capsys: pytest.CaptureFixture[str]
) -> None:
    apply(connection, pilot)
    arrive(
        connection,
        (f"pilots/{pilot}/s1/readings", b"?"),
        (f"pilots/{pilot}/s1/events", b"?"),
        (f"pilots/{pilot}/gone/readings", b"{}"),
        (f"pilots/{pilot}-other/gone/readings", b"{}"),
    )

    def listed(*options: str) -> dict[str, Any]:
        return dict(json.loads(said(["quarantine", "list", pilot, "--json", *options], capsys)))

    assert listed()["counts"] == {"not_json": 2, "no_binding": 1}, "nobody's topics of another pilot are not this one's"
    assert listed("--connection", "s1")["counts"] == {"not_json": 2}
    assert listed("--connection", "-")["counts"] == {"no_binding": 1}
    assert listed("--reason", "not_json")["counts"] == {"not_json": 2}
    assert listed("--most", "1")["counts"] == {"not_json": 2, "no_binding": 1}, "counts are of all"
    assert listed("--since", "2000-01-01")["counts"] and not listed("--since", "2999-01-01T00:00+09:00")["counts"]
    printed = said(["quarantine", "list", pilot], capsys)
    assert "메시지가 JSON 형식이 아닙니다." in printed and "The message is not JSON." in printed


def test_what_lay_beyond_a_daily_quota_is_told(
    connection: Connection, pilot: str, capsys: pytest.CaptureFixture[str]
) -> None:
    apply(connection, pilot)
    row = connection.execute("SELECT connection_id FROM connection WHERE name = 's1'").fetchone()
    assert row is not None
    held = [
        QuarantinedMessage(
            connection_id=row["connection_id"], topic=f"pilots/{pilot}/s1/readings", reason="not_json", detail="",
            payload=payload, payload_bytes=len(payload), payload_sha256=hashlib.sha256(payload).hexdigest(),
        )
        for payload in (b"one", b"two", b"three!")
    ]  # fmt: skip
    Committer(Quota(messages=1)).commit(connection, Batch(quarantined=held, delivered={row["connection_id"]: 3}))
    found = json.loads(said(["quarantine", "list", pilot, "--json"], capsys))
    assert len(found["messages"]) == 1
    (day,) = found["beyond_quota"]
    assert (day["connection"], day["kept"], day["beyond"], day["beyond_bytes"]) == ("s1", 1, 2, 9)
    chain = hashlib.sha256(hashlib.sha256(b"two").digest()).digest()
    assert day["beyond_sha256"] == hashlib.sha256(chain + hashlib.sha256(b"three!").digest()).hexdigest()
    assert day["beyond_sha256"] in said(["quarantine", "list", pilot], capsys)


def test_show_reads_the_message_by_the_plan_in_force_now(
    connection: Connection, pilot: str, capsys: pytest.CaptureFixture[str]
) -> None:
    apply(connection, pilot)
    ts = now_ms(-120)
    arrive(
        connection, (f"pilots/{pilot}/s2/readings", b'{"ts": %d, "values": {"pm25": 7, "mode": "run", "x": 1}}' % ts)
    )
    arrive(connection, (f"pilots/{pilot}/s2/events", b'{"id": 1, "kind": "mission", "at": %d}' % ts))
    arrive(connection, (f"pilots/{pilot}/s2/status", b'{"state": "online"}'), header=RETAINED)
    arrive(connection, (f"pilots/{pilot}/s2/readings", b'{"ts": %d, "values": {"pm25": \xff}}' % ts))
    ids = [row["quarantine_id"] for row in connection.execute("SELECT quarantine_id FROM quarantine ORDER BY 1")]

    def read_now(number: int) -> dict[str, Any]:
        return dict(json.loads(said(["quarantine", "show", str(number), "--json"], capsys))["read_now"])

    assert read_now(ids[0])["set_aside"]["reason"] == "no_binding"
    assert "이 토픽에 해당하는" in said(["quarantine", "show", str(ids[0])], capsys)

    connection.execute("UPDATE slot SET name = 's2' WHERE name = 's1'")
    seen = read_now(ids[0])
    assert seen["set_aside"] is None
    assert [(one["channel"], one["value"], one["state"], one["unit"]) for one in seen["readings"]] == [
        ("pm25", 7.0, None, "ug/m^3"), ("mode", 1.0, "run", "")
    ]  # fmt: skip
    assert {datetime.fromisoformat(one["observed_at"]).timestamp() for one in seen["readings"]} == {ts / 1000}
    assert [(one["item"], one["reason"]) for one in seen["refused"]] == [("x", "unknown_channel")]
    assert [one["id"] for one in read_now(ids[1])["events"]] == ["1"]
    assert [one["reason"] for one in read_now(ids[2])["refused"]] == ["time_missing"], "it was retained"
    broken = json.loads(said(["quarantine", "show", str(ids[3]), "--json"], capsys))
    assert (
        broken["document"] is broken["payload_text"] is None and broken["read_now"]["set_aside"]["reason"] == "not_json"
    )
    printed = said(["quarantine", "show", str(ids[0])], capsys)
    assert '\n  "values": {\n    "pm25": 7,' in printed and "run" in printed and "7b 22 74 73" in printed
    assert count(connection, "reading") == count(connection, "event") == 0, "looking stores nothing"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["list", "nobody"], "nobody"),
        (["replay", "nobody"], "nobody"),
        (["show", "4711"], "4711"),
        (["list", "p", "--reason", "weather"], "weather"),
        (["list", "given", "--connection", "c9"], "c9"),
        (["list", "given", "--since", "yesterday"], "yesterday"),
    ],
)
def test_wrong_use_is_one_line(
    connection: Connection, arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    apply(connection, "given")
    assert run(["quarantine", *arguments]) == 2
    error = capsys.readouterr().err
    assert word in error and error.count("\n") == 1

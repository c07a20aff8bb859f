"""``pilotbed quarantine``: list, show, replay."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest

from core.database import Connection
from core.settings import settings
from ingest import registry
from ingest.batching import Arrivals, decode
from ingest.inbox import Part
from ingest.routing import Routes
from pilotbed.cli import run
from telemetry.commit import commit
from tests.collecting import apply, count, now_ms


@pytest.fixture(autouse=True)
def _on_this_database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PILOTBED_DATABASE_URL", database_url)
    settings.cache_clear()
    yield
    settings.cache_clear()


def arrive(connection: Connection, *messages: tuple[str, bytes], max_payload_bytes: int = 10_000) -> None:
    """Commit messages as a collector would."""
    part = Part(
        generation=1,
        received_us=now_ms(-60) * 1000,
        items=[(topic.encode(), payload, mid, 0x32) for mid, (topic, payload) in enumerate(messages, start=1)],
    )
    routes = Routes(registry.load(connection))
    commit(
        connection,
        decode([part], routes, Arrivals(), max_payload_bytes=max_payload_bytes, keep_messages=True),
    )


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
    assert said(["quarantine", "list", pilot, "--reason", "not_json"], capsys).count("\n") == 1

    shown = said(["quarantine", "show", str(listed[3]["id"])], capsys)
    assert "unknown_channel" in shown and "계획서에 없는 측정 항목" in shown and early.decode() in shown
    assert "00 ff 6e" in said(["quarantine", "show", str(listed[2]["id"])], capsys)
    hint = json.loads(said(["quarantine", "show", str(listed[3]["id"]), "--json"], capsys))["hint"]
    assert set(hint) == {"ko", "en"}

    # The plan as it is cures nothing; with the channel in it, one message is usable.
    first = json.loads(said(["quarantine", "replay", pilot, "--json"], capsys))
    assert first == {"pilot": pilot, "tried": 4, "resolved": 0, "readings": 0, "still": 3, "cut": 1}
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


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["list", "nobody"], "nobody"),
        (["replay", "nobody"], "nobody"),
        (["show", "4711"], "4711"),
        (["list", "p", "--reason", "weather"], "weather"),
    ],
)
def test_wrong_use_is_one_line(arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["quarantine", *arguments]) == 2
    error = capsys.readouterr().err
    assert word in error and error.count("\n") == 1

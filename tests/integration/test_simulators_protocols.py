"""Each encoder over the real broker into the store, by the real collector: the scenario's readings, each mission once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.database import Connection
from core.window import instant, micros
from devices.plan.credential_file import CredentialFile, write_credentials
from devices.plan.model import Plan
from devices.plan.reader import read_plan
from kpi.evaluate import evaluate
from pilotbed.cli import run
from pilotbed.loader import load_history
from pilotbed.stack.mosquitto import Mosquitto
from simulators.access import logins
from simulators.demo import DAYS_BEHIND, DEMO_SCENARIOS, moved, plan_text
from simulators.live import Run, Sent
from simulators.login import Login
from simulators.scenario import Scenario
from simulators.scenario.drone import WAYPOINT
from simulators.scenario.missions import PROGRESS
from simulators.site import Site
from simulators.speaker import Speaker
from tests.collecting import collecting, count, wait_for
from tests.speaking import applied, collector

pytestmark = pytest.mark.timeout(240)
FOREIGN = ["demo-air", "demo-robot", "demo-drone"]
CLOSE = {"demo-air": 0.0, "demo-robot": 0.0, "demo-drone": 2e-7}
LATE_US = {"demo-air": 0, "demo-robot": 0, "demo-drone": 5}
"""MAVLink: floats of 32 bits, and frames without a time, which follow those with one by microseconds."""


@dataclass(frozen=True)
class Here:
    """A demo pilot under a name of the test's own, registered and ready to speak."""

    plan: Plan
    scenario: Scenario
    logins: dict[str, Login]

    @property
    def site(self) -> Site:
        return Site(self.scenario)

    def mission(self, before: datetime) -> tuple[datetime, datetime]:
        """From a quiet moment before the last whole mission to after it."""
        begun = self.scenario.last_begun(self.plan, before)
        start = self.scenario.quiet(self.plan, begun - timedelta(minutes=5))
        return start, start + timedelta(hours=2)

    def run(self, start: datetime, end: datetime, stop: threading.Event | None = None, seconds: float = 4.0) -> Sent:
        """Say all of ``[start, end)``, in so many seconds."""
        speed = (end - start).total_seconds() / seconds
        stopping = stop or threading.Event()
        run = Run(self.scenario, self.plan, self.logins, start=start, speed=speed)
        return run(stopping, progress=lambda _n, at: stopping.set() if at >= end else None)


def here(connection: Connection, broker: Mosquitto, name: str, pilot: str, *, days: int = DAYS_BEHIND) -> Here:
    today = datetime.now(UTC).date()
    text = moved(plan_text(name), today - timedelta(days=days)).replace(name, pilot).replace("/onbot/", f"/{pilot}/")
    file = read_plan(text.encode(), name=pilot)
    issued = tuple(applied(connection, broker, file).values())
    credentials = CredentialFile(broker=broker.url, pilot=pilot, connections=issued)
    scenario = DEMO_SCENARIOS[name]
    return Here(plan=file.plan, scenario=scenario, logins=dict(logins(credentials, file.plan)))


@pytest.fixture
def broker(own_broker: Mosquitto) -> Mosquitto:
    """Of each test's own: what others left at a shared one would be set aside here."""
    return own_broker


@contextmanager
def listening(database_url: str, broker: Mosquitto) -> Iterator[None]:
    with collecting(database_url, broker.collector_url("collector-1"), "collector-1"):
        yield


def stored(connection: Connection, slot: str, channel: str) -> list[tuple[int, float]]:
    rows = connection.execute(
        "SELECT r.observed_at, r.value FROM reading r JOIN channel c USING (channel_id) JOIN slot s USING (slot_id)"
        " WHERE s.name = %s AND c.name = %s ORDER BY r.observed_at",
        [slot, channel],
    )
    return [(micros(row["observed_at"]), row["value"]) for row in rows]


def events(connection: Connection) -> list[tuple[Any, ...]]:
    rows = connection.execute(
        "SELECT s.name, kind, id, phase, at, attributes FROM event JOIN slot s USING (slot_id) ORDER BY at, s.name, id, phase"
    )
    return [
        (*(row[key] for key in ("name", "kind", "id", "phase")), micros(row["at"]), row["attributes"]) for row in rows
    ]


def expected(found: Here, start: datetime, end: datetime) -> list[tuple[Any, ...]]:
    return sorted(
        (slot, event.kind, event.id, event.phase, event.at_us, json.loads(json.dumps(dict(event.attributes))))
        for slot in found.plan.slots
        for event in found.site.events(found.plan, slot, start, end)
    )


def require_stored(connection: Connection, found: Here, name: str, start: datetime, until: datetime) -> int:
    """All readings of ``[start, until)``, and no other before ``until``. :returns: how many."""
    total = 0
    for slot in found.plan.slots:
        told = found.site.readings(found.plan, slot, start, until)
        for place, channel in enumerate(told.channels):
            chosen = told.channel == place
            wanted = list(zip(told.observed_us[chosen].tolist(), told.value[chosen].tolist(), strict=True))
            read = [one for one in stored(connection, slot, channel) if one[0] < micros(until) + LATE_US[name]]
            assert len(read) == len(wanted)
            assert all(0 <= one[0] - other[0] <= LATE_US[name] for one, other in zip(read, wanted, strict=True))
            assert [value for _, value in read] == pytest.approx([value for _, value in wanted], rel=CLOSE[name], abs=0)
            total += len(wanted)
    return total


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_stored_is_what_the_scenario_tells(
    connection: Connection, database_url: str, broker: Mosquitto, pilot: str, name: str
) -> None:
    found = here(connection, broker, name, pilot)
    start, end = found.mission(datetime.now(UTC) - timedelta(hours=3))
    with listening(database_url, broker):
        sent = found.run(start, end)
        assert sent.readings > 100
        wait_for(lambda: count(connection, "reading") >= sent.readings, what="all readings", within_s=60)
    until = instant(max(at for slot in found.plan.slots for at, _ in _last(connection, found, slot)) + 1)
    assert until >= end - timedelta(minutes=10)
    require_stored(connection, found, name, start, until)
    assert sorted(events(connection)) == expected(found, start, until)
    assert count(connection, "event") > 0 or name == "demo-air"
    assert count(connection, "quarantine") == count(connection, "rejection") == count(connection, "conflict") == 0
    assert count(connection, "event_conflict") == 0
    assert {row["state"] for row in connection.execute("SELECT state FROM link_state")} >= {"online"}


def _last(connection: Connection, found: Here, slot: str) -> list[tuple[int, float]]:
    return [stored(connection, slot, channel)[-1] for channel in found.plan.slots[slot].channels]


@pytest.mark.parametrize("name", ["demo-robot", "demo-drone"])
def test_a_mission_counts_once_over_restarts_of_sender_and_collector(
    connection: Connection, database_url: str, broker: Mosquitto, pilot: str, name: str
) -> None:
    found = here(connection, broker, name, pilot)
    start, end = found.mission(datetime.now(UTC) - timedelta(hours=3))
    middles = [
        event.at_us
        for slot in found.plan.slots
        for event in found.scenario.events_of(found.plan, slot, start, end)
        if event.kind in (PROGRESS, WAYPOINT)
    ]
    first, second = (instant(at_us + 1_000) for at_us in (min(middles), sorted(middles)[len(middles) // 2]))
    with listening(database_url, broker):
        found.run(start, first, seconds=1.5)
        wait_for(lambda: count(connection, "event", "phase = 'start'") > 0, what="a start", within_s=60)
    # The collector is another one, and the sender began anew amid the mission.
    with listening(database_url, broker):
        found.run(first, second, seconds=1.5)
    with listening(database_url, broker):
        sent = found.run(second, end, seconds=3.0)
        wanted = [one for one in expected(found, start, end) if one[1] in ("mission", "flight")]
        wait_for(
            lambda: len([one for one in events(connection) if one[4] < micros(end)]) >= len(wanted), what="the missions",
            within_s=60,
        )  # fmt: skip
    assert sent.readings > 0
    read = sorted(one for one in events(connection) if one[1] in ("mission", "flight") and one[4] < micros(end))
    assert [one[:5] for one in read] == [one[:5] for one in wanted]
    results = [one[5].get("outcome", one[5].get("result")) for one in read if one[3] == "end"]
    assert len(set(results) - {"delivered", "failed", "completed", "lost"}) == 0
    assert count(connection, "event_conflict") == 0


@pytest.mark.parametrize("name", ["demo-robot", "demo-drone"])
def test_loaded_and_live_missions_count_once_at_each_seam(
    connection: Connection, database_url: str, broker: Mosquitto, pilot: str, name: str
) -> None:
    """Two days of a demo: loaded, live, stopped amid a mission, loaded again up to the next start, live."""
    found = here(connection, broker, name, pilot, days=3)
    until = datetime.now(UTC) - timedelta(hours=1)
    later = found.scenario.quiet(found.plan, found.scenario.last_begun(found.plan, until))
    last_day = found.scenario.last_begun(found.plan, until - timedelta(days=1), within=timedelta(days=2))
    seam = found.scenario.quiet(found.plan, last_day)
    stopped = next(
        instant(event.at_us)
        for event in found.scenario.events_of(found.plan, next(iter(found.plan.slots)), seam, until)
        if event.kind in (PROGRESS, WAYPOINT)
    )
    assert seam < stopped < later
    load_history(connection, found.plan, found.site, seam, lambda _: None)
    with listening(database_url, broker):
        found.run(seam, stopped, seconds=1.5)
        wait_for(lambda: count(connection, "event", "flags & 8 = 0") > 0, what="a live start", within_s=60)
    load_history(connection, found.plan, found.site, later, lambda _: None)
    with listening(database_url, broker):
        found.run(later, until, seconds=3.0)
        # What is told after the first minutes: all that came before it is in the store by then.
        wanted = expected(found, found.plan.window.start, until)
        wait_for(
            lambda: len([one for one in events(connection) if one[4] < micros(until)]) >= len(wanted), what="the rest",
            within_s=60,
        )  # fmt: skip
    read = sorted((one for one in events(connection) if one[4] < micros(until)), key=str)
    assert [one[:5] for one in read] == [one[:5] for one in sorted(wanted, key=str)]
    live = count(connection, "event", "flags & 8 = 0")
    assert 3 <= live < len(wanted)
    kpi = {"demo-robot": "mission-success", "demo-drone": "flight-success"}[name]
    ends = [one[5] for one in wanted if one[3] == "end" and one[1] in ("mission", "flight")]
    good = sum(
        one.get("outcome", one.get("result")) in ("delivered", "completed") and not one["interventions"] for one in ends
    )
    month = datetime.now(UTC).astimezone(found.plan.zone).strftime("%Y-%m")
    judged = evaluate(connection, pilot, month=month).document
    [found_kpi] = [one for one in judged["kpis"] if one["id"] == kpi]
    assert (found_kpi["facts"]["successes"], found_kpi["cumulative"]["n"]) == (good, len(ends))


def test_a_node_tells_its_births_again_when_it_is_asked(
    connection: Connection, database_url: str, broker: Mosquitto, pilot: str
) -> None:
    found = here(connection, broker, "demo-air", pilot)
    now = datetime.now(UTC)
    start = now - timedelta(hours=1)
    stop, spoken = threading.Event(), threading.Event()
    run = Run(found.scenario, found.plan, found.logins, start=start, speed=120.0)

    def speak() -> None:
        run(stop, progress=lambda _n, at: spoken.set() if at >= start + timedelta(minutes=4) else None)

    thread = threading.Thread(target=speak, daemon=True)
    thread.start()
    try:
        # Nobody listened while it was born: what comes are data by alias alone.
        assert spoken.wait(20)
        with listening(database_url, broker):
            wait_for(lambda: count(connection, "reading") > 300, what="readings after a rebirth", within_s=60)
    finally:
        stop.set()
        thread.join(20)
    assert count(connection, "conflict") == count(connection, "rejection") == 0


@pytest.fixture
def options(connection: Connection, broker: Mosquitto, pilot: str, tmp_path: Path) -> Callable[[str], list[str]]:
    """The command's options for a demo pilot, which is registered under the test's name."""

    def made(name: str) -> list[str]:
        today = datetime.now(UTC).date()
        text = (
            moved(plan_text(name), today - timedelta(days=DAYS_BEHIND))
            .replace(name, pilot)
            .replace("/onbot/", f"/{pilot}/")
        )
        issued = tuple(applied(connection, broker, read_plan(text.encode(), name=pilot)).values())
        (tmp_path / "plan.yaml").write_text(text, encoding="utf-8")
        write_credentials(
            tmp_path / "credentials.json", CredentialFile(broker=broker.url, pilot=pilot, connections=issued)
        )
        return ["--plan", str(tmp_path / "plan.yaml"), "--credentials", str(tmp_path / "credentials.json")]

    return made


@pytest.mark.parametrize(
    ("scenario", "name", "topic"),
    [("air", "demo-air", "spBv1.0/{}/#"), ("robot", "demo-robot", "uagv/v2/{}/#"), ("drone", "demo-drone", "{}/#")],
)
def test_the_command_speaks_the_plans_protocol(
    broker: Mosquitto, pilot: str, options: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str],
    scenario: str, name: str, topic: str,
) -> None:  # fmt: skip
    given = options(name)
    with collector(broker) as heard:
        assert heard.subscribe(topic.format(pilot)) == 1
        assert run(["simulate", scenario, *given, "--speed", "3000", "--for", "2s", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        payloads = [heard.heard.get(timeout=5)[1] for _ in range(5)]
    assert found["readings"] > 100
    assert found["messages"] == found["acknowledged"] + found["unconfirmed"]
    assert (found["unconfirmed"] == 0) == (name == "demo-drone")
    first = {"demo-air": b"\x08", "demo-robot": b"{", "demo-drone": b"\xfd"}[name]
    assert {payload[:1] for payload in payloads} == {first}


def test_what_a_protocol_has_no_words_for_is_one_clear_error(
    options: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    given = options("demo-robot")
    assert run(["simulate", "robot", *given, "--receipts", "--for", "1s"]) == 2
    assert (
        "speaks 'vda5050', whose messages carry no number of ours: receipts are for native JSON"
        in capsys.readouterr().err
    )
    recording = tmp_path / "battery.csv"
    recording.write_text("time,value\n2026-11-01 00:00:00,80\n")
    assert run(["simulate", "replay", str(recording), *given, "--slot", "robot-1", "--channel", "battery"]) == 2
    err = capsys.readouterr().err
    assert "A robot's state holds all of battery, x, y, operating_mode at once, not battery alone" in err
    assert len(err.splitlines()) == 1


def test_a_recording_is_replayed_by_a_node(
    connection: Connection, database_url: str, broker: Mosquitto, options: Callable[[str], list[str]], tmp_path: Path
) -> None:
    given, day = options("demo-air"), datetime.now(UTC).date() - timedelta(days=2)
    recording = tmp_path / "co2.csv"
    recording.write_text(f"time,value\n{day} 00:00:00,612\n{day} 00:01:00,618.5\n")
    with listening(database_url, broker):
        assert run(["simulate", "replay", str(recording), *given, "--slot", "concourse", "--channel", "co2"]) == 0
        wait_for(lambda: len(stored(connection, "concourse", "co2")) == 2, what="both rows")
    assert [value for _, value in stored(connection, "concourse", "co2")] == [612.0, 618.5]


def test_a_node_that_is_cut_off_leaves_its_death_and_is_born_again(
    connection: Connection, database_url: str, broker: Mosquitto, pilot: str
) -> None:
    found = here(connection, broker, "demo-air", pilot)
    at = datetime.now(UTC)
    up = sum(found.scenario.is_online(found.plan, slot, at) for slot in found.plan.slots)

    def states(state: str) -> int:
        return count(connection, "link_state", f"state = '{state}'")

    with listening(database_url, broker):
        speaker = Speaker(
            found.plan, "gw-1", found.logins["gw-1"], now=lambda: datetime.now(UTC),
            online=lambda slot, at: found.scenario.is_online(found.plan, slot, at),
        )  # fmt: skip
        speaker.connect()
        wait_for(lambda: states("online") == up > 0, what="the births")
        speaker.outlet.abandon()
        wait_for(lambda: states("offline") == len(found.plan.slots), what="the death")
        again = threading.Event()
        run_again = Run(found.scenario, found.plan, found.logins)
        thread = threading.Thread(target=run_again, args=(again,), daemon=True)
        thread.start()
        wait_for(lambda: states("online") == 2 * up, what="the next births")
        again.set()
        thread.join(20)
        wait_for(lambda: states("offline") == 2 * len(found.plan.slots), what="the farewell")

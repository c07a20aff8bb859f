"""Raw messages decoded again after a corrected mapping: what stands then, what stood before, and that nothing is touched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.database import Connection, connected
from core.errors import PermanentError
from core.settings import settings
from core.window import HOUR_US, Window, instant, micros
from ingest.compared import compare
from ingest.kept import Span
from ingest.redecode import Redecoded, redecode
from ingest.supersede import runs
from pilotbed import cli
from telemetry import intake, messages
from telemetry.batch import Flag
from telemetry.channels import channel
from telemetry.horizon import close_past
from telemetry.predicates import Condition
from telemetry.retention import drop_raw
from telemetry.summarise import summarise_all
from telemetry.windows import snapshot, statistics, time_share, values
from tests.arriving import RETAINED, arrive
from tests.collecting import apply, count, now_ms

SLOT = """\
  s1:
    device: {{serial: '1'}}
    channels:
      pm25: {{unit: ug/m^3, {source}period: 10 s}}
      temp: {{unit: degC, period: 10 s}}
    events: {{mission: {{}}}}
"""
WRONG, RIGHT, OTHER = "", "source_unit: mg/m^3, ", "source: air.pm, source_unit: mg/m^3, "
START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)


@pytest.fixture
def site(connection: Connection, pilot: str) -> str:
    """A pilot whose plan takes milligrams for micrograms."""
    apply(connection, pilot, slots=SLOT.format(source=WRONG))
    return pilot


def correct(connection: Connection, pilot: str, source: str = RIGHT) -> None:
    apply(connection, pilot, slots=SLOT.format(source=source))


def topic(pilot: str, last: str = "readings") -> str:
    return f"pilots/{pilot}/s1/{last}"


def message(at_us: int, pm25: float, **more: Any) -> bytes:
    return json.dumps({"ts": at_us // 1000, "values": {"pm25": pm25, "temp": 20.0, **more}}).encode()


def sent(
    connection: Connection, pilot: str, n: int = 40, *, step_s: int = 300, batch: int = 7, start: datetime = START
) -> None:
    """A device's readings, 0.001 mg more each time, some messages a batch."""
    told = [
        (topic(pilot), message(micros(start) + place * step_s * 1_000_000, (place + 1) / 1000)) for place in range(n)
    ]
    for place in range(0, n, batch):
        arrive(connection, *told[place : place + batch])


def whole(pilot: str, **given: Any) -> Span:
    return Span(**{"pilot": pilot, "start": START - timedelta(days=1), "end": START + timedelta(days=1), **given})


def again(connection: Connection, pilot: str, **given: Any) -> Redecoded:
    return redecode(connection, whole(pilot), who="cli:test", **given)


def stand(connection: Connection, pilot: str, as_of: datetime | None = None) -> list[float]:
    """The values of the channel as a reader sees them: raw, and by statistics that summaries answer."""
    from telemetry.channels import channels

    [info] = [one for one in channels(connection, pilot, as_of) if one.name == "pm25"]
    window = Window(start=START - timedelta(days=1), end=START + timedelta(days=1))
    with snapshot(connection):
        _, value = values(connection, info, window, as_of)
        [found] = statistics(connection, info, [window], as_of)
        [share] = time_share(connection, info, Condition(high=1e9), [window], as_of)
    assert found.n == len(value)
    if len(value):
        assert found.mean == pytest.approx(value.mean(), rel=1e-12)
        # 300 s apart and holding for 30: each reading stands for its own time, and for no other's.
        assert share.true_s == pytest.approx(30 * len(value))
    return [round(float(one), 9) for one in value]


def rows_of(connection: Connection, revision: int) -> list[Any]:
    return connection.execute(
        "SELECT observed_at, received_at, value, flags FROM reading JOIN channel USING (channel_id)"
        " WHERE name = 'pm25' AND revision = %s ORDER BY 1",
        [revision],
    ).fetchall()


def balanced(connection: Connection, pilot: str) -> bool:
    return intake.account(connection, pilot, intake.today(connection, pilot, datetime.now(UTC))).balanced


def test_the_new_revision_stands_and_the_old_one_is_untouched(connection: Connection, site: str) -> None:
    sent(connection, site)
    summarise_all(connection)
    before = rows_of(connection, 1)
    as_of = close_past(connection)
    correct(connection, site)
    assert stand(connection, site) == [(place + 1) / 1000 for place in range(40)]
    done = again(connection, site, at_once=10)
    assert (done.messages, done.readings, done.duplicate, done.superseded) == (40, 40, 40, 40)
    assert stand(connection, site) == [place + 1.0 for place in range(40)]
    summarise_all(connection)
    assert stand(connection, site) == [place + 1.0 for place in range(40)]
    # Nothing was changed, and whoever asks as of then still sees what stood then.
    assert rows_of(connection, 1) == before
    assert stand(connection, site, as_of) == [(place + 1) / 1000 for place in range(40)]
    new = rows_of(connection, 2)
    assert [row["observed_at"] for row in new] == [row["observed_at"] for row in before]
    assert {row["flags"] for row in new} == {Flag.REPLAYED | Flag.REDECODED}
    assert min(row["received_at"] for row in new) > as_of
    assert balanced(connection, site)
    row = connection.execute("SELECT sum(delivered) AS n FROM intake_connection").fetchone()
    assert row == {"n": 40}
    assert channel(connection, site, "s1", "pm25").revisions == (1, 2)


def test_hours_that_are_wholly_decoded_again_are_answered_by_summaries(connection: Connection, site: str) -> None:
    from telemetry.summaries import Summaries

    sent(connection, site)
    correct(connection, site)
    again(connection, site)
    summarise_all(connection)
    info = channel(connection, site, "s1", "pm25")
    found = Summaries.load(connection, info, Window(start=START, end=START + timedelta(hours=3)))
    assert found.hour_us.tolist() == [micros(START) + hour * HOUR_US for hour in range(3)]
    assert found.fit(None).all()


def test_any_moment_in_between_sees_each_message_once(connection: Connection, site: str) -> None:
    sent(connection, site)
    correct(connection, site)
    again(connection, site, at_once=7)
    batches = connection.execute("SELECT recorded_at FROM redecoded_batch ORDER BY 1").fetchall()
    assert len(batches) == 6
    for done, row in enumerate(batches, start=1):
        seen = stand(connection, site, row["recorded_at"])
        n = min(7 * done, 40)
        assert sorted(seen) == sorted(
            [*(place + 1.0 for place in range(n)), *((place + 1) / 1000 for place in range(n, 40))]
        )


def test_a_second_time_finds_only_duplicates(connection: Connection, site: str) -> None:
    sent(connection, site)
    correct(connection, site)
    again(connection, site)
    before = connection.execute("SELECT count(*) AS n, sum(n) AS hours FROM redecoded_hour").fetchone()
    done = again(connection, site)
    assert (done.readings, done.duplicate, done.conflict, done.superseded) == (0, 80, 0, 0)
    assert connection.execute("SELECT count(*) AS n, sum(n) AS hours FROM redecoded_hour").fetchone() == before
    assert stand(connection, site) == [place + 1.0 for place in range(40)]
    assert balanced(connection, site)
    assert count(connection, "audit", "what = 'intake.redecode'") == 2


def test_a_second_correction_takes_the_place_of_the_first(connection: Connection, site: str) -> None:
    told = [(topic(site), message(micros(START) + n * 300_000_000, 1.0, air={"pm": (n + 1) / 1000})) for n in range(30)]
    for place in range(0, 30, 5):
        arrive(connection, *told[place : place + 5])
    correct(connection, site, RIGHT)
    again(connection, site, at_once=10)
    assert stand(connection, site) == [1000.0] * 30
    between = close_past(connection)
    correct(connection, site, OTHER)
    # Only a part is asked for: what was decoded again together before is decoded again together.
    part = rows_of(connection, 1)[12]["received_at"]
    done = redecode(
        connection, whole(site, start=part, end=part + timedelta(microseconds=1)), who="cli:test", at_once=1
    )
    assert (done.messages, done.superseded) == (10, 10)
    done = again(connection, site, at_once=3)
    summarise_all(connection)
    assert stand(connection, site) == [n + 1.0 for n in range(30)]
    assert stand(connection, site, between) == [1000.0] * 30


def test_a_mapping_that_had_read_nothing(connection: Connection, pilot: str) -> None:
    apply(connection, pilot, slots=SLOT.format(source="source: nowhere, "))
    sent(connection, pilot, 10)
    assert stand(connection, pilot) == []
    correct(connection, pilot, WRONG)
    again(connection, pilot)
    correct(connection, pilot, RIGHT)
    done = again(connection, pilot)
    assert done.superseded == 10
    summarise_all(connection)
    assert stand(connection, pilot) == [n + 1.0 for n in range(10)]


def test_what_came_without_a_kept_message_goes_on_standing(connection: Connection, site: str) -> None:
    sent(connection, site, 20, batch=5)
    connection.execute("DELETE FROM message WHERE message_id = (SELECT min(message_id) + 1 FROM message)")
    correct(connection, site)
    done = again(connection, site)
    assert (done.messages, done.superseded) == (15, 15)
    summarise_all(connection)
    assert stand(connection, site) == [n + 1.0 if not 5 <= n < 10 else (n + 1) / 1000 for n in range(20)]


def test_a_message_that_cannot_be_read_any_more_leaves_what_it_gave(connection: Connection, site: str) -> None:
    sent(connection, site, 6, batch=3)
    arrive(connection, (topic(site), b"never readable"))
    correct(connection, site)
    # The block's third message is spoilt, as if today's decoder refused what yesterday's took.
    row = connection.execute("SELECT message_id, body FROM message ORDER BY 1 LIMIT 1").fetchone()
    assert row is not None
    told = messages.unpack(row["body"])
    entries = [(one.connection_id, one.topic, one.payload, one.arrival_us or 0, one.flags) for one in told]
    entries[2] = (*entries[2][:2], b"{", *entries[2][3:])
    connection.execute("ALTER TABLE message DISABLE TRIGGER message_unchanged")
    connection.execute(
        "UPDATE message SET body = %s WHERE message_id = %s", [messages.pack(entries), row["message_id"]]
    )
    done = again(connection, site)
    assert (done.left, done.unreadable.total(), done.superseded) == (3, 2, 3)
    assert stand(connection, site) == [0.001, 0.002, 0.003, 4.0, 5.0, 6.0]
    assert count(connection, "quarantine") == 1


def test_refusals_are_kept_once(connection: Connection, site: str) -> None:
    for place in range(3):
        arrive(connection, (topic(site), message(micros(START) + place, 1.0, temp="hot" if place else 20.0)))
    arrive(connection, (topic(site), message(now_ms(3_600) * 1000, 1.0)))
    assert count(connection, "rejection") == 4
    correct(connection, site, "source: air.pm, ")
    done = again(connection, site)
    known = count(connection, "rejection")
    assert done.rejected_before + done.rejected >= 2
    assert again(connection, site).rejected == 0
    assert count(connection, "rejection") == known
    assert balanced(connection, site)


def test_a_device_without_a_clock_keeps_its_arrivals(connection: Connection, pilot: str) -> None:
    clockless = "{s1: {clock: false, time: {path: ''}}}"
    slots = SLOT.format(source=WRONG).replace("    device:", "    connection: s1\n    device:")
    apply(connection, pilot, slots=slots, connections=clockless)
    for ago_s in (600, 500, 400):
        arrive(connection, *((topic(pilot), b'{"values": {"pm25": 0.004, "temp": 20}}') for _ in range(3)), ago_s=ago_s)
    before = rows_of(connection, 1)
    assert len(before) == 9
    apply(connection, pilot, slots=slots.replace("pm25: {unit: ug/m^3, ", "pm25: {unit: ug/m^3, source_unit: mg/m^3, "),
          connections=clockless)  # fmt: skip
    done = again(connection, pilot)
    # Channels that did not change are recognised, to the microsecond.
    assert (done.readings, done.duplicate, done.superseded) == (9, 9, 9)
    assert [row["observed_at"] for row in rows_of(connection, 2)] == [row["observed_at"] for row in before]


def test_blocks_from_before_arrivals_were_kept(connection: Connection, site: str) -> None:
    import zlib

    import msgspec

    row = connection.execute("SELECT connection_id, pilot_id FROM connection").fetchone()
    assert row is not None
    told = [[row["connection_id"], topic(site), message(micros(START), 0.005)]]
    connection.execute(
        "INSERT INTO message (pilot_id, received_at, connections, n, body) VALUES (%s, %s, %s, 1, %s)",
        [row["pilot_id"], START, [row["connection_id"]], zlib.compress(msgspec.msgpack.encode(told))],
    )
    correct(connection, site)
    assert again(connection, site).readings == 2
    assert stand(connection, site) == [5.0]


def test_facts_of_the_delivery_stay(connection: Connection, site: str) -> None:
    arrive(connection, (topic(site), message(micros(START), 0.001)), header=RETAINED)
    correct(connection, site)
    again(connection, site)
    assert [row["flags"] for row in rows_of(connection, 2)] == [Flag.RETAINED | Flag.REPLAYED | Flag.REDECODED]


def test_only_one_connection(connection: Connection, pilot: str) -> None:
    two = SLOT.format(source=WRONG) + SLOT.format(source=WRONG).replace("s1:", "s2:").replace("'1'", "'2'")
    apply(connection, pilot, slots=two)
    for n in range(4):
        told = message(micros(START) + n * 1000, 0.002)
        arrive(connection, *((f"pilots/{pilot}/{slot}/readings", told) for slot in ("s1", "s2")))
    apply(connection, pilot, slots=two.replace("pm25: {unit: ug/m^3, ", "pm25: {unit: ug/m^3, source_unit: mg/m^3, "))
    done = redecode(connection, whole(pilot, connection="s2"), who="cli:test")
    assert (done.messages, done.readings, done.superseded) == (4, 4, 4)
    hour = Window(start=START, end=START + timedelta(hours=1))
    for slot, value in (("s1", 0.002), ("s2", 2.0)):
        _, seen = values(connection, channel(connection, pilot, slot, "pm25"), hour)
        assert seen.tolist() == [value] * 4
    with pytest.raises(PermanentError, match="no connection 'nope' in use; there are: s1, s2"):
        redecode(connection, whole(pilot, connection="nope"), who="cli:test")


def test_the_dry_run_shows_both_values_and_stores_nothing(connection: Connection, site: str) -> None:
    sent(connection, site, 5)
    correct(connection, site)
    found = compare(connection, whole(site), most=2)
    assert (found.messages, found.looked_at, found.readings, found.same) == (5, 5, 10, 5)
    assert [(one.channel, one.old_revision, one.old_value, one.new_revision, one.new_value) for one in found.differences] == [
        ("pm25", 1, 0.001, 2, 1.0), ("pm25", 1, 0.002, 2, 2.0)
    ]  # fmt: skip
    assert count(connection, "reading") == 10 and count(connection, "redecoded_batch") == 0


def test_after_their_time_the_error_says_what_is_there(connection: Connection, site: str) -> None:
    sent(connection, site, 3)
    with pytest.raises(
        PermanentError, match=r"what is kept was received from .* \(3 messages\): choose --from and --to"
    ):
        redecode(connection, whole(site, end=START - timedelta(hours=1)), who="cli:test")
    drop_raw(connection, who="cli:test", now=datetime.now(UTC) + timedelta(days=31))
    with pytest.raises(PermanentError, match="are dropped by keep_messages; none is kept at all"):
        again(connection, site)


def test_one_at_a_time(connection: Connection, database_url: str, site: str) -> None:
    sent(connection, site, 3)
    with connected(database_url) as other:
        row = other.execute("SELECT pilot_id FROM pilot").fetchone()
        assert row is not None
        other.execute("SELECT pg_advisory_lock(7041012, %s)", [row["pilot_id"]])
        with pytest.raises(PermanentError, match="being decoded again already"):
            again(connection, site)
    correct(connection, site)
    assert again(connection, site).readings == 3


@pytest.fixture
def served(connection: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    monkeypatch.setenv("PILOTBED_DATABASE_URL", database_url)
    settings.cache_clear()
    yield connection
    settings.cache_clear()


def test_the_command(served: Connection, site: str, capsys: pytest.CaptureFixture[str]) -> None:
    sent(served, site, 4)
    correct(served, site)
    day = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
    asked = [
        "intake",
        "redecode",
        site,
        "--from",
        day,
        "--to",
        (datetime.now(UTC) + timedelta(days=2)).date().isoformat(),
    ]
    assert cli.run([*asked, "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "0.001 ug/m^3 (revision 1)" in out and "1 ug/m^3 (revision 2)" in out
    assert cli.run([*asked, "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["differences"][0]["new"] == {"revision": 2, "value": 1.0}
    assert cli.run([*asked, "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["readings"], done["duplicate"], done["superseded"]) == (4, 4, 4)
    assert cli.run(asked) == 0
    assert "0 new readings" in capsys.readouterr().out
    # The account of a day goes on under both names.
    for arguments in (["intake", site, "--json"], ["intake", "--json", site], ["intake", "day", site, "--json"]):
        assert cli.run(arguments) == 0
        assert json.loads(capsys.readouterr().out)["balanced"] is True
    for arguments, word in (
        ([*asked[:3], "--from", day, "--to", day], "does not lie before"),
        ([*asked[:3], "--from", "soon", "--to", day], "--from 'soon'"),
        (["intake", "redecode", "nobody", "--from", day, "--to", day], "nobody"),
    ):
        assert cli.run(arguments) == 2
        out, err = capsys.readouterr()
        assert out == "" and word in err and err.count("\n") == 1


def test_stretches_never_hold_what_came_otherwise() -> None:
    at = [instant(us) for us in range(10)]
    assert runs(at[:3] + at[5:7], [at[3], at[4]]) == [(at[0], at[3]), (at[5], at[7])]
    assert runs([], at) == []

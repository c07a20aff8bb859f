"""Seals over a real store: when they are made, what they hold, how they chain, and what a restore does to them."""

from __future__ import annotations

import json
import re
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from core.audit import record
from core.database import Connection, connected
from core.errors import PermanentError
from core.settings import Settings, settings
from core.window import instant, micros
from pilotbed import cli
from pilotbed.jobs import sealing
from telemetry.batch import Batch, Readings
from telemetry.commit import Committer
from telemetry.seals import merkle, signing, store
from telemetry.seals.check import check
from telemetry.seals.close import close, seal_days, seal_now
from telemetry.seals.kinds import AWAITED, KINDS, NOT_SEALED
from telemetry.seals.leaves import begun_hour, packed_rows
from telemetry.seals.store import head_of, leaves_of, seals
from tests.sealed import NOW, PILOT, START, Hall, hall, receive, tamper, unprotected


@pytest.fixture
def sealed(connection: Connection, tmp_path: Path) -> Hall:
    return hall(connection, tmp_path)


def sound(sealed: Hall, now: datetime = NOW) -> bool:
    found = check(sealed.connection, PILOT, heads=sealed.sealer.heads, now=now)
    assert found.faults == []
    return True


def add_reading(
    connection: Connection, sealed: Hall, observed: datetime, received: datetime, value: float = 1.0
) -> None:
    readings = Readings()
    readings.append(sealed.registered.channel_ids["b"], micros(observed), value)
    Committer().commit(connection, Batch(readings=readings), received_at=received)


# --- Days


def test_each_day_that_is_over_has_one_seal_in_its_order(sealed: Hall) -> None:
    assert [(seal.number, seal.day, seal.interim) for seal in sealed.seals] == [
        (1, date(2026, 5, 1), False), (2, date(2026, 5, 2), False),
    ]  # fmt: skip
    first, second = (seal.said for seal in sealed.seals)
    assert first.previous is None and first.start is None
    assert second.previous == sealed.seals[0].head and second.start == first.end == START + timedelta(days=1)
    assert first.rows["reading"] == second.rows["reading"] == 360
    assert set(first.rows) == {"reading", *KINDS}
    assert first.plan == {"version": 1, "sha256": signing.hashlib.sha256(b"pilot: hall").hexdigest()}


def test_sealing_again_makes_nothing_new(sealed: Hall) -> None:
    assert seal_days(sealed.connection, PILOT, sealed.sealer, closed=NOW) == []


def test_a_day_without_data_is_sealed_too(sealed: Hall) -> None:
    made = seal_days(sealed.connection, PILOT, sealed.sealer, closed=START + timedelta(days=4))
    assert [seal.day for seal in made] == [date(2026, 5, 3), date(2026, 5, 4)]
    assert made[0].said.rows["reading"] == made[1].said.rows["reading"] == 0
    assert made[1].said.root == merkle.EMPTY.hex() and made[1].said.leaves == 0
    assert sound(sealed, START + timedelta(days=4))


def test_a_day_begins_at_the_pilots_midnight(sealed: Hall) -> None:
    border = START + timedelta(days=3)
    for received in (border - timedelta(microseconds=1), border):
        add_reading(sealed.connection, sealed, received, received)
    made = seal_days(sealed.connection, PILOT, sealed.sealer, closed=START + timedelta(days=4))
    assert [seal.said.rows["reading"] for seal in made] == [1, 1]


def test_late_data_join_the_day_they_arrive_on(sealed: Hall) -> None:
    roots = [seal.said.root for seal in sealed.seals]
    add_reading(sealed.connection, sealed, START + timedelta(hours=1, seconds=7), START + timedelta(days=2, hours=5))
    [made] = seal_days(sealed.connection, PILOT, sealed.sealer, closed=START + timedelta(days=3))
    assert made.said.rows["reading"] == 1
    assert [seal.said.root for seal in seals(sealed.connection, PILOT)][:2] == roots
    assert sound(sealed, START + timedelta(days=3))


def test_two_who_seal_at_once_make_one_seal(sealed: Hall, database_url: str) -> None:
    receive(sealed.connection, sealed.registered, START + timedelta(days=2))
    made: list[Any] = []

    def run() -> None:
        with connected(database_url) as mine:
            made.extend(seal_days(mine, PILOT, sealed.sealer, closed=START + timedelta(days=3)))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [seal.number for seal in made] == [3]
    assert sound(sealed, START + timedelta(days=3))


def test_an_interim_seal_chains_and_the_days_own_follows(connection: Connection, tmp_path: Path) -> None:
    made = hall(connection, tmp_path)
    add_reading(connection, made, datetime.now(UTC), datetime.now(UTC))
    *days, interim = seal_now(connection, PILOT, made.sealer)
    assert interim.interim and interim.said.rows["reading"] == 1
    assert interim.said.previous == (days[-1] if days else made.seals[-1]).head
    # What counts the running day goes on; the interim seal keeps what it was.
    later = seal_now(connection, PILOT, made.sealer)[-1]
    add_reading(connection, made, datetime.now(UTC), datetime.now(UTC))
    record(connection, who="cli:test", what="x.y", pilot=PILOT, object="z")
    assert later.said.previous == interim.head and later.said.start == interim.said.start
    final = seal_days(connection, PILOT, made.sealer, closed=datetime.now(UTC) + timedelta(days=2))
    assert final[0].day == interim.day and final[0].said.previous == later.head
    assert final[0].said.rows["reading"] == 2
    found = check(connection, PILOT, heads=made.sealer.heads)
    assert found.faults == [] and found.seals == 4 + len(days) + len(final)
    tamper(
        connection,
        "UPDATE seal_leaf SET body = body || ' ' WHERE seal_id = %s AND kind = 'intake_slot'",
        interim.seal_id,
    )
    [fault] = check(connection, PILOT).faults
    assert (fault.about, fault.what) == ("leaf", "its kept lines were changed")


def test_nothing_that_is_being_written_is_left_out(sealed: Hall, database_url: str) -> None:
    """A line of the audit log that was written and not yet committed when the past was closed."""
    closed: list[datetime] = []

    def run() -> None:
        with connected(database_url) as mine:
            closed.append(close(mine))

    with connected(database_url) as writer:
        with writer.transaction():
            record(writer, who="cli:test", what="slow.change", pilot=PILOT, object="o")
            closing = threading.Thread(target=run)
            closing.start()
            closing.join(0.5)
            assert closing.is_alive(), "the past was closed while somebody was still writing"
        closing.join(30)
    record(sealed.connection, who="cli:test", what="later.change", pilot=PILOT, object="o")
    rows = {row["what"]: row["at"] for row in sealed.connection.execute("SELECT what, at FROM audit")}
    assert rows["slow.change"] <= closed[0] < rows["later.change"]


# --- What a seal holds


def test_a_leafs_rows_and_proof_verify_without_the_store(sealed: Hall) -> None:
    seal = sealed.seals[0]
    said, found = seal.said, leaves_of(sealed.connection, seal)
    hashes = [leaf.hash for leaf in found]
    leaf = found[1]
    assert leaf.hour_us is not None and leaf.first_us is not None and leaf.last_us is not None
    rows = sealed.connection.execute(
        "SELECT r.* FROM reading r JOIN channel c USING (channel_id) WHERE c.name = %s AND received_at >= %s"
        " AND received_at < %s ORDER BY observed_at",
        [leaf.identity.split("/")[2], instant(leaf.hour_us), instant(leaf.hour_us) + timedelta(hours=1)],
    ).fetchall()
    assert len(rows) == leaf.n == 60
    again = begun_hour(leaf.identity, leaf.unit, leaf.hour_us, leaf.n, leaf.first_us, leaf.last_us)
    again.update(
        packed_rows(
            np.array([micros(row["observed_at"]) for row in rows]), np.array([micros(row["received_at"]) for row in rows]),
            np.array([row["value"] for row in rows]), np.array([row["flags"] for row in rows], dtype=np.int16),
        )
    )  # fmt: skip
    assert again.digest() == leaf.hash
    assert merkle.proves(again.digest(), 1, said.leaves, merkle.paths(hashes, [1])[0], bytes.fromhex(said.root))


def test_every_append_only_table_is_covered(connection: Connection) -> None:
    """A table that the database protects is evidence: it has a kind, or a reason why not (telemetry/seals/kinds.py)."""
    protected = {
        row["name"]
        for row in connection.execute(
            "SELECT DISTINCT t.tgrelid::regclass::text AS name FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
            " JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE p.proname LIKE 'refuse\\_%' AND n.nspname = 'public'"
        )
    }
    covered = {kind.table for kind in KINDS.values()} | {"reading"}
    assert protected - covered - NOT_SEALED.keys() == set()
    assert NOT_SEALED.keys() <= protected and not covered & NOT_SEALED.keys()


def test_tables_that_take_the_clock_as_their_instant_are_waited_for(connection: Connection) -> None:
    statement = store._SQL["await_writers"]
    assert set(re.findall(r"\w+", statement.split("LOCK TABLE")[1].split(" IN ")[0])) == set(AWAITED)
    for table in ("audit", "opinion", "result"):
        row = connection.execute(
            "SELECT string_agg(column_default, '') AS text FROM information_schema.columns WHERE table_name = %s",
            [table],
        ).fetchone()
        assert row is not None and "after_horizon()" in row["text"]


def test_a_kind_that_is_new_is_covered_from_the_beginning(sealed: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    old = {name: kind for name, kind in KINDS.items() if name != "outage"}
    connection = sealed.connection
    with unprotected(connection):
        for table in ("seal_leaf", "seal_witness", "seal"):
            connection.execute(f"DELETE FROM {table}")  # type: ignore[arg-type]
    sealed.sealer.heads.path.unlink()
    monkeypatch.setattr("telemetry.seals.close.KINDS", old)
    first = seal_days(connection, PILOT, sealed.sealer, closed=NOW)[0]
    monkeypatch.undo()
    third, fourth = seal_days(connection, PILOT, sealed.sealer, closed=START + timedelta(days=4))
    assert "outage" not in first.said.rows
    assert (third.said.rows["outage"], fourth.said.rows["outage"]) == (2, 0)
    assert sound(sealed, START + timedelta(days=4))
    tamper(connection, "UPDATE outage SET note = 'x'")
    assert [fault.leaf for fault in check(connection, PILOT).faults if fault.about == "leaf"] == [f"{PILOT}:outage"]


def test_numbers_that_fill_a_hole_later_are_no_difference(sealed: Hall) -> None:
    link = sealed.registered.connection_id
    batch = Batch(delivered={link: 1}, sequences=[(link, "b1", 5)])
    Committer().commit(sealed.connection, batch, received_at=START + timedelta(days=2, hours=1))
    assert sound(sealed)


def test_after_the_time_to_keep_readings_their_heads_stand_for_them(sealed: Hall) -> None:
    sealed.connection.execute(
        "INSERT INTO retired (pilot_id, kept_until, begun_at) VALUES (%s, %s, %s)",
        [sealed.registered.pilot_id, NOW, NOW],
    )
    for table in ("reading", "conflict", "event", "event_conflict", "rejection", "link_state"):
        tamper(sealed.connection, f"DELETE FROM {table}")
    found = check(sealed.connection, PILOT, heads=sealed.sealer.heads, now=NOW)
    assert found.faults == [] and found.notes[0].startswith("readings and events were deleted from 2026-05-02 on")
    tamper(sealed.connection, "DELETE FROM outage")
    assert not check(sealed.connection, PILOT, now=NOW).sound


def test_readings_that_lie_by_column_are_the_same(sealed: Hall) -> None:
    row = sealed.connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
    if row is None:
        pytest.skip("this server has no TimescaleDB")
    sealed.connection.execute("SELECT compress_chunk(chunk) FROM show_chunks('reading') AS chunk")
    assert sound(sealed)
    late = START + timedelta(days=2, hours=1)
    add_reading(sealed.connection, sealed, START + timedelta(hours=2, seconds=1), late)
    seal_days(sealed.connection, PILOT, sealed.sealer, closed=START + timedelta(days=3))
    assert sound(sealed, START + timedelta(days=3))
    tamper(sealed.connection, "UPDATE reading SET value = 1 WHERE observed_at = %s", START)
    assert {fault.about for fault in check(sealed.connection, PILOT, now=NOW).faults} == {"leaf"}


# --- The newest head, a restore


def test_the_newest_head_by_day_and_by_instant(sealed: Hall) -> None:
    first, second = sealed.seals
    found = [
        head_of(sealed.connection, PILOT),
        head_of(sealed.connection, PILOT, day=date(2026, 5, 1)),
        head_of(sealed.connection, PILOT, day=date(2026, 4, 1)),
        head_of(sealed.connection, PILOT, as_of=first.recorded_at),
    ]
    assert [one and one.head for one in found] == [second.head, first.head, None, first.head]


def forget(connection: Connection, number: int) -> None:
    """The database as it was before this seal, as after a restore of an earlier dump."""
    with unprotected(connection):
        for table in ("seal_leaf", "seal_witness", "seal_timestamp"):
            connection.execute(
                f"DELETE FROM {table} WHERE seal_id IN (SELECT seal_id FROM seal WHERE number >= %s)",  # type: ignore[arg-type]
                [number],
            )
        connection.execute("DELETE FROM seal WHERE number >= %s", [number])


def test_a_restore_begins_a_new_epoch_that_names_the_last_head(sealed: Hall) -> None:
    forget(sealed.connection, 2)
    again, new = seal_days(sealed.connection, PILOT, sealed.sealer, closed=START + timedelta(days=3))
    assert (again.number, again.epoch, again.day) == (3, 2, date(2026, 5, 2))
    assert again.said.previous == sealed.seals[1].head
    restored = again.said.restored
    assert restored is not None
    assert (restored.at_number, restored.at_head) == (1, sealed.seals[0].head)
    assert (restored.known_number, restored.known_head) == (2, sealed.seals[1].head)
    assert (new.number, new.epoch, new.said.restored, new.said.previous) == (4, 2, None, again.head)
    found = check(sealed.connection, PILOT, heads=sealed.sealer.heads, now=START + timedelta(days=3))
    assert found.faults == []
    assert [note.split(":")[0] for note in found.notes] == ["epoch 2 begins with seal 3"]


def test_a_database_that_is_set_back_to_nothing(sealed: Hall) -> None:
    forget(sealed.connection, 1)
    made = seal_days(sealed.connection, PILOT, sealed.sealer, closed=NOW)
    assert [(seal.number, seal.epoch) for seal in made] == [(3, 2), (4, 2)]
    restored = made[0].said.restored
    assert restored is not None and (restored.at_number, restored.at_head) == (0, None)
    assert check(sealed.connection, PILOT, heads=sealed.sealer.heads, now=NOW).sound


def test_nothing_is_sealed_on_top_of_a_seal_that_was_exchanged(sealed: Hall) -> None:
    tamper(sealed.connection, "UPDATE seal SET head = repeat('0', 64) WHERE number = 2")
    with pytest.raises(PermanentError, match=r"Seal 2 of hall is 0000.* in the database and"):
        seal_days(sealed.connection, PILOT, sealed.sealer, closed=START + timedelta(days=3))


def test_a_memory_that_was_lost_is_made_again(sealed: Hall) -> None:
    before = sealed.sealer.heads.of(PILOT)
    sealed.sealer.heads.path.unlink()
    seal_days(sealed.connection, PILOT, sealed.sealer, closed=START + timedelta(days=3))
    assert sealed.sealer.heads.of(PILOT)[:2] == before
    assert len(sealed.sealer.heads.of(PILOT)) == 3


# --- Keys


def test_a_rotated_key_is_signed_by_the_one_before_it(sealed: Hall) -> None:
    old, new = signing.rotate_key(sealed.connection, sealed.key_file)
    assert old.fingerprint == sealed.sealer.key.fingerprint != new.fingerprint
    assert sealed.key_file.stat().st_mode & 0o777 == 0o600
    sealer = type(sealed.sealer)(key=signing.make_key(sealed.connection, sealed.key_file), heads=sealed.sealer.heads)
    [made] = seal_days(sealed.connection, PILOT, sealer, closed=START + timedelta(days=3))
    assert made.key == new.fingerprint
    assert sound(sealed, START + timedelta(days=3))
    document = signing.keys_document(signing.public_keys(sealed.connection))
    assert [key["signed_by"] for key in document["keys"]] == [None, old.fingerprint]
    assert json.loads(document["keys"][1]["statement"])["fingerprint"] == new.fingerprint
    assert signing.known_beside(sealed.key_file) == [old.fingerprint, new.fingerprint]


def test_the_database_refuses_changes_of_seals(sealed: Hall) -> None:
    for table in ("seal", "seal_leaf", "seal_key"):
        for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
                sealed.connection.execute(statement)  # type: ignore[arg-type]


# --- The job and the command


@pytest.fixture
def own_settings(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("PILOTBED_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PILOTBED_DATABASE_URL", database_url)
    monkeypatch.delenv("PILOTBED_MQTT_URL", raising=False)
    settings.cache_clear()
    monkeypatch.setattr("pilotbed.cli.seal._broker", lambda: None)
    return settings()


def test_the_job_seals_up_to_yesterday(sealed: Hall, own_settings: Settings) -> None:
    assert own_settings.seal_key_file == sealed.key_file
    made = sealing.keep_seals(sealed.connection)
    yesterday = (datetime.now(UTC) + timedelta(hours=9)).date() - timedelta(days=1)
    assert made == (yesterday - date(2026, 5, 2)).days > 0
    assert sealing.keep_seals(sealed.connection) == 0
    newest = head_of(sealed.connection, PILOT)
    assert newest is not None and newest.day == yesterday


def test_the_command(sealed: Hall, own_settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.run(["seal", *arguments])
        out = capsys.readouterr()
        return code, out.out, out.err

    code, out, _ = run("now", PILOT, "--json")
    interim = json.loads(out)["seals"][-1]
    assert code == 0 and interim["interim"]
    code, out, _ = run("list", PILOT, "--json")
    assert code == 0 and json.loads(out)["seals"][-1]["head"] == interim["head"]
    code, out, _ = run("list", PILOT)
    assert code == 0 and "2026-05-01" in out and sealed.seals[0].head[:16] in out
    code, out, _ = run("check", PILOT)
    assert code == 0 and out.rstrip().endswith(f"all as sealed. Head {interim['head']}")
    code, out, _ = run("check", PILOT, "--from", "2026-05-01", "--to", "2026-05-02", "--json")
    assert code == 0 and (json.loads(out)["seals"], json.loads(out)["sound"]) == (2, True)
    code, _, err = run("keygen")
    assert code == 2 and "There is a seal key" in err
    code, out, _ = run("keygen", "--rotate", "--json")
    assert code == 0 and json.loads(out)["before"] == sealed.sealer.key.fingerprint
    tamper(sealed.connection, "UPDATE reading SET value = 7 WHERE observed_at = %s", START)
    code, out, _ = run("check", PILOT, "--to", "2026-05-02")
    assert code == 1
    assert out.splitlines()[0].startswith(
        "leaf      seal 1 of 2026-05-01: hall/지점-1/b/1 2026-04-30T15:00:00+00:00: rows"
    )
    code, out, _ = run("check", PILOT, "--from", "2026-05-02", "--to", "2026-05-03", "--json")
    assert code == 0 and json.loads(out)["faults"] == []
    code, _, err = run("check", PILOT, "--from", "gestern")
    assert code == 2 and "--from 'gestern'" in err
    code, _, err = run("list", "nowhere")
    assert code == 2 and "There is no pilot 'nowhere'" in err

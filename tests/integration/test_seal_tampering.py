"""What somebody with every right changes in the database after the seal: each is found, and named."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.database import Connection
from telemetry.seals.check import Checked, Fault, check
from telemetry.seals.signing import SealKey, known_beside
from tests.sealed import NOW, PILOT, START, Hall, hall, tamper

FIRST = f"{PILOT}/지점-1/b/1"
SECOND = f"{PILOT}/지점-1/온도/1"


@pytest.fixture
def sealed(connection: Connection, tmp_path: Path) -> Hall:
    return hall(connection, tmp_path)


def checked(sealed: Hall) -> Checked:
    roots = known_beside(sealed.key_file)
    return check(sealed.connection, PILOT, heads=sealed.sealer.heads, roots=roots, now=NOW)


def only(sealed: Hall) -> Fault:
    [fault] = checked(sealed).faults
    return fault


def test_what_nobody_touched_is_sound(sealed: Hall) -> None:
    found = checked(sealed)
    assert found.sound and not found.notes
    assert (found.seals, found.head) == (2, sealed.seals[-1].head)
    assert found.rows > 700


def test_a_reading_with_another_value(sealed: Hall) -> None:
    at = START + timedelta(days=1, hours=2, minutes=5)
    ids = sealed.registered.channel_ids
    tamper(
        sealed.connection,
        "UPDATE reading SET value = value + 1e-9 WHERE channel_id = %s AND observed_at = %s",
        ids["b"],
        at,
    )
    fault = only(sealed)
    assert (fault.about, fault.number) == ("leaf", 2)
    assert fault.leaf == f"{FIRST} 2026-05-01T17:00:00+00:00"
    assert fault.what == "rows: 60 rows as before, with another content"


def test_a_reading_that_is_deleted(sealed: Hall) -> None:
    ids = sealed.registered.channel_ids
    tamper(sealed.connection, "DELETE FROM reading WHERE channel_id = %s AND observed_at = %s", ids["b"], START)
    fault = only(sealed)
    assert (fault.number, fault.leaf) == (1, f"{FIRST} 2026-04-30T15:00:00+00:00")
    assert "n: sealed 60, found 59" in fault.what
    assert "first observed: sealed 2026-04-30T15:00:00+00:00, found 2026-04-30T15:01:00+00:00" in fault.what


@pytest.mark.parametrize("observed", [START - timedelta(days=200), START + timedelta(minutes=3, seconds=1)])
def test_a_reading_slipped_in_as_if_received_then(sealed: Hall, observed: object) -> None:
    tamper(
        sealed.connection,
        "INSERT INTO reading (observed_at, received_at, value, channel_id) VALUES (%s, %s, 1, %s)",
        observed,
        START + timedelta(minutes=59, seconds=59),
        sealed.registered.channel_ids["온도"],
    )
    fault = only(sealed)
    assert (fault.number, fault.leaf) == (1, f"{SECOND} 2026-04-30T15:00:00+00:00")
    assert "n: sealed 60, found 61" in fault.what


def test_readings_slipped_into_an_hour_that_had_none(sealed: Hall) -> None:
    tamper(
        sealed.connection,
        "INSERT INTO reading (observed_at, received_at, value, channel_id) VALUES (%s, %s, 1, %s)",
        START + timedelta(hours=9),
        START + timedelta(hours=9),
        sealed.registered.channel_ids["b"],
    )
    fault = only(sealed)
    assert fault.leaf == f"{FIRST} 2026-05-01T00:00:00+00:00"
    assert fault.what == "it was not there when it was sealed; now it has 1 row"


def test_two_channels_swapped(sealed: Hall) -> None:
    ids = sealed.registered.channel_ids
    for name, channel_id in (("?", ids["b"]), ("b", ids["온도"]), ("온도", ids["b"])):
        tamper(sealed.connection, "UPDATE channel SET name = %s WHERE channel_id = %s", name, channel_id)
    fault = checked(sealed).faults[0]
    assert (fault.about, fault.number, fault.leaf) == ("leaf", 1, f"{FIRST} 2026-04-30T15:00:00+00:00")


def test_the_readings_of_two_channels_swapped(sealed: Hall) -> None:
    ids = sealed.registered.channel_ids
    a, b = ids["b"], ids["온도"]
    for given, taken in ((-1, a), (a, b), (b, -1)):
        tamper(sealed.connection, "UPDATE reading SET channel_id = %s WHERE channel_id = %s", given, taken)
    assert checked(sealed).faults[0].leaf == f"{FIRST} 2026-04-30T15:00:00+00:00"


def test_another_unit(sealed: Hall) -> None:
    tamper(sealed.connection, "UPDATE channel SET unit = 'mg/m^3' WHERE name = 'b'")
    fault = checked(sealed).faults[0]
    assert fault.leaf == f"{FIRST} 2026-04-30T15:00:00+00:00"
    assert "unit: sealed 'ug/m^3', found 'mg/m^3'" in fault.what


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("event", "UPDATE event SET attributes = '{}'"),
        ("event", "DELETE FROM event"),
        ("event_conflict", "UPDATE event_conflict SET number = 9"),
        ("conflict", "UPDATE conflict SET value = 98"),
        ("link_state", "DELETE FROM link_state"),
        ("audit", "UPDATE audit SET who = 'cli:other' WHERE pilot IS NOT NULL"),
        ("audit", "DELETE FROM audit WHERE pilot IS NOT NULL"),
        ("platform_audit", "UPDATE audit SET after = '{}' WHERE pilot IS NULL"),
        ("rejection", "UPDATE rejection SET value = '1'"),
        ("rejection", "DELETE FROM rejection"),
        ("quarantine", "UPDATE quarantine SET payload_sha256 = repeat('0', 64) WHERE connection_id IS NOT NULL"),
        ("quarantine", "UPDATE quarantine SET payload = 'abc' WHERE connection_id IS NOT NULL"),
        ("platform_quarantine", "DELETE FROM quarantine WHERE connection_id IS NULL"),
        ("outage", "UPDATE outage SET end_at = end_at + interval '1 hour'"),
        ("outage", "DELETE FROM outage"),
        ("exclusion", "UPDATE exclusion SET reason = 'other'"),
        ("finding", "DELETE FROM finding"),
        ("installation", "UPDATE installation SET serial = 'other'"),
        ("plan_version", "UPDATE plan_version SET source = 'pilot: other'"),
        ("result", "UPDATE result SET document = jsonb_set(document, '{kpis,0,value}', '0.96')"),
        ("result", "DELETE FROM result"),
        ("platform_record", "UPDATE platform_record SET goes_on = false"),
        ("platform_record", "DELETE FROM platform_record"),
        ("intake_connection", "UPDATE intake_connection SET delivered = 13, committed = 12"),
        ("intake_slot", "UPDATE intake_slot SET rejected = 0, stored = stored + 1"),
        ("sequence", "UPDATE sequence SET received = received - '{[12,12]}'"),
        ("sequence", "DELETE FROM sequence"),
    ],
)
def test_a_row_that_counts(sealed: Hall, kind: str, statement: str) -> None:
    tamper(sealed.connection, statement)
    fault = checked(sealed).faults[0]
    assert (fault.about, fault.number, fault.leaf) == ("leaf", 1, f"{PILOT}:{kind}")


def test_an_outage_recorded_afterwards_as_if_it_had_been_then(sealed: Hall) -> None:
    tamper(
        sealed.connection,
        "INSERT INTO outage (pilot_id, start_at, end_at, cause, charged_to, agreed_by, note, recorded_at, recorded_by)"
        " SELECT pilot_id, start_at, end_at, cause, charged_to, agreed_by, note, recorded_at, recorded_by FROM outage"
        " ORDER BY outage_id LIMIT 1",
    )
    assert only(sealed).what == "n: sealed 1, found 2; rows"


def test_the_seal_of_a_day_left_out(sealed: Hall) -> None:
    for table in ("seal_leaf", "seal"):
        tamper(sealed.connection, f"DELETE FROM {table} WHERE seal_id = %s", sealed.seals[0].seal_id)
    faults = checked(sealed).faults
    assert {(fault.about, fault.what.split(":")[0].split(" (")[0]) for fault in faults} >= {
        ("chain", "seal 1 before it is missing"),
        ("day", "no seal of 2026-05-01"),
        ("witness", "seal 1 was made"),
    }


def test_the_newest_seals_left_out(sealed: Hall) -> None:
    for table in ("seal_leaf", "seal"):
        tamper(sealed.connection, f"DELETE FROM {table} WHERE seal_id = %s", sealed.seals[1].seal_id)
    # Without the memory of heads the missing day tells, some hours later.
    late = check(sealed.connection, PILOT, now=NOW + timedelta(hours=12))
    assert [fault.what for fault in late.faults] == ["no seal of 2026-05-02"]
    [fault] = check(sealed.connection, PILOT, heads=sealed.sealer.heads, now=NOW).faults
    assert (fault.about, fault.number) == ("witness", 2)


@pytest.mark.parametrize(
    "change",
    [
        "n = n + 1",
        "hash = sha256('x')",
        "identity = identity || 'x'",
        "first_observed = first_observed - interval '1 s'",
    ],
)
def test_the_head_of_a_leaf_changed(sealed: Hall, change: str) -> None:
    tamper(
        sealed.connection, f"UPDATE seal_leaf SET {change} WHERE seal_id = %s AND place = 0", sealed.seals[0].seal_id
    )
    fault = only(sealed)
    assert (fault.about, fault.number) == ("header", 1)
    assert fault.leaf is not None and fault.leaf.startswith(FIRST)
    assert fault.what.startswith("the store agrees with the seal, its list of leaves does not: ")


def test_a_leaf_taken_out_of_the_list(sealed: Hall) -> None:
    tamper(sealed.connection, "DELETE FROM seal_leaf WHERE seal_id = %s AND place = 3", sealed.seals[0].seal_id)
    assert only(sealed).about == "header"


def test_a_reading_changed_with_its_leaf(sealed: Hall) -> None:
    tamper(sealed.connection, "UPDATE reading SET value = 1 WHERE observed_at = %s", START)
    tamper(
        sealed.connection,
        "UPDATE seal_leaf SET hash = sha256('y') WHERE seal_id = %s AND place = 0",
        sealed.seals[0].seal_id,
    )
    fault = only(sealed)
    assert fault.about == "header" and fault.what.startswith("neither its list of leaves nor the store")


def test_a_record_changed(sealed: Hall) -> None:
    tamper(
        sealed.connection,
        "UPDATE seal SET record = convert_to(replace(convert_from(record, 'UTF8'), '\"interim\":false', '\"interim\":true '),"
        " 'UTF8') WHERE number = 1",
    )
    assert checked(sealed).faults[0].about == "chain"


def test_a_seal_signed_anew_by_another_key(sealed: Hall) -> None:
    other, seal = SealKey(Ed25519PrivateKey.generate()), sealed.seals[1]
    forged = seal.record.replace(sealed.sealer.key.fingerprint.encode(), other.fingerprint.encode())
    tamper(
        sealed.connection,
        "INSERT INTO seal_key (fingerprint, public_key) VALUES (%s, %s)",
        other.fingerprint,
        other.public,
    )
    tamper(
        sealed.connection,
        "UPDATE seal SET record = %s, head = encode(sha256(%s), 'hex'), key = %s, signature = %s WHERE number = 2",
        forged,
        forged,
        other.fingerprint,
        other.sign(forged),
    )
    faults = checked(sealed).faults
    assert {fault.about for fault in faults} == {"signature", "witness"}
    # Whoever has not even the memory of heads still sees that no known key signed it.
    [fault] = check(sealed.connection, PILOT, now=NOW).faults
    assert "which no key that we trust has signed" in fault.what


def test_a_signature_by_another_key_under_the_old_name(sealed: Hall) -> None:
    other, seal = SealKey(Ed25519PrivateKey.generate()), sealed.seals[1]
    tamper(sealed.connection, "UPDATE seal SET signature = %s WHERE number = 2", other.sign(seal.record))
    assert only(sealed).what.startswith("its signature is not by the key")
    # … also where the public key was exchanged as well.
    tamper(sealed.connection, "UPDATE seal_key SET public_key = %s", other.public)
    assert {fault.about for fault in checked(sealed).faults} == {"signature"}


def test_a_statement_changed(sealed: Hall) -> None:
    tamper(sealed.connection, "UPDATE seal SET statement = statement || ' ' WHERE number = 1")
    assert only(sealed).what.startswith("the signature of its statement")

"""A root computed in the database is the one that an outsider computes, with the code that docs/evidence.md prints."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import rfc8785
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from core.database import Connection
from core.window import micros
from telemetry.seals.close import Sealer, seal_days
from telemetry.seals.heads import Heads
from telemetry.seals.signing import make_key
from telemetry.seals.store import leaves_of
from tests.registered import register
from tests.sealed import PILOT, START, hall

DOCS = Path(__file__).parents[2] / "docs" / "evidence.md"


def printed() -> dict[str, Any]:
    """The functions that the documentation prints."""
    [code] = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert len(code.splitlines()) <= 60
    names: dict[str, Any] = {}
    exec(compile(code, str(DOCS), "exec"), names)
    return names


NAMES = st.text("abc-_가나다라온도습도", min_size=1, max_size=12)
UNITS = st.sampled_from(["degC", "ug/m^3", "1", "명", "㎍/㎥"])
INSTANTS = st.integers(0, 6 * 3_600_000_000 - 1)
VALUES = st.floats(allow_nan=False, width=64) | st.sampled_from([0.0, -0.0, 5e-324, float("inf")])
READINGS = st.dictionaries(
    st.tuples(st.integers(0, 3), st.integers(-(10**15), 10**12)),
    st.tuples(INSTANTS, VALUES, st.integers(-(2**15), 2**15 - 1)),
    max_size=60,
)


@examples(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(NAMES, UNITS), min_size=4, max_size=4, unique_by=lambda one: one[0]), READINGS)
def test_the_databases_root_is_the_one_of_the_rows(
    connection: Connection, tmp_path: Path, channels: list[tuple[str, str]], readings: dict[Any, Any]
) -> None:
    number = connection.execute("SELECT count(*) + 1 AS n FROM pilot").fetchone()
    assert number is not None
    pilot = f"p{number['n']}"
    key_file = tmp_path / "seal.key"
    sealer = Sealer(key=make_key(connection, key_file), heads=Heads(key_file))
    made = register(connection, pilot, slot="지점", channels={name: {"unit": unit} for name, unit in channels})
    connection.execute("UPDATE pilot SET created_at = %s", [START])
    rows = []
    for (place, offset), (received, value, flags) in readings.items():
        name, unit = channels[place]
        observed_us, received_us = micros(START) + offset, micros(START) + received
        rows.append((f"{pilot}/지점/{name}/1", unit, observed_us, received_us, value, flags))
        connection.execute(
            "INSERT INTO reading (observed_at, received_at, value, channel_id, flags) VALUES"
            " (timestamptz 'epoch' + %s::bigint * interval '1 us', timestamptz 'epoch' + %s::bigint * interval '1 us',"
            " %s, %s, %s)",
            [observed_us, received_us, value, made.channel_ids[name], flags],
        )
    [seal] = seal_days(connection, pilot, sealer, closed=START + timedelta(days=1))
    lines = {f"{pilot}:channel": channel_lines(connection, made.pilot_id)}
    assert seal.said.root == printed()["day_root"](rows, lines)
    assert seal.said.rows["reading"] == len(rows)


def channel_lines(connection: Connection, pilot_id: int) -> list[bytes]:
    found = connection.execute(
        "SELECT s.name AS slot, c.name AS channel, revision, kind, unit, reporting, period_s, max_hold_s, c.options::text"
        ' FROM slot s JOIN channel c USING (slot_id) WHERE pilot_id = %s ORDER BY c.name COLLATE "C"',
        [pilot_id],
    )
    return [rfc8785.dumps({**row, "valid_from": None}) for row in found]


def test_a_whole_day_of_everything(connection: Connection, tmp_path: Path) -> None:
    """The leaves of lines too, each spelt out here from its table."""
    made = hall(connection, tmp_path)
    outside = printed()
    second = made.seals[1]
    said = outside["check_record"](second.record, second.head, second.signature.hex(), made.sealer.key.public.hex())
    readings = [
        (f"hall/지점-1/{row['name']}/1", row["unit"], micros(row["observed_at"]), micros(row["received_at"]), row["value"],
         row["flags"])
        for row in connection.execute(
            "SELECT c.name, c.unit, r.* FROM reading r JOIN channel c USING (channel_id) WHERE received_at >= %s",
            [START + timedelta(days=1)],
        )
    ]  # fmt: skip
    lines = {f"{PILOT}:{kind}": outside_lines(connection, query) for kind, query in LINES.items()}
    # Those of which the tables go on changing are kept as they were.
    kept = connection.execute(
        "SELECT body FROM seal_leaf WHERE seal_id = %s AND kind = 'sequence'", [second.seal_id]
    ).fetchone()
    assert kept is not None
    lines["hall:sequence"] = bytes(kept["body"]).splitlines()
    filled = {kind for kind, n in said["rows"].items() if n} - {"reading"}
    assert filled == {name.removeprefix("hall:") for name in lines}
    kept_hashes = {leaf.identity: leaf.hash for leaf in leaves_of(connection, second) if leaf.hour_us is None}
    assert {name: outside["lines_leaf"](name, found) for name, found in lines.items()} == kept_hashes
    assert outside["day_root"](readings, lines) == said["root"]


def outside_lines(connection: Connection, query: str) -> list[bytes]:
    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return value.isoformat() if hasattr(value, "isoformat") else value

    found = connection.execute(query, {"from": START + timedelta(days=1)})  # type: ignore[arg-type]
    return [rfc8785.dumps({key: plain(value) for key, value in row.items()}) for row in found]


LINES = {
    "conflict": "SELECT conflict_id, '지점-1' AS slot, '온도' AS channel, 1 AS revision, observed_at, received_at, value,"
    " stored_value, conflict.flags FROM conflict WHERE received_at >= %(from)s",
    "event": "SELECT '지점-1' AS slot, kind, id, phase, number, at, received_at, attributes::text, flags FROM event"
    " WHERE received_at >= %(from)s",
    "event_conflict": "SELECT event_conflict_id, '지점-1' AS slot, kind, id, phase, number, at, received_at, attributes::text"
    " FROM event_conflict WHERE received_at >= %(from)s",
    "exclusion": "SELECT exclusion_id, '지점-1' AS slot, start_at, end_at, reason, asked_on, asked_by, agreed_site,"
    " agreed_team, note, recorded_at, recorded_by FROM exclusion WHERE recorded_at >= %(from)s",
    "finding": "SELECT finding_id, '지점-1' AS slot, NULL AS channel, NULL AS revision, kind, flag, start_at, end_at, value,"
    " unit, detail::text, recorded_at FROM finding WHERE recorded_at >= %(from)s",
    "installation": "SELECT installation_id, '지점-1' AS slot, serial, model, firmware, installed_at, recorded_at"
    " FROM installation WHERE recorded_at >= %(from)s",
    "intake_connection": "SELECT '지점-1' AS connection, day, delivered, committed, quarantined, redelivered, payload_bytes,"
    " last_received FROM intake_connection WHERE day > '2026-05-01'",
    "intake_slot": "SELECT '지점-1' AS slot, day, decoded, stored, duplicate, conflict, rejected, first_observed,"
    " last_observed, last_received FROM intake_slot WHERE day > '2026-05-01'",
    "link_state": "SELECT '지점-1' AS slot, at, received_at, state, origin FROM link_state WHERE received_at >= %(from)s",
    "outage": "SELECT outage_id, NULL AS slots, start_at, end_at, cause, charged_to, agreed_by, note, recorded_at, recorded_by"
    " FROM outage WHERE recorded_at >= %(from)s",
    "platform_quarantine": "SELECT quarantine_id, received_at, topic, reason, payload_bytes, payload_sha256 FROM quarantine"
    " WHERE received_at >= %(from)s AND connection_id IS NULL",
    "platform_record": "SELECT record_id, process, run, version, from_at, until_at, heard::text, goes_on, recorded_at, note"
    " FROM platform_record WHERE recorded_at >= %(from)s",
    "quarantine": "SELECT quarantine_id, '지점-1' AS connection, received_at, topic, reason, detail, payload_bytes,"
    " payload_sha256, flags FROM quarantine WHERE received_at >= %(from)s AND connection_id IS NOT NULL",
    "quarantine_day": "SELECT '지점-1' AS connection, day, kept, kept_bytes, beyond, beyond_bytes, beyond_sha256"
    " FROM quarantine_day WHERE day > '2026-05-01' AND connection_id <> 0",
    "rejection": "SELECT rejection_id, '지점-1' AS slot, received_at, topic, item, observed, value, reason, detail FROM rejection"
    " WHERE received_at >= %(from)s",
    "result": "SELECT result_id, kind, label, version, plan_version, as_of, evaluated_at, code_version, sha256, document::text,"
    " difference::text FROM result WHERE evaluated_at >= %(from)s",
}


def test_the_printed_code_fails_for_another_record(connection: Connection, tmp_path: Path) -> None:
    made = hall(connection, tmp_path)
    seal, check = made.seals[0], printed()["check_record"]
    assert json.loads(seal.record) == check(seal.record, seal.head, seal.signature.hex(), made.sealer.key.public.hex())
    failed: list[Callable[[], Any]] = [
        lambda: check(seal.record + b" ", seal.head, seal.signature.hex(), made.sealer.key.public.hex()),
        lambda: check(seal.record, seal.head, seal.signature.hex(), bytes(32).hex()),
        lambda: check(seal.record, seal.head, bytes(64).hex(), made.sealer.key.public.hex()),
    ]
    for call in failed:
        try:
            call()
        except Exception:  # noqa: BLE001 - of whatever kind: the point is that it does not pass
            continue
        raise AssertionError("it passed")

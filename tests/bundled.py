"""A small pilot with everything that a bundle can have, its bundle, and what somebody may do to it: for the tests of both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from core.canonical import canonical_json
from core.database import Connection
from core.window import micros
from devices.plan.reader import read_plan
from devices.registry import apply_plan
from kpi.bundle.write import Bundled, bundle
from kpi.records.exclusions import add_exclusion
from kpi.records.outages import add_outage
from telemetry.channels import channels
from telemetry.evidence.archive import Archive, ArchiveWriter
from telemetry.load import load_readings
from telemetry.rows import Columns
from telemetry.seals import signing
from telemetry.seals.close import Sealer
from telemetry.seals.heads import Heads
from tests.evaluated import PLAN, SLOT, Site, hours, made_site
from tests.sealed import unprotected

OTHER = "rival-pilot-9"
"""Another pilot in the same store."""
KPIS = """
warm: {name: w, measure: {statistic: {channel: temp, stat: mean}}, target: "<= 30 degC"}
median: {name: m, measure: {statistic: {channel: temp, stat: p50}}, target: "<= 30 degC"}
auto: {name: a, measure: {share: {while: {channel: mode, in: [auto]}}}, target: ">= 10 %"}
mild: {name: b, measure: {share: {while: {channel: temp, value: "<= 21 degC"}}}, target: ">= 10 %"}
done: {name: d, measure: {event_ratio: {event: mission, success: {result: done}}}, target: ">= 50 %"}
up: {name: u, measure: {availability: {}}, target: ">= 50 %"}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A pilot, its bundle, and the key."""

    site: Site
    done: Bundled
    path: Path
    keys: Path


def since_days(connection: Connection, days: int) -> None:
    """As if the pilots had been registered so many days ago: what they have from before is under their first seal."""
    with unprotected(connection):
        connection.execute("UPDATE pilot SET created_at = clock_timestamp() - make_interval(days => %s)", [days])
        connection.execute("DELETE FROM intake_slot")
        connection.execute("DELETE FROM intake_connection")


def made(connection: Connection, folder: Path, **asked: Any) -> Made:
    """Two months at two slots, with late data, a gap, a swap, an outage, an exclusion, an amendment; and a rival's pilot."""
    site = made_site(connection, KPIS, slots=("a", "b"))
    _amended(connection)
    days = hours(date(2025, 3, 1), date(2025, 5, 1), step_h=1)
    rng = np.random.default_rng(7)
    for slot in ("a", "b"):
        temp = np.round(20 + rng.normal(0, 2, len(days)), 2)
        kept = np.ones(len(days), dtype=bool)
        kept[200:230] = slot == "a"
        late = np.zeros(len(days), dtype=bool)
        late[500:548] = True
        _heard(site, slot, "temp", days[kept], temp[kept], late[kept])
        mode = days[::7] + 90_000_000
        _heard(site, slot, "mode", mode, rng.integers(0, 3, len(mode)).astype(float), np.zeros(len(mode), dtype=bool))
    _decoded_again(site)
    site.happened(
        "a",
        [
            (number, phase, datetime(2025, 3, 3 + number, 1 + (phase == "end"), tzinfo=UTC), {"result": "done"})
            for number in range(1, 20)
            for phase in ("start", "end")
        ],
    )
    site.linked("a", [(datetime(2025, 3, 20, tzinfo=UTC), "offline"), (datetime(2025, 3, 20, 3, tzinfo=UTC), "online")])
    site.alive(datetime(2025, 2, 20, tzinfo=UTC), datetime(2025, 5, 20, tzinfo=UTC))
    _agreed(connection)
    _rival(connection)
    site.summarised()
    since_days(connection, 1)
    key_file = folder / "seal.key"
    sealer = Sealer(key=signing.make_key(connection, key_file), heads=Heads(key_file))
    path = folder / "bundle.zip"
    done = bundle(connection, "hall", path, sealer=sealer, who="cli:test", **(asked or {"month": "2025-03"}))
    return Made(site=site, done=done, path=path, keys=folder / "seal-keys.json")


def _heard(site: Site, slot: str, channel: str, at_us: Any, values: Any, late: Any) -> None:
    received = at_us + 400_000 + np.where(late, 20 * 24 * 3_600_000_000, 0)
    order = np.argsort(received, kind="stable")
    columns = Columns(
        channel_id=np.full(len(at_us), site.channels[slot, channel], dtype=np.int32)[order],
        observed_us=at_us[order],
        value=values[order],
        flags=np.zeros(len(at_us), dtype=np.int16),
    )
    with unprotected(site.connection):
        site.connection.execute("UPDATE pilot SET simulated = true WHERE name = 'hall'")
    load_readings(site.connection, "hall", columns, received[order])


def _decoded_again(site: Site) -> None:
    """Two days of ``a/temp`` by a second revision, in the place of what the first one had."""
    connection, old = site.connection, site.channels["a", "temp"]
    start, end, at = (datetime(2025, 3, day, tzinfo=UTC) for day in (13, 15, 16))
    connection.execute("UPDATE channel SET valid_to = %s WHERE channel_id = %s", [at, old])
    row = connection.execute(
        "INSERT INTO channel (slot_id, name, revision, kind, unit, reporting, period_s, max_hold_s, options, valid_from)"
        ' SELECT slot_id, name, 2, kind, unit, reporting, period_s, max_hold_s, options || \'{"source": "t2"}\', %s'
        " FROM channel WHERE channel_id = %s RETURNING channel_id",
        [at, old],
    ).fetchone()
    assert row is not None
    new = row["channel_id"]
    observed = np.arange(micros(start), micros(end), 3_600_000_000, dtype=np.int64)
    columns = Columns(
        channel_id=np.full(len(observed), new, dtype=np.int32),
        observed_us=observed,
        value=np.full(len(observed), 18.5),
        flags=np.zeros(len(observed), dtype=np.int16),
    )
    load_readings(connection, "hall", columns, np.full(len(observed), micros(at)))
    connection.execute(
        "WITH batch AS (INSERT INTO redecoded_batch (pilot_id, message_from, message_until, recorded_at, recorded_by)"
        " SELECT pilot_id, %(start)s, %(end)s, %(at)s, 'cli:test' FROM pilot WHERE name = 'hall' RETURNING batch_id)"
        " INSERT INTO redecoding (batch_id, channel_id, received_from, received_until, by_channel_id, recorded_at)"
        " SELECT batch_id, %(old)s, %(start)s, %(end)s, %(new)s, %(at)s FROM batch",
        {"start": start, "end": end, "at": at, "old": old, "new": new},
    )
    connection.execute(
        "INSERT INTO redecoded_hour (channel_id, hour, n, recorded_at)"
        " SELECT channel_id, date_trunc('hour', observed_at), count(*), %(at)s FROM reading"
        " WHERE channel_id = %(old)s AND received_at >= %(start)s AND received_at < %(end)s GROUP BY 1, 2",
        {"start": start, "end": end, "at": at, "old": old},
    )


def _amended(connection: Connection) -> None:
    """The second version: another target, a swap."""
    text = PLAN.format(
        start="2025-03-01", end="2025-12-01", zone="Asia/Seoul", interim="2025-06-01", until="2025-11-01",
        slots="".join(SLOT.format(name=name) for name in ("a", "b")),
        kpis="\n".join(f"  {line}" for line in KPIS.replace("<= 30 degC", "<= 29 degC", 1).strip().splitlines()),
    )  # fmt: skip
    text += "amendment: {parties: [S, C, T], reason: 목표 변경, date: 2025-01-20}\n"
    apply_plan(connection, read_plan(text.encode()), who="cli:test", now=datetime(2025, 2, 1, tzinfo=UTC))
    with unprotected(connection):
        connection.execute(
            "UPDATE installation SET recorded_at = '2025-01-01T00:00Z', installed_at = '2025-03-01T00:00Z'"
        )
        connection.execute(
            "UPDATE installation i SET removed_at = '2025-03-18T00:00Z', removal_recorded_at = '2025-03-18T00:00Z'"
            " FROM slot s WHERE s.slot_id = i.slot_id AND s.name = 'b'"
        )
        connection.execute(
            "INSERT INTO installation (slot_id, serial, installed_at, recorded_at)"
            " SELECT slot_id, 'b-2', '2025-03-18T06:00Z', '2025-03-18T06:00Z' FROM slot WHERE name = 'b'"
        )


def _agreed(connection: Connection) -> None:
    add_outage(
        connection, "hall", start=datetime(2025, 3, 9, 8, tzinfo=UTC), end=datetime(2025, 3, 9, 20, tzinfo=UTC),
        cause="site-power", agreed_by="S, C", note="정전", slots=["b", "a"], who="cli:test",
    )  # fmt: skip
    start = datetime(2025, 3, 12, 0, tzinfo=UTC)
    add_exclusion(
        connection, "hall", slot="b", start=start, end=start + timedelta(hours=5), reason="construction",
        asked_on=start.date(), asked_by="C", agreed_site="S", agreed_team="T", note="공사", who="cli:test",
    )  # fmt: skip


def _rival(connection: Connection) -> None:
    """Another company's pilot, with readings, an audit row, and a message that nobody's connection sent."""
    text = PLAN.format(
        start="2025-03-01", end="2025-12-01", zone="Asia/Seoul", interim="2025-06-01", until="2025-11-01",
        slots=SLOT.format(name="rival-slot"), kpis='  k: {name: k, measure: {availability: {}}, target: ">= 5 %"}',
    ).replace("pilot: hall", f"pilot: {OTHER}").replace("시험 과제", "rival-title")  # fmt: skip
    apply_plan(connection, read_plan(text.encode()), who="cli:rival-person", now=datetime(2025, 1, 5, tzinfo=UTC))
    found = channels(connection, OTHER)
    at = hours(date(2025, 3, 1), date(2025, 3, 3))
    columns = Columns(
        channel_id=np.full(len(at), found[0].channel_ids[0], dtype=np.int32),
        observed_us=at,
        value=np.full(len(at), 77.0),
        flags=np.zeros(len(at), dtype=np.int16),
    )
    with unprotected(connection):
        connection.execute("UPDATE pilot SET simulated = true")
    load_readings(connection, OTHER, columns, at + 1)
    connection.execute(
        "INSERT INTO audit (who, what, pilot, object) VALUES ('cli:admin', 'user.add', NULL, %s)", [f"user of {OTHER}"]
    )
    assert micros(datetime(2025, 1, 1, tzinfo=UTC)) > 0


# --- what somebody may do to a bundle


def rezipped(path: Path, into: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """The same archive with changed members and a manifest that fits them. None: the member is left out."""
    archive = Archive(path)
    said: dict[str, Any] = {}
    listed: list[dict[str, Any]] = []
    with into.open("wb+") as file:
        writer = ArchiveWriter(file)
        for name in archive.members:
            data = archive.read(name, most=1 << 30)
            if name == "manifest.json":
                said = json.loads(data)
                break
            changed = change(name, data)
            if changed is not None:
                writer.put(name, changed)
                listed.append({"path": name, "bytes": len(changed), "sha256": hashlib.sha256(changed).hexdigest()})
        said["members"] = listed
        said["results"] = [one["path"] for one in listed if one["path"].startswith("results/")]
        writer.put("manifest.json", canonical_json(said))
        writer.finish()
    return into

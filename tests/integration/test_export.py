"""``pilotbed export``: nothing is lost or altered on the way, and the files are what other programs read."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from core.canonical import canonical_json, sha256
from core.database import Connection
from core.errors import NotFound
from core.window import micros, midnight
from kpi.evaluate import evaluate
from kpi.results import newest, store
from telemetry.export.columns import LONG, TABLES
from telemetry.horizon import close_past
from tests.evaluated import Site, hours, made_site
from tests.exported import KPIS, ODD, SMALL, contents, exact, made, manifest_of, rich_site, stored, us

SEOUL = ZoneInfo("Asia/Seoul")


@pytest.fixture
def site(connection: Connection) -> Site:
    return rich_site(connection)


def readings(folder: Path) -> pa.Table:
    return ds.dataset(folder / "readings", format="parquet", partitioning="hive").to_table()


def rows_of(table: pa.Table) -> list[tuple[str, str, int, float]]:
    return [(row["slot"], row["channel"], us(row["observed_at"]), row["value"]) for row in table.to_pylist()]


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def all_csv(folder: Path) -> list[dict[str, str]]:
    return [row for path in sorted(folder.glob("readings/*/*/*.csv")) for row in csv_rows(path)]


# --- The readings


def test_every_reading_is_there_to_the_last_bit(site: Site, connection: Connection, tmp_path: Path) -> None:
    done = made(connection, tmp_path / "x")
    found = rows_of(readings(tmp_path / "x"))
    assert sorted(exact(found)) == sorted(exact(stored(connection)))
    assert done.readings == done.rows == len(found) == manifest_of(tmp_path / "x")["readings"]["values"]
    odd = [value for slot, channel, _, value in sorted(found) if (slot, channel) == ("b", "temp")][-len(ODD) :]
    assert [value.hex() for value in odd] == [float(value).hex() for value in ODD]


def test_csv_reads_back_to_the_same_bits(site: Site, connection: Connection, tmp_path: Path) -> None:
    made(connection, tmp_path / "x", format="csv", zone="America/New_York")
    found = [
        (row["slot"], row["channel"], us(datetime.fromisoformat(row["observed_at"])), float(row["value"]))
        for row in all_csv(tmp_path / "x")
    ]
    assert sorted(exact(found)) == sorted(exact(stored(connection)))


def test_each_file_is_sorted_and_lies_in_its_month_of_the_pilots_zone(
    site: Site, connection: Connection, tmp_path: Path
) -> None:
    made(connection, tmp_path / "x", zone="America/New_York")
    files = sorted((tmp_path / "x" / "readings").rglob("*.parquet"))
    assert [path.parent.name for path in files] == ["month=2025-03", "month=2025-04", "month=2025-05"]
    for path in files:
        keys = [key[:3] for key in rows_of(pq.ParquetFile(path).read())]
        assert keys == sorted(keys)
        months = {f"{datetime.fromtimestamp(at / 1e6, SEOUL):%Y-%m}" for *_, at in keys}
        assert months == {path.parent.name.removeprefix("month=")}


def test_the_schema_is_the_published_one_with_units(site: Site, connection: Connection, tmp_path: Path) -> None:
    made(connection, tmp_path / "x", zone="pilot")
    [one, *_] = sorted((tmp_path / "x" / "readings").rglob("*.parquet"))
    found = pq.read_schema(one)
    instant = pa.timestamp("us", tz="Asia/Seoul")
    assert [(field.name, field.type) for field in found] == [
        ("slot", pa.string()), ("channel", pa.string()), ("revision", pa.int32()), ("unit", pa.string()),
        ("observed_at", instant), ("received_at", instant), ("value", pa.float64()), ("state", pa.string()),
        ("flags", pa.int16()),
    ]  # fmt: skip
    assert found.field("observed_at").metadata[b"description_ko"].decode() == "측정 시각(장비 시계)"
    assert pq.read_schema(tmp_path / "x" / "channels.parquet").field("period_s").metadata[b"unit"] == b"s"
    metadata = pq.read_metadata(one)
    for place in range(metadata.num_columns):
        column = metadata.row_group(0).column(place)
        assert column.compression == "ZSTD" and column.is_stats_set


def test_state_channels_have_their_states_name(site: Site, connection: Connection, tmp_path: Path) -> None:
    made(connection, tmp_path / "x")
    pairs = Counter(
        (row["value"], row["state"], row["unit"]) for row in readings(tmp_path / "x").to_pylist() if row["state"]
    )
    assert set(pairs) == {(0.0, "idle", "state"), (1.0, "auto", "state"), (2.0, "manual", "state")}
    assert sum(pairs.values()) == sum(channel == "mode" for _, channel, *_ in stored(connection))


def test_rows_go_into_files_of_bounded_size(site: Site, connection: Connection, tmp_path: Path) -> None:
    made(connection, tmp_path / "x", SMALL, format="csv")
    counts = [one["rows"] for one in manifest_of(tmp_path / "x")["files"] if one["path"].startswith("readings/")]
    assert max(counts) == 600 and len(counts) > 3
    assert sum(counts) == len(stored(connection)) == len(all_csv(tmp_path / "x"))


def test_two_revisions_of_a_channel_stand_side_by_side(site: Site, connection: Connection, tmp_path: Path) -> None:
    site.channels["a", "new"] = revised(connection, site.channels["a", "temp"])
    at_us = hours(date(2025, 3, 5), date(2025, 3, 6))
    shifted = at_us + 1_800_000_000
    both = np.sort(np.concatenate([at_us, shifted]))
    site.heard("a", "new", both, np.full(len(both), 33.0))
    made(connection, tmp_path / "x")
    assert sorted(exact(rows_of(readings(tmp_path / "x")))) == sorted(exact(stored(connection)))
    day = [row for row in readings(tmp_path / "x").to_pylist() if (row["slot"], row["channel"]) == ("a", "temp")]
    day = [row for row in day if us(row["observed_at"]) in set(both.tolist())]
    assert [row["revision"] for row in day] == [1, 2, 2] * 24
    # In the wide form the newer revision's value stands.
    made(connection, tmp_path / "w", shape="wide")
    wide = {us(row["observed_at"]): row for row in readings(tmp_path / "w").to_pylist() if row["slot"] == "a"}
    assert {wide[at]["a/temp [degC]"] for at in both.tolist()} == {33.0}


def test_readings_decoded_again_are_named_and_left_out_of_the_wide_form(
    site: Site, connection: Connection, tmp_path: Path
) -> None:
    old = site.channels["b", "temp"]
    site.channels["b", "new"] = new = revised(connection, old)
    before = close_past(connection)
    row = connection.execute("SELECT max(received_at) AS until FROM reading WHERE channel_id = %s", [old]).fetchone()
    assert row is not None
    until = row["until"]  # the readings of that last batch still stand
    at_us = hours(date(2025, 3, 1), date(2025, 3, 3)) + 60_000_000  # the times of the message were wrong, too
    site.heard("b", "new", at_us, np.full(48, 7.0))
    connection.execute(
        "WITH batch AS (INSERT INTO redecoded_batch (pilot_id, message_from, message_until, recorded_at, recorded_by)"
        " SELECT pilot_id, '2025-01-01T00:00Z', %(until)s, after_horizon(), 'cli:kim' FROM pilot"
        " RETURNING batch_id, recorded_at)"
        " INSERT INTO redecoding SELECT batch_id, %(old)s, '2025-01-01T00:00Z', %(until)s, %(new)s, recorded_at FROM batch",
        {"until": until, "old": old, "new": new},
    )
    made(connection, tmp_path / "x")
    assert sorted(exact(rows_of(readings(tmp_path / "x")))) == sorted(exact(stored(connection)))
    [named] = pq.read_table(tmp_path / "x" / "redecodings.parquet").to_pylist()
    assert (named["slot"], named["channel"], named["revision"], named["by_revision"]) == ("b", "temp", 1, 2)
    assert (named["received_until"], named["recorded_by"]) == (until, "cli:kim")
    made(connection, tmp_path / "w", shape="wide")
    cells = [row["b/temp [degC]"] for row in readings(tmp_path / "w").to_pylist() if row["slot"] == "b"]
    assert sorted(cells) == sorted([*ODD, *[7.0] * 48])
    made(connection, tmp_path / "b", shape="wide", as_of=before)
    cells = [row["b/temp [degC]"] for row in readings(tmp_path / "b").to_pylist() if row["slot"] == "b"]
    assert len(cells) == 24 * 40 + len(ODD)


def revised(connection: Connection, channel_id: int) -> int:
    """The channel's next revision."""
    connection.execute("UPDATE channel SET valid_to = '2025-04-01T00:00+09:00' WHERE channel_id = %s", [channel_id])
    row = connection.execute(
        "INSERT INTO channel (slot_id, name, revision, kind, unit, reporting, period_s, max_hold_s, options, valid_from)"
        " SELECT slot_id, name, 2, kind, unit, reporting, period_s, max_hold_s, options, valid_to FROM channel"
        " WHERE channel_id = %s RETURNING channel_id",
        [channel_id],
    ).fetchone()
    assert row is not None
    return int(row["channel_id"])


# --- Others read it as it is


def test_duckdb_pandas_and_arrow_read_the_folder_as_it_is(site: Site, connection: Connection, tmp_path: Path) -> None:
    made(connection, tmp_path / "x")
    expected = Counter((slot, channel) for slot, channel, *_ in stored(connection))
    with duckdb.connect() as duck:
        pattern = f"{tmp_path}/x/readings/**/*.parquet"
        counted = duck.execute(
            "SELECT slot, channel, count(*) FROM read_parquet(?, hive_partitioning = true)"
            " WHERE pilot = 'hall' AND month >= '2025-03' GROUP BY ALL",
            [pattern],
        ).fetchall()
        types = dict(duck.execute("SELECT name, type FROM parquet_schema(?)", [pattern]).fetchall())
    assert Counter({(slot, channel): n for slot, channel, n in counted}) == expected
    assert types["value"] == "DOUBLE"
    frame = pd.read_parquet(tmp_path / "x" / "readings")
    assert Counter(zip(frame["slot"], frame["channel"], strict=True)) == expected
    assert set(frame["month"]) == {"2025-03", "2025-04", "2025-05"}
    march = ds.dataset(tmp_path / "x" / "readings", partitioning="hive").to_table(filter=ds.field("month") == "2025-03")
    first = midnight(date(2025, 4, 1), SEOUL)
    assert march.num_rows == sum(at < micros(first) for _, _, at, _ in stored(connection))


def test_duckdb_reads_csv_with_zones_as_instants(site: Site, connection: Connection, tmp_path: Path) -> None:
    made(connection, tmp_path / "x", format="csv", zone="pilot")
    with duckdb.connect() as duck:
        [[kind, n, total]] = duck.execute(
            "SELECT any_value(typeof(observed_at)), count(*), sum(epoch_us(observed_at)) FROM read_csv(?)",
            [f"{tmp_path}/x/readings/**/*.csv"],
        ).fetchall()
    assert kind == "TIMESTAMP WITH TIME ZONE"
    assert (n, total) == (len(stored(connection)), sum(at for _, _, at, _ in stored(connection)))


# --- Zones and windows


def test_csv_instants_carry_the_offset_of_the_zone_asked_for(connection: Connection, tmp_path: Path) -> None:
    site = made_site(connection, KPIS)
    turn = datetime(2025, 3, 9, 6, tzinfo=UTC)  # New York's clocks go from 02:00 to 03:00 at 07:00 UTC
    site.heard("a", "temp", [micros(turn + timedelta(hours=n)) + 7 for n in range(3)], [1.0, 2.0, 3.0])
    made(connection, tmp_path / "x", format="csv", zone="America/New_York")
    assert [row["observed_at"] for row in all_csv(tmp_path / "x")] == [
        "2025-03-09 01:00:00.000007-05:00", "2025-03-09 03:00:00.000007-04:00", "2025-03-09 04:00:00.000007-04:00",
    ]  # fmt: skip
    made(connection, tmp_path / "u", format="csv")
    assert all_csv(tmp_path / "u")[0]["observed_at"] == "2025-03-09 06:00:00.000007+00:00"


def test_a_window_is_of_the_pilots_calendar_days_and_half_open(
    site: Site, connection: Connection, tmp_path: Path
) -> None:
    start, end = date(2025, 3, 31), date(2025, 4, 2)
    made(connection, tmp_path / "x", start=start, end=end)
    low, high = micros(midnight(start, SEOUL)), micros(midnight(end, SEOUL))
    assert exact(rows_of(readings(tmp_path / "x"))) == sorted(
        exact([row for row in stored(connection) if low <= row[2] < high]), key=lambda row: (row[2] >= micros(midnight(
            date(2025, 4, 1), SEOUL)), *row[:3])
    )  # fmt: skip
    assert {path.name for path in (tmp_path / "x" / "readings" / "pilot=hall").iterdir()} == {
        "month=2025-03", "month=2025-04",
    }  # fmt: skip
    assert pq.read_table(tmp_path / "x" / "events.parquet").num_rows == 0
    assert pq.read_table(tmp_path / "x" / "platform.parquet").num_rows == 1


def test_only_the_channels_asked_for(site: Site, connection: Connection, tmp_path: Path) -> None:
    made(connection, tmp_path / "x", only=("b/temp", "a/mode"))
    assert {(slot, channel) for slot, channel, *_ in rows_of(readings(tmp_path / "x"))} == {
        ("b", "temp"),
        ("a", "mode"),
    }
    channels = pq.read_table(tmp_path / "x" / "channels.parquet").to_pylist()
    assert [(row["slot"], row["channel"]) for row in channels] == [("a", "mode"), ("b", "temp")]
    assert pq.read_table(tmp_path / "x" / "conflicts.parquet").num_rows == 0
    assert pq.read_table(tmp_path / "x" / "events.parquet").num_rows == 2


def test_as_of_shows_what_was_known_then(site: Site, connection: Connection, tmp_path: Path) -> None:
    known = close_past(connection)
    before = stored(connection)
    site.heard("b", "temp", hours(date(2025, 6, 1), date(2025, 6, 3)), np.ones(48))
    connection.execute("UPDATE finding SET superseded_at = after_horizon()")
    store(connection, evaluate(connection, "hall", month="2025-04"), "cli:test")
    done = made(connection, tmp_path / "x", as_of=known)
    assert done.as_of == known and manifest_of(tmp_path / "x")["as_of"] == f"{known:%Y-%m-%dT%H:%M:%S.%fZ}"
    assert (
        sorted(exact(rows_of(readings(tmp_path / "x"))))
        == sorted(exact(before))
        == sorted(exact(stored(connection, known)))
    )
    [finding] = pq.read_table(tmp_path / "x" / "findings.parquet").to_pylist()
    assert finding["superseded_at"] is None
    assert pq.read_table(tmp_path / "x" / "results.parquet").num_rows == 1
    now = made(connection, tmp_path / "y")
    assert now.readings == len(before) + 48 and now.as_of > known
    [finding] = pq.read_table(tmp_path / "y" / "findings.parquet").to_pylist()
    assert finding["superseded_at"] is not None
    # The same past is the same bytes, whenever it is written.
    made(connection, tmp_path / "z", as_of=known)
    assert contents(tmp_path / "z") == contents(tmp_path / "x")


# --- What stands beside the readings


def test_every_table_has_its_columns_and_rows(site: Site, connection: Connection, tmp_path: Path) -> None:
    made(connection, tmp_path / "x")
    found = {table.name: pq.read_table(tmp_path / "x" / f"{table.name}.parquet") for table in TABLES}
    assert {name: table.column_names for name, table in found.items()} == {
        table.name: [column.name for column in table.columns] for table in TABLES
    }
    assert {name: table.num_rows for name, table in found.items()} == {
        "plans": 1, "channels": 4, "events": 2, "links": 2, "platform": 1, "installations": 2, "outages": 2, "exclusions": 1,
        "labels": 0, "manual": 0, "findings": 1, "conflicts": 2, "redecodings": 0, "event_conflicts": 1, "rejections": 1,
        "results": 1,
    }  # fmt: skip
    one = {name: table.to_pylist()[0] for name, table in found.items() if table.num_rows}
    start = midnight(date(2025, 3, 10), SEOUL)
    assert one["plans"]["kind"] == "first" and one["plans"]["sha256"] == sha256(
        (tmp_path / "x/plan/v1.yaml").read_bytes()
    )
    assert json.loads(one["channels"]["states"]) == ["idle", "auto", "manual"]
    temp = found["channels"].to_pylist()[1]
    assert (temp["range_low"], temp["range_high"], temp["period_s"], temp["unit"]) == (-40.0, 60.0, 3600.0, "degC")
    ends = {row["phase"]: row for row in found["events"].to_pylist()}
    assert ends["start"]["at"] == start and json.loads(ends["start"]["attributes"]) == {"방향": "북"}
    assert json.loads(one["event_conflicts"]["attributes"]) == {"방향": "남"}
    assert one["platform"]["heard_from"] == [datetime(2025, 2, 1, tzinfo=UTC)]
    agreed = found["outages"].to_pylist()
    assert (agreed[0]["slots"], agreed[1]["slots"]) == (None, ["a", "b"])
    assert (agreed[0]["superseded_why"], agreed[1]["superseded_why"]) == (None, "두 번 기록")
    assert one["exclusions"]["asked_on"] == date(2025, 3, 14) and one["exclusions"]["note"] == '공문 "12호"'
    assert (one["conflicts"]["value"], one["conflicts"]["stored_value"] != 99.0) == (99.0, True)


def test_csv_tables_say_the_same(site: Site, connection: Connection, tmp_path: Path) -> None:
    known = close_past(connection)
    made(connection, tmp_path / "p", as_of=known)
    made(connection, tmp_path / "c", as_of=known, format="csv")
    for table in TABLES:
        rows = pq.read_table(tmp_path / "p" / f"{table.name}.parquet").to_pylist()
        texts = csv_rows(tmp_path / "c" / f"{table.name}.csv")
        assert len(rows) == len(texts)
        for row, text in zip(rows, texts, strict=True):
            assert {name: _as_text(value) for name, value in row.items()} == text, table.name


def _as_text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case datetime():
            return value.isoformat(sep=" ", timespec="microseconds")
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
        case list():
            return json.dumps(
                [_as_text(one) if isinstance(one, datetime) else one for one in value], ensure_ascii=False
            )
        case _:
            return str(value)


def test_stored_results_are_there_as_they_are_hashed(site: Site, connection: Connection, tmp_path: Path) -> None:
    made(connection, tmp_path / "x")
    kept = newest(connection, "hall", "month", "2025-03")
    assert kept is not None
    text = (tmp_path / "x" / "results" / "month-2025-03-v1.json").read_bytes()
    assert text == canonical_json(kept.document)
    document = json.loads(text)
    document.pop("as_of")
    assert sha256(canonical_json(document)) == kept.sha256


def test_the_manifest_accounts_for_every_file(site: Site, connection: Connection, tmp_path: Path) -> None:
    done = made(connection, tmp_path / "x")
    manifest = manifest_of(tmp_path / "x")
    found = contents(tmp_path / "x")
    found.pop("manifest.json")
    assert {one["path"]: one["sha256"] for one in manifest["files"]} == found
    assert all((tmp_path / "x" / one["path"]).stat().st_size == one["bytes"] for one in manifest["files"])
    assert done.files == len(found) + 1
    parts = [one["rows"] for one in manifest["files"] if one["path"].startswith("readings/")]
    assert sum(parts) == len(stored(connection, done.as_of)) == manifest["readings"]["rows"]
    assert manifest["plan"]["version"] == 1 and manifest["code_version"].startswith("pilotbed ")


def test_the_readme_names_every_file_and_column_in_both_languages(
    site: Site, connection: Connection, tmp_path: Path
) -> None:
    made(connection, tmp_path / "x")
    korean, english = (tmp_path / "x" / "README.txt").read_text("utf-8-sig").split("=" * 78)
    for table in TABLES:
        assert f"\n{table.name}.parquet\n" in korean and f"\n{table.name}.parquet\n" in english
    for column in [column for table in (LONG, *TABLES) for column in table.columns]:
        assert column.ko in korean and column.en in english


# --- The wide form


def test_the_wide_form_has_a_row_an_instant_and_a_column_a_channel(
    site: Site, connection: Connection, tmp_path: Path
) -> None:
    done = made(connection, tmp_path / "x", shape="wide")
    table = readings(tmp_path / "x")
    columns = ["a/mode [state]", "a/mode [code]", "a/temp [degC]", "b/mode [state]", "b/mode [code]", "b/temp [degC]"]
    assert table.column_names == ["slot", "observed_at", *columns, "pilot", "month"]
    found = [
        (row["slot"], channel, us(row["observed_at"]), row[f"{row['slot']}/{channel} [{unit}]"])
        for row in table.to_pylist()
        for channel, unit in (("mode", "code"), ("temp", "degC"))
        if row[f"{row['slot']}/{channel} [{unit}]"] is not None
    ]
    assert sorted(exact(found)) == sorted(exact(stored(connection)))
    assert done.readings == len(found) and done.rows == table.num_rows
    assert done.rows == len({(slot, at) for slot, _, at, _ in stored(connection)})
    states = {(row["a/mode [code]"], row["a/mode [state]"]) for row in table.to_pylist()}
    assert states == {(None, None), (0.0, "idle"), (1.0, "auto"), (2.0, "manual")}
    metadata = pq.read_schema(next((tmp_path / "x" / "readings").rglob("*.parquet"))).field("a/temp [degC]").metadata
    assert (metadata[b"unit"], metadata[b"kind"], metadata[b"name"], metadata[b"revision"]) == (
        b"degC", b"gauge", b"temp", b"1",
    )  # fmt: skip


def test_wide_csv_has_a_file_a_slot_with_its_own_columns(site: Site, connection: Connection, tmp_path: Path) -> None:
    made(connection, tmp_path / "x", shape="wide", format="csv")
    march = sorted((tmp_path / "x" / "readings" / "pilot=hall" / "month=2025-03").iterdir())
    heads = [list(csv_rows(path)[0]) for path in march]
    assert heads == [
        ["slot", "observed_at", f"{slot}/mode [state]", f"{slot}/mode [code]", f"{slot}/temp [degC]"] for slot in "ab"
    ]


def test_duckdb_reads_wide_files_as_they_are(site: Site, connection: Connection, tmp_path: Path) -> None:
    made(connection, tmp_path / "x", shape="wide")
    with duckdb.connect() as duck:
        [[n]] = duck.execute(
            'SELECT count("b/temp [degC]") FROM read_parquet(?, hive_partitioning = true)',
            [f"{tmp_path}/x/readings/**/*.parquet"],
        ).fetchall()
    assert n == sum((slot, channel) == ("b", "temp") for slot, channel, *_ in stored(connection))


# --- Nothing to export


@pytest.mark.parametrize("shape", ["long", "wide"])
def test_a_pilot_without_readings_gives_a_valid_empty_export(
    connection: Connection, tmp_path: Path, shape: str
) -> None:
    made_site(connection, KPIS)
    done = made(connection, tmp_path / "x", shape=shape)
    assert (done.rows, done.readings) == (0, 0)
    [only] = (tmp_path / "x" / "readings").rglob("*.parquet")
    assert only.parent.name == "month=2025-03"
    with duckdb.connect() as duck:
        found = duck.execute("SELECT * FROM read_parquet(?, hive_partitioning = true)", [str(only)])
        assert found.fetchall() == [] and found.description is not None
    made(connection, tmp_path / "c", shape=shape, format="csv")
    [text] = (tmp_path / "c" / "readings").rglob("*.csv")
    assert text.read_text("utf-8-sig").count("\n") == 1


def test_an_instant_before_the_plan_is_refused(connection: Connection, tmp_path: Path) -> None:
    made_site(connection, KPIS)
    with pytest.raises(NotFound, match="plan of pilot hall has no version recorded by 2024-01-01"):
        made(connection, tmp_path / "x", as_of=datetime(2024, 1, 1, tzinfo=UTC))
    assert not (tmp_path / "x").exists()

"""The parts of an export that need no store: merging, cutting into groups, texts of instants and states."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.export.asked import Revision, Series
from telemetry.export.columns import LONG, TABLES
from telemetry.export.folder import Hashed
from telemetry.export.long import states_text
from telemetry.export.reading import Ahead, Piece, _merged
from telemetry.export.shapes import Chunk, groups
from telemetry.export.sinks import Csv, instants, instants_text
from telemetry.export.wide import _newest

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
QUARTERS = 2_100_000_000 // 900
"""Up to 2036: beyond it no reading is taken, since it lies ahead, and libraries disagree about clocks."""


def pieces(revision: int, at: list[int], size: int) -> Iterator[Piece]:
    us = np.array(sorted(set(at)), dtype=np.int64)
    for low in range(0, len(us), size):
        part = us[low : low + size]
        n = len(part)
        yield Piece(
            observed_us=part,
            received_us=part + 1,
            value=part * 1.0,
            flags=np.zeros(n, dtype=np.int16),
            revision=np.full(n, revision, dtype=np.int32),
        )


INSTANTS = st.lists(st.integers(0, 30), max_size=25)


@settings(deadline=None)
@given(st.lists(INSTANTS, min_size=1, max_size=4), st.integers(1, 7))
def test_revisions_are_merged_by_instant_and_revision_whatever_the_pieces(many: list[list[int]], size: int) -> None:
    streams = [pieces(number, at, size) for number, at in enumerate(many)]
    found = [
        (int(us), int(revision))
        for piece in _merged(streams)
        for us, revision in zip(piece.observed_us, piece.revision, strict=True)
    ]
    assert found == sorted((us, number) for number, at in enumerate(many) for us in set(at))


@settings(deadline=None)
@given(st.lists(INSTANTS, min_size=1, max_size=4), st.integers(1, 7))
def test_the_newest_revision_of_an_instant_stands(many: list[list[int]], size: int) -> None:
    merged = _merged([pieces(number, at, size) for number, at in enumerate(many)])
    found = {int(us): int(r) for one in _newest(merged) for us, r in zip(one.observed_us, one.revision, strict=True)}
    assert found == {us: max(n for n, at in enumerate(many) if us in at) for us in {us for at in many for us in at}}


@settings(deadline=None)
@given(INSTANTS, st.integers(1, 7), st.lists(st.integers(0, 30), max_size=6))
def test_looking_ahead_takes_each_reading_once(at: list[int], size: int, marks: list[int]) -> None:
    ahead = Ahead(pieces(1, at, size))
    taken: list[int] = []
    while (known := ahead.known_us) is not None:
        mark = min([known, *(one for one in marks if not taken or one > taken[-1])])
        piece = ahead.take(mark)
        taken += [] if piece is None else piece.observed_us.tolist()
        marks = [one for one in marks if one > mark]
    assert taken == sorted(set(at))


def chunk(rows: int, start: int, breaks: bool = False) -> Chunk:
    return Chunk(
        rows=rows,
        table=lambda low, high: pa.table({"n": list(range(start + low, start + high))}),
        position=lambda end: [start + end - 1],
        breaks=breaks,
    )


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=8), st.integers(1, 6))
def test_groups_hold_all_rows_in_order_and_say_where_they_end(sizes: list[tuple[int, bool]], most: int) -> None:
    chunks, start, cuts = [], 0, []
    for rows, breaks in sizes:
        chunks.append(chunk(rows, start, breaks))
        cuts += [start] if breaks else []
        start += rows
    rows, place = [], 0
    for group in groups(iter(chunks), most):
        held = group.table["n"].to_pylist()
        assert 0 < len(held) <= most and group.after == [held[-1]]
        assert group.breaks == (held[0] in cuts)
        assert not set(cuts) & set(held[1:])
        assert len(held) == most or place + len(held) in [*cuts, start]
        rows += held
        place += len(held)
    assert rows == list(range(start))


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            lambda quarter, us: quarter * 900_000_000 + us,
            st.integers(0, QUARTERS),  # of an hour, where clocks change
            st.one_of(st.just(0), st.just(-1), st.integers(0, 900_000_000)),
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from(["UTC", "Asia/Seoul", "America/St_Johns", "Europe/Lisbon", "Australia/Lord_Howe"]),
)
def test_instants_are_written_as_python_writes_them(us: list[int], zone: str) -> None:
    array = pa.chunked_array([instants(np.array(us), zone)])
    expected = [
        (EPOCH + timedelta(microseconds=one)).astimezone(ZoneInfo(zone)).isoformat(sep=" ", timespec="microseconds")
        for one in us
    ]
    assert instants_text(array).to_pylist() == expected


def test_an_absent_instant_stays_absent() -> None:
    array = pa.chunked_array([pa.array([None, 0], pa.timestamp("us", tz="Asia/Seoul"))])
    assert instants_text(array).to_pylist() == [None, "1970-01-01 09:00:00.000000+09:00"]
    assert instants_text(array.slice(0, 1)).to_pylist() == [None]
    assert instants_text(array.slice(0, 0)).to_pylist() == []


def test_a_state_is_named_by_the_revision_of_its_reading() -> None:
    series = Series(
        slot="a",
        channel="mode",
        title="mode",
        kind="state",
        unit="state",
        revisions=(
            Revision(channel_id=1, number=1, states=("off", "on")),
            Revision(channel_id=2, number=2, states=("off", "on", "broken")),
        ),
    )
    value = np.array([0.0, 1.0, 2.0, 2.0, -1.0, 0.5, 3.0])
    revision = np.array([1, 2, 1, 2, 2, 2, 2], dtype=np.int32)
    assert states_text(series, value, revision).to_pylist() == ["off", "on", None, "broken", None, None, None]


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_a_value_in_csv_reads_back_to_the_same_bits(values: list[float]) -> None:
    raw = io.BytesIO()
    file = Hashed(raw)
    into = Csv(file, pa.schema([("value", pa.float64())]), zone="UTC", bom=True)
    into.write(pa.table({"value": values}))
    into.close()
    head, *lines = raw.getvalue().decode("utf-8-sig").split()
    assert head == '"value"' and [float(line).hex() for line in lines] == [value.hex() for value in values]


def test_text_in_csv_reads_back_and_nothing_is_told_from_empty() -> None:
    said: list[str | None] = ["a,b", 'say "x"', "두\n줄", "", None, "=1+1", " s "]
    raw = io.BytesIO()
    into = Csv(Hashed(raw), pa.schema([("note", pa.string())]), zone="UTC", bom=False)
    into.write(pa.table({"note": pa.array(said, pa.string()), "x": pa.array(range(7))}).select(["note"]))
    into.close()
    options = pyarrow.csv.ConvertOptions(
        column_types={"note": pa.string()}, strings_can_be_null=True, quoted_strings_can_be_null=False
    )
    parse = pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
    found = pyarrow.csv.read_csv(io.BytesIO(raw.getvalue()), convert_options=options, parse_options=parse)
    assert found["note"].to_pylist() == said


def test_a_file_given_up_takes_no_more() -> None:
    raw = io.BytesIO()
    file = Hashed(raw)
    file.write(b"abc")
    file.give_up()
    assert file.write(b"def") == 3 and raw.getvalue() == b"abc"


@pytest.mark.parametrize("table", [LONG, *TABLES], ids=lambda table: table.name)
def test_every_column_says_what_it_means_in_both_languages(table: object) -> None:
    columns = table.columns  # type: ignore[attr-defined]
    assert len({column.name for column in columns}) == len(columns)
    for column in columns:
        assert (column.en and any("가" <= letter <= "힣" for letter in column.ko)) or column.ko == column.en, column

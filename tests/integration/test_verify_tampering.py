"""What somebody does to a bundle, some of it with a manifest that fits: each is found, and named."""

from __future__ import annotations

import io
import json
import os
import secrets
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.canonical import canonical_json
from core.database import connected
from kpi.bundle.verify import verify
from tests.bundled import Made, made, rezipped
from tests.conftest import _new_database

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def small(database_server: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    name = f"pilotbed_test_{secrets.token_hex(6)}"
    with _new_database(database_server, name, template_database) as url, connected(url) as connection:
        yield made(connection, tmp_path_factory.mktemp("small"))


def faults(small: Made, into: Path, change: Callable[[str, bytes], bytes | None]) -> list[str]:
    return [f"{line.about}: {line.en}" for line in verify(rezipped(small.path, into, change), keys=small.keys).faults]


def of(wanted: str, change: Callable[[bytes], bytes | None]) -> Callable[[str, bytes], bytes | None]:
    """Changes one member."""
    return lambda name, data: change(data) if name == wanted else data


def table(change: Callable[[pa.Table], pa.Table]) -> Callable[[bytes], bytes]:
    """Changes a Parquet member, group by group of the size that it has."""

    def changed(data: bytes) -> bytes:
        file = pq.ParquetFile(io.BytesIO(data))
        into = io.BytesIO()
        with pq.ParquetWriter(into, file.schema_arrow) as writer:
            at, whole = 0, change(file.read())
            for group in range(file.metadata.num_row_groups):
                n = file.metadata.row_group(group).num_rows
                writer.write_table(whole.slice(at, n))
                at += n
        return into.getvalue()

    return changed


def set_at(column: str, place: int, value: object) -> Callable[[pa.Table], pa.Table]:
    def change(found: pa.Table) -> pa.Table:
        values = found[column].to_pylist()
        values[place] = value(values[place]) if callable(value) else value
        index = found.schema.get_field_index(column)
        return found.set_column(index, found.schema.field(index), pa.array(values, found.schema.field(index).type))

    return change


def test_the_same_members_anew_are_sound(small: Made, tmp_path: Path) -> None:
    assert faults(small, tmp_path / "b.zip", lambda _, data: data) == []
    assert (tmp_path / "b.zip").read_bytes() == small.path.read_bytes()


def test_another_value_of_a_reading(small: Made, tmp_path: Path) -> None:
    found = faults(
        small, tmp_path / "b.zip", of("readings/part-0000.parquet", table(set_at("value", 400, lambda v: v + 1e-9)))
    )
    assert len(found) == 1
    assert found[0].startswith("readings: hall/a/") and "are not those that were sealed" in found[0]


def test_another_instant_of_receipt(small: Made, tmp_path: Path) -> None:
    moved = table(set_at("received_at", 400, lambda at: at.replace(microsecond=1)))
    assert faults(small, tmp_path / "b.zip", of("readings/part-0000.parquet", moved))[0].startswith("readings: hall/a/")


def test_another_mark_of_use(small: Made, tmp_path: Path) -> None:
    marked = table(set_at("used", 400, lambda used: not used))
    found = faults(small, tmp_path / "b.zip", of("readings/part-0000.parquet", marked))
    assert found == [
        "used: 1 readings are marked wrongly as used or not",
        "archive: manifest.json: readings is not what the bundle has",
    ]


def test_the_last_channel_left_out(small: Made, tmp_path: Path) -> None:
    def without(data: bytes) -> bytes:
        file, into = pq.ParquetFile(io.BytesIO(data)), io.BytesIO()
        with pq.ParquetWriter(into, file.schema_arrow) as writer:
            for group in range(file.metadata.num_row_groups - 1):
                writer.write_table(file.read_row_group(group))
        return into.getvalue()

    found = faults(small, tmp_path / "b.zip", of("readings/part-0000.parquet", without))
    assert found[0].startswith("readings: hall/b/temp/") and "missing" in found[0]


def test_a_leaf_left_out_with_its_proof(small: Made, tmp_path: Path) -> None:
    """As if the results did not draw on it: its head is still there, for the root needs it."""
    found = faults(small, tmp_path / "b.zip", of("leaves.parquet", table(set_at("proof", 3, None))))
    assert any(line.startswith("leaves:") and "results draw on it, and it is left out" in line for line in found)


def test_another_head(small: Made, tmp_path: Path) -> None:
    found = faults(small, tmp_path / "b.zip", of("leaves.parquet", table(set_at("n", 3, lambda n: n + 1))))
    assert any(line.startswith("leaves: seal 1 of") and "not as many as were sealed" in line for line in found)
    flipped = table(set_at("hash", 3, lambda data: bytes([data[0] ^ 1]) + data[1:]))
    found = faults(small, tmp_path / "b.zip", of("leaves.parquet", flipped))
    assert any("the heads come to" in line for line in found)


def test_a_head_left_out(small: Made, tmp_path: Path) -> None:
    def without(data: bytes) -> bytes:
        found, into = pq.read_table(io.BytesIO(data)), io.BytesIO()
        keep = np.arange(found.num_rows) != 3
        found = found.filter(pa.array(keep))
        places = found["place"].to_pylist()
        found = found.set_column(
            1, found.schema.field(1), pa.array([p - (i + 1 > 3 and p > 3) for i, p in enumerate(places)], pa.int32())
        )
        pq.write_table(found, into)
        return into.getvalue()

    assert faults(small, tmp_path / "b.zip", of("leaves.parquet", without)) != []


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("event", b'\\"done\\"', b'\\"fail\\"'),
        ("outage", b"site-power", b"platform__"),
        ("exclusion", b"construction", b"disaster____"),
        ("installation", b"b-2", b"b-3"),
        ("link_state", b"offline", b"online_"),
        ("platform_record", b"collector-1", b"collector-2"),
        ("channel", b'"period_s":3600', b'"period_s":7200'),
    ],
)
def test_another_line(small: Made, tmp_path: Path, kind: str, old: bytes, new: bytes) -> None:
    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    found = faults(small, tmp_path / "b.zip", of(f"lines/{kind}.jsonl", change))
    assert found[0].startswith(f"lines: hall:{kind} (seal ")
    assert "are not those that were sealed" in found[0]


def test_a_kind_left_out(small: Made, tmp_path: Path) -> None:
    found = faults(small, tmp_path / "b.zip", of("lines/exclusion.jsonl", lambda _: None))
    assert found[0] == "lines: lines/exclusion.jsonl is missing: 1 seals have such lines"


def test_another_plan(small: Made, tmp_path: Path) -> None:
    found = faults(
        small, tmp_path / "b.zip", of("plan/v2.yaml", lambda data: data.replace(b"<= 29 degC", b"<= 39 degC"))
    )
    assert found[0].startswith("plan: plan/v2.yaml: ")


def test_another_readme(small: Made, tmp_path: Path) -> None:
    found = faults(small, tmp_path / "b.zip", of("README.txt", lambda data: data + b"x"))
    assert found == ["archive: README.txt is not that of this bundle"]


def test_another_value_of_a_result(small: Made, tmp_path: Path) -> None:
    def change(data: bytes) -> bytes:
        document = json.loads(data)
        document["kpis"][0]["value"] += 1e-6
        return canonical_json(document)

    found = faults(small, tmp_path / "b.zip", of("results/month-2025-03-v1.json", change))
    assert [line.split(":")[0] for line in found] == ["result", "kpi", "archive"]
    assert "warm value was" in found[0]
    assert "month-2025-03-v1.json warm: value recorded" in found[1]


def test_another_statement_or_key(small: Made, tmp_path: Path) -> None:
    def record(data: bytes) -> bytes:
        return data.replace(b'\\"leaves\\":', b'\\"leaves\\": ', 1)

    assert "cannot be read" in faults(small, tmp_path / "b.zip", of("seals.jsonl", record))[0]
    found = faults(
        small, tmp_path / "b.zip", of("keys.json", lambda data: data.replace(b'"public_key":"', b'"public_key":"00', 1))
    )
    assert found != []


def test_a_seal_left_out(small: Made, tmp_path: Path) -> None:
    found = faults(small, tmp_path / "b.zip", of("seals.jsonl", lambda data: b"\n".join(data.split(b"\n")[1:])))
    assert "The chain begins with seal 2" in found[0]


# --- bytes


def test_one_byte_anywhere(small: Made, tmp_path: Path) -> None:
    """Every region of the file: headers, names, contents, directory, end; and some places at random."""
    data = small.path.read_bytes()
    with zipfile.ZipFile(small.path) as archive:
        infos = archive.infolist()
        directory = archive.start_dir
    places = {0, 1, len(data) - 1, directory, *range(directory, len(data))}
    for info in infos:
        places |= set(range(info.header_offset, info.header_offset + 30 + len(info.filename)))
        start = info.header_offset + 30 + len(info.filename)
        places |= {start, start + info.file_size // 2, start + info.file_size - 1}
    places |= set(np.random.default_rng(1).integers(0, len(data), 100).tolist())
    path = tmp_path / "b.zip"
    unnoticed = []
    for place in sorted(places):
        path.write_bytes(data[:place] + bytes([data[place] ^ (1 << place % 8)]) + data[place + 1 :])
        found = verify(path)
        if found.sound:
            unnoticed.append(place)
    assert unnoticed == []


@pytest.mark.parametrize("change", [
    lambda data: data + b"\x00", lambda data: b"\x00" + data, lambda data: data[:-1], lambda data: data[: len(data) // 2],
    lambda _: b"", lambda data: data[:-22], lambda data: data + data, lambda _: b"PK\x05\x06" + bytes(18),
    lambda data: data[:-2] + b"\x05\x00hello",
])  # fmt: skip
def test_more_or_less_than_the_file(small: Made, tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(change(small.path.read_bytes()))
    assert [line.about for line in verify(path).faults] == ["archive"]


@pytest.mark.parametrize("name", ["more.txt", "readings/part-0001.parquet", "README.txt", "../out.txt", "/etc/x"])
def test_a_member_more(small: Made, tmp_path: Path, name: str) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(small.path.read_bytes())
    with pytest.warns(UserWarning) if name == "README.txt" else _nothing(), zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"x")
    assert [line.about for line in verify(path).faults] == ["archive"]
    assert not (tmp_path.parent / "out.txt").exists()


def _nothing() -> object:
    from contextlib import nullcontext

    return nullcontext()


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b"0" * 200_000_000)
    found = verify(path)
    assert [line.about for line in found.faults] == ["archive"] and "stored" in found.faults[0].en


def test_parquet_that_declares_too_much_or_is_none(small: Made, tmp_path: Path) -> None:
    name = "readings/part-0000.parquet"
    for data in (
        b"PAR1" + b"\xff" * 100 + b"\xff\xff\xff\x7fPAR1",
        b"",
        b"x" * 50,
        b"PAR1" + bytes(60) + b"\x20\0\0\0PAR1",
    ):
        assert faults(small, tmp_path / "b.zip", of(name, lambda _, data=data: data)) != []  # type: ignore[misc]
    wide = io.BytesIO()
    whole = pq.read_table(_part(small.path, name))
    pq.write_table(pa.concat_tables([whole] * 60), wide, row_group_size=10_000_000)
    assert faults(small, tmp_path / "b.zip", of(name, lambda _: wide.getvalue())) != []


def _part(path: Path, name: str) -> io.BytesIO:
    with zipfile.ZipFile(path) as archive:
        return io.BytesIO(archive.read(name))


@pytest.mark.parametrize("name", ["seals.jsonl", "keys.json", "results/month-2025-03-v1.json", "lines/event.jsonl"])
@pytest.mark.parametrize("data", [b"", b"null", b"[]", b"{}", b"[" * 100_000, b'{"record":1}\n', b"\xff\xfe\n"])
def test_rubbish_in_a_member_is_an_answer(small: Made, tmp_path: Path, name: str, data: bytes) -> None:
    assert faults(small, tmp_path / "b.zip", of(name, lambda _: data)) != []


# --- the command


OFFLINE = """
import socket, sys
def refuse(*a, **k): raise AssertionError("the network was used")
socket.socket.connect = refuse
socket.create_connection = refuse
socket.getaddrinfo = refuse
from pilotbed.cli import run
sys.exit(run(sys.argv[1:]))
"""


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PILOTBED_")}
    return subprocess.run(
        [sys.executable, "-c", OFFLINE, "verify", *arguments], env=environment, capture_output=True, text=True, timeout=300
    )  # fmt: skip


def test_the_command_needs_no_database_and_no_network(small: Made, tmp_path: Path) -> None:
    done = command(str(small.path), "--key", str(small.keys), "--lang", "en")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "Every result follows from the sealed data."
    korean = command(str(small.path), "--lang", "ko")
    assert korean.stdout.splitlines()[-1].endswith("서명 열쇠가 누구의 것인지는 확인되지 않았습니다.")


def test_the_command_ends_with_one_and_the_first_difference(small: Made, tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    rezipped(small.path, path, of("plan/v2.yaml", lambda data: data + b"#"))
    done = command(str(path), "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, done.stderr, document["sound"]) == (1, "", False)
    assert document["first_difference"].startswith("plan/v2.yaml: ")
    missing = command(str(tmp_path / "none.zip"))
    assert missing.returncode == 2 and missing.stderr.count("\n") == 1 and "none.zip" in missing.stderr

"""Files of labels as people keep them: what is taken of each, what is not, and why."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.audit import entries
from core.database import Connection, connected
from core.errors import NotFound, PermanentError
from kpi.records.documents import content, paper
from kpi.records.label_cells import Defaults
from kpi.records.label_file import Preview, preview
from kpi.records.labels import add_labels, labels, withdraw_file
from pilotbed.cli import run
from tests.detecting import at, cameras, detection

KPIS = f'recall: {{name: 재현율, measure: {detection()}, target: ">= 70 %"}}'
SEOUL = ZoneInfo("Asia/Seoul")
SAID = Defaults(labeller="김관제", side="site", blind=True)


@pytest.fixture(autouse=True)
def pilot(connection: Connection) -> None:
    cameras(connection, KPIS, up=False)


def seen(connection: Connection, data: bytes, defaults: Defaults = SAID) -> Preview:
    now = datetime(2025, 12, 31, tzinfo=UTC)
    return preview(connection, "hall", "fall-truth", paper("라벨.csv", data), defaults, now=now)


@pytest.mark.parametrize(
    ("encoding", "told"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("cp949", "cp949"), ("utf-16", "utf-16")],
)
def test_whatever_excel_writes_it_in(connection: Connection, encoding: str, told: str) -> None:
    text = "지점,시작,결과,위치\r\na,2025-03-05 10:00:00+09:00,발생,거실\r\n"
    found = seen(connection, text.encode(encoding))
    assert found.encoding == told
    [one] = found.taken
    assert (one.start, one.place, one.outcome) == (at("2025-03-05 10:00:00"), "거실", "positive")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_whatever_divides_the_cells(connection: Connection, delimiter: str) -> None:
    text = "slot,start,outcome\na,2025-03-05T10:00:00+09:00,positive\n".replace(",", delimiter)
    assert len(seen(connection, text.encode()).taken) == 1


@pytest.mark.parametrize(
    ("cell", "iso"),
    [
        ("2025-03-05T10:00:05+09:00", "2025-03-05T01:00:05+00:00"), ("2025-03-05 01:00:05Z", "2025-03-05T01:00:05+00:00"),
        ("2025-03-05 10:00", "2025-03-05T01:00:00+00:00"), ("2025.3.5 10:00:05.25", "2025-03-05T01:00:05.250000+00:00"),
        ("2025/03/05 오전 12:05:00", "2025-03-04T15:05:00+00:00"), ("2025-03-05 오후 12:05", "2025-03-05T03:05:00+00:00"),
    ],
)  # fmt: skip
def test_times_as_people_write_them(connection: Connection, cell: str, iso: str) -> None:
    zoned = Defaults(labeller="k", side="site", blind=True, zone=SEOUL)
    [one] = seen(connection, f"slot,start,outcome\na,{cell},positive\n".encode(), zoned).taken
    assert one.start.isoformat() == iso


def test_each_bad_row_has_its_line_and_its_reason_and_spoils_nothing_around_it(connection: Connection) -> None:
    rows = (
        ("a,2025-03-05T10:00:00+09:00,positive,site,yes,1", None),
        ("a,2025-03-05 11:00,positive,site,yes,1", "has no zone"),
        ("a,2025-13-05T10:00:00+09:00,positive,site,yes,1", "there is no such time"),
        ("a,soon,positive,site,yes,1", "is no time"),
        ("a,,positive,site,yes,1", "start is empty"),
        ("z,2025-03-05T10:00:00+09:00,positive,site,yes,1", "slot 'z' has no truth labels"),
        ("a,2025-03-05T10:00:00+09:00,perhaps,site,yes,1", "not one of positive, negative, empty"),
        ("a,2025-03-05T10:01:00+09:00,positive,neighbour,yes,1", "not one of site, company"),
        ("a,2025-03-05T10:02:00+09:00,positive,site,maybe,1", "is not yes or no"),
        ("a,2025-03-05T10:03:00+09:00,positive,site,yes,3", "is not 1 or 2"),
        ("a,2024-03-05T10:00:00+09:00,positive,site,yes,1", "outside of the pilot's period"),
        ("a,2025-03-05T10:00:00+09:00,positive,site,yes,1", "the same as line 2"),
        ('a,2025-03-05T10:04:00+09:00,"positive",site,yes,1,more', "it has 7 cells"),
        ("a,2025-03-05T19:00:00+09:00,positive,site,no,2", None),
    )  # fmt: skip
    text = "slot,start,outcome,side,blind,reader\n" + "\n".join(row for row, _ in rows) + "\n\n"
    found = seen(connection, text.encode(), Defaults(labeller="k"))
    assert [row.line for row in found.rows] == list(range(2, 16))
    for (text, told), row in zip(rows, found.rows, strict=True):
        assert (row.fault is None) == (told is None), (text, row)
        assert told is None or (row.fault is not None and told in row.fault[1] and row.fault[0]), (text, row.fault)
    assert len(found.taken) == 2


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"PK\x03\x04\x14\x00\x00\x00", "neither UTF-8 nor CP949"), ("지점,시작\n".encode(), "no column outcome"),
        (b"slot,start,outcome,colour\n", "a column 'colour' that labels do not have"), (b"slot,start,outcome,slot\n", "twice"),
        (b"\n\n", "no column slot"), (b'slot,start,outcome\na,"2025', "no CSV|is no time"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_labels_is_refused_in_a_sentence(connection: Connection, data: bytes, told: str) -> None:
    try:
        found = seen(connection, data)
    except PermanentError as refused:
        assert any(part in str(refused) for part in told.split("|")), str(refused)
    else:
        assert found.taken == [] and found.refused


def test_ten_megabytes_are_read_and_more_are_refused(connection: Connection) -> None:
    row = "a,2025-03-05T10:00:00+09:00,positive," + "x" * 160 + "\n"
    data = "slot,start,outcome,note\n" + row * ((10 << 20) // len(row) - 1)
    begun = time.monotonic()
    found = seen(connection, data.encode())
    assert (len(found.taken), len(found.refused) > 50_000) == (1, True)
    assert time.monotonic() - begun < 30
    with pytest.raises(PermanentError, match="10,485,760"):
        paper("big.csv", b"x" * ((10 << 20) + 1))


def test_a_file_is_kept_with_its_labels_taken_once_and_withdrawn_whole(connection: Connection) -> None:
    data = b"slot,start,outcome\na,2025-03-05T10:00:00+09:00,positive\na,2025-03-06T10:00:00+09:00,empty\n"
    found = seen(connection, data)
    now = datetime(2025, 12, 31, tzinfo=UTC)
    assert add_labels(connection, "hall", "fall-truth", found.taken, paper=found.paper, who="cli:test", now=now) == 2
    assert content(connection, "hall", found.paper.sha256) == data
    assert [row.fault is not None for row in seen(connection, data).rows] == [True, True]
    assert add_labels(connection, "hall", "fall-truth", found.taken, paper=found.paper, who="cli:test", now=now) == 0
    assert {one.file_sha256 for one in labels(connection, "hall")} == {found.paper.sha256}
    assert withdraw_file(connection, "hall", found.paper.sha256, why="다른 카메라", who="cli:test") == 2
    assert labels(connection, "hall") == [] and len(labels(connection, "hall", withdrawn_too=True)) == 2
    with pytest.raises(NotFound):
        withdraw_file(connection, "hall", found.paper.sha256, why="again", who="cli:test")


def test_by_the_command_line(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PILOTBED_DATABASE_URL", database_url)
    file = tmp_path / "labels.csv"
    file.write_bytes("지점,시작,결과\na,2025-03-05 10:00,발생\na,어제,발생\n".encode("cp949"))
    import_ = ["label", "import", "hall", "fall-truth", str(file), "--labeller", "김관제", "--side", "site", "--blind"]
    assert run([*import_, "--dry-run"]) == 1  # without a zone nothing can be taken
    capsys.readouterr()
    assert run([*import_, "--zone", "Asia/Seoul", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["taken"], told["recorded"], told["encoding"], [row["line"] for row in told["refused"]]) == (
        1,
        1,
        "cp949",
        [3],
    )
    assert run(["label", "add", "hall", "fall-truth", "--slot", "a", "--from", "2025-03-06T10:00:00+09:00", "--labeller", "k",
                "--side", "team", "--blind", "--attribute", "class=fall", "--attribute", "width=0.3"]) == 0  # fmt: skip
    capsys.readouterr()
    assert run(["label", "list", "hall", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)["labels"]
    assert second["attributes"] == {"class": "fall", "width": 0.3} and first["file_line"] == 2
    assert run(["label", "withdraw", "hall", str(second["label_id"]), "--why", "falsch"]) == 0
    with connected(database_url) as connection:
        said = [line["what"] for line in entries(connection, most=10) if line["what"].startswith("label.")]
    assert said == ["label.withdraw", "label.add", "label.import"]
    assert run(["label", "sample", "hall", "recall"]) != 0
    assert "has no sample" in capsys.readouterr().err
    assert run(["label", "pairs", "hall", "recall", "--at", "2025-06-01", "-o", str(tmp_path / "pairs.csv")]) == 0
    assert (tmp_path / "pairs.csv").read_text(encoding="utf-8-sig").splitlines()[1].startswith("a,2025-03-05T01:00:00")

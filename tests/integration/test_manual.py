"""What people enter: recorded whole or not at all, judged by what was known, withdrawn once; the command line."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from scipy import stats

from core.audit import entries
from core.database import Connection
from core.errors import NotFound, PermanentError
from core.settings import settings
from core.window import midnight
from devices.plan.reader import read_plan
from kpi.evaluate import evaluate
from kpi.records import documents
from kpi.records.documents import paper
from kpi.records.exclusions import add_exclusion
from kpi.records.manual import ManualEntry, add_manual, manual_entries, withdraw_manual
from kpi.records.manual_rules import Given
from kpi.results import newest, store
from pilotbed.cli import run
from tests.evaluated import SEOUL, Site, made_site

KPIS = """
rate: {name: 민원 발생률, measure: {event_rate: {manual: complaints, per: {manual: resident-days}}},
  target: "<= 1 건/(1000 resident-day)", scope: capability}
total: {name: 민원, measure: {manual: {of: complaints, stat: sum}}, target: "<= 50 건"}
happy: {name: 만족도, measure: {manual: {of: satisfaction, stat: mean, n_min: 100}}, target: ">= 4.0 점", scope: capability}
meter: {name: 검침, measure: {manual: {of: meter, stat: last}}, target: "<= 900 kWh", group: worst}
"""
MORE = """
manual:
  complaints: {name: 민원 건수, kind: count, unit: 건, exposure: {id: resident-days, name: 주민·일, unit: resident-day}}
  satisfaction: {name: 이용자 만족도, kind: sample, unit: 점, range: [1, 5]}
  meter: {name: 검침값, kind: value, unit: kWh, slots: [a, b]}
"""
DOC = paper("민원 대장.pdf", b"%PDF-1.4 proof")
BEFORE = datetime(2025, 2, 1, tzinfo=UTC)


def at(month: int, day: int = 1, year: int = 2025) -> datetime:
    return midnight(date(year, month, day), SEOUL)


def complaint(month: int, value: float, **more: Any) -> Given:
    given: dict[str, Any] = {"exposure": 24_000.0, "start": at(month), "end": at(month + 1), "measured_by": "구청 김"}
    return Given(quantity="complaints", value=value, **(given | more))


def survey(value: float, n: int, sd: float | None, month: int = 5, **more: Any) -> Given:
    return Given(
        quantity="satisfaction", start=at(month), end=at(month, 8), value=value, n=n, sd=sd, measured_by="조사팀", **more
    )  # fmt: skip


@pytest.fixture
def site(connection: Connection) -> Site:
    made = made_site(connection, KPIS, slots=("a", "b"), more=MORE)
    made.alive(BEFORE, datetime(2025, 12, 5, tzinfo=UTC))
    return made


def entered(connection: Connection, *given: Given, doc: documents.Paper = DOC) -> list[ManualEntry]:
    return add_manual(connection, "hall", given, doc, who="cli:test")


def judged(connection: Connection, **asked: Any) -> dict[str, dict[str, Any]]:
    document = evaluate(connection, "hall", **(asked or {"at": date(2025, 6, 1)})).document
    return {kpi["id"]: kpi for kpi in document["kpis"]}


def test_rates_sums_and_means_are_those_of_scipy(site: Site, connection: Connection) -> None:
    entered(connection, complaint(3, 12), complaint(4, 9), complaint(5, 15), survey(4.3, 120, 0.7))
    kpis = judged(connection)
    rate, happy = kpis["rate"], kpis["happy"]
    assert rate["value"] == pytest.approx(1000 * 36 / 72_000) and rate["n"] == 36 and rate["completeness"] == 1.0
    # The dispersion of three entries, leaning on 2 with the weight of three: by hand.
    pearson = sum((n - 12) ** 2 / 12 for n in (12, 9, 15)) / 2
    factor = (3 * pearson + 3 * 2) / 6
    price = (stats.norm.isf(0.025) / stats.t.isf(0.025, 2)) ** 2
    scale = factor / price
    low, high = stats.chi2.ppf(0.025, 2 * 36 / scale) / 2 * scale, stats.chi2.ppf(0.975, 2 * 36 / scale + 2) / 2 * scale
    assert (rate["interval"]["low"], rate["interval"]["high"]) == pytest.approx((low / 72, high / 72))
    assert (kpis["total"]["value"], kpis["total"]["verdict"]) == (36, "met")
    away = stats.t.isf(0.025, 119) * 0.7 / 120**0.5
    assert (happy["value"], happy["verdict"]) == (4.3, "met")
    assert (happy["interval"]["low"], happy["interval"]["high"]) == pytest.approx((4.3 - away, 4.3 + away))
    assert kpis["meter"]["verdict"] == "insufficient" and "수기 관측값이 없어" in kpis["meter"]["why"]["ko"]


def test_under_the_least_number_of_answers_nothing_is_decided(site: Site, connection: Connection) -> None:
    entered(connection, survey(4.9, 99, 0.2))
    happy = judged(connection)["happy"]
    assert (happy["verdict"], happy["reason"], happy["value"]) == ("insufficient", "too_few", 4.9)
    assert "표본수가 99이며 최소 표본수(100)" in happy["why"]["ko"] and "99 of the 100" in happy["why"]["en"]
    month = judged(connection, month="2025-05")["happy"]
    assert (month["status"], month["reason"]) == ("insufficient", "too_few")
    entered(connection, survey(4.9, 20, 0.2, 3))
    assert judged(connection)["happy"]["verdict"] == "met"


def test_an_entry_that_reaches_beyond_the_window_is_left_out_and_said_never_taken_by_a_part(
    site: Site, connection: Connection
) -> None:
    entered(connection, complaint(3, 12), complaint(4, 9), complaint(5, 40, end=at(6, 15)))
    total = judged(connection)["total"]
    assert (total["value"], total["facts"]["manual_left_out"]) == (21, 1)
    assert "기간을 벗어나 뺀 입력 1건" in total["why"]["ko"]
    assert total["completeness"] == pytest.approx(61 / 92)
    assert total["verdict"] == "insufficient", "May is not covered by what counts"
    june = judged(connection, month="2025-06")["total"]
    assert (june["value"], june["month"]["value"]) == (61, None)
    assert "달을 넘는 입력 1건" in june["why"]["ko"]


def test_each_slot_has_its_own_and_the_worst_decides(site: Site, connection: Connection) -> None:
    usual: dict[str, Any] = {"quantity": "meter", "measured_by": "김"}
    entered(
        connection,
        Given(slot="a", start=at(4), end=at(4), value=400, **usual),
        Given(slot="a", start=at(5), end=at(5), value=700, **usual),
        Given(slot="b", start=at(5), end=at(5), value=950, **usual),
    )
    meter = judged(connection)["meter"]
    assert (meter["slot"], meter["value"], meter["verdict"]) == ("b", 950, "not_met")
    assert [(row["slot"], row["value"]) for row in meter["slots"]] == [("a", 700), ("b", 950)]
    # An exclusion takes out only what lies in it altogether: the reading of the 1st of May, 00:00.
    with connection.transaction():
        add_exclusion(
            connection, "hall", slot="b", start=at(5) - timedelta(hours=1), end=at(5) + timedelta(hours=1), reason="construction",
            asked_on=date(2025, 5, 2), asked_by="C", agreed_site="S", agreed_team="T", note="n", who="cli:test",
        )  # fmt: skip
    meter = judged(connection)["meter"]
    assert (meter["verdict"], meter["reason"], meter["if_inconclusive"]) == (
        "inconclusive",
        "exclusion_turns",
        "committee",
    )
    assert (meter["with_exclusions"]["verdict"], meter["without"]["exclusions"]["value"]) == ("insufficient", 950)


def test_what_was_known_then_counts_and_a_withdrawal_makes_a_new_version(site: Site, connection: Connection) -> None:
    [one] = entered(connection, complaint(3, 12))
    entered(connection, complaint(4, 9), complaint(5, 15))
    first = evaluate(connection, "hall", at=date(2025, 6, 1))
    store(connection, first, "cli:test")
    withdraw_manual(connection, one.manual_id, why="두 번 셈", who="cli:test")
    entered(connection, complaint(3, 6))
    assert judged(connection)["total"]["value"] == 30
    assert judged(connection, at=date(2025, 6, 1), as_of=first.as_of)["total"]["value"] == 36
    store(connection, evaluate(connection, "hall", at=date(2025, 6, 1)), "cli:test")
    second = newest(connection, "hall", "date", "2025-06-01")
    assert second is not None and second.difference is not None and second.version == 2
    assert second.difference["causes"] == [
        {"cause": "manual_added", "ids": [4]}, {"cause": "manual_withdrawn", "ids": [1]},
    ] or second.difference["causes"] == [
        {"cause": "manual_withdrawn", "ids": [1]}, {"cause": "manual_added", "ids": [4]},
    ]  # fmt: skip
    with pytest.raises(PermanentError, match="was withdrawn at"):
        withdraw_manual(connection, one.manual_id, why="again", who="cli:test")
    acts = [row["what"] for row in entries(connection, pilot="hall") if row["what"].startswith("manual")]
    assert sorted(acts) == ["manual.add"] * 4 + ["manual.withdraw"]


@pytest.mark.parametrize("statement", [
    "UPDATE manual_value SET value = 0", "DELETE FROM manual_value", "TRUNCATE manual_value",
    "UPDATE document SET name = 'x'", "DELETE FROM document", "UPDATE document SET content = 'x'",
])  # fmt: skip
def test_the_database_refuses_to_change_what_was_entered(site: Site, connection: Connection, statement: str) -> None:
    entered(connection, complaint(3, 12))
    with pytest.raises(psycopg.Error, match=r"append-only|foreign key"):
        connection.execute(statement)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([complaint(3, -1)], "a count is a whole number, 0 or more"),
        ([complaint(3, 1.5)], "a count is a whole number"),
        ([complaint(3, 1, exposure=None)], "has no exposure: give 주민·일 in resident-day"),
        ([complaint(3, 1, exposure=0.0)], "there must be some to count by"),
        ([complaint(3, 1, exposure=-5.0)], "there must be some to count by"),
        ([complaint(3, 1, end=at(3))], "not of one instant"),
        ([complaint(3, 1, slot="a")], "of the pilot as a whole"),
        ([complaint(3, 1, n=5)], "not a sample"),
        ([complaint(3, 1), complaint(3, 2)], "has this time already"),
        ([complaint(3, 1), complaint(4, 2, start=at(3, 31))], "has this time already"),
        ([complaint(3, 1, measured_by=" ")], "measured_by is empty"),
        ([complaint(3, 1, end=datetime(2999, 1, 1, tzinfo=UTC))], "which is not over"),
        ([survey(6, 100, 0.5)], "outside of 1 to 5"),
        ([survey(4.2, 100, None)], "sd = None"),
        ([survey(4.2, 100, -1)], "sd = -1"),
        ([survey(4.2, 100, 2.5)], "spread by"),
        ([survey(4.2, 0, 0.5)], "n = 0"),
        ([Given(quantity="meter", start=at(3), end=at(3), value=1, measured_by="x")], "with no slot"),
        ([Given(quantity="meter", start=at(3), end=at(3), value=1, measured_by="x", slot="c")], "one of: a, b"),
        ([], "There are 0 entries"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_nothing_of_it_is_kept(
    site: Site, connection: Connection, given: list[Given], said: str
) -> None:
    with pytest.raises(PermanentError, match=said):
        entered(connection, *given)
    assert manual_entries(connection, "hall", withdrawn_too=True) == []
    row = connection.execute("SELECT count(*) AS n FROM document").fetchone()
    assert row is not None and row["n"] == 0


def test_an_unknown_quantity_and_a_wrong_pilot_are_named(site: Site, connection: Connection) -> None:
    with pytest.raises(NotFound, match="declares no manual quantity 'noise'; it has: complaints, satisfaction, meter"):
        entered(
            connection, complaint(3, 1).__class__(quantity="noise", start=at(3), end=at(4), value=1, measured_by="x")
        )
    with pytest.raises(NotFound, match="elsewhere"):
        add_manual(connection, "elsewhere", [complaint(3, 1)], DOC, who="cli:test")
    [one] = entered(connection, complaint(3, 1))
    with pytest.raises(NotFound):
        withdraw_manual(connection, one.manual_id, why="x", who="cli:test", pilot="elsewhere")
    with pytest.raises(NotFound):
        documents.content(connection, "elsewhere", one.sha256)


def test_documents_are_kept_byte_by_byte_and_once(site: Site, connection: Connection) -> None:
    one, two = entered(connection, complaint(3, 1), complaint(4, 1))
    [three] = entered(connection, complaint(5, 1), doc=paper("other name.pdf", DOC.content))
    assert one.sha256 == two.sha256 == three.sha256 == hashlib.sha256(DOC.content).hexdigest()
    assert documents.content(connection, "hall", one.sha256) == DOC.content
    assert three.document == "민원 대장.pdf", "under its first name"
    with pytest.raises(PermanentError, match="0 bytes"):
        paper("a.pdf", b"")
    with pytest.raises(PermanentError, match="more than 10,485,760 bytes"):
        paper("a.pdf", b"x" * (documents.MOST_BYTES + 1))


# --- The command line


TABLE = (
    "항목,시작,끝,값,노출량,측정자\n"
    'complaints,2025-03-01,2025-03-31,12건,"24,000",구청 김\n'
    "complaints,2025-04-01,2025-04-30,9,24000,구청 김\n"
)


@pytest.mark.parametrize("data", [
    TABLE.encode(), b"\xef\xbb\xbf" + TABLE.encode(), TABLE.encode("cp949"), b"\xef\xbb\xbf" + TABLE.encode("cp949"),
    TABLE.replace("\n", "\r\n").encode("cp949"), TABLE.replace(",", "\t").replace("24\t000", "24,000").encode(),
], ids=["UTF-8", "with BOM", "CP949", "CP949 with BOM", "CRLF", "tabs"])  # fmt: skip
def test_tables_of_offices_are_imported(
    site: Site, connection: Connection, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    _attached(monkeypatch, database_url)
    path = tmp_path / "민원.csv"
    path.write_bytes(data)
    assert run(["manual", "import", "hall", str(path)]) == 0
    found = manual_entries(connection, "hall")
    assert [(one.value, one.exposure, one.measured_by) for one in found] == [
        (12, 24000, "구청 김"),
        (9, 24000, "구청 김"),
    ]
    assert found[0].end_at == found[1].start_at == at(4), "the last day belongs to it"
    assert documents.content(connection, "hall", found[0].sha256) == data, "the table itself is what proves them"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "is empty (0 bytes)"),
        ("quantity,value\n", "no rows"),
        ("what,value\ncomplaints,3\n", "unknown: what"),
        ("quantity,from\ncomplaints,2025-03-01\n", "missing: value"),
        ("quantity,value,value\na,1,2\n", "'value' is there twice"),
        ("quantity,value\ncomplaints,3,4,5\n", "Line 2 has 4 cells"),
        ("quantity,from,to,value,exposure,measured_by\ncomplaints,2025-03-01,2025-03-31,x,1,k\nnoise,2025-03-01,2025-03-31,1,1,k\n",
         "line 2: value 'x' is no number. line 3: The plan of pilot hall declares no manual quantity 'noise'"),
        ("quantity,from,to,value,exposure,measured_by\ncomplaints,2025-03-01,2025-03-31,1,10,k\ncomplaints,2025-03-31,2025-04-30,1,10,k\n",
         "Line 3: another row (line 2) of complaints has this time already"),
        ("quantity,from,to,value,exposure\ncomplaints,2025-03-01,2025-03-31,1,10\n", "measured_by is empty"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_is_one_line_and_nothing_is_recorded(
    site: Site, connection: Connection, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], table: str, said: str,
) -> None:  # fmt: skip
    _attached(monkeypatch, database_url)
    path = tmp_path / "a.csv"
    path.write_text(table)
    assert run(["manual", "import", "hall", str(path)]) != 0
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1, err
    assert manual_entries(connection, "hall") == []


@pytest.mark.parametrize("data", [b"PK\x03\x04\x00\x00", "a,b\n1,2\n".encode("utf-16"), b"\xff\xfe\xfd,\x80\n"])
def test_what_is_no_table_at_all_is_said(
    site: Site, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    data: bytes,
) -> None:  # fmt: skip
    _attached(monkeypatch, database_url)
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    assert run(["manual", "import", "hall", str(path)]) != 0
    assert "save it as CSV (UTF-8)" in capsys.readouterr().err


def test_single_answers_are_kept_as_they_were_given_and_their_mean_is_worked_out(
    site: Site, connection: Connection, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    _attached(monkeypatch, database_url)
    scores = [5, 4, 4, 3, 5, 4, 5, 5, 4, 2] * 12
    path = tmp_path / "answers.csv"
    path.write_text(
        "id,점수\n" + "".join(f"{i},{score}\n" for i, score in enumerate(scores)) + "121,\n", encoding="cp949"
    )
    asked = [
        "manual",
        "import",
        "hall",
        str(path),
        "--answers",
        "satisfaction",
        "--from",
        "2025-05-01",
        "--to",
        "2025-05-07",
    ]
    assert run([*asked, "--column", "점수", "--measured-by", "조사팀"]) == 0
    [one] = manual_entries(connection, "hall")
    assert one.scores == tuple(map(float, scores)) and one.n == 120
    happy = judged(connection)["happy"]
    t = stats.ttest_1samp(scores, 0).confidence_interval(0.95)
    assert (happy["value"], happy["interval"]["low"]) == pytest.approx((sum(scores) / 120, t.low))
    assert run([*asked, "--column", "mark", "--measured-by", "x"]) != 0
    assert "no column 'mark'; it has: id, 점수" in capsys.readouterr().err


def test_the_commands_add_list_withdraw_and_give_the_document_back(
    site: Site, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _attached(monkeypatch, database_url)
    path = tmp_path / "대장.pdf"
    path.write_bytes(DOC.content)
    asked = ["manual", "add", "hall", "complaints", "--document", str(path), "--measured-by", "김", "--from", "2025-03-01",
             "--to", "2025-03-31", "--value", "12", "--exposure", "24000 resident-day"]  # fmt: skip
    assert run([*asked, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["id"], made["value"], made["sha256"]) == (1, 12, hashlib.sha256(DOC.content).hexdigest())
    assert run(asked) == 2 and "has this time already" in capsys.readouterr().err
    assert run([*asked[:-3], "12 kWh", *asked[-2:]]) == 2 and "give it in that unit" in capsys.readouterr().err
    assert run(["manual", "list", "hall"]) == 0 and "complaints" in capsys.readouterr().out
    assert run(["manual", "document", "hall", made["sha256"], "-o", str(tmp_path / "back.pdf")]) == 0
    assert (tmp_path / "back.pdf").read_bytes() == DOC.content
    assert run(["manual", "withdraw", "1", "--why", "잘못 셈"]) == 0
    capsys.readouterr()
    assert run(["manual", "list", "hall", "--json"]) == 0 and json.loads(capsys.readouterr().out)["manual"] == []
    assert run(["manual", "list", "hall", "--all", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["manual"][0]["superseded_why"] == "잘못 셈"
    assert run([*asked[:4], "--document", str(tmp_path / "none.pdf"), *asked[6:]]) == 2


def _attached(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.setenv("PILOTBED_DATABASE_URL", database_url)
    settings.cache_clear()


def test_the_plan_names_each_slip_with_its_line(connection: Connection) -> None:
    from devices.plan.problem import PlanProblems
    from tests.evaluated import PLAN, SLOT

    bad = """
    a: {name: a, measure: {manual: {of: complaint, stat: sum}}, target: "<= 5 건"}
    b: {name: b, measure: {manual: {of: satisfaction, stat: rate}}, target: ">= 4 점"}
    c: {name: c, measure: {event_rate: {manual: complaints, per: {manual: persons}}}, target: "<= 1 건/resident-day"}
    d: {name: d, measure: {manual: {of: satisfaction, stat: mean, hours: "09:00-18:00"}}, target: ">= 4 점"}
    e: {name: e, measure: {manual: {of: satisfaction, stat: mean}}, target: ">= 4 kWh"}
    f: {name: f, measure: {manual: {of: meter, stat: last, slots: [c]}}, target: ">= 4 kWh"}
"""
    text = PLAN.format(
        start="2025-03-01", end="2025-12-01", zone="Asia/Seoul", interim="2025-06-01", until="2025-11-01",
        slots=SLOT.format(name="a") + SLOT.format(name="b"), kpis=bad,
    ) + MORE  # fmt: skip
    with pytest.raises(PlanProblems) as caught:
        read_plan(text.encode())
    told = " | ".join(str(problem) for problem in caught.value.problems)
    for said in ("none of the plan's manual quantities", "is a sample, which has: mean", "is named resident-days",
                 "hours and days do not cut it", "the entries of meter are of: a, b"):  # fmt: skip
        assert said in told, told

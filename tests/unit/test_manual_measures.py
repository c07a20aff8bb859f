"""What people enter, without a store: the plan's language, the rules of an entry, the figures."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from scipy import stats

from core.csv_table import TableError, read_table
from core.errors import PermanentError
from devices.plan.diff import diff
from devices.plan.problem import PlanProblems
from devices.plan.reader import read_plan
from devices.plan.written import resolved
from devices.plan.yaml_tree import read_tree
from kpi.intervals.sampled import sampled_mean
from kpi.measures.manual import Entered, ManualPart, measure
from kpi.planning import planning, told, warnings
from kpi.records.documents import file_name
from kpi.records.manual_rules import in_unit, number
from tests.evaluated import PLAN, SLOT

ROOT = Path(__file__).parents[2]
MANUAL = """
manual:
  complaints: {name: 민원 건수, kind: count, unit: 건, exposure: {id: resident-days, name: 주민·일, unit: resident-day}}
  satisfaction: {name: 만족도, kind: sample, unit: 점, range: [1, 5]}
"""
KPIS = """
  complaints: {name: c, measure: {event_rate: {manual: complaints, per: {manual: resident-days}}},
    target: "1000 resident-day당 1건 이하"}
  same: {name: c, measure: {manual: {of: complaints, stat: rate}}, target: "<= 1 / (1000 resident-day)"}
  happy: {name: h, measure: {manual: {of: satisfaction, stat: mean, n_min: 100}}, target: ">= 4.0 점"}
"""


def plan(kpis: str = KPIS, manual: str = MANUAL) -> bytes:
    text = PLAN.format(
        start="2025-03-01", end="2025-12-01", zone="Asia/Seoul", interim="2025-06-01", until="2025-11-01",
        slots=SLOT.format(name="a"), kpis=kpis,
    )  # fmt: skip
    return (text + manual).encode()


def test_the_catalogues_text_and_the_plain_one_are_one_measure() -> None:
    found = read_plan(plan()).plan
    first, second = found.kpis["complaints"].measure, found.kpis["same"].measure
    assert first.kind == second.kind == "manual"
    assert first.of.model_dump(exclude={"per"}) == second.of.model_dump(exclude={"per"})
    assert found.kpis["same"].bounds.unit == "건/(1000 resident-day)"


def test_the_published_schema_takes_both() -> None:
    schema = json.loads((ROOT / "docs" / "plan.schema.json").read_text(encoding="utf-8"))
    validator = Draft202012Validator(schema)
    assert not list(validator.iter_errors(resolved(read_tree(plan()).root)))
    wrong = plan(KPIS.replace("{manual: resident-days}", "{manuals: x}"))
    assert list(validator.iter_errors(resolved(read_tree(wrong).root)))


@pytest.mark.parametrize(
    ("manual", "said"),
    [
        (
            MANUAL.replace("kind: sample, unit: 점, range: [1, 5]", "kind: sample, unit: 점"),
            "write range, as in [1, 5]",
        ),
        (MANUAL.replace("[1, 5]", "[5, 1]"), "from the least to the most"),
        (MANUAL.replace("kind: count, ", ""), "an exposure is of a count"),
        (MANUAL.replace("unit: resident-day", "unit: residentday"), "residentday"),
        (MANUAL.replace("unit: 점, range", "unit: 점, slots: [b], range"), "slots[0]: found b"),
    ],
)
def test_a_slip_in_the_declaration_is_named_with_its_line(manual: str, said: str) -> None:
    with pytest.raises(PlanProblems) as caught:
        read_plan(plan(manual=manual))
    assert said in " | ".join(map(str, caught.value.problems)), caught.value.problems


def test_what_is_declared_belongs_to_the_agreement_but_names_do_not() -> None:
    before = read_plan(plan()).plan
    renamed = read_plan(plan(manual=MANUAL.replace("name: 만족도", "name: 이용자 만족도"))).plan
    widened = read_plan(plan(manual=MANUAL.replace("[1, 5]", "[1, 7]"))).plan
    assert [one.effect for one in diff(before, renamed)] == ["text"]
    assert {one.effect for one in diff(before, widened)} == {"contract"}


def test_planning_says_that_no_chances_are_reckoned() -> None:
    found = planning(read_plan(plan()).plan)
    codes = {one.id: [caution.code for caution in one.warnings] for one in found.outlooks}
    assert codes == {name: ["not_reckoned"] for name in ("complaints", "same", "happy")}
    assert all(told(caution, "ko", one) for one in found.outlooks for caution in one.warnings) and warnings(found)


def part(*entries: Entered, kind: str = "sample", span: tuple[float, float] = (1, 5)) -> ManualPart:
    return ManualPart(entries=entries, left_out=0, kind=kind, span=span, obtained=1, expected=1)  # type: ignore[arg-type]


@given(st.lists(st.lists(st.integers(1, 5), min_size=2, max_size=30), min_size=1, max_size=5))
def test_samples_together_are_the_sample_of_all_answers(samples: list[list[int]]) -> None:
    entries = [
        Entered(
            number=i, start_us=i, end_us=i + 1, value=math.fsum(one) / len(one), n=len(one),
            sd=math.sqrt(math.fsum((x - math.fsum(one) / len(one)) ** 2 for x in one) / (len(one) - 1)),
        )
        for i, one in enumerate(samples)
    ]  # fmt: skip
    answers = [x for one in samples for x in one]
    found = measure([part(*entries)], stat="mean", unit="점")
    assert found.answers is not None and found.answers.sd is not None
    assert found.value == pytest.approx(sum(answers) / len(answers)) and found.n == len(answers)
    if len(set(answers)) > 1:
        low, high = sampled_mean(found.answers.mean, found.answers.sd, found.n, 0.05, 1, 5) or (0, 0)
        t = stats.ttest_1samp(answers, 0).confidence_interval(0.90)
        assert (low, high) == pytest.approx((max(t.low, 1), min(t.high, 5)), rel=1e-6)


def test_nothing_entered_has_no_value_and_fails_nowhere() -> None:
    for kind, stat in (("sample", "mean"), ("count", "rate"), ("count", "sum"), ("value", "last"), ("value", "mean")):
        for parts in ([], [part(kind=kind)]):
            found = measure(parts, stat=stat, unit="x", n_min=10)  # type: ignore[arg-type]
            assert (found.value, found.n) == (None, 0)


@pytest.mark.parametrize("text", ["", "x", "1e400", "nan", "inf", "--1", "1 2", "0x10", "1e16"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(PermanentError):
        number("value", text)


@pytest.mark.parametrize("text", ["5 kWh", "5 건/d", "5 resident-day", "건"])
def test_another_unit_is_refused(text: str) -> None:
    with pytest.raises(PermanentError):
        in_unit("value", text, "건")


@given(st.text(max_size=400))
def test_a_file_name_is_never_a_path(given_name: str) -> None:
    name = file_name(given_name)
    assert 0 < len(name) <= 120 and not set(name) & set("/\\\0\n\r") and name not in (".", "..")


@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_one_error(data: bytes) -> None:
    try:
        table = read_table(data)
    except TableError as error:
        assert "\n" not in str(error)
    else:
        assert all(set(row.cells) == set(table.header) for row in table.rows)
